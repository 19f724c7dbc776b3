"""Where the basic windows of the class A analyser lie: which end with which cycle, and what a tick cuts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.metrology.aggregation import TEN_MINUTES_NS

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """Cycles that are measured together, counted from the first one fed."""

    first: int
    after: int
    overlapping: bool = False
    """Whether a tick cut them, so that the next series began before their end."""


@dataclass(frozen=True, slots=True)
class Series:
    """Where the series of windows stands."""

    window: int = 0
    """First cycle of the window that goes on."""
    cut: int | None = None
    """First cycle of a window that a tick has cut and that goes on all the same."""
    tick_ns: int | None = None
    """The next ten-minute tick, UTC; None before the first cycle [ns]."""


@dataclass(slots=True)
class Plan:
    """What ends with the cycles of one call."""

    windows: list[Span] = field(default_factory=list)
    counts: list[Span] = field(default_factory=list)
    """Stretches that energy counts, without overlap."""
    ticks: list[int] = field(default_factory=list)
    """Cycles that begin a ten-minute interval."""
    series: Series = field(default_factory=Series)
    """Where the series stands after the last cycle."""


def plan_cycles(edges: Int, kept_from: int, done: int, series: Series, *, cycles: int) -> Plan:
    """Return what ends with the cycles after cycle ``done``.

    Parameters
    ----------
    edges : ndarray of int64
        Starts of the cycles from ``kept_from`` on, and the end of the last one, UTC [ns].
    kept_from, done : int
        Cycles, counted from the first one fed.
    series : Series
        Where it stands after cycle ``done``.
    cycles : int
        Of a basic window.

    References
    ----------
    IEC 61000-4-30:2015, 4.5.2.
    """
    plan = Plan()
    window, cut = series.window, series.cut
    tick_ns = series.tick_ns or _next_tick(int(edges[0]))
    for cycle, edge in enumerate(edges[done + 1 - kept_from :].tolist(), start=done + 1):
        if cut is not None and cycle - cut == cycles:
            plan.windows.append(Span(cut, cycle, overlapping=True))
            cut = None
        if cycle - window == cycles:
            span = Span(window, cycle)
            plan.windows.append(span)
            plan.counts.append(span)
            window = cycle
        if edge >= tick_ns:
            plan.ticks.append(cycle)
            tick_ns = _next_tick(edge)
            if cycle > window:
                plan.counts.append(Span(window, cycle))
                cut, window = window, cycle
    plan.series = Series(window, cut, tick_ns)
    return plan


def _next_tick(ns: int) -> int:
    return (ns // TEN_MINUTES_NS + 1) * TEN_MINUTES_NS
