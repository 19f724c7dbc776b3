"""Current transformers that saturate: the core's flux follows from the voltage over burden and winding.

    d psi/dt = R (i_p - i_e(psi)) - (psi - psi_r) / T,        i_s = i_p - i_e(psi)

``R`` is winding and burden resistance, ``i_p`` the primary current over the ratio. The exciting current of
the core is a power of the flux, as exciting curves are straight lines on logarithmic paper above the knee,
and so high a power (22) that nothing of it is left below: ``i_e = I (psi / psi_al)^22``. Its size follows
from the rated class: at the accuracy limit current and rated burden the RMS of ``i_e`` is the composite
error of the class. ``T`` lets an offset of the flux decay to the remanence ``psi_r``; the small current that
does so is part of the ratio and phase error of the transformer, which is not modelled here, and is not taken
from the secondary current.

References
----------
IEC 61869-2, accuracy limit factor, secondary limiting e.m.f., composite error of the P classes; IEEE PSRC
working group, "CT saturation theory and calculator" (exponent 22); IEEE C37.110 (time to saturation).
"""

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment, TwinError

Float = NDArray[np.float64]

EXPONENT: Final = 22.0
LINEAR: Final = 0.8
"""Share of the limit flux below which the core takes no current worth of note: 0.8^22 = 0.7 %."""
_CLASS = re.compile(r"(\d+(?:\.\d+)?)P(\d+(?:\.\d+)?)\Z")
# RMS of sin^22 over a cycle: the square root of the mean of sin^44, a ratio of binomials.
_RMS_OF_POWER: Final = math.sqrt(math.comb(44, 22) / 2**44)


class TransformerError(TwinError, ValueError):
    """A current transformer that cannot be built as it is described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTransformer:
    """A protection current transformer before a meter."""

    accuracy_class: str = "5P20"
    """Composite error [%], P, accuracy limit factor."""
    rated_burden: float = 10.0
    """[VA] at rated secondary current."""
    burden: float | None = None
    """What is connected, leads included [VA] at rated secondary current; rated when absent."""
    winding_resistance: float = 0.2
    """Of the secondary winding [ohm]."""
    time_constant: float = 1.0
    """With which an offset of the flux decays [s]."""
    remanence: float = 0.0
    """Flux at rest, a share of the limit flux, -0.9 .. 0.9."""

    def __post_init__(self) -> None:
        if _CLASS.match(self.accuracy_class) is None:
            raise TransformerError(f"'{self.accuracy_class}' is no class; write it as in 5P20 or 10P10")
        for name, value, low, high in (
            ("rated_burden", self.rated_burden, 0.1, 1000.0),
            ("burden", self.rated_burden if self.burden is None else self.burden, 0.0, 1000.0),
            ("winding_resistance", self.winding_resistance, 1e-3, 100.0),
            ("time_constant", self.time_constant, 0.01, 1e9),
            ("remanence", self.remanence, -0.9, 0.9),
        ):
            if not low <= value <= high:
                raise TransformerError(f"{name} {value:g} is out of range; use {low:g}..{high:g}")

    @property
    def composite_error(self) -> float:
        """At the accuracy limit, a fraction."""
        return self._parts[0] / 100.0

    @property
    def limit_factor(self) -> float:
        """Accuracy limit current over the rated one."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[float, float]:
        match = _CLASS.match(self.accuracy_class)
        assert match is not None
        return float(match[1]), float(match[2])

    def core(self, *, rated_current: float, frequency: float) -> Float:
        """Return the core's numbers as `twin.meters.saturation_kernels.saturate` takes them, shape (6,).

        Parameters
        ----------
        rated_current : float
            Rated secondary current [A].
        frequency : float
            Rated frequency [Hz].
        """
        burden = self.rated_burden if self.burden is None else self.burden
        rated, actual = (
            self.winding_resistance + power / rated_current**2 for power in (self.rated_burden, burden)
        )
        limit_current = self.limit_factor * rated_current
        limit_flux = math.sqrt(2.0) * limit_current * rated / (2.0 * math.pi * frequency)
        peak = self.composite_error * limit_current / _RMS_OF_POWER
        rest = self.remanence * limit_flux
        return np.array([actual, limit_flux, peak, EXPONENT, self.time_constant, rest])


def flux_terms(segment: Segment, rows: NDArray[np.intp], core: Float) -> NDArray[np.complex128]:
    """Return the flux that each term of a segment makes in an unsaturated core, shape (rows, terms) [Wb]."""
    s = segment.rate + 2j * math.pi * segment.order * segment.frequency
    turned = segment.amplitude[rows] * np.exp(1j * segment.order * segment.theta)
    terms: NDArray[np.complex128] = core[:, :1] * turned / (s + 1.0 / core[:, 4:5])
    return terms


def flux_bound(segment: Segment, rows: NDArray[np.intp], core: Float, flux: Float) -> Float:
    """Return what the flux of unsaturated cores cannot exceed within a segment, shape (rows,) [Wb].

    Parameters
    ----------
    segment : Segment
        Secondary; no term grows.
    rows : ndarray, shape (rows,)
        Channels with a core.
    core : ndarray, shape (rows, 6)
    flux : ndarray, shape (rows,)
        At the start of the segment.
    """
    terms = flux_terms(segment, rows, core)
    offset = flux - core[:, 5] - terms.sum(axis=1).real
    bound: Float = np.abs(core[:, 5]) + np.abs(offset) + np.abs(terms).sum(axis=1)
    return bound


def flux_after(
    segment: Segment, rows: NDArray[np.intp], core: Float, flux: Float, duration_s: float
) -> Float:
    """Return the flux of unsaturated cores after a part of a segment, shape (rows,) [Wb]."""
    terms = flux_terms(segment, rows, core)
    offset = flux - core[:, 5] - terms.sum(axis=1).real
    s = segment.rate + 2j * math.pi * segment.order * segment.frequency
    steady = (terms * np.exp(s * duration_s)).sum(axis=1).real
    later: Float = core[:, 5] + offset * np.exp(-duration_s / core[:, 4]) + steady
    return later
