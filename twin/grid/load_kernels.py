"""Compiled loops of the load flow on a network that is reduced to its load points and probes."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]
Index = NDArray[np.int64]


@njit(cache=True, nogil=True)
def drawn_share(u: float, z: float, i: float) -> float:
    """Return the power of a load over that at rated voltage, at ``u`` of it: ``z u^2 + i u + rest``."""
    return (z * u + i) * u + (1.0 - z - i)


@njit(cache=True, nogil=True)
def drawn_current(
    voltage: complex,
    p: float,
    q: float,
    z: float,
    i: float,
    q_z: float,
    q_i: float,
    v_min: float,
    v_base: float,
) -> complex:
    """Return the current of a load; below ``v_min`` it is a constant impedance [A].

    ``z`` and ``i`` are the shares of constant impedance and current of the active power, ``q_z`` and ``q_i``
    those of the reactive power.
    """
    squared = voltage.real * voltage.real + voltage.imag * voltage.imag
    low = v_min * v_min
    if z != 0.0 or i != 0.0 or q_z != 0.0 or q_i != 0.0:
        u = np.sqrt(max(squared, low)) / v_base
        p *= drawn_share(u, z, i)
        q *= drawn_share(u, q_z, q_i)
    return complex(p, -q) * voltage / max(squared, low)


@njit(cache=True, nogil=True)
def fixed_point(
    v0: Complex,
    coupling_re: Float,
    coupling_im: Float,
    p: Float,
    q: Float,
    shares: Float,
    v_min: Float,
    v_base: Float,
    tolerance: float,
    limit: int,
    v: Complex,
) -> tuple[int, float]:
    """Iterate ``V = V0 + sum_j coupling_j I_j(V)`` from ``V0``; return iterations and last change [pu]."""
    loads = v0.shape[0]
    re = np.empty(loads)
    im = np.empty(loads)
    for i in range(loads):
        v[i] = v0[i]
    change = 0.0
    for iteration in range(1, limit + 1):
        for i in range(loads):
            re[i] = v0[i].real
            im[i] = v0[i].imag
        for j in range(loads):
            z, i_share, q_z, q_i = shares[j, 0], shares[j, 1], shares[j, 2], shares[j, 3]
            current = drawn_current(v[j], p[j], q[j], z, i_share, q_z, q_i, v_min[j], v_base[j])
            c, s = current.real, current.imag
            if c == 0.0 and s == 0.0:
                continue
            for i in range(loads):
                re[i] += coupling_re[j, i] * c - coupling_im[j, i] * s
                im[i] += coupling_re[j, i] * s + coupling_im[j, i] * c
        change = 0.0
        for i in range(loads):
            new = complex(re[i], im[i])
            step = abs(new - v[i]) / v_base[i]
            if step > change or np.isnan(step):
                change = step
            v[i] = new
        if change <= tolerance:
            return iteration, change
        if not change < 1e6:
            break
    return limit, change


@njit(cache=True, nogil=True)
def admittance_iteration(
    v0: Complex,
    coupling_re: Float,
    coupling_im: Float,
    p: Float,
    q: Float,
    shares: Float,
    v_min: Float,
    v_base: Float,
    tolerance: float,
    limit: int,
    v: Complex,
    moved: Complex,
    drawn: Complex,
    held: Complex,
    rest: Complex,
) -> tuple[int, float]:
    """Solve for the loads as admittances at the last voltage, half a step at a time.

    Slower than `fixed_point`, it converges near the limit of what the network carries and under faults.
    Potentials u of parts that loads alone hold are unknowns beside: ``V`` has ``moved u`` more, and
    ``drawn I + held u = rest``.

    Parameters
    ----------
    v0, coupling_re, coupling_im, p, q, shares, v_min, v_base, tolerance, limit, v
        As of `fixed_point`.
    moved, drawn : c128[parts, loads]
        Volts at each load point per volt of a part, and current of a part per ampere of a load.
    held : c128[parts, parts]
        [S]
    rest : c128[parts]
        [A]
    """
    loads, parts = v0.shape[0], rest.shape[0]
    level = np.empty(loads)
    for i in range(loads):
        level[i] = max(v_min[i], abs(v0[i]))
    size = loads + parts
    matrix = np.empty((size, size), dtype=np.complex128)
    x = np.empty(size, dtype=np.complex128)
    change = 0.0
    for iteration in range(1, limit + 1):
        for j in range(loads):
            u = level[j] / v_base[j]
            active = p[j] * drawn_share(u, shares[j, 0], shares[j, 1])
            reactive = q[j] * drawn_share(u, shares[j, 2], shares[j, 3])
            y = complex(active, -reactive) / (level[j] * level[j])
            for i in range(loads):
                matrix[i, j] = -complex(coupling_re[j, i], coupling_im[j, i]) * y
            matrix[j, j] += 1.0
            x[j] = v0[j]
            for g in range(parts):
                matrix[loads + g, j] = drawn[g, j] * y
                matrix[j, loads + g] = -moved[g, j]
        for g in range(parts):
            x[loads + g] = rest[g]
            for f in range(parts):
                matrix[loads + f, loads + g] = held[f, g]
        for k in range(size):
            pivot = k
            for i in range(k + 1, size):
                if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                    pivot = i
            if pivot != k:
                for j in range(k, size):
                    swap = matrix[k, j]
                    matrix[k, j] = matrix[pivot, j]
                    matrix[pivot, j] = swap
                swap = x[k]
                x[k] = x[pivot]
                x[pivot] = swap
            for i in range(k + 1, size):
                factor = matrix[i, k] / matrix[k, k]
                if factor == 0.0:
                    continue
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
                x[i] -= factor * x[k]
        for k in range(size - 1, -1, -1):
            for j in range(k + 1, size):
                x[k] -= matrix[k, j] * x[j]
            x[k] /= matrix[k, k]
        change = 0.0
        for i in range(loads):
            v[i] = x[i]
            # The order of the arguments lets a NaN through.
            new = v_min[i] if abs(v[i]) < v_min[i] else abs(v[i])
            step = abs(new - level[i]) / v_base[i]
            if step > change or np.isnan(step):
                change = step
            level[i] += 0.5 * (new - level[i])
        if change <= tolerance:
            return iteration, change
    return limit, change


@njit(cache=True, nogil=True)
def load_currents(
    v: Complex,
    p: Float,
    q: Float,
    shares: Float,
    v_min: Float,
    v_base: Float,
    emission: Complex,
    orders: Index,
    out: Complex,
) -> None:
    """Fill ``out`` c128[orders, loads] with what each load point draws at each order [A].

    Orders ascend. Order 1 follows from power; above it ``emission exp(j h arg V) |V| / max(|V|, Vmin)^2``,
    the same law as that of the fundamental current, so that a spectrum keeps its ratio to the fundamental.
    """
    for j in range(v.shape[0]):
        magnitude = abs(v[j])
        floor = max(magnitude, v_min[j])
        size = magnitude / (floor * floor)
        # Powers of the direction of V: cheaper than a sine and a cosine for each order.
        direction = v[j] / magnitude if magnitude > 0.0 else complex(1.0, 0.0)
        turn = complex(1.0, 0.0)
        reached = 0
        for h in range(orders.shape[0]):
            while reached < orders[h]:
                turn *= direction
                reached += 1
            if orders[h] == 1:
                z, i, q_z, q_i = shares[j, 0], shares[j, 1], shares[j, 2], shares[j, 3]
                out[h, j] = drawn_current(v[j], p[j], q[j], z, i, q_z, q_i, v_min[j], v_base[j])
            elif emission[j, h] == 0.0:
                out[h, j] = 0.0
            else:
                out[h, j] = emission[j, h] * turn * size


@njit(cache=True, nogil=True)
def apply_transfer(
    base: Complex,
    moved: Index,
    place: Index,
    transfer_re: Float,
    transfer_im: Float,
    current: Complex,
    orders: Index,
    out: Complex,
) -> None:
    """Fill ``out`` c128[rows, orders] with ``base`` (at order 1) plus the currents' effect.

    ``moved`` are the rows that any current has an effect on, those of the transfers. ``place`` says where
    each order's transfer is; one that no current flows at has none, and -1 there.
    """
    rows = moved.shape[0]
    re = np.empty(rows)
    im = np.empty(rows)
    for h in range(orders.shape[0]):
        for r in range(base.shape[0]):
            out[r, h] = base[r] if orders[h] == 1 else 0.0
        k = place[h]
        if k < 0:
            continue
        for r in range(rows):
            re[r] = out[moved[r], h].real
            im[r] = out[moved[r], h].imag
        for j in range(current.shape[1]):
            c, s = current[h, j].real, current[h, j].imag
            if c == 0.0 and s == 0.0:
                continue
            for r in range(rows):
                re[r] += transfer_re[k, j, r] * c - transfer_im[k, j, r] * s
                im[r] += transfer_re[k, j, r] * s + transfer_im[k, j, r] * c
        for r in range(rows):
            out[moved[r], h] = complex(re[r], im[r])
