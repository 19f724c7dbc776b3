"""A meter against a point list: what was applied, what was read, whether it passes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from twin.calibrator.applied import applied_value
from twin.calibrator.bench import Bench, CalibrationError, Taken, stimulus_times
from twin.calibrator.conditions import Conditions
from twin.calibrator.point_list import CalibrationPoint
from twin.calibrator.quantities import Basis, Course
from twin.calibrator.stimulus import Stimulus
from twin.meters.accuracy_limits import no_load_minutes

BenchFactory = Callable[[int], Bench]
"""Puts the meter on a bench of a nominal frequency."""

_PHASES: Final = "abc"
_ROUNDING: Final = 1e-9
"""By how much an error may exceed its limit for the rounding of floats, as a share."""


@dataclass(frozen=True, slots=True)
class PointResult:
    """One point of a calibration."""

    point: str
    name: str
    """Of the quantity."""
    quantity: str
    """With order and phase where it has them: ``u_harmonic_5_b``."""
    unit: str
    applied: float | None
    """SI; % for ratios."""
    read: float | None
    """None where the meter showed nothing."""
    error_percent: float | None
    """By the point's basis; None where nothing was read, or nothing was applied that it could be of."""
    limit_percent: float
    passed: bool

    @property
    def share(self) -> float | None:
        """Error over limit, without sign."""
        return None if self.error_percent is None else abs(self.error_percent) / self.limit_percent


def calibrate(
    bench_at: BenchFactory,
    points: Sequence[CalibrationPoint],
    *,
    frequency: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[PointResult]:
    """Run a point list on a meter.

    Parameters
    ----------
    bench_at : callable
        Puts the meter on a bench of 50 or 60 Hz.
    points : sequence of CalibrationPoint
        In the order of the results.
    frequency : int, optional
        Nominal frequency; points that are for the other one are left out. Without it every point runs at
        its own, and at 50 Hz where it has none [Hz].
    progress : callable, optional
        Called with the number of points done and of all.

    Returns
    -------
    list of PointResult
        One for each point whose quantity the meter has.

    Raises
    ------
    CalibrationError
        The meter has none of the quantities, no point is for the frequency, or a point's modulation leaves
        no time for a steady value.
    """
    benches: dict[int, Bench] = {}
    groups: dict[tuple[Conditions, Course, int], list[int]] = {}
    wanted = 0
    for at, point in enumerate(points):
        own = point.conditions.nominal_frequency
        if frequency is not None and own not in {None, frequency}:
            continue
        nominal = own or frequency or 50
        if nominal not in benches:
            benches[nominal] = bench_at(nominal)
        wanted += 1
        if benches[nominal].has(point.quantity, point.order):
            groups.setdefault((point.conditions, point.quantity.course, nominal), []).append(at)
    if not groups:
        raise CalibrationError(_nothing(points, wanted, frequency))
    total = sum(len(group) for group in groups.values())
    results: dict[int, PointResult] = {}
    for (conditions, course, nominal), group in groups.items():
        try:
            stimulus, taken = _run(benches[nominal], conditions, course)
        except CalibrationError as error:
            raise CalibrationError(f"{points[group[0]].point}: {error}") from None
        results |= {at: judge(points[at], stimulus, taken) for at in group}
        if progress is not None:
            progress(len(results), total)
    return [results[at] for at in sorted(results)]


def _nothing(points: Sequence[CalibrationPoint], wanted: int, frequency: int | None) -> str:
    if not wanted:
        return f"no point of the list is for {frequency} Hz; leave --frequency out or take another list"
    names = sorted({point.quantity.name for point in points})
    return f"the meter has no {', '.join(names)}; choose a set of what it measures"


def _run(bench: Bench, conditions: Conditions, course: Course) -> tuple[Stimulus, Taken]:
    """Apply one set of conditions and let the meter show what it reads."""
    rating = bench.rating
    step = conditions.step
    event_s = (step.cycles or 0.0) / (rating.frequency + conditions.frequency) if step else 0.0
    before_s, after_s = stimulus_times(course, no_load_s=_no_load_s(bench), event_s=event_s)
    stimulus = Stimulus(conditions, rating, before_s=before_s, after_s=after_s)
    return stimulus, bench.run(stimulus, course)


def _no_load_s(bench: Bench) -> float:
    minutes = no_load_minutes(
        bench.active_class,
        pulses_per_kwh=bench.pulses_per_kwh,
        elements=3,
        rated_voltage=bench.rating.voltage,
        maximum_current=bench.rating.maximum_current,
    )
    return 60.0 * minutes


def judge(point: CalibrationPoint, stimulus: Stimulus, taken: Taken) -> PointResult:
    """Return the result of a point; of a quantity by phase the phase with the largest error.

    Parameters
    ----------
    point : CalibrationPoint
    stimulus : Stimulus
        What was applied.
    taken : Taken
        What the meter showed.
    """
    if not point.quantity.by_phase:
        return _result(point, stimulus, taken, None)
    phases = range(3) if point.phase is None else [_PHASES.index(point.phase)]
    results = [_result(point, stimulus, taken, phase) for phase in phases]
    return max(results, key=lambda result: math.inf if result.share is None else result.share)


def _result(point: CalibrationPoint, stimulus: Stimulus, taken: Taken, phase: int | None) -> PointResult:
    quantity = point.quantity
    applied = _known(applied_value(point, stimulus, taken, phase))
    read = _known(taken.read(quantity, phase, point.order))
    rating = stimulus.rating
    error = None
    if read is not None and applied is not None:
        nominal = rating.current if quantity.current else rating.voltage
        error = error_percent(read, applied, of=point.of, nominal=nominal, frequency=rating.frequency)
    limit = limit_percent(point.limit, of=point.of, frequency=rating.frequency)
    label = quantity.name
    if point.order is not None:
        label += f"_{point.order}"
    if phase is not None:
        label += f"_{_PHASES[phase]}"
    passed = error is not None and abs(error) <= limit * (1.0 + _ROUNDING)
    return PointResult(
        point.point,
        quantity.name,
        label,
        quantity.unit,
        applied,
        read,
        error,
        limit,
        passed,
    )


def _known(value: float | None) -> float | None:
    """Return a value, None for one that does not exist."""
    return None if value is None or math.isnan(value) else value


def error_percent(
    read: float, applied: float, *, of: Basis, nominal: float, frequency: float
) -> float | None:
    """Return an error by its basis.

    Parameters
    ----------
    read, applied : float
        SI; % for ratios.
    of : Basis
        What the error is a percentage of.
    nominal : float
        Declared voltage or rated current [V or A].
    frequency : float
        Nominal [Hz].

    Returns
    -------
    float or None
        [%]; None for an error of the reading where nothing was applied and something was read.
    """
    difference = read - applied
    if of is Basis.POINT:
        return difference
    if of is Basis.READING:
        if applied == 0.0:
            return 0.0 if read == 0.0 else None
        return 100.0 * difference / applied
    scale = {
        Basis.NOMINAL: 1.0 / nominal,
        Basis.HERTZ: 1.0 / frequency,
        Basis.CYCLE: frequency,
        Basis.PULSE: 1.0,
    }[of]
    return 100.0 * difference * scale


def limit_percent(limit: float, *, of: Basis, frequency: float) -> float:
    """Return a limit in the percentage in which its error is stated; see `error_percent`."""
    if of is Basis.HERTZ:
        return 100.0 * limit / frequency
    return 100.0 * limit if of in {Basis.CYCLE, Basis.PULSE} else limit
