"""What the process of the endpoints is told to serve, with descriptors as it will find them."""

import socket
from collections.abc import Mapping, Sequence

from twin.protocols.binding import Binding
from twin.protocols.endpoint_messages import DevicePlan, LinePlan, PortPlan, SharedDevice
from twin.protocols.serial_binding import SerialBinding
from twin.protocols.serial_device import SerialDevice


def device_plans(devices: Sequence[SharedDevice], bank_at: Mapping[int, int]) -> tuple[DevicePlan, ...]:
    """Return the plans of meters.

    Parameters
    ----------
    devices
        Each meter once.
    bank_at
        Number of each bank, by its identity.
    """
    return tuple(
        DevicePlan(
            device.name,
            bank_at[id(device.bank)],
            device.row,
            device.window_factory,
            device.write_regions,
            device.coils,
            device.inputs,
            device.serial_ports,
            device.function_codes,
        )
        for device in devices
    )


def port_plans(
    bindings: Sequence[Binding],
    addresses: Sequence[tuple[str, int]],
    listeners: Sequence[socket.socket],
    device_at: Mapping[int, int],
) -> tuple[PortPlan, ...]:
    """Return the plans of ports.

    Parameters
    ----------
    bindings, addresses, listeners
        Of each port: what is served, where, and the socket that listens there.
    device_at
        Number of each meter, by its identity.
    """
    return tuple(
        PortPlan(
            host,
            port,
            listener.fileno(),
            {unit: device_at[id(device)] for unit, device in binding.units.items()},
            str(binding.unit_check),
            binding.standing,
            binding.gateway,
        )
        for binding, (host, port), listener in zip(bindings, addresses, listeners, strict=True)
    )


def line_plans(
    lines: Sequence[SerialBinding], devices: Sequence[SerialDevice], device_at: Mapping[int, int]
) -> tuple[LinePlan, ...]:
    """Return the plans of serial lines.

    Parameters
    ----------
    lines, devices
        Of each line: the meters on it, and where it is served.
    device_at
        Number of each meter, by its identity.
    """
    return tuple(
        LinePlan(
            line.device,
            device.path,
            device.descriptor,
            device.is_pair,
            line.format,
            tuple((device_at[id(member.device)], member.port, member.standing) for member in line.members),
        )
        for line, device in zip(lines, devices, strict=True)
    )
