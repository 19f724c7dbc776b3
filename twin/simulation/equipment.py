"""The scenario's machines, chargers, batteries and industrial loads as processes on the site."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import simpy

from twin.contracts import BadInputError, Finding, TwinError
from twin.documents.validation import dotted
from twin.scenario import SiteScenario
from twin.scenario.equipment import inverter_of, motor_drive, problem_of, ride_through_of
from twin.scenario.equipment_schema import Battery, Charger
from twin.scenario.equipment_schema import Motor as MotorEntry
from twin.scenario.schema import Photovoltaic
from twin.simulation.arc_furnace import FurnaceSettings, start_arc_furnace
from twin.simulation.battery import BatterySettings, MeteredSink, Order, start_battery
from twin.simulation.charging import ChargerSettings, start_charger
from twin.simulation.inverters import InverterSettings, InverterUnit, start_inverter
from twin.simulation.load_sink import LoadSink, TableSink
from twin.simulation.motors import Contactor, Motor, MotorSettings, Starter, start_motor
from twin.simulation.occupancy import Calendar
from twin.simulation.site import Site
from twin.simulation.site_ports import Listeners, SitePort, SiteSupply
from twin.simulation.welders import WelderSettings, start_welder

_ENERGY_SPREAD = 0.6
"""Standard deviation of the logarithm of what a vehicle's battery misses: an engineering estimate."""
_SIDES = {"ab": (0, 1), "bc": (1, 2), "ca": (2, 0)}


@dataclass(slots=True)
class Surroundings:
    """What every customer of a site needs.

    Attributes
    ----------
    sink : TableSink
        Hears of every change: the site, behind what the batteries listen to.
    meters : dict
        What each battery for self-consumption listens to, by its name.
    """

    environment: simpy.Environment
    site: Site
    scenario: SiteScenario
    orders: tuple[int, ...]
    listeners: Listeners
    calendar: Calendar
    sink: TableSink
    meters: dict[str, MeteredSink] = field(default_factory=dict)

    @property
    def supply(self) -> SiteSupply:
        """Whether there is voltage at load points."""
        return SiteSupply(self.listeners)

    def port(self, name: str, phases: str = "abc") -> SitePort:
        """Return where a machine meets the network."""
        return SitePort(self.listeners, self.scenario.loads.by_name[name], phases)

    def u_rated(self, bus: str) -> float:
        """Return a bus's rated voltage, line to line [V]."""
        network = self.scenario.network
        return network.buses[network.bus_index[bus]].u_rated


def surroundings(
    environment: simpy.Environment,
    site: Site,
    scenario: SiteScenario,
    *,
    orders: Sequence[int],
    call_at: Callable[[int, Callable[[], None]], None],
) -> Surroundings:
    """Return what the customers of a site share; ``call_at`` calls a function at an instant [ns]."""
    location, zone = scenario.scenario.location, scenario.scenario.time_zone
    calendar = Calendar(time_zone=zone)
    if location is not None:
        calendar = Calendar(time_zone=zone, latitude=location.latitude, longitude=location.longitude)
    around = Surroundings(
        environment, site, scenario, tuple(orders), Listeners(site, call_at), calendar, site
    )
    for battery in scenario.scenario.batteries:
        if battery.mode == "self_consumption":
            points = [point for name in battery.of for point in scenario.loads.by_name[name]]
            around.sink = around.meters[battery.name] = MeteredSink(around.sink, points)
    return around


@contextmanager
def placed(scenario: SiteScenario, *path: str | int) -> Iterator[None]:
    """Give an error of a customer its place in the scenario."""
    try:
        yield
    except BadInputError:
        raise
    except TwinError as error:
        raise BadInputError(
            Finding(scenario.document.mark(path), dotted(path), *problem_of(error))
        ) from error


def start_equipment(around: Surroundings) -> Mapping[str, Motor]:
    """Start everything that is not a load or a roof; return the motors by name.

    Motors in service come last: their slip is that of the voltage with everything else running.
    """
    scenario, given = around.scenario, around.scenario.scenario
    for at, charger in enumerate(given.chargers):
        with placed(scenario, "chargers", at):
            _start_charger(around, charger)
    for at, battery in enumerate(given.batteries):
        with placed(scenario, "batteries", at):
            _start_battery(around, battery)
    for at, welder in enumerate(given.welders):
        with placed(scenario, "welders", at):
            settings = WelderSettings(
                welder.name,
                welder.power,
                around.u_rated(welder.bus),
                frequency=scenario.network.frequency,
                power_factor=welder.power_factor,
                phases=_SIDES[welder.phases],
                on_cycles=welder.on_cycles,
                off_cycles=welder.off_cycles,
                spots=(welder.spots[0], welder.spots[1]),
                pause=(welder.pause[0], welder.pause[1]),
            )
            start_welder(around.environment, around.port(welder.name), settings=settings, seed=given.seed)
    for at, furnace in enumerate(given.arc_furnaces):
        with placed(scenario, "arc_furnaces", at):
            start_arc_furnace(
                around.environment,
                around.port(furnace.name),
                around.sink,
                loads=scenario.loads.by_name[furnace.name],
                settings=FurnaceSettings(
                    furnace.name,
                    around.u_rated(furnace.bus),
                    furnace.short_circuit_power,
                    x_over_r=furnace.x_over_r,
                    pause=(furnace.pause[0] / 60, furnace.pause[1] / 60),
                    first_wait=(furnace.first_wait[0] / 60, furnace.first_wait[1] / 60),
                ),
                orders=around.orders,
                seed=given.seed,
            )
    motors = {}
    for at, motor in enumerate(given.motors):
        with placed(scenario, "motors", at):
            motors[motor.name] = start_motor(
                around.environment,
                around.port(motor.name),
                settings=_motor_settings(motor, scenario),
                running=motor.running,
            )
    return motors


def start_controls(
    around: Surroundings, entry: Photovoltaic | Battery, *, s_rated: float, sink: LoadSink
) -> InverterUnit:
    """Start the inverter of a plant or battery that has more than its power to it; its sink from now on."""
    network = around.scenario.network
    phases, points = entry.phases, around.scenario.loads.by_name[entry.name]
    inverter = inverter_of(
        entry,
        s_rated=s_rated,
        u_rated=network.buses[network.bus_index[entry.bus]].u_phase,
        phases=len(phases),
    )
    settings = InverterSettings(
        entry.name,
        inverter,
        ride_through_of(entry, network.frequency),
        phases=tuple("abc".index(letter) for letter in phases),
    )
    port = around.port(entry.name, phases)
    return start_inverter(
        around.environment, port, sink, loads=points, settings=settings, orders=around.orders
    )


def _start_charger(around: Surroundings, charger: Charger) -> None:
    settings = ChargerSettings(
        charger.name,
        charger.power,
        battery=charger.battery,
        efficiency=charger.efficiency / 100,
        share_of_days=charger.share_of_days / 100,
        arrival=(charger.arrival.mean, charger.arrival.spread),
        departure=(charger.departure.mean, charger.departure.spread),
        energy=(charger.energy, _ENERGY_SPREAD),
    )
    start_charger(
        around.environment,
        around.sink,
        loads=around.scenario.loads.by_name[charger.name],
        settings=settings,
        orders=around.orders,
        calendar=around.calendar,
        seed=around.scenario.scenario.seed,
        supply=around.supply,
    )


def _start_battery(around: Surroundings, battery: Battery) -> None:
    settings = BatterySettings(
        battery.name,
        battery.capacity,
        battery.power,
        mode=battery.mode,
        schedule=tuple(Order(one.start, one.end, one.power) for one in battery.schedule),
        efficiency=battery.efficiency / 100,
        initial=battery.initial / 100,
    )
    sink: LoadSink = around.site
    if battery.controlled:
        sink = start_controls(around, battery, s_rated=battery.power, sink=around.site)
    start_battery(
        around.environment,
        sink,
        loads=around.scenario.loads.by_name[battery.name],
        settings=settings,
        orders=around.orders,
        calendar=around.calendar,
        meter=around.meters.get(battery.name),
    )


def _motor_settings(motor: MotorEntry, scenario: SiteScenario) -> MotorSettings:
    starter, given = motor.starter, motor.contactor
    contactor = None
    if given is not None:
        contactor = Contactor(
            drop_out=given.drop_out / 100,
            drop_out_delay=given.drop_out_delay,
            pick_up=given.pick_up / 100,
            restart_delay=given.restart_delay,
            phase=_SIDES[given.phase][0],
        )
    return MotorSettings(
        motor.name,
        motor_drive(motor, scenario.network),
        Starter(starter.kind, starter.star_time, starter.pause, starter.initial_voltage / 100, starter.ramp),
        contactor,
        resolution=motor.resolution / 100,
    )
