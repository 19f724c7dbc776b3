"""Numbers as people read them: a few significant digits and a unit with the prefix that suits."""

import math

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))


def significant(value: float, digits: int = 5) -> float | None:
    """Return a number rounded to significant digits; None where it is not finite."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def decimals(value: float, places: int) -> float | None:
    """Return a number rounded to decimal places; None where it is not finite."""
    return round(value, places) if math.isfinite(value) else None


def engineering(value: float | None, unit: str, *, digits: int = 4) -> str:
    """Return a number with its unit and prefix: ``12.35 kW``; a dash where there is no value.

    Parameters
    ----------
    value : float or None
        In the unit without prefix.
    unit : str
        SI unit; percent and no unit take no prefix.
    digits : int
        Significant digits.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if unit in {"", "%", "Hz"}:
        return f"{value:.{digits}g} {unit}".rstrip()
    size = abs(value)
    factor, prefix = next(((f, p) for f, p in _PREFIXES if size >= f * 0.99995), (1.0, ""))
    scaled = value / factor
    whole = len(str(int(abs(scaled)))) if abs(scaled) >= 1 else 1
    return f"{scaled:.{max(0, digits - whole)}f} {prefix}{unit}"
