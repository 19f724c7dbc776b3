"""Signals to test with, and plain evaluations of them in extended precision."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal
from twin.signals import carried_theta

EPOCH = 1_767_225_600 * NS_PER_SECOND
TWO_PI = 2 * np.longdouble("3.14159265358979323846264338327950288")


def segment(
    *,
    amplitude,
    order,
    rate=None,
    frequency=50.0,
    theta=0.0,
    start_ns=EPOCH,
):
    """Return a segment; without rates it is stationary."""
    order = np.asarray(order, float)
    return Segment(
        start_ns,
        frequency,
        theta,
        order,
        np.zeros(order.size, complex) if rate is None else np.asarray(rate, complex),
        np.array(amplitude, complex),
    )


def signal(*segments, duration_s):
    """Return a signal that ends ``duration_s`` after the start of its first segment."""
    rows = segments[0].amplitude.shape[0]
    names = tuple(f"m{c // 6}.{('va', 'vb', 'vc', 'ia', 'ib', 'ic')[c % 6]}" for c in range(rows))
    return Signal(names, segments, segments[0].start_ns + round(duration_s * NS_PER_SECOND))


def following(before, after_ns, **fields):
    """Return a segment that follows another ``after_ns`` after its start, theta carried over."""
    start_ns = before.start_ns + after_ns
    return replace(before, start_ns=start_ns, theta=carried_theta(before, start_ns), **fields)


def at(seconds, fraction=0.0):
    """Return the instant that lies ``seconds`` after the epoch of the tests."""
    return Instant(EPOCH + round(seconds * NS_PER_SECOND), fraction)


def direct(part, tau):
    """Return the channels of a segment at times ``tau`` [s] after its start, term by term."""
    tau = np.asarray(tau, np.longdouble)
    theta = np.longdouble(part.theta) + TWO_PI * np.longdouble(part.frequency) * tau
    out = np.zeros((part.amplitude.shape[0], tau.size), np.longdouble)
    for k in range(part.order.size):
        rate = np.clongdouble(part.rate[k])
        angle = rate.imag * tau + np.longdouble(part.order[k]) * theta
        size = np.exp(rate.real * tau)
        a = part.amplitude[:, k].astype(np.clongdouble)
        out += np.outer(a.real, size * np.cos(angle)) - np.outer(a.imag, size * np.sin(angle))
    return out


def quadrature(whole, start, end, *, orders=0):
    """Return mean products and RMS phasors of a window by composite Gauss-Legendre quadrature.

    Twenty points per panel, the panels no longer than a quarter of the period of the fastest term:
    the remainder is far below the rounding of a double.
    """
    nodes, weights = np.polynomial.legendre.leggauss(20)
    rows = whole.segments[0].amplitude.shape[0]
    gram = np.zeros((rows, rows), np.longdouble)
    bins = np.zeros((rows, orders), np.clongdouble)
    total = np.longdouble(end.ns - start.ns) + np.longdouble(end.fraction) - np.longdouble(start.fraction)
    for n, part in enumerate(whole.segments):
        stop = whole.segments[n + 1].start_ns if n + 1 < len(whole.segments) else whole.end_ns
        left = max(start.ns - part.start_ns + np.longdouble(start.fraction), np.longdouble(0))
        right = min(end.ns - part.start_ns + np.longdouble(end.fraction), np.longdouble(stop - part.start_ns))
        if right <= left:
            continue
        fastest = max(np.abs(part.order).max(), orders, 1) * part.frequency
        fastest += np.abs(part.rate).max() if part.rate.size else 0
        panels = int(np.ceil(float(right - left) * 1e-9 * fastest * 4)) + 1
        edges = left + (right - left) * np.arange(panels + 1, dtype=np.longdouble) / panels
        half = (edges[1:] - edges[:-1]) / 2
        tau = ((edges[1:] + edges[:-1])[:, None] / 2 + half[:, None] * nodes).ravel() * np.longdouble(1e-9)
        share = (half[:, None] * weights).ravel() / total
        x = direct(part, tau)
        gram += (x * share) @ x.T
        theta = np.longdouble(part.theta) + TWO_PI * np.longdouble(part.frequency) * tau
        for h in range(orders):
            wave = np.cos(h * theta) - 1j * np.sin(h * theta)
            bins[:, h] += (x * share) @ wave * (np.sqrt(np.longdouble(2)) if h else 1)
    return gram.astype(float), bins.astype(complex)


def size_of(whole):
    """Return the largest sum of amplitudes of a channel: an upper bound of every value."""
    return max(float(np.abs(part.amplitude).sum(axis=1).max()) for part in whole.segments)


@st.composite
def amplitudes(draw, rows, terms, magnitude):
    """Draw complex amplitudes, some of the channels dead."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = magnitude * rng.uniform(0.0, 1.0, (rows, terms)) ** 2
    size[list(draw(st.sets(st.integers(0, rows - 1), max_size=2)))] = 0.0
    return size * np.exp(1j * rng.uniform(-np.pi, np.pi, (rows, terms)))


@st.composite
def stationary_segments(draw, *, rows=6, highest=20):
    """Draw a segment of harmonics, sometimes DC among them."""
    order = sorted(draw(st.sets(st.integers(0, highest), min_size=1, max_size=6)))
    amplitude = draw(amplitudes(rows, len(order), 300.0))
    if order[0] == 0:
        amplitude[:, 0] = amplitude[:, 0].real
    return segment(
        amplitude=amplitude,
        order=order,
        frequency=draw(st.floats(42.5, 69.0)),
        theta=draw(st.floats(0.0, 6.28)),
    )


@st.composite
def damped_segments(draw, *, rows=6):
    """Draw a segment of harmonics, a decaying DC term, a damped harmonic and a damped oscillation."""
    base = draw(stationary_segments(rows=rows))
    rate = [
        complex(-draw(st.floats(1.0, 2000.0))),
        complex(-draw(st.floats(0.1, 200.0)), 0.0),
        complex(-draw(st.floats(0.1, 500.0)), draw(st.floats(0.0, 6000.0))),
    ]
    amplitude = draw(amplitudes(rows, len(rate), 100.0))
    amplitude[:, 0] = amplitude[:, 0].real
    return replace(
        base,
        order=np.append(base.order, [0.0, 1.0, 0.0]),
        rate=np.append(base.rate, rate),
        amplitude=np.ascontiguousarray(np.hstack([base.amplitude, amplitude])),
    )
