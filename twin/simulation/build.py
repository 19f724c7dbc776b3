"""From a resolved scenario to a running site: network, loads, meters, events, recording."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import simpy

from twin.contracts import (
    NS_PER_SECOND,
    BadInputError,
    Finding,
    MeterInfo,
    Record,
    TapLine,
    TerminalRecord,
    TruthEntry,
)
from twin.grid import GridSolver, Network, NotConvergedError
from twin.meters import build_fleet
from twin.recording import Place, RecordingPathError, RecordingWriter
from twin.scenario import SiteScenario
from twin.scenario.sources import source_files
from twin.simulation.communication import Communication, start_communication
from twin.simulation.customers import start_customers
from twin.simulation.diagram import draw_diagram, switch_lines
from twin.simulation.engine import Commanded, Engine, SiteModel
from twin.simulation.equipment import start_equipment, surroundings
from twin.simulation.equipment_events import start_equipment_events, start_frequency
from twin.simulation.events import breaking_poles, event_probes, start_events
from twin.simulation.ferroresonance_watch import watch_ferroresonance
from twin.simulation.frames import FrameBuilder
from twin.simulation.injecting import Injector
from twin.simulation.io_wiring import start_io
from twin.simulation.live import LiveSession
from twin.simulation.measurement_faults import MeasurementFaults, start_measurement_faults
from twin.simulation.meter_injecting import TARGET as INJECTED
from twin.simulation.meter_injecting import MeterInjector
from twin.simulation.orders import site_orders
from twin.simulation.played_site import start_played_site
from twin.simulation.protecting import Protection, protection_probes
from twin.simulation.register_history import start_register_history
from twin.simulation.run_totals import RunTotals
from twin.simulation.site import Site
from twin.simulation.supplies import Supplies, start_supplies
from twin.simulation.tap_control import TapControl, start_tap_controls, tap_probes
from twin.simulation.terminals import watch_terminals

_log = logging.getLogger(__name__)

_MOST_UNFLUSHED = 200_000
"""Records in memory after which a recording is flushed, though nobody asked for it."""


class RunningSite:
    """A site that is built and can be run: the engine, its recording and its picture.

    Use it as a context manager, so that the recording is sealed whatever happens.
    """

    def __init__(self, scenario: SiteScenario) -> None:
        self._scenario = scenario
        self._writer: RecordingWriter | None = None
        self._trouble = False
        self._standing: list[
            TerminalRecord
        ] = []  # what the network is like at the start, until it is recorded
        self._totals = RunTotals()
        self._frames: FrameBuilder | None = None
        self.engine = self._build_engine()
        self.infos: tuple[MeterInfo, ...] = tuple(
            self.engine.fleet.info(at) for at in range(len(scenario.meters))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self) -> None:
        """Solve the site as it stands at the start.

        Raises
        ------
        BadInputError
            No voltage satisfies the loads.
        """
        try:
            self.engine.begin()
        except NotConvergedError as error:
            where = self._scenario.document.mark(("network",))
            mend = "lower the loads, or strengthen the network"
            raise BadInputError(Finding(where, "network", str(error), mend)) from error
        site = self.engine.site
        if site.collapsed:
            where = self._scenario.document.mark(("network",))
            what = f"the voltage collapses at {', '.join(site.collapsed[:3])}"
            raise BadInputError(Finding(where, "network", what, "lower the loads, or strengthen the network"))

    def record_to(
        self, out: str | Place, *, overwrite: bool, described: Mapping[str, object] | None = None
    ) -> None:
        """Create the recording; everything that happens from now on is kept in it.

        Parameters
        ----------
        out : str or Place
        overwrite : bool
            Replace a recording that is there.
        described : mapping, optional
            What the recording says of its scenario, where it comes from another recording.

        Raises
        ------
        TwinError
            The place is occupied, or cannot be written.
        """
        described = described or {
            "title": self._scenario.scenario.title,
            "file": self._scenario.path.name,
            "start_ns": self._scenario.start_ns,
            "end_ns": self._scenario.end_ns,
            "time_zone": self._scenario.scenario.time_zone,
            "seed": self._scenario.scenario.seed,
            "network": self._scenario.network.name,
            "files": [file.described() for file in source_files(self._scenario)],
        }
        # Whoever runs the site flushes, by the wall clock.
        self._writer = RecordingWriter.create(
            out,
            scenario=described,
            meters=self.infos,
            overwrite=overwrite,
            flush_records=_MOST_UNFLUSHED,
            flush_interval_s=math.inf,
            keep=self._scenario.scenario.history.keep.limits,
        )
        for meter, points in self._watched.items():
            self._writer.describe_registers(self.infos[meter].name, points)
        self._write(partial(self._writer.append, self._standing))
        self._standing = []

    def live(self, *, speed: float, frames: FrameBuilder | None = None) -> LiveSession:
        """Return a session that paces this site to the wall clock."""
        self._frames = frames or self.frame_builder()
        return LiveSession(
            self.engine,
            end_ns=self._scenario.end_ns,
            speed=speed,
            frames=self._frames,
            meter_names=[info.name for info in self.infos],
            begin=self.begin,
            flush=self.flush,
        )

    def frame_builder(self) -> FrameBuilder:
        """Return what draws the pages' picture of this site."""
        scenario = self._scenario
        network = scenario.network
        buses = [meter.probe.bus for meter in scenario.meters]
        generators = {generator.bus for generator in scenario.loads.photovoltaics}
        return FrameBuilder(
            title=scenario.scenario.title,
            time_zone=scenario.scenario.time_zone,
            meters=self.infos,
            buses=buses,
            diagram=draw_diagram(network, keep=set(buses), generators=generators),
            switch_lines=switch_lines(network),
            taps=self._tap_lines,
        )

    def flush(self) -> None:
        """Make durable what has been recorded."""
        if self._writer is not None:
            self._write(partial(self._writer.flush, self.engine.now_ns))

    def close(self) -> None:
        """Seal the recording."""
        if self._writer is not None:
            self._writer.close(self.engine.now_ns)
            self._writer = None

    def summary(self) -> dict[str, Any]:
        """Return what happened so far, for the summary table."""
        site = self.engine.site
        return {
            "title": self._scenario.scenario.title,
            "simulated_s": (self.engine.now_ns - self._scenario.start_ns) / NS_PER_SECOND,
            "load_changes": site.load_changes,
            "solves": site.solves,
            "meters": [self._meter_summary(at) for at in range(len(self.infos))],
        }

    def _meter_summary(self, meter: int) -> dict[str, Any]:
        """Return what a meter's own registers say of the run: since its start, or since they were cleared."""
        fleet, name = self.engine.fleet, self.infos[meter].name
        energies, extremes = fleet.energies(meter), fleet.extremes(meter)
        lowest = [value for key, value in extremes.items() if key in {"min_v1", "min_v2", "min_v3"}]
        highest = [value for key, value in extremes.items() if key in {"max_v1", "max_v2", "max_v3"}]
        return {
            "name": name,
            "import_wh": energies["ep_imp"],
            "export_wh": energies["ep_exp"],
            "max_demand_w": extremes.get("max_p_demand"),
            "v_min": min(lowest, default=None),
            "v_max": max(highest, default=None),
            "events": self._totals.events(name),
            "alarms": self._totals.alarms[name],
            "captures": self._totals.captures[name],
        }

    @property
    def injector(self) -> MeterInjector:
        """What makes events happen that the scenario does not know of."""
        return self._handles.injector

    def _tap_lines(self) -> tuple[TapLine, ...]:
        return tuple(control.line for control in self._handles.tap_controls)

    def _build_engine(self) -> Engine:
        scenario = self._scenario
        truth: list[TruthEntry] = []
        fleet = build_fleet([meter.config for meter in scenario.meters], start_ns=scenario.start_ns)
        for at, meter in enumerate(scenario.meters):
            fleet.preset_energies(at, scenario.scenario.meters[meter.field].energies)
        environment = simpy.Environment(initial_time=scenario.start_ns)
        call_at = partial(_call_at, environment)
        supplies = start_supplies(fleet, scenario, call_at=call_at, witness=truth.append)
        measurement = start_measurement_faults(fleet, scenario, call_at=call_at, witness=truth.append)
        communication = start_communication(fleet, scenario, supplies, call_at=call_at, witness=truth.append)
        self.communication = communication
        site: SiteModel
        if scenario.played is not None:
            site = start_played_site(environment, scenario, witness=truth.append)
            meters = MeterInjector(
                scenario,
                supplies=supplies,
                measurement=measurement,
                communication=communication,
                now_ns=lambda: fleet.now_ns,
            )
            self._handles = _Handles(meters)
        else:
            site, self._handles = _solved_site(
                environment, scenario, supplies, measurement, communication, witness=truth.append
            )
            watch_terminals(site, [meter.config.name for meter in scenario.meters], self._keep)
        commanded = self._handles.commanded
        measurement.attach(site.reanchor)
        start_io(site, fleet, scenario, call_at=call_at)
        self._watched = start_register_history(environment, fleet, scenario, keep=self._keep)
        return Engine(
            environment,
            site,
            fleet,
            meter_names=[meter.config.name for meter in scenario.meters],
            truth=truth,
            keep=self._keep,
            commanded=commanded,
            supplies=supplies,
        )

    def _keep(self, records: Sequence[Record]) -> None:
        self._totals.add(records)
        if self._frames is not None:
            self._frames.note(records)
        if self._writer is not None:
            self._write(partial(self._writer.append, records))
        else:
            start_ns = self._scenario.start_ns
            self._standing += [r for r in records if isinstance(r, TerminalRecord) and r.time_ns == start_ns]

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the recording; a live site outlives a full disk, the writer keeps what it was given."""
        try:
            write()
        except RecordingPathError as error:
            if self._frames is None:
                raise
            if not self._trouble:
                _log.error("%s; the site goes on and tries again", error)
            self._trouble = True
        else:
            if self._trouble:
                _log.warning("the recording goes on")
            self._trouble = False


@dataclass(frozen=True, slots=True)
class _Handles:
    """What of a site takes commands beside its meters and switches."""

    injector: MeterInjector
    tap_controls: tuple[TapControl, ...] = ()

    @property
    def commanded(self) -> dict[str, Commanded]:
        """What carries a command out, by its target."""
        controls = {one.control.name: one.command for one in self.tap_controls}
        return {INJECTED: self.injector.command, **controls}


def build_site(scenario: SiteScenario) -> RunningSite:
    """Return the site of a scenario, at its start, not yet recorded.

    Raises
    ------
    TwinError
        The network cannot be solved, or a profile cannot be read.
    """
    return RunningSite(scenario)


def _solved_site(
    environment: simpy.Environment,
    scenario: SiteScenario,
    supplies: Supplies,
    measurement: MeasurementFaults,
    communication: Communication,
    *,
    witness: Callable[[TruthEntry], None],
) -> tuple[Site, _Handles]:
    """Return the site of a network, with its customers and events on the way, and what takes commands."""
    network, loads = scenario.network, scenario.loads
    orders = site_orders(scenario)
    call_at = partial(_call_at, environment)
    meters = [meter.probe for meter in scenario.meters]
    relays = protection_probes(network)
    seen = event_probes(scenario.events)
    probes = [*meters, *relays, *seen, *tap_probes(network)]
    solver = GridSolver(network, probes=probes, loads=loads.points, orders=orders)
    site = Site(
        solver,
        orders=orders,
        frequency=network.frequency,
        start_ns=scenario.start_ns,
        load_names=[point.name for point in loads.points],
        reversed_probes=[meter.reverse for meter in scenario.meters],
        switches=_initial_switches(network),
        witness=witness,
        call_at=call_at if scenario.meters else None,
        poles=breaking_poles(network, scenario.events),
    )
    frequency = start_frequency(environment, site, scenario)
    around = surroundings(environment, site, scenario, orders=orders, call_at=call_at)
    start_customers(around)
    motors = start_equipment(around)
    site.load_changes = 0  # what is on already at the start is no change
    protection = Protection(site, first=len(meters), call_at=call_at)
    first = len(meters) + len(relays)
    repairs = start_events(site, scenario.events, first=first, protection=protection, call_at=call_at)
    start_equipment_events(
        environment, site, scenario.events, network=network, motors=motors, frequency=frequency
    )
    controls = start_tap_controls(site, first=first + len(seen), call_at=call_at)
    injector = Injector(
        site,
        scenario,
        repairs=repairs,
        motors=motors,
        supplies=supplies,
        measurement=measurement,
        communication=communication,
        call_at=call_at,
    )
    watch_ferroresonance(site)
    return site, _Handles(injector, tuple(controls))


def _call_at(environment: simpy.Environment, at_ns: int, function: Callable[[], None]) -> None:
    """Have a function called at an instant of simulated time."""
    timeout = environment.timeout(at_ns - int(environment.now))
    timeout.callbacks.append(lambda _: function())


def _initial_switches(network: Network) -> dict[str, bool]:
    switches = {switch.name: switch.closed for switch in network.switches}
    return switches | {capacitor.name: capacitor.closed for capacitor in network.capacitors}
