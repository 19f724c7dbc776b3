"""Compiled loops of this room: moments of stationary segments and of samples, and what is made of them.

Array arguments are declared read-only in the signatures, so that one compiled version serves plain and
frozen arrays alike. Nothing here calls BLAS and nothing is reordered: results are bit-stable.
"""

import math

import numpy as np
from numba import njit, types

C3 = types.Array(types.complex128, 3, "C", readonly=True)
C2 = types.Array(types.complex128, 2, "C", readonly=True)
C1 = types.Array(types.complex128, 1, "C", readonly=True)
F3 = types.Array(types.float64, 3, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
F1 = types.Array(types.float64, 1, "C", readonly=True)
OUT3 = types.Array(types.float64, 3, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT1 = types.Array(types.float64, 1, "C")
COUT3 = types.Array(types.complex128, 3, "C")
COUT2 = types.Array(types.complex128, 2, "C")
IOUT2 = types.Array(types.int64, 2, "C")
i64, f64, b1 = types.int64, types.float64, types.boolean

SQRT1_2 = math.sqrt(0.5)
NEGLIGIBLE = 1e-9  # [V or A]: a fundamental below this is rounding, not a quantity


@njit(b1(F1, C1), cache=True, nogil=True)
def is_stationary(order, rate):
    """Return whether all terms are harmonics of theta."""
    for k in range(order.shape[0]):
        if rate[k] != 0.0 or order[k] != math.floor(order[k]):
            return False
    return True


@njit(types.void(OUT3), cache=True, nogil=True)
def mirror(gram):
    """Copy the lower triangles to the upper ones."""
    for meter in range(gram.shape[0]):
        for a in range(gram.shape[1]):
            for b in range(a):
                gram[meter, b, a] = gram[meter, a, b]


@njit(types.void(C2, F1, OUT3, COUT3), cache=True, nogil=True)
def steady_moments(amplitude, order, gram, spectrum):
    """Fill mean products and RMS phasors of a stationary segment, over whole cycles.

    Terms of the same order are one: their phasors are summed before anything is squared. Orders beyond
    the spectrum count in the mean products all the same.
    """
    channels, terms = amplitude.shape
    meters, size = gram.shape[0], gram.shape[1]
    orders = spectrum.shape[2]
    phasor = np.empty((terms, channels), np.complex128)
    label = np.empty(terms, np.int64)
    used = 0
    for k in range(terms):
        h = int(abs(order[k]))
        slot = 0
        while slot < used and label[slot] != h:
            slot += 1
        if slot == used:
            label[used] = h
            phasor[used, :] = 0.0
            used += 1
        for c in range(channels):
            a = amplitude[c, k]
            if h == 0:
                phasor[slot, c] += a.real
            elif order[k] > 0.0:
                phasor[slot, c] += a * SQRT1_2
            else:
                phasor[slot, c] += a.conjugate() * SQRT1_2
    gram[:] = 0.0
    spectrum[:] = 0.0
    for slot in range(used):
        for meter in range(meters):
            row = phasor[slot, meter * size : (meter + 1) * size]
            for a in range(size):
                if label[slot] < orders:
                    spectrum[meter, a, label[slot]] = row[a]
                for b in range(a + 1):
                    gram[meter, a, b] += row[a].real * row[b].real + row[a].imag * row[b].imag
    mirror(gram)


@njit(types.void(F2, OUT3), cache=True, nogil=True)
def sample_gram(samples, gram):
    """Fill the mean products of sampled channels (meters x size, n)."""
    count = samples.shape[1]
    meters, size = gram.shape[0], gram.shape[1]
    for meter in range(meters):
        for a in range(size):
            x = samples[meter * size + a]
            for b in range(a + 1):
                y = samples[meter * size + b]
                total = 0.0
                for n in range(count):
                    total += x[n] * y[n]
                gram[meter, a, b] = total / count
    mirror(gram)


@njit(types.void(C2, F1, C2, F1, f64, OUT1, OUT1), cache=True, nogil=True)
def straddle_bounds(before, order_before, after, order_after, stretch, low, high):
    """Fill bounds of the one-cycle RMS over a boundary; see `twin.metrology.bounds.step_bound`."""
    channels = before.shape[0]
    terms_b = order_before.shape[0]
    terms_a = order_after.shape[0]
    # The union of orders: column in each of the two, or none. Several terms of one order are summed.
    labels = np.empty(terms_b + terms_a)
    used = 0
    for k in range(terms_b + terms_a):
        h = abs(order_before[k] if k < terms_b else order_after[k - terms_b])
        slot = 0
        while slot < used and labels[slot] != h:
            slot += 1
        if slot == used:
            labels[used] = h
            used += 1
    slot_b = np.empty(terms_b, np.int64)
    slot_a = np.empty(terms_a, np.int64)
    for slot in range(used):
        for k in range(terms_b):
            if abs(order_before[k]) == labels[slot]:
                slot_b[k] = slot
        for k in range(terms_a):
            if abs(order_after[k]) == labels[slot]:
                slot_a[k] = slot
    x = np.empty(used, np.complex128)
    y = np.empty(used, np.complex128)
    for c in range(channels):
        x[:] = 0.0
        y[:] = 0.0
        for k in range(terms_b):
            x[slot_b[k]] += before[c, k] if order_before[k] >= 0.0 else before[c, k].conjugate()
        for k in range(terms_a):
            y[slot_a[k]] += after[c, k] if order_after[k] >= 0.0 else after[c, k].conjugate()
        sb = 0.0
        sa = 0.0
        sd = 0.0
        for slot in range(used):
            d = y[slot] - x[slot]
            if labels[slot] == 0.0:
                sb += 2.0 * x[slot].real * x[slot].real
                sa += 2.0 * y[slot].real * y[slot].real
                sd += 2.0 * d.real * d.real
            else:
                sb += x[slot].real * x[slot].real + x[slot].imag * x[slot].imag
                sa += y[slot].real * y[slot].real + y[slot].imag * y[slot].imag
                sd += d.real * d.real + d.imag * d.imag
        rb = math.sqrt(0.5 * sb)
        ra = math.sqrt(0.5 * sa)
        rd = math.sqrt(0.5 * sd)
        low[c] = max(0.0, max(rb, ra) - rd) / stretch
        high[c] = (min(rb, ra) + rd) * stretch


@njit(types.void(F3, C3, OUT2, COUT2, OUT3), cache=True, nogil=True)
def reduce_moments(gram, spectrum, real, sequence, harmonic):
    """Fill the quantities of a reading.

    ``real`` (meters, 38): v 3, vll 3, i 3, i_n 1, p 3, p_fundamental 3, q_budeanu 3, q_fundamental 3, s 3,
    angle 6, thd 6, and one that tells whether there is a voltage. ``sequence`` (meters, 6): positive,
    negative, zero of voltages, then of currents. ``harmonic`` (meters, 6, orders).
    """
    meters, _, orders = spectrum.shape
    turn = complex(-0.5, math.sqrt(0.75))
    back = turn.conjugate()
    for m in range(meters):
        g = gram[m]
        x = spectrum[m]
        out = real[m]
        energised = 0.0
        neutral = 0.0
        for a in range(3):
            b = (a + 1) % 3
            v = math.sqrt(max(0.0, g[a, a]))
            i = math.sqrt(max(0.0, g[3 + a, 3 + a]))
            out[a] = v
            out[3 + a] = math.sqrt(max(0.0, g[a, a] + g[b, b] - 2.0 * g[a, b]))
            out[6 + a] = i
            neutral += g[3 + a, 3 + a] + 2.0 * g[3 + a, 3 + b]
            out[10 + a] = g[a, 3 + a]
            budeanu = 0.0
            for h in range(1, orders):
                budeanu += x[a, h].imag * x[3 + a, h].real - x[a, h].real * x[3 + a, h].imag
            out[13 + a] = x[a, 1].real * x[3 + a, 1].real + x[a, 1].imag * x[3 + a, 1].imag
            out[16 + a] = budeanu
            out[19 + a] = x[a, 1].imag * x[3 + a, 1].real - x[a, 1].real * x[3 + a, 1].imag
            out[22 + a] = v * i
        out[9] = math.sqrt(max(0.0, neutral))
        reference = math.atan2(x[0, 1].imag, x[0, 1].real)
        for c in range(6):
            for h in range(orders):
                harmonic[m, c, h] = math.sqrt(x[c, h].real * x[c, h].real + x[c, h].imag * x[c, h].imag)
            fundamental = harmonic[m, c, 1]
            distortion = 0.0
            for h in range(2, orders):
                distortion += harmonic[m, c, h] * harmonic[m, c, h]
            out[25 + c] = math.nan
            out[31 + c] = math.nan
            if fundamental > NEGLIGIBLE:
                out[31 + c] = math.sqrt(distortion) / fundamental
                if harmonic[m, 0, 1] > NEGLIGIBLE:
                    angle = math.atan2(x[c, 1].imag, x[c, 1].real) - reference
                    if angle > math.pi:
                        angle -= 2.0 * math.pi
                    elif angle <= -math.pi:
                        angle += 2.0 * math.pi
                    out[25 + c] = angle
                if c < 3:
                    energised = 1.0
        out[37] = energised
        for kind in range(2):
            a = x[3 * kind, 1]
            b = x[3 * kind + 1, 1]
            c = x[3 * kind + 2, 1]
            sequence[m, 3 * kind] = (a + turn * b + back * c) / 3.0
            sequence[m, 3 * kind + 1] = (a + back * b + turn * c) / 3.0
            sequence[m, 3 * kind + 2] = (a + b + c) / 3.0


@njit(b1(F2, i64, i64, IOUT2, IOUT2, i64), cache=True, nogil=True)
def add_energy(power, seconds, nanoseconds, whole, rest, direction):
    """Add power x time to the counters of one direction; False if a power is not a number or too large.

    ``whole`` counts watt-hours, ``rest`` femtojoules (microwatt-nanoseconds) below one watt-hour. Power
    is taken to the microwatt; from there on the arithmetic is of whole numbers and exact.
    """
    for m in range(power.shape[0]):
        for p in range(power.shape[1]):
            value = power[m, p] * direction
            if not abs(value) < 9e9:
                return False
            if value <= 0.0:
                continue
            micro = int(np.rint(value * 1e6))
            watt = micro // 1_000_000
            micro -= watt * 1_000_000
            nano = watt * nanoseconds  # nJ
            small = micro * seconds  # uJ
            joule = watt * seconds + nano // 1_000_000_000 + small // 1_000_000
            left = (nano % 1_000_000_000) * 1_000_000
            left += (small % 1_000_000) * 1_000_000_000
            left += micro * nanoseconds
            left += (joule % 3600) * 1_000_000_000_000_000 + rest[m, p]
            whole[m, p] += joule // 3600 + left // 3_600_000_000_000_000_000
            rest[m, p] = left % 3_600_000_000_000_000_000
    return True
