"""Compiled loops of what adds up over minutes and intervals: sums, extremes, the channels of an interval.

Each does in one pass over the meters what plain array operations do in several, with the same roundings.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_repeatedly(values, count, sums):  # type: ignore[no-untyped-def]
    """Add an array to ``sums`` of the same shape ``count`` times: floats round by their order."""
    for row in range(values.shape[0]):
        for k in range(values.shape[1]):
            total = sums[row, k]
            for _ in range(count):
                total += values[row, k]
            sums[row, k] = total


@njit(cache=True, nogil=True)
def widen(history, high, low):  # type: ignore[no-untyped-def]
    """Let values (ticks, meters, columns) move highest and lowest ones (meters, columns)."""
    for tick in range(history.shape[0]):
        for meter in range(history.shape[1]):
            for k in range(history.shape[2]):
                value = history[tick, meter, k]
                high[meter, k] = max(high[meter, k], value)
                low[meter, k] = min(low[meter, k], value)


@njit(cache=True, nogil=True)
def widen_stamped(history, times, high, low, high_ns, low_ns):  # type: ignore[no-untyped-def]
    """Do the same and note the time i64[ticks] at which each was first reached."""
    for tick in range(history.shape[0]):
        for meter in range(history.shape[1]):
            for k in range(history.shape[2]):
                value = history[tick, meter, k]
                if value > high[meter, k]:
                    high[meter, k] = value
                    high_ns[meter, k] = times[tick]
                if value < low[meter, k]:
                    low[meter, k] = value
                    low_ns[meter, k] = times[tick]


@njit(cache=True, nogil=True)
def interval_values(  # type: ignore[no-untyped-def]
    meters, duration, whole, rest, whole_before, rest_before, unit, sums, low, high, columns, factor, out
):
    """Fill what intervals of some meters record.

    Parameters
    ----------
    meters : i64[intervals]
    duration : f64[intervals]
        [s]
    whole, rest, whole_before, rest_before : i64[energies, all meters, phases]
        Counts at the end and at the start: whole units, and femtojoules below one.
    unit : int
        Femtojoules of a unit.
    sums, low, high : f64[all meters, quantities]
        Displayed values times seconds, and their extremes; infinite without any.
    columns : tuple of i64[:]
        Quantities of which means, lowest and highest values are recorded.
    factor : f64[all meters, channels]
        Of primary to secondary.
    out : f64[intervals, channels]
        Energies, means, lowest, highest, power factor.
    """
    energies, _, phases = whole.shape
    means, lowest, highest = columns
    for row in range(meters.shape[0]):
        meter = meters[row]
        for e in range(energies):
            units = whole[e, meter, 0] - whole_before[e, meter, 0]
            below = (rest[e, meter, 0] - rest_before[e, meter, 0]) / unit
            for phase in range(1, phases):
                units += whole[e, meter, phase] - whole_before[e, meter, phase]
                below += (rest[e, meter, phase] - rest_before[e, meter, phase]) / unit
            out[row, e] = units + below
        at = energies
        for column in means:
            out[row, at] = sums[meter, column] / duration[row]
            at += 1
        for column in lowest:
            out[row, at] = np.nan if np.isinf(low[meter, column]) else low[meter, column]
            at += 1
        for column in highest:
            out[row, at] = np.nan if np.isinf(high[meter, column]) else high[meter, column]
            at += 1
        out[row, at] = np.nan
        if out[row, energies - 1] > 0.0:
            out[row, at] = (out[row, 0] - out[row, 1]) / out[row, energies - 1]
        for k in range(at + 1):
            out[row, k] *= factor[meter, k]
