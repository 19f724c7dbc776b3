"""Meters and ports laid out for serving: what a request is looked up in."""

from collections.abc import Mapping

from twin.contracts import Device, RegisterBlock, RetrievalWindow
from twin.contracts.transport import GatewaySettings
from twin.protocols.address_ranges import AddressRanges
from twin.protocols.binding import UnitCheck
from twin.protocols.bit_map import BitMap
from twin.protocols.doorkeeper import Doorkeeper
from twin.protocols.fault_decisions import FaultedEndpoint
from twin.protocols.gateway import Gateway


class PortFaults:
    """What is wrong with the requests to a port, or what holds them up.

    Parameters
    ----------
    endpoints
        By unit, those whose requests do not all end well.
    fallback
        For any other unit.
    gateway
        The line on which the units are, if they are on one.
    """

    __slots__ = ("_endpoints", "_fallback", "gateway")

    def __init__(
        self,
        endpoints: Mapping[int, FaultedEndpoint],
        fallback: FaultedEndpoint | None = None,
        gateway: Gateway | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._fallback = fallback
        self.gateway = gateway

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

    __slots__ = ("_fallback", "_units", "door", "faults", "gateway", "unit_check")

    def __init__(
        self,
        served: Mapping[int, ServedDevice],
        unit_check: UnitCheck | str,
        gateway: GatewaySettings | None = None,
    ) -> None:
        self._units = served
        self.gateway = None if gateway is None else Gateway(gateway)
        """The line behind the port, if there is one."""
        self.unit_check = UnitCheck(unit_check)
        self._fallback = next(iter(served.values())) if self.unit_check is UnitCheck.ANY else None
        self.faults: PortFaults | None = None
        """What is wrong with requests, or holds them up; None where all is well."""
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
        """Whether anything behind the port has its supply; without, there is no port but a gateway's."""
        for served in self._units.values():
            if served.device.image.powered:
                return True
        return self.gateway is not None
