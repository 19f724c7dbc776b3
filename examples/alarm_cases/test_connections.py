"""Connections: what is known at all. A lost connection is no outage, and an outage no lost connection."""

import pytest

from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import HERE

PATIENCE = "1 s"
"""How long an answer is waited for: a real master has a timeout, and these cases are about it."""


@pytest.fixture
def alarms(site: SiteUnderTest) -> AlarmWatch:
    """Watch the works by its rules."""
    return site.watch(HERE / "rules.yaml", timeout=PATIENCE)


@pytest.fixture
def mistakes(site: SiteUnderTest) -> AlarmWatch:
    """Watch the works by the alarms that are wrong."""
    return site.watch(HERE / "mistakes.yaml", timeout=PATIENCE)


def test_lost_connection_is_no_outage(site: SiteUnderTest, alarms: AlarmWatch, mistakes: AlarmWatch) -> None:
    """The shop's meter answers no more.

    Mistake: what is not known is taken for zero: an outage.
    Asserted: the connection has an alarm of its own; no process alarm is raised, but by the mistaken
    one.
    """
    site.communication_fault("cut", meters=["shop"], refuse=True, close=True)
    site.step("10 s")
    alarms.assert_active("SHOP_LOST")
    mistakes.assert_raised("UNKNOWN_IS_OUTAGE", times=1)
    site.clear("cut")
    site.step("5 s")
    alarms.assert_sequence("SHOP_LOST active", "SHOP_LOST return")


def test_alarm_that_stands_does_not_return_with_the_connection(
    site: SiteUnderTest, alarms: AlarmWatch, mistakes: AlarmWatch
) -> None:
    """A feeder is dead, and then its meter is lost.

    Mistake: what is not known is taken for well, and the alarm returns.
    Asserted: it stands until it is known that it is over.
    """
    site.operate("Q1", "open")
    site.step("5 s")
    site.communication_fault("cut again", meters=["shop"], refuse=True, close=True)
    site.step("10 s")
    alarms.assert_active("Q1_OPEN", "Q1_TRIP", "A_FEEDER_DEAD", "SHOP_LOST")
    mistakes.assert_raised("UNKNOWN_IS_WELL", times=1)
    assert "UNKNOWN_IS_WELL" not in mistakes.active
    site.clear("cut again")


def test_outage_is_no_lost_connection(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The supply fails, and the meters live on from their auxiliary supply.

    Mistake: outages are derived from lost connections: there are none.
    Asserted: the outage is raised, and no connection is lost.
    """
    site.operate("QT", "open")
    site.step("10 s")
    alarms.assert_active("SUPPLY_LOST")
    alarms.assert_not_raised("INCOMER_LOST", "SHOP_LOST", "ROOF_LOST")
    site.operate("QT", "close")


def test_meter_without_supply_is_lost(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The fuse of a meter's auxiliary supply blows.

    Mistake: a dead meter is taken for a dead feeder.
    Asserted: its connection is lost, and nothing is said of the feeder, which is well.
    """
    site.inject("power_loss", meter="roof", restore_after="5 s")
    site.step("4 s")
    alarms.assert_active("ROOF_LOST")
    site.step("10 s")
    alarms.assert_sequence("ROOF_LOST active", "ROOF_LOST return")


def test_connection_back_returns_at_the_first_answer(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A connection comes back after something has come and gone meanwhile.

    Mistake: what was missed is made up afterwards, or the return waits for an operator.
    Asserted: one alarm, one return with the first answer, and nothing from the gap.
    """
    site.communication_fault("radio", meters=["roof"], refuse=True, close=True)
    site.step("10 s")
    site.operate("Q2", "open")
    site.step("2 s")
    site.operate("Q2", "close")
    site.step("10 s")
    site.clear("radio")
    site.step("5 s")
    alarms.assert_shown("ROOF_LOST active", "Q2_OPEN active", "Q2_OPEN return", "ROOF_LOST return")


def test_exceptions_alone_are_a_lost_connection(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A gateway answers by exception 0BH for a device that is silent.

    Mistake: answers are counted, and an exception is one.
    Asserted: the device counts as lost.
    """
    site.communication_fault("gateway", meters=["shop"], exception={"code": 11})
    site.step("10 s")
    alarms.assert_active("SHOP_LOST")
    site.clear("gateway")
    site.step("5 s")
    alarms.assert_active()


def test_one_lost_answer_is_no_alarm(site: SiteUnderTest, alarms: AlarmWatch, mistakes: AlarmWatch) -> None:
    """A radio link loses an answer now and then.

    Mistake: the connection is raised at the first failure, and comes and goes all day.
    Asserted: three in a row are needed; at one, there are three fleeting alarms.
    """
    for number in range(3):
        site.communication_fault(f"fade {number}", meters=["shop"], refuse=True, close=True)
        site.step("1.5 s")
        site.clear(f"fade {number}")
        site.step("5 s")
    alarms.assert_sequence()
    mistakes.assert_raised("ONE_FAILURE", times=3)
    assert mistakes.kpis().fleeting["shop", "ONE_FAILURE"] == 3


def test_slow_answers_within_the_timeout_raise_nothing(site: SiteUnderTest) -> None:
    """Every answer comes late, but within the timeout.

    Mistake: a timeout as short as the usual answer.
    Asserted: with room for it nothing is raised; with a tight timeout the connection is lost.
    """
    roomy = site.watch(HERE / "rules.yaml", timeout="5 s")
    tight = site.watch(HERE / "rules.yaml", timeout="20 ms")
    site.communication_fault("slow", meters=["shop"], latency="80 ms")
    site.step("4 s")
    roomy.assert_sequence()
    assert tight.state("SHOP_LOST").active
    site.clear("slow")


def test_all_connections_lost_at_once(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The switch of the control network fails.

    Mistake: process alarms are raised or return for want of values.
    Asserted: the connections are raised, each once, and nothing else.
    """
    site.communication_fault("network", refuse=True, close=True)
    site.step("10 s")
    alarms.assert_active("INCOMER_LOST", "SHOP_LOST", "ROOF_LOST")
    site.clear("network")
    site.step("5 s")
    assert [entry.condition for entry in alarms.journal if not entry.condition.endswith("_LOST")] == []


def test_unknown_operand_decides_only_where_it_must(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """One feeder is dead, and the other's meter does not answer.

    Mistake: two-valued logic, which gets either "both" or "one of them" wrong.
    Asserted: "both are dead" is unknown and not raised; "one of them is dead" is, whatever the other is.
    """
    site.communication_fault("cable", meters=["shop"], refuse=True, close=True)
    site.step("10 s")
    site.operate("Q2", "open")
    site.step("5 s")
    alarms.assert_active("SHOP_LOST", "Q2_OPEN", "A_FEEDER_DEAD")
    site.clear("cable")
    site.step("5 s")
    alarms.assert_not_raised("BOTH_FEEDERS_DEAD")
    site.operate("Q1", "open")
    site.step("5 s")
    alarms.assert_raised("BOTH_FEEDERS_DEAD")
