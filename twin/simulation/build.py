"""From a resolved scenario to a running site: network, loads, meters, events, recording."""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import simpy

from twin.contracts import (
    NS_PER_SECOND,
    AlarmRecord,
    EventRecord,
    IntervalRecord,
    MeterInfo,
    Record,
    SwitchLine,
    TruthEntry,
    WaveformRecord,
)
from twin.grid import GridSolver, Network
from twin.meters import build_fleet
from twin.recording import RecordingWriter
from twin.scenario import SiteScenario
from twin.simulation.customers import start_customers
from twin.simulation.diagram import draw_diagram
from twin.simulation.engine import Engine
from twin.simulation.events import start_events
from twin.simulation.frames import FrameBuilder
from twin.simulation.live import LiveSession
from twin.simulation.site import Site

ORDERS = tuple(range(1, 40, 2))
"""Harmonic orders that the site solves: the odd ones that household appliances emit (IEC 61000-3-2)."""


class RunningSite:
    """A site that is built and can be run: the engine, its recording and its picture.

    Use it as a context manager, so that the recording is sealed whatever happens.
    """

    def __init__(self, scenario: SiteScenario) -> None:
        self._scenario = scenario
        self._writer: RecordingWriter | None = None
        self._out: Path | None = None
        self._totals = _Totals()
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

    def record_to(self, out: Path, *, overwrite: bool) -> None:
        """Create the recording; everything that happens from now on is kept in it.

        Raises
        ------
        TwinError
            The directory is not empty, or cannot be written.
        """
        described = {
            "title": self._scenario.scenario.title,
            "file": self._scenario.path.name,
            "start_ns": self._scenario.start_ns,
            "end_ns": self._scenario.end_ns,
            "time_zone": self._scenario.scenario.time_zone,
            "seed": self._scenario.scenario.seed,
            "network": self._scenario.network.name,
        }
        self._writer = RecordingWriter.create(out, scenario=described, meters=self.infos, overwrite=overwrite)
        self._out = out

    def live(self, *, speed: float, frames: FrameBuilder | None = None) -> LiveSession:
        """Return a session that paces this site to the wall clock."""
        self._frames = frames or self.frame_builder()
        return LiveSession(
            self.engine,
            end_ns=self._scenario.end_ns,
            speed=speed,
            frames=self._frames,
            meter_names=[info.name for info in self.infos],
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
            switch_lines=_switch_lines(network),
        )

    def flush(self) -> None:
        """Make durable what has been recorded."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Seal the recording."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def discard(self) -> None:
        """Drop the recording: the site never ran."""
        self.close()
        if self._out is not None:
            shutil.rmtree(self._out, ignore_errors=True)

    def summary(self) -> dict[str, Any]:
        """Return what happened so far, for the summary table."""
        site = self.engine.site
        return {
            "title": self._scenario.scenario.title,
            "simulated_s": (self.engine.now_ns - self._scenario.start_ns) / NS_PER_SECOND,
            "load_changes": site.load_changes,
            "solves": site.solves,
            "meters": [self._totals.of(info.name) for info in self.infos],
        }

    def _build_engine(self) -> Engine:
        scenario = self._scenario
        loads = scenario.loads
        network = scenario.network
        solver = GridSolver(
            network,
            probes=[meter.probe for meter in scenario.meters],
            loads=loads.points,
            orders=ORDERS,
        )
        truth: list[TruthEntry] = []
        site = Site(
            solver,
            orders=ORDERS,
            frequency=network.frequency,
            start_ns=scenario.start_ns,
            load_names=[point.name for point in loads.points],
            reversed_probes=[meter.reverse for meter in scenario.meters],
            switches=_initial_switches(network),
            witness=truth.append,
        )
        fleet = build_fleet([meter.config for meter in scenario.meters], start_ns=scenario.start_ns)
        environment = simpy.Environment(initial_time=scenario.start_ns)
        engine = Engine(
            environment,
            site,
            fleet,
            meter_names=[meter.config.name for meter in scenario.meters],
            truth=truth,
            keep=self._keep,
        )
        start_customers(environment, site, scenario, orders=ORDERS)
        site.load_changes = 0  # what is on already at the start is no change
        start_events(environment, site, scenario.events)
        return engine

    def _keep(self, records: Sequence[Record]) -> None:
        self._totals.add(records)
        if self._frames is not None:
            self._frames.note(records)
        if self._writer is not None:
            self._writer.append(records)


class _Totals:
    """What the summary says of each meter, gathered from its records."""

    def __init__(self) -> None:
        self._import: Counter[str] = Counter()
        self._export: Counter[str] = Counter()
        self._demand: dict[str, float] = {}
        self._v_min: dict[str, float] = {}
        self._v_max: dict[str, float] = {}
        self._events: dict[str, set[int]] = {}
        self._alarms: Counter[str] = Counter()
        self._captures: Counter[str] = Counter()

    def add(self, records: Sequence[Record]) -> None:
        """Take in a batch of records."""
        for record in records:
            match record:
                case IntervalRecord(meter=meter, values=values):
                    self._add_interval(meter, values, record.duration_s)
                case EventRecord(meter=meter, number=number):
                    self._events.setdefault(meter, set()).add(number)
                case AlarmRecord(meter=meter, transition="active"):
                    self._alarms[meter] += 1
                case WaveformRecord(meter=meter):
                    self._captures[meter] += 1

    def of(self, meter: str) -> dict[str, Any]:
        """Return the totals of one meter."""
        return {
            "name": meter,
            "import_wh": float(self._import[meter]),
            "export_wh": float(self._export[meter]),
            "max_demand_w": self._demand.get(meter, 0.0),
            "v_min": self._v_min.get(meter),
            "v_max": self._v_max.get(meter),
            "events": len(self._events.get(meter, ())),
            "alarms": self._alarms[meter],
            "captures": self._captures[meter],
        }

    def _add_interval(self, meter: str, values: Any, duration_s: float) -> None:
        self._import[meter] += values["p_imp_wh"]
        self._export[meter] += values["p_exp_wh"]
        mean = (values["p_imp_wh"] - values["p_exp_wh"]) * 3600 / duration_s
        self._demand[meter] = max(self._demand.get(meter, mean), mean)
        lows = [values[f"v{phase}_min"] for phase in (1, 2, 3)]
        highs = [values[f"v{phase}_max"] for phase in (1, 2, 3)]
        self._v_min[meter] = float(np.nanmin([self._v_min.get(meter, np.inf), *lows]))
        self._v_max[meter] = float(np.nanmax([self._v_max.get(meter, -np.inf), *highs]))


def build_site(scenario: SiteScenario) -> RunningSite:
    """Return the site of a scenario, at its start, not yet recorded.

    Raises
    ------
    TwinError
        The network cannot be solved, or a profile cannot be read.
    """
    return RunningSite(scenario)


def _initial_switches(network: Network) -> dict[str, bool]:
    switches = {switch.name: switch.closed for switch in network.switches}
    return switches | {capacitor.name: capacitor.closed for capacitor in network.capacitors}


def _switch_lines(network: Network) -> tuple[SwitchLine, ...]:
    branches = network.branch_index
    switches = [
        SwitchLine(item.name, network.branches[branches[item.branch]].from_bus, item.closed, "switch")
        for item in network.switches
    ]
    capacitors = [SwitchLine(item.name, item.bus, item.closed, "capacitor") for item in network.capacitors]
    return (*switches, *capacitors)
