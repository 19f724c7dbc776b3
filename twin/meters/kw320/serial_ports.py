"""The two RS-485 ports: which registers set them, and to what.

References
----------
KW320 manual 6.3.1 (first port), 6.3.2 (second port).
"""

from dataclasses import dataclass

from twin.contracts import SerialPort
from twin.meters.kw320.profile import register_map
from twin.meters.register_map import Register

FORMATS = ("8E1", "8O1", "8N2", "8N1")
"""Character formats by value of a parity setting: EVEN, ODD, NON2, NON1."""
SERIAL_PORTS = (
    SerialPort(address=0x1001, baud_rate=0x1002, parity=0x0FFF, formats=FORMATS, protocol=0x0FFE),
    SerialPort(address=0x1031, baud_rate=0x102F, parity=0x1030, formats=FORMATS, protocol=0x1038),
)
"""The second port is an RS-485 module: with the protocol of another one, BACnet or mesh, it is silent."""


@dataclass(frozen=True, slots=True)
class SerialRegisters:
    """The registers of one port."""

    address: Register
    baud_rate: Register
    parity: Register

    def settings(self, *, unit: int, baud_rate: int, characters: str) -> dict[str, int]:
        """Return the raw values, by name, that set the port; ``characters`` is one of `FORMATS`."""
        return {
            self.address.name: unit,
            self.baud_rate.name: baud_rate,
            self.parity.name: FORMATS.index(characters),
        }


def serial_registers(profile: str, port: int) -> SerialRegisters:
    """Return the registers of a model's serial port, 1 or 2."""
    chosen = SERIAL_PORTS[port - 1]
    at = register_map(profile).by_address
    return SerialRegisters(at[chosen.address][0], at[chosen.baud_rate][0], at[chosen.parity][0])
