"""Short texts for what is no single quantity: a range of times, or how often something happens."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from twin.contracts.transport import HowOften
from twin.documents.quantity import parse_quantity

_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_RANGE = rf"({_NUMBER})(?:\.\.({_NUMBER}))?\s*(us|ms|s|min)"
_SHARE = rf"({_NUMBER})\s*%|every ([1-9][0-9]{{0,6}})"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time that lies between two."""

    least_s: float
    most_s: float


def parse_time_range(value: object) -> TimeRange:
    """Return a range of times, ``20..80 ms``, or one time, ``50 ms``.

    Raises
    ------
    ValueError
        It is neither, or its ends are exchanged.
    """
    match = re.fullmatch(_RANGE, value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no range of times; write it as '20..80 ms' or '50 ms'")
    least, most, unit = match.groups()
    found = [parse_quantity(f"{number} {unit}", "s") for number in (least, most or least)]
    if found[0] > found[1]:
        raise ValueError(f"'{value}' runs backwards; write it as '{most}..{least} {unit}'")
    return TimeRange(*found)


def parse_often(value: object) -> HowOften:
    """Return how often something happens: ``5 %`` of the time by chance, or ``every 10``th time.

    Raises
    ------
    ValueError
        It is neither, or more than 100 %.
    """
    match = re.fullmatch(_SHARE, value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} does not say how often; write it as '5 %' or 'every 10'")
    share, every = match.groups()
    if every is not None:
        return HowOften(0.0, int(every))
    if float(share) > 100.0:
        raise ValueError(f"'{value}' is more than all; give at most '100 %'")
    return HowOften(float(share) / 100.0)


def _text(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$", "examples": [example]})


TimeRangeText = Annotated[
    TimeRange,
    BeforeValidator(lambda value: value if isinstance(value, TimeRange) else parse_time_range(value)),
    _text(_RANGE, "20..80 ms"),
]
OftenText = Annotated[
    HowOften,
    BeforeValidator(lambda value: value if isinstance(value, HowOften) else parse_often(value)),
    _text(_SHARE, "5 %"),
]
