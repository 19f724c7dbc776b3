"""The walk through the writable registers: written, out of range, read-only, sealed.

Ranges are those of the register map that a tag list is made of; what the seal covers is typed here from
tables 4-2 to 4-4 of the KW320 manual.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from examples.register_walk.master import Master
from twin.meters.register_map import Register, RegisterMap

ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
_SEAL, _SELECTION, _SEALED = 0x101F, 0x101E, 0x0A
SEALED_ALWAYS = frozenset(
    (
        *(*range(0x1003, 0x100C), *range(0x100D, 0x1010), *range(0x1012, 0x101A), 0x101D, 0x101E, 0x103E),
        *(*range(0x10A5, 0x10A9), *range(0x10B7, 0x10BB)),
        *(*range(0x4048, 0x405A), *range(0x4620, 0x463E)),
    )
)
SEALED_BY_BIT = frozenset(
    (
        *(0x0FFE, 0x0FFF, 0x1001, 0x1002, 0x102F, 0x1030, 0x1031, 0x1011),
        *(
            0x101C,
            0x109E,
            0x109F,
            0x10A3,
            0x10A4,
            0x10AA,
            0x10AB,
            0x10B0,
            0x10B1,
            0x10B5,
            0x10B6,
            0x10BC,
            0x10BD,
        ),
    )
)
"""Bits 0 to 3 of 101EH; the clock, bit 4, still takes small corrections."""
_ACTIONS = frozenset(
    (0x100F, 0x1010, 0x1011, 0x1016, 0x101A, 0x101C, 0x1021, *range(0x103A, 0x103F), 0x8000, 0x800E, 0x800F)
)
"""They always read their idle value."""
_CLEARS = frozenset((0x102E, 0x1032, 0x1033))
"""Written, they read 0; the counts of records cannot be put back."""
_OWN_VALUES = {0x0FFD: 0, 0x1001: 247, 0x1005: 75, 0x101A: 0, 0x101F: 5, 0x102E: 0, 0x1042: 28, 0x8004: 400}
"""Another value within the narrower range that others leave: of Modbus, of 500 kV, of February, of 3LN;
and a reset of the module would end the walk's own connection."""
_RULED_OUT = {0x0FFD: [1], 0x1001: [0, 248], 0x8004: [401]}
"""Values within the printed range that other settings rule out."""
_CURSORS: tuple[tuple[int, list[int], list[list[int]]], ...] = (
    (0x6000, [2], [[3]]),
    (0x6002, [1, 7], []),
    (0x8CFE, [1], [[0], [2]]),  # there is no event yet
    (0x8CFF, [10], [[0], [11]]),
    (0x8E00, [100], [[0], [101]]),
    (0x8E01, [121], [[122]]),
)
_CURVES = {"_in_": (4500, 6500), "_out_": (819, 4915)}
"""What analogue outputs of 4-20 mA that follow the frequency take; the defaults, 0, are none of it."""
_GRADIENTS = 3
"""Of each curve: with fewer, points that are left out are not looked at."""
_LISTS = ("_register_", "_descriptors_")


@dataclass(slots=True)
class Tally:
    """Registers of a region."""

    read: int = 0
    written: int = 0
    out_of_range: int = 0
    read_only: int = 0
    sealed: int = 0


@dataclass(slots=True)
class Writing:
    """The walk, with what it found.

    Parameters
    ----------
    master : Master
        Connected to the meter, whose time stands still.
    registers : RegisterMap
        Of the meter, without the windows of a session of its own.
    """

    master: Master
    registers: RegisterMap
    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def tally(self, register: Register) -> Tally:
        """Return the counts of a register's region."""
        return self.tallies.setdefault(register.region, Tally())

    def walk(self) -> None:
        """Refusals first: they leave everything as it is. After that all registers hold what they take."""
        for register in self.registers.registers:
            if register.name.endswith("_segments"):
                self._take([register], [_GRADIENTS])
        self.out_of_range()
        self.read_only()
        self.written()
        self.sealed()
        self.cursors()

    # -- taken ----------------------------------------------------------------------------------------

    def written(self) -> None:
        """Write every register, read it back, and put the old value back."""
        for row in self._rows():
            present = self._read(row)
            wanted = [
                _another(register, raw, k) for k, (register, raw) in enumerate(zip(row, present, strict=True))
            ]
            self._take(row, wanted)
            self._compare("written", row, self._shown(row, wanted))
            fits = all(_fits(register, raw) for register, raw in zip(row, present, strict=True))
            if fits and row[0].address not in _CLEARS | _ACTIONS:
                self._take(row, present)
                self._compare("put back", row, present)
            for register in row:
                self.tally(register).written += 1

    @staticmethod
    def _shown(row: Sequence[Register], wanted: Sequence[int]) -> Sequence[int]:
        """Return what a row reads after it was written."""
        if row[0].address in _ACTIONS:
            return [row[0].default]
        if row[0].address in _CLEARS:
            return [0]
        return wanted

    def _rows(self) -> Iterator[list[Register]]:
        """Yield what is written at once: lists of a data log in rows, all else register by register."""
        writable = [register for register in self.registers.registers if register.writable]
        for _, run in groupby(writable, lambda r: r.name.rpartition("_")[0] if _listed(r) else r.name):
            yield list(run)

    # -- refused --------------------------------------------------------------------------------------

    def out_of_range(self) -> None:
        """Write what lies just outside of each range: exception 03, and nothing has changed."""
        before = self._everything()
        for register in self.registers.registers:
            outside = _outside(register) if register.writable else []
            for raw in outside:
                self._refused(register, raw, ILLEGAL_VALUE, "out of range")
            if outside:
                self.tally(register).out_of_range += 1
        self._unchanged(before, "values out of range")

    def read_only(self) -> None:
        """Write what may only be read, and half of what is two words: exception 02, nothing has changed."""
        before = self._everything()
        for register in self.registers.registers:
            if not register.writable:
                self._refused(register, 0, ILLEGAL_ADDRESS, "read-only")
                self.tally(register).read_only += 1
            elif register.words == 2:
                for address in (register.address, register.address + 1):
                    self._expect(
                        self.master.refusal(address, [0]), ILLEGAL_ADDRESS, f"half of {_name(register)}"
                    )
        self._unchanged(before, "writes to what is read-only")

    def sealed(self) -> None:
        """Seal the meter, with and without the optional parameters, and write every register as it is."""
        for selection, sealed in ((0, SEALED_ALWAYS), (0x1F, SEALED_ALWAYS | SEALED_BY_BIT)):
            self.master.write(_SELECTION, [selection])
            self.master.write(_SEAL, [_SEALED])
            before = self._everything()
            for row in self._rows():
                present = self._read(row)
                register = row[0]
                if register.address in sealed:
                    self._refused(register, present[0], ILLEGAL_VALUE, f"sealed, selection {selection:02X}H")
                    self.tally(register).sealed += selection != 0
                elif register.address not in {_SEAL, *_CLEARS}:
                    self._take(row, present)
            if selection:
                self._expect(
                    self.master.refusal(0x1040, [2027]), ILLEGAL_VALUE, "a year's step of a sealed clock"
                )
            self._unchanged(before, "writes to a sealed meter")
            self.master.write(_SEAL, [0])
        self.master.write(_SELECTION, [0])

    # -- a session's own ------------------------------------------------------------------------------

    def cursors(self) -> None:
        """Move the cursors of the retrieval windows, which belong to this connection, and out of range."""
        for address, taken, refused in _CURSORS:
            present = self.master.read(address, len(taken))
            self._expect(self.master.refusal(address, taken), 0, f"{address:04X}H <- {taken}")
            for words in refused:
                self._expect(self.master.refusal(address, words), ILLEGAL_VALUE, f"{address:04X}H <- {words}")
            shown = self.master.read(address, len(taken))
            if shown != taken:
                self.problems.append(f"{address:04X}H written: reads {shown}, expected {taken}")
            self._expect(self.master.refusal(address, present), 0, f"{address:04X}H <- {present}")

    # -- how ------------------------------------------------------------------------------------------

    def _read(self, row: Sequence[Register]) -> list[int]:
        words = self.master.read(row[0].address, sum(register.words for register in row))
        raw = []
        for register in row:
            at = register.address - row[0].address
            value = words[at] if register.words == 1 else words[at] << 16 | words[at + 1]
            bits = 16 * register.words
            raw.append(value - (1 << bits) if register.signed and value >> bits - 1 else value)
        return raw

    def _everything(self) -> dict[int, int]:
        return {
            block.address + k: word
            for block in self.registers.blocks
            for k, word in enumerate(self.master.read(block.address, block.count))
        }

    def _take(self, row: Sequence[Register], raw: Sequence[int]) -> None:
        words = [word for register, value in zip(row, raw, strict=True) for word in _words(register, value)]
        code = self.master.refusal(row[0].address, words)
        self._expect(code, 0, f"{_name(row[0])} <- {raw[0]}")

    def _refused(self, register: Register, raw: int, code: int, why: str) -> None:
        answer = self.master.refusal(register.address, _words(register, raw))
        self._expect(answer, code, f"{_name(register)} <- {raw}, {why}")

    def _expect(self, answer: int, code: int, what: str) -> None:
        if answer != code:
            said = [f"exception {each:02d}" if each else "taken" for each in (answer, code)]
            self.problems.append(f"{what}: {said[0]}, expected {said[1]}")

    def _compare(self, what: str, row: Sequence[Register], expected: Sequence[int]) -> None:
        for register, shown, wanted in zip(row, self._read(row), expected, strict=True):
            if shown != wanted:
                self.problems.append(f"{_name(register)} {what}: reads {shown}, expected {wanted}")

    def _unchanged(self, before: dict[int, int], why: str) -> None:
        after = self._everything()
        changed = [f"{a:04X}H {before[a]} -> {after[a]}" for a in before if after[a] != before[a]]
        if changed:
            self.problems.append(f"changed by {why}: {', '.join(changed)}")


def _name(register: Register) -> str:
    return f"{register.address:04X}H {register.name}"


def _listed(register: Register) -> bool:
    return any(text in register.name for text in _LISTS)


def _words(register: Register, raw: int) -> list[int]:
    return [raw >> 16 & 0xFFFF, raw & 0xFFFF] if register.words == 2 else [raw & 0xFFFF]


def _another(register: Register, present: int, place: int) -> int:
    """Return an allowed value other than the present one, where there is one; in lists all differ."""
    if _listed(register):
        return 0x8000 + place
    if register.name.endswith("_registers_sectors"):
        return 117 << 8 | 100
    if (curve := _curve(register)) is not None:
        return curve[1]
    if register.address in _OWN_VALUES:
        return _OWN_VALUES[register.address]
    ends = [raw for interval in reversed(register.allowed) for raw in reversed(interval)]
    return next((raw for raw in ends if raw != present), present)


def _outside(register: Register) -> list[int]:
    """Return the values next to its range that its words can hold, and those that other settings rule out."""
    if register.name.endswith("_registers_sectors"):
        return [118 << 8, 101]
    if (curve := _curve(register)) is not None:
        return [curve[0] - 1, curve[1] + 1]
    least = -(1 << 16 * register.words - 1) if register.signed else 0
    beside = [raw for first, last in register.allowed for raw in (first - 1, last + 1)]
    held = [raw for raw in beside if least <= raw < least + (1 << 16 * register.words)]
    return [raw for raw in held if not register.allows(raw)] + _RULED_OUT.get(register.address, [])


def _fits(register: Register, raw: int) -> bool:
    """Return whether a register takes a value; curves do not take their defaults again."""
    low, high = _curve(register) or (raw, raw)
    return register.allows(raw) and low <= raw <= high


def _curve(register: Register) -> tuple[int, int] | None:
    """Return the range of a point of a curve; None for any other register."""
    return next((limits for part, limits in _CURVES.items() if part in register.name), None)
