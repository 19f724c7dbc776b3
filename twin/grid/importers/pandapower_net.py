"""From a pandapower network to ours: every element that takes part in an unbalanced load flow."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from twin.grid.components import (
    PHASES,
    Bus,
    Capacitor,
    Line,
    LineType,
    Load,
    Source,
    Switch,
    line_of_type,
)
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.transformers import VECTOR_GROUPS, Transformer

_TOTALS = ("r_ohm_per_km", "x_ohm_per_km", "r0_ohm_per_km", "x0_ohm_per_km", "c_nf_per_km", "c0_nf_per_km")
_UNUSED = ("trafo3w", "gen", "impedance", "dcline", "ward", "xward", "motor", "svc", "tcsc", "ssc")
BALANCED = (("load", 1.0), ("sgen", -1.0), ("storage", 1.0))
"""Tables of balanced elements in the order in which they become loads, and the sign of their power."""

_C_MAX = 1.1
"""Voltage factor of IEC 60909-0 table 1 for the highest short-circuit current."""


class _Converter:
    """One conversion: what it has read, and what it had to assume."""

    def __init__(self, net: Any, *, zero_sequence_ratio: float, vector_group: str) -> None:
        self.net = net
        self.ratio = zero_sequence_ratio
        self.vector_group = vector_group
        self.assumptions: list[str] = []
        self.bus_name: dict[int, str] = {}

    def assume(self, sentence: str) -> None:
        if sentence not in self.assumptions:
            self.assumptions.append(sentence)

    def rows(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield index and fields of each element in service whose bus is in service."""
        if table not in self.net or not len(self.net[table]):
            return
        frame = self.net[table]
        for index, row in zip(frame.index, frame.to_dict("records"), strict=True):
            if row.get("in_service", True) and row.get("bus", None) not in self.dead:
                yield int(index), row

    def convert(self) -> Network:
        net = self.net
        for table in _UNUSED:
            if table in net and len(net[table]) and net[table].get("in_service", True).any():
                raise GridError(f"the network has elements of kind '{table}', which cannot be converted")
        frame = net["bus"]
        self.dead = {int(index) for index in frame.index[~frame["in_service"].astype(bool)]}
        self.merge_closed_couplers()
        buses = tuple(self.buses())
        lines, types = self.lines()
        return Network(
            name=_word(net.get("name")) or "network",
            frequency=float(net["f_hz"]),
            buses=buses,
            sources=tuple(self.sources()),
            line_types=types,
            lines=lines,
            transformers=tuple(self.transformers()),
            switches=tuple(self.switches()),
            capacitors=tuple(self.capacitors()),
            loads=tuple(self.loads()),
        )

    def merge_closed_couplers(self) -> None:
        """Make one bus of two that a closed coupler joins."""
        self.same: dict[int, int] = {int(index): int(index) for index in self.net["bus"].index}
        if "switch" not in self.net:
            return
        joined = 0
        for row in self.net["switch"].to_dict("records"):
            if row["et"] == "b" and row["closed"]:
                one, other = sorted((self.root(int(row["bus"])), self.root(int(row["element"]))))
                self.same[other] = one
                joined += 1
        if joined:
            self.assume(f"{joined} closed bus couplers were replaced by one bus for each pair")

    def root(self, bus: int) -> int:
        while self.same[bus] != bus:
            bus = self.same[bus]
        return bus

    def at(self, bus: Any) -> str:
        return self.bus_name[self.root(int(bus))]

    def buses(self) -> Iterator[Bus]:
        frame = self.net["bus"]
        taken: set[str] = set()
        for index, row in zip(frame.index, frame.to_dict("records"), strict=True):
            if int(index) in self.dead or self.root(int(index)) != index:
                continue
            name = _unique(_word(row.get("name")) or f"bus {index}", taken)
            self.bus_name[int(index)] = name
            x, y = _position(row.get("geo"))
            yield Bus(name, _round(_given(row["vn_kv"]) * 1e3), x, y)

    def sources(self) -> Iterator[Source]:
        taken: set[str] = set()
        for index, row in self.rows("ext_grid"):
            name = _unique(_word(row.get("name")) or f"grid {index}", taken)
            u_rated = _round(_given(self.net["bus"].at[int(row["bus"]), "vn_kv"]) * 1e3)
            s_sc = _number(row.get("s_sc_max_mva"))
            u_pu, angle = _given(row["vm_pu"]), _given(row["va_degree"])
            if s_sc is None:
                self.assume(f"{name} has no short-circuit power: it is an ideal source")
                yield Source(name, self.at(row["bus"]), u_pu, angle)
                continue
            rx = _number(row.get("rx_max"))
            z = _C_MAX * u_rated**2 / (s_sc * 1e6)
            x1 = z / math.sqrt(1.0 + (0.1 if rx is None else rx) ** 2)
            r1 = x1 * (0.1 if rx is None else rx)
            x0x, r0x0 = _number(row.get("x0x_max")), _number(row.get("r0x0_max"))
            if rx is None or x0x is None or r0x0 is None:
                self.assume(f"{name}: R/X 0.1, X0/X1 1 and R0/X0 0.1 where the data do not say")
            x0 = x1 * (1.0 if x0x is None else x0x)
            r0 = x0 * (0.1 if r0x0 is None else r0x0)
            self.assume(f"{name}: impedance c U^2/S_sc with c = {_C_MAX:g} (IEC 60909-0)")
            yield Source(name, self.at(row["bus"]), u_pu, angle, r1=r1, x1=x1, r0=r0, x0=x0)

    def lines(self) -> tuple[tuple[Line, ...], tuple[LineType, ...]]:
        taken: set[str] = set()
        lines: list[Line] = []
        types: dict[tuple[float, ...], LineType] = {}
        type_names: set[str] = set()
        for index, row in self.rows("line"):
            ends = (int(row["from_bus"]), int(row["to_bus"]))
            if self.dead & set(ends):
                self.assume("lines to a bus out of service are left out, with their charging")
                continue
            if self.root(ends[0]) == self.root(ends[1]):
                continue
            parallel = int(row.get("parallel") or 1)
            data = self.line_data(row)
            key = (*data, float(parallel))
            if key not in types:
                base = _word(row.get("std_type")) or "line"
                name = _unique(base if parallel == 1 else f"{base} x{parallel}", type_names)
                r1, x1, r0, x0, c1, c0 = data
                per = 1e-3 / parallel
                scale = 1e-12 * parallel
                types[key] = LineType(name, r1 * per, x1 * per, r0 * per, x0 * per, c1 * scale, c0 * scale)
            name = _unique(_word(row.get("name")) or f"line {index}", taken)
            length = _round(_given(row["length_km"]) * 1e3)
            lines.append(line_of_type(name, self.at(ends[0]), self.at(ends[1]), types[key], length))
            self.branch_name["line", index] = name
            if _number(row.get("g_us_per_km")):
                self.assume("conductance of lines to earth is neglected")
        return tuple(lines), tuple(types.values())

    def line_data(self, row: Mapping[str, Any]) -> tuple[float, ...]:
        """Return R1, X1, R0, X0 [ohm/km], C1, C0 [nF/km]."""
        r1, x1, r0, x0, c1, c0 = (_number(row.get(key)) for key in _TOTALS)
        if r1 is None or x1 is None:
            raise GridError(f"line '{row.get('name')}' has no resistance or reactance")
        if r0 is None or x0 is None:
            self.assume(
                f"lines without zero-sequence data: R0 = {self.ratio:g} R1, X0 = {self.ratio:g} X1, C0 = C1"
            )
            r0, x0, c0 = self.ratio * r1, self.ratio * x1, c1
        return (r1, x1, r0, x0, c1 or 0.0, c0 or 0.0)

    @property
    def branch_name(self) -> dict[tuple[str, int], str]:
        if not hasattr(self, "_branch_name"):
            self._branch_name: dict[tuple[str, int], str] = {}
        return self._branch_name

    def transformers(self) -> Iterator[Transformer]:
        taken = set(self.branch_name.values())
        for index, row in self.rows("trafo"):
            if self.dead & {int(row["hv_bus"]), int(row["lv_bus"])}:
                continue
            name = _unique(_word(row.get("name")) or f"transformer {index}", taken)
            self.branch_name["trafo", index] = name
            u_hv, u_lv = self.tapped(row)
            parallel = int(row.get("parallel") or 1)
            yield Transformer(
                name,
                self.at(row["hv_bus"]),
                self.at(row["lv_bus"]),
                s_rated=_round(_given(row["sn_mva"]) * 1e6) * parallel,
                u_hv=u_hv,
                u_lv=u_lv,
                vk0_percent=self.zero_sequence(row, "vk0_percent"),
                vkr0_percent=self.zero_sequence(row, "vkr0_percent"),
                vk_percent=_given(row["vk_percent"]),
                vkr_percent=_given(row["vkr_percent"]),
                vector_group=self.group(name, row),
                p_iron=_given(row.get("pfe_kw")) * 1e3 * parallel,
                i0_percent=_given(row.get("i0_percent")),
            )

    def tapped(self, row: Mapping[str, Any]) -> tuple[float, float]:
        """Return the rated voltages at the tap in use [V]."""
        u = {"hv": _round(_given(row["vn_hv_kv"]) * 1e3), "lv": _round(_given(row["vn_lv_kv"]) * 1e3)}
        position, neutral = _number(row.get("tap_pos")), _number(row.get("tap_neutral"))
        step, side = _number(row.get("tap_step_percent")), row.get("tap_side")
        if None not in (position, neutral, step) and side in u and position != neutral:
            u[side] *= 1.0 + (position - neutral) * step / 100.0  # type: ignore[operator]
            self.assume("transformers stay at the tap that the data give")
        return u["hv"], u["lv"]

    def group(self, name: str, row: Mapping[str, Any]) -> str:
        """Return the vector group, by its letters and the phase shift where both are given."""
        letters = _word(row.get("vector_group"))
        clock = round(_given(row.get("shift_degree")) / 30.0) % 12
        for candidate in (letters, f"{letters}{clock}"):
            if candidate in VECTOR_GROUPS:
                return candidate
        if not letters and f"Dyn{clock}" in VECTOR_GROUPS:
            self.assume(f"{name}: vector group Dyn{clock}, after its phase shift")
            return f"Dyn{clock}"
        what = f"is {letters}{clock}" if letters else "is not given"
        self.assume(f"{name}: vector group {what}, {self.vector_group} is used")
        return self.vector_group

    def zero_sequence(self, row: Mapping[str, Any], key: str) -> float | None:
        """Return a short-circuit voltage in the zero sequence where it differs from the positive one."""
        vk0, vkr0 = _number(row.get("vk0_percent")), _number(row.get("vkr0_percent"))
        if not vk0:
            return None
        pairs = ((vk0, row["vk_percent"]), (vkr0 or 0.0, row["vkr_percent"]))
        if all(math.isclose(zero, float(positive), rel_tol=1e-5) for zero, positive in pairs):
            return None
        return vk0 if key == "vk0_percent" else vkr0 or 0.0

    def switches(self) -> Iterator[Switch]:
        taken: set[str] = set()
        kinds = {"l": "line", "t": "trafo"}
        for index, row in self.rows("switch"):
            branch = self.branch_name.get((kinds.get(row["et"], ""), int(row["element"])))
            if branch is None:
                continue
            name = _unique(_word(row.get("name")) or f"switch {index}", taken)
            self.assume("a switch at one end of a branch takes the whole branch out of service")
            yield Switch(name, branch, closed=bool(row["closed"]))

    def capacitors(self) -> Iterator[Capacitor]:
        taken: set[str] = set()
        for index, row in self.rows("shunt"):
            q = -float(row["q_mvar"]) * 1e6 * float(row.get("step") or 1)
            if float(row["p_mw"]) or q <= 0:
                raise GridError(f"shunt {index} is no capacitor, and cannot be converted")
            u_rated = _given(self.net["bus"].at[int(row["bus"]), "vn_kv"])
            q *= (u_rated / _given(row["vn_kv"])) ** 2
            name = _unique(_word(row.get("name")) or f"capacitor {index}", taken)
            yield Capacitor(name, self.at(row["bus"]), q)

    def loads(self) -> Iterator[Load]:
        taken: set[str] = set()
        for table, sign in BALANCED:
            for index, row in self.rows(table):
                name = _unique(_word(row.get("name")) or f"{table} {index}", taken)
                z, i = self.shares(name, row)
                third = sign * _given(row.get("scaling")) * 1e6 / 3.0
                self.assume("balanced loads and generators are split equally between the phases")
                p, q = float(row["p_mw"]) * third, float(row["q_mvar"]) * third
                bus = self.at(row["bus"])
                yield Load(name, bus, "abc", (p, p, p), (q, q, q), z_percent=z, i_percent=i)
        for table, sign in (("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)):
            for index, row in self.rows(table):
                yield self.asymmetric(table, index, row, sign, taken)

    def shares(self, name: str, row: Mapping[str, Any]) -> tuple[float, float]:
        """Return the percentages of constant impedance and constant current."""
        out = []
        for kind in ("z", "i"):
            values = [_number(row.get(f"const_{kind}_{part}percent")) for part in ("p_", "q_", "")]
            given = [value for value in values if value is not None]
            if len(set(given)) > 1:
                self.assume(f"{name}: active and reactive power follow the voltage in the same way")
            out.append(given[0] if given else 0.0)
        return out[0], out[1]

    def asymmetric(
        self, table: str, index: int, row: Mapping[str, Any], sign: float, taken: set[str]
    ) -> Load:
        name = _unique(_word(row.get("name")) or f"{table} {index}", taken)
        scale = sign * _given(row.get("scaling")) * 1e6
        p = [_round(_given(row[f"p_{phase}_mw"]) * scale) for phase in PHASES]
        q = [_round(_given(row[f"q_{phase}_mvar"]) * scale) for phase in PHASES]
        if row.get("type") == "delta":
            return Load(name, self.at(row["bus"]), "abc", tuple(p), tuple(q), connection="delta")
        used = [at for at in range(3) if p[at] or q[at]]
        if len(used) == 1:
            at = used[0]
            return Load(name, self.at(row["bus"]), PHASES[at], (p[at],), (q[at],))
        return Load(name, self.at(row["bus"]), "abc", tuple(p), tuple(q))


def from_pandapower(
    net: Any, *, zero_sequence_ratio: float = 4.0, vector_group: str = "Dyn5"
) -> tuple[Network, list[str]]:
    """Convert a pandapower network.

    Parameters
    ----------
    net : pandapower.pandapowerNet
    zero_sequence_ratio : float
        Z0 over Z1 of lines without zero-sequence data; 4 is a four-core cable with neutral of full section.
    vector_group : str
        Of transformers whose data do not give one of those that we know.

    Returns
    -------
    Network, list of str
        The network, and what had to be assumed.

    Raises
    ------
    GridError
        The network holds elements that cannot be converted.
    """
    if vector_group not in VECTOR_GROUPS:
        raise GridError(f"vector group '{vector_group}' is none of {', '.join(VECTOR_GROUPS)}")
    converter = _Converter(net, zero_sequence_ratio=zero_sequence_ratio, vector_group=vector_group)
    return converter.convert(), converter.assumptions


def _number(value: Any) -> float | None:
    """Return a table's value as a number, or None where it is missing.

    Many networks were stored in single precision: such a value is read as the decimal it was made from.
    """
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    if math.isnan(number):
        return None
    single = np.float32(number)
    stored = math.isclose(float(single), number, rel_tol=1e-10)
    return float(str(single)) if stored else number


def _given(value: Any) -> float:
    """Return a table's value as a number, 0 where it is missing."""
    return _number(value) or 0.0


def _round(value: float) -> float:
    """Return a value without the digits that a change of unit adds."""
    return float(f"{value:.12g}")


def _word(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} ({number})", number + 1
    taken.add(candidate)
    return candidate


def _position(geo: Any) -> tuple[float | None, float | None]:
    """Return x and y of a GeoJSON point."""
    if not isinstance(geo, str) or not geo:
        return None, None
    coordinates = json.loads(geo)["coordinates"]
    return float(f"{float(coordinates[0]):.12g}"), float(f"{float(coordinates[1]):.12g}")
