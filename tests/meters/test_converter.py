"""The converter's range: a clipped wave against its closed form, and what registers make of it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import MINUTE, SETTINGS, T0, Feed, phasors
from twin.meters.bank import MeterBank
from twin.meters.converter import clipped, counts
from twin.meters.front_end import FrontEnd
from twin.meters.inputs import Inputs
from twin.metrology import measure_steady

CLASS = replace(SETTINGS, accuracy="class", seed=2)
NO_LIMIT = np.full(6, np.inf)


def clipped_sine(peak, limit, order):
    """Fourier series of a cosine clipped symmetrically at a limit: peak amplitude of an odd order."""
    a = math.acos(limit / peak)  # it is clipped for |theta| < a, and around pi
    if order == 1:
        inside = peak * (math.pi / 2 - a - math.sin(2 * a) / 2) + 2 * limit * math.sin(a)
        return 2 / math.pi * inside
    top = 2 * limit * math.sin(order * a) / order
    # Integral of peak cos t cos nt from a to pi - a, for odd n.
    flank = -peak * (math.sin((order - 1) * a) / (order - 1) + math.sin((order + 1) * a) / (order + 1))
    return 2 / math.pi * (top + flank)


def clipped_rms(peak, limit):
    a = math.acos(limit / peak)
    square = peak**2 * (math.pi / 2 - a - math.sin(2 * a) / 2) + limit**2 * 2 * a
    return math.sqrt(square / math.pi)


@pytest.mark.parametrize("over", [1.001, 1.2, 2.0, 10.0])
def test_a_clipped_sine_has_its_harmonic_series(over):
    segment = Feed().add(phasors(100.0, 1.0))
    limit = NO_LIMIT.copy()
    limit[3] = math.sqrt(2) / over
    out = clipped(segment, limit)
    ia = out.amplitude[3]
    for order in (1, 3, 5, 7, 21):
        assert ia[order] == pytest.approx(clipped_sine(math.sqrt(2), limit[3], order), abs=2e-5)
    assert np.abs(ia[0::2]).max() < 1e-15
    # The others are what they were, and the mean square that is left out is negligible.
    np.testing.assert_array_equal(out.amplitude[[0, 1, 2, 4, 5], 1], segment.amplitude[[0, 1, 2, 4, 5], 0])
    rms = math.sqrt(measure_steady(out, orders=128).gram[0, 3, 3])
    assert rms == pytest.approx(clipped_rms(math.sqrt(2), limit[3]), rel=1e-5)


def test_what_stays_within_the_range_is_left_alone():
    segment = Feed(orders=(1.0, -3.0)).add(np.hstack([phasors(100.0, 1.0), phasors(10.0, 0.5)]))
    assert clipped(segment, NO_LIMIT) is segment
    peak = np.full(6, 1e9)
    # Sum of amplitudes beyond the range, true peak within: third harmonics that flatten the crest.
    flat = Feed(orders=(1.0, 3.0)).add(np.hstack([phasors(100.0, 1.0), -0.15 * np.abs(phasors(100.0, 1.0))]))
    peak[0] = 125.0
    assert np.abs(flat.amplitude[0]).sum() > 125.0
    assert clipped(flat, peak) is flat


def test_a_negative_order_and_a_high_one_survive():
    rms = np.hstack([phasors(100.0, 1.0), phasors(1.0, 0.1), phasors(2.0, 0.1)])
    segment = Feed(orders=(1.0, -7.0, 150.0)).add(rms)
    limit = NO_LIMIT.copy()
    limit[5] = 0.5
    out = clipped(segment, limit)
    np.testing.assert_array_equal(out.amplitude[:5, 7], segment.amplitude[:5, 1].conj())
    np.testing.assert_array_equal(out.amplitude[:5, 150], segment.amplitude[:5, 2])


def test_a_meter_shows_the_rms_of_what_its_converter_holds():
    # 5 A input: 32767 / 1683.153 = 19.468 A; 40 A peak at 30 times the class's load are clipped.
    bank, feed = MeterBank([CLASS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 40.0))
    feed.run(bank, MINUTE)
    shown = bank.fast(0)
    limit = 32767 / 1683.153
    assert shown["i1"] == pytest.approx(clipped_rms(40.0 * math.sqrt(2), limit), rel=3e-4)
    fundamental = clipped_sine(40.0 * math.sqrt(2), limit, 1) / math.sqrt(2)
    assert bank.energies(0)["epa_imp"] == pytest.approx(230 * fundamental / 60, rel=4e-3)
    assert bank.basic(0)["thd_i1"] > 0.3
    assert shown["v1"] == pytest.approx(230.0, rel=2e-3)
    ideal, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 40.0))
    feed.run(ideal, MINUTE)
    assert ideal.fast(0)["i1"] == pytest.approx(40.0, rel=1e-12)


def test_terms_stay_shared_while_nothing_clips():
    end, feed = FrontEnd(Inputs([CLASS]), start_ns=T0), Feed()
    for current in (4.0, 40.0, 5.0, 6.0):
        segment = feed.add(phasors(230.0, current))
        end.append(replace(segment, order=feed.segments[0].order, rate=feed.segments[0].rate))
        feed.now += MINUTE // 600
    kept = end._segments[1:]
    assert [segment.order.size for segment in kept] == [2, 128, 2, 2]
    assert kept[2].order is kept[3].order
    assert end.stationary


def test_counts_are_those_of_the_manual():
    np.testing.assert_array_equal(counts(SETTINGS), [37.59105] * 3 + [1683.153] * 3)
