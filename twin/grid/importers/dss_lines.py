"""Lines of an OpenDSS script: line codes, sequence values or matrices, units, switches."""

import math
from dataclasses import dataclass, field, replace

from twin.grid.components import CONDUCTORS
from twin.grid.importers.dss_script import Script, ScriptObject
from twin.grid.importers.dss_values import Edit, Terminal, terminal, unit_of_length

Rows = list[list[float]]

_GEOMETRY = ("geometry", "spacing", "wires", "cncables", "tscables")
_MATRICES = ("rmatrix", "xmatrix", "cmatrix")
_SEQUENTIAL = ("r1", "x1", "r0", "x0", "c1", "c0", "b1", "b0", "switch")
_SEQUENCE = {"r1": (0, 0), "x1": (0, 1), "r0": (1, 0), "x0": (1, 1)}


@dataclass(slots=True)
class _Constants:
    """What a line has per length: its state while properties are set one after the other."""

    phases: int = 3
    z: list[list[float]] = field(default_factory=lambda: [[0.058, 0.1206], [0.1784, 0.4047]])
    """R and X of the positive and of the zero sequence; these are the defaults of OpenDSS."""
    c: list[float] = field(default_factory=lambda: [3.4, 1.6])
    """Positive and zero sequence [nF]."""
    r: Rows | None = None
    x: Rows | None = None
    cap: Rows | None = None
    """[nF]"""
    frequency: float | None = None
    earth: dict[str, float] = field(default_factory=lambda: {"rg": 0.01805, "xg": 0.155081, "rho": 100.0})
    kron: Edit | None = None

    def set(self, edit: Edit) -> None:
        """Take one property that line codes and lines share."""
        key = edit.key
        if key in _SEQUENCE:
            one, part = _SEQUENCE[key]
            self.z[one][part] = edit.number
            self.r = self.x = self.cap = None
        elif key in {"c1", "c0"}:
            self.c[["c1", "c0"].index(key)] = edit.number
            self.r = self.x = self.cap = None
        elif key in {"b1", "b0"}:
            if self.frequency is None:
                raise edit.refuse("needs a base frequency", "give c1 and c0 [nF] instead")
            siemens = edit.number * 1e-6
            self.c[["b1", "b0"].index(key)] = siemens / (2.0 * math.pi * self.frequency) * 1e9
            self.r = self.x = self.cap = None
        elif key == "rmatrix":
            self.r = edit.matrix(self.phases)
        elif key == "xmatrix":
            self.x = edit.matrix(self.phases)
        elif key == "cmatrix":
            self.cap = edit.matrix(self.phases)
        elif key in self.earth:
            self.earth[key] = edit.number
        elif key == "basefreq":
            self.frequency = edit.positive

    def set_phases(self, edit: Edit) -> None:
        """Take the number of conductors; matrices of another size are gone then."""
        if not 1 <= edit.whole <= len(CONDUCTORS):
            raise edit.refuse(f"{edit.value} conductors", "give 1 to 4: phases, and the neutral")
        if edit.whole != self.phases:
            self.r = self.x = self.cap = None
        self.phases = edit.whole

    def copy(self) -> "_Constants":
        """Return an independent copy."""
        return replace(self, z=[list(row) for row in self.z], c=list(self.c), earth=dict(self.earth))

    def matrices(self) -> tuple[Rows, Rows, Rows]:
        """Return R, X and nodal C per length; a line of one conductor has its positive sequence alone."""
        r = self.r or self._from_sequence(self.z[0][0], self.z[1][0])
        x = self.x or self._from_sequence(self.z[0][1], self.z[1][1])
        return r, x, self.cap or self._from_sequence(*self.c)

    def _from_sequence(self, one: float, zero: float) -> Rows:
        size = self.phases
        if size == 1:
            return [[one]]
        own, mutual = (2.0 * one + zero) / 3.0, (zero - one) / 3.0
        return [[own if i == j else mutual for j in range(size)] for i in range(size)]


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line before its buses have conductors."""

    source: ScriptObject
    ends: tuple[Terminal, Terminal]
    r: Rows
    """[ohm]"""
    x: Rows
    """At the network's frequency [ohm]."""
    c: Rows
    """[F]"""
    switch: bool


@dataclass(frozen=True, slots=True)
class _Code:
    constants: _Constants
    unit: float | None


def _line_code(one: ScriptObject, frequency: float) -> _Code:
    out = _Constants(frequency=frequency)
    unit: float | None = None
    for edit in one.edits:
        if edit.key == "nphases":
            out.set_phases(edit)
        elif edit.key == "units":
            unit = unit_of_length(edit)
        elif edit.key == "kron" and edit.flag:
            raise edit.refuse("matrices are not reduced here", "give the reduced matrices, or drop it")
        else:
            out.set(edit)
    return _Code(out, unit)


def raw_line(script: Script, one: ScriptObject, frequency: float) -> RawLine:
    """Return a line with its totals.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    constants = _Constants(frequency=frequency)
    unit = code_unit = None
    length, switch, sequence_only = 1.0, False, False
    for edit in one.edits:
        if edit.key in _GEOMETRY:
            mend = "give a line code with matrices; 'show lineconstants' of OpenDSS writes it"
            raise edit.refuse("lines from wires and geometry cannot be converted", mend)
        if edit.key == "linecode":
            code = script.objects.get(("linecode", edit.value.lower()))
            if code is None:
                raise edit.refuse(f"there is no linecode '{edit.value}'", "define it above the line")
            made = _line_code(code, frequency)
            constants, code_unit = made.constants.copy(), made.unit
        elif edit.key == "phases":
            constants.set_phases(edit)
        elif edit.key in _MATRICES and sequence_only:
            what = "OpenDSS ignores a matrix on a line that has sequence values, or is a switch"
            raise edit.refuse(what, "drop one of the two, or put the matrix into a linecode")
        elif edit.key == "length":
            length = edit.number
        elif edit.key == "units":
            unit = unit_of_length(edit)
        elif edit.key == "switch":
            switch = edit.flag
            if switch:
                constants = _Constants(
                    constants.phases, [[1.0, 1.0], [1.0, 1.0]], [1.1, 1.0], frequency=constants.frequency
                )
                length, unit, code_unit = 0.001, None, None
        else:
            constants.set(edit)
        if edit.key in _SEQUENTIAL and not (edit.key == "switch" and not switch):
            sequence_only = True
        elif edit.key == "linecode":
            sequence_only = False
    if not length > 0:
        edit_ = one.last_edit("length")
        raise (edit_ or one).refuse(f"a length of {length:g}", "give a positive length")
    ratio = 1.0 if unit is None or code_unit is None else unit / code_unit
    r, x, c = constants.matrices()
    r, x = _at_frequency(constants, r, x, frequency)
    return RawLine(
        one,
        (_end(one, "bus1", constants.phases), _end(one, "bus2", constants.phases)),
        _times(r, length * ratio),
        _times(x, length * ratio),
        _times(c, length * ratio * 1e-9),
        switch,
    )


def _at_frequency(constants: _Constants, r: Rows, x: Rows, frequency: float) -> tuple[Rows, Rows]:
    """Return R and X at the network's frequency, the earth return's share following Carson."""
    base = constants.frequency or frequency
    if base == frequency:
        return r, x
    ratio = frequency / base
    rg, xg, rho = (constants.earth[key] for key in ("rg", "xg", "rho"))
    less = 0.5 * math.log(ratio) * xg / math.log(658.5 * math.sqrt(rho / base)) if xg else 0.0
    return (
        [[value + rg * (ratio - 1.0) for value in row] for row in r],
        [[(value - less) * ratio for value in row] for row in x],
    )


def _times(rows: Rows, factor: float) -> Rows:
    return [[value * factor for value in row] for row in rows]


def _end(one: ScriptObject, key: str, phases: int) -> Terminal:
    edit = one.last_edit(key)
    if edit is None:
        raise one.refuse(f"has no {key}", f"give {key}")
    return terminal(edit, edit.value, tuple(range(1, phases + 1)))
