"""The one conversion between RMS phasors, which networks use, and peak amplitudes, which signals hold."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Phasor = TypeVar("Phasor", complex, NDArray[np.complex128])

_SQRT2 = math.sqrt(2.0)


def amplitude_from_rms(phasor: Phasor) -> Phasor:
    """Return the complex peak amplitude of an RMS phasor [V or A].

    ``Re{amplitude exp(j order theta)}`` has the RMS value ``|phasor|``. Not for DC terms, whose
    amplitude is their value.
    """
    return phasor * _SQRT2


def rms_from_amplitude(amplitude: Phasor) -> Phasor:
    """Return the RMS phasor of a complex peak amplitude [V or A]; the inverse of `amplitude_from_rms`."""
    return amplitude / _SQRT2
