"""Households to look at, and a sink that remembers."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import simpy

from twin.contracts import NS_PER_SECOND
from twin.simulation.households import Household, HouseholdSettings, start_household
from twin.simulation.load_sink import random_stream
from twin.simulation.occupancy import Calendar

ORDERS = tuple(range(1, 41))
CALENDAR = Calendar()
DAY_NS = 86_400 * NS_PER_SECOND
WORKDAY = date(2026, 1, 14)


class Listener:
    """Keeps what it hears."""

    def __init__(self, loads: int = 1) -> None:
        self.p = np.zeros(loads)
        self.q = np.zeros(loads)
        self.emission = np.zeros((loads, len(ORDERS)), dtype=complex)
        self.env: simpy.Environment | None = None
        self.heard: list[tuple[int, int, str, float]] = []

    def change(self, load, delta_p, delta_q, delta_emission, *, cause):
        self.p[load] += delta_p
        self.q[load] += delta_q
        self.emission[load] += delta_emission
        self.heard.append((load, self.env.now if self.env else 0, cause, delta_p))


def start(
    settings: Sequence[HouseholdSettings], start_ns: int, seed: int = 1
) -> tuple[simpy.Environment, Listener, list[Household]]:
    env = simpy.Environment(initial_time=start_ns)
    sink = Listener(len(settings))
    sink.env = env
    houses = [
        start_household(
            env,
            sink,
            load=load,
            settings=one,
            orders=ORDERS,
            calendar=CALENDAR,
            rng=random_stream(seed, one.name),
        )
        for load, one in enumerate(settings)
    ]
    return env, sink, houses


def energies(household: Household, start_ns: int, edges: np.ndarray) -> np.ndarray:
    """Energy between edges [Wh], by integrating each unit's list of changes."""
    total = np.zeros(len(edges) - 1)
    for unit in household.units:
        powers = [draw.p for draw in unit.device.draws]
        times, levels = [start_ns], [0.0]
        for at, position in household.changes(unit, start_ns):
            if at > edges[-1]:
                break
            if at <= start_ns:
                levels[0] = powers[position]
            else:
                times.append(at)
                levels.append(powers[position])
        times.append(int(edges[-1]))
        seconds = (np.array(times) - start_ns) / NS_PER_SECOND
        joule = np.concatenate([[0.0], np.cumsum(levels * np.diff(seconds))])
        total += np.diff(np.interp((edges - start_ns) / NS_PER_SECOND, seconds, joule)) / 3600.0
    return total


def population(count: int, orders: Sequence[int] = (1,)) -> list[Household]:
    """Households of the sizes of Germany (microcensus 2019), 3,500 kWh a year each."""
    residents = (1, 1, 1, 1, 2, 2, 2, 3, 4, 4)
    return [
        Household(
            HouseholdSettings(f"house {at}", 3.5e6, residents[at % 10]),
            orders=orders,
            calendar=CALENDAR,
            rng=random_stream(11, f"house {at}"),
        )
        for at in range(count)
    ]
