"""The displayed quantities of a panel meter by number and name, and what turns a window into them.

The first 52 numbers are the alarming parameter codes of the KW320 manual (6.3.4), so that an alarm,
a maximum and a register speak of the same column. All values are secondary SI; unbalance and
distortion are fractions; angles are degrees, 0..360, as the manual's phase angles (4.3).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.meters.wiring import Wirings
from twin.metrology import Quantities

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]

NAMES: Final = (
    *("frequency", "v1", "v2", "v3", "v_avg", "v12", "v23", "v31", "vll_avg"),
    *("i1", "i2", "i3", "i_avg", "i_n", "p1", "p2", "p3", "p_sum", "q1", "q2", "q3", "q_sum"),
    *("s1", "s2", "s3", "s_sum", "pf1", "pf2", "pf3", "pf", "v_unbalance", "i_unbalance", "load_type"),
    *("thd_v1", "thd_v2", "thd_v3", "thd_v_avg", "thd_i1", "thd_i2", "thd_i3", "thd_i_avg"),
    *("ai1", "ai2", "ai3", "ai4", "p_demand", "q_demand", "s_demand"),
    *("i1_demand", "i2_demand", "i3_demand", "angle_v2_v1"),
)
"""Name by column."""
COLUMN: Final = {name: column for column, name in enumerate(NAMES)}
"""Column by name."""
FAST_NAMES: Final = NAMES[: COLUMN["pf"] + 1]
"""What the fast-read block shows (KW320 manual 6.3.6), in its order."""
BASIC_NAMES: Final = tuple(name for name in NAMES if name not in {"ai1", "ai2", "ai3", "ai4"})
"""Scalars of the basic block; analogue inputs have a block of their own."""
DEMAND_NAMES: Final = ("p_demand", "q_demand", "s_demand", "i1_demand", "i2_demand", "i3_demand")
"""Columns that the demand keeps, not the window."""
DEMAND_COLUMNS: Final = slice(COLUMN["p_demand"], COLUMN["i3_demand"] + 1)
"""Their columns."""
ANALOGUE_COLUMNS: Final = slice(COLUMN["ai1"], COLUMN["ai4"] + 1)
"""Columns of the analogue inputs, in counts."""

VOLT: Final = 0
AMPERE: Final = 1
POWER: Final = 2
NUMBER: Final = 3


def _dimension(name: str) -> int:
    if name.startswith(("v_unbalance", "i_unbalance", "thd")):
        return NUMBER
    if name[0] == "v":
        return VOLT
    if name[0] == "i":
        return AMPERE
    return POWER if name[0] in {"p", "q", "s"} and not name.startswith("pf") else NUMBER


DIMENSION: Final = tuple(_dimension(name) for name in NAMES)
"""VOLT, AMPERE, POWER or NUMBER by column: what a primary value is scaled by."""


def primary_factor(column: int, *, pt_ratio: float, ct_ratio: float) -> float:
    """Return what a secondary value of a column is multiplied by to be primary."""
    return (pt_ratio, ct_ratio, pt_ratio * ct_ratio, 1.0)[DIMENSION[column]]


def display(
    taken: Quantities,
    *,
    fundamental: Flags,
    general: Flags,
    ieee: Flags,
    starting_current: Float,
    wirings: Wirings | None = None,
) -> tuple[Float, Float]:
    """Turn the quantities of all meters into what they display and what they register.

    Parameters
    ----------
    taken : Quantities
        Secondary values of one window.
    fundamental, general, ieee : ndarray of bool, shape (meters,)
        Energy mode, reactive mode and PF convention of each meter.
    starting_current : ndarray, shape (meters,)
        From which on energy is registered [A].
    wirings : Wirings, optional
        How the inputs are read; three phases to neutral by default.

    Returns
    -------
    values : ndarray, shape (meters, 52)
        By column of `NAMES`; demand and analogue inputs are left 0.
    registered : ndarray, shape (meters, 12)
        Power that the energy registers count: P of phases a, b, c and of a system without phases [W], Q
        [var], S [VA].

    See Also
    --------
    twin.meters.quantity_kernels.displayed_quantities : the definitions, with their references.
    twin.meters.wiring_kernels.partial_quantities : those of other wirings.
    """
    from twin.meters.quantity_kernels import displayed_quantities  # noqa: PLC0415

    meters = taken.real.shape[0]
    values, registered = np.zeros((meters, len(NAMES))), np.zeros((meters, 12))
    displayed_quantities(
        taken.frequency,
        taken.real,
        taken.sequence,
        taken.harmonic,
        fundamental,
        general,
        ieee,
        starting_current,
        values,
        registered,
    )
    if wirings is not None and wirings.partial.size:
        from twin.meters.wiring_kernels import partial_quantities  # noqa: PLC0415

        partial_quantities(
            wirings.partial,
            wirings.phases,
            taken.frequency,
            taken.real,
            taken.sequence,
            taken.harmonic,
            fundamental,
            general,
            ieee,
            starting_current,
            values,
            registered,
        )
    return values, registered
