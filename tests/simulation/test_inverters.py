"""An inverter on a bus: what it feeds in when voltage is good, in sags, after trips, by its curves."""

import math

import numpy as np
import pytest
import simpy

from tests.simulation.bench_bus import BenchBus
from twin.contracts import NS_PER_SECOND
from twin.grid.machines.inverter import VOLT_VAR_1547_B, Inverter, InverterError
from twin.grid.machines.ride_through import EN_50549_1
from twin.simulation.inverters import InverterSettings, start_inverter

ORDERS = (1, 3, 5, 7)
NOTHING = np.zeros(len(ORDERS), dtype=complex)
RATED = 400.0 / math.sqrt(3)
PLAIN = Inverter(30_000.0, RATED)


class LoadedBus(BenchBus):
    """The bench with a load of constant power on each phase."""

    def __init__(self, **options):
        super().__init__(**options)
        self.power = np.zeros(3, dtype=complex)
        self.told = 0

    def change(self, load, delta_p, delta_q, delta_emission, *, cause):
        self.power[load] += complex(delta_p, delta_q)
        self.told += 1

    def voltages(self):
        volts = self.source.copy()
        for _ in range(200):
            with np.errstate(all="ignore"):
                current = np.where(np.abs(volts) > 1e-3, np.conj(self.power / volts), 0.0)
            volts = self.source - self.impedance * current
        return volts

    def delivered(self):
        return -self.power


def seconds(value: float) -> int:
    return round(value * NS_PER_SECOND)


def bench(inverter=PLAIN, *, impedance=0.02 + 0.04j, **options):
    env = simpy.Environment(initial_time=0)
    bus = LoadedBus(impedance=impedance)
    settings = InverterSettings("roof", inverter, EN_50549_1, **options)
    loads = (0, 1, 2)[: inverter.phases]
    unit = start_inverter(env, bus, bus, loads=loads, settings=settings, orders=ORDERS)
    env.run(1)
    return env, bus, unit


def shine(env, unit, watts):
    unit.change(0, -watts, 0.0, NOTHING, cause="sun")
    env.run(env.now + 1)


def test_it_delivers_what_there_is():
    env, bus, unit = bench()
    shine(env, unit, 24_000.0)
    assert bus.delivered() == pytest.approx(np.full(3, 8_000.0 + 0j), abs=60.0)
    shine(env, unit, -24_000.0)
    assert (bus.delivered() == 0).all()


def test_it_never_exceeds_its_rating():
    env, bus, unit = bench()
    shine(env, unit, 50_000.0)
    assert bus.delivered().sum().real == pytest.approx(30_000.0, rel=3e-3)


def test_in_an_unbalanced_sag_its_current_is_balanced_and_limited():
    env, bus, unit = bench()
    shine(env, unit, 30_000.0)
    bus.disturb([1.0, 0.55, 0.55])
    env.run(env.now + 1)
    assert unit.mode == "running"
    current = np.conj(bus.delivered() / bus.voltages())
    assert np.abs(current) == pytest.approx(1.1 * PLAIN.i_rated, rel=5e-3)
    assert abs(current.sum()) < 0.01 * PLAIN.i_rated


def test_a_deep_sag_pauses_it_and_it_recovers_within_its_time():
    env, bus, unit = bench()
    shine(env, unit, 30_000.0)
    bus.disturb([0.3, 0.3, 0.3])
    env.run(env.now + seconds(0.1))
    assert unit.mode == "paused"
    assert (bus.delivered() == 0).all()
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + seconds(0.5))
    assert bus.delivered().sum().real == pytest.approx(15_000.0, rel=0.05)
    env.run(env.now + seconds(0.6))
    assert bus.delivered().sum().real == pytest.approx(30_000.0, rel=5e-3)
    told = bus.told
    env.run(env.now + seconds(3600.0))
    assert bus.told == told  # at rest nothing happens


def test_it_trips_waits_and_ramps():
    env, bus, unit = bench()
    shine(env, unit, 30_000.0)
    bus.disturb([0.4, 0.4, 0.4])
    env.run(env.now + seconds(0.31))
    assert unit.mode == "tripped"
    bus.disturb([1.0, 1.0, 1.0])
    back = int(env.now)
    env.run(back + seconds(59.9))
    assert (bus.delivered() == 0).all()
    env.run(back + seconds(60.0 + 300.0))
    assert bus.delivered().sum().real == pytest.approx(15_000.0, rel=0.05)
    env.run(back + seconds(60.0 + 620.0))
    assert bus.delivered().sum().real == pytest.approx(30_000.0, rel=5e-3)


def test_frequency_trips_it():
    env, bus, unit = bench()
    shine(env, unit, 10_000.0)
    bus.hertz = 51.7
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + seconds(0.25))
    assert unit.mode == "tripped"


def test_volt_var_holds_the_voltage_down_with_its_response():
    smart = Inverter(30_000.0, RATED, volt_var=VOLT_VAR_1547_B)
    env, bus, _ = bench(smart, impedance=0.1 + 0.3j)
    bus.disturb([1.05, 1.05, 1.05])
    env.run(env.now + seconds(30.0))
    u_pu = abs(bus.voltages()[0]) / RATED
    assert u_pu < 1.05
    wanted = VOLT_VAR_1547_B.at(float(u_pu)) * 30_000.0
    assert bus.delivered().sum().imag == pytest.approx(wanted, abs=0.015 * 30_000.0)
    assert wanted < -1_000.0
    before = bus.delivered().sum().imag
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + 1)
    assert bus.delivered().sum().imag == pytest.approx(before, abs=200.0)  # not at once
    env.run(env.now + seconds(30.0))
    assert abs(bus.delivered().sum().imag) < 0.02 * 30_000.0


def test_one_phase_alone():
    env, bus, unit = bench(Inverter(4_600.0, RATED, phases=1), phases=(0,))
    shine(env, unit, 4_000.0)
    assert bus.delivered()[0].real == pytest.approx(4_000.0, rel=3e-3)
    assert (bus.delivered()[1:] == 0).all()


def test_the_same_again():
    powers = []
    for _ in range(2):
        env, bus, unit = bench()
        shine(env, unit, 20_000.0)
        bus.disturb([0.7, 0.6, 0.9])
        env.run(env.now + seconds(10.0))
        powers.append((bus.power.copy(), bus.told))
    assert (powers[0][0] == powers[1][0]).all()
    assert powers[0][1] == powers[1][1]


def test_phases_have_to_fit():
    with pytest.raises(InverterError, match="phases"):
        InverterSettings("roof", PLAIN, EN_50549_1, phases=(0,))
    with pytest.raises(InverterError, match="response"):
        InverterSettings("roof", PLAIN, EN_50549_1, response=0.0)
