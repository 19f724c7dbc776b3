"""Waveform distortion: direct current, harmonics of converters, interharmonics."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Segment, Signal
from twin.signals.disturbances.editing import (
    DisturbanceError,
    between,
    fundamental,
    require_numbers,
    require_positive,
    rows_of,
    with_terms,
)

Complex = NDArray[np.complex128]


def add_dc(
    signal: Signal, start_ns: int, end_ns: int, *, offset: float, phases: str = "abc", quantity: str = "v"
) -> Signal:
    """Return a signal with a direct component for a time [V or A].

    References
    ----------
    IEEE Std 1159-2019, 4.7.1 (DC offset).
    """
    require_numbers(offset=offset)
    amplitude = np.zeros((len(signal.channels), 1), np.complex128)
    amplitude[rows_of(signal, phases, quantity)] = offset
    return between(signal, start_ns, end_ns, lambda part: with_terms(part, [0.0], [0j], amplitude))


def add_harmonics(
    signal: Signal,
    start_ns: int,
    end_ns: int,
    shares: Mapping[int, complex],
    *,
    phases: str = "abc",
    quantity: str = "i",
) -> Signal:
    """Return a signal with harmonics in proportion to each channel's fundamental.

    Parameters
    ----------
    shares : mapping of int to complex
        By order: size over that of the fundamental, angle beyond order times the fundamental's.
    phases, quantity : str
        Channels that get them; the order's sequence follows by itself, as each follows its own phase.

    References
    ----------
    IEEE Std 1159-2019, 4.7.2.
    """
    rows = rows_of(signal, phases, quantity)
    orders = sorted(shares)
    for order in orders:
        require_positive(order=order)
        require_numbers(**{f"share of order {order}": shares[order]})
        if order != int(order):
            raise DisturbanceError(f"order {order} is not whole; use add_interharmonics")

    def change(segment: Segment) -> Segment:
        amplitude = np.zeros((len(signal.channels), len(orders)), np.complex128)
        for row in rows:
            base = fundamental(segment, row)
            if base != 0:
                unit = base / abs(base)
                amplitude[row] = [abs(base) * shares[order] * unit**order for order in orders]
        return with_terms(segment, orders, [0j] * len(orders), amplitude)

    return between(signal, start_ns, end_ns, change)


def rectifier_current(
    pulses: int, *, overlap: float = 0.0, firing: float = 0.0, highest: int = 50
) -> dict[int, complex]:
    """Return the current harmonics of a line-commutated bridge with a smooth direct current.

    Parameters
    ----------
    pulses : int
        6, 12, 18 ..: orders are ``k pulses +- 1``.
    overlap : float
        Commutation angle mu [rad].
    firing : float
        Delay angle alpha [rad].
    highest : int
        Last order.

    Returns
    -------
    dict
        By order, over the fundamental, relative to ``order`` times the fundamental's angle. Without overlap
        1/h in size.

    References
    ----------
    Derived from the current in the commutating inductance, I (cos alpha - cos theta) / (cos alpha -
    cos (alpha + mu)); sizes as in IEEE Std 519-1992, 4.3, eq. 4.4.
    """
    if pulses % 6 or pulses < 6 or not (overlap >= 0.0 and firing >= 0.0 and overlap + firing < math.pi):
        raise DisturbanceError(
            f"{pulses} pulses, overlap {overlap} and firing {firing} rad are no bridge; "
            "use 6, 12, .. pulses and angles whose sum is below pi"
        )
    if overlap > math.pi / 3.0:
        raise DisturbanceError(
            f"with an overlap of {overlap} rad two commutations run at once; use pi/3 at most"
        )
    phasors = {h: _bridge_phasor(h, overlap, firing) for h in range(1, highest + 1)}
    unit = phasors[1] / abs(phasors[1])
    # Order 6 k +- 1 of a bridge; bridges that are shifted against each other cancel the others.
    orders = [h for h in range(2, highest + 1) if h % pulses in {1, pulses - 1}]
    return {h: phasors[h] / abs(phasors[1]) / unit**h for h in orders}


def _bridge_phasor(order: int, overlap: float, firing: float) -> complex:
    """Return the phasor of one order of the phase current of a six-pulse bridge.

    The current rises over the overlap, stands at 1 until 120 degrees after its begin, falls likewise, and
    repeats with the other sign. Its derivative is what the pieces are taken from: c_h = d_h / (j h).
    """
    third = 2.0 * math.pi / 3.0

    def rise(begin: float) -> complex:
        """Return the transform of the derivative of one commutation from 0 to 1."""
        if overlap < 1e-9:
            return complex(np.exp(-1j * order * begin))
        # derivative: sin x / (cos alpha - cos(alpha + mu)), x from alpha to alpha + mu
        scale = 1.0 / (math.cos(firing) - math.cos(firing + overlap))
        total = 0j
        for sign in (1.0, -1.0):
            k = sign - order
            part = (
                overlap * np.exp(1j * k * firing)
                if k == 0
                else (np.exp(1j * k * (firing + overlap)) - np.exp(1j * k * firing)) / (1j * k)
            )
            total += sign * part / 2j
        return complex(scale * total * np.exp(-1j * order * (begin - firing)))

    up, down = rise(firing), rise(firing + third)
    half = (up - down) * (1.0 - np.exp(-1j * order * math.pi))
    return complex(half / (math.pi * 1j * order))


def add_interharmonics(
    signal: Signal,
    start_ns: int,
    end_ns: int,
    shares: Mapping[float, complex],
    *,
    phases: str = "abc",
    quantity: str = "i",
) -> Signal:
    """Return a signal with components of own frequencies.

    Parameters
    ----------
    shares : mapping of float to complex
        By frequency [Hz]: size over that of the channel's fundamental, angle at ``start_ns``, the same on
        all phases.

    References
    ----------
    IEEE Std 1159-2019, 4.7.3.
    """
    rows = rows_of(signal, phases, quantity)
    frequencies = sorted(shares)
    for frequency in frequencies:
        require_positive(frequency=frequency)
        require_numbers(**{f"share at {frequency} Hz": shares[frequency]})
    rate = 2j * math.pi * np.array(frequencies)

    def change(segment: Segment) -> Segment:
        passed_s = (segment.start_ns - start_ns) / NS_PER_SECOND
        now = np.array([shares[frequency] for frequency in frequencies]) * np.exp(rate * passed_s)
        amplitude = np.zeros((len(signal.channels), len(frequencies)), np.complex128)
        for row in rows:
            amplitude[row] = abs(fundamental(segment, row)) * now
        return with_terms(segment, [0.0] * len(frequencies), rate.tolist(), amplitude)

    return between(signal, start_ns, end_ns, change)


def converter_frequencies(
    supply: float, output: float, *, input_pulses: int = 6, output_pulses: int = 6, reach: int = 2
) -> list[float]:
    """Return the frequencies that an indirect converter or a cycloconverter draws from its supply.

    ``|(k p1 +- 1) f1 +- n p2 f2|`` for k from 0 and n from 1 up to ``reach``; those with n = 0 are the
    harmonics and left out.

    Parameters
    ----------
    supply, output : float
        Frequencies f1 and f2 on both sides [Hz].
    input_pulses, output_pulses : int
        Pulse numbers p1 and p2.
    reach : int
        Highest k and n.

    Returns
    -------
    list of float
        In rising order, without 0 [Hz].

    References
    ----------
    IEC 61000-2-4:2002, annex C; IEC TR 61000-2-1:1990, 4.
    """
    found = {
        abs((k * input_pulses + side) * supply + sign * n * output_pulses * output)
        for k in range(reach + 1)
        for side in (1, -1)
        for n in range(1, reach + 1)
        for sign in (1, -1)
    }
    return sorted(frequency for frequency in found if frequency > 0.0)
