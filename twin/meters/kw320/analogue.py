"""Analogue outputs, which follow a quantity by a curve of one to three gradients, and analogue inputs.

References
----------
KW320 manual 6.3.5: transforming parameters 0..29, gradient settings (10D0H..10F3H) and their notes.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Final

from twin.meters.kw320.alarm_formats import ALARM_FORMATS

FULL_SCALE: Final = 4096
"""Counts of 20 mA or 5 V."""
HIGHEST_OUTPUT: Final = 4915
"""Counts of 24 mA or 6 V."""
LIVE_ZERO: Final = 819
"""Counts of 4 mA or 1 V, the least of the types 4-20 mA and 1-5 V."""
HIGHEST_INPUT: Final = 4095
"""Greatest value of an analogue input."""
_UNITS_AT_FULL_SCALE: Final = (20.0, 20.0, 5.0, 5.0)
"""By type: 0-20 mA, 4-20 mA, 0-5 V, 1-5 V [mA or V]."""
_LIVE_ZERO_TYPES: Final = (1, 3)
_POINTS: Final = {1: ("start", "end"), 2: ("start", "2", "end"), 3: ("start", "2", "3", "end")}
"""Points of the curve by number of gradients (note 1)."""
_FOLLOWED: Final = (
    (range(1), (4500, 6500)),
    (range(1, 5), (0, 4800)),
    (range(5, 9), (0, 8310)),
    (range(9, 14), (0, 10_000)),
    (range(14, 17), (-4800, 4800)),
    (range(17, 18), (-14_400, 14_400)),
    (range(18, 21), (-4800, 4800)),
    (range(21, 22), (-14_400, 14_400)),
    (range(22, 25), (0, 4800)),
    (range(25, 26), (0, 14_400)),
    (range(26, 30), (-1000, 1000)),
)
"""Parameters, and the range of the value that follows them (note 2)."""
_FREQUENCY_400_HZ: Final = (30_000, 50_000)


def output_type(raw: Mapping[str, int], output: int) -> int:
    """Return the type of AO1..AO4: 0 0-20 mA, 1 4-20 mA, 2 0-5 V, 3 1-5 V."""
    return raw["io21_ao12_type" if output <= 2 else "io22_ao34_type"]


def followed_range(parameter: int, *, rated_frequency: int) -> tuple[int, int]:
    """Return least and greatest start and end of the range that an output follows.

    Parameters
    ----------
    parameter : int
        Transforming parameter, 0..29.
    rated_frequency : int
        0FFDH; 2 is the 400 Hz type.
    """
    if parameter == 0 and rated_frequency == 2:
        return _FREQUENCY_400_HZ
    return next(limits for parameters, limits in _FOLLOWED if parameter in parameters)


def written_problems(
    written: Mapping[str, int], raw: Mapping[str, int], before: Mapping[str, int]
) -> dict[str, str]:
    """Return which curve settings of a write, by name, are out of the range that others set for them.

    A point that the number of gradients leaves out has no meaning, and none that stays as it is is looked at:
    a new meter's points are 0, so that a block that was read could not be written back otherwise.

    Parameters
    ----------
    written : Mapping of str to int
        Registers of the write by name.
    raw : Mapping of str to int
        All settings as they would be after it.
    before : Mapping of str to int
        All settings as they are.

    References
    ----------
    KW320 manual 6.3.5, notes 1 to 3 on AO gradients.
    """
    problems = {}
    for name, value in written.items():
        head, _, rest = name.partition("_")
        if not (head[:2] == "ao" and head[2:].isdigit()):
            continue
        if value == before[name] or rest.rpartition("_")[2] not in _POINTS[raw[f"{head}_segments"]]:
            continue
        if rest.startswith("in_"):
            parameter = raw[f"{head}_parameter"]
            low, high = followed_range(parameter, rated_frequency=raw["rated_frequency"])
        elif rest.startswith("out_") and output_type(raw, int(head[2:])) in _LIVE_ZERO_TYPES:
            low, high = LIVE_ZERO, HIGHEST_OUTPUT
        else:
            continue
        if not low <= value <= high:
            problems[name] = f"{value} is out of range {low}..{high}"
    return problems


def output_value(raw: Mapping[str, int], output: int, secondary: float) -> float:
    """Return what an analogue output gives, in mA or V as its type says.

    Below the first point of its curve it stays at that point's value, beyond the last at the last one's.

    Parameters
    ----------
    raw : Mapping of str to int
        Settings by name.
    output : int
        1..4.
    secondary : float
        What it follows, secondary SI; NaN counts as 0.
    """
    head = f"ao{output}"
    form = ALARM_FORMATS[raw[f"{head}_parameter"]]
    value = 0.0 if math.isnan(secondary) else secondary / form.resolution
    points = [
        (raw[f"{head}_in_{point}"], raw[f"{head}_out_{point}"]) for point in _POINTS[raw[f"{head}_segments"]]
    ]
    kind = output_type(raw, output)
    least = LIVE_ZERO if kind in _LIVE_ZERO_TYPES else 0
    counts = min(max(_along(points, value), least), HIGHEST_OUTPUT)
    return counts * _UNITS_AT_FULL_SCALE[kind] / FULL_SCALE


def _along(points: list[tuple[int, int]], value: float) -> float:
    """Return the ordinate of a polygon through points; the end points' beyond them."""
    if value <= points[0][0]:
        return float(points[0][1])
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return float(points[-1][1])


def input_counts(milliamperes: float) -> int:
    """Return what an analogue input reads, 0..4095.

    Parameters
    ----------
    milliamperes : float
        Of a signal of 20 mA; one of 5 V counts 4 mA per volt.
    """
    counts = 0.0 if math.isnan(milliamperes) else milliamperes * FULL_SCALE / 20.0
    return int(min(max(round(counts), 0), HIGHEST_INPUT))
