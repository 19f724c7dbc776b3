"""Load: what is too much, for how long, in which phase, and in which direction."""

from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import HERE, Watch

HEAVY = {"bus": "SHOP", "type": "3ph", "phases": "abc", "resistance": "1 ohm"}
"""230 A more in each phase, 160 kW; the relay does not trip on it."""


def test_motor_start_is_no_overload(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """The compressor is started directly, with several times its rated current.

    Mistake: no on-delay, or one shorter than the start; the end of the start taken for a load that is lost.
    Asserted: nothing is raised; without delay and suppression the same start is two alarms.
    """
    hasty = mistaken(SHOP_OVERLOAD={"on_delay": "0 s"}, SHOP_LOAD_LOST={"suppressed": False})
    site.inject("motor", motor="COMPRESSOR", to="on")
    site.step("20 s")
    alarms.assert_shown()
    hasty.assert_raised("SHOP_OVERLOAD", "SHOP_LOAD_LOST", times=1)
    site.inject("motor", motor="COMPRESSOR", to="off")


def test_sustained_overload_is_raised(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """An overload that lasts half a minute.

    Mistake: so long a delay, against starts, that an overload trips the breaker before it is raised.
    Asserted: it is raised once, ten seconds after it began, and Q1 is still closed.
    """
    site.inject("fault", name="overload", **HEAVY, clear_after="30 s")
    begun_ns = site.now_ns
    site.step("40 s")
    alarms.assert_raised("SHOP_OVERLOAD", times=1)
    assert 10e9 <= alarms.times("SHOP_OVERLOAD")[0] - begun_ns <= 12e9
    alarms.assert_not_raised("Q1_OPEN")


def test_unbalance_by_one_phase(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """A large load on one phase alone.

    Mistake: a limit on the mean of the currents, which it hardly moves.
    Asserted: the unbalance is raised, the mean's alarm is not.
    """
    mean = mistaken()
    site.inject("fault", name="heater", bus="SHOP", type="slg", phases="a", resistance="2 ohm")
    site.step("20 s")
    alarms.assert_active("SHOP_UNBALANCE")
    mean.assert_not_raised("MEAN_OVERLOAD")
    site.clear("heater")


def test_unbalance_without_load_says_nothing(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """A lamp on one phase, while Q1 has just been closed again and nothing else runs behind an open fuse.

    Mistake: a share of next to nothing is taken for an unbalance.
    Asserted: it is suppressed below 20 A; without suppression it is raised.
    """
    loud = mistaken(SHOP_UNBALANCE={"suppressed": False})
    for phase in "bc":
        site.inject("measurement_fault", meter="shop", kind="ct_open", phases=phase, name=f"open {phase}")
    site.inject("measurement_fault", meter="shop", kind="ratio_fitted", ct="4000:5", name="small")
    site.step("20 s")
    alarms.assert_not_raised("SHOP_UNBALANCE")
    loud.assert_raised("SHOP_UNBALANCE")
    for name in ("open b", "open c", "small"):
        site.clear(name)


def test_load_that_stops(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The compressor stops, and with it two fifths of the workshop's load.

    Mistake: a lower limit on the power, which is right for one shift and wrong for all others.
    Asserted: the fall in three seconds is raised and returns by itself; a rise, and the steady load, are not.
    """
    site.inject("motor", motor="COMPRESSOR", to="on")
    site.step("30 s")
    alarms.assert_not_raised("SHOP_LOAD_LOST")
    site.inject("motor", motor="COMPRESSOR", to="off")
    site.step("10 s")
    alarms.assert_shown("SHOP_LOAD_LOST active", "SHOP_LOAD_LOST return")


def test_meter_alarm_is_read_from_its_relay(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """The meter has an alarm of its own, with a limit of 250 A and a delay of 3 s.

    Mistake: its limit is written once more into the SCADA, and the two drift apart.
    Asserted: its relay is read; the meter's record has the same alarm, to the millisecond.
    """
    site.inject("fault", name="furnace", **HEAVY, clear_after="8 s")
    begun_ns = site.now_ns
    site.step("20 s")
    alarms.assert_raised("SHOP_METER_ALARM", times=1)
    alarms.assert_not_raised("SHOP_OVERLOAD")
    came, went = site.recording.alarms(meter="shop")[-2:]
    assert (came.transition, went.transition) == ("active", "return")
    assert 3e9 <= came.time_ns - begun_ns <= 3.3e9
    assert 0 <= alarms.times("SHOP_METER_ALARM")[0] - came.time_ns <= 1e9


def test_demand_is_not_a_peak(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """A peak of a minute, and later the same load for ten minutes.

    Mistake: a limit on the power, while what is paid for is the mean of a quarter of an hour.
    Asserted: the peak raises nothing, the lasting load does; the limit on the power is raised by both.
    """
    power = mistaken()
    site.inject("fault", name="peak", **HEAVY, clear_after="1 min")
    site.step("3 min")
    alarms.assert_not_raised("DEMAND_LIMIT")
    power.assert_raised("PEAK", times=1)
    site.inject("fault", name="shift", **HEAVY, clear_after="10 min")
    site.step("10 min")
    alarms.assert_raised("DEMAND_LIMIT", times=1)
    power.assert_raised("PEAK", times=2)


def test_reverse_power_at_noon(site: SiteUnderTest) -> None:
    """A clear day in June: the roof feeds more than the works draws.

    Mistake: a power without its sign, or a current: at noon both look like any load.
    Asserted: it is raised once, with a negative value, and returns when the roof is taken off.
    """
    site.step("7 h")
    alarms = site.watch(HERE / "rules.yaml")
    site.step("1 min")
    alarms.assert_active("REVERSE_POWER")
    assert alarms.journal[0].value < -20e3
    assert site.read("incomer", "i_avg") > 50
    site.operate("Q2", "open")
    site.step("5 s")
    alarms.assert_raised("REVERSE_POWER", times=1)
    assert "REVERSE_POWER" not in alarms.active
