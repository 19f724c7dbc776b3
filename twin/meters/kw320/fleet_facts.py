"""What is known of the meters of a fleet without asking what they measure: names, addresses, windows."""

from collections.abc import Sequence

from twin.contracts import BitBlock, MeterInfo, Point, RegisterBlock, RetrievalWindow, SerialPort
from twin.meters.kw320.description import describe
from twin.meters.kw320.io_modules import COILS, INPUT_BITS
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.points import register_points
from twin.meters.kw320.profile import FUNCTION_CODES, image_map
from twin.meters.kw320.serial_ports import SERIAL_PORTS


class FleetFacts:
    """Meters by their number.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    """

    def __init__(self, meters: Sequence[Kw320Meter]) -> None:
        self._meters = meters
        self._by_name = {meter.config.name: number for number, meter in enumerate(meters)}

    def __len__(self) -> int:
        return len(self._meters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the meters, in order."""
        return tuple(self._by_name)

    def index(self, name: str) -> int | None:
        """Return the number of a meter, or None when there is none of that name."""
        return self._by_name.get(name)

    def blocks(self, meter: int) -> tuple[RegisterBlock, ...]:
        """Return the runs of addresses of the meter's image."""
        return image_map(self._profile(meter)).blocks

    def points(self, meter: int) -> tuple[Point, ...]:
        """Return the meter's registers as a tag list, scaled to primary values as it is set now."""
        return register_points(self._meters[meter].registers, self._meters[meter].scaling)

    def write_regions(self, meter: int) -> tuple[tuple[RegisterBlock, ...], ...]:
        """Return the writable addresses by settings region."""
        return self._meters[meter].registers.write_regions

    def coils(self, meter: int) -> tuple[BitBlock, ...]:
        """Return the relay outputs; what is not connected reads 0."""
        del meter
        return (COILS,)

    def inputs(self, meter: int) -> tuple[BitBlock, ...]:
        """Return the digital inputs; what is not connected reads 0."""
        del meter
        return (INPUT_BITS,)

    def serial_ports(self, meter: int) -> tuple[SerialPort, ...]:
        """Return which registers set the meter's serial ports."""
        del meter
        return SERIAL_PORTS

    def function_codes(self, meter: int) -> frozenset[int]:
        """Return the Modbus functions that the meter knows."""
        return FUNCTION_CODES

    def windows(self, meter: int) -> tuple[RetrievalWindow, ...]:
        """Return the meter's retrieval windows."""
        return self._meters[meter].windows

    def info(self, meter: int) -> MeterInfo:
        """Return the meter as a recording describes it."""
        return describe(self._meters[meter])

    def _profile(self, meter: int) -> str:
        return self._meters[meter].config.profile
