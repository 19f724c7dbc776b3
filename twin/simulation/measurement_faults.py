"""Measurement faults as they begin and end: leads, transformers and fuses, register images, clocks, ratios.

What is measured wrongly begins with a segment of its own, so that a meter sees it as it would see any change
of the network. The truth ledger tells each beginning and each end; a meter knows nothing of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from twin.contracts import (
    MEASUREMENT_FAULT_BEGAN,
    MEASUREMENT_FAULT_ENDED,
    NS_PER_SECOND,
    TruthEntry,
)
from twin.meters import Fleet
from twin.scenario import SiteScenario
from twin.scenario.fault_schema import Repair
from twin.scenario.measurement import (
    CONNECTION_KINDS,
    clock_of,
    connection_of,
    image_fault_of,
    ratio_registers,
)
from twin.scenario.measurement_schema import KIND_FIELDS, MeasurementFault, MeterFault, name_of
from twin.scenario.schema import Meter
from twin.simulation.events import CAUSE
from twin.simulation.faults import CallAt

REPAIR = "repair"
"""Cause of an end that somebody brought about on purpose."""


@dataclass(frozen=True, slots=True, eq=False)
class _Active:
    """A fault that lasts."""

    name: str
    meter: int
    fault: MeterFault
    settings: dict[str, int] = field(default_factory=dict)
    """Raw values of the settings that it changed, as they were without it."""


class MeasurementFaults:
    """The measurement faults of a site that last, in the order in which they began.

    Parameters
    ----------
    fleet : Fleet
    meters : sequence of Meter
        As the scenario has them, in the order of the fleet.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """

    def __init__(
        self,
        fleet: Fleet,
        meters: Sequence[Meter],
        *,
        call_at: CallAt,
        witness: Callable[[TruthEntry], None],
    ) -> None:
        self._fleet = fleet
        self._meters = tuple(meters)
        self._call_at = call_at
        self._witness = witness
        self._active: dict[str, _Active] = {}
        self._coming: dict[str, None] = {}  # names of faults that have not begun
        self._reanchor: Callable[[], None] = lambda: None

    def attach(self, reanchor: Callable[[], None]) -> None:
        """Say how the site's signal begins a new segment; before that nothing has been measured."""
        self._reanchor = reanchor

    @property
    def names(self) -> tuple[str, ...]:
        """Names that are taken: of faults that last, or are going to begin."""
        return (*self._active, *self._coming)

    def schedule(self, meter: int, event: MeasurementFault, at_ns: int, *, cause: str) -> None:
        """Have a fault begin at an instant, UTC [ns]."""
        self._coming[name_of(event, event.meter)] = None
        begin = partial(self.begin, meter, event, cause=cause, clear_after=event.clear_after)
        self._call_at(at_ns, begin)

    def begin(self, meter: int, fault: MeterFault, *, cause: str, clear_after: float | None = None) -> None:
        """Let a fault begin now, and end after some time [s] if one is given."""
        fleet = self._fleet
        name, now_ns = name_of(fault, fleet.names[meter]), fleet.now_ns
        self._coming.pop(name, None)
        wrong = ratio_registers(fault)
        active = _Active(name, meter, fault, fleet.settings_of(meter, tuple(wrong)))
        self._active[name] = active
        if fault.kind in CONNECTION_KINDS:
            self._connect(meter)
        elif wrong:
            fleet.set_by_hand(meter, wrong, now_ns)
        elif (image_fault := image_fault_of(fault)) is not None:
            fleet.begin_image_fault(meter, name, image_fault)
        else:
            fleet.disturb_clock(meter, now_ns, clock_of(self._of(meter), begins=fault))
        self._tell(MEASUREMENT_FAULT_BEGAN, active, cause)
        if clear_after is not None:
            end_ns = now_ns + round(clear_after * NS_PER_SECOND)
            self._call_at(end_ns, partial(self._end, active, cause))

    def repair(self, name: str) -> None:
        """End a fault now; one that is over, or has not begun, stays as it is."""
        active = self._active.get(name)
        if active is not None:
            self._end(active, REPAIR)

    def _end(self, active: _Active, cause: str) -> None:
        if self._active.get(active.name) is not active:
            return
        began = list(self._active.values())
        later = began[began.index(active) + 1 :]
        del self._active[active.name]
        fleet, meter, fault = self._fleet, active.meter, active.fault
        if fault.kind in CONNECTION_KINDS:
            self._connect(meter)
        elif active.settings:
            self._set_back(active, later)
        elif image_fault_of(fault) is not None:
            fleet.end_image_fault(meter, active.name)
        else:
            fleet.disturb_clock(meter, fleet.now_ns, clock_of(self._of(meter)))
        self._tell(MEASUREMENT_FAULT_ENDED, active, cause)

    def _set_back(self, active: _Active, later: Sequence[_Active]) -> None:
        """Set settings back, but for those that a later fault has changed: it will do so when it ends."""
        back = dict(active.settings)
        for other in later:
            for name in other.settings if other.meter == active.meter else ():
                if name in back:
                    other.settings[name] = back.pop(name)
        if back:
            self._fleet.set_by_hand(active.meter, back, self._fleet.now_ns)

    def _of(self, meter: int) -> list[MeterFault]:
        return [one.fault for one in self._active.values() if one.meter == meter]

    def _connect(self, meter: int) -> None:
        connection = connection_of(self._of(meter), self._meters[meter])
        self._fleet.connect(meter, connection, self._fleet.now_ns)
        self._reanchor()

    def _tell(self, kind: str, active: _Active, cause: str) -> None:
        fields = KIND_FIELDS[active.fault.kind]
        said = active.fault.model_dump(include={*fields.needed, *fields.possible}, exclude_defaults=True)
        detail = {"name": active.name, "what": active.fault.kind, **said}
        self._witness(TruthEntry(self._fleet.now_ns, kind, self._fleet.names[active.meter], cause, detail))


def start_measurement_faults(
    fleet: Fleet,
    scenario: SiteScenario,
    *,
    call_at: CallAt,
    witness: Callable[[TruthEntry], None],
) -> MeasurementFaults:
    """Let the faults begin that are there from the start, and have the others begin at their time.

    Parameters
    ----------
    fleet : Fleet
        At its start.
    scenario : SiteScenario
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """
    meters = [scenario.scenario.meters[installed.field] for installed in scenario.meters]
    faults = MeasurementFaults(fleet, meters, call_at=call_at, witness=witness)
    for at, meter in enumerate(meters):
        for fault in meter.faults:
            faults.begin(at, fault, cause=CAUSE)
    for item in scenario.events:
        event = item.event
        if isinstance(event, MeasurementFault):
            faults.schedule(fleet.names.index(event.meter), event, item.at_ns, cause=CAUSE)
        elif isinstance(event, Repair):
            call_at(item.at_ns, partial(faults.repair, event.of))
    return faults
