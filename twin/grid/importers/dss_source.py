"""Voltage sources of an OpenDSS script: short-circuit powers or currents to sequence impedances."""

import math
from dataclasses import dataclass, field

from twin.grid.importers.dss_script import ScriptObject
from twin.grid.importers.dss_values import Edit, Terminal, terminal


@dataclass(slots=True)
class RawSource:
    """A voltage source; the defaults are those of OpenDSS."""

    source: ScriptObject
    at: Terminal = field(default_factory=lambda: Terminal("sourcebus", (1, 2, 3)))
    kv: float = 115.0
    pu: float = 1.0
    angle: float = 0.0
    values: dict[str, float] = field(
        default_factory=lambda: {
            "mvasc3": 2000.0,
            "mvasc1": 2100.0,
            "x1r1": 4.0,
            "x0r0": 3.0,
            "isc3": 10000.0,
            "isc1": 10500.0,
            "r1": 1.65,
            "x1": 6.6,
            "r0": 1.9,
            "x0": 5.7,
            "basemva": 100.0,
        }
    )
    given_by: str = "mva"
    """``mva``, ``isc`` or ``z``: of which the impedances are made."""
    pu_z: dict[str, list[float]] = field(default_factory=dict)

    def recalculate(self) -> None:
        """Make the impedances of what was given, as OpenDSS does after each command."""
        value = self.values
        for key, pair in self.pu_z.items():
            base = self.kv**2 / value["basemva"]
            value["r" + key[-1]], value["x" + key[-1]] = pair[0] * base, pair[1] * base
        if self.given_by == "z":
            return
        root = math.sqrt(3.0)
        if self.given_by == "isc":
            value["mvasc3"] = root * self.kv * value["isc3"] / 1e3
            value["mvasc1"] = root * self.kv * value["isc1"] / 1e3
        isc1 = value["mvasc1"] * 1e3 / (root * self.kv)
        value["isc1"], value["isc3"] = isc1, value["mvasc3"] * 1e3 / (root * self.kv)
        ratio1, ratio0 = value["x1r1"], value["x0r0"]
        value["x1"] = self.kv**2 / value["mvasc3"] / math.sqrt(1.0 + 1.0 / ratio1**2)
        value["r1"] = value["x1"] / ratio1
        # |2 Z1 + Z0| = 3 U / (sqrt 3 Isc1), a quadratic equation in R0.
        a = 1.0 + ratio0**2
        b = 4.0 * (value["r1"] + value["x1"] * ratio0)
        c = 4.0 * (value["r1"] ** 2 + value["x1"] ** 2) - (3.0 * self.kv * 1e3 / root / isc1) ** 2
        value["r0"] = (-b + math.sqrt(max(b * b - 4.0 * a * c, 0.0))) / (2.0 * a)
        value["x0"] = value["r0"] * ratio0


def raw_source(one: ScriptObject) -> RawSource:
    """Return a voltage source.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    out = RawSource(one)
    zero_given = False
    for at, edit in enumerate(one.edits):
        if edit.key == "bus1":
            out.at = terminal(edit, edit.value, (1, 2, 3))
        elif edit.key == "bus2":
            if any(terminal(edit, edit.value, (1, 2, 3)).nodes):
                raise edit.refuse("a source between two buses cannot be converted", "leave bus2 out")
        elif edit.key == "phases" and edit.whole != 3:
            raise edit.refuse("a source has three phases", "give phases=3")
        elif edit.key == "sequence" and not edit.value.lower().startswith("p"):
            raise edit.refuse("a source has positive sequence", "leave it out")
        elif edit.key == "model" and edit.value.lower().startswith("i"):
            raise edit.refuse(
                "an ideal source is not converted", "give r1, x1, r0 and x0, as small as you like"
            )
        else:
            zero_given = _value(out, edit, zero_given=zero_given)
        if at + 1 == len(one.edits) or one.edits[at + 1].command != edit.command:
            out.recalculate()
    if not one.edits:
        out.recalculate()
    if out.at.nodes != (1, 2, 3):
        raise one.refuse("its nodes are not 1, 2, 3", "give bus1 without nodes, and angle where it is turned")
    return out


def _value(out: RawSource, edit: Edit, *, zero_given: bool) -> bool:
    """Take one property; return whether the zero sequence has been given."""
    key, value = edit.key, out.values
    if key == "basekv":
        out.kv = edit.positive
    elif key == "pu":
        out.pu = edit.number
    elif key == "angle":
        out.angle = edit.number
    elif key in {"mvasc3", "mvasc1", "isc3", "isc1"}:
        value[key], out.given_by = edit.positive, "mva" if key.startswith("mva") else "isc"
    elif key in {"r1", "x1", "r0", "x0"}:
        value[key], out.given_by = edit.number, "z"
        out.pu_z.clear()
    elif key in {"z1", "z0", "puz1", "puz0"}:
        pair = edit.numbers
        if len(pair) != 2:
            raise edit.refuse(f"'{edit.value}' is no impedance", "give [R, X]")
        zero_given = zero_given or key.endswith("0")
        out.given_by = "z"
        for sequence in ("1",) if zero_given and key.endswith("1") else ("0",) if key.endswith("0") else "10":
            if key.startswith("pu"):
                out.pu_z[f"z{sequence}"] = pair
            else:
                value[f"r{sequence}"], value[f"x{sequence}"] = pair
                out.pu_z.pop(f"z{sequence}", None)
    elif key in value:
        value[key] = edit.positive
    return zero_given
