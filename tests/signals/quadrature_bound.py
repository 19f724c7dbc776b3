"""Bounds of what a signal of samples differs by from the terms that it was made of.

Between two samples stands the polynomial through the three on either side. By the remainder of Lagrange's
formula it misses ``exp(z x)``, x in samples and z the exponent per sample, by at most

    5/1024 |z|^6 exp(3 |Re z|)          at any place (the product of the six distances is at most 225/64),
    191/60480 |z|^6 exp(3 |Re z|)       in the integral over a cell or any part of it.

A product of two channels is a sum of exponentials, those of each pair of terms with exponents added, one
of them conjugate or not; the transform at order h subtracts j h theta. The misses of the inner cells of a
piece are one geometric series for each exponential, at most ``min(N, 2/|1 - exp z|)`` times the largest; a
cut cell at each end adds one each.
"""

import numpy as np

BETWEEN = 5 / 1024
CELL = 191 / 60480


def exponents(part, samples_per_cycle):
    """Return the exponent of each term per sample."""
    step_s = 1.0 / (part.frequency * samples_per_cycle)
    return (part.rate + 2j * np.pi * part.order * part.frequency) * step_s


def between(part, samples_per_cycle):
    """Return the bound of a value between two samples, per channel."""
    z = exponents(part, samples_per_cycle)
    return BETWEEN * np.abs(part.amplitude) @ (np.abs(z) ** 6 * np.exp(3 * np.abs(z.real)))


def _summed(z, cells):
    """Return the bound of the miss of the sum over ``cells`` of one exponential of size 1."""
    with np.errstate(divide="ignore"):
        series = np.minimum(cells, 2.0 / np.abs(1.0 - np.exp(z)))
    return CELL * np.abs(z) ** 6 * np.exp(3 * np.abs(z.real)) * (series + 2.0)


def moments(whole, start, end, samples_per_cycle, *, orders=0):
    """Return the bounds of mean products (one group) and of RMS phasors of a window."""
    rows = whole.segments[0].amplitude.shape[0]
    gram, spectrum = np.zeros((rows, rows)), np.zeros((rows, orders))
    total = (end.ns - start.ns + end.fraction - start.fraction) * 1e-9
    for n, part in enumerate(whole.segments):
        stop = whole.segments[n + 1].start_ns if n + 1 < len(whole.segments) else whole.end_ns
        if stop <= start.ns or part.start_ns > end.ns:
            continue
        step_s = 1.0 / (part.frequency * samples_per_cycle)
        cells = min(stop - part.start_ns, end.ns - start.ns) * 1e-9 / step_s + 1
        z = exponents(part, samples_per_cycle)
        size = np.abs(part.amplitude)  # rates decay: never more than at the start of the segment
        pair = _summed(z[:, None] + z, cells) + _summed(z[:, None] + z.conj(), cells)
        gram += size @ pair @ size.T * 0.5 * step_s / total
        for h in range(orders):
            turn = 2j * np.pi * h / samples_per_cycle
            both = _summed(z - turn, cells) + _summed(z.conj() - turn, cells)
            spectrum[:, h] += size @ both * (0.5 if h == 0 else 0.5**0.5) * step_s / total
    return gram, spectrum
