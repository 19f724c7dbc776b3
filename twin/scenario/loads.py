"""Who drives which load: network loads, generators and machines as single-phase points."""

from collections.abc import Sequence
from dataclasses import replace

from twin.grid import LoadPoint, Network
from twin.grid.machines.zip_model import ZIP_CLASSES
from twin.scenario.equipment import connected_phases, equipment
from twin.scenario.equipment_schema import RESISTIVE, InverterKeys, Thermostatic, Zip
from twin.scenario.schema import Constant, Household, Profile, Scenario
from twin.scenario.site_scenario import LoadPoints

Driver = Household | Profile | Constant | Thermostatic

INVERTER_V_MIN = 0.2
"""An inverter limits its current by itself; below this voltage, of the rated one, the solution does [pu]."""


def resolve_loads(scenario: Scenario, network: Network) -> LoadPoints:
    """Return the load points of a checked scenario.

    A network load that no entry names draws its rated power; every generator or machine is a point per phase.
    """
    drivers = _drivers(scenario, network)
    table = _Table()
    for load, (_, driver) in zip(network.loads, drivers, strict=True):
        z, i = load.zip_shares
        point = _driven(LoadPoint(load.name, load.bus, "a", z, i), driver)
        table.add(point, load.sides, load.p, load.q)
    for _, _, one in equipment(scenario):
        limits_itself = isinstance(one, InverterKeys) and one.controlled
        least = INVERTER_V_MIN if limits_itself else None
        table.add(LoadPoint(one.name, one.bus, "a", v_min_pu=least), connected_phases(one))
    return LoadPoints(
        points=tuple(table.points),
        rated_p=tuple(table.rated_p),
        rated_q=tuple(table.rated_q),
        by_name=table.by_name,
        households=tuple((name, driver) for name, driver in drivers if isinstance(driver, Household)),
        profiles=tuple((name, driver) for name, driver in drivers if isinstance(driver, Profile)),
        constants=tuple(
            (name, driver.share / 100) for name, driver in drivers if isinstance(driver, Constant)
        ),
        photovoltaics=tuple(scenario.photovoltaics),
        thermostatics=tuple((name, driver) for name, driver in drivers if isinstance(driver, Thermostatic)),
    )


class _Table:
    """Points while they are put together."""

    def __init__(self) -> None:
        self.points: list[LoadPoint] = []
        self.rated_p: list[float] = []
        self.rated_q: list[float] = []
        self.by_name: dict[str, tuple[int, ...]] = {}

    def add(
        self, kind: LoadPoint, sides: Sequence[str], p: Sequence[float] = (), q: Sequence[float] = ()
    ) -> None:
        """Add a point like ``kind`` for each side, with its rated power; without one nothing."""
        first, name = len(self.points), kind.name
        for side in sides:
            self.points.append(replace(kind, name=f"{name}.{side}" if len(sides) > 1 else name, phase=side))
        self.rated_p.extend(p or (0.0,) * len(sides))
        self.rated_q.extend(q or (0.0,) * len(sides))
        self.by_name[name] = tuple(range(first, len(self.points)))


def _driven(point: LoadPoint, driver: Driver) -> LoadPoint:
    """Return a network load's point with the dependence on voltage that its driver gives it."""
    if isinstance(driver, Thermostatic):
        return replace(point, z_share=1.0 if driver.device in RESISTIVE else 0.0, i_share=0.0)
    if driver.zip is None:
        return point
    z, i, q_z, q_i = zip_shares(driver.zip)
    return replace(point, z_share=z, i_share=i, q_z_share=q_z, q_i_share=q_i)


def zip_shares(given: Zip) -> tuple[float, float, float, float]:
    """Return the shares of constant impedance and current, of the active, then of the reactive power."""
    if isinstance(given, str):
        kind = ZIP_CLASSES[given]
        return kind.active.z, kind.active.i, kind.reactive.z, kind.reactive.i
    q_z = given.z if given.q_z is None else given.q_z
    q_i = given.i if given.q_i is None else given.q_i
    return given.z, given.i, q_z, q_i


def _drivers(scenario: Scenario, network: Network) -> list[tuple[str, Driver]]:
    """Return each network load with the entry that names it, or the one for all others."""
    rest: Driver = Constant(model="constant")
    named: dict[str, Driver] = {}
    for entry in scenario.loads:
        if entry.loads == "all":
            rest = entry
        else:
            named.update(dict.fromkeys(entry.loads, entry))
    return [(load.name, named.get(load.name, rest)) for load in network.loads]
