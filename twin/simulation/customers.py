"""Who draws what: the scenario's households, profiles, constant loads and generators as processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import simpy

from twin.contracts import BadInputError, Finding, TwinError
from twin.documents.validation import dotted
from twin.scenario import SiteScenario
from twin.scenario.schema import Household, Location, Photovoltaic
from twin.simulation.households import HouseholdSettings, start_household
from twin.simulation.load_sink import LoadSink, random_stream
from twin.simulation.occupancy import Calendar
from twin.simulation.photovoltaics import PlantSettings, start_plant, start_sky
from twin.simulation.profiles import start_profiles

_RESIDENTS = (0.42, 0.33, 0.12, 0.095, 0.035)
"""Share of households with 1, 2, 3, 4, 5 and more people: Germany, microcensus 2019."""
_YEAR_ENERGY = (1900.0, 2890.0, 3720.0, 4085.0, 5430.0)
"""Mean yearly consumption of such households: BDEW, Stromverbrauch im Haushalt, 2021 [kWh]."""
_DRAWN_ENERGY = (0.7e6, 8.0e6)
"""Range of a yearly consumption that is drawn: any household's appliances can meet it [Wh]."""


def start_customers(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, *, orders: Sequence[int]
) -> None:
    """Start every load and generator of a scenario; the sink hears of their present state at once.

    Each has a random stream of its own, keyed by the scenario's seed and its name.
    """
    _start_households(environment, sink, scenario, orders)
    _start_constants(sink, scenario, orders)
    _start_generators(environment, sink, scenario, orders)
    _start_profiles(environment, sink, scenario, orders)


def _start_households(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]
) -> None:
    location = scenario.scenario.location
    calendar = Calendar(time_zone=scenario.scenario.time_zone)
    if location is not None:
        calendar = replace(calendar, latitude=location.latitude, longitude=location.longitude)
    for name, household in scenario.loads.households:
        stream = random_stream(scenario.scenario.seed, f"household {name}")
        settings = _settings(name, household, stream)
        points = scenario.loads.by_name[name]
        with _placed(scenario, "loads", scenario.scenario.loads.index(household)):
            start_household(
                environment,
                sink,
                load=points,
                settings=settings,
                orders=orders,
                calendar=calendar,
                rng=stream,
            )


@contextmanager
def _placed(scenario: SiteScenario, *path: str | int) -> Iterator[None]:
    """Give an error of a customer its place in the scenario."""
    try:
        yield
    except BadInputError:
        raise
    except TwinError as error:
        what, _, mend = str(error).partition("; ")
        where = scenario.document.mark(path)
        raise BadInputError(Finding(where, dotted(path), what, mend or "change it")) from error


def _settings(name: str, household: Household, stream: np.random.Generator) -> HouseholdSettings:
    """Draw what the scenario leaves open: people, and the year's energy of this household."""
    residents = household.residents or 1 + int(stream.choice(len(_RESIDENTS), p=_RESIDENTS))
    mean = sum(share * energy for share, energy in zip(_RESIDENTS, _YEAR_ENERGY, strict=True))
    usual = 1.0 if household.residents else _YEAR_ENERGY[residents - 1] / mean
    spread = household.annual_energy_spread / 100 * float(stream.standard_normal())
    energy = household.annual_energy * usual * (1.0 + spread)
    if spread or household.residents is None:
        energy = min(max(energy, _DRAWN_ENERGY[0]), _DRAWN_ENERGY[1])
    return HouseholdSettings(name, energy, residents)


def _start_profiles(
    environment: simpy.Environment, sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]
) -> None:
    """Start the loads that follow tables; each file is read once for all of its loads."""
    by_file: dict[str, dict[str, Sequence[int]]] = {}
    for name, profile in scenario.loads.profiles:
        by_file.setdefault(profile.file, {})[name] = scenario.loads.by_name[name]
    for file, loads in by_file.items():
        entry = next(
            at for at, item in enumerate(scenario.scenario.loads) if getattr(item, "file", "") == file
        )
        try:
            start_profiles(
                environment, sink, scenario.file(file), loads=loads, end_ns=scenario.end_ns, orders=orders
            )
        except BadInputError as error:
            path = ("loads", entry, "file")
            named = Finding(scenario.document.mark(path), dotted(path), "cannot be used", "mend the file")
            raise BadInputError(named, *error.findings) from error


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
    location = scenario.scenario.location
    if location is None or not scenario.loads.photovoltaics:
        return
    stream = random_stream(scenario.scenario.seed, "sky")
    sky = start_sky(environment, rng=stream, cloudiness=location.cloudiness / 100)
    for at, plant in enumerate(scenario.loads.photovoltaics):
        points, settings = scenario.loads.by_name[plant.name], _plant_settings(plant, location)
        with _placed(scenario, "photovoltaics", at):
            start_plant(environment, sink, loads=points, settings=settings, orders=orders, sky=sky)


def _plant_settings(plant: Photovoltaic, location: Location) -> PlantSettings:
    return PlantSettings(
        name=plant.name,
        peak_power=plant.peak_power,
        rated_power=plant.inverter_power or plant.peak_power,
        latitude=location.latitude,
        longitude=location.longitude,
        tilt=plant.tilt,
        azimuth=plant.azimuth,
    )
