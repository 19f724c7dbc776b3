import numpy as np
import pytest
from hypothesis import given, settings

from tests.signals.waves import segment, stationary_segments
from twin.metrology import crest_factor, even_thd, k_factor, measure_steady, odd_thd, reading, thd


def harmonics(**parts):
    out = np.zeros(64)
    for name, value in parts.items():
        out[int(name[1:])] = value
    return out


def test_distortion_by_hand():
    row = harmonics(h0=50, h1=100, h2=3, h3=4, h41=12)
    assert thd(row, highest=40) == pytest.approx(0.05)
    assert thd(row, highest=63) == pytest.approx(0.13)
    assert odd_thd(row, highest=63) == pytest.approx(np.hypot(4, 12) / 100)
    assert even_thd(row, highest=63) == pytest.approx(0.03)
    assert np.isnan(thd(harmonics(h3=1), highest=40))


@settings(deadline=None)
@given(stationary_segments())
def test_all_orders_give_the_distortion_of_the_reading(part):
    r = reading(measure_steady(part))
    assert np.allclose(thd(r.harmonic, highest=63), r.thd, equal_nan=True)
    odd, even = odd_thd(r.harmonic, highest=63), even_thd(r.harmonic, highest=63)
    assert np.allclose(np.hypot(odd, even), r.thd, equal_nan=True)


def test_k_factor_of_a_six_pulse_current():
    """I_h = I_1/h for 5, 7, 11, 13: K = 5 / (1 + 1/25 + 1/49 + 1/121 + 1/169)."""
    row = harmonics(h1=1, h5=1 / 5, h7=1 / 7, h11=1 / 11, h13=1 / 13)
    assert k_factor(row, highest=25) == pytest.approx(5 / (1 + 1 / 25 + 1 / 49 + 1 / 121 + 1 / 169))
    assert k_factor(harmonics(h1=7), highest=25) == pytest.approx(1.0)
    assert np.isnan(k_factor(harmonics(), highest=25))


def test_crest_factors_of_known_waves():
    order = np.arange(1, 64, 2)
    square = segment(amplitude=np.tile(4 / np.pi / order / 1j, (6, 1)), order=order)
    # The Fourier sum of a square wave overshoots (Gibbs): 1.1790 at the limit, over an RMS just below 1.
    found = crest_factor(measure_steady(square).spectrum, samples_per_cycle=4096)
    assert found[0, 0] == pytest.approx(1.1790 / np.sqrt(1 - 4 / np.pi**2 / 64), abs=1e-3)
    sine = segment(amplitude=np.full((6, 1), 5.0 * np.exp(0.3j)), order=[1])
    # 512 points miss the peak of a sine by at most 1 - cos(pi/512).
    assert crest_factor(measure_steady(sine).spectrum)[0, 0] == pytest.approx(np.sqrt(2), rel=2e-5)
    offset = segment(amplitude=np.tile([1.0, 1.0 + 0j], (6, 1)), order=[0, 1])
    assert crest_factor(measure_steady(offset).spectrum)[0, 0] == pytest.approx(2 / np.sqrt(1.5))
    dead = segment(amplitude=np.zeros((6, 1)), order=[1])
    assert np.isnan(crest_factor(measure_steady(dead).spectrum)).all()


def test_orders_must_be_there():
    with pytest.raises(ValueError, match="measure more orders"):
        thd(np.zeros(40), highest=40)
    with pytest.raises(ValueError, match="use at least 128"):
        crest_factor(np.zeros((1, 64), complex), samples_per_cycle=127)
