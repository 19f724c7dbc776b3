"""Energy, demand and load profile of a bank, against sums worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import IntervalBlock
from twin.meters.bank import MeterBank
from twin.meters.demand import Demand
from twin.meters.energies import UnknownRegisterError


def test_one_hour_at_2760_watts():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 3600 * SECOND)
    shown = bank.energies(0)
    assert shown["ep_imp"] == pytest.approx(2760.0, rel=1e-12)
    assert shown["epa_imp"] == pytest.approx(920.0, rel=1e-12)
    assert shown["es"] == pytest.approx(2760.0, rel=1e-12)
    assert shown["ep_exp"] == 0.0
    assert shown["eq_total"] == pytest.approx(0.0, abs=1e-9)


def test_registers_are_primary():
    # PT 10000:100 and CT 200:5: 100 V and 1 A at the terminals are 10 kV and 40 A.
    settings_ = replace(SETTINGS, pt1=10000, pt2=100, ct1=200, ct2=5)
    bank, feed = MeterBank([settings_], start_ns=T0), Feed()
    feed.add(phasors(10_000.0, 40.0))
    feed.run(bank, 3600 * SECOND)
    assert bank.fast(0)["v1"] == pytest.approx(100.0)
    assert bank.fast(0)["i1"] == pytest.approx(1.0)
    assert bank.energies(0)["ep_imp"] == pytest.approx(3 * 10_000 * 40, rel=1e-12)


def test_import_and_export_of_two_phases_do_not_cancel():
    rms = phasors(230.0, 4.0)
    rms[4] *= -1.0
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(rms)
    feed.run(bank, 3600 * SECOND)
    shown = bank.energies(0)
    assert (shown["ep_imp"], shown["ep_exp"]) == pytest.approx((1840.0, 920.0))
    assert (shown["ep_total"], shown["ep_net"]) == pytest.approx((2760.0, 920.0))
    assert (shown["epb_imp"], shown["epb_exp"]) == pytest.approx((0.0, 920.0))


def test_a_turned_current_input_turns_import_into_export():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 1800 * SECOND)
    bank.configure(0, replace(SETTINGS, current_direction=(True, True, True)), feed.now)
    feed.run(bank, 1800 * SECOND)
    shown = bank.energies(0)
    assert (shown["ep_imp"], shown["ep_exp"]) == pytest.approx((1380.0, 1380.0))
    assert bank.fast(0)["p_sum"] == pytest.approx(-2760.0)


def test_a_new_ratio_scales_what_is_shown_and_not_what_arrives():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 1800 * SECOND)
    bank.configure(0, replace(SETTINGS, ct1=10, ct2=5), feed.now)
    feed.run(bank, 1800 * SECOND)
    assert bank.fast(0)["i1"] == pytest.approx(4.0)
    assert bank.energies(0)["ep_imp"] == pytest.approx(1380.0 + 2 * 1380.0)


def recorded(block):
    """Return the interval of a block's first meter, by channel."""
    return dict(zip(block.channels, block.values[0].tolist(), strict=True))


def test_preset_and_clear_move_what_is_shown_only():
    bank, feed = MeterBank([replace(SETTINGS, load_profile_minutes=60)], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 1800 * SECOND)
    bank.preset_energy(0, "ep_imp", 17_807_783_300.0)
    feed.run(bank, 900 * SECOND)
    assert bank.energies(0)["ep_imp"] == pytest.approx(17_807_783_300.0 + 690.0, abs=1e-5)
    assert bank.energies(0)["epa_imp"] == pytest.approx(690.0)
    bank.clear_energy(0)
    assert set(bank.energies(0).values()) == {0.0}
    records = feed.run(bank, 900 * SECOND + 60 * MINUTE)
    intervals = [record for record in records if isinstance(record, IntervalBlock)]
    assert sum(recorded(record)["p_imp_wh"] for record in intervals) == pytest.approx(
        2760.0 * (intervals[-1].end_ns - T0) / 3600e9
    )
    with pytest.raises(UnknownRegisterError, match="ep_import"):
        bank.preset_energy(0, "ep_import", 1.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_energies_of_a_random_day_equal_direct_sums(seed):
    rng = np.random.default_rng(seed)
    bank, feed = MeterBank([SETTINGS, SETTINGS], start_ns=T0 + 123), Feed(T0 + 123, orders=(1.0, 5.0))
    imported, exported = np.zeros((2, 3)), np.zeros((2, 3))
    for _ in range(12):
        rms = (rng.normal(size=(12, 2)) + 1j * rng.normal(size=(12, 2))) * [1.0, 0.05]
        rms.reshape(2, 6, 2)[:, :3] *= 20.0
        rms.reshape(2, 6, 2)[:, :3, 0] += 230.0  # stay above the pickup
        currents = rms.reshape(2, 6, 2)[:, 3:, 0]
        currents += 0.01 * np.exp(1j * np.angle(currents))  # and above that of the currents
        duration = int(rng.integers(1, 600_000_000_000))
        feed.add(rms)
        feed.run(bank, duration)
        three = rms.reshape(2, 6, 2)
        power = (three[:, :3] * three[:, 3:].conj()).real.sum(axis=2)
        imported += np.maximum(power, 0) * duration / 3.6e12
        exported += np.maximum(-power, 0) * duration / 3.6e12
    # Power counts in whole picowatts (see EnergyAccumulator), rounded once per stretch.
    close = {"rel": 1e-12, "abs": 1e-12 * (feed.now - T0) / 3.6e12}
    for meter in range(2):
        shown = bank.energies(meter)
        for phase in range(3):
            assert shown[f"ep{'abc'[phase]}_imp"] == pytest.approx(imported[meter, phase], **close)
            assert shown[f"ep{'abc'[phase]}_exp"] == pytest.approx(exported[meter, phase], **close)
        assert shown["ep_net"] == pytest.approx((imported - exported)[meter].sum(), **close)


def demand_trace(settings_, powers, *, minutes):
    """Demand of P after each minute, where powers maps the minute from which a power holds to it."""
    bank, feed = MeterBank([settings_], start_ns=T0), Feed()
    trace = []
    for minute in range(minutes):
        if minute in powers:
            feed.add(phasors(230.0, powers[minute] / 690.0))
        feed.run(bank, MINUTE)
        trace.append(round(bank.basic(0)["p_demand"], 6))
    return trace


def test_sliding_demand_moves_each_minute():
    one = replace(SETTINGS, demand_window_minutes=3)
    assert demand_trace(one, {0: 900.0, 3: 1800.0}, minutes=7) == [300, 600, 900, 1200, 1500, 1800, 1800]


def test_fixed_demand_moves_at_the_end_of_its_window():
    first = 3 - T0 // MINUTE % 3  # minutes to the first end of a window
    one = replace(SETTINGS, demand_window_minutes=3, demand_mode="fixed")
    trace = demand_trace(one, {0: 900.0}, minutes=first + 3)
    assert trace == [0.0] * (first - 1) + [first * 300.0] * 3 + [900.0]


def test_rolling_demand_moves_with_its_sub_interval():
    one = replace(SETTINGS, demand_window_minutes=4, demand_mode="rolling", demand_sub_interval_minutes=2)
    trace = demand_trace(one, {0: 400.0}, minutes=6)
    offset = T0 // MINUTE % 2
    expected = [400.0 * min(n - (n + offset) % 2, 4) / 4 for n in range(1, 7)]
    assert trace == expected


def test_thermal_demand_shows_ninety_percent_after_one_window():
    one = replace(SETTINGS, demand_window_minutes=1, demand_mode="thermal")
    assert demand_trace(one, {0: 1000.0}, minutes=3) == [900.0, 990.0, 999.0]


def test_the_thermal_lag_does_not_depend_on_where_it_is_cut():
    window = replace(SETTINGS, demand_window_minutes=15, demand_mode="thermal")
    values = np.zeros((1, 52))
    values[0, 17] = 1000.0
    whole, parts = Demand([window]), Demand([window])
    whole.add(values, 15 * MINUTE)
    for part in (1, 59 * SECOND, 4 * MINUTE, 10 * MINUTE, SECOND - 1):
        parts.add(values, part)
    for demand in (whole, parts):
        demand.end_minute(np.zeros((1, 6)), 15)
    assert whole.values[0, 0] == pytest.approx(900.0, rel=1e-12)
    assert parts.values[0, 0] == pytest.approx(900.0, rel=1e-12)


def test_a_demand_averages_import_against_export_and_counts_a_part_of_a_minute():
    one = replace(SETTINGS, demand_window_minutes=1)
    bank, feed = MeterBank([one], start_ns=T0 + 30 * SECOND), Feed(T0 + 30 * SECOND)
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 20 * SECOND)
    feed.add(phasors(230.0, 4.0, np.pi))
    feed.run(bank, 10 * SECOND)
    assert bank.basic(0)["p_demand"] == pytest.approx(2760.0 * (20 - 10) / 60)
    assert bank.basic(0)["i1_demand"] == pytest.approx(2.0)


def test_reset_sets_the_demand_memory_to_zero():
    one = replace(SETTINGS, demand_window_minutes=2)
    bank, feed = MeterBank([one], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    feed.run(bank, 5 * MINUTE)
    assert bank.basic(0)["p_demand"] == pytest.approx(2760.0)
    bank.clear_demand(0)
    assert bank.basic(0)["p_demand"] == 0.0
    feed.run(bank, MINUTE)
    assert bank.basic(0)["p_demand"] == pytest.approx(1380.0)


def test_load_profile_intervals_by_hand():
    one = replace(SETTINGS, load_profile_minutes=5, pt1=2300, ct1=50, ct2=5)
    start = T0 // (5 * MINUTE) * 5 * MINUTE + 3 * MINUTE
    bank, feed = MeterBank([one], start_ns=start), Feed(start)
    feed.add(phasors(2300.0, 40.0))
    records = feed.run(bank, 2 * MINUTE + 75 * SECOND)
    feed.add(phasors(2200.0, 80.0, np.pi))
    records += feed.run(bank, 5 * MINUTE)
    assert [(record.end_ns - start, float(record.duration_s[0])) for record in records] == [
        (2 * MINUTE, 120.0),
        (7 * MINUTE, 300.0),
    ]
    first, second = map(recorded, records)
    assert first["p_imp_wh"] == pytest.approx(3 * 2300 * 40 / 30)
    assert (first["v1_min"], first["v1_max"], first["v1_avg"]) == pytest.approx((2300.0,) * 3)
    assert first["pf_avg"] == pytest.approx(1.0)
    assert second["p_imp_wh"] == pytest.approx(3 * 2300 * 40 * 75 / 3600)
    assert second["p_exp_wh"] == pytest.approx(3 * 2200 * 80 * 225 / 3600)
    assert second["s_vah"] == pytest.approx(second["p_imp_wh"] + second["p_exp_wh"])
    assert second["pf_avg"] == pytest.approx((second["p_imp_wh"] - second["p_exp_wh"]) / second["s_vah"])
    assert second["v1_avg"] == pytest.approx((2300 * 75 + 2200 * 225) / 300)
    assert (second["v1_min"], second["v1_max"]) == pytest.approx((2200.0, 2300.0))
    assert second["i2_avg"] == pytest.approx((40 * 75 + 80 * 225) / 300)
    assert second["i2_max"] == pytest.approx(80.0)
    assert second["p_max"] == pytest.approx(3 * 2300 * 40)
    assert second["frequency_avg"] == pytest.approx(50.0)
    assert second["thd_v1_max"] == pytest.approx(0.0, abs=1e-12)
    assert set(second) == {
        *("p_imp_wh", "p_exp_wh", "q_imp_varh", "q_exp_varh", "s_vah", "p_max", "pf_avg", "frequency_avg"),
        *(f"v{k}_{what}" for k in (1, 2, 3) for what in ("avg", "min", "max")),
        *(f"i{k}_{what}" for k in (1, 2, 3) for what in ("avg", "max")),
        *(f"thd_v{k}_max" for k in (1, 2, 3)),
    }


def test_a_steady_interval_still_has_its_extremes():
    one = replace(SETTINGS, load_profile_minutes=1)
    bank, feed = MeterBank([one], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    records = feed.run(bank, 3 * MINUTE)
    assert len(records) == 3
    for record in records:
        assert recorded(record)["v1_min"] == pytest.approx(230.0)
        assert recorded(record)["p_max"] == pytest.approx(2760.0)
