"""How the power of loads depends on their voltage: shares of constant impedance, current and power."""

import math
from dataclasses import dataclass

from twin.contracts import TwinError


class ZipError(TwinError, ValueError):
    """Shares that do not add up to the whole."""


@dataclass(frozen=True, slots=True)
class Zip:
    """Shares of one power, active or reactive; single shares may be negative where they were fitted.

    Raises
    ------
    ZipError
        The shares do not sum to 1.
    """

    z: float
    """Constant impedance: with the square of voltage."""
    i: float
    """Constant current: with voltage."""
    p: float
    """Constant power."""

    def __post_init__(self) -> None:
        """Refuse shares that do not make a whole."""
        total = self.z + self.i + self.p
        if not abs(total - 1.0) <= 1e-9:  # NaN too
            raise ZipError(f"shares sum to {total:g}; mend them to sum to 1")

    def power(self, u_pu: float) -> float:
        """Return the power at a voltage, both of the rated one.

        It is the polynomial, also outside the range in which shares were measured (as a rule 0.8 to 1.1).
        """
        return (self.z * u_pu + self.i) * u_pu + self.p

    def sensitivity(self, u_pu: float = 1.0) -> float:
        """Return d(power)/d(voltage), relative to both: the exponent of the same slope at ``u_pu``."""
        return (2.0 * self.z * u_pu + self.i) * u_pu / self.power(u_pu)


IMPEDANCE = Zip(1.0, 0.0, 0.0)
CURRENT = Zip(0.0, 1.0, 0.0)
POWER = Zip(0.0, 0.0, 1.0)


def zip_of_exponent(exponent: float) -> Zip:
    """Return the shares whose value, slope and curvature at rated voltage are those of ``u ** exponent``."""
    z = exponent * (exponent - 1.0) / 2.0
    i = exponent - 2.0 * z
    return Zip(z, i, 1.0 - z - i)


@dataclass(frozen=True, slots=True)
class ZipClass:
    """Voltage dependence of a class of loads."""

    active: Zip
    reactive: Zip
    source: str
    """Where the shares come from; says so when they are an estimate."""

    def power(self, p: float, q: float, u_pu: float) -> tuple[float, float]:
        """Return active [W] and reactive [var] power at a voltage, from those at rated voltage."""
        return p * self.active.power(u_pu), q * self.reactive.power(u_pu)


_BOKHARI = (
    "A. Bokhari et al., Experimental Determination of the ZIP Coefficients for Modern Residential, "
    "Commercial, and Industrial Loads, IEEE Transactions on Power Delivery 29 (2014) 1372-1381"
)
_EXPONENT = (
    "tangent of the exponents {p} and {q}: P. Kundur, Power System Stability and Control, 1994, section 7.1, "
    "typical component characteristics; quoted from memory"
)


def _tangent(p: float, q: float) -> ZipClass:
    return ZipClass(zip_of_exponent(p), zip_of_exponent(q), _EXPONENT.format(p=p, q=q))


ZIP_CLASSES: dict[str, ZipClass] = {
    "resistive": ZipClass(IMPEDANCE, IMPEDANCE, "Ohm's law: heaters, cookers, irons"),
    "regulated": ZipClass(POWER, POWER, "a regulated supply draws what its output asks for"),
    "incandescent": _tangent(1.54, 2.0),
    "refrigerator": _tangent(0.77, 2.5),
    "air_conditioner": _tangent(0.5, 2.5),
    "fan": _tangent(0.08, 1.6),
    "residential": ZipClass(
        Zip(1.50, -2.31, 1.81),
        Zip(7.41, -11.97, 5.56),
        _BOKHARI + ", classes of customers: first residential",
    ),
    "industrial": ZipClass(
        Zip(1.21, -1.61, 1.40), Zip(4.35, -7.08, 3.73), _BOKHARI + ", classes of customers: industrial"
    ),
    "planning": ZipClass(
        CURRENT, IMPEDANCE, "rule of planning: active power with voltage, reactive with its square; estimate"
    ),
}
"""Shares by class. Printed shares that sum to 0.99 or 1.01 by rounding are closed in the last one."""


def mixed(parts: dict[str, float]) -> ZipClass:
    """Return the class of a mixture.

    Parameters
    ----------
    parts : dict of str to float
        Share of each of `ZIP_CLASSES`; they sum to 1.

    Raises
    ------
    ZipError
        The shares do not sum to 1, or a class is unknown.
    """
    unknown = sorted(set(parts) - set(ZIP_CLASSES))
    if unknown:
        raise ZipError(f"there is no class '{unknown[0]}'; choose from {', '.join(sorted(ZIP_CLASSES))}")
    total = math.fsum(parts.values())
    if not abs(total - 1.0) <= 1e-9:
        raise ZipError(f"the parts of the mixture sum to {total:g}; mend them to sum to 1")

    def blend(which: str) -> Zip:
        terms = [(share, getattr(ZIP_CLASSES[name], which)) for name, share in parts.items()]
        z = math.fsum(share * one.z for share, one in terms)
        i = math.fsum(share * one.i for share, one in terms)
        return Zip(z, i, 1.0 - z - i)

    return ZipClass(blend("active"), blend("reactive"), "mixture of " + ", ".join(sorted(parts)))
