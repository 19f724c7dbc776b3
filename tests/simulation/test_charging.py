"""Chargers and batteries: energies by hand, days drawn alike whenever one starts, outages, schedules."""

import math
from datetime import date

import numpy as np
import pytest
import simpy

from tests.simulation.population import ORDERS, Listener
from tests.simulation.test_thermostatic import Switched
from twin.contracts import NS_PER_SECOND
from twin.simulation.battery import BatteryError, BatterySettings, MeteredSink, Order, start_battery
from twin.simulation.charging import (
    ChargerError,
    ChargerSettings,
    charging_course,
    draw_session,
    start_charger,
)
from twin.simulation.occupancy import Calendar

BERLIN = Calendar()
CAR = ChargerSettings("car", power=11_000.0)
DAY = date(2026, 1, 14)
MIDNIGHT = BERLIN.utc_ns(DAY, 0.0)
HOUR = 3600 * NS_PER_SECOND
NOTHING = np.zeros(len(ORDERS), dtype=complex)


def energy(listener: Listener, until_ns: int, load: int = 0) -> float:
    """Of a load point [Wh], from what was heard."""
    total = 0.0
    for where, at, _, delta in listener.heard:
        if where == load:
            total += delta * (until_ns - at) / HOUR
    return total


def charge(settings=CAR, *, days=1.0, start=MIDNIGHT, supply=None, loads=(0,), seed=1):
    env = simpy.Environment(initial_time=start)
    sink = Listener(3)
    sink.env = env
    charger = start_charger(
        env, sink, loads=loads, settings=settings, orders=ORDERS, calendar=BERLIN, seed=seed, supply=supply
    )
    env.run(start + round(days * 24 * HOUR))
    return env, sink, charger


@pytest.mark.parametrize("charge_on_arrival", [0.1, 0.8, 0.9])
def test_the_course_brings_what_the_battery_misses(charge_on_arrival):
    course = list(charging_course(CAR, charge_on_arrival))
    joule = sum(seconds * power for seconds, power in course)
    assert joule * 0.9 / 3600 == pytest.approx((1.0 - charge_on_arrival) * 58e3, rel=1e-9)
    powers = [power for _, power in course]
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] == pytest.approx(0.05 * 11_000.0)
    # The taper of dx/dt = -x/T in ten steps: the mean power over a step is that of its middle.
    assert powers[-2] == pytest.approx(0.15 * 11_000.0)


def test_a_session_charges_what_it_misses_in_its_night():
    hours = {"arrival": (18.0, 0.0), "departure": (8.0, 0.0)}
    always = ChargerSettings("car", power=11_000.0, share_of_days=1.0, **hours)
    session = draw_session(always, BERLIN, DAY, 1)
    assert session.arrives_ns == MIDNIGHT + 18 * HOUR
    assert session.departs_ns == MIDNIGHT + 32 * HOUR
    start = MIDNIGHT + 12 * HOUR
    env, sink, charger = charge(always, start=start, days=20 / 24)
    assert energy(sink, int(env.now)) * 0.9 == pytest.approx((1.0 - session.charge) * 58e3, rel=1e-3)
    assert charger.charge == pytest.approx(1.0, abs=1e-6)
    assert sink.p[0] == 0.0


def test_a_short_stay_ends_the_charge():
    hurried = ChargerSettings(
        "car",
        power=2_300.0,
        share_of_days=1.0,
        arrival=(22.0, 0.0),
        departure=(1.0, 0.0),
        energy=(40e3, 0.0),
    )
    env, sink, charger = charge(hurried, start=MIDNIGHT + 12 * HOUR)
    assert energy(sink, int(env.now)) == pytest.approx(3 * 2_300.0, rel=1e-9)
    assert charger.charge == pytest.approx(1 - 40 / 58 + 3 * 2.3 * 0.9 / 58, rel=1e-9)


def test_days_do_not_depend_on_when_one_starts():
    busy = ChargerSettings("car", power=3_700.0, share_of_days=1.0)
    _, one, _ = charge(busy, days=4)
    _, other, _ = charge(busy, start=MIDNIGHT + 21 * HOUR + 17, days=3 + 3 / 24)
    late = MIDNIGHT + 40 * HOUR
    assert [entry for entry in one.heard if entry[1] > late] == [
        entry for entry in other.heard if entry[1] > late
    ][: len([entry for entry in one.heard if entry[1] > late])]
    assert len([entry for entry in one.heard if entry[1] > late]) > 5


def test_a_year_of_sessions_has_the_shares_that_were_asked_for():
    sessions = [draw_session(CAR, BERLIN, date.fromordinal(DAY.toordinal() + at), 5) for at in range(2000)]
    held = [session for session in sessions if session is not None]
    assert len(held) / 2000 == pytest.approx(0.6, abs=0.04)
    missing = np.array([(1 - session.charge) * 58e3 for session in held])
    assert float(np.median(missing)) == pytest.approx(12e3, rel=0.06)
    assert all(session.departs_ns > session.arrives_ns for session in held)


def test_three_phases_share_the_power_and_its_harmonics():
    busy = ChargerSettings("car", power=11_000.0, share_of_days=1.0, arrival=(18.0, 0.0))
    _, sink, _ = charge(busy, start=MIDNIGHT + 12 * HOUR, days=6.01 / 24, loads=(0, 1, 2))
    assert sink.p == pytest.approx([11_000.0 / 3] * 3, abs=1e-6)
    assert (sink.q < 0).all()
    third = abs(sink.emission[0, 2]) / math.hypot(sink.p[0], sink.q[0])
    assert 0.0 < third < 0.216


def test_an_outage_interrupts_and_is_made_up_for():
    supply = Switched()
    hours = {"arrival": (18.0, 0.0), "departure": (12.0, 0.0)}
    slow = ChargerSettings("car", power=3_700.0, share_of_days=1.0, **hours)
    env, sink, charger = charge(slow, start=MIDNIGHT + 12 * HOUR, days=6.5 / 24, supply=supply)
    assert sink.p[0] == pytest.approx(3_700.0)
    supply.set(0.0)
    env.run(env.now + HOUR)
    assert sink.p[0] == 0.0
    supply.set(1.0)
    env.run(env.now + 4 * NS_PER_SECOND)
    assert sink.p[0] == 0.0
    env.run(env.now + 57 * NS_PER_SECOND)
    assert sink.p[0] == pytest.approx(3_700.0)
    env.run(MIDNIGHT + 36 * HOUR)
    session = draw_session(slow, BERLIN, DAY, 1)
    assert energy(sink, int(env.now)) * 0.9 == pytest.approx((1.0 - session.charge) * 58e3, rel=1e-3)
    assert charger.charge == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    "change", [{"power": 0.0}, {"efficiency": 1.1}, {"taper_from": 1.0}, {"restart": (9.0, 1.0)}]
)
def test_chargers_that_cannot_be_are_refused(change):
    with pytest.raises(ChargerError, match="car"):
        ChargerSettings(**{"name": "car", "power": 11e3, **change})
    with pytest.raises(ChargerError, match="one or three"):
        charge(loads=(0, 1))


def store(settings, *, with_meter=True):
    env = simpy.Environment(initial_time=MIDNIGHT)
    sink = Listener(2)
    sink.env = env
    meter = MeteredSink(sink, [0])
    battery = start_battery(
        env,
        sink,
        loads=(1,),
        settings=settings,
        orders=ORDERS,
        calendar=BERLIN,
        meter=meter if with_meter else None,
    )
    return env, sink, meter, battery


def test_self_consumption_takes_the_surplus_and_gives_it_back():
    env, sink, meter, battery = store(BatterySettings("store", 10_000.0, 5_000.0))
    env.run(env.now + HOUR)
    meter.change(0, -3_000.0, 0.0, NOTHING, cause="sun")
    env.run(env.now + NS_PER_SECOND // 2)
    assert battery.power == 0.0
    env.run(env.now + NS_PER_SECOND)
    assert sink.p == pytest.approx([-3_000.0, 3_000.0])
    env.run(env.now + HOUR)
    assert battery.charge == pytest.approx(0.5 + 3_000.0 * 0.95 / 10_000.0, abs=1e-3)
    meter.change(0, 5_000.0, 0.0, NOTHING, cause="clouds and a cooker")
    env.run(env.now + 2 * NS_PER_SECOND)
    assert sink.p.sum() == pytest.approx(0.0, abs=1e-3)
    held = battery.charge
    env.run(env.now + HOUR)
    assert held - battery.charge == pytest.approx(2_000.0 / 0.95 / 10_000.0, rel=1e-6)


def test_it_stops_when_full_when_empty_and_at_its_rating():
    env, _, meter, battery = store(BatterySettings("store", 10_000.0, 5_000.0, initial=0.9))
    env.run(env.now + 1)
    meter.change(0, -8_000.0, 0.0, NOTHING, cause="sun")
    env.run(env.now + 2 * NS_PER_SECOND)
    assert battery.power == pytest.approx(5_000.0)
    full_after = 1_000.0 / (5_000.0 * 0.95) * 3600
    env.run(env.now + round((full_after - 3) * NS_PER_SECOND))
    assert battery.power > 0.0
    env.run(env.now + 4 * NS_PER_SECOND)
    assert battery.power == 0.0
    assert battery.charge == pytest.approx(1.0)
    meter.change(0, 8_000.0 + 5_000.0, 0.0, NOTHING, cause="evening")
    env.run(env.now + 3 * HOUR)
    assert battery.charge == pytest.approx(0.0, abs=1e-9)
    assert battery.power == 0.0


def test_a_small_rest_is_left_alone():
    env, _, meter, battery = store(BatterySettings("store", 10_000.0, 5_000.0, deadband=50.0))
    env.run(env.now + 1)
    meter.change(0, 40.0, 0.0, NOTHING, cause="router")
    env.run(env.now + HOUR)
    assert battery.power == 0.0


def test_a_schedule_is_kept_on_every_day():
    settings = BatterySettings(
        "store",
        10_000.0,
        5_000.0,
        mode="schedule",
        schedule=(Order(2.0, 4.0, 1_500.0), Order(18.0, 20.0, -1_000.0)),
        initial=0.2,
    )
    env, sink, _, battery = store(settings, with_meter=False)
    env.run(MIDNIGHT + 48 * HOUR)
    trace = [((at - MIDNIGHT) / HOUR, round(delta)) for _, at, _, delta in sink.heard]
    assert trace == [
        (2.0, 1500),
        (4.0, -1500),
        (18.0, -1000),
        (20.0, 1000),
        (26.0, 1500),
        (28.0, -1500),
        (42.0, -1000),
        (44.0, 1000),
    ]
    assert battery.charge == pytest.approx(0.2 + 2 * (3_000 * 0.95 - 2_000 / 0.95) / 10_000.0, rel=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"capacity": 0.0},
        {"mode": "schedule"},
        {"efficiency": 0.0},
        {"mode": "schedule", "schedule": (Order(2.0, 5.0, 1.0), Order(4.0, 6.0, 1.0))},
    ],
)
def test_batteries_that_cannot_be_are_refused(change):
    with pytest.raises(BatteryError, match="store"):
        BatterySettings(**{"name": "store", "capacity": 1e4, "power": 5e3, **change})
    with pytest.raises(BatteryError, match="metering point"):
        store(BatterySettings("store", 1e4, 5e3), with_meter=False)
