"""Meters behind imperfect inputs: what registers show is what the error model says, in every path."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import Instant, SampledBlock
from twin.meters.accuracy import gains
from twin.meters.bank import MeterBank
from twin.meters.front_end import FrontEnd
from twin.meters.inputs import Inputs, errors_of
from twin.metrology import measure_samples, measure_window
from twin.signals import synthesise_cycles

CLASS = replace(SETTINGS, accuracy="class", seed=11)


def errors(settings=CLASS):
    from twin.meters.accuracy import KW320

    return errors_of(settings, KW320)


def lived(settings, rms, *, minutes=10):
    bank, feed = MeterBank([settings], start_ns=T0), Feed()
    feed.add(rms)
    feed.run(bank, minutes * MINUTE)
    return bank


@pytest.mark.parametrize("load", [0.01, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("lag", [0.0, math.pi / 3, -math.acos(0.8)])
def test_energy_errs_by_the_gains_of_its_channels(load, lag):
    v, i = 230.0, 5.0 * load
    got = lived(CLASS, phasors(v, i, lag)).energies(0)
    model = errors()
    level = np.hypot(np.repeat([v, i], 3), model.curve[:, 6]) / model.curve[:, 0]
    gain = gains(model.curve, level)
    offset = model.curve[:3, 6] * model.curve[3:, 6]
    power = (v * i * gain[:3] * np.conj(gain[3:] * np.exp(-1j * lag))).real + offset
    # The curve takes its level without the offset: a difference of 1e-9.
    assert got["ep_imp"] == pytest.approx(power.sum() / 6, rel=1e-9)
    error = 100 * (got["ep_imp"] / (3 * v * i * math.cos(lag) / 6) - 1)
    assert 1e-4 < abs(error) < (0.4 if load < 0.05 else 0.3)


def test_displayed_volts_and_amperes_have_the_errors_and_the_noise():
    shown = lived(CLASS, phasors(230.0, 0.5), minutes=1).fast(0)
    model = errors()
    gain = np.abs(gains(model.curve, np.repeat([230.0, 0.5], 3) / model.curve[:, 0]))
    rms = np.repeat([230.0, 0.5], 3) * gain
    expected = np.sqrt(rms**2 + model.curve[:, 6] ** 2 + model.noise**2)
    names = ("v1", "v2", "v3", "i1", "i2", "i3")
    # Ten cycles of 64 samples let the noise fluctuate.
    sigma = model.noise / math.sqrt(640)
    for name, value, spread in zip(names, expected, sigma, strict=True):
        assert abs(shown[name] - value) < 5 * spread


def test_an_ideal_meter_beside_one_of_a_class_is_ideal():
    both = MeterBank([SETTINGS, replace(CLASS, name="other")], start_ns=T0)
    alone = MeterBank([SETTINGS], start_ns=T0)
    feed, single = Feed(orders=(1.0, 5.0)), Feed(orders=(1.0, 5.0))
    rms = np.hstack([phasors(), 0.1 * phasors()])
    feed.add(np.vstack([rms, rms]))
    single.add(rms)
    feed.run(both, MINUTE)
    single.run(alone, MINUTE)
    assert both.energies(0) == alone.energies(0)
    assert both.fast(0) == alone.fast(0)
    assert both.energies(1)["ep_imp"] != both.energies(0)["ep_imp"]


def test_a_meter_registers_at_the_starting_current_of_its_class():
    # IEC 62053-22: 0.001 In at power factor 1.
    for seed in range(20):
        settings = replace(CLASS, seed=seed)
        start = errors(settings).starting_current
        assert 0.0025 <= start <= 0.0045
        at_class = lived(settings, phasors(230.0, 0.005)).energies(0)
        assert at_class["ep_imp"] == pytest.approx(3 * 230 * 0.005 / 6, rel=0.01)
        below = lived(settings, phasors(230.0, 0.95 * start)).energies(0)
        assert set(below.values()) == {0.0}
        above = lived(settings, phasors(230.0, 1.02 * start)).energies(0)
        assert above["ep_imp"] == pytest.approx(3 * 230 * 1.02 * start / 6, rel=0.02)


def test_no_meter_creeps():
    # 115 % of 400 V without current, an hour: not a femtojoule.
    for seed in range(20):
        got = lived(replace(CLASS, seed=seed), phasors(460.0, 0.0), minutes=60)
        assert set(got.energies(0).values()) == {0.0}
        assert got.fast(0)["i1"] == got.fast(0)["p_sum"] == 0.0


def test_closed_form_and_samples_carry_the_same_errors():
    end, feed = FrontEnd(Inputs([CLASS]), start_ns=T0), Feed(orders=(1.0, 3.0, 7.0))
    rms = np.hstack([phasors(i=1.0), 0.05 * phasors(i=1.0), 0.02 * phasors(i=1.0)])
    end.append(feed.add(rms))
    signal = end.signal(Instant(T0), T0 + SECOND)
    samples = synthesise_cycles(signal, Instant(T0), samples_per_cycle=64, count=640)
    sampled = measure_samples(samples, samples_per_cycle=64, cycles=10, frequency=50.0, orders=16)
    closed = measure_window(signal, Instant(T0), Instant(T0 + SECOND // 5), orders=16)
    np.testing.assert_allclose(sampled.gram, closed.gram, rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(sampled.spectrum, closed.spectrum, rtol=1e-11, atol=1e-9)


def test_a_decaying_term_is_given_the_gain_too():
    end, feed = FrontEnd(Inputs([CLASS]), start_ns=T0), Feed(orders=(1.0, 0.0, 0.0))
    rms = np.hstack([phasors(i=3.0), 0.1 * phasors(i=3.0).real, 0.1 * phasors(i=3.0)])
    end.append(feed.add(rms, rate=[0, -50, -50 - 2000j]))
    raw, seen = feed.segments[-1].amplitude, end.newest.amplitude
    level = np.sqrt(0.5 * np.abs(raw[:, [0, 2]]) ** 2 @ [1, 1] + raw[:, 1].real ** 2)
    gain = gains(errors().curve, level / errors().curve[:, 0])
    np.testing.assert_allclose(seen[:, 1], raw[:, 0] * gain, rtol=1e-14)
    np.testing.assert_allclose(seen[:, 2], raw[:, 1] * np.abs(gain), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(seen[:, 3], raw[:, 2] * np.conj(gain), rtol=1e-14)
    np.testing.assert_array_equal(end.newest.rate, [0, 0, -50, -50 - 2000j])
    assert not end.stationary


def test_samples_of_a_block_are_scaled_and_displaced_too():
    settings = replace(CLASS, pt1=23_000, pt2=230, ct1=100)
    end, feed = FrontEnd(Inputs([settings]), start_ns=T0), Feed()
    step = 1 / 12_800
    wave = np.sqrt(2) * np.real(phasors(23_000.0, 60.0) * np.exp(2j * np.pi * 50 * step * np.arange(2560)))
    plain = feed.add(0 * phasors())
    end.append(replace(plain, block=SampledBlock(T0, 0.0, step, wave)))
    seen = end.newest.block.samples[:, 256:-256]
    rms = np.repeat([230.0, 3.0], 3)
    gain = gains(errors(settings).curve, rms / errors(settings).curve[:, 0])
    basis = np.exp(-2j * np.pi * 50 * step * np.arange(256, 2304))
    phasor = np.sqrt(2) * (seen @ basis) / basis.size
    np.testing.assert_allclose(phasor, rms * gain * phasors(1.0, 1.0)[:, 0], rtol=2e-6)
    assert not end.stationary


def test_a_current_input_that_is_turned_keeps_its_errors():
    bank, feed = MeterBank([CLASS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, MINUTE)
    before = bank.fast(0)
    turned = replace(CLASS, current_direction=(True, True, True))
    bank.configure(0, turned, feed.now)
    assert bank.fast(0)["p_sum"] == pytest.approx(-before["p_sum"], rel=1e-4)
    assert bank.fast(0)["i1"] == pytest.approx(before["i1"], rel=1e-4)


def test_the_seed_of_a_meter_is_its_own():
    one, other = (lived(replace(CLASS, seed=seed), phasors()).energies(0)["ep_imp"] for seed in (1, 2))
    assert one != other
    assert one == pytest.approx(other, rel=4e-3)
    assert lived(replace(CLASS, seed=1), phasors()).energies(0)["ep_imp"] == one
