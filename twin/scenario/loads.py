"""Who drives which load: network loads and generators as single-phase points."""

from collections.abc import Sequence

from twin.grid import LoadPoint, Network
from twin.scenario.schema import Constant, Household, Profile, Scenario
from twin.scenario.site_scenario import LoadPoints


def resolve_loads(scenario: Scenario, network: Network) -> LoadPoints:
    """Return the load points of a checked scenario.

    A network load that no entry names draws its rated power; every generator is a point per phase.
    """
    points: list[LoadPoint] = []
    rated_p: list[float] = []
    rated_q: list[float] = []
    by_name: dict[str, tuple[int, ...]] = {}

    def add(
        name: str,
        bus: str,
        sides: Sequence[str],
        p: tuple[float, ...],
        q: tuple[float, ...],
        shares: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        first = len(points)
        points.extend(
            LoadPoint(f"{name}.{side}" if len(sides) > 1 else name, bus, side, *shares) for side in sides
        )
        rated_p.extend(p)
        rated_q.extend(q)
        by_name[name] = tuple(range(first, len(points)))

    for load in network.loads:
        add(load.name, load.bus, load.sides, load.p, load.q, load.zip_shares)
    for generator in scenario.photovoltaics:
        phases = generator.phases
        nothing = (0.0,) * len(phases)
        add(generator.name, generator.bus, phases, nothing, nothing)

    drivers = _drivers(scenario, network)
    return LoadPoints(
        points=tuple(points),
        rated_p=tuple(rated_p),
        rated_q=tuple(rated_q),
        by_name=by_name,
        households=tuple((name, driver) for name, driver in drivers if isinstance(driver, Household)),
        profiles=tuple((name, driver) for name, driver in drivers if isinstance(driver, Profile)),
        constants=tuple(
            (name, driver.share / 100) for name, driver in drivers if isinstance(driver, Constant)
        ),
        photovoltaics=tuple(scenario.photovoltaics),
    )


def _drivers(scenario: Scenario, network: Network) -> list[tuple[str, Household | Profile | Constant]]:
    """Return each network load with the entry that names it, or the one for all others."""
    rest: Household | Profile | Constant = Constant(model="constant")
    named: dict[str, Household | Profile | Constant] = {}
    for entry in scenario.loads:
        if entry.loads == "all":
            rest = entry
        else:
            named.update(dict.fromkeys(entry.loads, entry))
    return [(load.name, named.get(load.name, rest)) for load in network.loads]
