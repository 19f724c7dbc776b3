"""Quantities as people write them: ``3.2 kW``, ``240 ms``, ``0.05 ohm``. Held in SI.

A bare number where a unit belongs is refused: the difference between 5 W and 5 kW is an outage.
"""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_PREFIX = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
_TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-zµΩ%]*)\s*\Z")
_RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*\Z")
_ALIASES = {"Ω": "ohm", "Ohm": "ohm", "VAr": "var", "VAR": "var"}


def _units(base: str) -> dict[str, float]:
    """Return the accepted spellings of a unit and their factors to SI."""
    if base == "s":
        return _TIME
    if base in {"%", "deg"}:
        return {base: 1.0}
    if base == "Wh":
        return {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6, "GWh": 1e9}
    return {prefix + base: factor for prefix, factor in _PREFIX.items()}


def parse_quantity(value: object, base: str) -> float:
    """Return a quantity in its SI unit.

    Parameters
    ----------
    value : object
        Text with a number and a unit; 0 needs no unit.
    base : str
        SI unit: ``V``, ``A``, ``W``, ``var``, ``VA``, ``Wh``, ``s``, ``Hz``, ``ohm``, ``F``, ``m``,
        ``deg`` or ``%``.

    Raises
    ------
    ValueError
        No number, no unit, or a unit of another kind.
    """
    units = _units(base)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        raise ValueError(f"{value:g} has no unit; write it as '{value:g} {base}'")
    match = _TEXT.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a quantity; write it as '5 {base}'")
    number, unit = match.groups()
    unit = next((unit.replace(a, b) for a, b in _ALIASES.items() if unit.endswith(a)), unit)
    if unit not in units:
        kind = f"unit '{unit}' does not fit here" if unit else f"{number} has no unit"
        raise ValueError(f"{kind}; write it in {base}, for example '5 {base}'")
    result = float(number) * units[unit]
    if not math.isfinite(result):
        raise ValueError(f"{value} is too large; give a number that can be")
    return result


def parse_ratio(text: str) -> tuple[float, float]:
    """Return the two parts of a transformer's ratio, primary and secondary.

    Raises
    ------
    ValueError
        The text is no ratio of two positive numbers.
    """
    match = _RATIO.match(text)
    if match is None or not float(match[1]) or not float(match[2]):
        raise ValueError(f"'{text}' is no ratio; write primary:secondary, as in 200:5")
    return float(match[1]), float(match[2])


def _quantity(base: str, example: str) -> tuple[BeforeValidator, WithJsonSchema]:
    written = [(b, a) for a, b in _ALIASES.items()]
    others = {unit.replace(b, a) for unit in _units(base) for b, a in written if unit.endswith(b)}
    units = sorted(others.union(_units(base)))
    number = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?"
    pattern = rf"^\s*{number}\s*({'|'.join(map(re.escape, units))})\s*$"
    schema = {
        "anyOf": [{"type": "string", "pattern": pattern}, {"const": 0}],
        "description": f"quantity in {base}",
        "examples": [example],
    }
    return BeforeValidator(lambda value: parse_quantity(value, base)), WithJsonSchema(schema)


Volt = Annotated[float, *_quantity("V", "230 V")]
Ampere = Annotated[float, *_quantity("A", "200 A")]
Watt = Annotated[float, *_quantity("W", "3.2 kW")]
Var = Annotated[float, *_quantity("var", "25 kvar")]
VoltAmpere = Annotated[float, *_quantity("VA", "800 kVA")]
WattHour = Annotated[float, *_quantity("Wh", "3400 kWh")]
Second = Annotated[float, *_quantity("s", "240 ms")]
Hertz = Annotated[float, *_quantity("Hz", "50 Hz")]
Ohm = Annotated[float, *_quantity("ohm", "50 mohm")]
Farad = Annotated[float, *_quantity("F", "10 uF")]
Percent = Annotated[float, *_quantity("%", "90 %")]
Degree = Annotated[float, *_quantity("deg", "35 deg")]
Metre = Annotated[float, *_quantity("m", "1.2 km")]
