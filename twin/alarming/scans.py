"""What polling has brought: one scan after the other, and the latest of each source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scan:
    """One poll of one source."""

    source: str
    time_ns: int
    """When its answer was complete, or was given up [ns]."""
    values: Mapping[str, float] | None
    """By tag, in the units of the tag list; NaN for what the device answers as no number; None without an
    answer."""
    problem: str = ""
    """Why there was no answer."""


@dataclass(slots=True)
class SourceState:
    """What is known of a source after its latest scan."""

    values: Mapping[str, float] | None = None
    """Of the latest scan; None when it failed, or before the first."""
    time_ns: int | None = None
    failures: int = 0
    """Scans in a row that failed."""
    failing_since_ns: int | None = None
    changed_ns: dict[str, int] = field(default_factory=dict)
    """When each tag was last seen to change [ns]."""
    _last: dict[str, float] = field(default_factory=dict)

    def take(self, scan: Scan) -> None:
        """Take the next scan."""
        self.values, self.time_ns = scan.values, scan.time_ns
        if scan.values is None:
            self.failures += 1
            if self.failing_since_ns is None:
                self.failing_since_ns = scan.time_ns
            return
        self.failures, self.failing_since_ns = 0, None
        for tag, value in scan.values.items():
            before = self._last.get(tag)
            if before is None or not (before == value or (math.isnan(before) and math.isnan(value))):
                self._last[tag] = value
                self.changed_ns[tag] = scan.time_ns
