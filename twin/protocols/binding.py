"""Where meters are served: one TCP port with the units behind it, and what may go wrong with it."""

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from twin.contracts import Device, TwinError
from twin.contracts.transport import EndpointFault, GatewaySettings


class UnitCheck(StrEnum):
    """What becomes of a request for a unit that a port does not serve."""

    STRICT = "strict"
    """Answered by exception 0B, as a gateway does whose meter is silent."""
    SILENT = "silent"
    """Not answered, as on an RS-485 line."""
    ANY = "any"
    """Answered by the port's first meter, as a meter does that ignores the unit."""


class BindingError(TwinError, ValueError):
    """A binding that no server could serve."""


class ListenError(TwinError, OSError):
    """A port cannot be listened on."""

    binding: "Binding | None" = None
    """Which one."""

    def __str__(self) -> str:
        """Return the message alone: the number before it means nothing to people."""
        return self.strerror or super().__str__()


class PortInUseError(ListenError):
    """Another program, or another meter of this site, already listens on the port."""


class PortPermissionError(ListenError, PermissionError):
    """The operating system reserves the port for privileged programs."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One TCP port and the meters behind it.

    Raises
    ------
    BindingError
        Port, a unit or the way of checking is out of range, or there is no meter.
    """

    host: str
    """Address of this machine to listen on, for example ``127.0.0.1`` or ``0.0.0.0``."""
    port: int
    """1..65535, or 0 for any free one."""
    units: Mapping[int, Device]
    """Unit identifier to meter."""
    unit_check: UnitCheck | str = UnitCheck.STRICT
    """What becomes of a request for any other unit."""
    standing: Mapping[int, EndpointFault] = field(default_factory=dict)
    """Unit identifier to what is always wrong with it."""
    gateway: GatewaySettings | None = None
    """The line on which the units are; None where each answers by itself."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise BindingError(f"port {self.port} is not in 0..65535")
        if not self.units:
            raise BindingError(f"{self.host}:{self.port} has no meter behind it; give it a unit")
        for unit, device in self.units.items():
            if not 0 <= unit <= 255:
                raise BindingError(f"unit {unit} of meter {device.name!r} is not in 0..255")
        if self.unit_check not in tuple(UnitCheck):
            raise BindingError(f"unit_check {self.unit_check!r} is none of {', '.join(UnitCheck)}")

    @property
    def meters(self) -> str:
        """Names of the meters behind the port, for messages."""
        names = list(dict.fromkeys(device.name for device in self.units.values()))
        shown = ", ".join(repr(name) for name in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"meter{'s' if len(names) > 1 else ''} {shown}{more}"


def open_listener(binding: Binding, *, backlog: int) -> socket.socket:
    """Return a socket that listens on the binding's port.

    Raises
    ------
    PortInUseError
        Somebody listens there already.
    PortPermissionError
        The port is privileged.
    ListenError
        The address is not one of this machine's, or cannot be resolved.
    """
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            binding.host or None, binding.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = _bound(family, kind, protocol, address)
        if binding.port == 0:
            # A port that the system has chosen is lost when its socket stops listening for a while; one that
            # was asked for is not.
            chosen, listener = listener, _bound(family, kind, protocol, listener.getsockname())
            chosen.close()
        _find_dead_peers(listener)
        listener.listen(backlog)
        listener.setblocking(False)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        explained = _explain(binding, error)
        explained.binding = binding
        raise explained from error
    return listener


def _bound(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    """Return a socket at an address; it does not listen yet."""
    made = socket.socket(family, kind, protocol)
    try:
        # Else a restart would have to wait until the last run's connections are forgotten.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _find_dead_peers(listener: socket.socket) -> None:
    """Let the operating system close connections whose master has vanished, after 90 s.

    Accepted connections inherit this from the listener.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _explain(binding: Binding, error: OSError | UnicodeError) -> ListenError:
    where = f"{binding.host}:{binding.port} for {binding.meters}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return PortInUseError(
            errno.EADDRINUSE,
            f"cannot listen on {where}: the port is in use; stop the program that holds it "
            f"(`ss -ltnp 'sport = :{binding.port}'` names it) or give the meter another port or address",
        )
    if number in (errno.EACCES, errno.EPERM):
        return PortPermissionError(
            errno.EACCES,
            f"cannot listen on {where}: ports below 1024 are reserved; choose a port from 1024 up, or allow "
            "it (`sysctl net.ipv4.ip_unprivileged_port_start=502`, or the CAP_NET_BIND_SERVICE capability)",
        )
    reason = error.strerror if isinstance(error, OSError) else error
    return ListenError(
        number or errno.EADDRNOTAVAIL,
        f"cannot listen on {where}: {reason}; use an address of this machine (`ip address` lists "
        "them), 127.0.0.1 for this machine alone or 0.0.0.0 for all of its networks",
    )
