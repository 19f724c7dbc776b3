"""The tag list: every named quantity of every meter, as a SCADA system imports it."""

import csv
import io
from collections.abc import Iterable
from typing import Protocol

from twin.contracts import Point

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
        the 0-based one plus 400001, the number that masters use which count from one.

    References
    ----------
    MODBUS Application Protocol Specification V1.1b3, section 4.4: register N is addressed as N - 1.
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
                    400001 + point.address,
                    point.type,
                    point.word_order,
                    f"{point.scale:.15g}",
                    point.unit,
                    point.access.value,
                )
            )
    return text.getvalue()
