"""Modbus for a whole site: any number of TCP ports, units and serial lines, served from one thread."""

import asyncio
import importlib
import importlib.util
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from twin.contracts import Answer, Command, TwinError
from twin.contracts.transport import EndpointFault
from twin.protocols.binding import Binding
from twin.protocols.carried_out import WriteContext
from twin.protocols.fault_roster import FaultablePort, FaultRoster
from twin.protocols.file_limit import reserve_files
from twin.protocols.listeners import close_all, open_listeners
from twin.protocols.modbus_connection import ModbusConnection, PortStatistics, ServerContext
from twin.protocols.port_listener import PortListener
from twin.protocols.serial_binding import SerialBinding
from twin.protocols.serial_device import SerialDevice
from twin.protocols.serial_medium import ServedLine
from twin.protocols.served_port import ServedDevice, ServedPort

_Change = tuple[tuple[EndpointFault, ...], Callable[[], object]]
_log = logging.getLogger(__name__)


class ServerStateError(TwinError, RuntimeError):
    """A server was started twice."""


@dataclass(frozen=True, slots=True)
class BindingStatistics:
    """What one port did since the server was started."""

    host: str
    port: int
    requests: int
    """Requests taken, whatever became of them."""
    exceptions: int
    """Answers that were Modbus exceptions."""
    connections: int
    """Connections that are open now."""
    accepted: int
    """Connections so far."""


class ModbusServer:
    """Serves the registers of a site's meters to Modbus masters, over TCP and serial lines.

    Parameters
    ----------
    bindings
        Ports and the meters behind them.
    submit
        Puts a master's write into the one queue of commands; called in the server's thread, it must
        return at once. The future it returns is completed by whoever carries the command out.
    answer_timeout_s
        How long a write waits for its answer before exception 06 is sent [s].
    idle_timeout_s
        After what silence a connection is closed [s]; None leaves that to TCP keep-alive, which
        finds masters that have vanished but never closes a healthy connection.
    backlog
        Connections that may wait to be accepted, per port.
    loop_factory
        Makes the event loop; uvloop's if that is installed, else asyncio's.
    lines
        Serial lines with the devices that they are served on, which are open.
    beat
        A period [s] and what the thread that serves calls so often: whoever watches hears that it is not
        stuck.

    Raises
    ------
    AddressOverlapError
        Two retrieval windows, or two settings regions, of a meter claim the same register.
    """

    def __init__(
        self,
        bindings: Sequence[Binding],
        submit: Callable[[Command], "Future[Answer]"],
        *,
        answer_timeout_s: float = 1.0,
        idle_timeout_s: float | None = None,
        backlog: int = 1024,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
        lines: Sequence[tuple[SerialBinding, SerialDevice]] = (),
        beat: tuple[float, Callable[[], object]] | None = None,
    ) -> None:
        self._bindings = tuple(bindings)
        self._submit = submit
        self._answer_timeout_s = answer_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._backlog = backlog
        self._loop_factory = loop_factory or _fastest_loop
        self._beat = beat
        self._ports = served_ports(self._bindings)
        self._lines = tuple(lines)
        self._statistics = tuple(PortStatistics() for _ in self._bindings)
        self._addresses: tuple[tuple[str, int], ...] = ()
        self._thread: threading.Thread | None = None
        self._halt: Callable[[], object] = lambda: None
        self._faults: tuple[EndpointFault, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes: asyncio.Queue[_Change] = asyncio.Queue()

    def start(self, listeners: Sequence[socket.socket] | None = None) -> None:
        """Listen on all ports, or on none.

        Parameters
        ----------
        listeners
            Sockets that listen on the ports of the bindings already, in their order; opened by default.

        Raises
        ------
        PortInUseError
            A port is taken, by another program or by two bindings.
        PortPermissionError
            A port below 1024 needs a privilege that this program lacks.
        ListenError
            An address is not this machine's.
        FileLimitError
            The operating system allows too few open files for all ports and one master each.
        ServerStateError
            The server runs already.
        """
        if self._thread is not None:
            raise ServerStateError("the Modbus server runs already; stop it before starting it again")
        ports = len(self._bindings)
        reserve_files(2 * ports + 32, wanted=5 * ports + 256, purpose=f"serving {ports} Modbus ports")
        sockets = list(listeners or open_listeners(self._bindings, backlog=self._backlog))
        self._addresses = tuple(
            (binding.host, listener.getsockname()[1])
            for binding, listener in zip(self._bindings, sockets, strict=True)
        )
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(sockets, ready), name="modbus", daemon=True)
        self._thread.start()
        error = ready.exception()
        if error is not None:
            self._thread.join()
            self._thread = None
            close_all(sockets)
            raise error

    def stop(self) -> None:
        """Close all ports and connections at once and wait for the thread; harmless when stopped."""
        thread, self._thread = self._thread, None
        if thread is not None:
            with suppress(RuntimeError):  # a thread that died has closed its loop
                self._halt()
            thread.join()
            self._halt = lambda: None
            self._loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def set_faults(self, faults: Sequence[EndpointFault], done: Callable[[], object] = lambda: None) -> None:
        """Let faults hold at the endpoints from now on, and no others.

        Parameters
        ----------
        faults
            All of them, in the order in which they began.
        done
            Called in the server's thread when they hold; not at all where the server does not run.
        """
        self._faults = tuple(faults)
        if self._loop is not None:
            with suppress(RuntimeError):  # a server that has stopped has closed its loop
                self._loop.call_soon_threadsafe(self._changes.put_nowait, (self._faults, done))

    @property
    def running(self) -> bool:
        """Whether the server has been started and still serves."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each binding, in their order; empty before the start."""
        return self._addresses

    @property
    def statistics(self) -> tuple[BindingStatistics, ...]:
        """Counts of each binding, in their order; all ports are 0 before the start."""
        addresses = self._addresses or tuple((binding.host, 0) for binding in self._bindings)
        return tuple(
            BindingStatistics(host, port, count.requests, count.exceptions, count.connections, count.accepted)
            for (host, port), count in zip(addresses, self._statistics, strict=True)
        )

    def _run(self, listeners: list[socket.socket], ready: "Future[None]") -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._serve(listeners, ready))
        except BaseException as error:
            if ready.done():
                _log.exception("the Modbus server broke down")
                raise
            ready.set_exception(error)

    async def _serve(self, listeners: list[socket.socket], ready: "Future[None]") -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        self._halt = partial(loop.call_soon_threadsafe, stopping.set)
        writes = WriteContext(loop, self._submit, self._answer_timeout_s)
        context = ServerContext(loop, writes)
        ports = [
            FaultablePort(
                binding,
                port,
                PortListener(
                    listener, partial(ModbusConnection, context, port, statistics), backlog=self._backlog
                ),
            )
            for binding, listener, port, statistics in zip(
                self._bindings, listeners, self._ports, self._statistics, strict=True
            )
        ]
        lines = [ServedLine(writes, binding, device) for binding, device in self._lines]
        stations = [station for line in lines for station in line.faultable]
        roster = FaultRoster(ports, stations)
        self._loop = loop
        await roster.apply(self._faults)
        changing = asyncio.create_task(self._change_faults(roster))
        ready.set_result(None)
        if self._beat is not None:
            _keep_beating(loop, *self._beat)
        if self._idle_timeout_s is not None:
            await _close_idle(context, stopping, self._idle_timeout_s)
        await stopping.wait()
        changing.cancel()
        for line in lines:
            line.close()
        for each in ports:
            each.listener.close()
        while context.connections:
            for connection in tuple(context.connections):
                connection.abort()
            await asyncio.sleep(0)

    async def _change_faults(self, roster: FaultRoster) -> None:
        """Let faults hold as they are set, one change after the other."""
        while True:
            faults, done = await self._changes.get()
            await roster.apply(faults)
            done()


def _keep_beating(loop: asyncio.AbstractEventLoop, period_s: float, beat: Callable[[], object]) -> None:
    """Call something now and after each period, as long as the loop runs."""
    beat()
    loop.call_later(period_s, _keep_beating, loop, period_s, beat)


async def _close_idle(context: ServerContext, stopping: asyncio.Event, timeout_s: float) -> None:
    """Close silent connections until the server stops."""
    while not stopping.is_set():
        try:
            await asyncio.wait_for(stopping.wait(), min(1.0, timeout_s / 2))
        except TimeoutError:
            latest = context.loop.time() - timeout_s
            for connection in tuple(context.connections):
                if connection.last_heard_s < latest and not connection.waiting:
                    connection.abort()


def served_ports(bindings: Sequence[Binding]) -> tuple[ServedPort, ...]:
    """Lay out each meter once, however many ports serve it."""
    served: dict[int, ServedDevice] = {}
    for binding in bindings:
        for device in binding.units.values():
            if id(device) not in served:
                served[id(device)] = ServedDevice(device)
    return tuple(
        ServedPort(
            {unit: served[id(device)] for unit, device in binding.units.items()},
            binding.unit_check,
            binding.gateway,
        )
        for binding in bindings
    )


def _fastest_loop() -> asyncio.AbstractEventLoop:
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
    return loop
