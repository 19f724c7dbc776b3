"""What is wrong with the protective devices of a network: names, places, settings."""

from collections.abc import Iterable, Sequence

from twin.contracts import Finding
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.protection.timers import RESETS
from twin.grid.protection_devices import (
    InstalledFuse,
    InstalledRecloser,
    InstalledRelay,
    InstalledSectionaliser,
)
from twin.grid.protection_settings import (
    CURVE_NAMES,
    LINKS,
    end_phases,
    fuse_settings,
    recloser_state,
    relay_elements,
    sectionaliser_state,
)
from twin.grid.table import Places

SwitchDevice = InstalledRelay | InstalledRecloser | InstalledSectionaliser

_ELEMENTS = (
    "pickup",
    "instantaneous",
    "residual_pickup",
    "residual_instantaneous",
    "undervoltage",
    "overvoltage",
    "underfrequency",
    "overfrequency",
)


def protection_findings(network: Network, places: Places) -> Iterable[Finding]:
    """Yield every finding about a protective device."""
    yield from _switches(network, places)
    yield from _fuses(network, places)
    for at, relay in enumerate(network.relays):
        yield from _relay(at, relay, places)
    for at, recloser in enumerate(network.reclosers):
        yield from _recloser(at, recloser, places)
    for at, sectionaliser in enumerate(network.sectionalisers):
        try:
            sectionaliser_state(sectionaliser)
        except GridError as error:
            yield _refused("sectionalisers", at, error, places)


def _of_switches(network: Network) -> list[tuple[str, int, SwitchDevice]]:
    return [
        *(("relays", at, one) for at, one in enumerate(network.relays)),
        *(("reclosers", at, one) for at, one in enumerate(network.reclosers)),
        *(("sectionalisers", at, one) for at, one in enumerate(network.sectionalisers)),
    ]


def _switches(network: Network, places: Places) -> Iterable[Finding]:
    """Each device has a switch of a branch, and each switch at most one device."""
    switches = {switch.name: at for at, switch in enumerate(network.switches)}
    capacitors = {capacitor.name for capacitor in network.capacitors}
    taken: dict[str, str] = {}
    for section, at, device in _of_switches(network):
        yield from _end(section, at, device.end, places)
        if device.switch in capacitors:
            what = f"'{device.switch}' switches a capacitor, whose current is not measured"
            yield places.finding(section, at, "switch", what, "name the switch of a line or transformer")
        elif device.switch not in switches:
            if "switches" not in places.incomplete:
                yield places.unknown(section, at, "switch", device.switch, switches, "switches")
        elif device.switch in taken:
            what = f"switch '{device.switch}' is already operated by '{taken[device.switch]}'"
            mend = "give each device a switch of its own, or set all elements in one relay"
            yield places.finding(section, at, "switch", what, mend)
        else:
            taken[device.switch] = device.name


def _end(section: str, at: int, end: str, places: Places) -> Iterable[Finding]:
    if end not in {"from", "to"}:
        yield places.finding(section, at, "end", f"'{end}' is no end of a branch", "give from or to")


def _fuses(network: Network, places: Places) -> Iterable[Finding]:
    sides: dict[tuple[str, str], str] = {}
    for at, fuse in enumerate(network.fuses):
        yield from _end("fuses", at, fuse.end, places)
        if fuse.branch not in network.branch_index:
            if not places.incomplete & {"lines", "transformers"}:
                known = network.branch_index
                yield places.unknown("fuses", at, "branch", fuse.branch, known, "lines and transformers")
        elif (fuse.branch, fuse.end) in sides:
            what = f"the {fuse.end} end of '{fuse.branch}' already has fuse '{sides[fuse.branch, fuse.end]}'"
            yield places.finding("fuses", at, "branch", what, "keep one of them, or move it to the other end")
        elif not end_phases(network, fuse.branch, fuse.end):
            what = f"the {fuse.end} end of '{fuse.branch}' has no phase"
            yield places.finding("fuses", at, "end", what, "put the fuse where a phase is")
        else:
            sides[fuse.branch, fuse.end] = fuse.name
        yield from _link(at, fuse, places)


def _link(at: int, fuse: InstalledFuse, places: Places) -> Iterable[Finding]:
    """Find whether a fuse has either a standard link or points, and whether these make curves."""
    points = fuse.melting_current or fuse.melting_time or fuse.clearing_current or fuse.clearing_time
    if fuse.kind and fuse.kind not in LINKS:
        what = f"'{fuse.kind}' is no type of link"
        yield places.finding("fuses", at, "type", what, f"choose one of {', '.join(LINKS)}")
    elif fuse.kind and points:
        what = "has a type and points of its own"
        yield places.finding("fuses", at, "type", what, "give one of the two")
    elif fuse.kind and fuse.rating is None:
        what = "is missing with a type"
        yield places.finding("fuses", at, "rating_a", what, "add 'rating_a'")
    elif not fuse.kind and not fuse.melting_current:
        what = "has no curve"
        yield places.finding("fuses", at, "type", what, "give type and rating_a, or melting_a and melting_s")
    elif len(fuse.melting_current) != len(fuse.melting_time):
        what = "melting_a and melting_s differ in length"
        yield places.finding("fuses", at, "melting_s", what, "give one time for each current")
    elif len(fuse.clearing_current) != len(fuse.clearing_time):
        what = "clearing_a and clearing_s differ in length"
        yield places.finding("fuses", at, "clearing_s", what, "give one time for each current")
    else:
        try:
            fuse_settings(fuse)
        except GridError as error:
            yield _refused("fuses", at, error, places)


def _relay(at: int, relay: InstalledRelay, places: Places) -> Iterable[Finding]:
    if all(getattr(relay, element) is None for element in _ELEMENTS):
        what = "has no element: it never trips"
        yield places.finding("relays", at, "pickup_a", what, "set pickup_a or another element")
    found = [
        *_curves("relays", at, relay, ("curve", "residual_curve"), places),
        *_opening("relays", at, relay.opening_time, places),
    ]
    if relay.reset not in RESETS:
        what = f"'{relay.reset}' is no way to reset"
        found.append(places.finding("relays", at, "reset", what, f"choose one of {', '.join(RESETS)}"))
    yield from found
    if not found:
        try:
            relay_elements(relay)
        except GridError as error:
            yield _refused("relays", at, error, places)


def _recloser(at: int, recloser: InstalledRecloser, places: Places) -> Iterable[Finding]:
    keys = ("fast_curve", "slow_curve", "residual_fast_curve", "residual_slow_curve")
    found = [
        *_curves("reclosers", at, recloser, keys, places),
        *_opening("reclosers", at, recloser.opening_time, places),
    ]
    shots = recloser.fast_shots + recloser.slow_shots
    if recloser.pickup is None and recloser.residual_pickup is None and recloser.instantaneous is None:
        what = "has no element: it never trips"
        found.append(places.finding("reclosers", at, "pickup_a", what, "set pickup_a or residual_pickup_a"))
    elif min(recloser.fast_shots, recloser.slow_shots) >= 0 and len(recloser.dead_times) != shots - 1:
        what = f"{len(recloser.dead_times)} open times stand between {shots} shots"
        mend = f"give {max(shots - 1, 0)}, or change fast_shots or slow_shots"
        found.append(places.finding("reclosers", at, "dead_times_s", what, mend))
    yield from found
    if not found:
        try:
            recloser_state(recloser)
        except GridError as error:
            yield _refused("reclosers", at, error, places)


def _curves(section: str, at: int, device: object, keys: Sequence[str], places: Places) -> Iterable[Finding]:
    for key in keys:
        name = getattr(device, key)
        if name not in CURVE_NAMES:
            what = f"there is no curve '{name}'"
            yield places.finding(section, at, key, what, f"choose one of {', '.join(CURVE_NAMES)}")


def _opening(section: str, at: int, seconds: float, places: Places) -> Iterable[Finding]:
    if seconds < 0.0:
        what = f"{seconds:g} s is no opening time"
        yield places.finding(section, at, "opening_time_s", what, "give zero or more")


def _refused(section: str, at: int, error: GridError, places: Places) -> Finding:
    """Return a setting that the device itself refuses, in its own words."""
    what, _, mend = str(error).partition("; ")
    return places.finding(section, at, "", what, mend or "change it")
