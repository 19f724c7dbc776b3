"""Voltage: what is an undervoltage, what only looks like one, and what else is wrong with a voltage."""

import pytest

from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import Watch

DEEP = {"bus": "MV", "type": "3ph", "phases": "abc", "resistance": "3 ohm"}
"""A short circuit in the network that leaves about 70 % of the voltage."""
LOW = {"bus": "MV", "type": "3ph", "phases": "abc", "resistance": "6 ohm"}
"""One that leaves about 200 V."""


def test_quiet_site_raises_nothing(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A site on which nothing happens.

    Mistake: limits so near to the usual values that noise alone raises them.
    Asserted: the journal stays empty; nothing is unknown or lost.
    """
    site.step("2 min")
    alarms.assert_sequence()


def test_sag_is_recorded_and_not_an_undervoltage(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A sag of 200 ms.

    Mistake: polling faster and faster to catch it, and missing most of them all the same.
    Asserted: the meter's own event record has it, with its length; the alarm on the polled value stays
    quiet.
    """
    before = site.read("incomer", "newest_event")
    site.inject("fault", name="sag", **DEEP, clear_after="200 ms")
    site.step("30 s")
    alarms.assert_sequence()
    assert site.read("incomer", "newest_event") == before + 1
    sag = site.recording.events(meter="incomer")[-1]
    assert sag.end_ns - sag.start_ns == pytest.approx(200e6, abs=20e6)


def test_dip_within_the_on_delay_raises_nothing(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """A dip of two seconds, as a large start next door makes it.

    Mistake: no on-delay: an alarm that is over before anybody has read it.
    Asserted: nothing is raised; without the delay the figures of merit call it fleeting.
    """
    hasty = mistaken(INCOMER_UNDERVOLTAGE={"on_delay": "0 s", "off_delay": "0 s"})
    site.inject("fault", name="dip", **LOW, clear_after="2 s")
    site.step("30 s")
    alarms.assert_not_raised("INCOMER_UNDERVOLTAGE")
    hasty.assert_raised("INCOMER_UNDERVOLTAGE", times=1)
    assert hasty.kpis().fleeting == {("incomer", "INCOMER_UNDERVOLTAGE"): 1}


def test_lasting_undervoltage_is_raised_once(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A voltage of 200 V for half a minute.

    Mistake: an alarm that is raised anew at each poll.
    Asserted: one alarm at the end of the on-delay, one return after the off-delay.
    """
    site.inject("fault", name="weak", **LOW, clear_after="30 s")
    begun_ns = site.now_ns
    site.step("1 min")
    alarms.assert_raised("INCOMER_UNDERVOLTAGE", times=1)
    raised_ns, returned_ns = alarms.times("INCOMER_UNDERVOLTAGE") + alarms.times(
        "INCOMER_UNDERVOLTAGE", "return"
    )
    assert (raised_ns - begun_ns) / 1e9 == pytest.approx(4, abs=1)
    assert (returned_ns - begun_ns) / 1e9 == pytest.approx(36, abs=2)


def test_deadband_holds_a_wobble_to_one_alarm(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """A voltage that wobbles about the limit by two volts.

    Mistake: no deadband, no delays: each crossing is an alarm.
    Asserted: one alarm; without the deadband there are five, which the figures of merit call chattering.
    """
    chattering = mistaken(INCOMER_UNDERVOLTAGE={"deadband": "0 V", "on_delay": "0 s", "off_delay": "0 s"})
    site.inject("fault", name="near the limit", **LOW | {"resistance": "7.6 ohm"})
    site.inject("fault", name="first", **LOW | {"resistance": "90 ohm"}, clear_after="6 s")
    site.step("12 s")
    for number in range(4):
        site.inject("fault", name=f"wobble {number}", **LOW | {"resistance": "90 ohm"}, clear_after="6 s")
        site.step("12 s")
    site.inject("repair", of="near the limit")
    site.step("30 s")
    alarms.assert_raised("INCOMER_UNDERVOLTAGE", times=1)
    chattering.assert_raised("INCOMER_UNDERVOLTAGE", times=5)
    assert chattering.kpis().chattering == {("incomer", "INCOMER_UNDERVOLTAGE"): 5}
    assert not alarms.kpis().chattering


def test_one_phase_alone_is_an_undervoltage(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """One phase is low, the others are well.

    Mistake: a limit on the mean of three phases, which hides it.
    Asserted: each phase has its limit; undervoltage and unbalance are raised, the mean's alarm is not.
    """
    mean = mistaken()
    site.inject("fault", name="one phase", bus="LV", type="slg", phases="a", resistance="40 mohm")
    site.step("20 s")
    alarms.assert_raised("INCOMER_UNDERVOLTAGE", "VOLTAGE_UNBALANCE", times=1)
    mean.assert_not_raised("MEAN_UNDERVOLTAGE")
    site.inject("repair", of="one phase")
    site.step("20 s")
    alarms.assert_active()


def test_capacitor_bank_raises_nothing(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A capacitor bank with reactors is switched on and off.

    Mistake: alarms without delay on reactive power or voltage, raised daily.
    Asserted: the reactive power steps, and nothing is raised.
    """
    before = site.read("incomer", "q_sum")
    site.operate("PFC", "close")
    site.step("20 s")
    assert site.read("incomer", "q_sum") < before - 20e3
    site.operate("PFC", "open")
    site.step("20 s")
    alarms.assert_sequence()


def test_resonance_raises_the_distortion(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A capacitor bank without reactors resonates with the transformer.

    Mistake: a look at V, I and cos phi alone, all of which seem better than before.
    Asserted: the distortion of the voltage is raised, more than three times what it was, until the bank
    is off.
    """
    before = site.read("incomer", "thd_v_avg")
    site.operate("OLD", "close")
    site.step("20 s")
    alarms.assert_active("VOLTAGE_DISTORTED")
    assert site.read("incomer", "thd_v_avg") > 3 * before
    site.operate("OLD", "open")
    site.step("20 s")
    alarms.assert_sequence("VOLTAGE_DISTORTED active", "VOLTAGE_DISTORTED return")
