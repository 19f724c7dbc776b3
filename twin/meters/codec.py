"""One codec between quantities and register words, for every table of registers.

A *quantity* is a float in SI: V, A, W, var, VA, Hz, Wh, varh, VAh, s; degrees for angles; a fraction for
percentages; a plain number otherwise. Measured quantities are those of the meter's own inputs, that is
secondary; energies are primary. Raw values follow the format codes of the KW320 manual 6.3::

    F1 F3    raw                   F10  f = raw/100 Hz             F17       raw/1000 x 100 %
    F2       T = raw/100 h         F11  U = raw x PT/10 V          F18..F21  raw/10000 x 100 %
    F4..F6   E = raw/10 kWh        F12  I = raw x CT/1000 A        F22       raw/1000
    F7..F9   E = raw/1000 kWh      F13..F15  P = raw x PT x CT W   F23       raw/10
             of the secondary      F16  PF = raw/1000              F24       as F18;  F25  raw/10 deg

PT stands for PT1/PT2, CT for CT1/CT2. A float holds the number itself, of the secondary unless the
meter is set to show primary values.

Rules: a whole number is rounded to the nearest, halves to even, and clamped to its data type; an energy
counts completed units only and rolls over after 999,999,999; a quantity that does not exist (NaN) reads 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError
from twin.meters.register_map import Register

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Words = NDArray[np.uint16]

RESOLUTION: dict[str, float] = {
    "F1": 1.0, "F2": 0.01, "F3": 1.0,
    "F4": 0.1, "F5": 0.1, "F6": 0.1, "F7": 0.001, "F8": 0.001, "F9": 0.001,
    "F10": 0.01, "F11": 0.1, "F12": 0.001, "F13": 1.0, "F14": 1.0, "F15": 1.0,
    "F16": 0.001, "F17": 0.1, "F18": 0.01, "F19": 0.01, "F20": 0.01, "F21": 0.01,
    "F22": 0.001, "F23": 0.1, "F24": 0.01, "F25": 0.1,
}  # fmt: skip
"""Unit of the register table per count, by format code."""

SI_PER_UNIT: dict[str, float] = {
    "V": 1.0, "A": 1.0, "W": 1.0, "var": 1.0, "VA": 1.0, "Hz": 1.0, "deg": 1.0, "": 1.0,
    "%": 0.01, "kWh": 1e3, "kvarh": 1e3, "kVAh": 1e3,
    "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0,
}  # fmt: skip
"""SI value of one unit of the register table."""

ENERGY_ROLLOVER = 1_000_000_000
"""An energy register runs to 999,999,999 (KW320 manual 6.3.7)."""
_LARGEST = float(np.finfo(np.float32).max)
_COUNT_TOLERANCE = 1e-6
"""An energy this close below a whole count has reached it: binary rounding of the ratio [counts]."""


class CodecError(TwinError, ValueError):
    """A register whose format the codec does not know."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What of a meter's settings changes the meaning of its registers."""

    pt_ratio: float = 1.0
    """PT1/PT2."""
    ct_ratio: float = 1.0
    """CT1/CT2, with 1 for every CT2 but 5."""
    float_primary: bool = False
    """Floats show primary values (KW320 register 101DH)."""
    energy_secondary: bool = False
    """Energies show the secondary (KW320 register 1019H)."""

    def ratio(self, unit: str) -> float:
        """Return primary per secondary of a quantity in this unit."""
        if unit == "V":
            return self.pt_ratio
        if unit == "A":
            return self.ct_ratio
        if unit in {"W", "var", "VA", "kWh", "kvarh", "kVAh"}:
            return self.pt_ratio * self.ct_ratio
        return 1.0


def counts_per_si(register: Register, scaling: Scaling) -> float:
    """Return the raw value per SI unit of a register's quantity.

    Parameters
    ----------
    register : Register
        Its code may be a pair ``F4/F7``: primary and secondary energy.
    scaling : Scaling
        Of the meter.

    Returns
    -------
    float
        Counts, or units of the float, per secondary SI unit; per primary SI unit for an energy.

    Raises
    ------
    CodecError
        The table names a code or a unit that there is not.

    References
    ----------
    KW320 manual 6.3, relationship between communication value and numerical value.
    """
    try:
        si = SI_PER_UNIT[register.unit]
        if register.dtype == "float":
            shown = scaling.ratio(register.unit) if scaling.float_primary else 1.0
            return shown if register.unit == "%" else shown / si
        if "/" in register.code:
            primary, secondary = register.code.split("/")
            if scaling.energy_secondary:
                return 1.0 / (RESOLUTION[secondary] * si * scaling.ratio(register.unit))
            return 1.0 / (RESOLUTION[primary] * si)
        if register.code in {"F1", "F3"}:
            return 1.0
        return 1.0 / (RESOLUTION[register.code] * si)
    except KeyError as error:
        raise CodecError(f"{register.name}: no format {error.args[0]!r} is known") from None


class BlockCodec:
    """Turns the quantities of some registers into words and back, all at once.

    Parameters
    ----------
    registers : Sequence of Register
        In the order in which values are given.
    positions : Sequence of int, optional
        Where each register's first word stands in the words; one after the other by default.
    """

    def __init__(self, registers: Sequence[Register], positions: Sequence[int] | None = None) -> None:
        self.registers = tuple(registers)
        sizes = [register.words for register in self.registers]
        if positions is None:
            positions = [sum(sizes[:k]) for k in range(len(sizes))]
        at = np.array(positions, dtype=np.intp)
        self.size = int(at[-1]) + sizes[-1] if sizes else 0
        kind = [self._kind(register) for register in self.registers]
        self._float = _where(kind, "float")
        self._whole = _where(kind, "whole")
        self._energy = _where(kind, "energy")
        wide = np.array([size == 2 for size in sizes], dtype=bool)
        self._single = np.flatnonzero(~wide)
        self._pair = np.flatnonzero(wide)
        self._single_at = at[self._single]
        self._pair_at = np.stack([at[self._pair], at[self._pair] + 1], axis=-1)
        bounds = [_bounds(register) for register in self.registers]
        self._low = np.array([low for low, _ in bounds], dtype=np.float64)[self._whole]
        self._high = np.array([high for _, high in bounds], dtype=np.float64)[self._whole]
        signed = np.array([register.signed for register in self.registers], dtype=bool)
        self._signed_single = np.flatnonzero(signed & ~wide)
        self._signed_pair = np.flatnonzero(signed & wide)
        self._factor_of: dict[Scaling, Float] = {}
        names = {"whole": 0, "float": 1, "energy": 2}
        limits = np.array(bounds, dtype=np.float64).reshape(-1, 2)
        self._table = (
            np.array([names[each] for each in kind], dtype=np.int64),
            at.astype(np.int64),
            np.array(sizes, dtype=np.int64),
            np.ascontiguousarray(limits[:, 0]),
            np.ascontiguousarray(limits[:, 1]),
        )

    @staticmethod
    def _kind(register: Register) -> str:
        if register.dtype == "float":
            return "float"
        return "energy" if "/" in register.code else "whole"

    def factor(self, scaling: Scaling) -> Float:
        """Return counts, or units of the float, per SI unit of each register; not to be changed."""
        factor = self._factor_of.get(scaling)
        if factor is None:
            factor = np.array([counts_per_si(register, scaling) for register in self.registers])
            self._factor_of[scaling] = factor
        return factor

    def raw(self, values: Float, scaling: Scaling) -> NDArray[np.int64]:
        """Return raw values: whole numbers, and the bit patterns of floats.

        Parameters
        ----------
        values : f64[registers]
            Quantities; NaN where there is none.
        scaling : Scaling
            Of the meter.

        Returns
        -------
        int64[registers]
        """
        counts = values * self.factor(scaling)
        counts[np.isnan(counts)] = 0.0
        np.clip(counts, -_LARGEST, _LARGEST, out=counts)
        raw = np.empty(counts.shape, dtype=np.int64)
        if self._float.size:
            raw[self._float] = counts[self._float].astype(np.float32).view(np.uint32)
        if self._energy.size:
            raw[self._energy] = _completed(counts[self._energy])
        raw[self._whole] = np.clip(np.rint(counts[self._whole]), self._low, self._high)
        return raw

    def encode(self, values: Float, scaling: Scaling, *, out: Words | None = None) -> Words:
        """Return the words of these quantities; ``out`` receives them where it is given.

        Parameters
        ----------
        values : f64[registers]
            Quantities; NaN where there is none.
        scaling : Scaling
            Of the meter.
        out : uint16[words], optional
            Where to write; other words of it are left as they are.

        Returns
        -------
        uint16[words]
        """
        words = np.zeros(self.size, dtype=np.uint16) if out is None else out
        raw = self.raw(values, scaling)
        words[self._single_at] = (raw[self._single] & 0xFFFF).astype(np.uint16)
        pairs = (raw[self._pair] & 0xFFFFFFFF).astype(">u4")
        words[self._pair_at] = pairs.view(">u2").reshape(-1, 2)
        return words

    def encode_rows(
        self, values: Float, factor: Float, rows: Int, out: Words, *, place: Int, column: Int
    ) -> None:
        """Encode the quantities of some meters, as ``encode`` does for one.

        Parameters
        ----------
        values : f64[places, columns]
            Quantities; NaN where there is none.
        factor : f64[meters, registers]
            ``factor`` of each meter's scaling.
        rows : int64[:]
            Meters to encode.
        out : uint16[meters, words]
            Where to write; other words are left as they are.
        place : int64[meters]
            Row of ``values`` that is each meter's.
        column : int64[registers]
            Column of ``values`` that is each register's.
        """
        from twin.meters.codec_kernels import encode_rows  # noqa: PLC0415

        limits = _COUNT_TOLERANCE, float(ENERGY_ROLLOVER)
        encode_rows(values, factor, rows, place, column, *self._table, *limits, out)

    def decode(self, words: Words, scaling: Scaling) -> Float:
        """Return the quantities that words stand for.

        Parameters
        ----------
        words : uint16[words]
        scaling : Scaling
            Of the meter.

        Returns
        -------
        f64[registers]
            In the same units as ``encode`` takes them.
        """
        return self.decode_rows(words, self.factor(scaling))

    def decode_rows(self, words: Words, factor: Float) -> Float:
        """Return the quantities that the words of many meters stand for.

        Parameters
        ----------
        words : uint16[..., words]
        factor : f64[..., registers]
            ``factor`` of each meter's scaling.

        Returns
        -------
        f64[..., registers]
        """
        counts = np.empty((*words.shape[:-1], len(self.registers)), dtype=np.float64)
        counts[..., self._single] = words[..., self._single_at]
        pairs = words[..., self._pair_at].astype(np.int64)
        counts[..., self._pair] = pairs[..., 0] << 16 | pairs[..., 1]
        counts[..., self._signed_single] -= 65536.0 * (counts[..., self._signed_single] > 0x7FFF)
        counts[..., self._signed_pair] -= 4294967296.0 * (counts[..., self._signed_pair] > 0x7FFFFFFF)
        if self._float.size:
            bits = counts[..., self._float].astype(np.uint32)
            counts[..., self._float] = bits.view(np.float32)
        return counts / factor


def _where(kinds: list[str], kind: str) -> NDArray[np.intp]:
    return np.flatnonzero(np.array(kinds, dtype="U8") == kind)


def _bounds(register: Register) -> tuple[int, int]:
    """Return the least and the greatest raw value that the data type holds."""
    bits = 16 * register.words
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if register.signed else (0, (1 << bits) - 1)


def _completed(counts: Float) -> Float:
    """Return the whole counts of energies, rolled over, towards zero."""
    size = np.floor(np.abs(counts) + _COUNT_TOLERANCE)
    return np.copysign(np.fmod(size, ENERGY_ROLLOVER), counts)
