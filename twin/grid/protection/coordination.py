"""Coordination: whether one device finishes before the next one starts to suffer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from twin.grid.protection.fuses import FuseSettings
from twin.grid.protection.timers import TimeSettings
from twin.grid.protection.validation import check_positive, check_share, refuse


@dataclass(frozen=True, slots=True)
class Coordination:
    """The worst case of a comparison over a range of currents."""

    coordinates: bool
    """Whether the ratio stays within the limit everywhere."""
    ratio: float
    """Largest time of the protecting device over the time that the protected one bears."""
    current: float
    """Where the ratio is largest [A]."""


def clears_before_melt(
    protecting: FuseSettings,
    protected: FuseSettings,
    *,
    lowest: float,
    highest: float,
    limit: float = 0.75,
) -> Coordination:
    """Compare a fuse's total clearing time with the minimum melting time of the fuse behind it.

    Parameters
    ----------
    protecting : FuseSettings
        The fuse next to the fault.
    protected : FuseSettings
        The fuse towards the source, which must not be harmed.
    lowest, highest : float
        Fault currents that both may carry [A].
    limit : float
        Largest share of the melting time: 0.75 leaves room for preloading, heat of the air, earlier faults.

    Returns
    -------
    Coordination
        The worst current; a current that the protecting fuse does not clear but the other one melts at fails.

    Raises
    ------
    GridError
        When the range of currents or the limit is none.

    References
    ----------
    IEEE C37.48.1-2020 (application of fuses: the 75 % rule of expulsion fuses).
    """
    corners = _corners(protecting) + _corners(protected)
    return _worst(
        protecting.name,
        protecting.clearing_time,
        protected.minimum_melting.trip_seconds,
        corners,
        lowest=lowest,
        highest=highest,
        limit=limit,
    )


def trips_before_melt(
    name: str,
    protecting: TimeSettings,
    protected: FuseSettings,
    *,
    lowest: float,
    highest: float,
    limit: float = 0.75,
) -> Coordination:
    """Compare the operating time of a recloser's or relay's element with the minimum melting time of a fuse.

    Parameters
    ----------
    name : str
        Of the protecting device, for errors.
    protecting : InverseTime or DefiniteTime
        The (fast) element, towards the source.
    protected : FuseSettings
        The fuse that a temporary fault shall not blow.
    lowest, highest : float
        Fault currents behind the fuse [A].
    limit : float
        Largest share of the melting time; less for several fast shots, whose heating adds up.

    Returns
    -------
    Coordination
        The worst current.

    Raises
    ------
    GridError
        When the range of currents or the limit is none.
    """
    return _worst(
        name,
        protecting.operating_time,
        protected.minimum_melting.trip_seconds,
        (*_corners(protected), protecting.pickup),
        lowest=lowest,
        highest=highest,
        limit=limit,
    )


def _corners(fuse: FuseSettings) -> tuple[float, ...]:
    curves = (fuse.minimum_melting, fuse.maximum_melting, fuse.total_clearing)
    return tuple(current for curve in curves if curve is not None for current, _ in curve.points)


def _worst(
    name: str,
    protecting: Callable[[float], float],
    protected: Callable[[float], float],
    corners: tuple[float, ...],
    *,
    lowest: float,
    highest: float,
    limit: float,
) -> Coordination:
    """Return the largest ratio on a fine logarithmic grid of currents and at the curves' corners."""
    check_positive(name, lowest=lowest, highest=highest)
    check_share(name, limit=limit)
    if highest < lowest:
        raise refuse(name, "highest", highest, "give no less than lowest")
    steps = 400
    span = math.log(highest / lowest)
    currents = {lowest, highest, *(c for c in corners if lowest <= c <= highest)}
    currents |= {lowest * math.exp(span * n / steps) for n in range(1, steps)}
    worst, where = 0.0, lowest
    for current in sorted(currents):
        bears = protected(current)
        if bears == math.inf:
            continue
        ratio = protecting(current) / bears
        if ratio > worst:
            worst, where = ratio, current
    return Coordination(worst <= limit, worst, where)
