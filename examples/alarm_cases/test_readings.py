"""Readings that are wrong although the device answers: old, invalid, of another phase or another time."""

from twin.testing import AlarmWatch, SiteUnderTest

from .conftest import Watch


def test_frozen_image_is_stale(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A meter answers with an image that stands still, and meanwhile the shop is overloaded.

    Mistake: an answer is taken for a sign of life, and the old value for the present one.
    Asserted: stale is raised, the overload cannot be; the balance of the meters tells that something is
    wrong.
    """
    site.inject("measurement_fault", meter="shop", kind="frozen", name="hung")
    site.inject("fault", name="behind it", bus="SHOP", type="3ph", phases="abc", resistance="1 ohm")
    site.step("30 s")
    alarms.assert_active("SHOP_STALE", "POWER_BALANCE")
    site.clear("behind it")
    site.clear("hung")
    site.step("10 s")
    alarms.assert_not_raised("SHOP_OVERLOAD")
    alarms.assert_active()


def test_steady_value_is_not_stale(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """A counter that stands still because nothing is counted.

    Mistake: any value that does not change is taken for stale.
    Asserted: the seconds of the meter go on and nothing is raised; watched by the counter, it is.
    """
    counter = mistaken()
    site.step("40 s")
    alarms.assert_shown()
    counter.assert_raised("COUNTER_STALE", times=1)


def test_not_a_number_is_unknown(site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch) -> None:
    """A meter answers, and its floats are not numbers.

    Mistake: not a number is converted to zero, which is an outage.
    Asserted: no process alarm is raised or returns; the counter part of the image lives, so it is not lost.
    """
    zero = mistaken()
    site.inject("measurement_fault", meter="shop", kind="not_a_number", clear_after="15 s")
    site.step("20 s")
    alarms.assert_shown()
    zero.assert_raised("UNKNOWN_IS_OUTAGE", times=1)


def test_clock_that_jumps(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A meter's clock jumps ahead by three quarters of an hour.

    Mistake: time stamps of meters are sorted as they come, and effects stand before their causes.
    Asserted: the clock is compared with another meter's, raised, and returns when it is set right.
    """
    site.inject("measurement_fault", meter="shop", kind="clock_jump", step="45 min", clear_after="20 s")
    site.step("40 s")
    alarms.assert_shown("SHOP_CLOCK active", "SHOP_CLOCK return")


def test_exchanged_voltages_reverse_the_rotation(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """Two voltage leads of the shop's meter are exchanged after a repair.

    Mistake: voltages and currents are looked at one by one, and all of them are right.
    Asserted: the rotation is raised, and the balance of power, as the meter's sum is next to nothing.
    """
    site.inject("measurement_fault", meter="shop", kind="voltage_order", order="bac", clear_after="20 s")
    site.step("15 s")
    alarms.assert_active("PHASE_ORDER", "POWER_BALANCE")
    site.step("20 s")
    alarms.assert_active()


def test_reversed_transformer_breaks_the_balance(
    site: SiteUnderTest, alarms: AlarmWatch, mistaken: Watch
) -> None:
    """One of three current transformers of the shop is turned.

    Mistake: it is looked for in the meter itself, by a negative sum; with one of three the sum stays
    positive.
    Asserted: the sum of the feeders is not what comes in, and that is raised.
    """
    alone = mistaken()
    site.inject("measurement_fault", meter="shop", kind="ct_reversed", phases="a", clear_after="20 s")
    site.step("15 s")
    alarms.assert_raised("POWER_BALANCE", times=1)
    alone.assert_not_raised("SHOP_EXPORTS")
    assert 10e3 < site.read("shop", "p_sum") < 20e3
    site.step("20 s")
    alarms.assert_active()


def test_blown_fuse_is_an_undervoltage_of_one_meter(site: SiteUnderTest, alarms: AlarmWatch) -> None:
    """A voltage fuse of the incomer's meter blows.

    Mistake: the undervoltage is believed, and half the works is switched off.
    Asserted: undervoltage is raised at this meter alone, together with the balance; the feeders'
    voltages are well.
    """
    site.inject("measurement_fault", meter="incomer", kind="fuse_blown", phases="c", clear_after="20 s")
    site.step("15 s")
    assert {"INCOMER_UNDERVOLTAGE", "POWER_BALANCE"} <= set(alarms.active)
    alarms.assert_not_raised("SHOP_UNDERVOLTAGE", "ROOF_UNDERVOLTAGE", "SUPPLY_LOST")
    site.step("30 s")
    alarms.assert_active()
