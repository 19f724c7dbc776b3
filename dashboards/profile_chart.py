"""The load-profile chart: one panel per unit, steps over each interval, peaks marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards import clock, figures, series
from dashboards.channels import Series
from dashboards.quantity import engineering
from twin.contracts import NS_PER_SECOND
from twin.recording import LoadProfile

_NAMES = {
    "W": "active power", "var": "reactive power", "VA": "apparent power", "V": "voltage", "A": "current",
    "Hz": "frequency", "Wh": "energy", "varh": "energy", "VAh": "energy", "%": "", "": "ratio",
}  # fmt: skip
PANELS = 4
"""So many different units are drawn at once."""
_HALF_DAY_S = 43_200.0
_TOLERANCE_NS = NS_PER_SECOND
Float = NDArray[np.float64]
Int = NDArray[np.int64]
_ALL_POINTS, _FEWEST = 12_000, 200
PEAK_DAYS = 14
"""Demand peaks are marked in ranges up to so many days."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of the chart."""

    meter: str
    series: Series
    profile: LoadProfile


def profile_figure(
    lines: list[Line], *, time_zone: str, revision: str, zoom: list[str] | None = None
) -> dict[str, Any]:
    """Return the chart.

    Parameters
    ----------
    lines : list of Line
        At least one, each with at least one interval.
    time_zone : str
        IANA name of the time axis.
    revision : str
        Changes when the user's zoom is to be dropped.
    zoom : list of str
        Local wall times between which to look; all by default.
    """
    units = list(dict.fromkeys(line.series.unit for line in lines))[:PANELS]
    limit = max(_FEWEST, min(figures.POINTS, _ALL_POINTS // len(lines)))
    data = []
    for at, line in enumerate(line for line in lines if line.series.unit in units):
        panel = units.index(line.series.unit)
        axis = f"y{panel + 1 if panel else ''}"
        colour = figures.SERIES_COLOURS[at % len(figures.SERIES_COLOURS)]
        data.append(_trace(line, axis, colour, time_zone, limit))
        if line.series.is_power and line.series.channel.startswith(("p_imp", "ep_imp")):
            data += _peaks(line, axis, colour, time_zone)
    titles = [f"{_NAMES.get(unit, '')} [{unit or '1'}]".strip() for unit in units]
    layout = figures.layout(revision=revision, height=max(460, 210 * len(units)))
    layout |= figures.stacked_axes(titles)
    lowest = f"y{len(units) if len(units) > 1 else ''}"
    layout["xaxis"] = figures.axis(type="date", anchor=lowest, hoverformat="%a %d %b %H:%M:%S")
    if zoom:
        # New data must not move what the user looks at.
        layout["xaxis"] |= {"range": zoom, "autorange": False}
    return {"data": data, "layout": layout}


def _trace(line: Line, axis: str, colour: str, time_zone: str, limit: int) -> dict[str, Any]:
    ends, values = steps(line.profile, line.series.values(line.profile))
    keep = series.min_max(values, limit - 2)  # and where the clock is set back, two more
    at, values = _apart(ends[keep], values[keep], time_zone)
    known = [None if np.isnan(value) else float(f"{value:.6g}") for value in values]
    return {
        "type": "scatter", "mode": "lines", "name": f"{line.meter}: {line.series.label}", "yaxis": axis,
        # A value stands for the interval before its stamp: up first, then along.
        "line": {"color": colour, "width": 1.4, "shape": "vh"},
        "x": figures.numbers(at, 0),
        "y": known,
        "hovertemplate": f"%{{y:.5s}}{line.series.unit}",
    }  # fmt: skip


def _apart(ends_ns: Int, values: Float, time_zone: str) -> tuple[Float, Float]:
    """Return a line on the axis of local time, broken where the clock was set back.

    The hour that is lived twice is drawn as two lines, one over the other, without a stroke back between
    them.
    """
    ms = clock.axis_ms_of_ends(ends_ns, time_zone)
    back = np.flatnonzero(np.diff(ms) < 0)
    # The second line begins at the time to which the clock was set, as a rule at the end of an interval.
    set_to = np.minimum(clock.axis_ms(ends_ns[back], time_zone), ms[back + 1])
    where = np.repeat(back + 1, 2)
    held = np.column_stack([np.full(back.size, np.nan), values[back + 1]]).ravel()
    return np.insert(ms, where, np.repeat(set_to, 2)), np.insert(values, where, held)


def steps(profile: LoadProfile, values: Float) -> tuple[Int, Float]:
    """Return instants and values of a line that holds each value from its interval's start to its end.

    Where an interval does not begin at the end of the one before, as the first does not, its start is put
    in, and NaN where nothing was recorded in between.

    Parameters
    ----------
    profile : LoadProfile
        Ends and lengths of n intervals.
    values : ndarray
        Shape (n,).

    Returns
    -------
    instants : ndarray
        UTC [ns].
    held : ndarray
        Of the same shape: the value up to each instant.
    """
    starts = profile.end_ns - np.round(profile.duration_s * NS_PER_SECOND).astype(np.int64)
    apart = np.flatnonzero(np.concatenate([[True], starts[1:] - profile.end_ns[:-1] > _TOLERANCE_NS]))
    where = np.repeat(apart, 2)
    instants = np.insert(profile.end_ns, where, np.repeat(starts[apart], 2))
    inserted = np.column_stack([np.full(apart.size, np.nan), values[apart]]).ravel()
    held = np.insert(values, where, inserted)
    return instants[1:], held[1:]


def daily_peaks(line: Line, time_zone: str) -> list[int]:
    """Return the position of the highest interval of each local day, in order of time.

    A day of which less than half was recorded has no peak to speak of, unless it is the only one.
    """
    values = line.series.values(line.profile)
    # An interval that ends at midnight belongs to the day before.
    days = np.floor((clock.axis_ms(line.profile.end_ns, time_zone) - 1) / 86_400_000).astype(np.int64)
    peaks = []
    for day in np.unique(days):
        of_day = np.flatnonzero((days == day) & ~np.isnan(values))
        covered = float(line.profile.duration_s[days == day].sum())
        if of_day.size and (covered >= _HALF_DAY_S or np.unique(days).size == 1):
            peaks.append(int(of_day[np.argmax(values[of_day])]))
    return peaks


def _peaks(line: Line, axis: str, colour: str, time_zone: str) -> list[dict[str, Any]]:
    peaks = daily_peaks(line, time_zone)
    if not peaks or len(peaks) > PEAK_DAYS + 1:
        return []
    values = line.series.values(line.profile)[peaks]
    return [
        {
            "type": "scatter", "mode": "markers+text", "yaxis": axis,
            "name": f"{line.meter}: peak of the day",
            "x": figures.numbers(clock.axis_ms_of_ends(line.profile.end_ns[peaks], time_zone), 0),
            "y": [float(value) for value in values],
            "text": [engineering(float(value), line.series.unit) for value in values],
            "textposition": "top center", "textfont": {"size": 11, "color": colour}, "cliponaxis": False,
            "marker": {"symbol": "diamond", "size": 9, "color": colour},
            "hoverinfo": "skip",
        }
    ]  # fmt: skip
