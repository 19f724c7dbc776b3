"""Alarm priorities: which letter, shape and colour an alarm is shown with.

A meter's alarm channel has no priority of its own. The pages rank by what the quantity endangers:

- H (high, square): current, which heats conductors, and a reversed phase sequence, which turns motors;
- M (medium, triangle): voltage, frequency, power and demand, which equipment rides through for a while;
- L (low, disc): distortion, unbalance, power factor, inputs and all else.
"""

from collections.abc import Iterable

from twin.contracts import AlarmLine

PRIORITIES = ("H", "M", "L")
"""From the most urgent down."""
NAMES = {"H": "high", "M": "medium", "L": "low"}
SHAPES = {"H": "■", "M": "▲", "L": "●"}

_LOW = (
    "thd",
    "tdd",
    "h_",
    "di",
    "ai",
    "pf",
    "load_type",
    "v_unb",
    "i_unb",
    "unb",
    "v_unbalance",
    "i_unbalance",
)
_HIGH = ("i", "phase_seq", "reversed")


def priority_of(parameter: str) -> str:
    """Return the priority letter of an alarm on ``parameter``, for example ``i1`` or ``thd_v2``."""
    name = parameter.lower()
    if name.startswith(_LOW):
        return "L"
    return "H" if name.startswith(_HIGH) else "M"


def highest(letters: Iterable[str]) -> str:
    """Return the most urgent of some priority letters; empty when there are none."""
    return min(letters, key=PRIORITIES.index, default="")


def active_counts(alarms: Iterable[AlarmLine]) -> dict[str, int]:
    """Return how many alarms are active, by priority letter."""
    counts = dict.fromkeys(PRIORITIES, 0)
    for alarm in alarms:
        if alarm.active:
            counts[priority_of(alarm.parameter)] += 1
    return counts


def worst_by_meter(alarms: Iterable[AlarmLine]) -> dict[str, str]:
    """Return the most urgent active priority of each meter that has an active alarm."""
    letters: dict[str, list[str]] = {}
    for alarm in alarms:
        if alarm.active:
            letters.setdefault(alarm.meter, []).append(priority_of(alarm.parameter))
    return {meter: highest(found) for meter, found in letters.items()}
