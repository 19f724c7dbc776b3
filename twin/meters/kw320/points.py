"""The register map as a tag list for SCADA systems."""

from twin.contracts import BEYOND_REGISTERS, Point
from twin.meters.codec import RESOLUTION, Scaling
from twin.meters.register_map import Register, RegisterMap

_TYPES = {"word": "uint16", "int": "int16", "float": "float32"}


def register_points(registers: RegisterMap, scaling: Scaling) -> tuple[Point, ...]:
    """Return one point per register, in order of address.

    Parameters
    ----------
    registers : RegisterMap
    scaling : Scaling
        Of the meter as it is set now: a point's scale leads to the primary value.
    """
    shown = (register for register in registers.registers if register.address < BEYOND_REGISTERS)
    return tuple(_point(register, scaling) for register in shown)


def _point(register: Register, scaling: Scaling) -> Point:
    signed_type = "int32" if register.signed else "uint32"
    return Point(
        name=register.name,
        address=register.address,
        words=register.words,
        type=signed_type if register.dtype == "dword" else _TYPES[register.dtype],
        word_order="high first" if register.words == 2 else "",
        scale=_scale(register, scaling),
        unit=register.unit,
        access=register.access,
    )


def _scale(register: Register, scaling: Scaling) -> float:
    """Return the primary value, in the register's unit, of a raw value of 1."""
    ratio = scaling.ratio(register.unit)
    if register.source.partition(".")[0] not in {"fast", "basic", "energy", "past_energy", "extreme"}:
        return RESOLUTION.get(register.code, 1.0)
    if register.dtype == "float":
        percent = 100.0 if register.unit == "%" else 1.0
        return percent if scaling.float_primary else percent * ratio
    if "/" in register.code:
        primary, secondary = register.code.split("/")
        return RESOLUTION[secondary] * ratio if scaling.energy_secondary else RESOLUTION[primary]
    return RESOLUTION[register.code] * ratio
