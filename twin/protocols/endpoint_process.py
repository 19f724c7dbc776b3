"""The endpoints of a site in a process of their own, which is started again when it dies or hangs.

The ports are opened here and inherited: they stay open while the process behind them is replaced, so that
what a master connects to meanwhile waits instead of being refused.
"""

import logging
import math
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self, cast

from twin.contracts import Answer, Command
from twin.contracts.transport import EndpointFault
from twin.protocols.binding import Binding
from twin.protocols.endpoint_life import EndpointLife, EndpointProcessError
from twin.protocols.endpoint_messages import (
    Answered,
    EndpointPlan,
    FaultsHeld,
    Link,
    SharedDevice,
    Submitted,
)
from twin.protocols.endpoint_plan import device_plans, line_plans, port_plans
from twin.protocols.fault_courier import FaultCourier, Outgoing
from twin.protocols.file_limit import reserve_files
from twin.protocols.listeners import close_all, open_listeners
from twin.protocols.modbus_server import ServerStateError, served_ports
from twin.protocols.serial_binding import SerialBinding, close_lines, open_lines
from twin.protocols.serial_device import SerialDevice

_STABLE_S = 10.0
"""A process that has served for so long is taken to be sound: the next crash is a first one again."""
_REMEMBERED_S = 60.0
_GRACE_S = 1.0
"""How long a silent process is listened to once more: this one may itself have been stopped meanwhile."""
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.25, 10.0

_log = logging.getLogger(__name__)


class EndpointProcess:
    """Serves a site's meters to Modbus masters from a process of its own.

    Parameters
    ----------
    bindings
        Ports and the meters behind them; each meter is a `SharedDevice`.
    submit
        Puts a master's write into the one queue of commands; called in a thread of this object. The future
        it returns is completed by whoever carries the command out.
    answer_timeout_s
        How long a write waits for its answer before exception 06 is sent [s].
    idle_timeout_s
        After what silence a connection is closed [s]; None leaves that to TCP keep-alive.
    backlog
        Connections that may wait to be accepted, per port.
    lines
        Serial lines and the meters on them; each meter is a `SharedDevice`.
    silence_s
        After what silence a process that should say each half second that it serves is taken to hang and
        is replaced [s]; a second more where the machine was busy.

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
        lines: Sequence[SerialBinding] = (),
        silence_s: float = 3.0,
    ) -> None:
        served_ports(bindings)  # refuses, before anything is opened, what the process could not lay out
        self._bindings = tuple(bindings)
        self._lines = tuple(lines)
        self._line_devices: list[SerialDevice] = []
        self._submit = submit
        self._answer_timeout_s = answer_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._backlog = backlog
        self._silence_s = silence_s
        self._listeners: list[socket.socket] = []
        self._addresses: tuple[tuple[str, int], ...] = ()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._life: EndpointLife | None = None
        self._crashed_at = -math.inf
        self._trouble = ""
        self._serving = False
        self._courier = FaultCourier()
        self.crashes = 0
        """How often the process has died, or hung and been ended, since the start."""

    def start(self) -> None:
        """Listen on all ports, or on none, and wait until the process serves them.

        Raises
        ------
        PortInUseError
            A port is taken, by another program or by two bindings.
        PortPermissionError
            A port below 1024 needs a privilege that this program lacks.
        ListenError
            An address is not this machine's.
        FileLimitError
            The operating system allows too few open files for all ports.
        SerialDeviceError
            A serial device cannot be used.
        EndpointProcessError
            The process ends at once, or does not answer.
        ServerStateError
            It runs already.
        """
        if self._thread is not None:
            raise ServerStateError("the endpoints run already; stop them before starting them again")
        ports = len(self._bindings)
        reserve_files(2 * ports + 32, wanted=5 * ports + 256, purpose=f"serving {ports} Modbus ports")
        self._listeners = open_listeners(self._bindings, backlog=self._backlog)
        self._addresses = tuple(
            (binding.host, listener.getsockname()[1])
            for binding, listener in zip(self._bindings, self._listeners, strict=True)
        )
        self._stopping.clear()
        try:
            self._line_devices = open_lines(self._lines)
            life = self._launch()
        except BaseException:
            self._close_all()
            raise
        self._thread = threading.Thread(
            target=self._keep_serving, args=(life,), name="endpoints", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all ports and connections and wait for the process to end; harmless when stopped."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        if self._life is not None:
            self._life.interrupt()
        thread.join()
        self._close_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def set_faults(self, faults: Sequence[EndpointFault]) -> None:
        """Let faults hold at the endpoints as soon as their process has heard of them, and no others.

        Parameters
        ----------
        faults
            All of them, in the order in which they began; names of meters that are not served mean nothing.
        """
        self._courier.set(faults)

    def await_faults(self, timeout_s: float) -> bool:
        """Wait until the faults that were set last hold; return whether they do."""
        return self.running and self._courier.wait(timeout_s)

    @property
    def running(self) -> bool:
        """Whether the endpoints have been started and not been stopped, be their process up or not."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each binding, in their order; empty before the start."""
        return self._addresses

    @property
    def line_paths(self) -> tuple[str, ...]:
        """Device that a master of each line opens, in their order; empty before the start."""
        return tuple(device.path for device in self._line_devices)

    @property
    def pid(self) -> int | None:
        """Number of the process that serves now; None while there is none."""
        return None if self._life is None else self._life.pid

    @property
    def trouble(self) -> str:
        """What is wrong, or was within the last minute, for people; empty when all is well."""
        if not self._serving:
            return self._trouble
        lately = time.monotonic() - self._crashed_at < _REMEMBERED_S
        return f"{self._trouble}; it serves again" if lately else ""

    # -- one life after the other -------------------------------------------------------------------

    def _launch(self) -> EndpointLife:
        """Start the process and wait until it serves."""
        plan = self._plan()
        inherited = [descriptor for descriptor, _ in plan.banks]
        inherited += [port.listener for port in plan.ports] + [line.descriptor for line in plan.lines]
        life = self._life = EndpointLife(inherited)
        try:
            if self._stopping.is_set():
                life.interrupt()  # ``stop`` has seen the life before
            life.begin(plan)
            self._courier.note_held(plan.faults.number)
            self._serving = True
        except BaseException:
            life.close()
            raise
        return life

    def _keep_serving(self, life: EndpointLife | None) -> None:
        delay_s = 0.0
        while life is not None:
            began = time.monotonic()
            ending = self._serve(life)
            self._serving = False
            life.close()
            if time.monotonic() - began > _STABLE_S:
                delay_s = 0.0
            life = None
            while life is None and not self._stopping.is_set():
                self._report_crash(ending, delay_s)
                self._stopping.wait(delay_s)
                delay_s = min(max(2.0 * delay_s, _FIRST_DELAY_S), _LONGEST_DELAY_S)
                life, ending = self._relaunch()

    def _relaunch(self) -> tuple[EndpointLife | None, str]:
        """Return the next life, or how it ended before it began."""
        if self._stopping.is_set():
            return None, ""
        try:
            life = self._launch()
        except (EndpointProcessError, OSError) as error:
            return None, str(error)
        _log.warning("the endpoints serve again")
        return life, ""

    def _report_crash(self, ending: str, delay_s: float) -> None:
        self.crashes += 1
        count = f", for the {self.crashes}. time" if self.crashes > 1 else ""
        self._trouble = f"{ending}{count}"
        self._crashed_at = time.monotonic()
        when = f"in {delay_s:g} s" if delay_s else "at once"
        _log.error("%s; it is started again %s, the simulation goes on", self._trouble, when)

    def _serve(self, life: EndpointLife) -> str:
        """Pass commands on and answers back until the process is gone or hangs; return what happened."""
        answers: Outgoing = queue.SimpleQueue()
        sender = threading.Thread(
            target=_send_answers, args=(life.link, answers), name="endpoint-answers", daemon=True
        )
        sender.start()
        self._courier.attach(answers)
        silent = False
        with suppress(EOFError, OSError):
            while not (silent := not (life.link.poll(self._silence_s) or life.link.poll(_GRACE_S))):
                message = life.link.recv()
                if isinstance(message, Submitted):
                    self._pass_on(message, answers)
                elif isinstance(message, FaultsHeld):
                    self._courier.note_held(message.number)
        self._courier.detach()
        if silent:
            life.kill()
        life.interrupt()
        answers.put(None)
        sender.join()
        if silent:
            return f"the process of the endpoints hung (silent for {self._silence_s:g} s) and was ended"
        return f"the process of the endpoints died ({life.ending})"

    def _pass_on(self, message: Submitted, answers: Outgoing) -> None:
        try:
            future = self._submit(message.command)
        except Exception as error:
            _log.exception("command of %s could not be submitted", message.command.source)
            answers.put(Answered(message.number, None, repr(error)))
        else:
            future.add_done_callback(partial(_answer, message.number, answers))

    def _plan(self) -> EndpointPlan:
        """Describe what is served, with descriptors as the process will find them."""
        devices = self._devices()
        banks = {id(device.bank): device.bank for device in devices.values()}
        bank_at = {key: at for at, key in enumerate(banks)}
        device_at = {key: at for at, key in enumerate(devices)}
        return EndpointPlan(
            banks=tuple((bank.descriptor, bank.plan) for bank in banks.values()),
            devices=device_plans(tuple(devices.values()), bank_at),
            ports=port_plans(self._bindings, self._addresses, self._listeners, device_at),
            lines=line_plans(self._lines, self._line_devices, device_at),
            answer_timeout_s=self._answer_timeout_s,
            idle_timeout_s=self._idle_timeout_s,
            backlog=self._backlog,
            faults=self._courier.wanted,
        )

    def _devices(self) -> dict[int, SharedDevice]:
        """Return each meter once, by its identity, however many ports and lines serve it."""
        served = [device for binding in self._bindings for device in binding.units.values()]
        served += [member.device for line in self._lines for member in line.members]
        return {id(device): cast(SharedDevice, device) for device in served}

    def _close_all(self) -> None:
        close_all(self._listeners)
        close_lines(self._line_devices)


def _answer(number: int, answers: Outgoing, future: "Future[Answer]") -> None:
    """Queue an answer, from whichever thread gives it; that thread never waits for the pipe."""
    error = future.exception()
    answers.put(Answered(number, None, repr(error)) if error else Answered(number, future.result()))


def _send_answers(link: Link, answers: Outgoing) -> None:
    with suppress(OSError):  # a process that is gone has forgotten who waited
        while (answer := answers.get()) is not None:
            link.send(answer)
