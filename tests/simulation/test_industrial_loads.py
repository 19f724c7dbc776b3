"""Welders and arc furnaces on a bus: what they draw, phase by phase, when, and that it is the same again."""

import math

import numpy as np
import pytest
import simpy

from tests.simulation.bench_bus import TURNS, BenchBus
from tests.simulation.population import ORDERS, Listener
from twin.contracts import NS_PER_SECOND
from twin.simulation.arc_furnace import (
    STAGES,
    FurnaceError,
    FurnaceSettings,
    Stage,
    star_admittance,
    start_arc_furnace,
)
from twin.simulation.welders import WelderError, WelderSettings, start_welder, welder_admittance

SPOT = WelderSettings("spot", s_welding=80_000.0, u_rated=400.0, on_cycles=10, off_cycles=25)
FURNACE = FurnaceSettings("furnace", u_rated=20_000.0, s_short_circuit=30e6, first_wait=(0.0, 0.0))


def seconds(value: float) -> int:
    return round(value * NS_PER_SECOND)


def test_a_welder_draws_its_power_between_two_phases_and_nothing_from_the_third():
    volts = 400.0 / math.sqrt(3) * TURNS
    current = welder_admittance(SPOT) @ volts
    assert current[2] == 0.0
    assert current[0] == pytest.approx(-current[1])
    power = sum(volts * np.conj(current))
    assert power == pytest.approx(80_000.0 * complex(0.5, math.sqrt(0.75)))


def weld(seed=1, hours=0.2):
    env = simpy.Environment(initial_time=0)
    bus = BenchBus(impedance=0.02 + 0.04j)
    bus.env = env
    start_welder(env, bus, settings=SPOT, seed=seed)
    env.run(seconds(3600.0 * hours))
    return bus


def test_spots_last_whole_cycles_and_come_in_trains():
    heard = [(at, cause) for at, cause in weld().heard if "spot " in cause]
    starts = [at for at, cause in heard if not cause.endswith("done")]
    ends = [at for at, cause in heard if cause.endswith("done")]
    assert len(ends) > 100
    assert {end - start for start, end in zip(starts, ends, strict=False)} == {seconds(0.2)}
    gaps = np.diff(starts) / 1e9
    assert np.isclose(gaps[gaps < 1.0], 0.7).all()
    pauses = gaps[gaps > 1.0] - 0.7
    assert ((pauses >= 5.0) & (pauses <= 30.0)).all()
    per_train = len(starts) / (1 + len(pauses))
    assert 5 <= per_train <= 15


def test_the_same_seed_welds_the_same_and_another_does_not():
    assert weld().heard == weld().heard
    assert weld().heard != weld(seed=2).heard


@pytest.mark.parametrize(
    "change",
    [{"phases": (1, 1)}, {"phases": (0, 3)}, {"on_cycles": 0}, {"spots": (5, 2)}, {"power_factor": 0.0}],
)
def test_welders_that_cannot_be_are_refused(change):
    data = {name: getattr(SPOT, name) for name in SPOT.__dataclass_fields__}
    with pytest.raises(WelderError, match="spot"):
        WelderSettings(**{**data, **change})


def test_a_star_without_earth_by_kirchhoff():
    y = np.array([0.2 - 0.1j, 0.1 - 0.4j, 0.3 + 0.05j])
    volts = 230.0 * TURNS * np.array([1.0, 0.8, 1.1])
    star = sum(y * volts) / sum(y)
    assert star_admittance(y) @ volts == pytest.approx(y * (volts - star))


def melt(settings=FURNACE, minutes=1.0, seed=4):
    env = simpy.Environment(initial_time=0)
    bus, sink = BenchBus(volts=20_000.0, impedance=0.3 + 2.0j), Listener(3)
    bus.env = sink.env = env
    furnace = start_arc_furnace(env, bus, sink, loads=(0, 1, 2), settings=settings, orders=ORDERS, seed=seed)
    seen = []
    while env.peek() <= seconds(60.0 * minutes):
        env.step()
        if bus.closed:
            seen.append((int(env.now), bus.currents(), bus.voltages(), sink.emission.copy()))
    return bus, sink, furnace, seen


def test_arcs_are_unequal_limited_by_the_short_circuit_and_leave_no_neutral_current():
    bus, _, furnace, seen = melt()
    assert furnace.stage == "bore-in"
    currents = np.array([current for _, current, _, _ in seen])
    assert np.abs(currents.sum(axis=1)).max() < 1e-6 * np.abs(currents).max()
    spread = np.ptp(np.abs(currents), axis=1) / np.abs(currents).mean(axis=1)
    assert spread.mean() > 0.1
    rated = 30e6 / (math.sqrt(3) * 20_000.0)
    assert np.abs(currents).max() < 1.2 * rated
    causes = " ".join(cause for _, cause in bus.heard)
    assert "touches the scrap" in causes
    assert "is lost" in causes


def test_changes_are_steps_at_least_a_half_cycle_apart():
    _, _, _, seen = melt()
    times = np.unique([at for at, *_ in seen])
    assert np.diff(times).min() >= seconds(0.01)
    assert np.diff(times).mean() / 1e9 == pytest.approx(STAGES[0].dwell, rel=0.1)


def test_harmonics_follow_the_current_even_ones_included_and_need_no_neutral():
    _, _, _, seen = melt(minutes=0.2)
    orders = np.array(ORDERS)
    for _, current, volts, emission in seen[10::20]:
        drawn = emission * np.exp(1j * orders * np.angle(volts)[:, None]) / np.abs(volts)[:, None]
        assert np.abs(drawn.sum(axis=0)).max() < 1e-6 * np.abs(current).max()
        size = np.sqrt((np.abs(drawn) ** 2).sum(axis=0) / (np.abs(current) ** 2).sum())
        assert 0.0 < size[1] <= 0.0771  # second
        assert 0.02 < size[4] <= 0.0421  # fifth
        assert size[5] == 0.0
    assert all(emission[0, 0] == 0.0 for *_, emission in seen)


def test_a_heat_goes_through_its_stages_and_pauses():
    fast = tuple(
        Stage(at.name, (0.05, 0.05), at.arc, at.swing, at.step, at.dwell, at.touching, at.lost, at.harmonics)
        for at in STAGES
    )
    settings = FurnaceSettings(
        "furnace", 20_000.0, 30e6, stages=fast, pause=(0.1, 0.1), first_wait=(0.0, 0.0)
    )
    bus, sink, furnace, _ = melt(settings, minutes=0.2)
    assert furnace.stage == "pause"
    assert np.abs(sink.emission).max() == 0.0
    assert not bus.closed
    order = [cause.split(": ")[0].split(", ")[1] for _, cause in bus.heard if ", " in cause]
    assert list(dict.fromkeys(order)) == ["bore-in", "melting", "refining"]
    power = [cause for _, cause in bus.heard if "power o" in cause]
    assert power == ["furnace: power on", "furnace: power off"]


def test_refining_is_calmer_than_boring_in():
    def unrest(stage):
        settings = FurnaceSettings("furnace", 20_000.0, 30e6, stages=(stage,), first_wait=(0.0, 0.0))
        volts = np.array([np.abs(volts) for _, _, volts, _ in melt(settings)[3]])
        return float(np.abs(np.diff(volts, axis=0)).mean())

    assert unrest(STAGES[2]) < 0.3 * unrest(STAGES[0])


def test_the_same_seed_melts_the_same():
    one, other = melt(minutes=0.1), melt(minutes=0.1)
    assert one[0].heard == other[0].heard
    assert (one[1].emission == other[1].emission).all()
    assert melt(minutes=0.1, seed=5)[0].heard != one[0].heard


@pytest.mark.parametrize(
    "change", [{"stages": ()}, {"least_dwell": 1e-4}, {"x_over_r": 0.0}, {"least_dwell": 0.05}]
)
def test_furnaces_that_cannot_be_are_refused(change):
    with pytest.raises(FurnaceError, match="furnace"):
        FurnaceSettings(**{"name": "furnace", "u_rated": 2e4, "s_short_circuit": 3e7, **change})
