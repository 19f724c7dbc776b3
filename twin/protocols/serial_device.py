"""Serial devices: a real one, or a pair made here whose other end any program opens as one."""

import errno
import os
import termios
import tty
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.contracts import TwinError
from twin.protocols.serial_format import SerialFormat

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _ISPEED, _OSPEED, _CC = range(7)
_SPEEDS = {
    getattr(termios, f"B{rate}"): rate
    for rate in (1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)
    if hasattr(termios, f"B{rate}")
}
_CODES = {rate: code for code, rate in _SPEEDS.items()}
PAIR = "pty"
"""Name of a device that is to be made; after a colon a name to share it by, or where to link it."""


class SerialDeviceError(TwinError, OSError):
    """A serial device cannot be used."""

    device: str = ""
    """Which one, as it was given."""

    def __str__(self) -> str:
        """Return the message alone: the number before it means nothing to people."""
        return self.strerror or super().__str__()


@dataclass(slots=True)
class SerialDevice:
    """An open serial device."""

    descriptor: int
    """To read and write."""
    path: str
    """What a master opens where this is a pair; else the device itself."""
    is_pair: bool
    _others: list[int] = field(default_factory=list)
    _link: Path | None = None

    def close(self) -> None:
        """Close it, and take its link away; twice is allowed."""
        if self._link is not None:
            if self._link.is_symlink() and str(self._link.readlink()).startswith("/dev/"):
                self._link.unlink()
            self._link = None
        for descriptor in (self.descriptor, *self._others):
            if descriptor >= 0:
                os.close(descriptor)
        self.descriptor, self._others = -1, []


def open_serial(device: str, serial_format: SerialFormat) -> SerialDevice:
    """Open a serial device, or make a pair.

    Parameters
    ----------
    device
        A path such as ``/dev/ttyUSB0``; or ``pty``, ``pty:NAME`` for a pair, ``pty:/PATH`` for one that is
        linked there.
    serial_format
        How the line is set at first.

    Raises
    ------
    SerialDeviceError
        There is no such device, it is no serial one, or it may not be used.
    """
    try:
        if device == PAIR or device.startswith(f"{PAIR}:"):
            opened = _make_pair(device.partition(":")[2])
        else:
            opened = _open_real(device)
        try:
            set_format(opened.descriptor, serial_format)
        except BaseException:
            opened.close()
            raise
    except (OSError, termios.error) as error:
        explained = _explain(device, error)
        explained.device = device
        raise explained from error
    return opened


def set_format(descriptor: int, serial_format: SerialFormat) -> None:
    """Set speed and characters; what is not yet sent is sent before.

    A speed that the system does not know is set to the nearest that it does.

    Raises
    ------
    OSError
        The device is gone, or cannot be set so.
    """
    settings = _settings(descriptor)
    control = settings[_CFLAG] & ~(termios.CSIZE | termios.PARENB | termios.PARODD | termios.CSTOPB)
    control |= termios.CS8 | termios.CREAD | termios.CLOCAL
    if serial_format.parity != "N":
        control |= termios.PARENB | (termios.PARODD if serial_format.parity == "O" else 0)
    if serial_format.stop_bits == 2:
        control |= termios.CSTOPB
    settings[_CFLAG] = control
    rate = min(_CODES, key=lambda known: abs(known - serial_format.baud_rate))
    settings[_ISPEED] = settings[_OSPEED] = _CODES[rate]
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
    except termios.error as error:
        raise OSError(*error.args) from error


def baud_rate_of(descriptor: int) -> int | None:
    """Return the speed that is set, which on a pair is the master's [Bd]; None where it is none we know."""
    return _SPEEDS.get(_settings(descriptor)[_OSPEED])


def _settings(descriptor: int) -> list[Any]:
    try:
        return termios.tcgetattr(descriptor)
    except termios.error as error:
        raise OSError(*error.args) from error


def _make_pair(link: str) -> SerialDevice:
    ours, theirs = os.openpty()
    # Ours stays open on both sides: a master that closes its side must not end the line.
    device = SerialDevice(ours, os.ttyname(theirs), is_pair=True, _others=[theirs])
    try:
        os.set_blocking(ours, False)
        tty.setraw(theirs)
        if link.startswith("/"):
            device._link = _make_link(Path(link), device.path)
    except BaseException:
        device.close()
        raise
    return device


def _make_link(link: Path, target: str) -> Path:
    if link.is_symlink() and str(link.readlink()).startswith("/dev/pts/"):
        link.unlink()  # left by a run that was killed
    link.symlink_to(target)
    return link


def _open_real(path: str) -> SerialDevice:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    device = SerialDevice(descriptor, path, is_pair=False)
    try:
        if not os.isatty(descriptor):
            raise OSError(errno.ENOTTY, "it is no serial device")
        tty.setraw(descriptor)
        with suppress(OSError):
            import fcntl  # noqa: PLC0415 - POSIX only, as this whole function

            fcntl.ioctl(descriptor, termios.TIOCEXCL)
    except BaseException:
        device.close()
        raise
    return device


def _explain(device: str, error: OSError | termios.error) -> SerialDeviceError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else errno.EIO
    reason = error.args[1] if len(error.args) > 1 else error
    mends = {
        errno.ENOENT: "plug it in or name another (`ls /dev/tty*`); `pty` makes a pair",
        errno.EACCES: "put your user into the group that owns it (`ls -l`), often dialout",
        errno.EBUSY: "end the other program that uses it",
        errno.EEXIST: "choose another path for the link, or remove what is there",
    }
    mend = mends.get(number, "name a serial device, or `pty` for a pair made here")
    return SerialDeviceError(number, f"cannot serve on '{device}': {reason}; {mend}")
