"""Instants as text: UTC, ISO 8601, to the nanosecond."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from twin.contracts import NS_PER_SECOND

_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
_EARLIEST, _LATEST = 1970, 2250


def parse_utc(text: str) -> int:
    """Return an instant written as ``2026-01-15T18:42:10.003Z``, UTC [ns].

    Raises
    ------
    ValueError
        It is written otherwise, does not exist, or lies outside the years 1970 to 2250.
    """
    mend = "write it as 2026-01-15T18:42:10.003Z"
    if not re.match(_PATTERN, text):
        raise ValueError(f"'{text[:40]}' is no time in UTC; {mend}")
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"'{text}' does not exist; {mend}") from None
    if not _EARLIEST <= at.year <= _LATEST:
        raise ValueError(f"'{text}' is out of range; give a year from {_EARLIEST} to {_LATEST}")
    return round(at.timestamp()) * NS_PER_SECOND + int(fraction.ljust(9, "0") or 0)


def _check(text: str) -> str:
    parse_utc(text)
    return text


Instant = Annotated[
    str, Field(pattern=_PATTERN, examples=["2026-01-15T18:42:10.003Z"]), AfterValidator(_check)
]
"""A parameter that is an instant."""
