"""From the protective devices of a network file to the states that a simulation hosts."""

from twin.grid.components import Line
from twin.grid.network import Network
from twin.grid.protection import (
    CURVES,
    DefiniteTime,
    FrequencyRelay,
    FrequencySettings,
    Fuse,
    FuseSettings,
    InverseTime,
    OvercurrentRelay,
    OvercurrentSettings,
    PointCurve,
    Recloser,
    Sectionaliser,
    SectionaliserSettings,
    Shot,
    TimeCurve,
    VoltageRelay,
    VoltageSettings,
    definite_time,
    fast_and_slow,
    gg_link,
    k_link,
    t_link,
)
from twin.grid.protection_devices import (
    InstalledFuse,
    InstalledRecloser,
    InstalledRelay,
    InstalledSectionaliser,
)

DEFINITE = "definite"
"""Curve whose time dial is its time [s]."""

CURVE_NAMES = (DEFINITE, *CURVES)

LINKS = {"K": k_link, "T": t_link, "gG": gg_link}

Element = OvercurrentRelay | VoltageRelay | FrequencyRelay


def relay_elements(relay: InstalledRelay) -> list[Element]:
    """Return the elements of a relay at rest: overcurrent as one, each of voltage and frequency by itself.

    Raises
    ------
    GridError
        What cannot be set.
    """
    out: list[Element] = []
    current = OvercurrentSettings
    if any((relay.pickup, relay.instantaneous, relay.residual_pickup, relay.residual_instantaneous)):
        settings = current(
            relay.name,
            phase_time=_relay_time(relay, relay.pickup, relay.curve, relay.time_dial),
            phase_instantaneous=_definite(relay, relay.instantaneous, relay.instantaneous_delay),
            residual_time=_relay_time(
                relay, relay.residual_pickup, relay.residual_curve, relay.residual_time_dial
            ),
            residual_instantaneous=_definite(
                relay, relay.residual_instantaneous, relay.residual_instantaneous_delay
            ),
        )
        out.append(OvercurrentRelay(settings))
    if relay.undervoltage is not None:
        under = VoltageSettings(
            relay.name,
            "under",
            relay.undervoltage,
            relay.undervoltage_delay,
            block_below=relay.undervoltage_block,
        )
        out.append(VoltageRelay(under))
    if relay.overvoltage is not None:
        over = VoltageSettings(relay.name, "over", relay.overvoltage, relay.overvoltage_delay)
        out.append(VoltageRelay(over))
    for kind, pickup, delay in (
        ("under", relay.underfrequency, relay.underfrequency_delay),
        ("over", relay.overfrequency, relay.overfrequency_delay),
    ):
        if pickup is not None:
            out.append(FrequencyRelay(FrequencySettings(relay.name, kind, pickup, delay)))
    return out


def recloser_state(device: InstalledRecloser) -> Recloser:
    """Return a recloser, closed and at rest.

    Raises
    ------
    GridError
        What cannot be set.
    """
    beside = _definite(device, device.instantaneous, 0.0)
    fast = Shot(
        _recloser_time(device, device.pickup, device.fast_curve, device.fast_time_dial),
        _recloser_time(
            device, device.residual_pickup, device.residual_fast_curve, device.residual_fast_time_dial
        ),
        phase_instantaneous=beside,
    )
    slow = Shot(
        _recloser_time(device, device.pickup, device.slow_curve, device.slow_time_dial),
        _recloser_time(
            device, device.residual_pickup, device.residual_slow_curve, device.residual_slow_time_dial
        ),
        phase_instantaneous=beside,
    )
    settings = fast_and_slow(
        device.name,
        fast=fast,
        slow=slow,
        fast_shots=device.fast_shots,
        slow_shots=device.slow_shots,
        dead_times=device.dead_times,
        reset_time=device.reset_time,
    )
    return Recloser(settings)


def fuse_settings(fuse: InstalledFuse) -> FuseSettings:
    """Return what kind of link a fuse has.

    Raises
    ------
    GridError
        What cannot be set.
    """
    if fuse.kind:
        maker = LINKS[fuse.kind]
        if fuse.arcing_time is None:
            return maker(fuse.rating or 0.0, tolerance=fuse.tolerance, name=fuse.name)
        return maker(
            fuse.rating or 0.0, tolerance=fuse.tolerance, name=fuse.name, arcing_time=fuse.arcing_time
        )
    clearing = tuple(zip(fuse.clearing_current, fuse.clearing_time, strict=True))
    return FuseSettings(
        fuse.name,
        PointCurve(f"{fuse.name} melting", tuple(zip(fuse.melting_current, fuse.melting_time, strict=True))),
        total_clearing=PointCurve(f"{fuse.name} clearing", clearing) if clearing else None,
        arcing_time=fuse.arcing_time or 0.0,
        cooling_time=fuse.cooling_time,
    )


def fuse_state(fuse: InstalledFuse, network: Network) -> Fuse:
    """Return a fuse, cold and whole, with a link in each phase of its end.

    Raises
    ------
    GridError
        What cannot be set.
    """
    return Fuse(fuse_settings(fuse), end_phases(network, fuse.branch, fuse.end))


def sectionaliser_state(device: InstalledSectionaliser) -> Sectionaliser:
    """Return a sectionaliser, closed, with nothing counted.

    Raises
    ------
    GridError
        What cannot be set.
    """
    settings = SectionaliserSettings(
        device.name,
        device.actuating,
        device.counts,
        device.memory,
        ground_current=device.residual_actuating,
        opening_delay=device.opening_delay,
        dead_current=device.dead_current,
    )
    return Sectionaliser(settings)


def end_phases(network: Network, branch: str, end: str) -> str:
    """Return the phases of a branch at one of its ends, in order, the neutral not among them."""
    item = network.branches[network.branch_index[branch]]
    sides = (item.phases, item.phases) if isinstance(item, Line) else (item.hv_phases, item.lv_phases)
    letters = sides[end == "to"]
    return "".join(letter for letter in "abc" if letter in letters)


def end_bus(network: Network, branch: str, end: str) -> str:
    """Return the bus at an end of a branch."""
    item = network.branches[network.branch_index[branch]]
    return item.from_bus if end == "from" else item.to_bus


def named_curve(name: str) -> TimeCurve:
    """Return a curve by its name in a network file."""
    return definite_time(1.0) if name == DEFINITE else CURVES[name]


def _relay_time(relay: InstalledRelay, pickup: float | None, curve: str, dial: float) -> InverseTime | None:
    if pickup is None:
        return None
    return InverseTime(
        pickup,
        named_curve(curve),
        dial,
        minimum_time=relay.minimum_time,
        reset=relay.reset,
        reset_time=relay.reset_time,
        dropout_ratio=relay.dropout_ratio,
    )


def _recloser_time(
    device: InstalledRecloser, pickup: float | None, curve: str, dial: float
) -> InverseTime | None:
    if pickup is None:
        return None
    return InverseTime(
        pickup,
        named_curve(curve),
        dial,
        minimum_time=device.minimum_time,
        dropout_ratio=device.dropout_ratio,
    )


def _definite(
    device: InstalledRelay | InstalledRecloser, pickup: float | None, delay: float
) -> DefiniteTime | None:
    return None if pickup is None else DefiniteTime(pickup, delay, dropout_ratio=device.dropout_ratio)
