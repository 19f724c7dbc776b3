"""The magnetising side of transformers: saturation, remanence, and the connection that is energised."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Finding
from twin.grid.transformers import Transformer, parse_vector_group, windings

if TYPE_CHECKING:
    from twin.grid.network import Network
    from twin.grid.table import Places
    from twin.grid.transients.inrush import Core

Float = NDArray[np.float64]

_CONNECTION = {"D": "delta", "d": "delta", "YN": "star_earthed", "yn": "star_earthed"}
DELTA_LEGS = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])
"""Phases between which each winding of a delta lies."""


def saturates(unit: Transformer) -> bool:
    """Whether a transformer has a core that saturates."""
    return unit.knee_percent is not None


def core_of(unit: Transformer, side: str, frequency: float) -> "Core":
    """Return the characteristic of one winding's core, seen from a side at its present tap.

    Parameters
    ----------
    unit : Transformer
        With ``knee_percent``, ``air_core_percent`` and ``i0_percent``.
    side : str
        ``hv`` or ``lv``.
    frequency : float
        Rated one [Hz].
    """
    from twin.grid.transients.inrush import Core  # noqa: PLC0415

    assert unit.knee_percent is not None
    assert unit.air_core_percent is not None
    base, omega = winding_base(unit, side), 2.0 * math.pi * frequency
    drawn = _reactive_share(unit)
    return Core(
        magnetising=base / drawn / omega,
        air_core=unit.air_core_percent / 100.0 * base / omega,
        knee=unit.knee_percent / 100.0 * rated_flux(unit, side, frequency),
    )


def rated_flux(unit: Transformer, side: str, frequency: float) -> float:
    """Return the peak flux linkage of a side's winding at the voltage of its tap [V s]."""
    return math.sqrt(2.0) * _winding_voltage(unit, side) / (2.0 * math.pi * frequency)


def remanence(unit: Transformer, side: str, frequency: float) -> Float:
    """Return the remaining flux linkage of each of a side's windings [V s].

    The given ones belong to the legs in the order of the high-voltage windings; the low-voltage ones sit on
    the legs as the vector group says.
    """
    given = unit.remanence_percent
    if unit.single_phase:
        legs = np.array(given or (0.0,))
    elif len(given) == 1:
        legs = np.array([given[0], 0.0, -given[0]])
    else:
        legs = np.array(given or (0.0, 0.0, 0.0))
    flux = legs / 100.0 * rated_flux(unit, side, frequency)
    if side == "hv" or unit.single_phase:
        return np.asarray(flux)
    incidence = windings(unit).incidence[:, :3]
    high, _, _ = parse_vector_group(unit.vector_group)
    choice = incidence if high.startswith("Y") else incidence @ np.linalg.pinv(DELTA_LEGS)
    leg = np.abs(choice).argmax(axis=1)
    return np.asarray(np.sign(choice[np.arange(3), leg]) * flux[leg])


def winding_connection(unit: Transformer, side: str) -> str:
    """Return ``star_earthed``, ``star_isolated``, ``delta``, ``zigzag`` or ``single``."""
    high, low, _ = parse_vector_group(unit.vector_group)
    letters = high if side == "hv" else low
    if unit.single_phase:
        return "single"
    if letters.startswith("z"):
        return "zigzag"
    return _CONNECTION.get(letters, "star_isolated")


def winding_resistance(unit: Transformer, side: str) -> float:
    """Return the resistance of a side's windings, per line: half of the short circuit's [ohm]."""
    u = unit.voltage_at_tap(side)
    return unit.vkr_percent / 200.0 * u**2 / unit.s_rated


def winding_base(unit: Transformer, side: str) -> float:
    """Return the impedance base of one winding [ohm]."""
    return _winding_voltage(unit, side) ** 2 / (unit.s_rated / (1.0 if unit.single_phase else 3.0))


def _winding_voltage(unit: Transformer, side: str) -> float:
    u = unit.voltage_at_tap(side)
    return u / math.sqrt(3.0) if winding_connection(unit, side).startswith("star") else u


def _reactive_share(unit: Transformer) -> float:
    """Return the magnetising current without its losses, of the rated current."""
    losses = unit.p_iron / unit.s_rated
    return math.sqrt(max((unit.i0_percent / 100.0) ** 2 - losses**2, 0.0))


def core_findings(network: "Network", places: "Places") -> Iterable[Finding]:
    """Find what is wrong with the cores of a network's transformers."""
    for at, unit in enumerate(network.transformers):
        if unit.knee_percent is None:
            for key in ("air_core_percent", "remanence_percent"):
                if getattr(unit, key):
                    what = "belongs to a core that saturates"
                    yield places.finding("transformers", at, key, what, "add knee_percent, or drop it")
            continue
        if not unit.knee_percent > 100:
            what = f"a knee at {unit.knee_percent:g} % saturates at rated voltage"
            yield places.finding("transformers", at, "knee_percent", what, "give more than 100 %")
        drawn = 100.0 * _reactive_share(unit) if unit.s_rated > 0 else 0.0
        if not drawn > 0:
            what = "a core needs a magnetising current below its knee"
            mend = "give i0_percent, more than the iron's losses p_iron_w"
            yield places.finding("transformers", at, "i0_percent", what, mend)
        if unit.air_core_percent is None:
            what = "a core needs the reactance beyond its knee"
            yield places.finding("transformers", at, "knee_percent", what, "add air_core_percent")
        elif not 0 < unit.air_core_percent * drawn < 1e4:
            what = f"{unit.air_core_percent:g} % is none, or more than the reactance below the knee"
            yield places.finding("transformers", at, "air_core_percent", what, "give about 2 vk_percent")
        yield from _remanence(at, unit, places)


def _remanence(at: int, unit: Transformer, places: "Places") -> Iterable[Finding]:
    given = unit.remanence_percent
    assert unit.knee_percent is not None
    if not given:
        return
    if len(given) not in ({1} if unit.single_phase else {1, 3}):
        mend = "give one number" if unit.single_phase else "give one number or three"
        yield places.finding("transformers", at, "remanence_percent", f"has {len(given)} legs", mend)
    elif len(given) == 3 and abs(sum(given)) > 1e-6 * unit.knee_percent:
        what = f"adds up to {sum(given):g} %, and no current holds that after switching off"
        yield places.finding("transformers", at, "remanence_percent", what, "let the three add up to zero")
    if max(abs(one) for one in given) > unit.knee_percent:
        what = "is more than knee_percent"
        yield places.finding("transformers", at, "remanence_percent", what, "give less")
