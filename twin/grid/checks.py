"""What is wrong with a network before anything is solved: names, values, connections."""

import math
from collections.abc import Iterable, Sequence

from twin.contracts import Finding
from twin.documents import Document
from twin.grid.components import VECTOR_GROUPS, Branch, Line, Network, Source, Transformer
from twin.grid.table import Places
from twin.grid.topology import components

Z_MIN = 1e-7
"""Least impedance of a branch [ohm]; below it the equations lose the digits of everything else."""

_RATIO = 1.5
"""How far a winding's voltage may be from its bus's."""


def check_network(network: Network, document: Document | None = None) -> list[Finding]:
    """Return everything that is wrong with a network, in no particular order.

    Parameters
    ----------
    network : Network
    document : Document, optional
        What it was read from; findings then have lines.
    """
    places = Places(document, network.name)
    return check_components(network, places) or check_islands(network, places)


def check_components(network: Network, places: Places) -> list[Finding]:
    """Return what is wrong with names and values."""
    return [
        *_names(network, places),
        *_references(network, places),
        *_bus_values(network, places),
        *_source_values(network, places),
        *_line_values(network, places),
        *_transformer_values(network, places),
        *_load_values(network, places),
        *_spectrum_values(network, places),
    ]


def _branch_place(network: Network, at: int) -> tuple[str, int]:
    lines = len(network.lines)
    return ("lines", at) if at < lines else ("transformers", at - lines)


def _names(network: Network, places: Places) -> Iterable[Finding]:
    """Names are unique among all that is addressed in the same way."""
    groups: list[list[tuple[str, int, str]]] = [
        [("buses", at, bus.name) for at, bus in enumerate(network.buses)],
        [("sources", at, source.name) for at, source in enumerate(network.sources)],
        [("line_types", at, kind.name) for at, kind in enumerate(network.line_types)],
        [(*_branch_place(network, at), branch.name) for at, branch in enumerate(network.branches)],
        [
            *(("switches", at, switch.name) for at, switch in enumerate(network.switches)),
            *(("capacitors", at, capacitor.name) for at, capacitor in enumerate(network.capacitors)),
        ],
        [("loads", at, load.name) for at, load in enumerate(network.loads)],
        [("spectra", at, spectrum.name) for at, spectrum in enumerate(network.spectra)],
    ]
    for group in groups:
        first: dict[str, tuple[str, int]] = {}
        for section, at, name in group:
            if name in first:
                where = places.mark(*first[name])
                what = f"'{name}' stands twice (first at {where})"
                yield places.finding(section, at, "name", what, "rename one of them")
            else:
                first[name] = (section, at)


def _references(network: Network, places: Places) -> Iterable[Finding]:
    buses = network.bus_index
    users: list[tuple[str, int, str, str]] = [
        *(("sources", at, "bus", source.bus) for at, source in enumerate(network.sources)),
        *(("lines", at, "from", line.from_bus) for at, line in enumerate(network.lines)),
        *(("lines", at, "to", line.to_bus) for at, line in enumerate(network.lines)),
        *(("transformers", at, "hv", unit.hv_bus) for at, unit in enumerate(network.transformers)),
        *(("transformers", at, "lv", unit.lv_bus) for at, unit in enumerate(network.transformers)),
        *(("capacitors", at, "bus", unit.bus) for at, unit in enumerate(network.capacitors)),
        *(("loads", at, "bus", load.bus) for at, load in enumerate(network.loads)),
    ]
    for section, at, key, name in users:
        if name not in buses and "buses" not in places.incomplete:
            yield places.unknown(section, at, key, name, buses, "buses")
    for at, switch in enumerate(network.switches):
        known_all = not places.incomplete & {"lines", "transformers"}
        if switch.branch not in network.branch_index and known_all:
            known = network.branch_index
            yield places.unknown("switches", at, "branch", switch.branch, known, "lines and transformers")
    spectra = {spectrum.name: at for at, spectrum in enumerate(network.spectra)}
    for at, load in enumerate(network.loads):
        if load.spectrum and load.spectrum not in spectra and "spectra" not in places.incomplete:
            yield places.unknown("loads", at, "spectrum", load.spectrum, spectra, "spectra")


def _bus_values(network: Network, places: Places) -> Iterable[Finding]:
    if not network.buses and "buses" not in places.incomplete:
        yield places.finding("buses", None, "", "there is none", "add the buses of the network")
    for at, bus in enumerate(network.buses):
        if not bus.u_rated > 0:
            yield places.finding(
                "buses", at, "u_rated_v", f"{bus.u_rated:g} V is no rated voltage", "give it"
            )
        if (bus.x is None) != (bus.y is None):
            yield places.finding("buses", at, "x", "has one coordinate of two", "give x and y, or neither")
    for at, capacitor in enumerate(network.capacitors):
        if not capacitor.q_rated > 0:
            what = f"{capacitor.q_rated:g} var is no capacitor's rating"
            yield places.finding("capacitors", at, "q_rated_var", what, "give a positive number")


def _source_values(network: Network, places: Places) -> Iterable[Finding]:
    if not network.sources and "sources" not in places.incomplete:
        yield places.finding("sources", None, "", "there is none", "add the source that feeds the network")
    at_bus: dict[str, Source] = {}
    for at, source in enumerate(network.sources):
        if not source.u_pu > 0:
            yield places.finding("sources", at, "u_pu", f"{source.u_pu:g} is no voltage", "give about 1.0")
        negative = [key for key in ("r1", "x1", "r0", "x0") if getattr(source, key) < 0]
        for key in negative:
            yield places.finding("sources", at, f"{key}_ohm", "is negative", "give 0 or more")
        z1, z0 = math.hypot(source.r1, source.x1), math.hypot(source.r0, source.x0)
        if not source.ideal and min(z1, z0) < Z_MIN:
            key = "r1_ohm" if z1 < Z_MIN else "r0_ohm"
            mend = "give positive and zero sequence, or 'ideal: true' alone"
            yield places.finding("sources", at, key, "has an impedance in one sequence only", mend)
        other = at_bus.setdefault(source.bus, source)
        if other is not source and (other.ideal or source.ideal):
            what = f"shares bus '{source.bus}' with '{other.name}', and an ideal source tolerates no other"
            yield places.finding("sources", at, "bus", what, "give both an impedance, or remove one")


def _line_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, line in enumerate(network.lines):
        keys = ("r1", "x1", "r0", "x0", "c1", "c0")
        if line.length is not None and not line.length > 0:
            what = f"a length of {line.length:g} m"
            yield places.finding("lines", at, "length_m", what, "give a positive length")
            continue
        for key in keys:
            if getattr(line, key) < 0:
                written = "type" if line.type else f"{key}_f" if key[0] == "c" else f"{key}_ohm"
                yield places.finding("lines", at, written, f"its {key} is negative", "give 0 or more")
        z1, z0 = math.hypot(line.r1, line.x1), math.hypot(line.r0, line.x0)
        if min(z1, z0) < Z_MIN:
            sequence = "positive" if z1 < Z_MIN else "zero"
            written = "length_m" if line.type else "r1_ohm" if z1 < Z_MIN else "r0_ohm"
            what = f"has no {sequence}-sequence impedance ({min(z1, z0):g} ohm)"
            mend = f"give at least {Z_MIN:g} ohm, or make one bus of '{line.from_bus}' and '{line.to_bus}'"
            yield places.finding("lines", at, written, what, mend)
        yield from _ends(network, "lines", at, line, places)
        ends = [network.bus_index.get(bus) for bus in (line.from_bus, line.to_bus)]
        rated = {network.buses[end].u_rated for end in ends if end is not None}
        if len(rated) == 2:
            low, high = sorted(rated)
            what = f"joins buses of {low:g} V and {high:g} V"
            yield places.finding("lines", at, "to", what, "correct a bus's u_rated_v, or use a transformer")


def _ends(network: Network, section: str, at: int, branch: Branch, places: Places) -> Iterable[Finding]:
    if branch.from_bus == branch.to_bus:
        key = "to" if isinstance(branch, Line) else "lv"
        what = f"both ends are at bus '{branch.to_bus}'"
        yield places.finding(section, at, key, what, "correct one of them")


def _transformer_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, unit in enumerate(network.transformers):
        yield from _ends(network, "transformers", at, unit, places)
        for key, value in (
            ("s_rated_va", unit.s_rated),
            ("u_hv_v", unit.u_hv),
            ("u_lv_v", unit.u_lv),
            ("vk_percent", unit.vk_percent),
        ):
            if not value > 0:
                yield places.finding(
                    "transformers", at, key, f"{value:g} cannot be", "give a positive number"
                )
        if unit.s_rated > 0 and 0 < unit.vk_percent / 100 * unit.u_lv**2 / unit.s_rated < Z_MIN:
            what, mend = f"has less than {Z_MIN:g} ohm", "check vk_percent, u_lv_v and s_rated_va"
            yield places.finding("transformers", at, "vk_percent", what, mend)
        if not 0 <= unit.vkr_percent <= unit.vk_percent:
            what = f"{unit.vkr_percent:g} % is no part of vk_percent, {unit.vk_percent:g} %"
            yield places.finding("transformers", at, "vkr_percent", what, "give 0 .. vk_percent")
        if unit.vector_group not in VECTOR_GROUPS:
            known, group = "vector groups", unit.vector_group
            yield places.unknown("transformers", at, "vector_group", group, VECTOR_GROUPS, known)
        if unit.p_iron < 0 or unit.i0_percent < 0:
            key = "p_iron_w" if unit.p_iron < 0 else "i0_percent"
            yield places.finding("transformers", at, key, "is negative", "give 0 or more")
        yield from _winding_voltages(network, at, unit, places)


def _winding_voltages(network: Network, at: int, unit: Transformer, places: Places) -> Iterable[Finding]:
    for key, bus, u in (("u_hv_v", unit.hv_bus, unit.u_hv), ("u_lv_v", unit.lv_bus, unit.u_lv)):
        number = network.bus_index.get(bus)
        rated = network.buses[number].u_rated if number is not None else u
        if u > 0 and rated > 0 and not 1 / _RATIO < u / rated < _RATIO:
            what = f"a winding of {u:g} V at bus '{bus}' of {rated:g} V"
            yield places.finding("transformers", at, key, what, "correct the winding or the bus")


def _load_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, load in enumerate(network.loads):
        if load.phases not in {"a", "b", "c", "abc"}:
            what = f"'{load.phases}' names no phases that a load can have"
            yield places.finding("loads", at, "phases", what, "give a, b, c or abc")
            continue
        for key, values in (("p_w", load.p), ("q_var", load.q)):
            if len(values) != len(load.phases):
                what = f"has {len(values)} for phases '{load.phases}'"
                mend = "give one number" if len(load.phases) == 1 else "give a list of three, phase by phase"
                yield places.finding("loads", at, key, what, mend)


def _spectrum_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, spectrum in enumerate(network.spectra):
        orders = [share.order for share in spectrum.shares]
        if any(order < 2 for order in orders) or len(set(orders)) != len(orders):
            mend = "give each whole order above 1 once"
            yield places.finding("spectra", at, "orders", "holds an order twice, or one below 2", mend)
        if any(share.percent < 0 for share in spectrum.shares):
            mend = "give 0 or more, and turn the angle"
            yield places.finding("spectra", at, "percent", "holds a negative share", mend)


def check_islands(network: Network, places: Places) -> list[Finding]:
    """Return the parts that no source feeds even with every switch closed."""
    findings = []
    index = network.bus_index
    edges = [(index[branch.from_bus], index[branch.to_bus]) for branch in network.branches]
    component = components(len(network.buses), edges)
    fed = {component[index[source.bus]] for source in network.sources}
    islands: dict[int, list[int]] = {}
    for bus, root in enumerate(component):
        if root not in fed:
            islands.setdefault(root, []).append(bus)
    for root, members in islands.items():
        what = f"{_listed([network.buses[bus].name for bus in members])} cannot be reached from any source"
        mend = "connect it by a line or transformer, or remove it"
        findings.append(places.finding("buses", root, "name", what, mend))
    return findings


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:4])
    rest = len(names) - 4
    return f"bus {shown}" + (f" and {rest} more" if rest > 0 else "")
