import numpy as np
import pytest

from tests.signals.waves import at, segment, signal
from twin.signals import amplitude_from_rms, rms_from_amplitude, synthesise, window_gram


def test_an_rms_phasor_of_230_v_peaks_at_325_v():
    assert amplitude_from_rms(230.0 + 0.0j) == pytest.approx(325.2691193458119)
    assert rms_from_amplitude(amplitude_from_rms(3.0 - 4.0j)) == pytest.approx(3.0 - 4.0j)


def test_the_conversion_agrees_with_samples_and_moments():
    phasor = np.array([[230.0 * np.exp(0.3j)]] * 6)
    whole = signal(segment(amplitude=amplitude_from_rms(phasor), order=[1]), duration_s=1)
    samples = synthesise(whole, at(0.0), step_s=1e-4, count=200)
    assert np.sqrt((samples[0] ** 2).mean()) == pytest.approx(230.0, rel=1e-13)
    assert window_gram(whole, at(0.0), at(0.02))[0, 0, 0] == pytest.approx(230.0**2, rel=1e-13)
