"""Absolute time: UTC nanoseconds since 1970-01-01, and a fraction where a whole one is too coarse."""

from typing import NamedTuple

NS_PER_SECOND = 1_000_000_000
"""Nanoseconds in a second [ns]."""


class Instant(NamedTuple):
    """A point in time finer than a nanosecond.

    Events fall on whole nanoseconds and are plain ``int``; sample instants do not (25,600 Hz and
    60 Hz are no whole nanoseconds) and carry the rest.
    """

    ns: int
    """UTC since 1970-01-01 [ns]."""
    fraction: float = 0.0
    """Rest, 0 <= fraction < 1 [ns]."""
