"""Elements as admittances between conductors, at any order: R constant, X times h, C times h.

Everything here is elementwise arithmetic; matrices are built from closed forms.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.grid.components import PHASES, Bus, Capacitor, Fault, Grounding, Line, Source
from twin.grid.errors import GridError

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

FAULT_PHASES = {
    "slg": ("a", "b", "c"),
    "ll": ("ab", "bc", "ca"),
    "llg": ("ab", "bc", "ca"),
    "3ph": ("abc",),
}
"""Phases that each type of fault can have, in any order of the letters."""

_SHORT = 1e-8
"""Impedance that stands for none in a filter at its tuned order, of the reactance of its capacitor."""


def sequence_block(y1: NDArray[Any], y0: NDArray[Any]) -> Complex:
    """Return phase blocks (.., 3, 3) of balanced elements from positive- and zero-sequence admittances.

    ``Ys = (Y0 + 2 Y1) / 3`` on the diagonal, ``Ym = (Y0 - Y1) / 3`` beside it [S]; the inverse of the same
    rule for impedances.
    """
    own = (y0 + 2.0 * y1) / 3.0
    mutual = (y0 - y1) / 3.0
    eye = np.eye(3)
    block = own[..., None, None] * eye + mutual[..., None, None] * (1.0 - eye)
    return np.asarray(block, dtype=np.complex128)


def inverse(block: Complex) -> Complex:
    """Return the inverses of blocks (.., n, n), n at most 4, by Gauss-Jordan with row pivoting.

    Raises
    ------
    GridError
        A block is singular.
    """
    size = block.shape[-1]
    flat = block.reshape(-1, size, size)
    out = np.empty_like(flat)
    for at, matrix in enumerate(flat):
        work = np.concatenate((matrix, np.eye(size)), axis=1)
        for k in range(size):
            pivot = k + int(np.argmax(np.abs(work[k:, k])))
            if not abs(work[pivot, k]) > 1e-14 * np.abs(matrix).max():
                raise GridError("the impedance matrix is singular")
            work[[k, pivot]] = work[[pivot, k]]
            work[k] /= work[k, k]
            for i in range(size):
                if i != k:
                    work[i] -= work[i, k] * work[k]
        out[at] = work[:, size:]
    return out.reshape(block.shape)


def sequence_lines(lines: Sequence[Line], h: Float, omega: Float) -> Complex:
    """Return c128[orders, lines, 2, 2, 3, 3] of lines abc with sequence values.

    ``I_end = sum_other Y[end, other] V_other``, currents from the bus into the line [S]. ``h`` is the
    frequency over the rated one, ``omega`` the angular frequency [rad/s], both of shape (orders,).
    """
    data = np.array([[ln.r1, ln.x1, ln.r0, ln.x0, ln.c1, ln.c0] for ln in lines], dtype=np.float64)
    r1, x1, r0, x0, c1, c0 = data.reshape(-1, 6).T
    ratio, turn = h[:, None], omega[:, None]
    series = sequence_block(1.0 / (r1 + 1j * ratio * x1), 1.0 / (r0 + 1j * ratio * x0))
    charging = sequence_block(0.5j * turn * c1, 0.5j * turn * c0)
    return _pi_section(series, charging)


def matrix_line(line: Line, h: Float, omega: Float) -> Complex:
    """Return c128[orders, 2, 2, n, n] of any line; as `sequence_lines`.

    A line of fewer than three phases with sequence values has the self and mutual impedances that these
    give for three.
    """
    r, x, c = line_matrices(line)
    z = r[None] + 1j * h[:, None, None] * x[None]
    return _pi_section(inverse(z), 0.5j * omega[:, None, None] * c[None])


def line_matrices(line: Line) -> tuple[Float, Float, Float]:
    """Return R, X [ohm] and the nodal C [F] of a line over its conductors."""
    size = len(line.phases)
    if line.r is not None and line.x is not None:
        c = np.zeros((size, size)) if line.c is None else np.array(line.c, dtype=np.float64)
        return np.array(line.r, dtype=np.float64), np.array(line.x, dtype=np.float64), c
    values = [(line.r1, line.r0), (line.x1, line.x0), (line.c1, line.c0)]
    parts = []
    for positive, zero in values:
        one, nought = positive or 0.0, zero or 0.0
        own, mutual = (nought + 2.0 * one) / 3.0, (nought - one) / 3.0
        parts.append(np.full((size, size), mutual) + (own - mutual) * np.eye(size))
    return parts[0], parts[1], parts[2]


def _pi_section(series: Complex, charging: NDArray[Any]) -> Complex:
    own = series + charging
    top = np.stack((own, -series), axis=-3)
    bottom = np.stack((-series, own), axis=-3)
    return np.stack((top, bottom), axis=-4)


def source_block(source: Source, h: float) -> Complex:
    """Return c128[3, 3], the admittance of a source's own impedance to earth at order ``h`` [S]."""
    y1 = np.array(1.0 / complex(source.r1, h * source.x1))
    if source.star_point == "isolated":
        return sequence_block(y1, np.zeros_like(y1))
    z0 = complex(source.r0 + 3.0 * source.r_star, h * (source.x0 + 3.0 * source.x_star))
    return sequence_block(y1, np.array(1.0 / z0))


def source_voltage(source: Source, bus: Bus) -> Complex:
    """Return c128[3], the phase voltages behind a source's impedance, RMS [V]."""
    magnitude = source.u_pu * bus.u_phase
    return np.array([magnitude * _unit(source.angle_deg - 120.0 * phase) for phase in range(3)])


def _unit(angle_deg: float) -> complex:
    """Return a unit phasor; those of b and c mirror each other to the last bit when a lies at 0."""
    angle = math.radians(math.remainder(angle_deg, 360.0))
    return complex(math.cos(angle), math.sin(angle))


def capacitor_admittance(capacitor: Capacitor, bus: Bus, h: float) -> complex:
    """Return the admittance of each unit, its reactor included [S].

    ``Y = 1 / (R + j (h X_L - X_C / h))`` with ``X_L`` the given share of ``X_C``. A reactor without losses at
    the very order that it is tuned to is a short circuit: 1e-8 of ``X_C`` stands for none.
    """
    count = len(capacitor.phases)
    u = bus.u_phase
    if capacitor.u_rated is not None:
        u = capacitor.u_rated / math.sqrt(3.0) if len(bus.phases.replace("n", "")) > 1 else capacitor.u_rated
    sides = count
    if capacitor.connection == "delta":
        u *= math.sqrt(3.0)
        sides = 3 if count == 3 else 1
    x_c = u**2 * sides / capacitor.q_rated
    if not capacitor.reactor_percent:
        return complex(0.0, h / x_c)
    x_l = capacitor.reactor_percent / 100.0 * x_c
    r = x_l / capacitor.quality if capacitor.quality else 0.0
    z = complex(r, h * x_l - x_c / h)
    return 1.0 / z if abs(z) > _SHORT * x_c else complex(1.0 / (_SHORT * x_c))


def capacitor_sides(capacitor: Capacitor) -> tuple[str, ...]:
    """Return the phases or pairs of phases between which the units lie, a star's to neutral or earth."""
    if capacitor.connection != "delta":
        return tuple(capacitor.phases)
    return ("ab", "bc", "ca") if len(capacitor.phases) == 3 else (capacitor.phases,)


def grounding_admittance(grounding: Grounding, h: float, bolted: float) -> complex:
    """Return the admittance to earth, ``bolted`` where there is no impedance [S]."""
    z = complex(grounding.r, h * grounding.x)
    return 1.0 / z if abs(z) * bolted > 1.0 else complex(bolted)


def fault_block(fault: Fault, bolted: float) -> Complex:
    """Return c128[3, 3], the admittance that a fault adds at its bus [S].

    Parameters
    ----------
    fault : Fault
    bolted : float
        Admittance that stands for no resistance at all [S].

    Raises
    ------
    GridError
        A type, phases or a resistance that make no fault.
    """
    check_fault(fault)
    y = min(1.0 / fault.resistance, bolted) if fault.resistance > 0.0 else bolted
    out = np.zeros((3, 3), dtype=np.complex128)
    phases = [PHASES.index(letter) for letter in fault.phases]
    for i in phases:
        out[i, i] = y
    if fault.type == "ll":
        i, j = phases
        out[i, j] = out[j, i] = -y
    return out


def check_fault(fault: Fault) -> None:
    """Raise `GridError` where type, phases and resistance do not fit together."""
    if fault.type not in FAULT_PHASES:
        raise GridError(f"fault type '{fault.type}' is unknown; give one of {', '.join(FAULT_PHASES)}")
    if sorted(fault.phases) not in [sorted(phases) for phases in FAULT_PHASES[fault.type]]:
        choice = ", ".join(FAULT_PHASES[fault.type])
        raise GridError(f"a fault of type {fault.type} cannot have phases '{fault.phases}'; give {choice}")
    if not 0.0 <= fault.resistance < math.inf:
        raise GridError(f"a fault's resistance cannot be {fault.resistance:g} ohm; give 0 or more")


def without(block: Complex, open_terminals: Sequence[int]) -> Complex:
    """Return blocks (orders, n, n) whose open terminals carry no current.

    The terminals are eliminated (Kron); their rows and columns are zero afterwards.
    """
    out = block.copy()
    for at in open_terminals:
        for n in range(out.shape[0]):
            pivot = out[n, at, at]
            if abs(pivot) > 1e-12 * np.abs(block[n]).max():
                out[n] -= np.outer(out[n, :, at], out[n, at, :]) / pivot
            out[n, at, :] = out[n, :, at] = 0.0
    # What is left of a series impedance with an open end is rounding, not a path.
    limit = 1e-12 * np.abs(block).max(axis=(1, 2), keepdims=True)
    return np.where(np.abs(out) > limit, out, 0.0)
