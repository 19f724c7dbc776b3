"""Limits of error of static energy meters by accuracy class, as the tables of IEC 62053 print them.

A table lists a few power factors. Between two of them the row of the next lower one holds here, so that a
limit exists for every power factor down to the lowest of the table. Where a table has no row (light loads,
low power factors) there is no limit: `None`. The upper end of every last row is the meter's maximum current,
which the caller knows.

References
----------
IEC 62053-22, limits of error due to variation of the current (classes 0,2 S and 0,5 S); IEC 62053-24
(reactive, 0,5 S and 1 S); IEC 62053-23 (reactive, 2 and 3).
"""

from typing import Final, Literal

ActiveClass = Literal["0.2S", "0.5S"]
ReactiveClass = Literal["0.5S", "1S", "2", "3"]
Rows = tuple[tuple[float, float], ...]

_UNITY: Final[dict[ActiveClass, Rows]] = {
    "0.2S": ((0.05, 0.2), (0.01, 0.4)),
    "0.5S": ((0.05, 0.5), (0.01, 1.0)),
}
"""Power factor 1: smallest load as a multiple of In and limit [%], from heavy to light."""
_USUAL: Final[dict[ActiveClass, Rows]] = {
    "0.2S": ((0.1, 0.3), (0.02, 0.5)),
    "0.5S": ((0.1, 0.6), (0.02, 1.0)),
}
"""Power factor 0.5 inductive and 0.8 capacitive."""
_ON_REQUEST: Final[dict[ActiveClass, Rows]] = {"0.2S": ((0.1, 0.5),), "0.5S": ((0.1, 1.0),)}
"""Power factor 0.25 inductive and 0.5 capacitive, by special request."""
_SINGLE_UNITY: Final[dict[ActiveClass, Rows]] = {"0.2S": ((0.05, 0.3),), "0.5S": ((0.05, 0.6),)}
"""Polyphase meter, one phase loaded, power factor 1."""
_SINGLE_INDUCTIVE: Final[dict[ActiveClass, Rows]] = {"0.2S": ((0.1, 0.4),), "0.5S": ((0.1, 1.0),)}
"""Polyphase meter, one phase loaded, power factor 0.5 inductive."""

_REACTIVE_FULL: Final[dict[ReactiveClass, Rows]] = {
    "0.5S": ((0.05, 0.5), (0.01, 1.0)),
    "1S": ((0.05, 1.0), (0.02, 1.5)),
    "2": ((0.05, 2.0), (0.02, 2.5)),
    "3": ((0.05, 3.0), (0.02, 4.0)),
}
"""sin phi 1."""
_REACTIVE_HALF: Final[dict[ReactiveClass, Rows]] = {
    "0.5S": ((0.1, 0.5), (0.02, 1.0)),
    "1S": ((0.1, 1.0), (0.02, 1.5)),
    "2": ((0.1, 2.0), (0.05, 2.5)),
    "3": ((0.1, 3.0), (0.05, 4.0)),
}
"""sin phi 0.5."""
_REACTIVE_QUARTER: Final[dict[ReactiveClass, Rows]] = {
    "0.5S": ((0.1, 1.0),),
    "1S": ((0.1, 2.0),),
    "2": ((0.1, 2.5),),
    "3": ((0.1, 4.0),),
}
"""sin phi 0.25."""

STARTING_CURRENT: Final[dict[ActiveClass, float]] = {"0.2S": 0.001, "0.5S": 0.001}
"""Load at which a meter must register, power factor 1, a multiple of In (IEC 62053-22, starting current)."""
REACTIVE_STARTING_CURRENT: Final[dict[ReactiveClass, float]] = {
    "0.5S": 0.001,
    "1S": 0.002,
    "2": 0.003,
    "3": 0.005,
}
"""The same of reactive energy at sin phi 1, connected through transformers (IEC 62053-23, -24)."""
NO_LOAD_VOLTAGE: Final = 1.15
"""Voltage of the no-load test, a multiple of Un (IEC 62053-22 and -23, test of no-load condition)."""
_NO_LOAD_MINUTES: Final[dict[ActiveClass, float]] = {"0.2S": 900e6, "0.5S": 600e6}


def active_limit(
    accuracy_class: ActiveClass,
    load: float,
    power_factor: float,
    *,
    capacitive: bool = False,
    single_phase: bool = False,
) -> float | None:
    """Return the limit of error of active energy.

    Parameters
    ----------
    accuracy_class : {"0.2S", "0.5S"}
    load : float
        Current as a multiple of the rated current In.
    power_factor : float
        Magnitude of the displacement power factor, 0..1.
    capacitive : bool
        The current leads the voltage.
    single_phase : bool
        One phase of a polyphase meter carries current, the voltages are balanced.

    Returns
    -------
    float or None
        [%], either sign; None where the standard sets no limit.

    Raises
    ------
    KeyError
        If the class is none of the standard's.

    References
    ----------
    IEC 62053-22, percentage error limits (single-phase or balanced load; single-phase load on a polyphase
    meter). 0.25 inductive and 0.5 capacitive are rows by special request.
    """
    if single_phase:
        if power_factor >= 1.0:
            return _row(_SINGLE_UNITY[accuracy_class], load)
        held = power_factor >= 0.5 and not capacitive
        return _row(_SINGLE_INDUCTIVE[accuracy_class], load) if held else None
    if power_factor >= 1.0:
        return _row(_UNITY[accuracy_class], load)
    if power_factor >= (0.8 if capacitive else 0.5):
        return _row(_USUAL[accuracy_class], load)
    if power_factor >= (0.5 if capacitive else 0.25):
        return _row(_ON_REQUEST[accuracy_class], load)
    return None


def reactive_limit(accuracy_class: ReactiveClass, load: float, sin_phi: float) -> float | None:
    """Return the limit of error of reactive energy, inductive or capacitive.

    Parameters
    ----------
    accuracy_class : {"0.5S", "1S", "2", "3"}
        The first two of IEC 62053-24, the others of IEC 62053-23, through transformers.
    load : float
        Current as a multiple of the rated current In.
    sin_phi : float
        Magnitude of sin phi, 0..1.

    Returns
    -------
    float or None
        [%], either sign; None where the standard sets no limit.

    Raises
    ------
    KeyError
        If the class is none of the standards'.
    """
    if sin_phi >= 1.0:
        return _row(_REACTIVE_FULL[accuracy_class], load)
    if sin_phi >= 0.5:
        return _row(_REACTIVE_HALF[accuracy_class], load)
    return _row(_REACTIVE_QUARTER[accuracy_class], load) if sin_phi >= 0.25 else None


def no_load_minutes(
    accuracy_class: ActiveClass,
    *,
    pulses_per_kwh: float,
    elements: int,
    rated_voltage: float,
    maximum_current: float,
) -> float:
    """Return how long the test of no-load condition lasts: at most one pulse may come [min].

    Parameters
    ----------
    accuracy_class : {"0.2S", "0.5S"}
    pulses_per_kwh : float
        Meter constant k [imp/kWh].
    elements : int
        Measuring elements m.
    rated_voltage : float
        Un [V].
    maximum_current : float
        Imax [A].

    References
    ----------
    IEC 62053-22, test of no-load condition: dt >= C 10^6 / (k m Un Imax), C = 900 (0,2 S) or 600 (0,5 S).
    """
    return _NO_LOAD_MINUTES[accuracy_class] / (pulses_per_kwh * elements * rated_voltage * maximum_current)


def _row(rows: Rows, load: float) -> float | None:
    return next((limit for smallest, limit in rows if load >= smallest), None)
