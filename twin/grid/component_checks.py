"""What is wrong with the values of a network's components, one by one and against their buses."""

import math
from collections.abc import Iterable

from twin.contracts import Finding
from twin.grid.components import CONDUCTORS, Line, Source
from twin.grid.magnetising import core_findings
from twin.grid.matrix_checks import matrix_findings
from twin.grid.network import Branch, Network
from twin.grid.table import Places
from twin.grid.transformers import VECTOR_GROUPS, Transformer, parse_vector_group

Z_MIN = 1e-7
"""Least impedance of a branch [ohm]; below it the equations lose the digits of everything else."""

_RATIO = 1.5
"""How far a winding's voltage may be from its bus's."""

_SAME = 1e-2
"""Rated voltages to earth that differ by less are the same: 230 V of a lateral, 400 V between phases."""

_ORDERS = 1000
"""Highest harmonic order; lines and windings are no pi sections and inductances long before."""

_LOAD_PHASES = {
    "star": ("a", "b", "c", "ab", "bc", "ac", "abc"),
    "delta": ("ab", "bc", "ca", "abc"),
}


def value_findings(network: Network, places: Places) -> Iterable[Finding]:
    """Yield every finding about a value."""
    yield from _bus_values(network, places)
    yield from _source_values(network, places)
    yield from _line_values(network, places)
    yield from _transformer_values(network, places)
    yield from core_findings(network, places)
    yield from _control_values(network, places)
    yield from _grounding_values(network, places)
    yield from _capacitor_values(network, places)
    yield from _load_values(network, places)
    yield from _spectrum_values(network, places)


def _conductors_of(phases: str) -> bool:
    """Whether a text names conductors, each once and in their order."""
    return phases == "".join(letter for letter in CONDUCTORS if letter in phases)


def _on_bus(
    network: Network, section: str, at: int, key: str, bus: str, phases: str, places: Places
) -> Iterable[Finding]:
    """Find phases that a bus does not have."""
    number = network.bus_index.get(bus)
    if number is None:
        return
    there = network.buses[number].phases
    missing = [letter for letter in phases if letter not in there]
    if missing:
        what = f"bus '{bus}' has conductors '{there}', not {', '.join(missing)}"
        yield places.finding(section, at, key, what, "change the phases here or at the bus")


def _line_phases(network: Network, at: int, line: Line, places: Places) -> Iterable[Finding]:
    if not line.phases or not _conductors_of(line.phases):
        what = f"'{line.phases}' are no conductors of a line"
        yield places.finding("lines", at, "phases", what, "give some of a, b, c and n, each once, in order")
        return
    for key, bus in (("from", line.from_bus), ("to", line.to_bus)):
        yield from _on_bus(network, "lines", at, key, bus, line.phases, places)
    if "n" in line.phases and line.r is None:
        what = "has a neutral conductor, which sequence values do not describe"
        yield places.finding("lines", at, "phases", what, "give matrices over all conductors")


def _winding_phases(network: Network, at: int, unit: Transformer, places: Places) -> Iterable[Finding]:
    allowed = ("a", "b", "c", "ab", "bc", "ca") if unit.single_phase else ("abc",)
    for key, bus, phases in (
        ("hv_phases", unit.hv_bus, unit.hv_phases),
        ("lv_phases", unit.lv_bus, unit.lv_phases),
    ):
        if phases not in allowed:
            what = f"'{phases}' are no phases of a winding of vector group {unit.vector_group}"
            yield places.finding("transformers", at, key, what, f"give {', '.join(allowed)}")
        else:
            yield from _on_bus(network, "transformers", at, key, bus, phases, places)
    high, low, _ = parse_vector_group(unit.vector_group)
    for side, brought_out in (("hv", high in {"YN", "I"}), ("lv", low in {"yn", "zn", "i"})):
        given = [key for key in (f"r_star_{side}", f"x_star_{side}") if getattr(unit, key)]
        if given and not brought_out:
            what = f"vector group {unit.vector_group} brings out no star point there"
            yield places.finding("transformers", at, f"{given[0]}_ohm", what, "drop it, or change the group")
        name = unit.hv_bus if side == "hv" else unit.lv_bus
        number = network.bus_index.get(name)
        if given and brought_out and number is not None and "n" in network.buses[number].phases:
            what = f"the star point goes to the neutral of bus '{name}', not to earth"
            mend = "drop it, and give the impedance to the neutral's row in groundings"
            yield places.finding("transformers", at, f"{given[0]}_ohm", what, mend)


def _taps(at: int, unit: Transformer, places: Places) -> Iterable[Finding]:
    if unit.tap_side not in {"hv", "lv"}:
        what = f"'{unit.tap_side}' is no side"
        yield places.finding("transformers", at, "tap_side", what, "give hv or lv")
    if not unit.tap_min <= unit.tap <= unit.tap_max:
        what = f"position {unit.tap} is not within {unit.tap_min} .. {unit.tap_max}"
        yield places.finding("transformers", at, "tap", what, "correct tap, tap_min or tap_max")
    if not 0 <= unit.tap_step_percent < 50:
        what = f"steps of {unit.tap_step_percent:g} %"
        yield places.finding("transformers", at, "tap_step_percent", what, "give 0 .. 50 %")
    elif min(unit.tap_min, unit.tap) * unit.tap_step_percent <= -100:
        what = f"position {min(unit.tap_min, unit.tap)} leaves no voltage"
        yield places.finding("transformers", at, "tap_min", what, "raise it, or lower tap_step_percent")
    if unit.vk0_percent is not None and not 0 <= (unit.vkr0_percent or 0.0) <= unit.vk0_percent:
        what = "vkr0_percent is no part of vk0_percent"
        yield places.finding("transformers", at, "vkr0_percent", what, "give 0 .. vk0_percent")


def _winding_rating(network: Network, unit: Transformer, key: str, bus: int) -> float:
    """Return the voltage that a winding should have at its bus [V]."""
    u_phase = network.buses[bus].u_phase
    phases = unit.hv_phases if key == "u_hv_v" else unit.lv_phases
    return u_phase * (1.0 if len(phases) == 1 else math.sqrt(3.0))


def _bus_values(network: Network, places: Places) -> Iterable[Finding]:
    if not network.buses and "buses" not in places.incomplete:
        yield places.finding("buses", None, "", "there is none", "add the buses of the network")
    for at, bus in enumerate(network.buses):
        if not bus.u_rated > 0:
            yield places.finding(
                "buses", at, "u_rated_v", f"{bus.u_rated:g} V is no rated voltage", "give it"
            )
        if not bus.phases or not _conductors_of(bus.phases) or bus.phases == "n":
            what = f"'{bus.phases}' are no conductors of a bus"
            yield places.finding(
                "buses", at, "phases", what, "give some of a, b, c and n, each once, in order"
            )
        if (bus.x is None) != (bus.y is None):
            yield places.finding("buses", at, "x", "has one coordinate of two", "give x and y, or neither")


def _source_values(network: Network, places: Places) -> Iterable[Finding]:
    if not network.sources and "sources" not in places.incomplete:
        yield places.finding("sources", None, "", "there is none", "add the source that feeds the network")
    at_bus: dict[str, Source] = {}
    for at, source in enumerate(network.sources):
        if not source.u_pu > 0:
            yield places.finding("sources", at, "u_pu", f"{source.u_pu:g} is no voltage", "give about 1.0")
        yield from _on_bus(network, "sources", at, "bus", source.bus, "abc", places)
        keys = ("r1", "x1", "r0", "x0", "r_star", "x_star")
        negative = [key for key in keys if getattr(source, key) < 0]
        for key in negative:
            yield places.finding("sources", at, f"{key}_ohm", "is negative", "give 0 or more")
        if source.star_point not in {"earthed", "isolated"}:
            what = f"'{source.star_point}' is no treatment of a star point"
            yield places.finding("sources", at, "star_point", what, "give earthed or isolated")
        elif source.ideal and (source.star_point == "isolated" or source.r_star or source.x_star):
            what, mend = (
                "is ideal, whose star point is solidly earthed",
                "give it r1_ohm, x1_ohm, r0_ohm, x0_ohm",
            )
            yield places.finding("sources", at, "star_point", what, mend)
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
        yield from _line_phases(network, at, line, places)
        if line.r is not None:
            yield from matrix_findings(at, line, places, Z_MIN)
        for key in keys:
            if (getattr(line, key) or 0.0) < 0:
                written = "type" if line.type else f"{key}_f" if key[0] == "c" else f"{key}_ohm"
                yield places.finding("lines", at, written, f"its {key} is negative", "give 0 or more")
        z1 = math.hypot(line.r1 or 0.0, line.x1 or 0.0)
        z0 = math.hypot(line.r0 or 0.0, line.x0 or 0.0)
        if line.r is None and min(z1, z0) < Z_MIN:
            sequence = "positive" if z1 < Z_MIN else "zero"
            written = "length_m" if line.type else "r1_ohm" if z1 < Z_MIN else "r0_ohm"
            what = f"has no {sequence}-sequence impedance ({min(z1, z0):g} ohm)"
            mend = f"give at least {Z_MIN:g} ohm, or make one bus of '{line.from_bus}' and '{line.to_bus}'"
            yield places.finding("lines", at, written, what, mend)
        yield from _ends(network, "lines", at, line, places)
        ends = [network.bus_index.get(bus) for bus in (line.from_bus, line.to_bus)]
        rated = {network.buses[end].u_phase for end in ends if end is not None}
        if len(rated) == 2 and max(rated) > min(rated) * (1.0 + _SAME):
            what = f"joins buses of {min(rated):.5g} V and {max(rated):.5g} V to earth"
            mend = "correct a bus's u_rated_v (of one phase: to earth), or use a transformer"
            yield places.finding("lines", at, "to", what, mend)


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
            letters = unit.vector_group.rstrip("0123456789")
            # Another hour is no misspelling: every one of those letters that exists is told.
            alike = [one for one in VECTOR_GROUPS if one.rstrip("0123456789") == letters]
            what = f"there is no '{unit.vector_group}' among the vector groups"
            mend = f"give {', '.join(alike or VECTOR_GROUPS)}"
            yield places.finding("transformers", at, "vector_group", what, mend)
        else:
            yield from _winding_phases(network, at, unit, places)
        yield from _taps(at, unit, places)
        if unit.p_iron < 0 or unit.i0_percent < 0:
            key = "p_iron_w" if unit.p_iron < 0 else "i0_percent"
            yield places.finding("transformers", at, key, "is negative", "give 0 or more")
        yield from _winding_voltages(network, at, unit, places)


def _winding_voltages(network: Network, at: int, unit: Transformer, places: Places) -> Iterable[Finding]:
    for key, bus, u in (("u_hv_v", unit.hv_bus, unit.u_hv), ("u_lv_v", unit.lv_bus, unit.u_lv)):
        number = network.bus_index.get(bus)
        rated = _winding_rating(network, unit, key, number) if number is not None else u
        if u > 0 and rated > 0 and not 1 / _RATIO < u / rated < _RATIO:
            what = f"a winding of {u:g} V at bus '{bus}' of {rated:g} V"
            yield places.finding("transformers", at, key, what, "correct the winding or the bus")


def _load_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, load in enumerate(network.loads):
        if load.connection not in {"star", "delta"}:
            what = f"'{load.connection}' is no connection"
            yield places.finding("loads", at, "connection", what, "give star or delta")
            continue
        if load.phases not in _LOAD_PHASES[load.connection]:
            what = f"'{load.phases}' names no phases that a {load.connection} load can have"
            mend = "give some of abc" if load.connection == "star" else "give ab, bc, ca or abc"
            yield places.finding("loads", at, "phases", what, mend)
            continue
        yield from _on_bus(network, "loads", at, "phases", load.bus, load.phases, places)
        wanted = len(load.sides)
        for key, values in (("p_w", load.p), ("q_var", load.q)):
            if len(values) != wanted:
                what = f"has {len(values)} for phases '{load.phases}'"
                count = {2: "two", 3: "three"}.get(wanted, "")
                mend = "give one number" if wanted == 1 else f"give a list of {count}, phase by phase"
                yield places.finding("loads", at, key, what, mend)
        if min(load.z_percent, load.i_percent) < 0 or load.z_percent + load.i_percent > 100:
            what = f"shares of {load.z_percent:g} % impedance and {load.i_percent:g} % current"
            yield places.finding("loads", at, "z_percent", what, "give 0 .. 100 % in all")


def _capacitor_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, capacitor in enumerate(network.capacitors):
        if not capacitor.q_rated > 0:
            what = f"{capacitor.q_rated:g} var is no capacitor's rating"
            yield places.finding("capacitors", at, "q_rated_var", what, "give a positive number")
        allowed = _LOAD_PHASES["delta" if capacitor.connection == "delta" else "star"]
        if capacitor.connection not in {"star", "isolated_star", "delta"}:
            what = f"'{capacitor.connection}' is no connection"
            yield places.finding("capacitors", at, "connection", what, "give star, isolated_star or delta")
        elif capacitor.phases not in allowed:
            what = f"'{capacitor.phases}' names no phases that it can have"
            yield places.finding("capacitors", at, "phases", what, f"give one of {', '.join(allowed)}")
        else:
            phases = capacitor.phases
            yield from _on_bus(network, "capacitors", at, "phases", capacitor.bus, phases, places)
        if not 0 <= capacitor.reactor_percent < 100:
            what = f"a reactor of {capacitor.reactor_percent:g} %"
            yield places.finding("capacitors", at, "reactor_percent", what, "give 0 .. 100 % of X_C")
        if capacitor.quality < 0:
            yield places.finding("capacitors", at, "quality", "is negative", "give 0 or more")
        if capacitor.u_rated is not None and not capacitor.u_rated > 0:
            what = f"{capacitor.u_rated:g} V is no rated voltage"
            yield places.finding("capacitors", at, "u_rated_v", what, "give it, or leave it out")


def _grounding_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, one in enumerate(network.groundings):
        if one.conductor not in CONDUCTORS or len(one.conductor) != 1:
            what = f"'{one.conductor}' is no conductor"
            yield places.finding("groundings", at, "conductor", what, "give n, a, b or c")
            continue
        yield from _on_bus(network, "groundings", at, "conductor", one.bus, one.conductor, places)
        if one.r < 0:
            yield places.finding("groundings", at, "r_ohm", "is negative", "give 0 or more")


def _control_values(network: Network, places: Places) -> Iterable[Finding]:
    units = {unit.name: unit for unit in network.transformers}
    moved: set[str] = set()
    for at, control in enumerate(network.tap_changers):
        for key, value in (
            ("u_set_v", control.u_set),
            ("bandwidth_v", control.bandwidth),
            ("pt_ratio", control.pt_ratio),
        ):
            if not value > 0:
                yield places.finding(
                    "tap_changers", at, key, f"{value:g} cannot be", "give a positive number"
                )
        if not 0 <= control.undervoltage_percent < 100:
            what = f"{control.undervoltage_percent:g} % of the voltage that it holds"
            yield places.finding("tap_changers", at, "undervoltage_percent", what, "give 0 .. 100 %")
        for key, seconds in (("delay_s", control.delay), ("tap_delay_s", control.tap_delay)):
            if seconds < 0:
                yield places.finding("tap_changers", at, key, "is negative", "give 0 or more")
        unit = units.get(control.transformer)
        if unit is None:
            continue
        bus = control.bus or unit.lv_bus
        if control.phase not in {"a", "b", "c", "ab", "bc", "ca"}:
            what = f"'{control.phase}' is no phase"
            yield places.finding("tap_changers", at, "phase", what, "give a, b, c, ab, bc or ca")
        else:
            yield from _on_bus(network, "tap_changers", at, "phase", bus, control.phase, places)
        if unit.tap_step_percent <= 0 or unit.tap_max <= unit.tap_min:
            what = f"transformer '{unit.name}' has no taps"
            mend = "give it tap_min, tap_max and tap_step_percent"
            yield places.finding("tap_changers", at, "transformer", what, mend)
        if unit.name in moved:
            what = f"transformer '{unit.name}' has two controls"
            yield places.finding("tap_changers", at, "transformer", what, "remove one of them")
        moved.add(unit.name)


def _spectrum_values(network: Network, places: Places) -> Iterable[Finding]:
    for at, spectrum in enumerate(network.spectra):
        orders = [share.order for share in spectrum.shares]
        if any(not 2 <= order <= _ORDERS for order in orders) or len(set(orders)) != len(orders):
            what = f"holds an order twice, or one outside 2 .. {_ORDERS}"
            mend = "give each whole order above 1 once"
            yield places.finding("spectra", at, "orders", what, mend)
        if any(share.percent < 0 for share in spectrum.shares):
            mend = "give 0 or more, and turn the angle"
            yield places.finding("spectra", at, "percent", "holds a negative share", mend)
