"""What the source applied, in closed form: the truth that a reading is compared with."""

import cmath
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.calibrator.bench import HYSTERESIS, THRESHOLDS, Taken
from twin.calibrator.point_list import CalibrationPoint
from twin.calibrator.stimulus import Stimulus
from twin.contracts import NS_PER_SECOND, Instant
from twin.metrology import (
    EventKind,
    VoltageEvent,
    detect_events,
    half_cycle_number,
    half_cycle_rms,
    symmetrical_components,
)
from twin.signals import window_gram

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_NEGLIGIBLE: Final = 1e-9
"""A positive sequence below this share of the declared voltage is rounding."""


def applied_value(point: CalibrationPoint, stimulus: Stimulus, taken: Taken, phase: int | None) -> float:
    """Return what a meter without error reads at a point.

    Parameters
    ----------
    point : CalibrationPoint
    stimulus : Stimulus
        What was applied.
    taken : Taken
        For the time over which the meter measured.
    phase : int or None
        0..2, of a quantity that each phase has.

    Returns
    -------
    float
        SI; % for ratios; flicker as the list states it. Energies without sign. NaN where there is nothing,
        such as an event that the voltage does not make.
    """
    if point.applied is not None:
        return point.applied
    name = point.quantity.name
    if point.order is not None:
        return _component(name, stimulus, taken, phase or 0, point.order)
    if name in _BY_PHASE:
        return _BY_PHASE[name](stimulus, taken, phase or 0)
    return _TOTAL[name](stimulus, taken)


def _rms(stimulus: Stimulus, taken: Taken, channel: int) -> float:
    """Return the RMS value over the very window of the meter."""
    end_ns = taken.end.ns + 1
    gram = _gram(
        stimulus, taken.start, min(taken.end, Instant(stimulus.end_ns)), min(end_ns, stimulus.end_ns)
    )
    return math.sqrt(max(0.0, float(gram[channel, channel])))


@lru_cache(maxsize=8)
def _gram(stimulus: Stimulus, start: Instant, end: Instant, until_ns: int) -> Float:
    gram: Float = window_gram(stimulus.signal(start.ns, until_ns), start, end)[0]
    return gram


def _component(name: str, stimulus: Stimulus, taken: Taken, phase: int, order: int) -> float:
    """Return a harmonic, or what lies between an order and the next, as set at the source."""
    conditions = stimulus.conditions
    if name.startswith("u"):
        fundamental = stimulus.fundamental_voltage(taken.start.ns, phase)
        parts = (*conditions.u_harmonics, *conditions.u_interharmonics)
    else:
        fundamental = abs(complex(stimulus.fundamental()[phase + 3]))
        parts = (*conditions.i_harmonics, *conditions.i_interharmonics)
    if name.endswith("_harmonic"):
        turns = [
            part.percent * cmath.exp(1j * math.radians(part.angle_deg))
            for part in parts
            if part.order == order
        ]
        return fundamental * (1.0 if order == 1 else abs(sum(turns)) / 100.0)
    between = [part.percent for part in parts if order < part.order < order + 1]
    return fundamental * math.sqrt(sum(percent**2 for percent in between)) / 100.0


def _unbalance(stimulus: Stimulus, which: int) -> float:
    """Return negative (1) or zero (2) over positive sequence, NaN without the latter [%]."""
    components = symmetrical_components(stimulus.fundamental()[:3])
    positive = abs(complex(components[0]))
    if positive < _NEGLIGIBLE * stimulus.rating.voltage:
        return math.nan
    return 100.0 * abs(complex(components[which])) / positive


def _deviation(stimulus: Stimulus, taken: Taken, phase: int, sign: float) -> float:
    """Return under- (-1) or overdeviation (+1) of a voltage that is steady [%]."""
    declared = stimulus.rating.voltage
    return max(0.0, sign * (_rms(stimulus, taken, phase) - declared) / declared * 100.0)


def _energy(power: float, taken: Taken) -> float:
    seconds = (taken.end.ns - taken.start.ns + taken.end.fraction - taken.start.fraction) * 1e-9
    return abs(power) * seconds / 3600.0


@lru_cache(maxsize=8)
def _half_cycles(stimulus: Stimulus) -> tuple[Int, Float]:
    """Return URMS(1/2) of the voltages from before the step until after it: ends [ns], (3, n) [V]."""
    begin, end = (stimulus.start_ns + round(at * NS_PER_SECOND) for at in stimulus.step_s or (1.0, 1.0))
    until = min(end + NS_PER_SECOND // 4, stimulus.end_ns)
    signal = stimulus.signal(stimulus.start_ns, until)
    first = half_cycle_number(signal, begin - NS_PER_SECOND // 4)
    count = half_cycle_number(signal, signal.end_ns) - first + 1
    return half_cycle_rms(signal, first, count, channels=slice(0, 3))


def _event(stimulus: Stimulus, kind: EventKind) -> VoltageEvent | None:
    """Return the event that the exact URMS(1/2) make, by the thresholds that benches set."""
    ends, rms = _half_cycles(stimulus)
    declared = stimulus.rating.voltage
    threshold, hysteresis = THRESHOLDS[kind] * declared, HYSTERESIS * declared
    events = detect_events(ends, rms, kind, threshold=threshold, hysteresis=hysteresis)
    return next((event for event in events if event.end_ns is not None), None)


def _extreme(stimulus: Stimulus, kind: EventKind) -> float:
    event = _event(stimulus, kind)
    return math.nan if event is None else event.extreme


def _duration(stimulus: Stimulus, kind: EventKind) -> float:
    event = _event(stimulus, kind)
    return math.nan if event is None or event.end_ns is None else (event.end_ns - event.start_ns) * 1e-9


def _steady_change(stimulus: Stimulus) -> float:
    _, rms = _half_cycles(stimulus)
    return float(np.abs(rms[:, -1] - rms[:, 0]).max())


def _largest_change(stimulus: Stimulus) -> float:
    _, rms = _half_cycles(stimulus)
    return float(np.abs(rms - rms[:, :1]).max())


_BY_PHASE: Final[dict[str, Callable[[Stimulus, Taken, int], float]]] = {
    "u_rms": _rms,
    "u_rms_150_180": _rms,
    "u_rms_10min": _rms,
    "i_rms": lambda stimulus, taken, phase: _rms(stimulus, taken, phase + 3),
    "underdeviation": lambda stimulus, taken, phase: _deviation(stimulus, taken, phase, -1.0),
    "overdeviation": lambda stimulus, taken, phase: _deviation(stimulus, taken, phase, 1.0),
}
_TOTAL: Final[dict[str, Callable[[Stimulus, Taken], float]]] = {
    "active_energy": lambda stimulus, taken: _energy(stimulus.powers()[0], taken),
    "reactive_energy": lambda stimulus, taken: _energy(stimulus.powers()[1], taken),
    "active_power": lambda stimulus, taken: stimulus.powers()[0],
    "reactive_power": lambda stimulus, taken: stimulus.powers()[1],
    "no_load_pulses": lambda stimulus, taken: 0.0,
    "frequency": lambda stimulus, taken: stimulus.frequency,
    "u2": lambda stimulus, taken: _unbalance(stimulus, 1),
    "u0": lambda stimulus, taken: _unbalance(stimulus, 2),
    "dip_residual": lambda stimulus, taken: _extreme(stimulus, EventKind.DIP),
    "dip_duration": lambda stimulus, taken: _duration(stimulus, EventKind.DIP),
    "swell_maximum": lambda stimulus, taken: _extreme(stimulus, EventKind.SWELL),
    "swell_duration": lambda stimulus, taken: _duration(stimulus, EventKind.SWELL),
    "interruption_residual": lambda stimulus, taken: _extreme(stimulus, EventKind.INTERRUPTION),
    "interruption_duration": lambda stimulus, taken: _duration(stimulus, EventKind.INTERRUPTION),
    "rvc_steady_change": lambda stimulus, taken: _steady_change(stimulus),
    "rvc_largest_change": lambda stimulus, taken: _largest_change(stimulus),
}
