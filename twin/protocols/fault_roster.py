"""Which faults hold at which endpoint of a server, and where in its course each of them is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.contracts.transport import EndpointFault
from twin.protocols.binding import Binding
from twin.protocols.doorkeeper import DoorRules
from twin.protocols.fault_decisions import FaultedEndpoint, FaultStream
from twin.protocols.modbus_rtu import Station
from twin.protocols.port_listener import PortListener
from twin.protocols.served_port import PortFaults, ServedPort

TCP, RTU = "tcp", "rtu"


@dataclass(frozen=True, slots=True)
class FaultablePort:
    """A port that is served."""

    binding: Binding
    port: ServedPort
    listener: PortListener


@dataclass(frozen=True, slots=True)
class FaultableStation:
    """A meter on a line that is served."""

    meter: str
    station: Station
    standing: EndpointFault | None


class FaultRoster:
    """Has faults hold at the endpoints of a server.

    Parameters
    ----------
    ports, stations
        The endpoints.
    """

    def __init__(self, ports: Sequence[FaultablePort], stations: Sequence[FaultableStation]) -> None:
        self._ports = tuple(ports)
        self._stations = tuple(stations)
        self._known: frozenset[int] = frozenset()
        self._streams: dict[tuple[int, str], FaultStream] = {}

    async def apply(self, faults: Sequence[EndpointFault]) -> None:
        """Let these faults hold from now on, and no others.

        Parameters
        ----------
        faults
            In the order in which they began; those that held before go on where they were.
        """
        fresh = frozenset(fault.number for fault in faults) - self._known
        self._known = frozenset(fault.number for fault in faults)
        streams: dict[tuple[int, str], FaultStream] = {}
        for number, each in enumerate(self._ports):
            await self._set_port(number, each, faults, fresh, streams)
        for number, one in enumerate(self._stations):
            held = _held(faults, one.meter, RTU, one.standing)
            one.station.faults = self._endpoint(held, f"rtu {number} {one.meter}", streams)
        self._streams = streams

    async def _set_port(
        self,
        number: int,
        each: FaultablePort,
        faults: Sequence[EndpointFault],
        fresh: frozenset[int],
        streams: dict[tuple[int, str], FaultStream],
    ) -> None:
        binding, port = each.binding, each.port
        by_unit = {
            unit: _held(faults, device.name, TCP, binding.standing.get(unit))
            for unit, device in binding.units.items()
        }
        endpoints = {
            unit: endpoint
            for unit, held in by_unit.items()
            if (endpoint := self._endpoint(held, f"tcp {number} unit {unit}", streams)) is not None
        }
        fallback = endpoints.get(next(iter(binding.units))) if port.answers_any else None
        well = not endpoints and port.gateway is None
        port.faults = None if well else PortFaults(endpoints, fallback, port.gateway)
        everything = [fault for held in by_unit.values() for fault in held]
        shared = port.gateway is not None or len({each.name for each in binding.units.values()}) > 1
        rules = DoorRules.of([fault.faults for fault in everything], shared=shared)
        news = [fault.faults for fault in everything if fault.number in fresh]
        if any(each.close or (each.away and not shared) for each in news):
            port.door.close()
        port.door.set_rules(rules)  # before anybody comes in
        if rules.refuse:
            each.listener.refuse()
        else:
            await each.listener.listen()

    def _endpoint(
        self, held: Iterable[EndpointFault], key: str, streams: dict[tuple[int, str], FaultStream]
    ) -> FaultedEndpoint | None:
        """Return the faults that single requests have; None where they have none."""
        found = []
        for fault in held:
            faults = fault.faults.over_tcp() if key.startswith(TCP) else fault.faults
            if faults.hits_requests:
                place = fault.number, key
                known = self._streams.get(place)
                streams[place] = known or FaultStream(faults, f"{fault.seed} {key}")
                found.append(streams[place])
        return FaultedEndpoint(found) if found else None


def _held(
    faults: Iterable[EndpointFault], meter: str, kind: str, standing: EndpointFault | None
) -> tuple[EndpointFault, ...]:
    """Return the faults of one endpoint: what it always has, then what has befallen it."""
    befallen = tuple(fault for fault in faults if meter in fault.meters and fault.over in {"", kind})
    return befallen if standing is None else (standing, *befallen)
