"""Stores of heat: closed forms of their cycles, and the cold-load pickup that follows from them."""

import math

import numpy as np
import pytest
import simpy

from tests.simulation.population import ORDERS, Listener
from twin.contracts import NS_PER_SECOND
from twin.simulation.load_sink import random_stream
from twin.simulation.ports import SteadySupply
from twin.simulation.thermostatic import (
    ThermostatError,
    ThermostaticLoad,
    ThermostatSettings,
    start_thermostatic_loads,
)

BOILER = ThermostatSettings(
    "boiler", power=2000.0, capacity=4.0e5, resistance=0.05, low=55.0, high=60.0, ambient=18.0
)
FREEZER = ThermostatSettings(
    "freezer",
    power=100.0,
    capacity=2.0e5,
    resistance=0.4,
    low=-20.0,
    high=-16.0,
    ambient=20.0,
    performance=-2.0,
    power_factor=0.7,
    resistive=False,
    restart_delay=180.0,
)


class Switched:
    """A supply with a handle."""

    def __init__(self):
        self.u_pu = 1.0
        self.watchers = []

    def voltage(self, load):
        return self.u_pu

    def watch(self, load, watcher):
        self.watchers.append(watcher)

    def set(self, u_pu):
        self.u_pu = u_pu
        for watcher in self.watchers:
            watcher()


def seconds(value: float) -> int:
    return round(value * NS_PER_SECOND)


def one(settings, supply=None, seed=1):
    env = simpy.Environment(initial_time=0)
    sink = Listener()
    sink.env = env
    store = ThermostaticLoad(
        env, sink, 0, settings, orders=ORDERS, rng=random_stream(seed, "x"), supply=supply or SteadySupply()
    )
    env.process(store.run())
    return env, sink, store


@pytest.mark.parametrize("settings", [BOILER, FREEZER])
def test_cycles_last_as_the_exponentials_say(settings):
    env, sink, store = one(settings)
    env.run(seconds(40_000.0))
    at = [time / 1e9 for _, time, _, delta in sink.heard if time > 0]
    ups = [delta > 0 for _, time, _, delta in sink.heard if time > 0]
    tau = settings.capacity * settings.resistance
    hot = settings.ambient + settings.resistance * settings.performance * settings.power
    start, stop = (settings.low, settings.high) if settings.performance > 0 else (settings.high, settings.low)
    on = tau * math.log((hot - start) / (hot - stop))
    off = tau * math.log((stop - settings.ambient) / (start - settings.ambient))
    assert settings.duty == pytest.approx(on / (on + off), rel=1e-12)
    lasted = np.diff(at)
    was_on = np.array(ups[:-1])
    assert len(lasted) >= 4
    assert lasted[was_on] == pytest.approx(on, rel=1e-6)
    assert lasted[~was_on] == pytest.approx(off, rel=1e-6)
    assert settings.low - 1e-6 <= store.temperature <= settings.high + 1e-6


def test_reactive_power_follows_the_power_factor():
    env, sink, _ = one(FREEZER)
    env.run(seconds(40_000.0))
    values = {(float(round(sink.p[0], 3)), float(round(sink.q[0], 3)))}
    assert values <= {(0.0, 0.0), (100.0, round(100.0 * math.tan(math.acos(0.7)), 3))}


def pickup(outage: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, float]:
    """Power each minute around an outage that starts after two hours."""
    env = simpy.Environment(initial_time=0)
    sink, supply = Listener(), Switched()
    stores = start_thermostatic_loads(
        env, sink, loads=[0] * 300, settings=BOILER, orders=ORDERS, seed=seed, supply=supply
    )
    wanted = float(np.mean([store.settings.duty * store.settings.power for store in stores])) * 300
    times = np.arange(0, 12 * 60 + 1) * 60.0 + 1.0
    power = []
    for time in times:
        for when, u_pu in ((7200.0, 0.0), (7200.0 + outage, 1.0)):
            if env.now < seconds(when) <= seconds(time):
                env.run(seconds(when))
                supply.set(u_pu)
        env.run(seconds(time))
        power.append(float(sink.p[0]) * (supply.u_pu > 0))
    return times, np.array(power), wanted


def test_an_outage_removes_diversity_and_time_brings_it_back():
    times, power, wanted = pickup(outage=7200.0)
    before = power[times < 7200].mean()
    assert before == pytest.approx(wanted, rel=0.1)
    back = power[times >= 14_400.0]
    rated = 300 * 2000.0
    assert back[0] > 0.97 * rated  # all of them
    assert back[0] > 1.5 * before
    assert back[30] > 1.1 * before  # still more after half an hour
    assert back[-120:].mean() == pytest.approx(wanted, rel=0.1)


def test_longer_outages_pick_up_more_and_short_ones_nothing():
    peaks = [pickup(outage)[1][pickup(outage)[0] >= 7200.0 + outage][0] for outage in (30.0, 1200.0, 7200.0)]
    assert peaks[0] < peaks[1] < peaks[2]


def test_energy_missed_is_taken_later():
    """The store that was dead for a time takes about the heat that it lost, above its mean."""
    env, supply = simpy.Environment(initial_time=0), Switched()
    sink = Listener()
    (store,) = start_thermostatic_loads(
        env, sink, loads=[0], settings=BOILER, orders=ORDERS, seed=3, spread=0.0, supply=supply
    )
    env.run(seconds(100.0))
    start = store.temperature
    supply.set(0.0)
    env.run(seconds(3700.0))
    tau = BOILER.capacity * BOILER.resistance
    assert store.temperature == pytest.approx(18.0 + (start - 18.0) * math.exp(-3600 / tau), rel=1e-9)
    assert store.on
    supply.set(1.0)
    heated = tau * math.log((18.0 + 100.0 - store.temperature) / (18.0 + 100.0 - 60.0))
    env.run(seconds(3700.0 + heated - 1.0))
    assert store.on
    env.run(seconds(3700.0 + heated + 1.0))
    assert not store.on


def test_a_sag_heats_slower():
    supply = Switched()
    env, _, store = one(BOILER, supply)
    while not store.on:
        env.step()
    supply.set(0.8)
    env.run(env.now + 1)
    start = store.temperature
    env.run(env.now + seconds(60.0))
    final = 18.0 + 0.05 * 2000.0 * 0.64
    tau = BOILER.capacity * BOILER.resistance
    assert store.temperature == pytest.approx(final + (start - final) * math.exp(-60 / tau), rel=1e-6)


def test_a_compressor_waits_after_an_outage():
    supply = Switched()
    env, sink, store = one(FREEZER, supply)
    while not store.on:
        env.step()
    start = int(env.now)
    env.run(start + seconds(1.0))
    supply.set(0.0)
    env.run(start + seconds(2.0))
    assert sink.p[0] == 0.0
    supply.set(1.0)
    env.run(start + seconds(181.9))
    assert sink.p[0] == 0.0
    env.run(start + seconds(182.1))
    assert sink.p[0] == pytest.approx(100.0)


def test_the_same_seed_is_the_same_day_whoever_else_is_there():
    heard = []
    for loads in ([0, 0], [0, 0, 0]):
        env, sink = simpy.Environment(initial_time=0), Listener()
        sink.env = env
        start_thermostatic_loads(env, sink, loads=loads, settings=BOILER, orders=ORDERS, seed=9)
        env.run(seconds(20_000.0))
        heard.append([entry for entry in sink.heard if entry[2].startswith(("boiler 1:", "boiler 2:"))])
    assert heard[0] == heard[1]
    assert len(heard[0]) > 10


@pytest.mark.parametrize(
    "change", [{"power": 0.0}, {"low": 61.0}, {"ambient": 70.0}, {"performance": 0.0}, {"power_factor": 1.2}]
)
def test_stores_that_cannot_be_are_refused(change):
    data = {name: getattr(BOILER, name) for name in BOILER.__dataclass_fields__}
    with pytest.raises(ThermostatError, match="boiler"):
        ThermostatSettings(**{**data, **change})
