"""Faults of communication in simulated time: when they begin and end, whatever is served meanwhile.

What they do to answers happens where the meters are served, in wall time, and is no part of the site's state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from twin.contracts import (
    COMMUNICATION_FAULT_BEGAN,
    COMMUNICATION_FAULT_ENDED,
    NS_PER_SECOND,
    TruthEntry,
)
from twin.contracts.transport import (
    Cut,
    Distribution,
    Ending,
    EndpointFault,
    ForcedException,
    GatewaySettings,
    Latency,
    Storm,
    TransportFaults,
    WhenFull,
)
from twin.meters import Fleet
from twin.protocols import SerialFormat
from twin.scenario import SiteScenario
from twin.scenario.communication_checks import what_is_wrong
from twin.scenario.communication_schema import (
    CommunicationFault,
    SerialTransport,
    TcpTransport,
    Transport,
)
from twin.scenario.endpoint_schema import Endpoint
from twin.scenario.fault_schema import Repair
from twin.simulation.events import CAUSE
from twin.simulation.faults import CallAt
from twin.simulation.supplies import Supplies

REPAIR = "repair"
"""Who ended what was repaired, in the ledger."""

RESET = "5 s"
"""How long an Ethernet module that is reset (101AH) does not listen; the KW320 manual gives no time."""
ANSWERED_NS = NS_PER_SECOND // 5
"""How long after the order the module goes down, so that it is answered [ns]."""


@dataclass(frozen=True, slots=True)
class _Holding:
    """A fault that holds."""

    event: CommunicationFault
    meters: tuple[str, ...]
    fault: EndpointFault


class Communication:
    """The faults between a site's meters and their masters.

    Parameters
    ----------
    served : mapping of str to int
        Meters that have an endpoint, and where they are in the fleet.
    seed : int
        Of the scenario: the courses of all faults follow from it.
    supplies : Supplies
        Of the meters.
    now : callable
        Returns simulated time, UTC [ns].
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """

    def __init__(
        self,
        served: Mapping[str, int],
        *,
        seed: int,
        supplies: Supplies,
        now: Callable[[], int],
        call_at: CallAt,
        witness: Callable[[TruthEntry], None],
    ) -> None:
        self._served = served
        self._seed = seed
        self._supplies = supplies
        self._now = now
        self._call_at = call_at
        self._witness = witness
        self._holding: dict[str, _Holding] = {}
        self._coming: dict[str, None] = {}
        self._begun = 0
        self._watcher: Callable[[Sequence[EndpointFault]], None] = lambda _: None

    @property
    def holding(self) -> tuple[EndpointFault, ...]:
        """What holds now, in the order in which it began."""
        return tuple(one.fault for one in self._holding.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names that are taken: of faults that hold, or are going to begin."""
        return (*self._holding, *self._coming)

    def watch(self, watcher: Callable[[Sequence[EndpointFault]], None]) -> None:
        """Have a function called with what holds: now, and after each change."""
        self._watcher = watcher
        watcher(self.holding)

    def schedule(self, event: CommunicationFault, at_ns: int, *, cause: str) -> None:
        """Have a fault begin at an instant, UTC [ns]."""
        self._coming[event.name] = None
        self._call_at(at_ns, partial(self.begin, event, cause=cause))

    def begin(self, event: CommunicationFault, *, cause: str) -> None:
        """Let a fault hold from now on; none of its name may hold already."""
        self._coming.pop(event.name, None)
        self._begun += 1
        wanted = self._served if event.meters == "all" else event.meters
        meters = tuple(name for name in wanted if name in self._served)
        faults = transport_faults(event)
        over = "" if event.over == "any" else event.over
        seed = f"{self._seed} {event.name}"
        one = _Holding(event, meters, EndpointFault(self._begun, meters, faults, seed, over))
        self._holding[event.name] = one
        self._tell(COMMUNICATION_FAULT_BEGAN, one, cause)
        if event.reboot is not None:
            for meter in meters:
                self._supplies.begin_restart(self._served[meter], cause=cause)
        lasts = event.reboot if event.reboot is not None else event.clear_after
        if lasts is not None:
            end_ns = self._now() + round(lasts * NS_PER_SECOND)
            self._call_at(end_ns, partial(self._run_out, event.name, self._begun, cause))
        self._watcher(self.holding)

    def reset_module(self, meter: str) -> None:
        """Have a meter's Ethernet module reset once it has answered: TCP alone is away meanwhile."""
        name = f"{meter} Ethernet reset"
        if meter in self._served and name not in self.names:
            fields = {"event": "communication_fault", "at": "", "name": name, "meters": [meter]}
            module = {"over": "tcp", "refuse": True, "close": True, "clear_after": RESET}
            event = CommunicationFault.model_validate({**fields, **module})
            self.schedule(event, self._now() + ANSWERED_NS, cause="register 101AH")

    def repair(self, name: str) -> None:
        """End a fault now; one that is over, or has not begun, stays as it is."""
        if name in self._holding:
            self._end(name, REPAIR)

    def _end(self, name: str, cause: str) -> None:
        one = self._holding.pop(name)
        if one.event.reboot is not None:
            for meter in one.meters:
                self._supplies.end_restart(self._served[meter], cause=cause)
        self._tell(COMMUNICATION_FAULT_ENDED, one, cause)
        self._watcher(self.holding)

    def _run_out(self, name: str, number: int, cause: str) -> None:
        """End a fault whose time is over, unless it is another of the same name."""
        one = self._holding.get(name)
        if one is not None and one.fault.number == number:
            self._end(name, cause)

    def _tell(self, kind: str, one: _Holding, cause: str) -> None:
        detail = {
            "name": one.event.name,
            "fault": ", ".join(what_is_wrong(one.event)),
            "over": one.event.over,
        }
        for meter in one.meters:
            self._witness(TruthEntry(self._now(), kind, meter, cause, detail))


def start_communication(
    fleet: Fleet,
    scenario: SiteScenario,
    supplies: Supplies,
    *,
    call_at: CallAt,
    witness: Callable[[TruthEntry], None],
) -> Communication:
    """Return the communication of a scenario's meters, which fails and is mended as its events say.

    Parameters
    ----------
    fleet : Fleet
        Its meters.
    scenario : SiteScenario
    supplies : Supplies
        Of the meters.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """
    given = scenario.scenario.meters
    served = {
        meter.config.name: at for at, meter in enumerate(scenario.meters) if given[meter.field].endpoints
    }
    communication = Communication(
        served,
        seed=scenario.scenario.seed,
        supplies=supplies,
        now=lambda: fleet.now_ns,
        call_at=call_at,
        witness=witness,
    )
    names = [meter.config.name for meter in scenario.meters]
    fleet.on_network_reset = lambda meter: communication.reset_module(names[meter])
    for item in scenario.events:
        event = item.event
        if isinstance(event, CommunicationFault):
            communication.schedule(event, item.at_ns, cause=CAUSE)
        elif isinstance(event, Repair):
            call_at(item.at_ns, partial(communication.repair, event.of))
    return communication


def transport_faults(part: Transport) -> TransportFaults:
    """Return what an event, or an endpoint, of a scenario file says that goes wrong."""
    tcp = part if isinstance(part, TcpTransport) else TcpTransport()
    serial = part if isinstance(part, SerialTransport) else SerialTransport()
    event = part if isinstance(part, CommunicationFault) else None
    return TransportFaults(
        latency=_latency(part),
        lost_requests=part.lost_requests,
        lost_answers=part.lost_answers,
        exception=_exception(part),
        cut=None if part.cut is None else Cut(part.cut.often, part.cut.after, Ending(part.cut.then)),
        wrong_unit=part.wrong_unit,
        wrong_transaction=tcp.wrong_transaction,
        repeated_transaction=tcp.repeated_transaction,
        duplicate=part.duplicate,
        wrong_crc=serial.wrong_crc,
        glitches=serial.glitches,
        bit_errors=serial.bit_errors,
        storm=None
        if part.storm is None
        else Storm(part.storm.rate, part.storm.service, part.storm.queue, part.storm.when_full == "silent"),
        connections=tcp.connections,
        when_full=WhenFull(tcp.when_full),
        accept_delay_s=tcp.accept_delay,
        refuse=event is not None and event.refuse,
        close=event is not None and event.close,
        away=event is not None and event.reboot is not None,
    )


def gateway_settings(endpoint: Endpoint) -> GatewaySettings | None:
    """Return the line behind an endpoint's port, if that is a gateway's."""
    given = endpoint.gateway
    if given is None:
        return None
    return GatewaySettings(given.timeout, SerialFormat(given.baud_rate).character_s)


def _latency(part: Transport) -> Latency | None:
    if part.latency is None:
        return None
    return Latency(part.latency.least_s, part.latency.most_s, Distribution(part.distribution))


def _exception(part: Transport) -> ForcedException | None:
    forced = part.exception
    if forced is None:
        return None
    registers = (forced.registers[0], forced.registers[1]) if forced.registers else None
    return ForcedException(forced.code, forced.often, tuple(forced.functions), registers)
