"""Transients: impulses of two exponentials, and oscillations that follow from L, C and R.

Poles that coincide are taken as two, 1e-4 of themselves apart: their difference quotient is the
critically damped response to 1e-8 of its peak.
"""

import cmath
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Segment, Signal
from twin.signals.disturbances.editing import (
    DisturbanceError,
    add_decaying,
    as_anchored,
    cut,
    require_numbers,
    require_positive,
    rows_of,
    with_terms,
)
from twin.signals.phase import carried_theta

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

_APART: Final = 1e-4
_GONE: Final = 1e-11
"""A natural oscillation below this share of the voltage is left out."""


def impulse_rates(front_s: float, half_value_s: float) -> tuple[float, float, float]:
    """Return slow rate, fast rate and scale of the impulse ``scale (exp(-slow t) - exp(-fast t))`` of peak 1.

    Parameters
    ----------
    front_s : float
        Front time T1 = (t90 - t30) / 0.6, for example 1.2 us [s].
    half_value_s : float
        Time to half value T2, from the virtual origin, for example 50 us [s].

    Raises
    ------
    DisturbanceError
        If no two exponentials rise and fall so.

    References
    ----------
    IEC 60060-1:2010, 7.1.18 and 7.1.22 (definitions of T1 and T2).
    """
    from scipy.optimize import brentq, root  # noqa: PLC0415

    if not 0.0 < 4.0 * front_s < half_value_s:
        raise DisturbanceError(
            f"front {front_s} s and half value {half_value_s} s are no impulse; "
            "let it fall over four times slower"
        )

    def times(slow: float, fast: float) -> tuple[float, float, float]:
        crest = math.log(fast / slow) / (fast - slow)
        peak = math.exp(-slow * crest) - math.exp(-fast * crest)

        def reach(level: float, low: float, high: float) -> float:
            return float(
                brentq(lambda t: (math.exp(-slow * t) - math.exp(-fast * t)) / peak - level, low, high)
            )

        t30, t90 = reach(0.3, 0.0, crest), reach(0.9, 0.0, crest)
        origin = t30 - 0.5 * (t90 - t30)
        return (t90 - t30) / 0.6, reach(0.5, crest, crest + 50.0 / slow) - origin, peak

    def miss(logs: np.ndarray) -> list[float]:
        slow, ratio = math.exp(logs[0]), 1.0 + math.exp(logs[1])
        front, half, _ = times(slow, slow * ratio)
        return [math.log(front / front_s), math.log(half / half_value_s)]

    found = root(miss, [math.log(0.7 / half_value_s), math.log(3.0 * half_value_s / front_s)], tol=1e-12)
    if not max(abs(value) for value in miss(found.x)) < 1e-6:
        raise DisturbanceError(f"no two exponentials rise in {front_s} s and halve in {half_value_s} s")
    slow = math.exp(found.x[0])
    fast = slow * (1.0 + math.exp(found.x[1]))
    return slow, fast, 1.0 / times(slow, fast)[2]


def impulse(
    signal: Signal,
    start_ns: int,
    *,
    peak: float,
    front_s: float,
    half_value_s: float,
    phases: str = "abc",
    quantity: str = "v",
) -> Signal:
    """Return a signal with an impulsive transient, unidirectional, of two real exponentials.

    Parameters
    ----------
    peak : float
        Its crest, with its sign [V or A].
    front_s, half_value_s : float
        As `impulse_rates` takes them [s].

    References
    ----------
    IEEE Std 1159-2019, 4.3.1 (impulsive transients, characterised by rise and decay times).
    """
    slow, fast, scale = impulse_rates(front_s, half_value_s)
    amplitude = np.zeros((len(signal.channels), 2), np.complex128)
    amplitude[rows_of(signal, phases, quantity)] = np.array([1.0, -1.0]) * scale * peak
    return add_decaying(signal, start_ns, [-slow, -fast], amplitude)


def oscillation(
    signal: Signal,
    start_ns: int,
    *,
    peak: float,
    frequency: float,
    damping: float,
    angle: float = -math.pi / 2.0,
    phases: str = "abc",
    quantity: str = "v",
) -> Signal:
    """Return a signal with an oscillatory transient ``peak exp(-damping t) cos(2 pi frequency t + angle)``.

    Parameters
    ----------
    peak : float
        Of the envelope at its start [V or A].
    frequency : float
        [Hz]
    damping : float
        [1/s]
    angle : float
        At the start; -pi/2 begins at zero and rises [rad].

    References
    ----------
    IEEE Std 1159-2019, 4.3.2 (oscillatory transients: low below 5 kHz, medium to 500 kHz, high to 5 MHz).
    """
    require_positive(frequency=frequency, damping=damping)
    amplitude = np.zeros((len(signal.channels), 1), np.complex128)
    amplitude[rows_of(signal, phases, quantity)] = peak * cmath.exp(1j * angle)
    return add_decaying(signal, start_ns, [complex(-damping, 2.0 * math.pi * frequency)], amplitude)


def natural_poles(inductance: float, resistance: float, capacitance: float) -> tuple[complex, complex]:
    """Return the poles of a series circuit: the roots of ``L C s^2 + R C s + 1``, kept apart."""
    require_positive(inductance=inductance, resistance=resistance, capacitance=capacitance)
    damping = resistance / (2.0 * inductance)
    spread = cmath.sqrt(damping**2 - 1.0 / (inductance * capacitance))
    if abs(spread) < _APART / 2.0 * damping:
        spread = complex(_APART / 2.0 * damping)
    # The smaller real root by the product of both: no cancellation.
    one = -damping - spread
    return 1.0 / (inductance * capacitance * one), one


def energise_capacitor(
    signal: Signal,
    at_ns: int,
    *,
    inductance: float,
    resistance: float,
    capacitance: float,
    trapped: float = 0.0,
    phases: str = "abc",
) -> Signal:
    """Return a signal at a bus to which a capacitor bank is connected, in star with its star point earthed.

    Before, the voltages are those behind the source impedance (no load). After, each term is divided by
    ``1 + s R C + s^2 L C``, and the natural oscillation makes up what is lacking, there and wherever the
    signal changes later: the capacitor's voltage does not jump, the source's current does not either.
    Currents gain what flows into the bank.

    Parameters
    ----------
    signal : Signal
        With channels ``va`` .. ``ic``.
    at_ns : int
        When all the phases close, UTC [ns]; close them one by one with one call each.
    inductance, resistance, capacitance : float
        Of the source and of the bank, per phase [H, ohm, F].
    trapped : float
        Voltage that the bank holds before [V].
    phases : str
        Those that close.

    References
    ----------
    IEEE Std 1159-2019, 4.3.2; A. Greenwood, Electrical Transients in Power Systems, 2nd ed. 1991, chapter 5.
    """
    poles = natural_poles(inductance, resistance, capacitance)
    require_numbers(trapped=trapped)
    bank = _Bank(inductance, resistance, capacitance, np.array(poles))
    v_rows, i_rows = rows_of(signal, phases, "v"), rows_of(signal, phases, "i")
    divided = cut(signal, at_ns)
    volts, amperes = np.full(len(v_rows), trapped), np.zeros(len(v_rows))
    parts: list[Segment] = []
    before: Segment | None = None
    stops = [part.start_ns for part in divided.segments[1:]] + [divided.end_ns]
    for part, stop_ns in zip(divided.segments, stops, strict=True):
        if part.start_ns < at_ns:
            parts.append(part)
            continue
        fed, volts, amperes = bank.fed(part, stop_ns, v_rows, i_rows, volts, amperes)
        parts.append(as_anchored(before, parts[-1], part, fed) if before is not None else fed)
        before = part
    return replace(divided, segments=tuple(parts))


@dataclass(frozen=True, slots=True, eq=False)
class _Bank:
    """A series circuit of source and capacitor, per phase."""

    inductance: float
    resistance: float
    capacitance: float
    poles: Complex

    def fed(
        self, segment: Segment, stop_ns: int, v_rows: list[int], i_rows: list[int], volts: Real, amperes: Real
    ) -> tuple[Segment, Real, Real]:
        """Return a segment with the bank, and the bank's voltages and currents at its end.

        ``volts`` and ``amperes`` are those at its start, per closed phase.
        """
        if segment.block is not None:
            raise DisturbanceError("a bank needs terms to work on; energise it before adding samples")
        s = segment.rate + 2j * math.pi * segment.frequency * segment.order
        forced = segment.amplitude[v_rows] / self._divisor(s)
        flow = forced * s * self.capacitance
        amplitude = segment.amplitude.astype(np.complex128)
        amplitude[v_rows] = forced
        amplitude[i_rows] += flow
        out = replace(segment, amplitude=amplitude)
        # c1 + c2 = what the voltage lacks; C (s1 c1 + s2 c2) = what the current lacks.
        turn = np.exp(1j * segment.order * segment.theta)
        lack_v = volts - (forced * turn).real.sum(axis=1)
        lack_i = (amperes - (flow * turn).real.sum(axis=1)) / self.capacitance
        first, second = self.poles
        one = (lack_i - second * lack_v) / (first - second)
        natural = np.stack((one, lack_v - one), axis=1)
        scale = np.abs(forced).sum(axis=1, keepdims=True).max()
        if np.abs(natural).max() > _GONE * scale:
            extra = np.zeros((amplitude.shape[0], 2), np.complex128)
            extra[v_rows] = natural
            extra[i_rows] = natural * self.poles * self.capacitance
            out = with_terms(out, [0.0, 0.0], self.poles.tolist(), extra)
        length_s = float(Fraction(stop_ns - segment.start_ns, NS_PER_SECOND))
        passed = np.exp(1j * segment.order * carried_theta(segment, stop_ns) + segment.rate * length_s)
        later = natural * np.exp(self.poles * length_s)
        volts = (forced * passed).real.sum(axis=1) + later.real.sum(axis=1)
        amperes = (flow * passed).real.sum(axis=1) + (later * self.poles).real.sum(axis=1) * self.capacitance
        return out, volts, amperes

    def _divisor(self, s: Complex) -> Complex:
        divisor: Complex = 1.0 + s * self.resistance * self.capacitance
        return divisor + s * s * self.inductance * self.capacitance


def back_to_back_inrush(
    voltage: float, *, first: float, second: float, inductance: float
) -> tuple[float, float]:
    """Return peak and frequency of the current between two capacitor banks when the second one closes.

    Parameters
    ----------
    voltage : float
        Across the switch as it closes, the difference of the two banks' voltages [V].
    first, second : float
        Capacitances [F].
    inductance : float
        Between the banks [H].

    Returns
    -------
    tuple of float
        Peak [A] and frequency [Hz], without damping.

    References
    ----------
    IEEE Std C37.012-2014, annex B: I = V sqrt(C1 C2 / (C1 + C2) / L), f = 1 / (2 pi sqrt(L Ceq)).
    """
    require_positive(first=first, second=second, inductance=inductance)
    series = first * second / (first + second)
    return voltage * math.sqrt(series / inductance), 1.0 / (2.0 * math.pi * math.sqrt(inductance * series))
