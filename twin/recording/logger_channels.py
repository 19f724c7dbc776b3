"""Which channels of intervals are those of a data logger: ``logger1_v1_min`` is ``v1_min`` of the first."""

import re
from typing import Final

PROFILE: Final = None
"""In the place of a logger's prefix: the load profile."""
_LOGGER = re.compile(r"logger(\d+)_(.+)")


def logger_prefix(number: int) -> str:
    """Return what the channels of a logger begin with."""
    return f"logger{number}_"


def split_logger(channel: str) -> tuple[int, str]:
    """Return a channel's logger, 0 for none, and its name without it."""
    match = _LOGGER.fullmatch(channel)
    return (int(match[1]), match[2]) if match else (0, channel)
