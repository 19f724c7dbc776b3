"""Transformers: their data, their vector groups, and how windings become a matrix over terminals.

Every transformer here is a set of units, each with a winding on the high- and one on the low-voltage side
of the same core leg. A row of the incidence matrix says how the voltages of the terminals add up to the
voltage across the leakage impedance of one low-voltage winding; the admittance over the terminals is then
``N^T y N``. Vector groups differ in nothing but that matrix.
"""

import cmath
import math
import re
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from twin.grid.errors import GridError

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

VECTOR_GROUPS = (
    *(f"{high}{low}{clock}" for high in ("D",) for low in ("y", "yn") for clock in (1, 5, 7, 11)),
    *(f"{high}{low}{clock}" for high in ("Y", "YN") for low in ("d",) for clock in (1, 5, 7, 11)),
    *(f"{high}{low}{clock}" for high in ("Y", "YN") for low in ("y", "yn") for clock in (0, 6)),
    *(f"Dd{clock}" for clock in (0, 2, 4, 6, 8, 10)),
    *(f"D{low}{clock}" for low in ("z", "zn") for clock in (0, 2, 4, 6, 8, 10)),
    *(f"{high}{low}{clock}" for high in ("Y", "YN") for low in ("z", "zn") for clock in (1, 5, 7, 11)),
    "Ii0",
    "Ii6",
)
"""Connections after IEC 60076-1, 6: letters of high and low voltage, hours by which the low voltage lags."""

_GROUP = re.compile(r"(YN|Y|D|I)(yn|y|d|zn|z|i)(\d+)")


@dataclass(frozen=True, slots=True)
class Transformer:
    """Equal single-phase units between two buses, or one unit (vector group Ii).

    The short-circuit impedance is that of the units, seen from the low-voltage side. A star point that the
    vector group brings out (N, n) goes to the neutral conductor where the bus has one, else to earth
    through its impedance. The magnetising branch, if there is one, lies across the low-voltage windings.
    """

    name: str
    hv_bus: str
    lv_bus: str
    s_rated: float
    """Rating of all units together [VA]."""
    u_hv: float
    """Rated voltage of the high-voltage side, line to line; of an Ii unit: of its winding [V]."""
    u_lv: float
    """Rated voltage of the low-voltage side, likewise [V]."""
    vk_percent: float
    """Short-circuit voltage [%]."""
    vkr_percent: float
    """Its resistive part [%]."""
    vector_group: str
    """One of `VECTOR_GROUPS`."""
    p_iron: float = 0.0
    """No-load losses of all units at rated voltage [W]."""
    i0_percent: float = 0.0
    """No-load current, of the rated current [%]."""
    hv_phases: str = "abc"
    """Phases of the high-voltage winding: abc; of an Ii unit one (to neutral or earth) or two."""
    lv_phases: str = "abc"
    """Phases of the low-voltage winding."""
    vk0_percent: float | None = None
    """Short-circuit voltage in the zero sequence; None: as `vk_percent`. Of Yyn, which lets no zero-sequence
    current pass: what its low-voltage star shows by the flux through the tank; None: open [%]."""
    vkr0_percent: float | None = None
    """Its resistive part [%]."""
    r_star_hv: float = 0.0
    """Resistance between the high-voltage star point and earth [ohm]."""
    x_star_hv: float = 0.0
    """Reactance likewise, at rated frequency [ohm]."""
    r_star_lv: float = 0.0
    """Resistance between the low-voltage star point and earth [ohm]."""
    x_star_lv: float = 0.0
    """Reactance likewise [ohm]."""
    tap_side: str = "hv"
    """``hv`` or ``lv``: the side that has the taps."""
    tap: int = 0
    """Position; 0 is the rated ratio."""
    tap_min: int = 0
    tap_max: int = 0
    tap_step_percent: float = 0.0
    """Change of that side's voltage from one position to the next [%]."""
    knee_percent: float | None = None
    """Flux at the knee of the core's characteristic, of the rated one; None: the core never saturates [%]."""
    air_core_percent: float | None = None
    """Reactance of the energised windings beyond the knee, of the rating's base [%]."""
    remanence_percent: tuple[float, ...] = ()
    """Flux that stays in the legs, of the rated one: three that add up to zero, or the first leg's alone,
    with its opposite in the third [%]."""

    @property
    def from_bus(self) -> str:
        """The high-voltage bus: the branch's ``from`` end."""
        return self.hv_bus

    @property
    def to_bus(self) -> str:
        """The low-voltage bus: the branch's ``to`` end."""
        return self.lv_bus

    @property
    def single_phase(self) -> bool:
        """Whether it is one unit."""
        return self.vector_group.startswith("I")

    def voltage_at_tap(self, side: str, tap: int | None = None) -> float:
        """Return the no-load voltage of a side at a position, the present one by default [V]."""
        rated = self.u_hv if side == "hv" else self.u_lv
        if side != self.tap_side:
            return rated
        return rated * (1.0 + (self.tap if tap is None else tap) * self.tap_step_percent / 100.0)


@dataclass(frozen=True, slots=True)
class TapChanger:
    """A voltage regulator's control: it moves a transformer's taps to hold a voltage.

    The voltage that it sees is that of one phase at its bus over the voltage transformer's ratio, less the
    drop of the transformer's current over ``r_line + j x_line`` at rated current transformer current.
    """

    name: str
    transformer: str
    u_set: float
    """Voltage to hold, secondary [V]."""
    bandwidth: float
    """Width of the band around it that is left alone [V]."""
    pt_ratio: float
    """Primary over secondary of its voltage transformer."""
    phase: str = "a"
    """Phase that it measures, to neutral or earth; two letters: between phases."""
    ct_primary: float = 0.0
    """Rated primary current of its current transformer; 0: no line drop compensation [A]."""
    r_line: float = 0.0
    """Compensated drop at that current, in phase [V]."""
    x_line: float = 0.0
    """Compensated drop in quadrature [V]."""
    delay: float = 15.0
    """Time outside the band before it moves [s]."""
    tap_delay: float = 2.0
    """Time from one step to the next [s]."""
    bus: str = ""
    """Bus whose voltage it holds; the one at its transformer's low-voltage side when empty."""
    undervoltage_percent: float = 80.0
    """Below this, of ``u_set``, it does not move: what a tap changer cannot mend [%]."""


@dataclass(frozen=True, slots=True, eq=False)
class Windings:
    """How the voltages of the terminals make those across the leakage impedances."""

    incidence: Float
    """(rows, 8): hv a b c star, lv a b c star; high-voltage terms are referred to the low-voltage side."""
    low: Float
    """(rows, 4): the low-voltage windings alone, lv a b c star."""
    z_factor: float
    """Impedance base of a low-voltage winding over that of the side, U^2 / S."""


def parse_vector_group(group: str) -> tuple[str, str, int]:
    """Return the letters of high and low voltage, and the clock number.

    Raises
    ------
    GridError
        A group that is none of `VECTOR_GROUPS`.
    """
    match = _GROUP.fullmatch(group)
    if match is None or group not in VECTOR_GROUPS:
        raise GridError(f"vector group '{group}' is unknown; give one of {', '.join(VECTOR_GROUPS)}")
    return match[1], match[2], int(match[3])


def windings(transformer: Transformer) -> Windings:
    """Return the incidence of a transformer's windings at its present tap."""
    u_hv, u_lv = transformer.voltage_at_tap("hv"), transformer.voltage_at_tap("lv")
    high, low, clock = parse_vector_group(transformer.vector_group)
    if high == "I":
        return _single(transformer, u_hv, u_lv, clock)
    legs = _star() if high.startswith("Y") else _delta()
    side = _delta() if low == "d" else _star()
    balanced = np.array([1.0, _unit(-120.0), _unit(120.0), 0.0])
    leg_voltage = legs @ balanced / math.sqrt(3.0) * u_hv
    wanted = side @ balanced / math.sqrt(3.0) * u_lv * _unit(-30.0 * clock)
    choice = _winding_of_legs(leg_voltage, wanted, zigzag=low.startswith("z"))
    incidence = np.concatenate((choice @ legs, -side), axis=1)
    return Windings(incidence, side, 3.0 if low == "d" else 1.0)


def _star() -> Float:
    return np.concatenate((np.eye(3), -np.ones((3, 1))), axis=1)


def _delta() -> Float:
    out = np.zeros((3, 4))
    for k in range(3):
        out[k, k], out[k, (k + 1) % 3] = 1.0, -1.0
    return out


def _unit(angle_deg: float) -> complex:
    return cmath.rect(1.0, math.radians(angle_deg))


def _winding_of_legs(leg: Complex, wanted: Complex, *, zigzag: bool) -> Float:
    """Return (3, 3): the legs that make each low-voltage winding's voltage, with their ratio.

    Which leg a winding sits on, and which way round, is what the clock number decides.
    """
    for shift, sign, other in product(range(3), (1.0, -1.0), (1, 2) if zigzag else (0,)):
        choice = np.zeros((3, 3))
        for k in range(3):
            choice[k, (k + shift) % 3] = sign
            if other:
                choice[k, (k + shift + other) % 3] = -sign
        made = choice @ leg
        ratio = wanted / made
        if np.all(np.abs(ratio.imag) < 1e-9 * np.abs(ratio)) and np.all(ratio.real > 0):
            return choice * float(ratio.real.mean())
    raise GridError("no arrangement of the windings has that clock number")


def _single(transformer: Transformer, u_hv: float, u_lv: float, clock: int) -> Windings:
    incidence = np.zeros((1, 8))
    ratio = u_lv / u_hv * (1.0 if clock == 0 else -1.0)
    for letters, at, weight in ((transformer.hv_phases, 0, ratio), (transformer.lv_phases, 4, -1.0)):
        plus, minus = winding_ends(letters)
        incidence[0, at + plus] += weight
        incidence[0, at + minus] -= weight
    return Windings(incidence, -incidence[:, 4:], 1.0)


def winding_ends(phases: str) -> tuple[int, int]:
    """Return the conductors (of a b c n) between which a winding of one unit lies; the last one is 'n'."""
    letters = phases if len(phases) == 2 else phases + "n"
    return "abcn".index(letters[0]), "abcn".index(letters[1])


def transformer_admittance(
    transformer: Transformer, h: Float, *, hv_neutral: bool, lv_neutral: bool
) -> Complex:
    """Return c128[orders, 8, 8] over hv a b c n, lv a b c n [S].

    Parameters
    ----------
    transformer : Transformer
    h : f64[orders]
        Frequency over the rated one.
    hv_neutral, lv_neutral : bool
        Whether the bus has a neutral conductor, to which a star point goes then. Without one its row and
        column are zero: what is left of the star point is inside the matrix.
    """
    wound = windings(transformer)
    # Relative to the voltage at the present tap: impedance grows with the square of the turns.
    base = wound.z_factor * transformer.voltage_at_tap("lv") ** 2 / transformer.s_rated
    y1 = _leakage(transformer.vk_percent, transformer.vkr_percent, base, h)
    count = wound.incidence.shape[0]
    rows = y1[:, None, None] * np.eye(count)
    high, low, _ = parse_vector_group(transformer.vector_group)
    tank = np.zeros((h.size, 3, 3), dtype=np.complex128)
    if transformer.vk0_percent is not None and count == 3:
        y0 = _leakage(transformer.vk0_percent, transformer.vkr0_percent or 0.0, base, h)
        if high == "Y" and low == "yn":
            # No current of the other star balances it: what counts is the flux's way through the tank.
            tank = (y0 / 3.0)[:, None, None] * np.ones((3, 3))
        else:
            rows = rows + ((y0 - y1) / 3.0)[:, None, None] * np.ones((3, 3))
    out = np.einsum("ri,hrs,sj->hij", wound.incidence, rows, wound.incidence)
    if tank.any():
        out[:, 4:, 4:] += np.einsum("ri,hrs,sj->hij", wound.low, tank, wound.low)
    out[:, 4:, 4:] += np.einsum("ri,h,rj->hij", wound.low, _magnetising(transformer, base, h), wound.low)
    _star_point(out, 3, h, hv_neutral, high in {"YN", "I"}, transformer.r_star_hv, transformer.x_star_hv)
    _star_point(out, 7, h, lv_neutral, low in {"yn", "zn", "i"}, transformer.r_star_lv, transformer.x_star_lv)
    return np.asarray(out, dtype=np.complex128)


def _leakage(vk: float, vkr: float, base: float, h: Float) -> Complex:
    r = vkr / 100.0 * base
    x = math.sqrt(max((vk / 100.0 * base) ** 2 - r**2, 0.0))
    return np.asarray(1.0 / (r + 1j * h * x))


def _magnetising(transformer: Transformer, base: float, h: Float) -> Complex:
    """Return the shunt admittance of each low-voltage winding, inductive part over h [S]."""
    units = 1.0 / base
    size = transformer.i0_percent / 100.0 * units
    g = transformer.p_iron / transformer.s_rated * units
    b = math.sqrt(max(size**2 - g**2, 0.0))
    return np.asarray(g - 1j * b / h)


def _star_point(
    out: Complex, at: int, h: Float, neutral: bool, brought_out: bool, r: float, x: float
) -> None:
    """Leave the star point's terminal, or take it out: earthed, through an impedance, or floating."""
    if neutral and brought_out:
        return
    if brought_out and not (r or x):
        out[:, at, :] = out[:, :, at] = 0.0
        return
    for n, ratio in enumerate(h):
        pivot = out[n, at, at] + (1.0 / complex(r, ratio * x) if brought_out else 0.0)
        # Nothing holds a star point whose counterpart floats too: then it is coupled to nothing either.
        if abs(pivot) > 1e-9 * np.abs(out[n]).max():
            out[n] -= np.outer(out[n, :, at], out[n, at, :]) / pivot
        out[n, at, :] = out[n, :, at] = 0.0
