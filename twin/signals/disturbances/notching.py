"""Commutation notches: how deep, wide and large they are, and as a harmonic series."""

import math
from dataclasses import dataclass

import numpy as np

from twin.signals.disturbances.editing import DisturbanceError, require_numbers, require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Notch:
    """A commutation notch in a line-to-line voltage."""

    share: float
    """Ls / (Ls + Lc): the source's part of the commutating inductance; ``depth`` of `notch_shares`."""
    overlap: float
    """Commutation angle mu, the width [rad]."""
    width_s: float
    """[s]"""
    depth: float
    """At its beginning [V]."""
    area: float
    """Voltage that is missing, over time [V s]."""


def commutation_notch(
    *,
    line_voltage: float,
    frequency: float,
    source_inductance: float,
    converter_inductance: float,
    direct_current: float,
    firing: float,
) -> Notch:
    """Return the notch that a six-pulse bridge with a smooth direct current makes where it is connected.

    Two phases commutate through ``2 (Ls + Lc)``, driven by the line-to-line voltage:
    ``cos alpha - cos(alpha + mu) = 2 w (Ls + Lc) Id / (sqrt2 V)``.

    Parameters
    ----------
    line_voltage : float
        RMS, line to line [V].
    frequency : float
        [Hz]
    source_inductance, converter_inductance : float
        Per phase, up to the point that is looked at, and from there to the bridge [H].
    direct_current : float
        [A]
    firing : float
        Delay angle alpha [rad].

    Returns
    -------
    Notch
        Its area is ``2 Ls Id`` whatever the angles.

    Raises
    ------
    DisturbanceError
        If the current cannot commutate.

    References
    ----------
    IEEE Std 519-2014, 5.1 and table 2; IEEE Std 519-1992, 8.5: depth V = e Ls / (Ls + Lc), area = 2 Ls Id.
    """
    require_positive(
        line_voltage=line_voltage,
        frequency=frequency,
        source_inductance=source_inductance,
        direct_current=direct_current,
    )
    require_numbers(firing=firing)
    if not (converter_inductance >= 0.0 and firing >= 0.0):
        raise DisturbanceError(
            f"converter_inductance {converter_inductance} H and firing {firing} rad are no bridge's; "
            "give values of 0 or more"
        )
    total = source_inductance + converter_inductance
    crest = math.sqrt(2.0) * line_voltage
    omega = 2.0 * math.pi * frequency
    reached = math.cos(firing) - 2.0 * omega * total * direct_current / crest
    if reached <= -1.0 or math.acos(reached) - firing > math.pi / 3.0:
        raise DisturbanceError(
            f"{direct_current} A do not commutate within pi/3 after {firing} rad; "
            "give less current or inductance, or fire earlier"
        )
    overlap = math.acos(reached) - firing
    share = source_inductance / total
    return Notch(
        share=share,
        overlap=overlap,
        width_s=overlap / omega,
        depth=share * crest * math.sin(firing),
        area=2.0 * source_inductance * direct_current,
    )


def notch_shares(*, depth: float, width: float, firing: float, highest: int = 50) -> dict[int, complex]:
    """Return the harmonics of the commutation notches of a six-pulse bridge in a line-to-neutral voltage.

    Parameters
    ----------
    depth : float
        Ls / (Ls + Lc): the source's share of the commutating inductance; 1 at the bridge's terminals.
    width : float
        Commutation angle mu [rad].
    firing : float
        Delay angle alpha [rad].
    highest : int
        Last order; steep edges need many.

    Returns
    -------
    dict
        By order from 1, over the fundamental, relative to order times its angle; order 1 is what the notches
        take from the fundamental. For `add_harmonics` with ``quantity="v"``.

    References
    ----------
    IEEE Std 519-2014, 5.1 and table 2 (depth and area of notches). The two phases that commutate meet
    half way: each moves by half of their difference, times ``depth``.
    """
    require_numbers(firing=firing)
    if not (0.0 <= depth <= 1.0 and 0.0 < width <= math.pi / 3.0):
        raise DisturbanceError(
            f"depth {depth} and width {width} rad are no notch; use 0 to 1, and above 0 to pi/3"
        )
    third = 2.0 * math.pi / 3.0
    shares = dict.fromkeys(range(1, highest + 1), 0j)
    # va = cos(x) crosses vc, then vb on the positive side, where upper valves commutate; lower ones do half
    # a cycle later.
    for begin, other in ((-0.5 * third, third), (0.5 * third, -third)):
        for low in (begin + firing, begin + firing + math.pi):
            for h in shares:
                own = _piece(h, 0.0, low, low + width)
                theirs = _piece(h, other, low, low + width)
                shares[h] -= depth * 0.5 * (own - theirs)
    return shares


def _piece(order: int, shift: float, low: float, high: float) -> complex:
    """Return the Fourier coefficient, doubled, of cos(x + shift) between two angles."""
    total = 0j
    for sign in (1.0, -1.0):
        k = sign - order
        part = (high - low) if k == 0 else (np.exp(1j * k * high) - np.exp(1j * k * low)) / (1j * k)
        total += 0.5 * np.exp(1j * sign * shift) * part
    return complex(total / math.pi)
