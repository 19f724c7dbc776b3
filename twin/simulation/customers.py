"""Who draws what: the scenario's households, profiles, constant loads and generators as processes."""

import cmath
import math
from collections.abc import Sequence

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import BadInputError, Finding
from twin.documents.validation import dotted
from twin.grid import Spectrum
from twin.scenario import SiteScenario
from twin.scenario.schema import Household, Location, Photovoltaic
from twin.simulation.equipment import Surroundings, placed, start_controls
from twin.simulation.households import HouseholdSettings, start_household
from twin.simulation.load_sink import LoadSink, TableSink, make_draw, random_stream
from twin.simulation.photovoltaics import PlantSettings, start_plant, start_sky
from twin.simulation.profiles import start_profiles
from twin.simulation.stores import store_of
from twin.simulation.thermostatic import start_thermostatic_loads

_RESIDENTS = (0.42, 0.33, 0.12, 0.095, 0.035)
"""Share of households with 1, 2, 3, 4, 5 and more people: Germany, microcensus 2019."""
_YEAR_ENERGY = (1900.0, 2890.0, 3720.0, 4085.0, 5430.0)
"""Mean yearly consumption of such households: BDEW, Stromverbrauch im Haushalt, 2021 [kWh]."""
_DRAWN_ENERGY = (0.7e6, 8.0e6)
"""Range of a yearly consumption that is drawn: any household's appliances can meet it [Wh]."""


def start_customers(around: Surroundings) -> None:
    """Start every load and roof of a scenario; the sink hears of their present state at once.

    Each has a random stream of its own, keyed by the scenario's seed and its name.
    """
    _start_households(around)
    _start_constants(around.sink, around.scenario, around.orders)
    _start_generators(around)
    _start_profiles(around.environment, around.sink, around.scenario, around.orders)
    _start_thermostats(around)


def _start_households(around: Surroundings) -> None:
    scenario = around.scenario
    for name, household in scenario.loads.households:
        stream = random_stream(scenario.scenario.seed, f"household {name}")
        with placed(scenario, "loads", scenario.scenario.loads.index(household)):
            start_household(
                around.environment,
                around.sink,
                load=scenario.loads.by_name[name],
                settings=_settings(name, household, stream),
                orders=around.orders,
                calendar=around.calendar,
                rng=stream,
            )


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
    environment: simpy.Environment, sink: TableSink, scenario: SiteScenario, orders: Sequence[int]
) -> None:
    """Start the loads that follow tables; each file is read once for all of its loads."""
    by_file: dict[str, dict[str, Sequence[int]]] = {}
    for name, profile in scenario.loads.profiles:
        by_file.setdefault(profile.file, {})[name] = scenario.loads.by_name[name]
    ratios = _ratios(scenario, orders)
    for file, loads in by_file.items():
        entry = next(
            at for at, item in enumerate(scenario.scenario.loads) if getattr(item, "file", "") == file
        )
        try:
            start_profiles(
                environment,
                sink,
                scenario.file(file),
                loads=loads,
                end_ns=scenario.end_ns,
                ratios={name: ratios[name] for name in loads if name in ratios},
                orders=orders,
            )
        except BadInputError as error:
            path = ("loads", entry, "file")
            named = Finding(scenario.document.mark(path), dotted(path), "cannot be used", "mend the file")
            raise BadInputError(named, *error.findings) from error


def _start_constants(sink: LoadSink, scenario: SiteScenario, orders: Sequence[int]) -> None:
    loads, ratios = scenario.loads, _ratios(scenario, orders)
    for name, share in loads.constants:
        ratio = ratios.get(name, np.zeros(len(orders), dtype=np.complex128))
        for point in loads.by_name[name]:
            p, q = share * loads.rated_p[point], share * loads.rated_q[point]
            emission = make_draw(p, q, ratio, orders).emission
            sink.change(point, p, q, emission, cause=f"{name}: constant")


def _ratios(scenario: SiteScenario, orders: Sequence[int]) -> dict[str, NDArray[np.complex128]]:
    """Return the ratio of each load of the network that has a spectrum."""
    spectra = {item.name: _ratio(item, orders) for item in scenario.network.spectra}
    return {load.name: spectra[load.spectrum] for load in scenario.network.loads if load.spectrum in spectra}


def _ratio(spectrum: Spectrum, orders: Sequence[int]) -> NDArray[np.complex128]:
    """Return a spectrum as harmonic over fundamental current, (orders,); angles at the latter's crest."""
    shares = {share.order: share for share in spectrum.shares}
    values = [
        cmath.rect(shares[order].percent / 100, math.radians(shares[order].angle_deg))
        if order in shares and order != 1
        else 0j
        for order in orders
    ]
    return np.array(values, dtype=np.complex128)


def _start_generators(around: Surroundings) -> None:
    scenario = around.scenario
    location = scenario.scenario.location
    if location is None or not scenario.loads.photovoltaics:
        return
    stream = random_stream(scenario.scenario.seed, "sky")
    sky = start_sky(around.environment, rng=stream, cloudiness=location.cloudiness / 100)
    for at, plant in enumerate(scenario.loads.photovoltaics):
        points, settings = scenario.loads.by_name[plant.name], _plant_settings(plant, location)
        with placed(scenario, "photovoltaics", at):
            sink: LoadSink = around.sink
            if plant.controlled:
                sink = start_controls(around, plant, s_rated=settings.rated_power, sink=around.sink)
            start_plant(
                around.environment, sink, loads=points, settings=settings, orders=around.orders, sky=sky
            )


def _start_thermostats(around: Surroundings) -> None:
    scenario = around.scenario
    for name, entry in scenario.loads.thermostatics:
        points = scenario.loads.by_name[name]
        with placed(scenario, "loads", scenario.scenario.loads.index(entry)):
            start_thermostatic_loads(
                around.environment,
                around.sink,
                loads=[points[number % len(points)] for number in range(entry.count)],
                settings=store_of(name, entry),
                orders=around.orders,
                seed=scenario.scenario.seed,
                spread=entry.spread / 100,
                supply=around.supply,
            )


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
