"""Figures of merit of an alarm system, from its journal.

References
----------
ANSI/ISA-18.2 and IEC 62682, monitoring and assessment: annunciations per ten minutes and operator, floods,
chattering and fleeting alarms, stale alarms, most frequent alarms, distribution of priorities. The limits
are the customary ones: at most one annunciation in ten minutes on average, a flood from the eleventh within
ten minutes until a period with fewer than five, chattering with three annunciations within a minute, stale
after a day.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twin.alarming.journal import JournalEntry
from twin.contracts import NS_PER_SECOND

PERIOD_NS = 600 * NS_PER_SECOND
FLOOD_BEGINS = 10
"""A flood is more than so many annunciations in one period."""
FLOOD_ENDS = 5
"""It lasts until a period with fewer."""
CHATTERING_COUNT, CHATTERING_NS = 3, 60 * NS_PER_SECOND
FLEETING_NS = 10 * NS_PER_SECOND
"""An alarm that returns within this time had no use to an operator."""
STALE_NS = 86400 * NS_PER_SECOND
_MOST_FREQUENT = 10

AlarmKey = tuple[str, str]
"""Source and condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """A stretch of ten-minute periods with too many alarms."""

    start_ns: int
    end_ns: int
    annunciations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmKpis:
    """Figures of merit."""

    annunciations: int
    per_ten_minutes: float
    """Average."""
    worst_ten_minutes: int
    """Most in one period."""
    floods: tuple[Flood, ...]
    flood_share: float
    """Of all time."""
    chattering: Mapping[AlarmKey, int]
    """How often each chattering alarm was annunciated within chatters."""
    fleeting: Mapping[AlarmKey, int]
    """How often each returned within ``FLEETING_NS``."""
    stale: tuple[AlarmKey, ...]
    """Those that have stood for more than a day."""
    most_frequent: tuple[tuple[AlarmKey, int], ...]
    """Up to ten."""
    priorities: Mapping[str, float]
    """Share of the annunciations of each priority."""
    acknowledged: int
    median_acknowledgement_s: float | None
    """From annunciation to acknowledgement [s]."""


def alarm_kpis(entries: Iterable[JournalEntry], *, start_ns: int, end_ns: int) -> AlarmKpis:
    """Return the figures of merit of a journal.

    Parameters
    ----------
    entries : iterable of JournalEntry
        In order of time.
    start_ns, end_ns : int
        What was watched, UTC [ns]; periods of ten minutes are counted from its start, the last may be cut.
    """
    inside = [entry for entry in entries if start_ns <= entry.time_ns <= end_ns]
    raised = [entry for entry in inside if entry.transition == "active"]
    counts = _period_counts(raised, start_ns, end_ns)
    floods = _floods(counts, start_ns, end_ns)
    by_alarm = Counter(_key(entry) for entry in raised)
    by_priority = Counter(entry.priority for entry in raised)
    flooded_ns = sum(flood.end_ns - flood.start_ns for flood in floods)
    acknowledgements = _acknowledgement_times(inside)
    span_ns = end_ns - start_ns
    return AlarmKpis(
        annunciations=len(raised),
        per_ten_minutes=len(raised) * PERIOD_NS / span_ns if span_ns else 0.0,
        worst_ten_minutes=max(counts, default=0),
        floods=floods,
        flood_share=flooded_ns / span_ns if span_ns else 0.0,
        chattering=_chattering(raised),
        fleeting=_fleeting(inside),
        stale=_stale(inside, end_ns),
        most_frequent=tuple(sorted(by_alarm.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FREQUENT]),
        priorities={name: count / len(raised) for name, count in sorted(by_priority.items())},
        acknowledged=len(acknowledgements),
        median_acknowledgement_s=_median(acknowledgements),
    )


def _key(entry: JournalEntry) -> AlarmKey:
    return entry.source, entry.condition


def _period_counts(raised: Sequence[JournalEntry], start_ns: int, end_ns: int) -> list[int]:
    counts = [0] * max(1, -(-(end_ns - start_ns) // PERIOD_NS))
    for entry in raised:
        counts[min((entry.time_ns - start_ns) // PERIOD_NS, len(counts) - 1)] += 1
    return counts


def _floods(counts: Sequence[int], start_ns: int, end_ns: int) -> tuple[Flood, ...]:
    floods: list[Flood] = []
    first: int | None = None
    for period, count in enumerate([*counts, 0]):
        if first is None and count > FLOOD_BEGINS:
            first = period
        elif first is not None and count < FLOOD_ENDS:
            floods.append(
                Flood(
                    start_ns=start_ns + first * PERIOD_NS,
                    end_ns=min(start_ns + period * PERIOD_NS, end_ns),
                    annunciations=sum(counts[first:period]),
                )
            )
            first = None
    return tuple(floods)


def _chattering(raised: Sequence[JournalEntry]) -> dict[AlarmKey, int]:
    recent: dict[AlarmKey, deque[int]] = defaultdict(deque)
    last_counted: dict[AlarmKey, int] = {}
    found: Counter[AlarmKey] = Counter()
    for number, entry in enumerate(raised):
        key = _key(entry)
        times = recent[key]
        times.append(number)
        while raised[times[0]].time_ns < entry.time_ns - CHATTERING_NS:
            times.popleft()
        if len(times) >= CHATTERING_COUNT:
            found[key] += sum(1 for at in times if at > last_counted.get(key, -1))
            last_counted[key] = number
    return dict(sorted(found.items()))


def _fleeting(entries: Iterable[JournalEntry]) -> dict[AlarmKey, int]:
    raised_ns: dict[AlarmKey, int] = {}
    found: Counter[AlarmKey] = Counter()
    for entry in entries:
        key = _key(entry)
        if entry.transition == "active":
            raised_ns[key] = entry.time_ns
        elif entry.transition == "return" and key in raised_ns:
            found[key] += entry.time_ns - raised_ns.pop(key) <= FLEETING_NS
    return {key: count for key, count in sorted(found.items()) if count}


def _stale(entries: Iterable[JournalEntry], end_ns: int) -> tuple[AlarmKey, ...]:
    raised_ns: dict[AlarmKey, int] = {}
    found: set[AlarmKey] = set()
    hiding = {"return", "shelve", "suppress", "out_of_service"}
    for entry in entries:
        key = _key(entry)
        if entry.transition == "active":
            raised_ns.setdefault(key, entry.time_ns)
        elif entry.transition in hiding and entry.time_ns - raised_ns.pop(key, entry.time_ns) > STALE_NS:
            found.add(key)
    found.update(key for key, since_ns in raised_ns.items() if end_ns - since_ns > STALE_NS)
    return tuple(sorted(found))


def _acknowledgement_times(entries: Iterable[JournalEntry]) -> list[float]:
    raised_ns: dict[AlarmKey, int] = {}
    found = []
    for entry in entries:
        if entry.transition == "active":
            raised_ns[_key(entry)] = entry.time_ns
        elif entry.transition == "ack" and _key(entry) in raised_ns:
            found.append((entry.time_ns - raised_ns.pop(_key(entry))) / NS_PER_SECOND)
    return found


def _median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
