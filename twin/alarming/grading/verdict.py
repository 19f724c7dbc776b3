"""What grading comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twin.alarming.grading.occurrence import Expected, Raised
from twin.alarming.kpis import AlarmKpis
from twin.recording.ledger import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An expected occurrence and the one of the journal that answers it."""

    expected: Expected
    raised: Raised
    latency_s: float
    """From the earliest time at which it could be raised [s]; a little below 0 where clocks differ."""
    late: bool
    return_problem: str = ""
    """What is wrong with its return; empty when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmVerdict:
    """One alarm."""

    source: str
    condition: str
    matches: tuple[Match, ...] = ()
    missed: tuple[Expected, ...] = ()
    false: tuple[Raised, ...] = ()
    """Raised when nothing was expected."""
    repeated: tuple[Raised, ...] = ()
    """Raised again while the occurrence that it answers still lasted."""
    wrong_priority: tuple[Raised, ...] = ()
    priority: str | None = None
    """That it should have."""
    during: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """What was wrong with the meter or its line when an alarm was missed or false, by its time."""
    looks_like: tuple[str, ...] = ()
    """What in its configuration would explain what is wrong, the likeliest first."""

    @property
    def late(self) -> tuple[Match, ...]:
        """Matches that came too late."""
        return tuple(match for match in self.matches if match.late)

    @property
    def wrong_returns(self) -> tuple[Match, ...]:
        """Matches whose return is missing, early or late."""
        return tuple(match for match in self.matches if match.return_problem)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.missed, self.false, self.repeated, self.late, self.wrong_returns, self.wrong_priority)
        return not any(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """Two alarms that were raised in the wrong order."""

    first: tuple[str, str]
    """Source and condition of the one that should have come first."""
    second: tuple[str, str]
    time_ns: int
    """When the wrong one came, UTC [ns]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All alarms of a run."""

    start_ns: int
    end_ns: int
    alarms: tuple[AlarmVerdict, ...]
    unknown: tuple[tuple[str, str, int], ...]
    """Alarms that the map does not name: source, condition, how often."""
    inversions: tuple[Inversion, ...]
    kpis: AlarmKpis
    """Of the journal."""
    expected_kpis: AlarmKpis
    """Of a journal that would be right."""
    chains: Mapping[tuple[str, str, int], tuple[Link, ...]] = field(default_factory=dict)
    """By source, condition and earliest time: what led to an expected occurrence."""
    notes: tuple[str, ...] = ()
    """What the map expects and the run's ledger does not know at all: nothing of it can be graded."""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; the order alone does not fail a run, where each alarm was in time."""
        return all(alarm.passed for alarm in self.alarms) and not self.unknown

    @property
    def latencies_s(self) -> tuple[float, ...]:
        """Latencies of all matches, sorted [s]."""
        return tuple(sorted(match.latency_s for alarm in self.alarms for match in alarm.matches))
