"""Elements as admittances between phases, at any order: R constant, X times h, C times h.

Everything here is elementwise arithmetic; matrices are built from closed forms.
"""

import math

import numpy as np
from numpy.typing import NDArray

from twin.grid.components import PHASES, Capacitor, Fault, Network, Source, Transformer
from twin.grid.errors import GridError

Complex = NDArray[np.complex128]

COUPLING = {
    "Dyn1": ((0, 2), (1, 0), (2, 1)),
    "Dyn5": ((1, 0), (2, 1), (0, 2)),
    "Dyn7": ((2, 0), (0, 1), (1, 2)),
    "Dyn11": ((0, 1), (1, 2), (2, 0)),
}
"""Delta terminals (+, -) across which the winding coupled to star phase a, b, c lies."""

FAULT_PHASES = {
    "slg": ("a", "b", "c"),
    "ll": ("ab", "bc", "ca"),
    "llg": ("ab", "bc", "ca"),
    "3ph": ("abc",),
}
"""Phases that each type of fault can have, in any order of the letters."""


def sequence_block(y1: Complex, y0: Complex) -> Complex:
    """Return phase blocks (.., 3, 3) of balanced elements from positive- and zero-sequence admittances.

    ``Ys = (Y0 + 2 Y1) / 3`` on the diagonal, ``Ym = (Y0 - Y1) / 3`` beside it [S]; the inverse of the same
    rule for impedances.
    """
    own = (y0 + 2.0 * y1) / 3.0
    mutual = (y0 - y1) / 3.0
    eye = np.eye(3)
    return own[..., None, None] * eye + mutual[..., None, None] * (1.0 - eye)


def branch_blocks(network: Network, orders: NDArray[np.int64], *, frequency_ratio: float = 1.0) -> Complex:
    """Return the admittance of every branch by end and end.

    Parameters
    ----------
    network : Network
    orders : int[orders]
    frequency_ratio : float
        Actual over rated frequency.

    Returns
    -------
    c128[orders, branches, 2, 2, 3, 3]
        ``I_end = sum_other Y[end, other] V_other``, currents from the bus into the branch [S].
    """
    out = np.zeros((len(orders), len(network.branches), 2, 2, 3, 3), dtype=np.complex128)
    h = np.asarray(orders, dtype=np.float64)[:, None] * frequency_ratio
    count = len(network.lines)
    if count:
        data = np.array([[ln.r1, ln.x1, ln.r0, ln.x0, ln.c1, ln.c0] for ln in network.lines])
        r1, x1, r0, x0, c1, c0 = data.T
        series = sequence_block(1.0 / (r1 + 1j * h * x1), 1.0 / (r0 + 1j * h * x0))
        omega = 2.0 * math.pi * network.frequency * h
        charging = sequence_block(0.5j * omega * c1, 0.5j * omega * c0)
        out[:, :count, 0, 0] = out[:, :count, 1, 1] = series + charging
        out[:, :count, 0, 1] = out[:, :count, 1, 0] = -series
    for at, transformer in enumerate(network.transformers, start=count):
        for n, ratio in enumerate(h[:, 0]):
            out[n, at] = transformer_block(transformer, float(ratio))
    return out


def transformer_block(transformer: Transformer, h: float) -> Complex:
    """Return c128[2, 2, 3, 3], the admittance of three single-phase units at order ``h`` [S].

    Each unit is ``y = 1 / (R + j h X)`` seen from its star winding, with one terminal of that winding
    earthed. Its high-voltage winding lies between two phases (D) or between a phase and earth (YN).
    """
    z_base = transformer.u_lv**2 / transformer.s_rated
    r = transformer.vkr_percent / 100.0 * z_base
    x = math.sqrt(max((transformer.vk_percent / 100.0 * z_base) ** 2 - r**2, 0.0))
    y = 1.0 / complex(r, h * x)
    star = transformer.u_lv / math.sqrt(3.0)
    delta = transformer.vector_group != "YNyn0"
    ratio = transformer.u_hv / star if delta else transformer.u_hv / transformer.u_lv
    out = np.zeros((2, 2, 3, 3), dtype=np.complex128)
    for phase in range(3):
        terminals = [(0, phase, 1.0 / ratio), (1, phase, -1.0)]
        if delta:
            plus, minus = COUPLING[transformer.vector_group][phase]
            terminals = [(0, plus, 1.0 / ratio), (0, minus, -1.0 / ratio), (1, phase, -1.0)]
        for end, i, weight in terminals:
            for other, j, factor in terminals:
                out[end, other, i, j] += weight * factor * y
    magnetising = _magnetising(transformer, h)
    for phase in range(3):
        out[1, 1, phase, phase] += magnetising
    return out


def _magnetising(transformer: Transformer, h: float) -> complex:
    """Return the shunt admittance of one unit, star side: G constant, B over h [S]."""
    rated = transformer.u_lv**2
    conductance = transformer.p_iron / rated
    total = transformer.i0_percent / 100.0 * transformer.s_rated / rated
    return complex(conductance, -math.sqrt(max(total**2 - conductance**2, 0.0)) / h)


def source_block(source: Source, h: float) -> Complex:
    """Return c128[3, 3], the admittance of a source's own impedance to earth at order ``h`` [S]."""
    y1 = np.array(1.0 / complex(source.r1, h * source.x1))
    y0 = np.array(1.0 / complex(source.r0, h * source.x0))
    return sequence_block(y1, y0)


def source_voltage(source: Source, u_rated: float) -> Complex:
    """Return c128[3], the phase voltages behind a source's impedance, RMS [V]."""
    magnitude = source.u_pu * u_rated / math.sqrt(3.0)
    return np.array([magnitude * _unit(source.angle_deg - 120.0 * phase) for phase in range(3)])


def _unit(angle_deg: float) -> complex:
    """Return a unit phasor; those of b and c mirror each other to the last bit when a lies at 0."""
    angle = math.radians(math.remainder(angle_deg, 360.0))
    return complex(math.cos(angle), math.sin(angle))


def capacitor_admittance(capacitor: Capacitor, u_rated: float, h: float) -> complex:
    """Return j h B of each phase to earth [S]."""
    return complex(0.0, h * capacitor.q_rated / u_rated**2)


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
