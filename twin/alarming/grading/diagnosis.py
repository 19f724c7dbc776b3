"""What in an alarm's configuration would explain what is wrong with it.

Each guess is the expected alarm with one customary mistake in it. What it would have raised is followed
like the expected alarm itself; where that is nearly what the journal holds, the mistake is named.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from twin.alarming.condition_builder import ConditionBuilder
from twin.alarming.grading.expected import Followed, follow, from_registers, map_builder
from twin.alarming.grading.map_schema import AlarmMap, ExpectedAlarm
from twin.alarming.grading.matching import match
from twin.alarming.grading.occurrence import Raised
from twin.alarming.grading.playback import RegisterPlayback
from twin.alarming.rules_schema import When
from twin.alarming.tag_list import TagAddress
from twin.documents import Document

_SCALES = {
    10.0: "ten times too large",
    0.1: "a tenth of what they are",
    100.0: "a hundred times too large",
    0.01: "a hundredth of what they are",
    1000.0: "a thousand times too large",
    0.001: "a thousandth of what they are",
    math.sqrt(3.0): "larger by the square root of 3 (line to line instead of line to neutral)",
    1 / math.sqrt(3.0): "smaller by the square root of 3 (line to neutral instead of line to line)",
}
_PHASED = re.compile(r"(.*?)([123])$")
Change = Callable[[str, Any], dict[str, object]]
"""What changes in a rule on a tag, from its kind and itself."""
_GOOD_ENOUGH = 0.2
"""A guess must leave at most this share of what is wrong."""
_MOST_NAMED = 5
"""All scales to one side make a voltage stand beyond its limit for ever: they are told apart by nothing."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The expected alarm with one mistake in it."""

    text: str
    alarm: ExpectedAlarm
    scale: float = 1.0
    words_exchanged: bool = False


def guesses(alarm: ExpectedAlarm, tags: Mapping[tuple[str, str], TagAddress]) -> Iterator[Guess]:
    """Yield the mistakes that can be made with an alarm on registers, the simplest first."""
    when = alarm.when
    if when is None:
        return
    flat = _without_deadband(when)
    if flat != when:
        yield Guess("its deadband is missing", alarm.model_copy(update={"when": flat}))
    if alarm.on_delay:
        yield Guess("its on-delay is missing", alarm.model_copy(update={"on_delay": 0.0}))
    if alarm.off_delay:
        yield Guess("its off-delay is missing", alarm.model_copy(update={"off_delay": 0.0}))
    if flat != when and (alarm.on_delay or alarm.off_delay):
        yield Guess(
            "its deadband and delays are missing",
            alarm.model_copy(update={"when": flat, "on_delay": 0.0, "off_delay": 0.0}),
        )
    if alarm.suppressed_when is not None:
        yield Guess("its suppression is missing", alarm.model_copy(update={"suppressed_when": None}))
    yield Guess("above and below are exchanged", alarm.model_copy(update={"when": _turned(when)}))
    for order in list(permutations("123"))[1:]:
        swapped = _renamed(when, dict(zip("123", order, strict=True)))
        if swapped != when:
            phases = ", ".join(f"{a} as {b}" for a, b in zip("123", order, strict=True) if a != b)
            yield Guess(f"its phases are swapped ({phases})", alarm.model_copy(update={"when": swapped}))
    for scale, text in _SCALES.items():
        yield Guess(f"its values are scaled wrongly: {text}", alarm, scale)
    yield Guess("its values are read with their words exchanged", alarm, words_exchanged=True)
    meter = alarm.meter or alarm.source
    for other in dict.fromkeys(known for known, _ in tags if known != meter):
        yield Guess(f"it looks at {other} instead of {meter}", alarm.model_copy(update={"meter": other}))


def explain(
    wrong: Sequence[tuple[ExpectedAlarm, Sequence[Raised], int]],
    alarms: AlarmMap,
    tags: Mapping[tuple[str, str], TagAddress],
    playback: RegisterPlayback,
    exchanged: RegisterPlayback,
    *,
    start_ns: int,
    end_ns: int,
    early_ns: int,
) -> list[tuple[str, ...]]:
    """Return for each wrong alarm the mistakes that explain it, the likeliest first.

    Parameters
    ----------
    wrong : sequence of (ExpectedAlarm, sequence of Raised, int)
        What it should be, what the journal holds, and how many errors that makes.
    alarms : AlarmMap
    tags : Mapping
        What the recording holds.
    playback : RegisterPlayback
        With all of these tags.
    exchanged : RegisterPlayback
        The same, read in the other word order.
    start_ns, end_ns, early_ns : int
        As for matching [ns].
    """
    tried: dict[str, tuple[int, Guess]] = {}
    right: list[Followed] = []
    wrongly: list[Followed] = []
    for place, (alarm, raised, _) in enumerate(wrong):
        if not raised:
            continue  # nothing that could be explained: it has never been raised
        for number, guess in enumerate(guesses(alarm, tags)):
            builder: ConditionBuilder = map_builder(Document("", None, {}), tags, scale=guess.scale)
            name = f"{place}.{number}"
            rule = follow(guess.alarm, builder, (), name=name)
            if rule is not None and not builder.findings:
                (wrongly if guess.words_exchanged else right).append(rule)
                tried[name] = place, guess
    expected = {
        name: occurred
        for followed, registers in ((right, playback), (wrongly, exchanged))
        if followed
        for name, occurred in from_registers(
            followed, registers, alarms, start_ns=start_ns, end_ns=end_ns
        ).items()
    }
    scores: list[list[tuple[float, int, str]]] = [[] for _ in wrong]
    for number, (name, (place, guess)) in enumerate(tried.items()):
        _, raised, errors = wrong[place]
        left = match(
            expected[name], raised, early_ns=early_ns, run_end_ns=end_ns, returns=alarms.returns
        ).errors
        if left <= _GOOD_ENOUGH * errors:
            scores[place].append((left / errors, number, guess.text))
    return [tuple(text for _, _, text in sorted(found)[:_MOST_NAMED]) for found in scores]


def _leaves(when: When, rule: Change) -> When:
    """Return a condition with every rule on a tag changed."""
    update: dict[str, object] = {}
    for name in ("limit", "deviation", "rate", "state", "stale"):
        leaf = getattr(when, name)
        if leaf is not None:
            update[name] = leaf.model_copy(update=rule(name, leaf))
    for name in ("all", "any"):
        parts = getattr(when, name)
        if parts is not None:
            update[name] = [_leaves(part, rule) for part in parts]
    if when.none is not None:
        update["none"] = _leaves(when.none, rule)
    return when.model_copy(update=update)


def _without_deadband(when: When) -> When:
    return _leaves(when, lambda _, leaf: {"deadband": 0.0} if hasattr(leaf, "deadband") else {})


def _turned(when: When) -> When:
    turned = {"limit": ("above", "below"), "rate": ("rises", "falls")}

    def change(kind: str, leaf: Any) -> dict[str, object]:
        if kind not in turned:
            return {}
        first, second = turned[kind]
        return {first: getattr(leaf, second), second: getattr(leaf, first)}

    return _leaves(when, change)


def _renamed(when: When, phases: Mapping[str, str]) -> When:
    def name(tag: str) -> str:
        found = _PHASED.match(tag)
        return f"{found[1]}{phases[found[2]]}" if found else tag

    return _leaves(when, lambda _, leaf: {"tag": name(leaf.tag)})
