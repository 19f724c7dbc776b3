"""The endpoints of a served site: from the scenario to what listens, and to what the ready file says."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from twin.contracts import Answer, BadInputError, Command, Finding
from twin.contracts.transport import EndpointFault, GatewaySettings
from twin.documents.validation import dotted
from twin.protocols import (
    Binding,
    EndpointProcess,
    LineMember,
    ListenError,
    SerialBinding,
    SerialDeviceError,
    SerialFormat,
)
from twin.scenario import SiteScenario
from twin.scenario.endpoint_schema import Endpoint, SerialEndpoint
from twin.simulation.communication import Communication, gateway_settings, transport_faults


class SiteEndpoints:
    """Where masters find the meters of a site.

    Parameters
    ----------
    scenario
        Says where.
    meters
        The served meters by name.
    bind
        Address for endpoints that name none.
    submit
        Takes masters' writes.
    free_ports
        Whether every TCP port is replaced by a free one, so that several sites can be served at once;
        meters that share a port still do.

    Raises
    ------
    BadInputError
        Two meters have the same port and unit.
    """

    def __init__(
        self,
        scenario: SiteScenario,
        meters: Mapping[str, Any],
        bind: str,
        submit: Callable[[Command], "Future[Answer]"],
        *,
        free_ports: bool = False,
        answer_timeout_s: float = 1.0,
    ) -> None:
        self._free_ports = free_ports
        self._scenario = scenario
        self._meters = meters
        self._bind = bind
        self._profiles = {meter.name: meter.profile for meter in scenario.scenario.meters}
        self._given = [
            (("meters", at, *path), meter.name, endpoint)
            for at, meter in enumerate(scenario.scenario.meters)
            for path, endpoint in meter.endpoints
        ]
        self._bindings = self._bind_ports()
        self._line_entries: list[list[tuple[str, SerialEndpoint]]] = []
        self._lines = self._bind_lines()
        self.process = EndpointProcess(
            self._bindings, submit, lines=self._lines, answer_timeout_s=answer_timeout_s
        )
        """What serves them."""

    @property
    def any(self) -> bool:
        """Whether there is any endpoint."""
        return bool(self._bindings or self._lines)

    def start(self) -> None:
        """Open all of them, or none.

        Raises
        ------
        BadInputError
            A port or a device cannot be used.
        """
        try:
            self.process.start()
        except ListenError as error:
            names = [] if error.binding is None else [device.name for device in error.binding.units.values()]
            raise self._bad(names[:1], "port", str(error)) from error
        except SerialDeviceError as error:
            names = [
                name
                for _, name, endpoint in self._given
                if isinstance(endpoint, SerialEndpoint) and endpoint.device == error.device
            ]
            raise self._bad(names[:1], "device", str(error)) from error

    def follow(self, communication: Communication) -> None:
        """Let the faults of a site's communication hold here, from now on and as they change."""
        communication.watch(self.process.set_faults)

    def entries(self) -> list[dict[str, Any]]:
        """Return what the ready file says of each."""
        ports = [
            self._entry(device.name, "modbus-tcp", host, port, None, unit)
            for binding, (host, port) in zip(self._bindings, self.process.addresses, strict=True)
            for unit, device in sorted(binding.units.items())
        ]
        lines = [
            self._entry(name, "modbus-rtu", None, None, path, endpoint.unit)
            for members, path in zip(self._line_entries, self.process.line_paths, strict=True)
            for name, endpoint in members
        ]
        return ports + lines

    def named(self) -> dict[str, str]:
        """Return where each meter is found, for people."""
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self.entries():
            found[entry["meter"]].append(f"{place_of(entry)} unit {entry['unit']}")
        return {name: ", ".join(places) for name, places in found.items()}

    def _entry(
        self, name: str, protocol: str, host: str | None, port: int | None, device: str | None, unit: int
    ) -> dict[str, Any]:
        return {
            "meter": name,
            "profile": self._profiles[name],
            "protocol": protocol,
            "host": host,
            "port": port,
            "device": device,
            "unit": unit,
        }

    def _bind_ports(self) -> list[Binding]:
        units: dict[tuple[str, int, str, int], dict[int, Any]] = defaultdict(dict)
        standing: dict[tuple[str, int, str, int], dict[int, EndpointFault]] = defaultdict(dict)
        gateways: dict[tuple[str, int, str, int], GatewaySettings | None] = {}
        for at, (path, name, endpoint) in enumerate(self._given):
            if not isinstance(endpoint, Endpoint):
                continue
            own = at if endpoint.port == 0 else -1  # each endpoint on port 0 gets a port of its own
            place = (endpoint.host or self._bind, endpoint.port, endpoint.unit_check, own)
            if endpoint.unit in units[place]:
                other = units[place][endpoint.unit].name
                what = f"{place[0]}:{place[1]} unit {endpoint.unit} is already that of '{other}'"
                raise self._finding((*path, "port"), what, "give it another port or unit")
            units[place][endpoint.unit] = self._meters[name]
            gateways[place] = gateway_settings(endpoint)
            standing[place][endpoint.unit] = self._standing(at, name, endpoint)
        return [
            Binding(
                host,
                0 if self._free_ports else port,
                devices,
                check,
                standing[host, port, check, own],
                gateways[host, port, check, own],
            )
            for (host, port, check, own), devices in units.items()
        ]

    def _standing(self, at: int, name: str, endpoint: Endpoint | SerialEndpoint) -> EndpointFault:
        """Return what is always wrong with an endpoint; numbers below 0 are of such."""
        seed = f"{self._scenario.scenario.seed} {name} {at}"
        return EndpointFault(-1 - at, (name,), transport_faults(endpoint), seed)

    def _bind_lines(self) -> list[SerialBinding]:
        lines: dict[tuple[str, int], list[tuple[str, SerialEndpoint]]] = defaultdict(list)
        standing: dict[int, EndpointFault] = {}
        for at, (_, name, endpoint) in enumerate(self._given):
            if isinstance(endpoint, SerialEndpoint):
                own = at if endpoint.device == "pty" else -1
                lines[endpoint.device, own].append((name, endpoint))
                standing[id(endpoint)] = self._standing(at, name, endpoint)
        self._line_entries = list(lines.values())
        return [
            SerialBinding(
                device,
                tuple(
                    LineMember(self._meters[name], each.serial_port, standing[id(each)])
                    for name, each in members
                ),
                SerialFormat(members[0][1].speed, members[0][1].characters),
            )
            for (device, _), members in lines.items()
        ]

    def _bad(self, names: list[str], field: str, message: str) -> BadInputError:
        """Return an error at the endpoint of the first meter that it concerns."""
        concerned = [
            path
            for path, name, endpoint in self._given
            if hasattr(endpoint, field) and (not names or name == names[0])
        ]
        what, _, mend = message.partition("; ")
        return self._finding((*concerned[0], field), what, mend)

    def _finding(self, path: tuple[str | int, ...], what: str, mend: str) -> BadInputError:
        return BadInputError(Finding(self._scenario.document.mark(path), dotted(path), what, mend))


def place_of(entry: Mapping[str, Any]) -> str:
    """Return where an entry of the ready file is found: host and port, or device."""
    return entry["device"] or f"{entry['host']}:{entry['port']}"
