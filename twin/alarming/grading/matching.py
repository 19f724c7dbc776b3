"""Which raised alarm answers which expected occurrence."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.alarming.grading.occurrence import Expected, Raised
from twin.alarming.grading.verdict import Match
from twin.contracts import NS_PER_SECOND

_AT_LAST_NS = 60 * NS_PER_SECOND
"""How long after its window an alarm of which no end is known counts as late, not as false [ns]."""


@dataclass(slots=True)
class Matching:
    """The alarms of one condition, sorted out."""

    matches: list[Match] = field(default_factory=list)
    missed: list[Expected] = field(default_factory=list)
    false: list[Raised] = field(default_factory=list)
    repeated: list[Raised] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many are wrong."""
        late = sum(match.late for match in self.matches)
        returns = sum(bool(match.return_problem) for match in self.matches)
        return len(self.missed) + len(self.false) + len(self.repeated) + late + returns


def match(
    expected: Sequence[Expected],
    raised: Sequence[Raised],
    *,
    early_ns: int,
    run_end_ns: int,
    returns: bool = True,
) -> Matching:
    """Match the occurrences of one alarm.

    Parameters
    ----------
    expected, raised : sequence
        Each in order of time.
    early_ns : int
        How much too early an alarm may seem, as clocks differ [ns].
    run_end_ns : int
        UTC [ns].
    returns : bool
        Whether returns are judged.

    Returns
    -------
    Matching
        An alarm answers the earliest occurrence without an answer that it falls into; where all have one
        it is repeated, and outside of all false.
    """
    found = Matching()
    answers: dict[int, Raised] = {}
    last: dict[int, Raised] = {}
    for one in raised:
        places = [
            place
            for place, occurrence in enumerate(expected)
            if occurrence.start_ns - early_ns <= one.start_ns <= _until(occurrence)
        ]
        free = next((place for place in places if place not in answers), None)
        if free is not None:
            answers[free] = last[free] = one
        elif not places:
            found.false.append(one)
        else:
            # An alarm that an operator has hidden may show again.
            if not last[places[-1]].hidden:
                found.repeated.append(one)
            last[places[-1]] = one
    answered_until = -1
    for place, occurrence in enumerate(expected):
        if place not in answers:
            if place > answered_until and not occurrence.optional:
                found.missed.append(occurrence)
            continue
        answered_until = _joined(expected, place, answers, last[place])
        ends_with = expected[answered_until]
        problem = _return_problem(ends_with, last[place], early_ns, run_end_ns) if returns else ""
        latency_ns = answers[place].start_ns - occurrence.start_ns
        found.matches.append(
            Match(
                expected=occurrence,
                raised=answers[place],
                latency_s=latency_ns / NS_PER_SECOND,
                late=answers[place].start_ns > occurrence.latest_ns,
                return_problem=problem,
            )
        )
    return found


def _until(occurrence: Expected) -> int:
    """Return until when an alarm still belongs to an occurrence."""
    if occurrence.end_ns is None:
        return occurrence.latest_ns + _AT_LAST_NS
    return max(occurrence.latest_ns, occurrence.end_ns)


def _joined(expected: Sequence[Expected], place: int, answers: dict[int, Raised], raised: Raised) -> int:
    """Return the place of the last occurrence that one alarm stands for: short breaks may go unseen."""
    last = place
    while (
        last + 1 < len(expected)
        and last + 1 not in answers
        and expected[last + 1].joined
        and (raised.end_ns is None or raised.end_ns > expected[last + 1].start_ns)
    ):
        last += 1
    return last


def _return_problem(occurrence: Expected, raised: Raised, early_ns: int, run_end_ns: int) -> str:
    if occurrence.end_ns is None or raised.hidden:
        return ""
    latest_ns = occurrence.end_latest_ns
    if raised.end_ns is None:
        return "does not return" if latest_ns is not None and latest_ns < run_end_ns else ""
    if raised.end_ns < occurrence.end_ns - early_ns:
        return "returns early"
    if latest_ns is not None and raised.end_ns > latest_ns:
        return "returns late"
    return ""
