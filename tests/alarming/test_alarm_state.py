"""The state model against the transitions of the ISA-18.2 diagram, written out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.alarming import alarm_state as states
from twin.alarming.alarm_state import AlarmState, IsaState, NotAllowedError, Shelving

LONGEST_NS = 3600 * 10**9
LATCHING = {
    "activate": lambda state: states.activate(state, latching=True),
    "unshelve": lambda state: states.unshelve(state, latching=True),
    "unsuppress": lambda state: states.unsuppress(state, latching=True),
    "into service": lambda state: states.return_to_service(state, latching=True),
}
PLAIN = {
    "activate": lambda state: states.activate(state, latching=False),
    "return": states.return_to_normal,
    "acknowledge": states.acknowledge,
    "reset": states.reset,
    "shelve once": lambda state: states.shelve_once(state, now_ns=0, longest_ns=LONGEST_NS),
    "shelve": lambda state: states.shelve_timed(state, now_ns=0, duration_ns=60, longest_ns=LONGEST_NS),
    "unshelve": states.unshelve,
    "suppress": states.suppress,
    "unsuppress": states.unsuppress,
    "out of service": states.remove_from_service,
    "into service": states.return_to_service,
}

# From, what happens, to: the arrows of the diagram for an alarm that does not latch.
ARROWS = [
    ("A", "activate", "B"),
    ("B", "acknowledge", "C"),
    ("B", "return", "D"),
    ("C", "return", "A"),
    ("D", "acknowledge", "A"),
    ("D", "activate", "B"),
    ("A", "shelve", "G"),
    ("B", "shelve", "G"),
    ("C", "shelve", "G"),
    ("D", "shelve", "G"),
    ("A", "suppress", "H"),
    ("B", "suppress", "H"),
    ("C", "suppress", "H"),
    ("D", "suppress", "H"),
    ("A", "out of service", "I"),
    ("B", "out of service", "I"),
    ("C", "out of service", "I"),
    ("D", "out of service", "I"),
]
LATCHED_ARROWS = [
    ("B", "return", "E"),
    ("C", "return", "F"),
    ("E", "acknowledge", "F"),
    ("E", "activate", "B"),
    ("F", "activate", "B"),
    ("F", "reset", "A"),
    ("E", "shelve", "G"),
    ("F", "suppress", "H"),
    ("E", "out of service", "I"),
]
REFUSED = [
    ("A", "acknowledge"),
    ("A", "return"),
    ("A", "reset"),
    ("A", "unshelve"),
    ("A", "unsuppress"),
    ("A", "into service"),
    ("B", "activate"),
    ("B", "reset"),
    ("C", "acknowledge"),
    ("D", "return"),
    ("D", "reset"),
]


def state_of(letter: str, *, latched: bool = False) -> AlarmState:
    """Return a state of the diagram."""
    return {
        "A": AlarmState(),
        "B": AlarmState(active=True, acknowledged=False, latched=latched),
        "C": AlarmState(active=True, acknowledged=True, latched=latched),
        "D": AlarmState(acknowledged=False),
        "E": AlarmState(acknowledged=False, latched=True),
        "F": AlarmState(latched=True),
    }[letter]


@pytest.mark.parametrize(("before", "what", "after"), ARROWS)
def test_arrows_of_the_diagram(before: str, what: str, after: str) -> None:
    state = state_of(before)
    assert state.isa is IsaState(before)
    assert PLAIN[what](state).isa is IsaState(after)


@pytest.mark.parametrize(("before", "what", "after"), LATCHED_ARROWS)
def test_arrows_of_a_latching_alarm(before: str, what: str, after: str) -> None:
    state = state_of(before, latched=True)
    assert (PLAIN | LATCHING)[what](state).isa is IsaState(after)


@pytest.mark.parametrize(("before", "what"), REFUSED)
def test_what_the_diagram_has_no_arrow_for_is_refused(before: str, what: str) -> None:
    with pytest.raises(NotAllowedError):
        PLAIN[what](state_of(before))


def test_a_latched_alarm_is_reset_only_after_return_and_acknowledgement() -> None:
    with pytest.raises(NotAllowedError, match="still holds"):
        states.reset(state_of("C", latched=True))
    with pytest.raises(NotAllowedError, match="not acknowledged"):
        states.reset(state_of("E"))


@pytest.mark.parametrize(
    ("hide", "show"),
    [("shelve", "unshelve"), ("suppress", "unsuppress"), ("out of service", "into service")],
)
@pytest.mark.parametrize("letter", "ABCDEF")
def test_what_is_shown_again_starts_anew(hide: str, show: str, letter: str) -> None:
    before = state_of(letter, latched=letter in "BC")
    hidden = PLAIN[hide](before)
    with pytest.raises(NotAllowedError, match="nothing to acknowledge"):
        states.acknowledge(hidden)
    shown = PLAIN[show](hidden)
    assert shown.isa is (IsaState.UNACKNOWLEDGED if before.active else IsaState.NORMAL)
    assert not PLAIN[show](PLAIN[hide](shown)).latched


def test_one_shot_shelving_ends_with_the_return() -> None:
    shelved = PLAIN["shelve once"](state_of("B"))
    assert shelved.shelving is Shelving.ONE_SHOT
    assert states.return_to_normal(shelved) == AlarmState()
    timed = PLAIN["shelve"](state_of("B"))
    assert states.return_to_normal(timed).isa is IsaState.SHELVED


def test_shelving_has_a_limit() -> None:
    for duration_ns in (0, -1, LONGEST_NS + 1):
        with pytest.raises(NotAllowedError, match="up to 3600 s"):
            states.shelve_timed(AlarmState(), now_ns=0, duration_ns=duration_ns, longest_ns=LONGEST_NS)
    once = states.shelve_once(AlarmState(), now_ns=7, longest_ns=LONGEST_NS)
    assert once.shelved_until_ns == LONGEST_NS + 7


ACTIONS = st.lists(st.sampled_from(sorted(PLAIN)), max_size=40)


@given(ACTIONS, st.booleans())
def test_any_course_keeps_the_facts_consistent(course: list[str], latching: bool) -> None:
    """Whatever is tried in whatever order: no state is a contradiction."""
    state = AlarmState()
    actions = PLAIN | (LATCHING if latching else {})
    holds = False
    for what in course:
        try:
            after = actions[what](state)
        except NotAllowedError:
            continue
        holds = {"activate": True, "return": False}.get(what, holds)
        state = after
        assert state.active is holds
        assert (state.shelved_until_ns is None) == (state.shelving is Shelving.UNSHELVED)
        assert latching or not state.latched
        assert state.standing == (state.isa.value in "BCDEF")
        assert state.annunciated == (state.isa.value not in "GHI")
        if state.isa is IsaState.NORMAL:
            assert state == AlarmState()


@given(ACTIONS)
def test_every_course_leads_back_to_normal(course: list[str]) -> None:
    state = AlarmState()
    for what in course:
        try:
            state = PLAIN[what](state)
        except NotAllowedError:
            continue
    for what in ("into service", "unsuppress", "unshelve", "return", "acknowledge", "reset"):
        try:
            state = PLAIN[what](state)
        except NotAllowedError:
            continue
    assert state == AlarmState()


def test_states_that_hide_go_in_order() -> None:
    state = replace(PLAIN["shelve"](state_of("B")), suppressed=True)
    assert state.isa is IsaState.SUPPRESSED_BY_DESIGN
    assert states.remove_from_service(state).isa is IsaState.OUT_OF_SERVICE
    with pytest.raises(NotAllowedError, match="needs no shelving"):
        PLAIN["shelve"](state)
    shown = states.unsuppress(state)
    assert shown.isa is IsaState.SHELVED
