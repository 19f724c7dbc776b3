"""The trend log: a load profile gathered into longer intervals of local time.

References
----------
KW320 manual 5.1.7.4.1 (trend log: 15 minutes, hours, days).
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.recording.load_profile import LoadProfile
from twin.recording.local_time import Stamp, bucket, calendar_bucket, stamp
from twin.recording.logger_files import Form

Float = NDArray[np.float64]
Interval = Literal["1min", "15min", "1hour", "1day", "1month"]
INTERVALS: Final[tuple[Interval, ...]] = ("1min", "15min", "1hour", "1day", "1month")
_MINUTES: Final = {"1min": 1, "15min": 15, "1hour": 60}
_ENERGY: Final = ("_wh", "_varh", "_vah")
_POWERS: Final = (("p_avg", "p_imp_wh", "p_exp_wh"), ("q_avg", "q_imp_varh", "q_exp_varh"))


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Intervals of local time, in order; without those in which nothing was recorded."""

    start_ns: tuple[int, ...]
    """UTC [ns]."""
    end_ns: tuple[int, ...]
    """UTC [ns]."""
    duration_s: Float
    """How much of each was recorded, shape (n,) [s]."""
    values: dict[str, Float]
    """By channel, shape (n,), primary, SI; NaN where nothing was recorded."""


def trend(profile: LoadProfile, *, time_zone: str, interval: Interval) -> Trend:
    """Return the trend of a load profile.

    Energies are sums; ``*_avg`` means over time; ``*_min`` and ``*_max`` extremes; ``p_avg``, ``q_avg`` and
    ``s_avg`` follow from the energies [W, var, VA], ``pf_avg`` = p_avg / s_avg.

    Parameters
    ----------
    profile : LoadProfile
    time_zone : str
        IANA name of the zone whose hours, days and months they are.
    interval : str
        Not shorter than those of the profile: an interval of it goes where its end lies.
    """
    zone = ZoneInfo(time_zone)
    spans = [_span(end, zone, interval) for end in profile.end_ns.tolist()]
    order = sorted(set(spans))
    place = {span: at for at, span in enumerate(order)}
    group = np.array([place[span] for span in spans], np.intp)
    durations = np.zeros(len(order))
    np.add.at(durations, group, profile.duration_s)
    values = {
        channel: _gathered(channel, column, profile.duration_s, group, len(order))
        for channel, column in profile.values.items()
        if channel != "pf_avg"
    }
    values |= _powers(values, durations)
    return Trend(tuple(start for start, _ in order), tuple(end for _, end in order), durations, values)


def trend_text(found: Trend, *, meter: str, time_zone: str, form: Form, time: Stamp = "iso8601") -> str:
    """Return a trend as CSV or JSON."""
    zone = ZoneInfo(time_zone)
    rows = [
        (stamp(start, zone, time), stamp(end, zone, time), float(duration))
        for start, end, duration in zip(found.start_ns, found.end_ns, found.duration_s, strict=True)
    ]
    table = np.array(list(found.values.values())).reshape(len(found.values), len(rows)).T.tolist()
    if form == "json":
        intervals = [
            {
                "start": start,
                "end": end,
                "duration_s": duration,
                "values": [None if value != value else value for value in values],  # noqa: PLR0124
            }
            for (start, end, duration), values in zip(rows, table, strict=True)
        ]
        body = {"meter": meter, "channels": list(found.values), "intervals": intervals}
        return json.dumps(body, allow_nan=False) + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "duration_s", *found.values])
    for row, values in zip(rows, table, strict=True):
        writer.writerow([*row, *("" if value != value else repr(value) for value in values)])  # noqa: PLR0124
    return text.getvalue()


def _span(end_ns: int, zone: ZoneInfo, interval: Interval) -> tuple[int, int]:
    if interval in _MINUTES:
        return bucket(end_ns, zone, _MINUTES[interval])
    return calendar_bucket(end_ns, zone, "day" if interval == "1day" else "month")


def _gathered(channel: str, column: Float, duration: Float, group: NDArray[np.intp], count: int) -> Float:
    known = ~np.isnan(column)
    at, values = group[known], column[known]
    if channel.endswith(("_min", "_max")):
        lowest = channel.endswith("_min")
        found = np.full(count, np.inf if lowest else -np.inf)
        gather: Callable[..., None] = np.minimum.at if lowest else np.maximum.at
        gather(found, at, values)
        return np.where(np.isinf(found), np.nan, found)
    weight = np.ones(values.size) if channel.endswith(_ENERGY) else duration[known]
    total, weights = np.zeros(count), np.zeros(count)
    np.add.at(total, at, values * weight)
    np.add.at(weights, at, weight)
    none = weights == 0.0
    if channel.endswith(_ENERGY):
        return np.where(none, np.nan, total)
    return np.where(none, np.nan, total / np.where(none, 1.0, weights))


def _powers(values: dict[str, Float], durations: Float) -> dict[str, Float]:
    """Return mean powers and the power factor, as far as there are energies."""
    hours = durations / 3600.0
    found = {
        name: (values[imported] - values[exported]) / hours
        for name, imported, exported in _POWERS
        if imported in values and exported in values
    }
    if "s_vah" in values:
        found["s_avg"] = apparent = values["s_vah"] / hours
        if "p_avg" in found:
            none = ~(apparent > 0.0)
            found["pf_avg"] = np.where(none, np.nan, found["p_avg"] / np.where(none, 1.0, apparent))
    return found
