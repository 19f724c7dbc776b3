"""Serial lines on an event loop: bytes are read when they come, and written at once."""

import asyncio
import logging
import os
import termios
from collections.abc import Callable
from contextlib import suppress

from twin.protocols.carried_out import WriteContext
from twin.protocols.fault_roster import FaultableStation
from twin.protocols.modbus_rtu import RtuLine
from twin.protocols.opener_watch import OpenerWatch
from twin.protocols.serial_binding import SerialBinding
from twin.protocols.serial_device import SerialDevice, baud_rate_of, set_format
from twin.protocols.serial_format import SerialFormat

_READ_BYTES = 4096
_LOOK_S = 0.5
"""How often a real device is set as its meters are set now."""

_log = logging.getLogger(__name__)


class SerialMedium:
    """An open serial device as the end of a line.

    Parameters
    ----------
    device
        Does not block. On a pair made here bytes take no time.
    """

    def __init__(self, device: SerialDevice) -> None:
        self._descriptor = device.descriptor
        self._is_pair = device.is_pair
        self._name = device.path
        self._masters_end = -1
        self._openers: OpenerWatch | None = None
        self._abandoned = False

    @property
    def keeps_time(self) -> bool:
        """Whether bytes take their time on it by themselves."""
        return not self._is_pair

    def listen(self, loop: asyncio.AbstractEventLoop, receive: Callable[[bytes], None]) -> None:
        """Have bytes handed over as they come, until the device is gone."""
        if self._is_pair:
            self._masters_end = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
            self._openers = OpenerWatch(self._name)
            if self._openers.descriptor >= 0:
                loop.add_reader(self._openers.descriptor, self._note_openers, self._openers, loop, receive)
        loop.add_reader(self._descriptor, self._read, loop, receive)

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen no more."""
        loop.remove_reader(self._descriptor)
        if self._openers is not None:
            if self._openers.descriptor >= 0:
                loop.remove_reader(self._openers.descriptor)
            self._openers.close()
            self._openers = None
        if self._masters_end >= 0:
            os.close(self._masters_end)
            self._masters_end = -1

    def write(self, data: bytes) -> None:
        """Send bytes; what nobody takes is lost, as on a real line."""
        if not self._abandoned:
            with suppress(OSError):
                os.write(self._descriptor, data)

    def follow(self, serial_format: SerialFormat) -> None:
        """Set a real device; on a pair the settings are the master's."""
        if self._is_pair:
            return
        try:
            set_format(self._descriptor, serial_format)
        except OSError as error:
            _log.warning("'%s' cannot be set to %s: %s", self._name, serial_format, error)

    def baud_rate(self) -> int | None:
        """Return the speed that the master has set on its side of a pair [Bd]; None where it is unknown."""
        return baud_rate_of(self._descriptor) if self._is_pair else None

    def _note_openers(
        self,
        openers: OpenerWatch,
        loop: asyncio.AbstractEventLoop,
        receive: Callable[[bytes], None],
    ) -> None:
        """Forget what the last master has not read; a real device does so when it is closed, a pair not."""
        self._read(loop, receive)  # what it has sent is older than its going
        if self._openers is None:
            return
        if openers.take():
            termios.tcflush(self._masters_end, termios.TCIFLUSH)
        self._abandoned = openers.count <= 0

    def _read(self, loop: asyncio.AbstractEventLoop, receive: Callable[[bytes], None]) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            data = b""
            _log.error("the serial device '%s' is gone: %s", self._name, error)
        if data:
            self._abandoned = False
            receive(data)
        else:
            self.stop(loop)


class ServedLine:
    """A line that is being served.

    Parameters
    ----------
    context
        Clock, and where writes go.
    binding
        The meters on the line.
    device
        Where they are served.
    """

    def __init__(self, context: WriteContext, binding: SerialBinding, device: SerialDevice) -> None:
        self._loop = context.loop
        self._medium = SerialMedium(device)
        stations = binding.stations()
        self._line = RtuLine(context, stations, self._medium, binding.format)
        self.faultable = tuple(
            FaultableStation(member.device.name, station, member.standing)
            for member, station in zip(binding.members, stations, strict=True)
        )
        """Its meters, whose answers may be faulty."""
        self._timer: asyncio.TimerHandle | None = None
        self._medium.listen(self._loop, self._line.receive)
        if self._medium.keeps_time:
            self._look()

    def close(self) -> None:
        """Serve no more; the device stays open."""
        self._medium.stop(self._loop)
        self._line.close()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Set the device as its meters are set, also where no master speaks."""
        self._line.follow()
        self._timer = self._loop.call_later(_LOOK_S, self._look)
