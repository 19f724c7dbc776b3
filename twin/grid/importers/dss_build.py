"""From the elements of an OpenDSS script to the components of a network."""

import math
from collections.abc import Mapping
from typing import Any

from twin.grid.component_checks import Z_MIN
from twin.grid.components import CONDUCTORS, Capacitor, Grounding, Line, Load, Source, Spectrum
from twin.grid.importers.dss_buses import Buses
from twin.grid.importers.dss_lines import RawLine, Rows
from twin.grid.importers.dss_script import ScriptObject
from twin.grid.importers.dss_shunts import RawCapacitor, RawGrounding, RawLoad
from twin.grid.importers.dss_source import RawSource
from twin.grid.importers.dss_transformers import RawRegulator, RawTransformer, RawWinding
from twin.grid.transformers import VECTOR_GROUPS, TapChanger, Transformer

_ROOT3 = math.sqrt(3.0)


def source_of(raw: RawSource, buses: Buses) -> Source:
    """Return a source."""
    value = raw.values
    return Source(
        raw.source.name,
        buses.names[raw.at.bus],
        raw.pu * raw.kv * 1e3 / buses.base[raw.at.bus],
        raw.angle,
        value["r1"],
        value["x1"],
        value["r0"],
        value["x0"],
    )


def line_of(raw: RawLine, buses: Buses, notes: list[str]) -> Line:
    """Return a line, its conductors in our order.

    Raises
    ------
    ScriptError
        It crosses phases over, or has one twice.
    """
    one = raw.source
    first, second = ("".join(buses.letter(one, end.bus, node) for node in end.nodes) for end in raw.ends)
    if first != second:
        what = f"joins conductors '{first}' to '{second}'"
        raise one.refuse(what, "give the nodes of both buses in the same order")
    if len(set(first)) != len(first):
        raise one.refuse(f"has conductors '{first}', one of them twice", "give each node once")
    order = sorted(range(len(first)), key=lambda at: CONDUCTORS.index(first[at]))
    phases = "".join(first[at] for at in order)
    r, x, c = (_arranged(rows, order) for rows in (raw.r, raw.x, raw.c))
    name, ends = one.name, [buses.names[end.bus] for end in raw.ends]
    for at in range(len(order)):
        if math.hypot(r[at][at], x[at][at]) < Z_MIN:
            r[at][at] += Z_MIN
            note = f"lines with less than {Z_MIN:g} ohm were given that"
            if note not in notes:
                notes.append(note)
    balanced = [_sequence(rows) for rows in (r, x, c)]
    if phases == "abc" and None not in balanced:
        (r1, r0), (x1, x0), (c1, c0) = (pair or (0.0, 0.0) for pair in balanced)
        if min(r1, x1, r0, x0, c1, c0) >= 0 and min(math.hypot(r1, x1), math.hypot(r0, x0)) >= Z_MIN:
            return Line(name, ends[0], ends[1], r1, x1, r0, x0, c1, c0)
    return Line(name, ends[0], ends[1], phases=phases, r=_frozen(r), x=_frozen(x), c=_frozen(c))


def _arranged(rows: Rows, order: list[int]) -> Rows:
    return [[rows[i][j] for j in order] for i in order]


def _frozen(rows: Rows) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in rows)


def _sequence(rows: Rows) -> tuple[float, float] | None:
    """Return positive and zero sequence of a matrix that is the same in each phase, else None."""
    size = range(len(rows))
    own, mutual = rows[0][0], rows[0][-1]
    same = all(rows[i][j] == (own if i == j else mutual) for i in size for j in size)
    return (own - mutual, own + 2.0 * mutual) if same and len(rows) == 3 else None


def transformer_of(
    raw: RawTransformer, buses: Buses, *, controlled: bool, notes: list[str]
) -> tuple[Transformer, list[Grounding]]:
    """Return a transformer, and what earths the neutral conductor at its star points.

    Raises
    ------
    ScriptError
        It is connected in a way that has no counterpart.
    """
    first, second = raw.windings
    phases, stars, groundings = ["abc", "abc"], [(0.0, 0.0)] * 2, []
    if raw.phases == 1:
        pairs = [(winding.at.nodes[0], winding.at.nodes[1]) for winding in raw.windings]
        sides = [
            buses.side(raw.source, winding.at.bus, pair)
            for winding, pair in zip(raw.windings, pairs, strict=True)
        ]
        phases = [letters for letters, _ in sides]
        group = "Ii0" if sides[0][1] == sides[1][1] else "Ii6"
    else:
        turns = [_turn(raw.source, winding) for winding in raw.windings]
        clock = (raw.clock + 4 * (turns[0] - turns[1])) % 12
        letters = ["", ""]
        for at, winding in enumerate(raw.windings):
            letters[at], stars[at], earth = _star(raw.source, winding, buses, at)
            groundings.extend(earth)
        group = f"{letters[0].upper()}{letters[1].lower()}{clock}"
    if group not in VECTOR_GROUPS:
        mend = "change leadlag, or the order of the nodes of one winding"
        raise raw.source.refuse(f"is a {group}, which is not among the vector groups", mend)
    vkr = raw.r_percent
    (u_hv, u_lv), taps = _taps(raw, controlled=controlled, notes=notes)
    unit = Transformer(
        raw.source.name,
        buses.names[first.at.bus],
        buses.names[second.at.bus],
        first.kva * 1e3,
        u_hv,
        u_lv,
        math.hypot(vkr, raw.x_percent),
        vkr,
        group,
        raw.p_iron_percent / 100.0 * first.kva * 1e3,
        math.hypot(raw.p_iron_percent, raw.i_magnetising_percent),
        phases[0],
        phases[1],
        r_star_hv=stars[0][0],
        x_star_hv=stars[0][1],
        r_star_lv=stars[1][0],
        x_star_lv=stars[1][1],
        **taps,
    )
    return unit, groundings


def _turn(one: ScriptObject, winding: RawWinding) -> int:
    nodes = winding.at.nodes[:3]
    for turn in range(3):
        if nodes == tuple((at + turn) % 3 + 1 for at in range(3)):
            return turn
    what = f"a winding's nodes are {', '.join(map(str, nodes))}"
    raise one.refuse(what, "give 1, 2, 3 in this order, or turned round the circle")


def _star(
    one: ScriptObject, winding: RawWinding, buses: Buses, at: int
) -> tuple[str, tuple[float, float], list[Grounding]]:
    """Return a winding's letter, what lies between its star point and earth, and a neutral's earthing."""
    if winding.delta:
        return "d", (0.0, 0.0), []
    node, bus = winding.at.nodes[3], winding.at.bus
    earthed = winding.r_neutral >= 0
    z = (winding.r_neutral, winding.x_neutral) if earthed else (0.0, 0.0)
    if node > 3 and node != buses.neutral(bus):
        return ("yn", z, []) if earthed else ("y", (0.0, 0.0), [])
    if not buses.reference(one, bus, node):
        raise one.refuse("the star point is a phase", "connect it to node 0 or 4")
    if node == 0 or not earthed:
        return "yn", (0.0, 0.0), []
    return "yn", (0.0, 0.0), [Grounding(f"{one.name} {'hv' if at == 0 else 'lv'}", buses.names[bus], *z)]


def _taps(
    raw: RawTransformer, *, controlled: bool, notes: list[str]
) -> tuple[tuple[float, float], dict[str, Any]]:
    """Return the voltages of the windings [V], and the taps where there is something to tell."""
    volts = [winding.kv * 1e3 for winding in raw.windings]
    moved = [at for at in (0, 1) if raw.windings[at].tap != 1.0]
    with_taps = 1 if controlled else moved[0] if len(moved) == 1 else None
    out: dict[str, Any] = {}
    for at, winding in enumerate(raw.windings):
        if at == with_taps and (winding.on_grid or controlled):
            if not winding.on_grid:
                notes.append(
                    f"tap {winding.tap:g} of '{raw.source.name}' lies between two positions: rounded"
                )
            out = {
                "tap_side": ("hv", "lv")[at],
                "tap": round(winding.position(winding.tap)),
                "tap_min": round(winding.position(winding.tap_min)),
                "tap_max": round(winding.position(winding.tap_max)),
                "tap_step_percent": winding.step * 100.0,
            }
        else:
            volts[at] *= winding.tap
    return (volts[0], volts[1]), out


def control_of(raw: RawRegulator, unit: Transformer, buses: Buses) -> TapChanger:
    """Return the control of a regulator."""
    phase = unit.lv_phases
    bus = ""
    if not unit.single_phase:
        phase = "abc"[raw.phase - 1] if "d" not in unit.vector_group else ("ab", "bc", "ca")[raw.phase - 1]
    if raw.bus is not None:
        bus = buses.names.get(raw.bus.bus, raw.bus.bus)
        phase = buses.side(raw.source, raw.bus.bus, (raw.bus.nodes[0], raw.bus.nodes[1]))[0]
    return TapChanger(
        raw.source.name,
        unit.name,
        raw.v_set,
        raw.band,
        raw.pt_ratio,
        phase,
        raw.ct_primary,
        raw.r,
        raw.x,
        raw.delay,
        raw.tap_delay,
        bus,
    )


def loads_of(raw: RawLoad, buses: Buses, *, multiplier: float, spectra: Mapping[str, Spectrum]) -> list[Load]:
    """Return a load, or several where one cannot hold it: by side, or P and Q with different shares.

    Raises
    ------
    ScriptError
        Its terminals have no counterpart.
    """
    one = raw.source
    sides = [buses.side(one, raw.at.bus, pair)[0] for pair in raw.sides]
    if len(set(sides)) != len(sides):
        raise one.refuse(f"lies twice between the same conductors ({', '.join(sides)})", "correct bus1")
    known = spectra.get(raw.spectrum.value.lower()) if raw.spectrum is not None else None
    spectrum = known.name if known is not None else ""
    factor = (1.0 if raw.fixed else multiplier) / len(sides)
    groups: list[list[str]]
    out: list[Load] = []
    if len(sides) == 3 and set(sides) == {"ab", "bc", "ca"}:
        groups = [["abc"]]
        count = 3
    elif all(len(side) == 1 for side in sides):
        groups, count = [sorted(sides)], len(sides)
    else:
        groups, count = [[side] for side in sides], 1
    for group in groups:
        name = one.name if len(groups) == 1 else f"{one.name}_{group[0]}"
        letters = "".join(group)
        pair = len(sides[0]) == 2
        u = buses.u_phase(raw.at.bus) * (_ROOT3 if pair else 1.0)
        parts = [_shares(shares, u / raw.u_side) for shares in (raw.p_shares, raw.q_shares)]
        powers = (raw.p * factor * parts[0][0], raw.q * factor * parts[1][0])
        split = parts[0][1:] != parts[1][1:] and raw.p and raw.q
        if split and spectrum:
            mend = "give P and Q the same shares, or drop the spectrum"
            raise one.refuse("has a spectrum, and different shares for P and Q", mend)
        chosen = [("", powers, parts[0] if raw.p else parts[1])]
        if split:
            chosen = [("_p", (powers[0], 0.0), parts[0]), ("_q", (0.0, powers[1]), parts[1])]
        out.extend(
            Load(
                name + tail,
                buses.names[raw.at.bus],
                letters,
                (p,) * count,
                (q,) * count,
                spectrum,
                "delta" if pair else "star",
                z_percent=100.0 * z,
                i_percent=100.0 * i,
            )
            for tail, (p, q), (_, z, i) in chosen
        )
    return out


def _shares(shares: tuple[float, float, float], ratio: float) -> tuple[float, float, float]:
    """Return how much more a load draws at a bus's rated voltage than at its own, and its shares there."""
    z, i, rest = shares[0] * ratio**2, shares[1] * ratio, shares[2]
    total = z + i + rest
    return total, z / total, i / total


def capacitor_of(raw: RawCapacitor, buses: Buses) -> Capacitor:
    """Return a capacitor bank.

    Raises
    ------
    ScriptError
        Its terminals have no counterpart.
    """
    one, bus = raw.source, raw.at.bus
    common = set(raw.other or ())
    floating = len(common) == 1 and next(iter(common)) > 3 and next(iter(common)) != buses.neutral(bus)
    connection, volts = "star", raw.kv * 1e3
    if floating and raw.phases > 1:
        connection = "isolated_star"
        letters = "".join(sorted(buses.letter(one, bus, node) for node in raw.at.nodes))
    else:
        sides = [buses.side(one, bus, pair)[0] for pair in raw.sides]
        if all(len(side) == 1 for side in sides):
            letters = "".join(sorted(sides))
            volts *= _ROOT3 if raw.phases == 1 and not buses.single(bus) else 1.0
            volts /= _ROOT3 if raw.phases > 1 and buses.single(bus) else 1.0
        elif len(sides) == 3:
            connection, letters = "delta", "abc"
        elif len(sides) == 1:
            connection, letters = "delta", sides[0]
        else:
            raise one.refuse("an open delta of capacitors cannot be converted", "make two of one phase each")
    if len(set(letters)) != len(letters):
        raise one.refuse(f"has phases '{letters}', one of them twice", "give each node once")
    return Capacitor(
        one.name,
        buses.names[bus],
        raw.q,
        raw.closed,
        letters,
        connection,
        volts,
        raw.reactor_percent,
        raw.quality,
    )


def grounding_of(raw: RawGrounding, buses: Buses) -> Grounding:
    """Return a path from a conductor to earth."""
    letter = buses.letter(raw.source, raw.at.bus, raw.at.nodes[0])
    return Grounding(raw.source.name, buses.names[raw.at.bus], raw.r, raw.x, letter)
