"""The transform of the orders alone against that of all bins, and against closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology import harmonic_groups, window_bins
from twin.metrology.sampled_spectrum import SampledSpectrum


def measured(samples: np.ndarray, column: int, *, cycles: int, per_cycle: int, orders: int) -> tuple:
    rows = samples.shape[0]
    spectrum = np.empty((rows, orders), np.complex128)
    harmonic, interharmonic = np.empty((2, rows, orders))
    transform = SampledSpectrum(cycles=cycles, samples_per_cycle=per_cycle, orders=orders)
    transform.measure(samples, column, spectrum, harmonic, interharmonic)
    return spectrum, harmonic, interharmonic


@pytest.mark.parametrize("cycles", [10, 12])
def test_every_bin_is_that_of_the_whole_transform(cycles: int) -> None:
    """One bin at a time, so that a bin in another's place is found."""
    from twin.metrology.sampled_spectrum import _tables
    from twin.metrology.sampled_spectrum_kernels import low_bins

    size, orders = 512 * cycles, 63
    rng = np.random.default_rng(cycles)
    wanted = cycles * orders
    amplitude = rng.normal(size=wanted) + 1j * rng.normal(size=wanted)
    full = np.zeros(size // 2 + 1, np.complex128)
    full[:wanted] = amplitude
    full[0] = full[0].real
    full[wanted:] = rng.normal(size=full.size - wanted) * 3.0  # what must not leak down
    samples = np.vstack((np.zeros(size), np.fft.irfft(full, size)))
    bins = np.empty((2, wanted), np.complex128)
    low_bins(samples, 0, *_tables(cycles), 8, orders, bins)
    assert np.array_equal(bins[0], np.zeros(wanted))
    np.testing.assert_allclose(bins[1], full[:wanted], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("orders", [2, 51, 63, 64, 120])
@pytest.mark.parametrize("per_cycle", [256, 512])
@pytest.mark.parametrize("cycles", [10, 12])
def test_groups_are_those_of_the_plain_implementation(cycles: int, per_cycle: int, orders: int) -> None:
    samples = np.random.default_rng(orders).normal(size=(31, 5 + cycles * per_cycle + 3))
    spectrum, harmonic, interharmonic = measured(
        samples, 5, cycles=cycles, per_cycle=per_cycle, orders=orders
    )
    bins = window_bins(samples[:, 5:-3], cycles=cycles, orders=orders)
    groups = harmonic_groups(bins, cycles=cycles)
    np.testing.assert_allclose(spectrum, bins[:, :-1:cycles], rtol=0, atol=1e-13)
    np.testing.assert_allclose(harmonic, groups.subgroup, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(interharmonic, groups.interharmonic_subgroup, rtol=1e-11)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([10, 12]),
    st.integers(1, 50),
    st.floats(-3.1, 3.1),
    st.floats(0.01, 400.0),
    st.integers(1, 3),
)
def test_a_harmonic_reads_its_rms_and_angle(
    cycles: int, order: int, angle: float, rms: float, channels: int
) -> None:
    theta = 2 * np.pi * np.arange(512 * cycles) / 512
    wave = np.sqrt(2.0) * rms * np.cos(order * theta + angle)
    spectrum, harmonic, interharmonic = measured(
        np.tile(wave, (channels, 1)), 0, cycles=cycles, per_cycle=512, orders=51
    )
    expected = np.zeros(51, np.complex128)
    expected[order] = rms * np.exp(1j * angle)
    np.testing.assert_allclose(spectrum, np.tile(expected, (channels, 1)), rtol=0, atol=1e-12 * rms)
    np.testing.assert_allclose(harmonic, np.tile(np.abs(expected), (channels, 1)), rtol=0, atol=1e-12 * rms)
    assert interharmonic.max() < 1e-12 * rms


@pytest.mark.parametrize("cycles", [10, 12])
def test_an_interharmonic_reads_its_rms_between_its_orders(cycles: int) -> None:
    theta = 2 * np.pi * np.arange(512 * cycles) / 512
    samples = np.sqrt(2.0) * 7.0 * np.sin(3.5 * theta)[np.newaxis]
    _, harmonic, interharmonic = measured(samples, 0, cycles=cycles, per_cycle=512, orders=51)
    assert interharmonic[0, 3] == pytest.approx(7.0, rel=1e-13)
    assert np.delete(interharmonic[0], 3).max() < 1e-12
    assert harmonic.max() < 1e-12
