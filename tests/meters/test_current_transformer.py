"""Current transformers: the kernel against an independent solver, and the textbook's criteria."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.meters.feed import Feed, phasors
from twin.meters.current_transformer import (
    CurrentTransformer,
    TransformerError,
    flux_after,
    flux_bound,
)
from twin.meters.saturation_kernels import saturate

OMEGA = 100 * math.pi
STEP = 1 / (50 * 512)
FOR_EVER = 1e9


def secondary(transformer, current, *, rated=5.0, step=STEP, flux=None):
    core = transformer.core(rated_current=rated, frequency=50.0)[None]
    start = np.array([transformer.remanence * core[0, 1] if flux is None else flux])
    out, linkage = np.empty((2, 1, current.size))
    saturate(current[None], step, core, start, out, linkage)
    return out[0], linkage[0], core[0]


def offset_current(multiple, *, tau, cycles, rated=5.0, angle=0.0):
    """A fault current with full offset: rms times sqrt 2 (exp(-t/tau) - cos wt)."""
    t = np.arange(round(cycles * 512)) * STEP
    return t, math.sqrt(2) * multiple * rated * (np.exp(-t / tau) - np.cos(OMEGA * t + angle))


@pytest.mark.parametrize(("multiple", "tau", "remanence"), [(15, 0.06, 0.0), (30, 0.03, 0.6), (8, 0.1, -0.8)])
def test_the_kernel_agrees_with_an_independent_solution(multiple, tau, remanence):
    transformer = CurrentTransformer(burden=15.0, remanence=remanence, time_constant=0.8)
    t, current = offset_current(multiple, tau=tau, cycles=10)
    out, linkage, core = secondary(transformer, current)
    resistance, limit, peak, exponent, slow, rest = core

    def excited(flux):
        return np.sign(flux) * peak * (np.abs(flux) / limit) ** exponent

    def rate(now, flux):
        i = math.sqrt(2) * multiple * 5.0 * (math.exp(-now / tau) - math.cos(OMEGA * now))
        return resistance * (i - excited(flux)) - (flux - rest) / slow

    truth = solve_ivp(
        rate, (0, t[-1]), [remanence * limit], method="LSODA", t_eval=t, rtol=1e-9, atol=1e-12, max_step=1e-4
    ).y[0]
    assert np.abs(linkage - truth).max() < 5e-4 * limit
    largest = np.abs(current).max()
    wrong = np.abs(out - (current - excited(truth)))
    assert wrong.max() < 0.02 * largest
    assert math.sqrt(np.mean(wrong**2)) < 1e-3 * largest
    assert np.abs(out - current).max() > 0.3 * largest  # it does saturate


def test_a_finer_step_is_more_accurate():
    transformer = CurrentTransformer()
    _, current = offset_current(20, tau=0.05, cycles=5)
    t = np.arange(current.size * 8) * STEP / 8
    fine = math.sqrt(2) * 20 * 5.0 * (np.exp(-t / 0.05) - np.cos(OMEGA * t))
    once, _, _ = secondary(transformer, current)
    often, _, _ = secondary(transformer, fine, step=STEP / 8)
    assert np.abs(once - often[::8]).max() < 0.02 * np.abs(fine).max()


@pytest.mark.parametrize("accuracy_class", ["5P20", "10P10", "5P30"])
def test_the_composite_error_at_the_accuracy_limit_is_that_of_the_class(accuracy_class):
    # IEC 61869-2: at the accuracy limit current and rated burden the composite error is the class's.
    transformer = CurrentTransformer(accuracy_class=accuracy_class, time_constant=FOR_EVER)
    factor, stated = transformer.limit_factor, transformer.composite_error

    def composite(multiple):
        t = np.arange(40 * 512) * STEP
        current = math.sqrt(2) * multiple * 5.0 * np.cos(OMEGA * t)  # no offset of the flux
        out, _, _ = secondary(transformer, current)
        rest = (out - current)[-10 * 512 :]
        return math.sqrt(np.mean(rest**2)) / (multiple * 5.0)

    assert 0.8 * stated < composite(factor) <= stated
    assert composite(0.8 * factor) < 0.1 * stated
    assert composite(0.5 * factor) < 1e-6
    assert composite(1.5 * factor) > 2 * stated


@pytest.mark.parametrize("tau", [0.03, 0.06, 0.12])
@pytest.mark.parametrize("over", [2.0, 4.0])
def test_time_to_saturation_with_full_offset(tau, over):
    # IEEE C37.110: flux over that of the AC part, w T1 (1 - exp(-t / T1)) - sin wt, reaches K_s.
    transformer = CurrentTransformer(time_constant=FOR_EVER)
    multiple = transformer.limit_factor / over
    t, current = offset_current(multiple, tau=tau, cycles=15)
    out, _, _ = secondary(transformer, current)
    linear = OMEGA * tau * (1 - np.exp(-t / tau)) - np.sin(OMEGA * t)
    textbook = t[np.flatnonzero(linear >= over)[0]] if (linear >= over).any() else None
    saturated = np.flatnonzero(np.abs(out - current) > 0.1 * math.sqrt(2) * multiple * 5.0)
    if textbook is None:
        assert over > linear.max()
    else:
        assert t[saturated[0]] == pytest.approx(textbook, abs=2e-3)
    # And the closed formula of its envelope, t = -T1 ln(1 - (Ks - 1) / (w T1)), comes first.
    envelope = -tau * math.log(1 - (over - 1) / (OMEGA * tau))
    assert textbook >= envelope - 1e-9


def test_no_saturation_while_the_limit_is_not_exceeded():
    # Peak flux of a full offset: (1 + w T1) times that of the AC part.
    transformer = CurrentTransformer(time_constant=FOR_EVER)
    tau = 0.05
    for share, saturates in ((0.5, False), (1.4, True)):
        multiple = share * transformer.limit_factor / (1 + OMEGA * tau)
        _, current = offset_current(multiple, tau=tau, cycles=30)
        out, _, _ = secondary(transformer, current)
        assert (np.abs(out - current).max() > 0.1 * np.abs(current).max()) == saturates


def test_remanence_brings_saturation_forward():
    _, current = offset_current(6, tau=0.06, cycles=6)
    first = []
    for remanence in (-0.7, 0.0, 0.7):
        out, _, _ = secondary(CurrentTransformer(remanence=remanence), current)
        first.append(np.flatnonzero(np.abs(out - current) > 5.0)[0])
    assert first[0] > first[1] > first[2]


def test_flux_in_closed_form_is_that_of_the_kernel_below_the_knee():
    transformer = CurrentTransformer(remanence=0.3, time_constant=0.5)
    core = np.tile(transformer.core(rated_current=5.0, frequency=50.0), (3, 1))
    rows = np.array([3, 4, 5])
    feed = Feed(orders=(1.0, 5.0, 0.0), theta=0.7)
    rms = np.hstack([phasors(i=4.0), 0.1 * phasors(i=4.0), np.full((6, 1), 1.5)])
    segment = feed.add(rms, rate=[0, 0, -20])
    t = np.arange(2048) * STEP
    wave = np.real(
        segment.amplitude[rows]
        @ np.exp(np.outer(segment.rate, t) + 1j * np.outer([1, 5, 0], OMEGA * t + 0.7))
    )
    start = 0.3 * core[:, 1]
    out, linkage = np.empty((2, 3, t.size))
    saturate(wave, STEP, core, start, out, linkage)
    assert np.abs(out - wave).max() < 1e-3
    end = flux_after(segment, rows, core, start, t[-1])
    np.testing.assert_allclose(linkage[:, -1], end, atol=2e-4 * core[0, 1])
    bound = flux_bound(segment, rows, core, start)
    assert np.all(np.abs(linkage).max(axis=1) <= bound)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(TransformerError, match="no class; write it as in 5P20"):
        CurrentTransformer(accuracy_class="0.2S")
    with pytest.raises(TransformerError, match=r"remanence 1 is out of range; use -0.9..0.9"):
        CurrentTransformer(remanence=1.0)
