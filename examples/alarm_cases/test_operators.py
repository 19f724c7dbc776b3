"""Operators: what they do to alarms, and what alarms do then."""

from collections.abc import Callable
from pathlib import Path

import pytest

from twin.alarming.alarm_state import IsaState, NotAllowedError
from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import HERE


def door(site: SiteUnderTest, to: str) -> None:
    """Open or close the door, and wait until that has been polled."""
    site.ask("incomer", "set_input", input="di5", to={"open": "on", "closed": "off"}[to])
    site.step("2 s")


def test_acknowledged_alarm_goes_when_its_condition_does(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """An alarm is acknowledged while it stands.

    Mistake: acknowledging removes it from the list, and with it what still stands.
    Asserted: it stays on the list until the door is closed, and then goes by itself.
    """
    door(site, "open")
    alarms.acknowledge("DOOR_OPEN")
    assert alarms.state("DOOR_OPEN").isa is IsaState.ACKNOWLEDGED
    assert alarms.standing == ("DOOR_OPEN",)
    door(site, "closed")
    assert alarms.standing == ()
    alarms.assert_sequence("DOOR_OPEN active", "DOOR_OPEN ack", "DOOR_OPEN return")


def test_returned_alarm_waits_for_its_acknowledgement(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The door is closed again before anybody has seen the alarm.

    Mistake: with the condition the alarm goes, and nobody ever knows.
    Asserted: it stays as returned and unacknowledged until it is acknowledged, which can be done once.
    """
    door(site, "open")
    door(site, "closed")
    assert alarms.state("DOOR_OPEN").isa is IsaState.RETURNED_UNACKNOWLEDGED
    assert alarms.standing == ("DOOR_OPEN",)
    alarms.acknowledge("DOOR_OPEN")
    assert alarms.standing == ()
    with pytest.raises(NotAllowedError, match="nothing to acknowledge"):
        alarms.acknowledge("DOOR_OPEN")


def test_return_anew_needs_a_new_acknowledgement(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """An alarm that was acknowledged returns and comes again.

    Mistake: the old acknowledgement still counts.
    Asserted: it is unacknowledged again.
    """
    door(site, "open")
    alarms.acknowledge("DOOR_OPEN")
    door(site, "closed")
    door(site, "open")
    assert alarms.state("DOOR_OPEN").isa is IsaState.UNACKNOWLEDGED
    door(site, "closed")


def test_shelving_ends_by_itself(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The door is kept open for deliveries, and its alarm shelved for a minute.

    Mistake: shelving without an end, that is, switched off for good.
    Asserted: it is hidden for this minute, and raised anew at its end as the door still stands open.
    """
    door(site, "open")
    alarms.shelve("DOOR_OPEN", seconds=60)
    assert alarms.standing == ()
    site.step("30 s")
    alarms.assert_active()
    site.step("40 s")
    alarms.assert_active("DOOR_OPEN")
    shelved, raised = alarms.times("DOOR_OPEN", "shelve")[0], alarms.times("DOOR_OPEN")[1]
    assert raised - shelved == 60_000_000_000
    door(site, "closed")


def test_shelving_for_once_ends_with_the_return(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """An alarm is shelved until it returns.

    Mistake: the shelf outlives its reason, and the next opening is missed.
    Asserted: the return ends it without a word; the next opening is raised.
    """
    door(site, "open")
    alarms.shelve("DOOR_OPEN")
    door(site, "closed")
    assert alarms.standing == ()
    door(site, "open")
    alarms.assert_active("DOOR_OPEN")
    alarms.assert_raised("DOOR_OPEN", times=2)
    door(site, "closed")


def test_nobody_shelves_for_longer_than_allowed(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Somebody wants to shelve an alarm over the weekend.

    Mistake: any time can be given.
    Asserted: more than the rule's longest time is refused, and the alarm is shown as before.
    """
    door(site, "open")
    with pytest.raises(NotAllowedError, match="give one up to 3600 s"):
        alarms.shelve("DOOR_OPEN", seconds=48 * 3600)
    alarms.assert_active("DOOR_OPEN")
    alarms.shelve("DOOR_OPEN", seconds=3600)
    alarms.assert_active()
    alarms.unshelve("DOOR_OPEN")
    door(site, "closed")


def test_order_of_one_poll_is_that_of_the_rules(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Two alarms of different priority come with the same poll.

    Mistake: their order in the journal is taken for an order in time, or is another each time.
    Asserted: both have one time, stand in the order of the rules, and each has its priority.
    """
    site.operate("Q2", "open")
    door(site, "open")
    first, second = (entry for entry in alarms.journal if entry.condition in {"Q2_OPEN", "DOOR_OPEN"})
    assert first.time_ns == second.time_ns
    assert [(entry.condition, entry.priority) for entry in (first, second)] == [
        ("Q2_OPEN", "medium"),
        ("DOOR_OPEN", "low"),
    ]
    door(site, "closed")


def test_alarm_that_stands_for_a_day_is_stale(twin_site: Callable[[Path], SiteUnderTest]) -> None:
    """A door stands open for more than a day, and its alarm with it.

    Mistake: alarms that always stand are got used to; nobody counts them.
    Asserted: the figures of merit name it as stale after a day, and not before.
    """
    site = twin_site(HERE / "one_meter.yaml")
    alarms = site.watch(HERE / "one_meter_rules.yaml")
    door(site, "open")
    site.step("23 h")
    alarms.assert_active("DOOR_OPEN")
    assert alarms.kpis().stale == ()
    site.step("2 h")
    assert alarms.kpis().stale == (("incomer", "DOOR_OPEN"),)
