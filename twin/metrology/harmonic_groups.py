"""Harmonics and interharmonics by groups of 5 Hz bins, from 10 cycles at 50 Hz or 12 at 60 Hz.

A window of N cycles locked to the fundamental has order h in bin N h. What lies between two orders belongs
to them or to the interharmonics between, by one of the groupings of IEC 61000-4-7; IEC 61000-4-30 takes the
subgroups.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.metrology.distortion import NEGLIGIBLE

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class HarmonicGroups:
    """All groupings of one window's spectrum; every array has the channels first."""

    harmonic: Float
    """(channels, orders) RMS of order 0, 1, 2 .. alone; of order 0 the mean's magnitude [V or A]."""
    group: Float
    """(channels, orders) RMS of the harmonic group (5.6): half of either middle bin included; that of
    order 0 is the mean alone."""
    subgroup: Float
    """(channels, orders) RMS of the harmonic subgroup (5.6): the order and its two neighbours; that of
    order 0 is the mean alone."""
    interharmonic_group: Float
    """(channels, orders) RMS of all bins between order h and h + 1 (annex A)."""
    interharmonic_subgroup: Float
    """(channels, orders) RMS of the centred subgroup between order h and h + 1: without the neighbours of the
    orders (annex A)."""
    angle: Float
    """(channels, orders) angle of the order less h times that of the reference's fundamental, -pi..pi [rad];
    NaN where there is no such order or no reference."""


def window_bins(samples: Float, *, cycles: int, orders: int = 51) -> Complex:
    """Return the RMS phasors of the bins of a window that is locked to the fundamental.

    Parameters
    ----------
    samples : ndarray, shape (channels, samples_per_cycle * cycles)
        Whole cycles at equal steps of theta [V or A].
    cycles : int
        10 at 50 Hz, 12 at 60 Hz.
    orders : int
        Orders 0 .. orders - 1, and the bins up to half an order beyond and to the next order.

    Returns
    -------
    ndarray, shape (channels, orders * cycles + 1)
        Bin k is ``k / cycles`` times the fundamental; bin 0 is the mean, real.

    Raises
    ------
    ValueError
        If the samples are no whole cycles, or an order reaches half the sampling rate.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 4.4 and 5.2.
    """
    count = samples.shape[-1]
    needed = orders * cycles + 1
    if count % cycles:
        raise ValueError(f"{count} samples are not {cycles} whole cycles; lock the sampling to the grid")
    if needed > (count + 1) // 2:
        raise ValueError(
            f"{count // cycles} samples per cycle do not show order {orders}; "
            f"use more than {2 * orders} or ask for fewer orders"
        )
    bins: Complex = np.fft.rfft(samples, axis=-1)[..., :needed] / count
    bins[..., 1:] *= np.sqrt(2.0)
    return bins


def harmonic_groups(bins: Complex, *, cycles: int, reference: int = 0) -> HarmonicGroups:
    """Return the harmonics, groups and subgroups of a spectrum.

    Parameters
    ----------
    bins : ndarray, shape (channels, orders * cycles + 1)
        RMS phasors as `window_bins` gives them [V or A].
    cycles : int
        Bins from one order to the next.
    reference : int
        Channel whose fundamental has the angle zero.

    Returns
    -------
    HarmonicGroups
        Of orders 0 .. orders - 1.

    Raises
    ------
    ValueError
        If the bins end between two orders, or ``cycles`` is odd or below 6.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 5.6 and annex A; IEC 61000-4-30:2015, 5.8 and 5.9.
    """
    orders, rest = divmod(bins.shape[-1] - 1, cycles)
    if rest or orders < 2 or cycles < 6 or cycles % 2:
        raise ValueError(
            f"{bins.shape[-1]} bins of {cycles} cycles are not whole orders of an even number of bins; "
            "use those of window_bins"
        )
    squares = bins.real**2 + bins.imag**2
    between = squares[:, :-1].reshape(-1, orders, cycles)  # order h and the bins up to order h + 1
    half = cycles // 2
    alone = between[..., 0]
    lower = between[..., 1:half].sum(axis=-1) + between[..., half] / 2.0  # what lies closer to order h
    upper = between[..., half + 1 :].sum(axis=-1) + between[..., half] / 2.0  # closer to order h + 1
    group, subgroup = alone.copy(), alone.copy()
    group[:, 1:] += lower[:, 1:] + upper[:, :-1]
    subgroup[:, 1:] += between[:, 1:, 1] + between[:, :-1, -1]
    return HarmonicGroups(
        np.sqrt(alone),
        np.sqrt(group),
        np.sqrt(subgroup),
        np.sqrt(between[..., 1:].sum(axis=-1)),
        np.sqrt(between[..., 2:-1].sum(axis=-1)),
        _angles(bins[:, :-1:cycles], reference),
    )


def total_distortion(group: Float, *, highest: int, lowest: int = 2, step: int = 1) -> Float:
    """Return the distortion by groups of orders, of whatever grouping.

    With harmonics it is THD, with groups THDG, with subgroups THDS. ``lowest`` 3 and ``step`` 2 make the
    odd one, ``lowest`` 2 and ``step`` 2 the even one.

    Parameters
    ----------
    group : ndarray, shape (..., orders)
        RMS by order from 0 [V or A].
    highest : int
        Last order that counts, below ``orders``.
    lowest, step : int
        First order that counts and the distance to the next.

    Returns
    -------
    ndarray, shape (...)
        Fraction of order 1 of the same grouping; NaN without a fundamental.

    Raises
    ------
    ValueError
        If the orders are not all there.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 3.3.1 to 3.3.3 (THD, THDG, THDS).
    """
    return _over(_content(group, highest, lowest, step), group[..., 1])


def partial_weighted_distortion(group: Float, *, lowest: int = 14, highest: int = 40) -> Float:
    """Return the partial weighted harmonic distortion, each order weighted with its number.

    Parameters
    ----------
    group : ndarray, shape (..., orders)
        RMS by order from 0 [V or A].
    lowest, highest : int
        First and last order that count.

    Returns
    -------
    ndarray, shape (...)
        Fraction of order 1; NaN without a fundamental.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 3.3.4 (PWHD); the orders are those of IEC 61000-3-12.
    """
    _checked(group, highest, lowest)
    order = np.arange(lowest, highest + 1)
    weighted = np.sqrt((order * group[..., lowest : highest + 1] ** 2).sum(axis=-1))
    return _over(weighted, group[..., 1])


def total_demand_distortion(group: Float, *, demand_current: Float | float, highest: int = 50) -> Float:
    """Return the total demand distortion: harmonics over the maximum demand load current.

    Parameters
    ----------
    group : ndarray, shape (..., orders)
        RMS by order from 0 [A].
    demand_current : ndarray, shape (...), or float
        Maximum demand load current I_L, fundamental [A].
    highest : int
        Last order that counts; 50 in the standard.

    Returns
    -------
    ndarray, shape (...)
        Fraction; NaN without a demand current.

    References
    ----------
    IEEE Std 519-2022, clause 3 (total demand distortion).
    """
    content = _content(group, highest, 2, 1)
    return _over(content, np.broadcast_to(np.asarray(demand_current, np.float64), content.shape))


def _content(group: Float, highest: int, lowest: int, step: int) -> Float:
    """Return the root of the sum of squares of some orders."""
    _checked(group, highest, lowest)
    content: Float = np.sqrt((group[..., lowest : highest + 1 : step] ** 2).sum(axis=-1))
    return content


def _checked(group: Float, highest: int, lowest: int) -> None:
    """Raise unless there are such orders."""
    if not 1 <= lowest <= highest < group.shape[-1]:
        raise ValueError(
            f"orders {lowest} to {highest} are not among 1 .. {group.shape[-1] - 1}; measure more orders"
        )


def _over(content: Float, base: Float) -> Float:
    """Return a ratio, NaN where there is nothing to relate to."""
    out: Float = np.full(base.shape, np.nan)
    np.divide(content, base, out=out, where=base > NEGLIGIBLE)
    return out


def _angles(phasors: Complex, reference: int) -> Float:
    """Return the angles of orders against those that a shift of the reference's fundamental makes."""
    fundamental = phasors[reference, 1]
    out = np.full(phasors.shape, np.nan)
    if abs(fundamental) <= NEGLIGIBLE:
        return out
    turn = np.exp(-1j * np.angle(fundamental) * np.arange(phasors.shape[1]))
    np.copyto(out, np.angle(phasors * turn), where=np.abs(phasors) > NEGLIGIBLE)
    return out
