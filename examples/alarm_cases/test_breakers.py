"""Breakers and outages: what opened, who wanted it, and what follows from it and is therefore no alarm."""

from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import Watch

SHORT_CIRCUIT = {"bus": "SHOP", "type": "3ph", "phases": "abc", "resistance": "20 mohm"}


def test_trip_raises_breaker_and_trip_and_nothing_behind_it(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """A short circuit in the workshop, and the relay opens Q1.

    Mistake: no suppression: what is dead behind the breaker buries what matters.
    Asserted: breaker, trip and the dead feeder are raised; undervoltage, lost load and rotation only
    where they are not suppressed.
    """
    loud = mistaken(all={"suppressed": False})
    site.inject("fault", name="screwdriver", **SHORT_CIRCUIT, clear_after="1 s")
    site.step("20 s")
    alarms.assert_active("Q1_OPEN", "Q1_TRIP", "A_FEEDER_DEAD")
    alarms.assert_not_raised("SHOP_UNDERVOLTAGE", "SHOP_LOAD_LOST", "PHASE_ORDER")
    loud.assert_raised("SHOP_UNDERVOLTAGE", "SHOP_LOAD_LOST", "PHASE_ORDER")
    opened = site.recording.truth(kind="switch_operated")[-1]
    assert (opened.element, opened.cause) == ("Q1", "F1")


def test_trip_stays_until_it_is_reset(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A trip, and somebody closes the breaker again at once.

    Mistake: no latch: the alarm is gone before anybody has asked why.
    Asserted: it stays on the list, acknowledged or not, until it is reset.
    """
    site.inject("fault", name="rat", **SHORT_CIRCUIT, clear_after="1 s")
    site.step("5 s")
    site.operate("Q1", "close")
    site.step("30 s")
    alarms.assert_active()
    assert "Q1_TRIP" in alarms.standing
    alarms.acknowledge("Q1_TRIP")
    assert "Q1_TRIP" in alarms.standing
    alarms.reset("Q1_TRIP")
    assert "Q1_TRIP" not in alarms.standing


def test_opening_by_order_is_no_trip(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """The control room opens Q1 by the meter's relay.

    Mistake: an alarm on the position alone, which calls that a trip.
    Asserted: with an order it is open, not tripped; the position's alarm cannot tell.
    """
    position_alone = mistaken()
    site.ask("incomer", "write_coil", address=0, on=True)
    site.step("20 s")
    alarms.assert_active("Q1_OPEN", "A_FEEDER_DEAD")
    alarms.assert_not_raised("Q1_TRIP", "SHOP_UNDERVOLTAGE")
    position_alone.assert_raised("OPEN_IS_TRIP")


def test_planned_opening_with_alarms_out_of_service(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Q2 is opened for work on the roof.

    Mistake: its alarms stay in service, and operators learn to click alarms away.
    Asserted: out of service they raise nothing; afterwards they are raised again.
    """
    for name in ("Q2_OPEN", "A_FEEDER_DEAD"):
        alarms.remove_from_service(name)
    site.operate("Q2", "open")
    site.step("30 s")
    alarms.assert_active()
    site.operate("Q2", "close")
    site.step("5 s")
    for name in ("Q2_OPEN", "A_FEEDER_DEAD"):
        alarms.return_to_service(name)
    site.operate("Q2", "open")
    site.step("5 s")
    alarms.assert_active("Q2_OPEN", "A_FEEDER_DEAD")


def test_forgotten_in_the_open_position_it_is_raised_with_the_return_to_service(
    site: SiteUnderTest, alarms: AlarmWatch
) -> None:
    """The work is over, and the breaker was forgotten.

    Mistake: an alarm that looks for changes alone says nothing any more.
    Asserted: put into service again it is raised at once, unacknowledged.
    """
    alarms.remove_from_service("Q2_OPEN")
    site.operate("Q2", "open")
    site.step("5 s")
    alarms.return_to_service("Q2_OPEN")
    alarms.assert_raised("Q2_OPEN", times=1)
    assert not alarms.state("Q2_OPEN").acknowledged


def test_chattering_contact_is_held_by_the_off_delay(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """A float switch dances on the waves, every four seconds.

    Mistake: no off-delay: each contact is an alarm.
    Asserted: raised once, and back when it is calm; without the delay there are six, which the figures
    of merit call chattering.
    """
    dancing = mistaken(SUMP_FULL={"off_delay": "0 s"})
    for _ in range(6):
        for position in ("on", "off"):
            site.ask("incomer", "set_input", input="di6", to=position)
            site.step("4 s")
    site.step("20 s")
    alarms.assert_sequence("SUMP_FULL active", "SUMP_FULL return")
    dancing.assert_raised("SUMP_FULL", times=6)
    assert dancing.kpis().chattering == {("incomer", "SUMP_FULL"): 6}


def test_first_out_is_told_by_the_time_stamps(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Two breakers open 120 ms apart, between two polls.

    Mistake: the order of the journal is taken for the order in time.
    Asserted: both have the time of one poll; the meter's sequence of events tells which was first, to
    the millisecond.
    """
    site.step("0.4 s")
    site.operate("Q2", "open")
    site.step("0.12 s")
    site.operate("Q1", "open")
    site.step("3 s")
    assert alarms.times("Q1_OPEN") == alarms.times("Q2_OPEN")
    first, second = site.recording.soe(meter="incomer")[-2:]
    assert (first.input, second.input) == ("di3", "di2")
    assert second.time_ns - first.time_ns == 120_000_000


def test_outage_is_one_alarm(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """The utility's supply fails, is back for a minute, and fails again.

    Mistake: no suppression: a flood, more than ten alarms in ten minutes.
    Asserted: one alarm an outage; without suppression the figures of merit show a flood.
    """
    loud = mistaken(all={"suppressed": False})
    for _ in range(2):
        site.operate("QT", "open")
        site.step("1 min")
        site.operate("QT", "close")
        site.step("1 min")
    outages = "SUPPLY_LOST active", "SUPPLY_LOST return"
    shown = [entry for entry in alarms.journal if entry.transition in {"active", "return"}]
    assert [f"{entry.condition} {entry.transition}" for entry in shown] == [*outages, *outages]
    assert loud.kpis().worst_ten_minutes > 10
    assert loud.kpis().floods
    assert not alarms.kpis().floods


def test_release_delay_waits_until_the_supply_is_steady(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """The supply comes back low, as everything starts at once.

    Mistake: suppression that ends with its cause, and lets a last alarm through.
    Asserted: the release delay holds it until the voltage is well; without, it is raised.
    """
    hasty = mistaken()
    site.operate("QT", "open")
    site.step("10 s")
    site.inject("fault", name="cold load", bus="MV", type="3ph", phases="abc", resistance="6 ohm",
                clear_after="6 s")  # fmt: skip
    site.operate("QT", "close")
    site.step("40 s")
    alarms.assert_not_raised("INCOMER_UNDERVOLTAGE")
    assert "INCOMER_UNDERVOLTAGE" not in alarms.standing
    hasty.assert_raised("NO_RELEASE_DELAY", times=1)


def test_busbar_dead_behind_its_own_breaker(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Q0 opens while the utility's supply is well.

    Mistake: the dead busbar alone is raised, and the utility is called.
    Asserted: the breaker is raised first, then the supply, both high.
    """
    site.operate("Q0", "open")
    site.step("10 s")
    alarms.assert_active("Q0_OPEN", "SUPPLY_LOST")
    raised = [entry for entry in alarms.journal if entry.transition == "active"]
    assert [entry.condition for entry in raised] == ["Q0_OPEN", "SUPPLY_LOST"]
    assert {entry.priority for entry in raised} == {"high"}
