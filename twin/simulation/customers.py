"""Who draws what: the scenario's households, profiles, constant loads and generators as processes."""

from collections.abc import Sequence

import numpy as np
import simpy

from twin.scenario import SiteScenario
from twin.scenario.schema import Household, Photovoltaic
from twin.simulation.households import HouseholdSettings, start_household
from twin.simulation.load_sink import LoadSink, random_stream
from twin.simulation.occupancy import Calendar
from twin.simulation.photovoltaics import PlantSettings, start_plant
from twin.simulation.profiles import start_profiles

_RESIDENTS = (0.38, 0.33, 0.13, 0.12, 0.04)
"""Share of households with 1, 2, 3, 4, 5 and more people: European Union, Eurostat lfst_hhnhtych (2021)."""
_LEAST_ENERGY = 1.2e6
"""Smallest yearly consumption that is drawn: below it no household of the catalogue can live [Wh]."""


def start_customers(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, *, orders: Sequence[int]
) -> None:
    """Start every load and generator of a scenario; the sink hears of their present state at once.

    Each has a random stream of its own, keyed by the scenario's seed and its name.
    """
    _start_households(environment, sink, scenario, orders)
    _start_constants(sink, scenario, orders)
    _start_generators(environment, sink, scenario, orders)
    for name, profile in scenario.loads.profiles:
        start_profiles(
            environment,
            sink,
            scenario.file(profile.file),
            loads={name: scenario.loads.by_name[name]},
            end_ns=scenario.end_ns,
            orders=orders,
        )


def _start_households(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]
) -> None:
    location = scenario.scenario.location
    place = {} if location is None else {"latitude": location.latitude, "longitude": location.longitude}
    calendar = Calendar(time_zone=scenario.scenario.time_zone, **place)
    for name, household in scenario.loads.households:
        stream = random_stream(scenario.scenario.seed, f"household {name}")
        for point in scenario.loads.by_name[name]:
            start_household(
                environment,
                sink,
                load=point,
                settings=_settings(name, household, stream),
                orders=orders,
                calendar=calendar,
                rng=stream,
            )


def _settings(name: str, household: Household, stream: np.random.Generator) -> HouseholdSettings:
    """Draw what the scenario leaves open: people, and the year's energy of this household."""
    residents = household.residents or 1 + int(stream.choice(len(_RESIDENTS), p=_RESIDENTS))
    spread = household.annual_energy_spread / 100
    factor = max(0.0, 1.0 + spread * float(stream.standard_normal()))
    return HouseholdSettings(name, max(household.annual_energy * factor, _LEAST_ENERGY), residents)


def _start_constants(sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]) -> None:
    loads = scenario.loads
    nothing = np.zeros(len(orders), dtype=np.complex128)
    for name, share in loads.constants:
        for point in loads.by_name[name]:
            p, q = share * loads.rated_p[point], share * loads.rated_q[point]
            sink.change(point, p, q, nothing, cause=f"{name}: constant")


def _start_generators(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]
) -> None:
    for plant in scenario.loads.photovoltaics:
        start_plant(
            environment,
            sink,
            loads=scenario.loads.by_name[plant.name],
            settings=_plant_settings(plant, scenario),
            orders=orders,
            rng=random_stream(scenario.scenario.seed, f"photovoltaic {plant.name}"),
        )


def _plant_settings(plant: Photovoltaic, scenario: SiteScenario) -> PlantSettings:
    location = scenario.scenario.location
    assert location is not None  # noqa: S101 - the scenario's checks ask for it
    return PlantSettings(
        name=plant.name,
        peak_power=plant.peak_power,
        rated_power=plant.inverter_power or plant.peak_power,
        latitude=location.latitude,
        longitude=location.longitude,
        tilt=plant.tilt,
        azimuth=plant.azimuth,
    )

