"""Short and long variations of the voltage: sags, swells, interruptions, under- and overvoltages, unbalance.

A variation multiplies the voltages of a stretch by one complex factor per phase: its size is the voltage
that remains, its angle the jump of phase.
"""

import cmath
import math
from dataclasses import replace
from typing import Final

import numpy as np

from twin.contracts import Segment, Signal
from twin.signals.disturbances.editing import DisturbanceError, between, require_numbers, rows_of

Factors = tuple[complex, complex, complex]
_A: Final = cmath.exp(2j * math.pi / 3.0)
SAG_TYPES: Final = "ABCDEFG"


def vary(
    signal: Signal,
    start_ns: int,
    end_ns: int,
    factors: Factors,
    *,
    current_factors: Factors = (1.0, 1.0, 1.0),
) -> Signal:
    """Return a signal whose voltages are multiplied by complex factors for a time.

    Parameters
    ----------
    signal : Signal
        With channels ``va`` .. ``ic``; the factor of a negative order or rate is that of its positive one.
    start_ns, end_ns : int
        UTC [ns].
    factors : tuple of complex
        Of va, vb, vc. An angle turns a harmonic of order h by h times as much: a jump in time.
    current_factors : tuple of complex
        Of ia, ib, ic.

    References
    ----------
    IEEE Std 1159-2019, 4.4 (short-duration), 4.5 (long-duration root-mean-square variations).
    """
    for name, factor in zip("abcabc", (*factors, *current_factors), strict=True):
        require_numbers(**{f"factor of phase {name}": factor})
    size = np.ones(len(signal.channels))
    turn = np.zeros(len(signal.channels))
    for quantity, wanted in (("v", factors), ("i", current_factors)):
        for phase, factor in zip("abc", wanted, strict=True):
            if factor == 1.0:
                continue
            for row in rows_of(signal, phase, quantity):
                size[row], turn[row] = abs(factor), cmath.phase(factor)

    def change(segment: Segment) -> Segment:
        # Own frequencies turn with their distance to the fundamental's.
        order = segment.order + segment.rate.imag / (2.0 * math.pi * segment.frequency)
        factor = size[:, np.newaxis] * np.exp(1j * turn[:, np.newaxis] * order)
        amplitude = segment.amplitude * factor
        block = segment.block
        if block is not None:
            if turn.any():
                raise DisturbanceError("samples cannot jump in phase; give factors without an angle")
            block = replace(block, samples=block.samples * size[:, np.newaxis])
        return replace(segment, amplitude=amplitude, block=block)

    return between(signal, start_ns, end_ns, change)


def divider(source_impedance: complex, feeder_impedance: complex) -> complex:
    """Return the voltage that remains where a fault's current branches off, over that before the fault.

    Parameters
    ----------
    source_impedance, feeder_impedance : complex
        From the source to the point that is looked at, and from there to the fault [ohm].

    Returns
    -------
    complex
        Its angle is the jump of phase.

    References
    ----------
    M. H. J. Bollen, Understanding Power Quality Problems, 1999, 4.2: V = Z_F / (Z_S + Z_F).
    """
    total = source_impedance + feeder_impedance
    if total == 0:
        raise DisturbanceError("both impedances are zero; give the source or the feeder one")
    return feeder_impedance / total


def sag_factors(kind: str, characteristic: complex) -> Factors:
    """Return the factors of a three-phase unbalanced sag from its characteristic voltage.

    Parameters
    ----------
    kind : str
        ``A`` three-phase; ``B`` single-phase at the fault's own level; ``C``, ``D`` what a single- or
        two-phase fault makes behind transformers; ``E`` two phases to earth; ``F``, ``G`` the same behind
        transformers. The symmetrical phase is a.
    characteristic : complex
        Voltage that remains, per unit of that before.

    References
    ----------
    M. H. J. Bollen, Understanding Power Quality Problems, 1999, table 4.5.
    """
    v, half, leg = characteristic, 0.5, 0.5 * math.sqrt(3.0)
    phasors = {
        "A": (v, v * (-half - 1j * leg), v * (-half + 1j * leg)),
        "B": (v, -half - 1j * leg, -half + 1j * leg),
        "C": (1.0, -half - 1j * leg * v, -half + 1j * leg * v),
        "D": (v, -half * v - 1j * leg, -half * v + 1j * leg),
        "E": (1.0, v * (-half - 1j * leg), v * (-half + 1j * leg)),
        "F": (
            v,
            -half * v - 1j * (math.sqrt(3.0) / 3.0 + math.sqrt(3.0) / 6.0 * v),
            -half * v + 1j * (math.sqrt(3.0) / 3.0 + math.sqrt(3.0) / 6.0 * v),
        ),
        "G": (
            2.0 / 3.0 + v / 3.0,
            -1.0 / 3.0 - v / 6.0 - 1j * leg * v,
            -1.0 / 3.0 - v / 6.0 + 1j * leg * v,
        ),
    }
    if kind not in phasors:
        raise DisturbanceError(f"there is no sag of type '{kind}'; use one of {', '.join(SAG_TYPES)}")
    a, b, c = (complex(phasor) for phasor in phasors[kind])
    return a, b / _A**2, c / _A


def sag(signal: Signal, start_ns: int, end_ns: int, *, residual: complex, phases: str = "abc") -> Signal:
    """Return a signal with a sag, swell, interruption, under- or overvoltage on some phases.

    Parameters
    ----------
    residual : complex
        Voltage that remains, per unit; 0 is an interruption, above 1 a swell. Its angle is the jump of phase.
    phases : str
        For example ``"a"`` or ``"bc"``.

    References
    ----------
    IEEE Std 1159-2019, 4.4 and 4.5; table 2 names them, see `category`.
    """
    rows_of(signal, phases, "v")
    a, b, c = (residual if phase in phases else 1.0 for phase in "abc")
    return vary(signal, start_ns, end_ns, (a, b, c))


def unbalanced(
    signal: Signal, start_ns: int, end_ns: int, *, negative: complex, zero: complex = 0j
) -> Signal:
    """Return a signal with unbalanced voltages; those before must be a balanced positive sequence.

    Parameters
    ----------
    negative, zero : complex
        Negative and zero sequence per unit of the positive one.

    References
    ----------
    IEEE Std 1159-2019, 4.6; the factors follow from Fortescue's components.
    """
    a = 1.0 + negative + zero
    b = (_A**2 + _A * negative + zero) / _A**2
    c = (_A + _A**2 * negative + zero) / _A
    return vary(signal, start_ns, end_ns, (a, b, c))
