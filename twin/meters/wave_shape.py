"""Quantities of wave shape, angle and sequence that only a look at the basic block needs."""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant
from twin.meters.capture import SAMPLES_PER_CYCLE, STEP
from twin.meters.front_end import CHANNELS
from twin.meters.quantities import COLUMN
from twin.meters.window import ORDERS, WindowView
from twin.signals import instant_of_theta, synthesise_cycles, theta_at

Float = NDArray[np.float64]

_PSOPHOMETRIC: Final = np.array(
    [
        *((16.66, -85.0), (50.0, -63.0), (100.0, -41.0), (200.0, -21.0), (300.0, -10.6), (400.0, -6.3)),
        *((500.0, -3.6), (600.0, -2.0), (700.0, -0.9), (800.0, 0.0), (900.0, 0.6), (1000.0, 1.0)),
        *((1200.0, 0.0), (1400.0, -0.9), (1600.0, -1.7), (1800.0, -2.4), (2000.0, -3.0), (2500.0, -4.2)),
        *((3000.0, -5.6), (3500.0, -8.5), (4000.0, -15.0), (4500.0, -25.0), (5000.0, -36.0)),
    ]
)
"""Frequency [Hz] and psophometric weight relative to 800 Hz [dB] (ITU-T O.41, table 1)."""


def telephone_weight(frequency: Float) -> Float:
    """Return the weight of the telephone harmonic form factor, (f / 800 Hz) x psophometric weight.

    Parameters
    ----------
    frequency : ndarray
        [Hz]; weights are interpolated in dB.

    References
    ----------
    ITU-T O.41, table 1; the products agree with the weights lambda of IEC 60034-1, table of the
    telephone harmonic factor.
    """
    decibels = np.interp(frequency, _PSOPHOMETRIC[:, 0], _PSOPHOMETRIC[:, 1], left=-200.0, right=-200.0)
    weight: Float = frequency / 800.0 * 10.0 ** (decibels / 20.0)
    return weight


def k_factor(harmonic: Float) -> float:
    """Return sum (h I_h)^2 / sum I_h^2 over h >= 1 of RMS values by order; 0 without current.

    References
    ----------
    UL 1561; IEEE C57.110, harmonic loss factor for winding eddy currents.
    """
    orders = np.arange(harmonic.size)
    total = float(np.sum(harmonic[1:] ** 2))
    return float(np.sum((orders[1:] * harmonic[1:]) ** 2)) / total if total > 0.0 else 0.0


def share(harmonic: Float, orders: slice) -> float:
    """Return the root of the sum of squares of some orders over order 1; 0 without a fundamental."""
    fundamental = float(harmonic[1])
    if fundamental <= 0.0:
        return 0.0
    return math.sqrt(float(np.sum(harmonic[orders] ** 2))) / fundamental


def peaks(view: WindowView, meter: int, *, cycles: int) -> Float:
    """Return the largest magnitude among the meter's samples of va, vb, vc, shape (3,) [V].

    The meter takes 64 samples to the cycle, at multiples of 2 pi / 64 of theta: one cycle stands for a
    steady window.
    """
    segment = view.signal.segments[0]
    theta = theta_at(segment, view.start.ns) + STEP * SAMPLES_PER_CYCLE * segment.frequency * (
        view.start.fraction / NS_PER_SECOND
    )
    start = instant_of_theta(segment, math.ceil(theta / STEP - 1e-9) * STEP)
    count = SAMPLES_PER_CYCLE * (1 if view.steady else cycles) - 1
    # The newest segment goes on past the tick by less than a sample.
    length = math.ceil(NS_PER_SECOND * (2 if view.steady else 1) / segment.frequency)
    signal = replace(view.signal, end_ns=max(view.end.ns, view.start.ns) + length)
    samples = synthesise_cycles(
        signal,
        max(start, Instant(segment.start_ns)),
        samples_per_cycle=SAMPLES_PER_CYCLE,
        count=count + 1,
        channels=slice(meter * CHANNELS, meter * CHANNELS + 3),
    )
    largest: Float = np.abs(samples).max(axis=1)
    return largest


def wave_shape(view: WindowView, meter: int, *, cycles: int) -> dict[str, float | Float]:
    """Return harmonics, crest, THFF, K factor, sequence components and angles of one meter.

    - ``v1_harmonics`` .. ``i3_harmonics``: orders 2 .. 63 as fractions of order 1 (KW320 manual 4.3).
    - ``v1_odd``, ``v1_even``: orders 3, 5 .. and 2, 4 .. together, fractions of order 1.
    - ``v1_crest``: largest sample over RMS. ``v1_thff``: fraction, over RMS. ``i1_k_factor``.
    - ``ua_positive_real`` ..: symmetrical components of the fundamental for phase a, with the angle of
      va as zero (KW320 manual 4.3: angles refer to phase A voltage).
    - ``angle_v2_v1`` ..: ahead of va, 0..360 degrees.
    """
    reading = view.reading
    shown: dict[str, float | Float] = {}
    frequency = float(reading.frequency[meter])
    harmonic = np.zeros((CHANNELS, ORDERS))
    harmonic[:, : reading.harmonic.shape[2]] = reading.harmonic[meter]
    largest = peaks(view, meter, cycles=cycles)
    weights = telephone_weight(np.arange(0.0, ORDERS) * (0.0 if math.isnan(frequency) else frequency))
    for channel, name in enumerate(("v1", "v2", "v3", "i1", "i2", "i3")):
        orders = harmonic[channel]
        fundamental = float(orders[1])
        live = fundamental > 0.0 and view.values[meter, COLUMN[name]] > 0.0
        known = orders if live else np.zeros_like(orders)
        shown[f"{name}_harmonics"] = known[2:] / fundamental if live else known[2:]
        shown[f"{name}_odd"] = share(known, slice(3, None, 2))
        shown[f"{name}_even"] = share(known, slice(2, None, 2))
        if channel >= 3:
            shown[f"{name}_k_factor"] = k_factor(known)
            continue
        rms = float(reading.v[meter, channel])
        weighted = math.sqrt(float(np.sum((known * weights) ** 2)))
        shown[f"{name}_crest"] = float(largest[channel]) / rms if live else 0.0
        shown[f"{name}_thff"] = weighted / rms if live else 0.0
    reference = complex(view.measure.spectrum[meter, 0, 1])
    turn = reference.conjugate() / abs(reference) if abs(reference) > 0.0 else 1.0
    for letter, phasors in (
        ("u", (reading.v_positive, reading.v_negative, reading.v_zero)),
        ("i", (reading.i_positive, reading.i_negative, reading.i_zero)),
    ):
        for sequence, phasor in zip(("positive", "negative", "zero"), phasors, strict=True):
            component = complex(phasor[meter]) * turn
            shown[f"{letter}a_{sequence}_real"] = component.real
            shown[f"{letter}a_{sequence}_imag"] = component.imag
    for channel, name in enumerate(("v1", "v2", "v3", "i1", "i2", "i3")):
        if channel:
            angle = math.degrees(float(reading.angle[meter, channel])) % 360.0
            shown[f"angle_{name}_v1"] = 0.0 if math.isnan(angle) else angle
    return shown
