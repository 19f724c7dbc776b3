"""Maxima, minima and the window that they are taken from."""

from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import Instant, Signal
from twin.meters.bank import BankError, MeterBank
from twin.meters.extremes import NAMES, Extreme
from twin.meters.front_end import FeedError
from twin.signals import synthesise

MS = 1_000_000


def test_extremes_carry_the_second_at_which_they_were_reached():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    for volts, seconds in ((230.0, 3), (235.0, 4), (225.0, 2), (235.0, 5)):
        feed.add(phasors(volts))
        feed.run(bank, seconds * SECOND)
    shown = bank.extremes(0)
    assert shown["max_v1"].value == pytest.approx(235.0)
    assert shown["min_v1"].value == pytest.approx(225.0)
    # The window of a second ends at it: a change on the second is first seen at the next one.
    assert shown["max_v1"].time_ns == T0 + 4 * SECOND
    assert shown["min_v1"].time_ns == T0 + 8 * SECOND
    assert set(shown) == {f"{end}_{name}" for name in NAMES for end in ("max", "min")}


def test_what_lasts_less_than_a_second_between_two_ticks_is_not_seen():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    for volts, ns in ((230.0, 1100 * MS), (290.0, 500 * MS), (230.0, 2 * SECOND)):
        feed.add(phasors(volts))
        feed.run(bank, ns)
    assert bank.extremes(0)["max_v1"].value == pytest.approx(230.0)


def test_a_clear_begins_with_what_is_shown():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(240.0))
    feed.run(bank, 2 * SECOND)
    feed.add(phasors(230.0))
    feed.run(bank, 2 * SECOND + 300 * MS)
    bank.clear_extremes(0)
    assert bank.extremes(0)["max_v1"] == Extreme(pytest.approx(230.0), feed.now)
    assert bank.extremes(0)["min_p_sum"] == Extreme(pytest.approx(2760.0), feed.now)


def test_demands_have_extremes_too():
    bank, feed = MeterBank([replace(SETTINGS, demand_window_minutes=1)], start_ns=T0), Feed()
    for amperes in (4.0, 8.0, 2.0):
        feed.add(phasors(230.0, amperes))
        feed.run(bank, MINUTE)
    shown = bank.extremes(0)
    assert shown["max_p_demand"] == Extreme(pytest.approx(5520.0), T0 + 2 * MINUTE)
    assert shown["max_i1_demand"].value == pytest.approx(8.0)
    assert shown["min_p_demand"] == Extreme(0.0, T0 + SECOND)


@pytest.mark.parametrize(("rated", "cycles"), [(50.0, 10), (60.0, 12)])
def test_a_window_over_a_boundary_is_the_mean_square_of_its_samples(rated, cycles):
    one = replace(SETTINGS, rated_frequency=rated)
    bank, feed = MeterBank([one], start_ns=T0), Feed(frequency=rated, theta=0.7, orders=(1.0, 5.0))
    feed.add(np.hstack([phasors(230.0, 4.0), 0.04 * phasors(lag=0.3)]))
    feed.run(bank, 1_030 * MS)
    feed.add(np.hstack([phasors(200.0, 9.0, 1.0), 0.1 * phasors(lag=0.9)]))
    feed.run(bank, 130 * MS)
    window = round(cycles / rated * 1e9)
    end = T0 + 1_100 * MS
    signal = Signal(tuple("abcdef"), tuple(feed.segments), feed.now)
    count = 200_000
    x = synthesise(signal, Instant(end - window), step_s=window * 1e-9 / count, count=count)
    shown = bank.fast(0)
    assert shown["v1"] == pytest.approx(np.sqrt((x[0] ** 2).mean()), rel=2e-4)
    assert shown["i2"] == pytest.approx(np.sqrt((x[4] ** 2).mean()), rel=2e-4)
    assert shown["p3"] == pytest.approx((x[2] * x[5]).mean(), rel=5e-4)
    assert shown["v12"] == pytest.approx(np.sqrt(((x[0] - x[1]) ** 2).mean()), rel=2e-4)


def test_the_fast_block_moves_each_100_ms_and_the_basic_block_each_second():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0))
    feed.run(bank, 2 * SECOND)
    feed.add(phasors(240.0))
    seen = []
    for _ in range(30):
        feed.run(bank, 40 * MS)
        seen.append((bank.fast(0)["v1"], bank.basic(0)["v1"]))
    fast = [round(value, 3) for value, _ in seen]
    halfway = round(float(np.sqrt((230**2 + 240**2) / 2)), 3)
    # Ticks at 100 and 200 ms: half of the window, then all of it.
    assert fast == [230.0] * 2 + [halfway] * 2 + [240.0] * 26
    assert [round(value, 3) for _, value in seen] == [230.0] * 24 + [240.0] * 6


def test_a_bank_refuses_what_does_not_go_on_from_now():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, SECOND)
    with pytest.raises(FeedError, match="forward"):
        bank.advance(feed.segments[-1], T0)
    late = replace(feed.segments[-1], start_ns=feed.now + 1)
    with pytest.raises(FeedError, match="must start now"):
        bank.advance(late, feed.now + 2)
    wide = Feed(feed.now).add(phasors(meters=2))
    with pytest.raises(FeedError, match="12 channels"):
        bank.advance(wide, feed.now + 2)
    with pytest.raises(BankError, match="not now"):
        bank.trigger_capture(0, T0)
    with pytest.raises(BankError, match="rated frequency"):
        MeterBank([SETTINGS, replace(SETTINGS, rated_frequency=60.0)], start_ns=T0)
