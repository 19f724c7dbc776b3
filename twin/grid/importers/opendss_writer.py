"""From a network to an OpenDSS script, for what OpenDSS can hold.

Phases a, b, c are nodes 1, 2, 3 of a bus, the neutral conductor is node 4; from 9 on are star points that go
nowhere else.
"""

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import line_matrices
from twin.grid.components import CONDUCTORS, PHASES, Capacitor, Grounding, Line, Load, Source, Spectrum
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.transformers import TapChanger, Transformer, parse_vector_group

_ROOT3 = math.sqrt(3.0)
_STIFF = 2e-7
"""What stands for no impedance, in a source or an earthing [ohm]."""

_CLOCKS = {1: (1, 0), 5: (1, 2), 11: (11, 0), 7: (11, 1), 0: (0, 0), 8: (0, 1), 4: (0, 2)}
"""Clock number of OpenDSS, and how often the nodes of the low-voltage side are turned, for each of ours."""


def opendss_text(network: Network) -> str:
    """Return a network as an OpenDSS script that has the same steady state.

    Parameters
    ----------
    network : Network
        Checked.

    Raises
    ------
    GridError
        It has something that OpenDSS, or this writer, cannot express; the element is named.

    Notes
    -----
    An ideal source gets 2e-7 ohm, a solid earthing likewise. Loads turn to constant impedance below 0.7 of
    their rated voltage, as in a load flow here. Names lose what OpenDSS does not allow in them. A closed
    switch is only kept where its line has sequence values. A bank in isolated star that is open, or has one
    unit only, carries no current and is written as disabled, which the script says.
    """
    return "\n".join(_Writer(network).lines()) + "\n"


class _Names:
    """Names that OpenDSS allows, each once within a class, whatever their case."""

    def __init__(self) -> None:
        self._taken: dict[str, set[str]] = {}
        self._made: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, name: str) -> str:
        if (kind, name) not in self._made:
            taken = self._taken.setdefault(kind, set())
            plain = re.sub(r"[^A-Za-z0-9_+-]", "_", name) or "_"
            made, number = plain, 1
            while made.lower() in taken:
                number += 1
                made = f"{plain}_{number}"
            taken.add(made.lower())
            self._made[kind, name] = made
        return self._made[kind, name]


class _Writer:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.name = _Names()
        self.neutral = {bus.name for bus in network.buses if "n" in bus.phases}
        self.buses = {bus.name: bus for bus in network.buses}
        self._private = dict.fromkeys(self.buses, 8)
        self.operated = {switch.branch for switch in network.switches}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the script."""
        network = self.network
        yield "clear"
        yield f"set defaultbasefrequency={_number(network.frequency)}"
        for at, source in enumerate(network.sources):
            kind = "circuit" if at == 0 else "vsource"
            name = self.name("circuit", network.name) if at == 0 else self.name("vsource", source.name)
            yield f"new {kind}.{name} {self._source(source)}"
        yield from map(self._spectrum, network.spectra)
        yield from map(self._line, network.lines)
        yield from map(self._transformer, network.transformers)
        yield from map(self._control, network.tap_changers)
        yield from map(self._grounding, network.groundings)
        for bank in network.capacitors:
            yield from self._capacitor(bank)
        for load in network.loads:
            yield from self._load(load)
        yield from self._switches()
        yield "makebuslist"
        for bus in network.buses:
            yield f"setkvbase bus={self._bus(bus.name)} kvll={_number(bus.u_phase * _ROOT3 / 1e3)}"
            if bus.x is not None and bus.y is not None:
                yield f"setbusxy bus={self._bus(bus.name)} x={_number(bus.x)} y={_number(bus.y)}"

    def _bus(self, name: str, nodes: Sequence[int] = ()) -> str:
        return ".".join([self.name("bus", name), *map(str, nodes)])

    def _reference(self, bus: str) -> int:
        """Return the node that phases are counted from."""
        return 4 if bus in self.neutral else 0

    def _private_node(self, bus: str) -> int:
        """Return a node of a bus that nothing else uses."""
        self._private[bus] += 1
        return self._private[bus]

    def _source(self, source: Source) -> str:
        if source.star_point == "isolated":
            raise GridError(f"source '{source.name}': OpenDSS has no source with an isolated star point")
        z1, z0 = (source.r1, source.x1), (source.r0 + 3 * source.r_star, source.x0 + 3 * source.x_star)
        if source.ideal:
            z1 = z0 = (0.0, _STIFF)
        return (
            f"bus1={self._bus(source.bus)} basekv={_number(self.buses[source.bus].u_rated / 1e3)} "
            f"pu={_number(source.u_pu)} angle={_number(source.angle_deg)} Z1={_list(z1)} Z0={_list(z0)}"
        )

    def _spectrum(self, spectrum: Spectrum) -> str:
        shares = spectrum.shares
        return (
            f"new spectrum.{self.name('spectrum', spectrum.name)} numharm={len(shares) + 1} "
            f"harmonic={_list([1, *(share.order for share in shares)])} "
            f"%mag={_list([100, *(share.percent for share in shares)])} "
            f"angle={_list([0, *(share.angle_deg for share in shares)])}"
        )

    def _line(self, line: Line) -> str:
        nodes = [CONDUCTORS.index(letter) + 1 for letter in line.phases]
        head = (
            f"new line.{self.name('line', line.name)} phases={len(nodes)} "
            f"bus1={self._bus(line.from_bus, nodes)} bus2={self._bus(line.to_bus, nodes)}"
        )
        if line.r is None and line.phases == PHASES:
            values = {key: getattr(line, key) or 0.0 for key in ("r1", "x1", "r0", "x0")}
            values.update(c1=line.c1 * 1e9, c0=line.c0 * 1e9)
            switch = " switch=yes" if line.name in self.operated else ""
            given = " ".join(f"{key}={_number(value)}" for key, value in values.items())
            return f"{head}{switch} length=1 {given}"
        # To OpenDSS a switch has sequence values, whatever matrices it is given besides.
        r, x, c = line_matrices(line)
        return f"{head} length=1 rmatrix={_rows(r)} xmatrix={_rows(x)} cmatrix={_rows(c * 1e9)}"

    def _transformer(self, unit: Transformer) -> str:
        high, low, clock = parse_vector_group(unit.vector_group)
        if unit.vk0_percent is not None:
            raise GridError(f"transformer '{unit.name}': OpenDSS has no zero-sequence impedance of its own")
        if "z" in low or (clock not in _CLOCKS and not unit.single_phase):
            raise GridError(f"transformer '{unit.name}': vector group {unit.vector_group} is not written")
        numbers = (
            [self._single(unit, clock), ""] if unit.single_phase else self._three(unit, high, low, clock)
        )
        iron = 100.0 * unit.p_iron / unit.s_rated
        magnetising = math.sqrt(max(unit.i0_percent**2 - iron**2, 0.0))
        reactance = math.sqrt(max(unit.vk_percent**2 - unit.vkr_percent**2, 0.0))
        kva = _number(unit.s_rated / 1e3)
        return (
            f"new transformer.{self.name('transformer', unit.name)} phases={1 if unit.single_phase else 3} "
            f"windings=2 {numbers[0]} kvs={_list([unit.u_hv / 1e3, unit.u_lv / 1e3])} kvas=[{kva} {kva}] "
            f"xhl={_number(reactance)} %rs={_list([unit.vkr_percent / 2.0] * 2)} "
            f"%noloadloss={_number(iron)} %imag={_number(magnetising)}{numbers[1]}{_tap_text(unit)}"
        )

    def _single(self, unit: Transformer, clock: int) -> str:
        ends = []
        for bus, phases in ((unit.hv_bus, unit.hv_phases), (unit.lv_bus, unit.lv_phases)):
            nodes = [CONDUCTORS.index(letter) + 1 for letter in phases]
            ends.append((bus, nodes if len(nodes) == 2 else [*nodes, self._reference(bus)]))
        if clock == 6:
            ends[1][1].reverse()
        return f"buses=[{' '.join(self._bus(bus, nodes) for bus, nodes in ends)}] conns=[wye wye]"

    def _three(self, unit: Transformer, high: str, low: str, clock: int) -> list[str]:
        number, turns = _CLOCKS[clock]
        buses, conns, stars = [], [], ""
        sides = (
            (unit.hv_bus, high.lower(), 0, unit.r_star_hv, unit.x_star_hv),
            (unit.lv_bus, low, turns, unit.r_star_lv, unit.x_star_lv),
        )
        for winding, (bus, letters, turn, r, x) in enumerate(sides, start=1):
            nodes = [(at + turn) % 3 + 1 for at in range(3)]
            if letters == "d":
                conns.append("delta")
            else:
                conns.append("wye")
                star = self._reference(bus) if letters == "yn" else self._private_node(bus)
                if star == 0 and (r or x):
                    star = self._private_node(bus)
                    stars += f" wdg={winding} rneut={_number(r)} xneut={_number(x)}"
                nodes.append(star)
            buses.append(self._bus(bus, nodes))
        step_up = unit.u_hv < unit.u_lv
        lead = " leadlag=lead" if number and (number == 11) != step_up else ""
        return [f"buses=[{' '.join(buses)}] conns=[{' '.join(conns)}]{lead}", stars]

    def _control(self, control: TapChanger) -> str:
        unit = next(one for one in self.network.transformers if one.name == control.transformer)
        if unit.tap_side != "lv":
            raise GridError(f"tap changer '{control.name}': OpenDSS needs the taps on the regulated side")
        where = f" ptphase={1 if unit.single_phase else 'abc'.index(control.phase[0]) + 1}"
        if control.bus:
            nodes = [CONDUCTORS.index(letter) + 1 for letter in control.phase]
            where += f" bus={self._bus(control.bus, nodes)}"
        return (
            f"new regcontrol.{self.name('regcontrol', control.name)} "
            f"transformer={self.name('transformer', unit.name)} winding=2 vreg={_number(control.u_set)} "
            f"band={_number(control.bandwidth)} ptratio={_number(control.pt_ratio)} "
            f"ctprim={_number(control.ct_primary or 300.0)} r={_number(control.r_line)} "
            f"x={_number(control.x_line)} delay={_number(control.delay)} "
            f"tapdelay={_number(control.tap_delay)}{where}"
        )

    def _grounding(self, one: Grounding) -> str:
        z = (one.r, one.x) if one.r or one.x else (_STIFF, 0.0)
        node = CONDUCTORS.index(one.conductor) + 1
        return (
            f"new reactor.{self.name('reactor', one.name)} phases=1 bus1={self._bus(one.bus, [node])} "
            f"r={_number(z[0])} x={_number(z[1])}"
        )

    def _capacitor(self, bank: Capacitor) -> Iterator[str]:
        bus = self.buses[bank.bus]
        nodes = [CONDUCTORS.index(letter) + 1 for letter in bank.phases]
        delta = bank.connection == "delta"
        if delta and bank.reactor_percent:
            raise GridError(f"capacitor '{bank.name}': a filter in delta is not written")
        count = 1 if delta and len(nodes) == 2 else len(nodes)
        u = bus.u_phase
        if bank.u_rated is not None:
            u = bank.u_rated / _ROOT3 if len(bus.phases.replace("n", "")) > 1 else bank.u_rated
        kv = u * (_ROOT3 if delta or count > 1 else 1.0) / 1e3
        text = f"phases={count} kv={_number(kv)} kvar={_number(bank.q_rated / 1e3)}"
        if delta:
            text += f" conn=delta bus1={self._bus(bank.bus, nodes)}"
        else:
            isolated = bank.connection == "isolated_star"
            star = self._private_node(bank.bus) if isolated else self._reference(bank.bus)
            text += f" bus1={self._bus(bank.bus, nodes)} bus2={self._bus(bank.bus, [star] * count)}"
        if bank.reactor_percent:
            x_l = bank.reactor_percent / 100.0 * u**2 * count / bank.q_rated
            text += f" xl={_number(x_l)} r={_number(x_l / bank.quality if bank.quality else 0.0)}"
        closed = "" if bank.closed else " states=[0]"
        if bank.connection == "isolated_star" and (count == 1 or not bank.closed):
            # Its star point would be a node that nothing holds, and the equations of OpenDSS singular.
            yield f"! no current can flow in capacitor '{bank.name}': it is disabled (enabled=no)"
            closed += " enabled=no"
        yield f"new capacitor.{self.name('capacitor', bank.name)} {text}{closed}"

    def _load(self, load: Load) -> Iterator[str]:
        """Yield one load, or one for each side where they differ."""
        pair = load.connection == "delta"
        together = len(set(zip(load.p, load.q, strict=True))) == 1 and not (pair and len(load.sides) == 1)
        u = self.buses[load.bus].u_phase
        law = _law(load)
        if load.spectrum:
            law += f" spectrum={self.name('spectrum', load.spectrum)}"
        else:
            law += " spectrum=linear"
        groups = [load.phases] if together else list(load.sides)
        for at, letters in enumerate(groups):
            sides = len(load.sides) if together else 1
            p, q = load.p[at] * sides, load.q[at] * sides
            nodes = [CONDUCTORS.index(letter) + 1 for letter in letters]
            if not pair:
                nodes.append(self._reference(load.bus))
            kv = u * (_ROOT3 if pair or sides > 1 else 1.0) / 1e3
            name = load.name if len(groups) == 1 else f"{load.name}_{letters}"
            yield (
                f"new load.{self.name('load', name)} phases={sides} bus1={self._bus(load.bus, nodes)} "
                f"conn={'delta' if pair else 'wye'} kv={_number(kv)} kw={_number(p / 1e3)} "
                f"kvar={_number(q / 1e3)} {law} vminpu=0.7 vmaxpu=2 vlowpu=1e-6"
            )

    def _switches(self) -> Iterator[str]:
        lines = {line.name for line in self.network.lines}
        for switch in self.network.switches:
            kind = "line" if switch.branch in lines else "transformer"
            if not switch.closed:
                for end in (1, 2):
                    yield f"open {kind}.{self.name(kind, switch.branch)} {end}"


def _law(load: Load) -> str:
    z, i = load.zip_shares
    known: dict[tuple[float, float], int] = {(0.0, 0.0): 1, (1.0, 0.0): 2, (0.0, 1.0): 5}
    if (z, i) in known:
        return f"model={known[z, i]}"
    shares = [z, i, 1.0 - z - i] * 2
    return f"model=8 zipv={_list([*shares, 0.0])}"


def _tap_text(unit: Transformer) -> str:
    if not unit.tap_step_percent:
        return ""
    winding = 1 if unit.tap_side == "hv" else 2
    step = unit.tap_step_percent / 100.0
    return (
        f" wdg={winding} numtaps={unit.tap_max - unit.tap_min} maxtap={_number(1.0 + unit.tap_max * step)} "
        f"mintap={_number(1.0 + unit.tap_min * step)} tap={_number(1.0 + unit.tap * step)}"
    )


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _list(values: Sequence[float]) -> str:
    return f"[{' '.join(map(_number, values))}]"


def _rows(matrix: NDArray[np.float64]) -> str:
    return f"[{' | '.join(' '.join(map(_number, row)) for row in matrix.tolist())}]"
