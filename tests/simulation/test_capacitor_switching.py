"""Capacitor energising, alone and beside another bank, against the closed forms of IEEE Std C37.012."""

import math

import numpy as np
import pytest

from tests.simulation.test_transitions import MS, START, site_of
from twin.contracts import Instant, Signal
from twin.grid import Bus, Capacitor, Line, LoadPoint, Network, Probe, Source
from twin.signals import synthesise

U = 20e3
OMEGA = 100 * math.pi
PERIOD = 20 * MS
Q = (3e6, 2e6)
SOURCE_H, SOURCE_OHM = 20e-3, 0.05
LEAD_H = (15e-6, 25e-6)
LEAD_OHM = (0.02, 0.03)
CREST = U * math.sqrt(2 / 3)


def farad(q):
    return q / U**2 / OMEGA


def station(*, first_closed, reactor_percent=0.0):
    """Return a busbar with two banks, each behind the inductance of its own leads, which a meter sees."""

    def line(name, ends, r, henry):
        return Line(name, *ends, r, OMEGA * henry, r, OMEGA * henry)

    network = Network(
        "station", tuple(Bus(name, U) for name in ("G", "B", "B1", "B2")), (Source("S", "G"),),
        lines=(line("L", ("G", "B"), SOURCE_OHM, SOURCE_H),
               line("L1", ("B", "B1"), LEAD_OHM[0], LEAD_H[0]),
               line("L2", ("B", "B2"), LEAD_OHM[1], LEAD_H[1])),
        capacitors=(Capacitor("C1", "B1", Q[0], closed=first_closed, reactor_percent=reactor_percent),
                    Capacitor("C2", "B2", Q[1], closed=False, reactor_percent=reactor_percent)),
    )  # fmt: skip
    probes = [Probe("bus", "G", "L"), Probe("one", "B", "L1"), Probe("other", "B", "L2")]
    return site_of(network, probes, [LoadPoint("P", "B", "a")], [0.0], [0.0])


def closed(bank, *, seconds, step_s, angle_deg=0.0, **options):
    """Close a bank at an angle of phase a, a cosine; return times and what the meters see from then on."""
    site, clock = station(**options)
    closing = START + 10 * PERIOD + round(angle_deg / 360 * PERIOD)
    clock.run(site, closing)
    site.operate(bank, closed=True, cause="test")
    clock.run(site, closing + round(seconds * 1e9) + MS)
    kept = tuple(one for one, end in clock.segments if one.start_ns >= closing)
    signal = Signal(tuple(map(str, range(18))), kept, clock.segments[-1][1])
    count = round(seconds / step_s)
    return step_s * np.arange(count), synthesise(signal, Instant(closing), step_s=step_s, count=count)


def series_current(t, r, henry, c, angle):
    """Return the current of R, L, C in series from rest at a cosine's angle: forced and free part."""
    forced = CREST * np.exp(1j * angle) / (r + 1j * OMEGA * henry + 1 / (1j * OMEGA * c))
    start_i, start_v = forced.real, (forced / (1j * OMEGA * c)).real
    decay = r / (2 * henry)
    ring = math.sqrt(1 / (henry * c) - decay**2)
    # i(0) = 0 and v(0) = 0: the free part begins with the opposite of the forced one.
    slope = -(-start_v - r * start_i) / henry
    free = np.exp(-decay * t) * (
        -start_i * np.cos(ring * t) + (slope - decay * start_i) / ring * np.sin(ring * t)
    )
    return (forced * np.exp(1j * OMEGA * t)).real + free


def frequency_of(t, samples):
    """Return the frequency of a ringing from the zeros upwards that straight lines between samples give."""
    up = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    zeros = t[up] - samples[up] * (t[up + 1] - t[up]) / (samples[up + 1] - samples[up])
    return 1 / np.diff(zeros).mean()


def decay_of(t, samples, ring):
    """Return the rate at which the crests of a ringing decay, from turn to turn."""
    turn = np.floor(t * ring / (2 * math.pi)).astype(int)
    crests = np.array([np.ptp(samples[turn == k]) for k in range(turn[-1])])
    return -np.polyfit(np.arange(crests.size), np.log(crests), 1)[0] * ring / (2 * math.pi)


@pytest.mark.parametrize("reactor_percent", [0.0, 7.0])
@pytest.mark.parametrize("angle_deg", [0.0, 63.0, 270.0])
def test_the_current_of_a_single_bank_is_that_of_r_l_and_c_in_series(angle_deg, reactor_percent):
    options = {"first_closed": False, "angle_deg": angle_deg, "reactor_percent": reactor_percent}
    t, seen = closed("C1", seconds=0.03, step_s=1e-5, **options)
    c = farad(Q[0])
    henry = SOURCE_H + LEAD_H[0] + reactor_percent / 100 / (OMEGA**2 * c)
    for k in range(3):
        angle = math.radians(angle_deg) - 2 * math.pi * k / 3
        expected = series_current(t, SOURCE_OHM + LEAD_OHM[0], henry, c, angle)
        assert np.abs(seen[9 + k] - expected).max() < 1e-5 * np.abs(expected).max()
    assert np.abs(seen[3:6] - seen[9:12]).max() < 1e-6 * np.abs(seen[3:6]).max()


def test_frequency_damping_and_peak_of_a_single_bank():
    """C37.012: f = 1 / (2 pi sqrt(L_s C)), i = U sqrt(2/3) sqrt(C / L_s), beside the steady current."""
    t, seen = closed("C1", first_closed=False, seconds=0.06, step_s=5e-6)
    c, henry, ohm = farad(Q[0]), SOURCE_H + LEAD_H[0], SOURCE_OHM + LEAD_OHM[0]
    raised = 1 / (1 - OMEGA**2 * henry * c)  # the bank's own current raises its voltage
    transient = seen[9] + OMEGA * c * raised * CREST * np.sin(OMEGA * t)
    ring = 1 / math.sqrt(henry * c)
    assert frequency_of(t, transient) == pytest.approx(ring / (2 * math.pi), rel=1e-4)
    assert decay_of(t, transient, ring) == pytest.approx(ohm / (2 * henry), rel=0.01)
    at_quarter = math.exp(-ohm / (2 * henry) * math.pi / 2 / ring)
    peak = CREST * math.sqrt(c / henry)
    assert transient[t < 2 * math.pi / ring].max() == pytest.approx(raised * peak * at_quarter, rel=1e-3)
    assert raised < 1.05  # the formula of the standard leaves it out


def test_frequency_damping_and_peak_beside_a_bank_that_is_on():
    """C37.012, back to back: i = U sqrt(2/3) sqrt(C_eq / L), f = 1 / (2 pi sqrt(L C_eq)), L between them."""
    t, seen = closed("C2", first_closed=True, seconds=2e-3, step_s=2e-7)
    first, second = (farad(q) for q in Q)
    c, henry, ohm = first * second / (first + second), sum(LEAD_H), sum(LEAD_OHM)
    # What the source sends splits as the capacitances do; the rest goes round from bank to bank.
    between = (first * seen[15] - second * seen[9]) / (first + second)
    ring = 1 / math.sqrt(henry * c)
    assert ring / (2 * math.pi) > 5e3
    assert frequency_of(t, between) == pytest.approx(ring / (2 * math.pi), rel=1e-3)
    assert decay_of(t, between, ring) == pytest.approx(ohm / (2 * henry), rel=0.01)
    at_quarter = math.exp(-ohm / (2 * henry) * math.pi / 2 / ring)
    raised = 1 / (1 - OMEGA**2 * SOURCE_H * first)
    peak = raised * CREST * math.sqrt(c / henry) * at_quarter
    early = t < 2 * math.pi / ring
    assert between[early].max() == pytest.approx(peak, rel=2e-3)
    assert seen[15, early].max() == pytest.approx(peak, rel=0.02)
    alone = CREST * math.sqrt(second / SOURCE_H)
    assert seen[15, early].max() > 10 * alone


def test_what_the_other_bank_gives_does_not_come_from_the_source():
    _, seen = closed("C2", first_closed=True, seconds=1e-3, step_s=1e-6)
    assert np.abs(seen[3:6] - seen[9:12] - seen[15:18]).max() < 1e-6 * np.abs(seen[15]).max()
    assert np.abs(seen[3]).max() < 0.1 * np.abs(seen[15]).max()
