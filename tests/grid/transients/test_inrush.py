"""Transformer inrush against integration step by step, the textbook's peak, and its even harmonics."""

from itertools import pairwise
from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from twin.grid.transients import CircuitError
from twin.grid.transients.inrush import Core, Energising, first_peak, inrush

OMEGA = 2 * pi * 50.0
PEAK = 20e3 * sqrt(2 / 3)
NOMINAL = PEAK / OMEGA
CORE = Core(magnetising=NOMINAL / 0.3, air_core=0.5, knee=1.2 * NOMINAL)


def single(*, R=3.0, L=0.03, remanence=0.6, angle=-pi / 2):
    return Energising(
        CORE,
        50.0,
        np.array([PEAK * np.exp(1j * angle)]),
        np.array([[R]]),
        np.array([[L]]),
        np.array([remanence * NOMINAL]),
    )


def three(connection, *, remanence=(0.5, 0.0, -0.5), angle=0.4):
    """Windings of a delta see the line voltage, so that its core carries the root of three times the flux."""
    factor = sqrt(3.0) if connection == "delta" else 1.0
    core = Core(CORE.magnetising * factor, CORE.air_core * factor, CORE.knee * factor)
    return Energising(
        core,
        50.0,
        PEAK * np.exp(-2j * pi / 3 * np.arange(3) + 1j * angle),
        np.diag([2.0, 2.2, 2.1]),
        np.array([[0.02, 0.004, 0.004], [0.004, 0.021, 0.004], [0.004, 0.004, 0.02]]),
        np.array(remanence) * NOMINAL * factor,
        connection,
    )


def integrated(case, times):
    """Flux linkages from the differential equation with the characteristic as it is written."""
    n = len(case.emf)
    N = np.array([[1, -1, 0], [0, 1, -1], [-1, 0, 1.0]]) if case.connection == "delta" else np.eye(n)
    L_w, R_w = N @ case.L @ N.T, N @ case.R @ N.T

    def slope(t, flux):
        current = case.core.current(flux)
        stiff = np.where(np.abs(flux) < case.core.knee, 1 / case.core.magnetising, 1 / case.core.air_core)
        drive = N @ (case.emf * np.exp(1j * OMEGA * t)).real - R_w @ current
        system = np.eye(n) + L_w * stiff
        if case.connection == "star_isolated":
            bordered = np.block([[system, np.ones((n, 1))], [stiff[None, :], np.zeros((1, 1))]])
            return np.linalg.solve(bordered, np.append(drive, 0.0))[:n]
        return np.linalg.solve(system, drive)

    start = np.array(case.remanence)
    return solve_ivp(
        slope, (0, times[-1]), start, t_eval=times, method="RK45", max_step=2e-5, rtol=1e-8, atol=1e-9
    ).y


def test_one_phase_follows_the_differential_equation():
    result = inrush(single(), step=2e-5, samples=5001)
    flux = integrated(single(), np.arange(5001) * 2e-5)
    scale = np.abs(result.windings).max()
    assert np.abs(result.flux - flux).max() < 1e-5 * np.abs(flux).max()
    assert np.abs(result.lines - CORE.current(flux)).max() < 1e-4 * scale


@pytest.mark.parametrize("connection", ["star_earthed", "star_isolated", "delta"])
def test_three_phases_follow_the_differential_equation(connection):
    case = three(connection)
    result = inrush(case, step=5e-5, samples=1201)
    flux = integrated(case, np.arange(1201) * 5e-5)
    scale = np.abs(result.windings).max()
    assert scale > 20.0
    assert np.abs(result.windings - case.core.current(flux)).max() < 1e-4 * scale
    if connection != "star_earthed":
        assert np.abs(result.lines.sum(axis=0)).max() < 1e-9 * scale
    else:
        assert np.abs(result.lines.sum(axis=0)).max() > 0.1 * scale


def test_the_first_peak_without_losses_is_the_textbooks():
    """Energised at a voltage zero the flux reaches remanence + 2 V / omega."""
    case = single(R=0.0, L=0.0)
    result = inrush(case, step=1e-5, samples=2001)
    expected = CORE.knee / CORE.magnetising + (2.6 * NOMINAL - CORE.knee) / CORE.air_core
    assert first_peak(CORE, PEAK, 50.0, 0.6 * NOMINAL) == pytest.approx(expected, rel=1e-14)
    assert result.lines.max() == pytest.approx(expected, rel=1e-6)
    behind = inrush(single(R=0.0, L=0.1), step=1e-5, samples=2001)
    series = Core(CORE.magnetising + 0.1, CORE.air_core + 0.1, CORE.knee * (1 + 0.1 / CORE.magnetising))
    psi = 0.6 * NOMINAL * (1 + 0.1 / CORE.magnetising)
    assert behind.lines.max() == pytest.approx(first_peak(series, PEAK, 50.0, psi), rel=1e-6)


def test_closing_at_the_voltage_crest_without_remanence_gives_no_inrush():
    calm = inrush(single(remanence=0.0, angle=0.0), step=1e-4, samples=2001)
    assert calm.lines.max() < 1.05 * NOMINAL / CORE.magnetising
    assert calm.lines.max() > 0.9 * NOMINAL / CORE.magnetising


def test_even_harmonics_dominate_and_decay():
    result = inrush(single(R=10.0), step=1e-4, samples=20001)

    def harmonic(cycle, order):
        wave = result.lines[0, 200 * cycle : 200 * cycle + 200]
        return 2 * abs(np.fft.rfft(wave)[order]) / 200

    second = [harmonic(cycle, 2) for cycle in (5, 10, 20, 40, 60, 99)]
    assert all(a > b for a, b in pairwise(second))
    assert second[-1] < 0.1 * second[0]
    assert harmonic(0, 2) > 0.15 * harmonic(0, 1)
    assert harmonic(0, 2) > harmonic(0, 3)


def test_voltages_are_the_fluxes_slopes_and_the_block_carries_the_lines():
    result = inrush(single(), step=1e-5, samples=4001)
    inner = (result.flux[0, 2:] - result.flux[0, :-2]) / 2e-5
    off = np.abs(inner - result.voltages[0, 1:-1])
    assert np.median(off) < 1e-4 * PEAK
    block = result.block(1_000, 0.25)
    assert (block.start_ns, block.start_fraction, block.step_s) == (1_000, 0.25, 1e-5)
    assert block.samples is result.lines


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Core(1.0, 2.0, 1.0), "0 < air_core < magnetising"),
        (lambda: inrush(three("zigzag"), step=1e-4, samples=2), "'zigzag' is none of"),
        (lambda: inrush(single(remanence=1.3), step=1e-4, samples=2), "over the knee"),
        (
            lambda: inrush(three("star_isolated", remanence=(0.5, 0, 0)), step=1e-4, samples=2),
            "add up to zero",
        ),
    ],
)
def test_impossible_transformers_are_refused(make, message):
    with pytest.raises(CircuitError, match=message):
        make()
