"""The tag list: every named quantity, input and relay of every meter, as a SCADA system imports it."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Protocol

from twin.contracts import Access, BitBlock, Point

COLUMNS = (
    "meter",
    "name",
    "0-based address",
    "4xxxxx address",
    "type",
    "word order",
    "scale",
    "unit",
    "access",
)
"""Header of the tag list."""
_FIRST_REGISTER, _FIRST_INPUT = 400001, 100001


class PointDevice(Protocol):
    """A meter with its named quantities."""

    @property
    def name(self) -> str:
        """Name in the scenario."""
        ...

    @property
    def points(self) -> tuple[Point, ...]:
        """Named quantities of its register map."""
        ...

    @property
    def coils(self) -> tuple[BitBlock, ...]:
        """Outputs that a master may read and switch."""
        ...

    @property
    def inputs(self) -> tuple[BitBlock, ...]:
        """Discrete inputs."""
        ...


def points_csv(devices: Iterable[PointDevice]) -> str:
    """Return the tag list of several meters as CSV.

    Parameters
    ----------
    devices
        Meters, in the order in which they shall appear.

    Returns
    -------
    str
        One header line and one line per point, each ending with a line feed. The six-digit address is
        the 0-based one plus 400001, the number that masters use which count from one; for a discrete
        input, of type ``input``, plus 100001, and for a coil plus 1.

    References
    ----------
    MODBUS Application Protocol Specification V1.1b3, section 4.4: register N is addressed as N - 1.
    MODICON Modbus Protocol Reference Guide, PI-MBUS-300: references 0x, 1x and 4x.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for device in devices:
        for point in device.points:
            writer.writerow(
                (
                    device.name,
                    point.name,
                    point.address,
                    _FIRST_REGISTER + point.address,
                    point.type,
                    point.word_order,
                    f"{point.scale:.15g}",
                    point.unit,
                    point.access.value,
                )
            )
        for name, address in _named_bits(device.inputs):
            row = (
                device.name,
                name,
                address,
                _FIRST_INPUT + address,
                "input",
                "",
                "1",
                "",
                Access.READ.value,
            )
            writer.writerow(row)
        for name, address in _named_bits(device.coils):
            access = Access.READ_WRITE.value
            writer.writerow((device.name, name, address, f"{1 + address:06}", "coil", "", "1", "", access))
    return text.getvalue()


def _named_bits(blocks: Iterable[BitBlock]) -> Iterator[tuple[str, int]]:
    """Return name and 0-based address of each coil, or input, that has a name."""
    for block in blocks:
        if block.name:
            yield from ((f"{block.name}{at + 1}", block.address + at) for at in range(block.count))
