"""What is wrong with a network before anything is solved: names, values, connections."""

from collections.abc import Iterable, Sequence

from twin.contracts import Finding
from twin.documents import Document
from twin.grid.component_checks import value_findings
from twin.grid.network import Network
from twin.grid.protection_checks import protection_findings
from twin.grid.table import Places


def check_network(network: Network, document: Document | None = None) -> list[Finding]:
    """Return everything that is wrong with a network, in no particular order.

    Parameters
    ----------
    network : Network
    document : Document, optional
        What it was read from; findings then have lines.
    """
    places = Places(document, network.name)
    return check_components(network, places) or [
        *check_islands(network, places),
        *check_neutrals(network, places),
    ]


def check_components(network: Network, places: Places) -> list[Finding]:
    """Return what is wrong with names and values."""
    return [
        *_names(network, places),
        *_references(network, places),
        *value_findings(network, places),
        *protection_findings(network, places),
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
            *(("tap_changers", at, one.name) for at, one in enumerate(network.tap_changers)),
        ],
        [("loads", at, load.name) for at, load in enumerate(network.loads)],
        [("groundings", at, one.name) for at, one in enumerate(network.groundings)],
        [("spectra", at, spectrum.name) for at, spectrum in enumerate(network.spectra)],
        [
            (section, at, device.name)
            for section in ("relays", "reclosers", "fuses", "sectionalisers")
            for at, device in enumerate(getattr(network, section))
        ],
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
        *(("groundings", at, "bus", one.bus) for at, one in enumerate(network.groundings)),
        *(("tap_changers", at, "bus", one.bus) for at, one in enumerate(network.tap_changers) if one.bus),
    ]
    for section, at, key, name in users:
        if name not in buses and "buses" not in places.incomplete:
            yield places.unknown(section, at, key, name, buses, "buses")
    for at, switch in enumerate(network.switches):
        known_all = not places.incomplete & {"lines", "transformers"}
        if switch.branch not in network.branch_index and known_all:
            known = network.branch_index
            yield places.unknown("switches", at, "branch", switch.branch, known, "lines and transformers")
    units = {unit.name: at for at, unit in enumerate(network.transformers)}
    for at, control in enumerate(network.tap_changers):
        if control.transformer not in units and "transformers" not in places.incomplete:
            yield places.unknown(
                "tap_changers", at, "transformer", control.transformer, units, "transformers"
            )
    spectra = {spectrum.name: at for at, spectrum in enumerate(network.spectra)}
    for at, load in enumerate(network.loads):
        if load.spectrum and load.spectrum not in spectra and "spectra" not in places.incomplete:
            yield places.unknown("loads", at, "spectrum", load.spectrum, spectra, "spectra")


def check_islands(network: Network, places: Places) -> list[Finding]:
    """Return the parts that no source feeds even with every switch closed."""
    findings = []
    index = network.bus_index
    edges = [(index[branch.from_bus], index[branch.to_bus]) for branch in network.branches]
    component = _components(len(network.buses), edges)
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


def check_neutrals(network: Network, places: Places) -> list[Finding]:
    """Return the neutral conductors that nothing earths even with every switch closed."""
    index = network.bus_index
    with_neutral = [at for at, bus in enumerate(network.buses) if "n" in bus.phases]
    edges = [(index[line.from_bus], index[line.to_bus]) for line in network.lines if "n" in line.phases]
    component = _components(len(network.buses), edges)
    earthed = {index[one.bus] for one in network.groundings if one.conductor == "n"}
    held = {component[bus] for bus in earthed}
    loose: dict[int, list[int]] = {}
    for bus in with_neutral:
        if component[bus] not in held:
            loose.setdefault(component[bus], []).append(bus)
    findings = []
    for root, members in loose.items():
        what = f"the neutral of {_listed([network.buses[bus].name for bus in members])} floats"
        mend = "earth it by a row in groundings, at the transformer's star point for example"
        findings.append(places.finding("buses", root, "phases", what, mend))
    return findings


def _components(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return for each node the smallest node that it is connected to.

    That of the kernels does the same, but would have a compiler loaded for a mere check of a file.
    """
    parent = list(range(count))
    for one, other in edges:
        a, b = one, other
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    for node in range(count):
        parent[node] = parent[parent[node]]
    return parent


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:4])
    rest = len(names) - 4
    return f"bus {shown}" + (f" and {rest} more" if rest > 0 else "")
