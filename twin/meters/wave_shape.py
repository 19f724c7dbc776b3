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
from twin.meters.wiring import LINE_NAMES, Wirings
from twin.metrology import psophometric_weight
from twin.metrology.distortion import NEGLIGIBLE
from twin.signals import instant_of_theta, synthesise_cycles, theta_at

Float = NDArray[np.float64]
_NAMES = ("v1", "v2", "v3", "i1", "i2", "i3")


def peaks(view: WindowView, wirings: Wirings, *, cycles: int) -> Float:
    """Return the largest magnitude among each meter's samples of va, vb, vc, shape (meters, 3) [V].

    Without phase voltages they are those of vab, vca, vbc.

    A meter takes 64 samples to the cycle, at multiples of 2 pi / 64 of theta: one cycle stands for a
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
    )
    largest: Float = np.abs(wirings.slots(samples)).max(axis=1).reshape(-1, CHANNELS)[:, :3]
    return largest


def wave_shape(view: WindowView, largest: Float, wirings: Wirings) -> dict[str, Float]:
    """Return harmonics, crest, THFF, K factor, sequence components and angles of all meters.

    - ``harmonics``: orders 2 .. 63 of v1 .. i3, fractions of order 1 (KW320 manual 4.3), shape (meters, 372);
      ``v1_harmonics`` .. are its parts, shape (meters, 62). All others have shape (meters,).
    - ``v1_odd``, ``v1_even``: orders 3, 5 .. and 2, 4 .. together, fractions of order 1.
    - ``v1_crest``: largest sample over RMS. ``v1_thff``: telephone harmonic form factor over RMS, a fraction
      (the manual lists it as "TIF: THFF" and shows percent, 5.1.7.3.4). ``i1_k_factor``.
    - ``ua_positive_real`` ..: symmetrical components of the fundamental for phase a, with the angle of
      va as zero (KW320 manual 4.3: angles refer to phase A voltage).
    - ``angle_v2_v1`` ..: ahead of va, 0..360 degrees.

    Without phase voltages v1, v2, v3 stand for vab, vca, vbc in shapes (KW320 manual 6.3.7), and for vab,
    vbc, vca in sequence components and angles (4.3). One or two phases have no sequence components. What is
    below the pickup (appendix A) has no angle, and no sequence components where all three inputs are.

    Parameters
    ----------
    view : WindowView
    largest : ndarray, shape (meters, 3)
        As `peaks` returns it.
    wirings : Wirings
        How the meters read their inputs.
    """
    from twin.meters.wave_shape_kernels import harmonic_ratios  # noqa: PLC0415

    reading = view.reading
    meters = len(view.values)
    harmonic = np.asarray(reading.harmonic)
    shown_rms = view.values[:, [COLUMN[name] for name in _NAMES]]
    shown_rms[wirings.line, :3] = view.values[wirings.line][:, [COLUMN[name] for name in LINE_NAMES]]
    live = (harmonic[:, :, 1] > 0.0) & (shown_rms > 0.0)
    rms = np.asarray(reading.v)
    frequencies, which = np.unique(reading.frequency, return_inverse=True)
    known = frequencies[:, np.newaxis] * np.arange(harmonic.shape[2])
    weight = known / 800.0 * psophometric_weight(known)
    shares, ratios = np.zeros((meters, CHANNELS, ORDERS - 2)), np.empty((meters, CHANNELS, 3))
    harmonic_ratios(harmonic, live, weight, which, rms, NEGLIGIBLE, shares, ratios)
    shown: dict[str, Float] = {"harmonics": shares.reshape(meters, -1)}
    crest = np.divide(largest, rms, out=np.zeros((meters, 3)), where=live[:, :3])
    for channel, name in enumerate(_NAMES):
        shown[f"{name}_harmonics"] = shares[:, channel]
        shown[f"{name}_odd"] = ratios[:, channel, 0]
        shown[f"{name}_even"] = ratios[:, channel, 1]
        shown[f"{name}_{'thff' if channel < 3 else 'k_factor'}"] = ratios[:, channel, 2]
        if channel < 3:
            shown[f"{name}_crest"] = crest[:, channel]
    reference = view.reference
    size = np.abs(reference)
    turn = np.where(size > 0.0, reference.conj(), 1.0) / np.where(size > 0.0, size, 1.0)
    single = (wirings.phases == 1) | (wirings.phases == 2)
    for letter, phasors in (
        ("u", (reading.v_positive, reading.v_negative, reading.v_zero)),
        ("i", (reading.i_positive, reading.i_negative, reading.i_zero)),
    ):
        seen = live[:, :3] if letter == "u" else live[:, 3:]
        absent = single | ~seen.any(axis=1)
        for sequence, phasor in zip(("positive", "negative", "zero"), phasors, strict=True):
            component = np.where(absent, 0.0, phasor * turn)
            shown[f"{letter}a_{sequence}_real"] = component.real
            shown[f"{letter}a_{sequence}_imag"] = component.imag
    angled = live & live[:, :1]
    angled[wirings.line, 1:3] = angled[wirings.line, 2:0:-1]
    angle = np.where(angled, _shown(np.degrees(reading.angle) % 360.0), 0.0)
    for channel, name in enumerate(_NAMES[1:], start=1):
        shown[f"angle_{name}_v1"] = angle[:, channel]
    return shown


def _shown(value: Float) -> Float:
    """Return quantities as the meter shows them: 0 where there is none."""
    return np.where(np.isnan(value), 0.0, value)
