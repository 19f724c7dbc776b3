"""Dips and interruptions at any point on wave, against an integral of plain samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, at, following, segment, signal
from twin.metrology import (
    EventKind,
    cycle_frequency,
    detect_events,
    half_cycle_instants,
    half_cycle_rms,
    measure_window,
    ten_second_frequency,
)
from twin.signals import sampled

UDIN = 230.0
FINE = 16_384  # cells per cycle of the plain integral
CYCLES = 36


def dipped(frequency, begin, cycles, residual, *, angle=0.0, third=0.0, rows=1):
    """Return a signal of 36 cycles with a rectangular dip, and its begin and end as cycles of theta."""
    shape = np.array([[np.exp(1j * angle), third]]) * UDIN * np.sqrt(2)
    one = segment(amplitude=np.repeat(shape, rows, axis=0), order=[1, 3], frequency=frequency)
    begin_ns, end_ns = (round(c / frequency * 1e9) for c in (begin, begin + cycles))
    two = following(one, begin_ns, amplitude=one.amplitude * residual)
    three = following(two, end_ns - begin_ns, amplitude=one.amplitude)
    whole = signal(one, two, three, duration_s=(CYCLES + 0.01) / frequency)
    return whole, begin_ns * 1e-9 * frequency, end_ns * 1e-9 * frequency


def sliding_rms(begin, end, residual, angle, third):
    """Return the RMS over the cycle up to 1, 1 + 1/64, .. cycles: sums over 16,384 cells per cycle.

    A cell that an edge of the dip cuts counts in proportion.
    """
    edges = np.arange(CYCLES * FINE + 1) / FINE
    middle = 2 * np.pi * (edges[:-1] + edges[1:]) / 2
    wave = np.cos(middle + angle) + third * np.cos(3 * middle)
    inside = np.clip((np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin)) * FINE, 0.0, 1.0)
    square = 2 * UDIN**2 * wave**2 * (1.0 - inside + inside * residual**2)
    total = np.concatenate([[0.0], np.cumsum(square) / FINE])[:: FINE // 64]
    return np.sqrt(total[64:] - total[:-64])


anywhere = given(
    st.one_of(st.floats(42.5, 57.5), st.floats(51.0, 69.0)),
    st.floats(2.0, 3.0),
    st.floats(0.1, 30.0),
    st.floats(0.0, 0.98),
    st.floats(-3.14, 3.14),
    st.sampled_from([0.0, 0.05]),
)


@settings(deadline=None, max_examples=60)
@anywhere
def test_a_dip_has_the_extreme_and_the_duration_of_its_sliding_rms(
    frequency, begin, cycles, residual, angle, third
):
    """IEC 61000-4-30 5.4.5: residual voltage within 0.2 % of Udin, each end within half a cycle."""
    whole, begin, end = dipped(frequency, begin, cycles, residual, angle=angle, third=third)
    plain = sliding_rms(begin, end, residual, angle, third)
    ends, rms = half_cycle_rms(whole, 2, 2 * CYCLES - 1)
    assert np.abs(rms[0] - plain[::32]).max() < 0.001 * UDIN
    assert abs(rms.min() - plain[::32].min()) < 0.001 * UDIN

    limits = {"threshold": 0.9 * UDIN, "hysteresis": 0.02 * UDIN}
    found = detect_events(ends, rms, EventKind.DIP, **limits)
    # Neither the lattice nor 64 values a cycle see what only touches the threshold.
    if plain[::32].min() > 0.899 * UDIN:
        return
    (event,) = found
    assert event.extreme == rms.min()
    fell = np.argmax(plain < limits["threshold"])
    rose = fell + np.argmax(plain[fell:] >= limits["threshold"] + limits["hysteresis"])
    late = [
        (ns - EPOCH) * 1e-9 * frequency - (1 + n / 64)
        for ns, n in zip((event.start_ns, event.end_ns), (fell, rose), strict=True)
    ]
    assert (np.abs(np.array(late) - 0.25) <= 0.25 + 1 / 32).all()
    # Against the dip itself: the rule adds up to 1.3 cycles to a deep one and takes 1.15 from a shallow one.
    rule = (event.end_ns - event.start_ns) * 1e-9 * frequency
    assert -1.2 < rule - (end - begin) < 1.31
    if 0.6 <= residual <= 0.75 and third == 0.0:
        assert abs(rule - (end - begin)) < 1.0


@settings(deadline=None, max_examples=15)
@anywhere
def test_the_same_from_samples_alone(frequency, begin, cycles, residual, angle, third):
    """512 samples a cycle, the segments cut where the dip begins and ends."""
    whole, *_ = dipped(frequency, begin, cycles, residual, angle=angle, third=third)
    exact = half_cycle_rms(whole, 2, 2 * CYCLES - 1)[1]
    found = half_cycle_rms(sampled(whole, samples_per_cycle=512), 2, 2 * CYCLES - 1)[1]
    # The sixth power of 2 pi 6/512 is 1.6e-7, of which the ends of a piece miss a part.
    assert np.abs(found**2 - exact**2).max() < 1e-8 * UDIN**2


@pytest.mark.parametrize("frequency", [49.3, 60.7])
@pytest.mark.parametrize("samples_per_cycle", [None, 256])
@pytest.mark.parametrize("point_on_wave", [0.0, 0.13, 0.25, 0.41])
def test_five_cycles_without_the_reference_phase(frequency, samples_per_cycle, point_on_wave):
    """The lattice flies on: 0 V, the true duration, and no trace in the frequency."""
    turn = np.exp(-2j * np.pi / 3)
    healthy = UDIN * np.sqrt(2) * np.array([[1.0], [turn], [turn**2], [0.02], [0.02], [0.02]])
    one = segment(amplitude=healthy, order=[1], frequency=frequency, theta=0.7)
    lost = healthy.copy()
    lost[0] = 0.0
    begin_ns = round((200 + point_on_wave) / frequency * 1e9)
    two = following(one, begin_ns, amplitude=lost)
    three = following(two, round(5 / frequency * 1e9), amplitude=healthy)
    whole = signal(one, two, three, duration_s=10.0)
    if samples_per_cycle:
        whole = sampled(whole, samples_per_cycle=samples_per_cycle)

    for channel in (0, 1):
        assert ten_second_frequency(whole, EPOCH, channel=channel) == pytest.approx(frequency, abs=1e-4)
    dead = at((begin_ns + 1) * 1e-9), at(begin_ns * 1e-9 + 4.99 / frequency)
    assert np.isnan(cycle_frequency(whole, *dead, channel=0))
    assert measure_window(whole, *dead).frequency[0] == pytest.approx(frequency, rel=1e-12)

    ends, rms = half_cycle_rms(whole, 3, int(20 * frequency) - 4, channels=slice(0, 3))
    lattice = half_cycle_instants(whole, 1, int(20 * frequency) - 1)
    steps = np.diff([edge.ns - EPOCH + edge.fraction for edge in lattice])
    assert np.abs(steps - 5e8 / frequency).max() < 1e-3  # no half cycle is longer than another
    assert (rms[0] < 1e-6).sum() >= 8
    assert np.abs(rms[1:] - UDIN).max() < 1e-6
    (event,) = detect_events(
        ends, rms[:1], EventKind.INTERRUPTION, threshold=0.05 * UDIN, hysteresis=0.02 * UDIN
    )
    assert event.extreme < 1e-6
    # From the begin of the first cycle that is below to the end of the first that is not.
    assert (event.end_ns - event.start_ns) * 1e-9 * frequency + 1.0 == pytest.approx(5.0, abs=0.51)
    assert event.channels == (True,)
    (dip,) = detect_events(ends, rms, EventKind.DIP, threshold=0.9 * UDIN, hysteresis=0.02 * UDIN)
    assert dip.channels == (True, False, False)
    assert (dip.end_ns - dip.start_ns) * 1e-9 * frequency == pytest.approx(5.0, abs=1.3)
