"""Journals of hand-made scans."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from twin.alarming.alarm_server import AlarmRule, AlarmServer
from twin.alarming.alarm_state import IsaState, NotAllowedError
from twin.alarming.conditions import Communication, Limit, State, Tag
from twin.alarming.journal import JournalEntry
from twin.alarming.scans import Scan

SECOND = 10**9
Values = Mapping[str, float] | None


def high(name: str = "HIGH", source: str = "m", **keys: object) -> AlarmRule:
    """Return an alarm on x above 10."""
    limit = Limit(Tag(source, "x"), 10.0, above=True)
    return AlarmRule(name=name, source=source, condition=limit, **keys)  # type: ignore[arg-type]


def drive(
    server: AlarmServer, scans: Sequence[Values], *, acts: Mapping[int, Callable[[int], None]] | None = None
) -> list[tuple[int, str, str]]:
    """Take one scan of ``m`` a second, doing what is to be done after each; return (second, alarm,
    transition)."""
    for at, values in enumerate(scans):
        server.take(Scan("m", at * SECOND, values))
        if acts and at in acts:
            acts[at](at * SECOND)
    return short(server.journal)


def short(journal: Sequence[JournalEntry]) -> list[tuple[int, str, str]]:
    """Return what identifies each entry."""
    return [(entry.time_ns // SECOND, entry.condition, entry.transition) for entry in journal]


def x(*values: float) -> list[Values]:
    """Return scans of x."""
    return [{"x": value} for value in values]


def test_an_alarm_comes_and_goes() -> None:
    server = AlarmServer([high(priority="high")])
    assert drive(server, x(9, 11, 12, 9)) == [(1, "HIGH", "active"), (3, "HIGH", "return")]
    raised, returned = server.journal
    assert (raised.source, raised.priority, raised.value) == ("m", "high", 11.0)
    assert returned.value == 9.0
    assert server.standing == ("HIGH",)  # nobody has acknowledged it
    server.acknowledge("HIGH", 4 * SECOND)
    assert server.standing == ()


def test_a_lost_connection_is_no_outage() -> None:
    """An undervoltage alarm neither comes nor goes by a lost connection, which has an alarm of its own."""
    low = AlarmRule(name="LOW", source="m", condition=Limit(Tag("m", "x"), 10.0, above=False))
    lost = AlarmRule(name="LOST", source="m", condition=Communication("m", failures=2))
    scans: list[Values] = [*x(11), None, None, *x(9), None, None, None, *x(9, 11)]
    assert drive(AlarmServer([low, lost]), scans) == [
        *((2, "LOST", "active"), (3, "LOW", "active"), (3, "LOST", "return")),
        *((5, "LOST", "active"), (7, "LOST", "return"), (8, "LOW", "return")),
    ]


@pytest.mark.parametrize(("unknown", "expected"), [(True, [(1, "HIGH", "active")]), (False, [])])
def test_the_unknown_counts_as_the_rule_says(unknown: bool, expected: list[object]) -> None:
    assert drive(AlarmServer([high(unknown=unknown)]), [*x(5), None]) == expected


def test_a_latched_alarm_stands_until_it_is_reset() -> None:
    server = AlarmServer([high(latching=True)])
    drive(server, x(11, 9))
    assert server.alarm_states["HIGH"].isa is IsaState.LATCHED_UNACKNOWLEDGED
    with pytest.raises(NotAllowedError):
        server.reset("HIGH", 2 * SECOND)
    server.acknowledge("HIGH", 2 * SECOND)
    server.reset("HIGH", 3 * SECOND)
    assert short(server.journal)[2:] == [(2, "HIGH", "ack"), (3, "HIGH", "reset")]
    assert server.standing == ()


def test_what_happens_on_the_shelf_is_not_shown() -> None:
    server = AlarmServer([high()])
    acts = {1: lambda now_ns: server.shelve("HIGH", now_ns, duration_ns=4 * SECOND)}
    found = drive(server, x(5, 5, 11, 5, 11, 11, 5), acts=acts)
    assert found == [
        *((1, "HIGH", "shelve"), (5, "HIGH", "unshelve"), (5, "HIGH", "active"), (6, "HIGH", "return"))
    ]


def test_shelving_ends_on_time_between_scans() -> None:
    server = AlarmServer([high()])
    server.take(Scan("m", 0, {"x": 5.0}))
    server.shelve("HIGH", 0, duration_ns=SECOND + 7)
    server.take(Scan("m", 3 * SECOND, {"x": 5.0}))
    assert server.journal[-1] == JournalEntry(SECOND + 7, "m", "HIGH", "unshelve", "medium")


def test_one_shot_shelving_hides_one_occurrence() -> None:
    server = AlarmServer([high()])
    found = drive(server, x(11, 11, 5, 11), acts={1: lambda now_ns: server.shelve("HIGH", now_ns)})
    expected = ["active", "shelve", "unshelve", "active"]
    assert [transition for _, _, transition in found] == expected


def suppressing(**keys: object) -> AlarmServer:
    """Return a server whose alarm is meaningless while the breaker is open (b = 0)."""
    low = AlarmRule(
        name="LOW",
        source="m",
        condition=Limit(Tag("m", "x"), 10.0, above=False),
        suppressed_when=State(Tag("m", "b"), states=frozenset({0})),
        **keys,  # type: ignore[arg-type]
    )
    return AlarmServer([low])


def test_a_suppressed_alarm_shows_neither_its_cause_nor_its_end() -> None:
    scans: list[Values] = [{"x": 11.0, "b": 1}, {"x": 0.0, "b": 0}, {"x": 0.0, "b": 0}, {"x": 11.0, "b": 1}]
    assert drive(suppressing(), scans) == [(1, "LOW", "suppress"), (3, "LOW", "unsuppress")]


def test_what_still_holds_after_suppression_is_raised() -> None:
    scans: list[Values] = [{"x": 0.0, "b": 0}, {"x": 0.0, "b": 1}, {"x": 11.0, "b": 1}]
    assert drive(suppressing(), scans) == [
        *((0, "LOW", "suppress"), (1, "LOW", "unsuppress"), (1, "LOW", "active"), (2, "LOW", "return"))
    ]


def test_a_release_delay_lets_the_voltage_come_back_first() -> None:
    scans: list[Values] = [{"x": 0.0, "b": 0}, {"x": 0.0, "b": 1}, {"x": 11.0, "b": 1}, {"x": 11.0, "b": 1}]
    assert drive(suppressing(release_delay_ns=2 * SECOND), scans) == [
        *((0, "LOW", "suppress"), (3, "LOW", "unsuppress"))
    ]


def test_out_of_service_and_back() -> None:
    server = AlarmServer([high()])
    acts = {
        0: lambda now_ns: server.remove_from_service("HIGH", now_ns),
        2: lambda now_ns: server.return_to_service("HIGH", now_ns),
    }
    assert drive(server, x(5, 11, 11, 5), acts=acts) == [
        *((0, "HIGH", "out_of_service"), (2, "HIGH", "in_service"), (2, "HIGH", "active")),
        (3, "HIGH", "return"),
    ]


def test_an_unknown_alarm_is_named() -> None:
    with pytest.raises(NotAllowedError, match="no alarm 'HIHG'; there are HIGH"):
        AlarmServer([high()]).acknowledge("HIHG", 0)


def test_scans_of_other_sources_change_nothing() -> None:
    server = AlarmServer([high(), high("OTHER", "n")])
    assert server.take(Scan("n", 0, {"x": 11.0}))[0].condition == "OTHER"
    assert server.take(Scan("p", 1, {"x": 11.0})) == ()
