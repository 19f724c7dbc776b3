"""One steady state of a network, as its load points and probes see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """One steady state."""

    phasor: Complex
    """(probes * 6, orders) RMS; rows va vb vc ia ib ic of each probe [V, A]."""
    load_voltage: Complex
    """(loads,) fundamental phase-to-earth RMS [V]."""
    load_current: Complex
    """(loads,) fundamental RMS, drawn by the load [A]."""
    currents: Complex
    """(orders, loads) the same at every order [A]."""
    iterations: int
    mismatch: float
    """Largest change of a load voltage in the last iteration [pu]."""
    potential: Complex
    """(orders, parts) of each part that loads alone hold to earth, none as a rule [V]."""
