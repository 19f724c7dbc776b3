"""Inverse-time characteristics of IEC 60255-151 and IEEE C37.112, definite time, curves of points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.grid.protection.validation import check_not_negative, refuse


class TimeCurve(Protocol):
    """Anything that gives a time for a multiple of pickup, and a time in which a disk runs back."""

    @property
    def name(self) -> str:
        """What the curve is called."""

    def trip_seconds(self, multiple: float) -> float:
        """Return the operating time at time dial 1 [s]; infinite where it does not operate."""

    def reset_seconds(self, multiple: float) -> float | None:
        """Return the full reset time at time dial 1 [s]; None if the curve has no reset characteristic."""


@dataclass(frozen=True, slots=True)
class InverseCurve:
    """An operating time that falls with current, and perhaps a reset time that grows with it.

    ``t(M) = TD (k / (M^alpha - 1) + c)`` for M > 1 and ``tr(M) = TD reset / (1 - M^2)`` for M < 1, with M the
    current over the pickup current and TD the time multiplier setting (IEC) or time dial (IEEE).

    References
    ----------
    IEC 60255-151:2009, 4.4.1 and 4.4.2, constants in Annex A; IEEE C37.112-2018, clause 4 (k = A, c = B,
    alpha = p, reset = tr).
    """

    name: str
    k: float
    """[s]."""
    alpha: float
    c: float = 0.0
    """[s]."""
    reset: float | None = None
    """Full reset time at zero current and time dial 1 [s]; None where the standard leaves it to the maker."""

    def __post_init__(self) -> None:
        """Refuse constants that make no falling curve."""
        check_not_negative(f"curve {self.name}", k=self.k, c=self.c)
        if self.k == 0.0 and self.c == 0.0:
            raise refuse(f"curve {self.name}", "k", self.k, "one of k and c must be above zero")
        if not 0.0 < self.alpha < math.inf:
            raise refuse(f"curve {self.name}", "alpha", self.alpha, "give an exponent above zero")
        if self.reset is not None:
            check_not_negative(f"curve {self.name}", reset=self.reset)

    def trip_seconds(self, multiple: float) -> float:
        """Return the operating time at ``multiple`` of pickup and time dial 1 [s]."""
        if not multiple > 1.0:
            return math.inf
        # expm1 keeps the digits that M^0.02 - 1 would lose near M = 1.
        return self.k / math.expm1(self.alpha * math.log(multiple)) + self.c

    def reset_seconds(self, multiple: float) -> float | None:
        """Return the full reset time at ``multiple`` of pickup and time dial 1 [s]."""
        if self.reset is None:
            return None
        return self.reset / (1.0 - multiple * multiple) if multiple < 1.0 else math.inf


IEC_A = InverseCurve("IEC A, standard inverse", k=0.14, alpha=0.02)
IEC_B = InverseCurve("IEC B, very inverse", k=13.5, alpha=1.0)
IEC_C = InverseCurve("IEC C, extremely inverse", k=80.0, alpha=2.0)
IEC_LONG_TIME = InverseCurve("long-time inverse", k=120.0, alpha=1.0)
IEC_D = InverseCurve("IEEE moderately inverse", k=0.0515, alpha=0.02, c=0.1140, reset=4.85)
IEC_E = InverseCurve("IEEE very inverse", k=19.61, alpha=2.0, c=0.491, reset=21.6)
IEC_F = InverseCurve("IEEE extremely inverse", k=28.2, alpha=2.0, c=0.1217, reset=29.1)

IEEE_MODERATELY_INVERSE = IEC_D
IEEE_VERY_INVERSE = IEC_E
IEEE_EXTREMELY_INVERSE = IEC_F

CURVES: dict[str, InverseCurve] = {
    "iec_a": IEC_A,
    "iec_b": IEC_B,
    "iec_c": IEC_C,
    "iec_d": IEC_D,
    "iec_e": IEC_E,
    "iec_f": IEC_F,
    "iec_long_time": IEC_LONG_TIME,
    "ieee_extremely_inverse": IEC_F,
    "ieee_moderately_inverse": IEC_D,
    "ieee_very_inverse": IEC_E,
}
"""Standard characteristics by name. D, E, F of IEC 60255-151 are those of IEEE C37.112."""


def definite_time(seconds: float) -> InverseCurve:
    """Return the curve that takes ``seconds`` [s] at every current above pickup, at time dial 1.

    References
    ----------
    IEC 60255-151:2009, 4.4.1 (independent time characteristic).
    """
    return InverseCurve(f"definite time {seconds:g} s", k=0.0, alpha=1.0, c=seconds)


@dataclass(frozen=True, slots=True)
class PointCurve:
    """Points of current against time, joined by straight lines on log-log paper.

    Below the first current nothing ever happens. Above the last one ``I^2 t`` stays what it is there, or the
    time, for a curve that is ``flat_end``.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    """(current [A] or multiple of pickup, time [s]); currents rise, times fall."""
    flat_end: bool = False
    """Whether the last time is the shortest that there is."""

    def __post_init__(self) -> None:
        """Refuse points that make no falling curve."""
        if len(self.points) < 2:
            raise refuse(f"curve {self.name}", "points", self.points, "give two points or more")
        for point in self.points:
            if len(point) != 2 or not all(0.0 < x < math.inf for x in point):
                raise refuse(
                    f"curve {self.name}", "points", point, "give pairs of current and time above zero"
                )
        for before, after in pairwise(self.points):
            if not (before[0] < after[0] and before[1] > after[1]):
                raise refuse(f"curve {self.name}", "points", after, "let currents rise and times fall")

    def trip_seconds(self, multiple: float) -> float:
        """Return the time at a current in the unit of the points [s]."""
        points = self.points
        if not multiple >= points[0][0]:
            return math.inf
        last_current, last_time = points[-1]
        if multiple >= last_current:
            return last_time if self.flat_end else last_time * (last_current / multiple) ** 2
        right = next(n for n, point in enumerate(points) if point[0] > multiple)
        return _on_line(points[right - 1], points[right], multiple)

    def reset_seconds(self, multiple: float) -> float | None:
        """Return None: points say nothing of a reset."""
        return None

    def current_at(self, seconds: float) -> float:
        """Return the current that takes ``seconds`` [s], between the first and the last point's times.

        Raises
        ------
        GridError
            When the curve does not reach that time.
        """
        swapped = tuple((time, current) for current, time in reversed(self.points))
        if not swapped[0][0] <= seconds <= swapped[-1][0]:
            span = f"{swapped[0][0]:g} s to {swapped[-1][0]:g} s"
            raise refuse(f"curve {self.name}", "time", seconds, f"the points reach from {span}")
        right = next((n for n, point in enumerate(swapped) if point[0] > seconds), len(swapped) - 1)
        return _on_line(swapped[right - 1], swapped[right], seconds)


def _on_line(left: Sequence[float], right: Sequence[float], x: float) -> float:
    """Return y at ``x`` on the log-log line through two points."""
    if x == left[0]:
        return left[1]
    if x == right[0]:
        return right[1]
    slope = math.log(right[1] / left[1]) / math.log(right[0] / left[0])
    return left[1] * math.exp(slope * math.log(x / left[0]))


def trip_time(
    curve: TimeCurve, multiple: ArrayLike, time_dial: float = 1.0, *, multiple_limit: float = math.inf
) -> NDArray[np.float64]:
    """Return the operating time of a curve.

    Parameters
    ----------
    curve : TimeCurve
        The characteristic.
    multiple : array_like
        Current over pickup current, any shape; NaN gives infinity.
    time_dial : float
        Time multiplier setting or time dial.
    multiple_limit : float
        End of the dependent part: from there on the time stays (IEC 60255-151, 4.4.1: usually 20).

    Returns
    -------
    ndarray
        Of the shape of ``multiple`` [s]; infinite where the current does not exceed the pickup.
    """
    flat = [
        time_dial * curve.trip_seconds(min(m, multiple_limit))
        for m in np.ravel(np.asarray(multiple, float)).tolist()
    ]
    return np.array(flat, dtype=np.float64).reshape(np.shape(multiple))


def reset_time(curve: TimeCurve, multiple: ArrayLike, time_dial: float = 1.0) -> NDArray[np.float64]:
    """Return the time in which a fully travelled disk runs back at a constant current below pickup.

    Parameters
    ----------
    curve : TimeCurve
        A characteristic with a reset constant.
    multiple : array_like
        Current over pickup current, any shape.
    time_dial : float
        Time multiplier setting or time dial.

    Returns
    -------
    ndarray
        Of the shape of ``multiple`` [s]; infinite at and above pickup.

    Raises
    ------
    GridError
        When the curve has no reset characteristic.

    References
    ----------
    IEEE C37.112-2018, clause 4: ``TD tr / (1 - M^2)``.
    """
    flat = []
    for m in np.ravel(np.asarray(multiple, float)).tolist():
        seconds = curve.reset_seconds(m)
        if seconds is None:
            raise refuse(f"curve {curve.name}", "reset", None, "state the maker's reset time")
        flat.append(time_dial * seconds)
    return np.array(flat, dtype=np.float64).reshape(np.shape(multiple))
