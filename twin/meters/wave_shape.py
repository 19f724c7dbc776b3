"""Quantities of wave shape, angle and sequence that only a look at the basic block needs."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant
from twin.meters.accuracy import CHANNELS
from twin.meters.capture import SAMPLES_PER_CYCLE, STEP
from twin.meters.quantities import COLUMN
from twin.meters.window import ORDERS, WindowView
from twin.metrology import even_thd, k_factor, odd_thd, telephone_harmonic_form_factor
from twin.signals import instant_of_theta, synthesise_cycles, theta_at

Float = NDArray[np.float64]


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
    # Samples of a window lie before its end; a steady stretch goes on for the cycle that stands for it.
    length = math.ceil(NS_PER_SECOND * (2 if view.steady else 0) / segment.frequency)
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
    - ``v1_crest``: largest sample over RMS. ``v1_thff``: telephone harmonic form factor over RMS, a fraction
      (the manual lists it as "TIF: THFF" and shows percent, 5.1.7.3.4). ``i1_k_factor``.
    - ``ua_positive_real`` ..: symmetrical components of the fundamental for phase a, with the angle of
      va as zero (KW320 manual 4.3: angles refer to phase A voltage).
    - ``angle_v2_v1`` ..: ahead of va, 0..360 degrees.
    """
    reading = view.reading
    shown: dict[str, float | Float] = {}
    frequency = reading.frequency[meter]
    harmonic = np.zeros((CHANNELS, ORDERS))
    harmonic[:, : reading.harmonic.shape[2]] = reading.harmonic[meter]
    largest = peaks(view, meter, cycles=cycles)
    for channel, name in enumerate(("v1", "v2", "v3", "i1", "i2", "i3")):
        orders = harmonic[channel]
        fundamental = float(orders[1])
        live = fundamental > 0.0 and view.values[meter, COLUMN[name]] > 0.0
        known = orders if live else np.zeros_like(orders)
        shown[f"{name}_harmonics"] = known[2:] / fundamental if live else known[2:]
        shown[f"{name}_odd"] = _shown(odd_thd(known, highest=ORDERS - 1))
        shown[f"{name}_even"] = _shown(even_thd(known, highest=ORDERS - 1))
        if channel >= 3:
            shown[f"{name}_k_factor"] = _shown(k_factor(known, highest=ORDERS - 1))
            continue
        rms = reading.v[meter, channel]
        shown[f"{name}_crest"] = float(largest[channel] / rms) if live else 0.0
        shown[f"{name}_thff"] = _shown(telephone_harmonic_form_factor(known, frequency, rms))
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


def _shown(value: Float) -> float:
    """Return a quantity as the meter shows it: 0 where there is none."""
    return 0.0 if np.isnan(value) else float(value)
