"""Loads, capacitors, reactors to earth and spectra in an OpenDSS script."""

import math
from dataclasses import dataclass

from twin.grid.components import HarmonicShare, Spectrum
from twin.grid.importers.dss_script import ScriptObject
from twin.grid.importers.dss_transformers import is_delta
from twin.grid.importers.dss_values import Edit, Terminal, terminal

SHARES = {1: (0.0, 0.0), 2: (1.0, 0.0), 5: (0.0, 1.0)}
"""Shares of impedance and current of the load models that follow one law."""

_ALLOCATED = ("xfkva", "allocationfactor", "kwh", "kwhdays", "cfactor")
_PROFILES = ("yearly", "daily", "duty", "growth")


@dataclass(frozen=True, slots=True)
class RawLoad:
    """A load before its bus has conductors."""

    source: ScriptObject
    at: Terminal
    phases: int
    delta: bool
    u_side: float
    """Rated voltage across each side [V]."""
    p: float
    """All sides together [W]."""
    q: float
    p_shares: tuple[float, float, float]
    """Of constant impedance, current and power."""
    q_shares: tuple[float, float, float]
    spectrum: Edit | None
    v_min: float
    profile: bool
    fixed: bool
    """Whether the load multiplier leaves it alone."""

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """The two nodes of each side."""
        nodes = self.at.nodes
        if not self.delta:
            return tuple((node, nodes[-1]) for node in nodes[:-1])
        return delta_sides(nodes, self.phases)


def delta_sides(nodes: tuple[int, ...], phases: int) -> tuple[tuple[int, int], ...]:
    """Return the two nodes of each side of a delta; two phases are an open delta."""
    if phases == 3:
        return (nodes[0], nodes[1]), (nodes[1], nodes[2]), (nodes[2], nodes[0])
    return tuple((nodes[k], nodes[k + 1]) for k in range(phases))


def _conductors(phases: int, *, delta: bool) -> tuple[int, ...]:
    """Return the nodes of a terminal where none is written."""
    if delta:
        return {1: (1, 0), 2: (1, 2, 0)}.get(phases, tuple(range(1, phases + 1)))
    return (*range(1, phases + 1), 0)


def _phase_count(one: ScriptObject, edit: Edit) -> int:
    if edit.whole not in {1, 2, 3}:
        raise edit.refuse(f"has {edit.value} phases", "give 1, 2 or 3")
    return edit.whole


def _bus(one: ScriptObject) -> Edit:
    edit = one.last_edit("bus1")
    if edit is None:
        raise one.refuse("has no bus1", "give bus1")
    return edit


def raw_load(one: ScriptObject) -> RawLoad:
    """Return a load's data.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    number = {"kv": 12.47, "kw": 10.0, "kvar": 5.0, "pf": 0.88, "kva": 0.0, "vminpu": 0.95, "vmaxpu": 1.05}
    phases, model, delta = 3, 1, False
    given_by, zipv, spectrum = "kw", None, None
    profile = fixed = False
    for edit in one.edits:
        if edit.key in number:
            number[edit.key] = edit.positive if edit.key == "kv" else edit.number
            if edit.key in {"kw", "kvar", "kva"}:
                given_by = edit.key
        elif edit.key == "phases":
            phases = _phase_count(one, edit)
        elif edit.key == "conn":
            delta = is_delta(edit)
        elif edit.key == "model":
            model = edit.whole
        elif edit.key == "zipv":
            zipv = edit
        elif edit.key == "spectrum":
            spectrum = edit
        elif edit.key == "status":
            fixed = edit.value.lower().startswith("f")
        elif edit.key in _PROFILES:
            profile = True
        elif edit.key in _ALLOCATED:
            raise edit.refuse("loads by allocation cannot be converted", "give kw and kvar")
        elif edit.key == "rneut" and edit.number >= 0:
            raise edit.refuse(
                "a star point behind an impedance cannot be converted", "use a reactor to earth"
            )
    p, q = _power(one, number, given_by)
    shares = _zip(one, model, zipv)
    edit = _bus(one)
    return RawLoad(
        one,
        terminal(edit, edit.value, _conductors(phases, delta=delta)),
        phases,
        delta,
        number["kv"] * 1e3 / (math.sqrt(3.0) if phases > 1 and not delta else 1.0),
        p * 1e3,
        q * 1e3,
        shares[0],
        shares[1],
        spectrum,
        number["vminpu"],
        profile,
        fixed,
    )


def _power(one: ScriptObject, number: dict[str, float], given_by: str) -> tuple[float, float]:
    """Return P and Q as the property that was set last says [kW, kvar]."""
    if given_by == "kvar":
        return number["kw"], number["kvar"]
    pf = number["pf"]
    if not 0 < abs(pf) <= 1:
        edit = one.last_edit("pf")
        raise (edit or one).refuse(f"a power factor of {pf:g}", "give -1 .. 1, not 0")
    p = number["kva"] * abs(pf) if given_by == "kva" else number["kw"]
    return p, math.copysign(1.0, pf) * p * math.sqrt(1.0 / pf**2 - 1.0)


def _zip(
    one: ScriptObject, model: int, zipv: Edit | None
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return the shares of P and of Q."""
    if model in SHARES:
        z, i = SHARES[model]
        both = (z, i, 1.0 - z - i)
        return both, both
    if model != 8:
        edit = one.last_edit("model")
        mend = "use 1 (power), 2 (impedance), 5 (current) or 8 (shares)"
        raise (edit or one).refuse(f"load model {model} cannot be converted", mend)
    if zipv is None:
        raise one.refuse("model 8 without its shares", "give zipv=(Zp Ip Pp Zq Iq Pq Vcut)")
    values = zipv.numbers
    if (
        len(values) not in {6, 7}
        or min(values[:6]) < 0
        or not sum(values[:3]) > 0
        or not sum(values[3:6]) > 0
    ):
        what = f"'{zipv.value}' are no shares"
        raise zipv.refuse(what, "give seven numbers, none negative: Zp Ip Pp Zq Iq Pq Vcut")
    return (values[0], values[1], values[2]), (values[3], values[4], values[5])


@dataclass(frozen=True, slots=True)
class RawCapacitor:
    """A capacitor bank before its bus has conductors."""

    source: ScriptObject
    at: Terminal
    other: tuple[int, ...] | None
    """Nodes of its second terminal, None for a delta."""
    phases: int
    kv: float
    q: float
    """[var]"""
    closed: bool
    reactor_percent: float
    quality: float

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """The two nodes of each unit."""
        if self.other is None:
            return delta_sides(self.at.nodes, self.phases)
        return tuple(zip(self.at.nodes, self.other, strict=True))


def raw_capacitor(one: ScriptObject) -> RawCapacitor:
    """Return a capacitor's data.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    phases, delta, kv, steps = 3, False, 12.47, 1
    rating, states = [1200.0], None
    values = {"r": 0.0, "xl": 0.0, "harm": 0.0}
    for edit in one.edits:
        if edit.key == "phases":
            phases = _phase_count(one, edit)
        elif edit.key == "conn":
            delta = is_delta(edit)
        elif edit.key == "kv":
            kv = edit.positive
        elif edit.key == "kvar":
            rating = edit.numbers
        elif edit.key == "numsteps":
            steps = max(edit.whole, 1)
        elif edit.key == "states":
            states = edit.numbers
        elif edit.key in values:
            values[edit.key] = edit.numbers[0]
        elif edit.key in {"cmatrix", "cuf"}:
            raise edit.refuse("a capacitor by its capacitance cannot be converted", "give kvar and kv")
    kvar, closed = _switched(rating, steps, states)
    at = _bus(one)
    if not kvar > 0:
        raise one.refuse(f"has {kvar:g} kvar", "give a positive number")
    # One phase's voltage is its own, that of two or three root three times as much; the power is that of all.
    x_c = kv**2 * 1e3 / kvar * (2.0 / 3.0 if phases == 2 and not delta else 1.0)
    x_l = x_c / values["harm"] ** 2 if values["harm"] else values["xl"]
    if (x_l or values["r"]) and delta:
        raise one.refuse("a filter in delta cannot be converted", "give conn=wye, or drop xl, harm and r")
    if values["r"] and not x_l:
        raise one.refuse(
            "a resistance in series without a reactance cannot be converted", "drop r, or give xl"
        )
    return RawCapacitor(
        one,
        terminal(at, at.value, _conductors(phases, delta=delta) if delta else tuple(range(1, phases + 1))),
        None if delta else _star_nodes(one, at, phases),
        phases,
        kv,
        kvar * 1e3,
        closed,
        100.0 * x_l / x_c if x_l else 0.0,
        x_l / values["r"] if values["r"] else 0.0,
    )


def _switched(rating: list[float], steps: int, states: list[float] | None) -> tuple[float, bool]:
    """Return the power of the steps that are on, or of all where none is, and whether any is."""
    each = rating if len(rating) > 1 else [rating[0] / steps] * steps
    on = [bool(states[at]) if states and at < len(states) else True for at in range(len(each))]
    kvar = sum(value for value, here in zip(each, on, strict=True) if here)
    return (kvar, True) if kvar else (sum(each), False)


def _star_nodes(one: ScriptObject, at: Edit, phases: int) -> tuple[int, ...]:
    edit = one.last_edit("bus2")
    if edit is None:
        return (0,) * phases
    second = terminal(edit, edit.value, (0,) * phases if "." in edit.value else tuple(range(1, phases + 1)))
    if second.bus != at.value.split(".")[0].lower() and any(second.nodes):
        raise edit.refuse("a capacitor in series cannot be converted", "leave it out")
    return second.nodes


@dataclass(frozen=True, slots=True)
class RawGrounding:
    """A reactor between one conductor and earth."""

    source: ScriptObject
    at: Terminal
    r: float
    x: float


def raw_grounding(one: ScriptObject, frequency: float) -> RawGrounding:
    """Return a reactor between a conductor and earth.

    Raises
    ------
    ScriptError
        It is anything else.
    """
    phases, kvar, kv, r = 3, 100.0, 12.47, 0.0
    x: float | None = None
    for edit in one.edits:
        if edit.key == "phases":
            phases = edit.whole
        elif edit.key == "kvar":
            kvar, x = edit.positive, None
        elif edit.key == "kv":
            kv = edit.positive
        elif edit.key == "r":
            r = edit.number
        elif edit.key == "x":
            x = edit.number
        elif edit.key == "lmh":
            x = 2.0 * math.pi * frequency * edit.number * 1e-3
        elif edit.key == "z" and len(edit.numbers) == 2:
            r, x = edit.numbers
        elif edit.key in {"rmatrix", "xmatrix", "rp", "z1", "z2", "z0", "rcurve", "lcurve", "z"}:
            raise edit.refuse("only r and x of a reactor can be converted", "give r and x")
    at, second = _bus(one), one.last_edit("bus2")
    to_earth = second is None or not any(terminal(second, second.value, (1,)).nodes)
    if phases != 1 or not to_earth:
        mend = "give phases=1 and no bus2, or use a line in series"
        raise one.refuse("only a reactor between one conductor and earth can be converted", mend)
    return RawGrounding(one, terminal(at, at.value, (1,)), r, kv**2 * 1e3 / kvar if x is None else x)


def spectrum(one: ScriptObject) -> Spectrum:
    """Return a spectrum, its angles counted from that of its fundamental.

    Raises
    ------
    ScriptError
        It has an order that is not whole, or lists of different lengths.
    """
    lists: dict[str, list[float]] = {"harmonic": [], "%mag": [], "angle": []}
    for edit in one.edits:
        if edit.key in lists:
            lists[edit.key] = edit.numbers
        elif edit.key == "csvfile":
            raise edit.refuse("spectra from files are not read", "give harmonic, %mag and angle")
    orders, percent = lists["harmonic"], lists["%mag"]
    angles = lists["angle"] or [0.0] * len(orders)
    if not len(orders) == len(percent) == len(angles) or not orders:
        what = f"has {len(orders)} orders, {len(percent)} magnitudes and {len(angles)} angles"
        raise one.refuse(what, "give as many of each")
    if any(order != round(order) or order < 0 for order in orders):
        raise one.refuse("has an order that is not whole", "give harmonics alone")
    first = next((angle for order, angle in zip(orders, angles, strict=True) if order == 1), 0.0)
    shares = tuple(
        HarmonicShare(round(order), size, math.remainder(angle - order * first, 360.0))
        for order, size, angle in zip(orders, percent, angles, strict=True)
        if order >= 2
    )
    return Spectrum(one.name, shares)
