"""A bank's state depends on the signal alone: not on how the feed is cut, nor on who looks."""

from dataclasses import asdict, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.meters.bank import MeterBank
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.settings import AlarmChannel

ALARMS = (
    AlarmChannel(1, "<", 200.0, 0, True),
    AlarmChannel(9, ">", 4.5, 730_000_000, True),
    AlarmChannel(45, ">", 1000.0, 0, True),
    AlarmChannel(33, ">", 0.05, 200_000_000, True),
    AlarmChannel(51, enabled=True),
)
METERS = [
    replace(
        SETTINGS,
        name="first",
        alarm_enable=True,
        alarm_channels=ALARMS,
        sag_half_cycles=4,
        sag_waveform=True,
        swell_waveform=True,
        load_profile_minutes=1,
        demand_window_minutes=2,
    ),
    replace(
        SETTINGS,
        name="second",
        ct1=100,
        ct2=5,
        demand_mode="thermal",
        demand_window_minutes=1,
        energy_mode="fundamental",
        over_current_waveform=True,
        rated_current=5.0,
    ),
]


def site(rng, feed):
    """One random state: mostly near rated, sometimes in a sag, a swell or a transient."""
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))
    level = rng.choice([1.0, 1.0, 1.0, 0.5, 1.2]) * (1 + 0.02 * rng.normal(size=3))
    rms = np.zeros((12, 3), complex)
    for meter in range(2):
        rms[6 * meter : 6 * meter + 3, 0] = 230.0 * level * turn
        size = 4.0 * (1 + 0.3 * rng.normal(size=3)) * (1.0, 20.0)[meter]
        rms[6 * meter + 3 : 6 * meter + 6, 0] = size * turn * np.exp(-1j * rng.uniform(-1, 1))
    rms[:, 1:] = 0.03 * rms[:, :1] * rng.normal(size=(12, 2))
    rate = [0, 0, complex(-rng.uniform(1, 30), 900.0)] if rng.random() < 0.15 else None
    return feed.add(rms, rate=rate, frequency=float(rng.choice([50.0, 50.0, 49.97])))


def freeze(value):
    """A value that compares bit by bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if is_dataclass(value):
        return type(value).__name__, tuple((k, freeze(v)) for k, v in asdict(value).items())
    if isinstance(value, dict):
        return tuple((k, freeze(v)) for k, v in value.items())
    if isinstance(value, float):
        return np.float64(value).tobytes()
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


def live(seed, *, cut, look, meters=METERS, steps=14):
    """Live through the same signal; return everything that came out."""
    rng, cutter = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    bank, feed = MeterBank(meters, start_ns=T0 - 5 * SECOND), Feed(T0 - 5 * SECOND, orders=(1.0, 5.0, 7.0))
    out = []
    for step in range(steps):
        segment = site(rng, feed)
        assert segment is feed.segments[-1]
        for _ in range(rng.integers(1, 3)):
            duration = int(rng.choice([3_000_000, 40_000_000, 400_000_000, 2_000_000_000, 9_000_000_000]))
            duration += int(rng.integers(0, 1_000_000))
            lattice = range(feed.now // 100_000_000 * 100_000_000, feed.now + duration, 100_000_000)
            odd = (feed.now + cutter.integers(1, duration, size=3)).tolist()
            cuts = [*lattice, *odd] if cut else []
            for until in [
                *sorted(c for c in cuts if feed.now < c < feed.now + duration),
                feed.now + duration,
            ]:
                out += bank.advance(feed.segments[-1], until)
                if look:
                    bank.fast(0), bank.basic(1), bank.energies(0)
            feed.now += duration
            if not segment.rate.any():
                feed.anchor_again()
                out += bank.advance(feed.segments[-1], feed.now)
        if step == 6:
            bank.trigger_capture(1, feed.now)
            bank.preset_energy(0, "ep_imp", 5.0)
        if step == 9:
            bank.configure(1, replace(meters[1], current_direction=(True, False, True)), feed.now)
            bank.clear_extremes(0)
    state = [
        (bank.fast(m), bank.basic(m), bank.energies(m), bank.extremes(m), bank.events(m), bank.captures(m))
        for m in range(2)
    ]
    rings = [(bank.alarms.active(m), bank.in_event(m)) for m in range(2)]
    return freeze(out), freeze(state), freeze(rings)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31))
def test_cuts_and_looks_change_no_bit(seed):
    whole = live(seed, cut=False, look=False)
    assert live(seed, cut=True, look=True) == whole


REAL = [replace(meter, accuracy="class", seed=3) for meter in METERS]
SATURATING = [
    REAL[0],
    replace(
        REAL[1], transformer=CurrentTransformer(accuracy_class="5P10", winding_resistance=0.1, remanence=0.5)
    ),
]
SAMPLED = [METERS[0], replace(REAL[1], fidelity="sampled")]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**31))
def test_nor_do_they_with_errors_noise_and_clipping(seed):
    whole = live(seed, cut=False, look=False, meters=REAL)
    assert live(seed, cut=True, look=True, meters=REAL) == whole


@pytest.mark.parametrize(("meters", "seed"), [(SATURATING, 1), (SATURATING, 2), (SAMPLED, 2)])
def test_nor_do_they_with_samples(meters, seed):
    whole = live(seed, cut=False, look=False, meters=meters, steps=11)
    assert live(seed, cut=True, look=True, meters=meters, steps=11) == whole


def test_the_random_signal_of_this_file_makes_every_kind_of_record():
    kinds = set()
    for seed in range(6):
        records = live(seed, cut=False, look=False)[0]
        kinds |= {record[0] for record in records}
    assert kinds == {"AlarmRecord", "EventRecord", "WaveformRecord", "IntervalBlock"}


def test_records_come_in_order_of_time():
    key = {"IntervalBlock": "end_ns", "AlarmRecord": "time_ns"}
    for seed in range(3):
        times = [
            dict(record[1])[key[record[0]]]
            for record in live(seed, cut=True, look=False)[0]
            if record[0] in key
        ]
        assert times == sorted(times)


def hours(cuts, *, modes):
    """Live through two hours of loads that change now and then; return everything that came out."""
    meters = [
        replace(METERS[0], alarm_enable=False, **mode, load_profile_minutes=minutes)
        for mode, minutes in zip(modes, (15, 6, 5, 15), strict=False)
    ]
    bank, feed = MeterBank(meters, start_ns=T0 + 1234), Feed(T0 + 1234)
    rng, out = np.random.default_rng(5), []
    for minutes in (17.0, 0.01, 31.3, 12.0, 42.0, 1.5):
        feed.add(phasors(230.0, rng.uniform(1, 9), rng.uniform(-1, 1), meters=len(meters)))
        duration = int(minutes * MINUTE)
        out += feed.run(bank, duration, cuts=[feed.now + round(cut * MINUTE) for cut in cuts])
    state = [(bank.basic(m), bank.energies(m), bank.extremes(m)) for m in range(len(meters))]
    return freeze(out), freeze(state)


@pytest.mark.parametrize("thermal", [False, True])
def test_nor_do_they_over_quiet_hours(thermal):
    modes = [
        {"demand_mode": "sliding", "demand_window_minutes": 15},
        {"demand_mode": "fixed", "demand_window_minutes": 30},
        {"demand_mode": "rolling", "demand_window_minutes": 15, "demand_sub_interval_minutes": 5},
        {"demand_mode": "thermal" if thermal else "sliding", "demand_window_minutes": 4},
    ]
    whole = hours([], modes=modes)
    assert hours(np.arange(0.0, 45.0, 0.37).tolist(), modes=modes) == whole
    assert hours([0.5, 1.0, 14.0, 20.0, 30.01], modes=modes) == whole
