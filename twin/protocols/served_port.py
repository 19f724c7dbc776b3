"""Meters and ports laid out for serving: what a request is looked up in."""

from collections.abc import Mapping

from twin.contracts import Device, RegisterBlock, RetrievalWindow
from twin.protocols.address_ranges import AddressRanges
from twin.protocols.binding import UnitCheck
from twin.protocols.bit_map import BitMap
from twin.protocols.doorkeeper import Doorkeeper
from twin.protocols.fault_decisions import FaultedEndpoint


class PortFaults:
    """What is wrong with the requests to a port.

    Parameters
    ----------
    endpoints
        By unit, those whose requests do not all end well.
    fallback
        For any other unit.
    """

    __slots__ = ("_endpoints", "_fallback")

    def __init__(
        self, endpoints: Mapping[int, FaultedEndpoint], fallback: FaultedEndpoint | None = None
    ) -> None:
        self._endpoints = endpoints
        self._fallback = fallback

    def of(self, unit: int) -> FaultedEndpoint | None:
        """Return the faults of a unit; None where all is well with it."""
        return self._endpoints.get(unit, self._fallback)


class ServedDevice:
    """A meter with its windows, settings regions and bits laid out for looking up.

    Raises
    ------
    AddressOverlapError
        Two windows, or two regions, claim the same register; or two runs the same coil or input.
    """

    __slots__ = ("coils", "device", "functions", "inputs", "read_octets", "regions", "windows")

    def __init__(self, device: Device) -> None:
        self.device = device
        self.read_octets = device.image.read_octets
        self.functions = device.function_codes
        self.windows: AddressRanges[RetrievalWindow] = AddressRanges(
            (window, window.blocks) for window in device.windows
        )
        self.regions: AddressRanges[tuple[RegisterBlock, ...]] = AddressRanges(
            (region, region) for region in device.write_regions
        )
        self.coils = BitMap(device.coils)
        self.inputs = BitMap(device.inputs)

    @property
    def powered(self) -> bool:
        """Whether the meter has its supply; without, it answers nothing."""
        return self.device.image.powered


class ServedPort:
    """The units behind one port."""

    __slots__ = ("_fallback", "_units", "door", "faults", "unit_check")

    def __init__(self, served: Mapping[int, ServedDevice], unit_check: UnitCheck | str) -> None:
        self._units = served
        self.unit_check = UnitCheck(unit_check)
        self._fallback = next(iter(served.values())) if self.unit_check is UnitCheck.ANY else None
        self.faults: PortFaults | None = None
        """What is wrong with requests; None where all is well."""
        self.door = Doorkeeper()
        """Of the connections."""

    def device(self, unit: int) -> ServedDevice | None:
        """Return the meter that answers for a unit."""
        return self._units.get(unit, self._fallback)

    @property
    def answers_any(self) -> bool:
        """Whether its first meter answers for every unit that it does not know."""
        return self._fallback is not None

    @property
    def powered(self) -> bool:
        """Whether anything behind the port has its supply; without, there is no port."""
        return any(served.powered for served in self._units.values())
