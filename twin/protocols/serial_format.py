"""How characters travel on a serial line: speed, parity, stop bits, and what follows for its timing.

References
----------
MODBUS over Serial Line Specification V1.02, section 2.5.1.1 (silence of 3.5 characters, 1.75 ms above
19,200 Bd); KW320 manual 6.1 (start bit, 8 data bits, parity, one or two stop bits).
"""

import math
import re
from dataclasses import dataclass

from twin.contracts import RegisterReader, SerialPort, TwinError

_FORMAT = re.compile(r"8([NEO])([12])\Z")
_SILENT_CHARACTERS = 3.5
_FAST_BD, _FAST_SILENCE_S = 19200, 1.75e-3
_TOLERANCE = 0.02
"""Of the speed: over the ten bits of a character, half a bit is 5 %, shared by both ends."""


class SerialFormatError(TwinError, ValueError):
    """A speed or character format that no serial line has."""


@dataclass(frozen=True, slots=True)
class SerialFormat:
    """Speed and characters of a line, or of a device on it.

    Raises
    ------
    SerialFormatError
        The speed is not positive, or the characters are none of 8N1, 8N2, 8E1, 8E2, 8O1, 8O2.
    """

    baud_rate: int = 19200
    """[Bd]."""
    characters: str = "8N1"
    """Data bits, parity (N, E or O) and stop bits."""

    def __post_init__(self) -> None:
        if self.baud_rate < 1:
            raise SerialFormatError(f"{self.baud_rate} Bd is no speed; use for example 19200")
        if _FORMAT.match(self.characters) is None:
            raise SerialFormatError(f"'{self.characters}' is no character format; use for example 8N1 or 8E1")

    @property
    def parity(self) -> str:
        """``N``, ``E`` or ``O``."""
        return self.characters[1]

    @property
    def stop_bits(self) -> int:
        """1 or 2."""
        return int(self.characters[2])

    @property
    def character_s(self) -> float:
        """Time of one character: start bit, 8 data bits, parity if any, stop bits [s]."""
        bits = 1 + 8 + (self.parity != "N") + self.stop_bits
        return bits / self.baud_rate

    @property
    def silence_s(self) -> float:
        """Silence that ends a frame [s]."""
        if self.baud_rate > _FAST_BD:
            return _FAST_SILENCE_S
        return _SILENT_CHARACTERS * self.character_s

    def hears(self, other: "SerialFormat") -> bool:
        """Return whether a device of this format understands one of another.

        The second stop bit does not matter to who listens: it is like a pause.
        """
        return self.parity == other.parity and math.isclose(
            self.baud_rate, other.baud_rate, rel_tol=_TOLERANCE
        )


@dataclass(frozen=True, slots=True)
class PortSettings:
    """How a meter's serial port is set now."""

    unit: int
    format: SerialFormat
    modbus: bool
    """Whether it speaks Modbus."""


def port_settings(image: RegisterReader, port: SerialPort) -> PortSettings:
    """Return how the published registers say that a serial port is set.

    Raises
    ------
    SerialFormatError
        The image lacks one of the registers, or they say nothing that a line could be.
    """
    parity = _register(image, port.parity)
    if parity >= len(port.formats):
        raise SerialFormatError(f"register {port.parity:04X}H: {parity} is none of {', '.join(port.formats)}")
    return PortSettings(
        unit=_register(image, port.address),
        format=SerialFormat(_register(image, port.baud_rate), port.formats[parity]),
        modbus=port.protocol is None or _register(image, port.protocol) == 0,
    )


def _register(image: RegisterReader, address: int) -> int:
    words = image.read(address, 1)
    if words is None:
        raise SerialFormatError(f"the image has no register {address:04X}H, which sets a serial port")
    return int(words[0])
