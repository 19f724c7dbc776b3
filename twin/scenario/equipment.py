"""Equipment of a scenario in the terms of physics: a motor's drive, an inverter with its rules."""

from functools import lru_cache

from twin.contracts import TwinError
from twin.grid import Network
from twin.grid.machines.drive import Drive
from twin.grid.machines.inverter import (
    VOLT_VAR_1547_A,
    VOLT_VAR_1547_B,
    VOLT_WATT_1547,
    Curve,
    Inverter,
)
from twin.grid.machines.motor_fit import Nameplate, drive_of
from twin.grid.machines.ride_through import EN_50549_1, IEEE_1547_II, RideThrough
from twin.scenario.equipment_schema import ArcFurnace, Battery, Charger, InverterKeys, Motor, Welder
from twin.scenario.schema import Photovoltaic, Scenario

Equipment = Photovoltaic | Motor | Charger | Battery | ArcFurnace | Welder

FIELDS = ("photovoltaics", "motors", "chargers", "batteries", "arc_furnaces", "welders")
"""Fields of a scenario that hold equipment on buses."""

_EXPONENT = {"constant": 0.0, "linear": 1.0, "quadratic": 2.0}
_CURVES = {"IEEE1547-A": VOLT_VAR_1547_A, "IEEE1547-B": VOLT_VAR_1547_B, "IEEE1547": VOLT_WATT_1547}
RULES = {"EN50549-1": EN_50549_1, "IEEE1547-II": IEEE_1547_II}


def equipment(scenario: Scenario) -> list[tuple[str, int, Equipment]]:
    """Return everything that a scenario puts on buses, with its field and its place there."""
    return [(field, at, item) for field in FIELDS for at, item in enumerate(getattr(scenario, field))]


def connected_phases(item: Equipment) -> str:
    """Return the phases at which equipment has a load point each; machines have all three."""
    return "abc" if isinstance(item, Motor | ArcFurnace | Welder) else item.phases


def motor_drive(motor: Motor, network: Network) -> Drive:
    """Return a motor with what it turns.

    Raises
    ------
    MotorError
        The nameplate contradicts itself.
    """
    bus = network.buses[network.bus_index[motor.bus]]
    plate = Nameplate(
        p_rated=motor.power,
        u_rated=motor.rated_voltage or bus.u_rated,
        frequency=network.frequency,
        speed=motor.speed,
        efficiency=motor.efficiency / 100,
        power_factor=motor.power_factor,
        starting_current=motor.starting_current,
        starting_torque=motor.starting_torque,
        breakdown_torque=motor.breakdown_torque,
    )
    load = motor.load
    return _drive(plate, motor.inertia, load.share / 100, _EXPONENT[load.torque], load.breakaway / 100)


@lru_cache(maxsize=256)
def _drive(plate: Nameplate, inertia: float, load_share: float, exponent: float, breakaway: float) -> Drive:
    return drive_of(plate, inertia=inertia, load_share=load_share, exponent=exponent, breakaway=breakaway)


def inverter_of(keys: InverterKeys, *, s_rated: float, u_rated: float, phases: int) -> Inverter:
    """Return an inverter with its curves.

    Raises
    ------
    TwinError
        A curve cannot be.
    """
    limit = keys.current_limit
    return Inverter(
        s_rated=s_rated,
        u_rated=u_rated,
        phases=3 if phases == 3 else 1,
        current_limit=1.1 if limit is None else limit / 100,
        priority=keys.priority or "reactive",
        volt_var=_curve(keys.volt_var),
        volt_watt=_curve(keys.volt_watt),
    )


def _curve(given: str | list[list[float]] | None) -> Curve | None:
    if given is None:
        return None
    if isinstance(given, str):
        return _CURVES[given]
    return Curve(tuple((point[0], point[1]) for point in given))


def ride_through_of(keys: InverterKeys, frequency: float) -> RideThrough:
    """Return how an inverter behaves outside its range."""
    return RULES[keys.ride_through or ("IEEE1547-II" if frequency >= 55.0 else "EN50549-1")]


def problem_of(error: TwinError) -> tuple[str, str]:
    """Return what is wrong and the mend of an error of the physics."""
    what, _, mend = str(error).partition("; ")
    return what, mend or "change it"
