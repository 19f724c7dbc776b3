"""The fields of a network file: one table that the reader, the writer and the JSON schema share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a field may hold."""

    NAME = "name"
    """Text or a whole number, which is read as text."""
    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "true or false"
    NUMBERS = "list of numbers"
    WHOLES = "list of whole numbers"
    POWER = "number, or a list of three for phases abc"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one kind of component."""

    key: str
    """As written in the file; it carries the unit."""
    attribute: str
    """Name in the dataclass."""
    kind: Kind
    meaning: str
    required: bool = True
    default: Any = None
    factor: float = 1.0
    """SI value = file value x factor."""


def _optional(key: str, attribute: str, kind: Kind, meaning: str, default: Any, factor: float = 1.0) -> Field:
    return Field(key, attribute, kind, meaning, required=False, default=default, factor=factor)


_R1 = "positive-sequence resistance"
_X1 = "positive-sequence reactance at rated frequency"
_R0 = "zero-sequence resistance"
_X0 = "zero-sequence reactance at rated frequency"
_C1 = "positive-sequence capacitance"
_C0 = "zero-sequence capacitance"
_NAME = Field("name", "name", Kind.NAME, "its name")
_PER_KM = 1e-3

SECTIONS: dict[str, tuple[Field, ...]] = {
    "buses": (
        _NAME,
        Field("u_rated_v", "u_rated", Kind.NUMBER, "rated voltage, line to line"),
        _optional("x", "x", Kind.NUMBER, "position to the east, any unit", None),
        _optional("y", "y", Kind.NUMBER, "position to the north, same unit", None),
    ),
    "sources": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it feeds"),
        _optional("u_pu", "u_pu", Kind.NUMBER, "voltage behind the impedance, of the rated one", 1.0),
        _optional("angle_deg", "angle_deg", Kind.NUMBER, "angle of phase a", 0.0),
        _optional("ideal", "ideal", Kind.FLAG, "true: no impedance, the bus is held", False),
        _optional("r1_ohm", "r1", Kind.NUMBER, _R1, 0.0),
        _optional("x1_ohm", "x1", Kind.NUMBER, _X1, 0.0),
        _optional("r0_ohm", "r0", Kind.NUMBER, _R0, 0.0),
        _optional("x0_ohm", "x0", Kind.NUMBER, _X0, 0.0),
    ),
    "line_types": (
        _NAME,
        Field("r1_ohm_per_km", "r1", Kind.NUMBER, _R1, factor=_PER_KM),
        Field("x1_ohm_per_km", "x1", Kind.NUMBER, _X1, factor=_PER_KM),
        Field("r0_ohm_per_km", "r0", Kind.NUMBER, _R0, factor=_PER_KM),
        Field("x0_ohm_per_km", "x0", Kind.NUMBER, _X0, factor=_PER_KM),
        _optional("c1_f_per_km", "c1", Kind.NUMBER, _C1, 0.0, _PER_KM),
        _optional("c0_f_per_km", "c0", Kind.NUMBER, _C0, 0.0, _PER_KM),
    ),
    "lines": (
        _NAME,
        Field("from", "from_bus", Kind.NAME, "bus at one end"),
        Field("to", "to_bus", Kind.NAME, "bus at the other end"),
        _optional("type", "type", Kind.NAME, "one of line_types; then length_m is needed", ""),
        _optional("length_m", "length", Kind.NUMBER, "length, with a type", None),
        _optional("r1_ohm", "r1", Kind.NUMBER, f"{_R1}, total, without a type", None),
        _optional("x1_ohm", "x1", Kind.NUMBER, f"{_X1}, total", None),
        _optional("r0_ohm", "r0", Kind.NUMBER, f"{_R0}, total", None),
        _optional("x0_ohm", "x0", Kind.NUMBER, f"{_X0}, total", None),
        _optional("c1_f", "c1", Kind.NUMBER, f"{_C1}, total", 0.0),
        _optional("c0_f", "c0", Kind.NUMBER, f"{_C0}, total", 0.0),
    ),
    "transformers": (
        _NAME,
        Field("hv", "hv_bus", Kind.NAME, "bus of the high-voltage side, end 'from' of the branch"),
        Field("lv", "lv_bus", Kind.NAME, "bus of the low-voltage side, end 'to' of the branch"),
        Field("s_rated_va", "s_rated", Kind.NUMBER, "rating of the three phases together"),
        Field("u_hv_v", "u_hv", Kind.NUMBER, "rated voltage at the tap in use, line to line"),
        Field("u_lv_v", "u_lv", Kind.NUMBER, "rated voltage of the low-voltage side, line to line"),
        Field("vk_percent", "vk_percent", Kind.NUMBER, "short-circuit voltage"),
        Field("vkr_percent", "vkr_percent", Kind.NUMBER, "its resistive part"),
        Field("vector_group", "vector_group", Kind.TEXT, "Dyn1, Dyn5, Dyn7, Dyn11 or YNyn0"),
        _optional("p_iron_w", "p_iron", Kind.NUMBER, "no-load losses", 0.0),
        _optional("i0_percent", "i0_percent", Kind.NUMBER, "no-load current, of the rated one", 0.0),
    ),
    "switches": (
        _NAME,
        Field("branch", "branch", Kind.NAME, "line or transformer that it takes out of service"),
        _optional("closed", "closed", Kind.FLAG, "state at the start", True),
    ),
    "capacitors": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it is connected to, star point earthed"),
        Field("q_rated_var", "q_rated", Kind.NUMBER, "three-phase reactive power at the bus's u_rated_v"),
        _optional("closed", "closed", Kind.FLAG, "state of its switch at the start", True),
    ),
    "loads": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it is connected to"),
        Field("phases", "phases", Kind.TEXT, "a, b or c (to earth), or abc"),
        Field("p_w", "p", Kind.POWER, "rated active power by phase; negative: generation"),
        Field("q_var", "q", Kind.POWER, "rated reactive power by phase; negative: capacitive"),
        _optional("spectrum", "spectrum", Kind.NAME, "one of spectra; none: linear", ""),
    ),
    "spectra": (
        _NAME,
        Field("orders", "orders", Kind.WHOLES, "harmonic orders above 1"),
        Field("percent", "percent", Kind.NUMBERS, "current at each order, of the fundamental current"),
        Field("angle_deg", "angle_deg", Kind.NUMBERS, "beyond order x angle of the fundamental current"),
    ),
}
"""Fields of every section of a network file."""

HEADER = ("network", "description", "origin", "assumptions", "frequency_hz")
"""Keys of a network file beside its sections."""
