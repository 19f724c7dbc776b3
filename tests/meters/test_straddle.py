"""Bounds over a boundary: nothing that a window shows lies outside, and alarms do not change by them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.feed import SETTINGS, T0, Feed
from tests.meters.test_cut_invariance import live
from twin.meters.alarms import AlarmEngine
from twin.meters.bank import MeterBank
from twin.meters.front_end import FrontEnd
from twin.meters.inputs import Inputs
from twin.meters.quantities import DEMAND_COLUMNS, NAMES
from twin.meters.settings import AlarmChannel
from twin.meters.straddle import straddle_bounds
from twin.meters.window import Conventions, MeasuringWindow
from twin.meters.wiring import Wirings
from twin.metrology import phasor_step_bound

MS = 1_000_000


def bounds_and_windows(seed, size, *, meters=4, levels=(1.0, 1.0, 0.04, 0.0012, 0.0)):
    """Bounds over a boundary, and the values of windows that straddle it everywhere."""
    rng = np.random.default_rng(seed)
    flags = Conventions(*(rng.random(meters) < 0.3 for _ in range(3)), Wirings([SETTINGS] * meters))
    feed = Feed(orders=(1.0, 3.0, 5.0), theta=rng.uniform(0, 6))
    front_end = FrontEnd(Inputs([SETTINGS] * meters), start_ns=T0)
    window = MeasuringWindow(front_end, flags, cycles=10)
    turn = np.tile(np.exp(-2j * np.pi / 3 * np.arange(3)), 2 * meters)
    level = np.tile(np.repeat([230.0, 4.0], 3), meters) * rng.choice(levels, 6 * meters)
    rms = (level * turn * np.exp(1j * rng.uniform(-2, 2, 6 * meters)))[:, None] * [1.0, 0.05, 0.03]
    front_end.append(feed.add(rms))
    before = window.begin_stretch()
    feed.now += int(rng.integers(300 * MS, 320 * MS))
    boundary = feed.now
    change = rng.normal(size=rms.shape) + 1j * rng.normal(size=rms.shape)
    front_end.append(feed.add(rms + size * change * np.abs(rms)))
    after = window.begin_stretch()
    _, high = phasor_step_bound(before.phasors, after.phasors)
    ticks = boundary + rng.integers(0, 200 * MS, size=12)
    values = [window.between(front_end.cycles_before(int(tick), 10), int(tick)).values for tick in ticks]
    return straddle_bounds(before, after, high, flags), values, flags


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1e-6, 0.003, 0.05, 0.5, 2.0]))
def test_no_window_shows_a_value_outside_its_bounds(seed, size):
    (lowest, highest), windows, _ = bounds_and_windows(seed, size)
    for values in windows:
        for column, name in enumerate(NAMES):
            if column in range(*DEMAND_COLUMNS.indices(len(NAMES))) or name.startswith("ai"):
                continue
            assert (values[:, column] >= lowest[:, column] - 1e-9).all(), name
            assert (values[:, column] <= highest[:, column] + 1e-9).all(), name


def test_a_small_step_has_close_bounds():
    (lowest, highest), windows, _ = bounds_and_windows(3, 1e-6, levels=(1.0,))
    width = (highest - lowest) / np.maximum(np.abs(windows[0]), 1.0)
    unknown = {NAMES[column] for column in np.flatnonzero(~np.isfinite(width).all(axis=0))}
    expected = {"load_type", "ai1", "ai2", "ai3", "ai4", *NAMES[DEMAND_COLUMNS]}
    # Of the four meters one counts Q by sqrt(S^2 - P^2), or shows another power factor than P/S.
    assert unknown - {"q1", "q2", "q3", "q_sum", "pf1", "pf2", "pf3", "pf"} == expected
    assert width[np.isfinite(width)].max() < 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_looking_at_every_tick_gives_the_same_records(seed, monkeypatch):
    spared = live(seed, cut=False, look=False)
    monkeypatch.setattr(AlarmEngine, "unmoved", lambda *_: False)
    assert live(seed, cut=False, look=False) == spared


def test_a_quiet_alarm_is_not_looked_at(monkeypatch):
    channel = AlarmChannel(9, ">", 100.0, 0, True)
    one = replace(SETTINGS, alarm_enable=True, alarm_channels=(channel,))
    bank, feed = MeterBank([one], start_ns=T0), Feed()
    looked = []
    monkeypatch.setattr(AlarmEngine, "evaluate", lambda self, ns, values: looked.append(ns) or [])
    rms = np.array([230.0, 230.0, 230.0, 4.0, 4.0, 4.0])[:, None]
    for k in range(3):
        feed.add(rms * (1 + 0.01 * k))
        feed.run(bank, 550 * MS)
    # The begin, and 1.0 s, which shows maxima anyway.
    assert [(ns - T0) // MS for ns in looked] == [100, 1000]


def test_an_unknown_or_passing_value_is_looked_at():
    """Bounds on both sides of a band say nothing of what lies between: equality, and the turned angle."""
    one = replace(
        SETTINGS,
        alarm_enable=True,
        alarm_channels=(AlarmChannel(51, enabled=True), AlarmChannel(1, "=", 230.0, 0, True)),
    )
    engine = AlarmEngine([one])
    bounds = np.zeros((2, 1, len(NAMES)))
    for angle, volts, unmoved in (
        ((230.0, 250.0), (231.0, 233.0), True),
        ((170.0, 250.0), (231.0, 233.0), False),
        ((-np.inf, np.inf), (231.0, 233.0), False),
        ((230.0, 250.0), (229.0, 231.0), False),
    ):
        bounds[:, 0, 51], bounds[:, 0, 1] = angle, volts
        assert engine.unmoved(bounds) is unmoved
