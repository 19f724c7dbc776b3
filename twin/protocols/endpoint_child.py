"""The process of the endpoints: ``python -m twin.protocols.endpoint_child DESCRIPTOR``.

It serves published images from shared memory on ports that it has inherited, passes writes on, and ends as
soon as the site does: then the other end of its pipe closes, whatever became of the site.
"""

import itertools
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial

from twin.contracts import Answer, BitBlock, Command, RegisterBlock, RetrievalWindow, SerialPort, TwinError
from twin.protocols.binding import Binding
from twin.protocols.endpoint_messages import (
    BEAT_S,
    Alive,
    Answered,
    EndpointPlan,
    Failed,
    FaultsHeld,
    LinePlan,
    Link,
    Ready,
    SetFaults,
    Submitted,
)
from twin.protocols.image_bank import RegisterImageBank
from twin.protocols.modbus_server import ModbusServer
from twin.protocols.register_image import RegisterImage
from twin.protocols.serial_binding import LineMember, SerialBinding
from twin.protocols.serial_device import SerialDevice


class WriteFailedError(TwinError, RuntimeError):
    """The simulation broke down over a write."""


@dataclass(frozen=True, slots=True)
class AttachedDevice:
    """A meter whose image and logs lie in another process's memory."""

    name: str
    image: RegisterImage
    windows: tuple[RetrievalWindow, ...]
    write_regions: tuple[tuple[RegisterBlock, ...], ...]
    coils: tuple[BitBlock, ...]
    inputs: tuple[BitBlock, ...]
    serial_ports: tuple[SerialPort, ...]
    function_codes: frozenset[int]


class CommandLink:
    """Carries commands to the site and answers back.

    Parameters
    ----------
    connection
        To the site.
    """

    def __init__(self, connection: Link) -> None:
        self._connection = connection
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Answer]] = {}
        self._lock = threading.Lock()

    def held(self) -> AbstractContextManager[bool]:
        """Let nothing go out until the end of the block: whoever would send waits."""
        return self._lock

    def submit(self, command: Command) -> "Future[Answer]":
        """Send a command; the future is completed when the site answers."""
        future: Future[Answer] = Future()
        number = next(self._numbers)
        with self._lock:
            self._waiting[number] = future
            self._connection.send(Submitted(number, command))
        return future

    def beat(self) -> None:
        """Say that whoever calls this goes on; a site that is gone no longer listens."""
        with suppress(OSError), self._lock:
            self._connection.send(Alive())

    def listen(self, set_faults: Callable[[SetFaults], object]) -> None:
        """Complete futures as answers come, and pass faults on, until the site closes its end."""
        with suppress(EOFError, OSError):
            while True:
                message = self._connection.recv()
                if isinstance(message, Answered):
                    self._complete(message)
                elif isinstance(message, SetFaults):
                    set_faults(message)

    def say_held(self, number: int) -> None:
        """Say that faults hold as they were set; a site that is gone no longer listens."""
        with suppress(OSError), self._lock:
            self._connection.send(FaultsHeld(number))

    def _complete(self, message: Answered) -> None:
        with self._lock:
            future = self._waiting.pop(message.number)
        if message.answer is None:
            future.set_exception(WriteFailedError(message.failure))
        else:
            future.set_result(message.answer)


def main() -> int:
    """Serve until the site ends; return 1 where that is impossible."""
    # The site ends this process; an interrupt from the keyboard is meant for the site.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = Link(int(sys.argv[1]))
    try:
        plan = connection.recv()
    except EOFError:
        return 1
    assert isinstance(plan, EndpointPlan)
    link = CommandLink(connection)
    devices = _devices(plan)
    bindings = [
        Binding(
            port.host,
            port.port,
            {unit: devices[at] for unit, at in port.units.items()},
            port.unit_check,
            port.standing,
            port.gateway,
        )
        for port in plan.ports
    ]
    listeners = [socket.socket(fileno=port.listener) for port in plan.ports]
    server = ModbusServer(
        bindings,
        link.submit,
        answer_timeout_s=plan.answer_timeout_s,
        idle_timeout_s=plan.idle_timeout_s,
        backlog=plan.backlog,
        lines=[_line(line, devices) for line in plan.lines],
        beat=(BEAT_S, link.beat),
    )
    server.set_faults(plan.faults.faults)
    with link.held():  # a master may have waited with a write: the site is to hear first that it is served
        try:
            server.start(listeners)
        except (TwinError, OSError) as error:
            connection.send(Failed(str(error)))
            return 1
        connection.send(Ready())
    link.listen(lambda told: server.set_faults(told.faults, partial(link.say_held, told.number)))
    server.stop()
    return 0


def _devices(plan: EndpointPlan) -> list[AttachedDevice]:
    """Return the meters, their images attached."""
    banks = [RegisterImageBank.attach(descriptor, bank) for descriptor, bank in plan.banks]
    return [
        AttachedDevice(
            device.name,
            banks[device.bank].images[device.row],
            () if device.windows is None else device.windows(banks[device.bank].log(device.row)),
            device.write_regions,
            device.coils,
            device.inputs,
            device.serial_ports,
            device.function_codes,
        )
        for device in plan.devices
    ]


def _line(plan: LinePlan, devices: Sequence[AttachedDevice]) -> tuple[SerialBinding, SerialDevice]:
    """Return a line with the meters on it, and its device, which the site keeps open."""
    members = tuple(LineMember(devices[at], port, standing) for at, port, standing in plan.members)
    device = SerialDevice(plan.descriptor, plan.path, plan.is_pair)
    return SerialBinding(plan.device, members, plan.format), device


if __name__ == "__main__":
    sys.exit(main())
