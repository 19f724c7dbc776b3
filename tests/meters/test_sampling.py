"""Meters on samples: equal to the closed form, and right where there is none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from tests.meters.kw320_site import AMPERES, START, VOLTS, scaled, segment
from twin.contracts import EventRecord, SampledBlock
from twin.meters import AlarmConfig, MeterConfig, build_fleet
from twin.meters.bank import MeterBank
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.front_end import FrontEnd
from twin.meters.inputs import Inputs
from twin.meters.saturation_kernels import saturate

MS = 1_000_000
CONFIG = MeterConfig(
    name="head",
    pt1=20_000,
    pt2=100,
    ct1=200,
    ct2=5,
    rated_voltage=66,
    registers={
        "sag_threshold_percent": 80,
        "sag_half_cycles": 4,
        "sag_waveform_enable": 1,
        "swell_threshold_percent": 110,
    },
    alarms=(
        AlarmConfig(channel=1, parameter="v1", comparison="<", setpoint=9000.0, delay_s=0.05),
        AlarmConfig(channel=2, parameter="i1", comparison=">", setpoint=140.0, delay_s=1.0),
    ),
)


def lived(config):
    """Normal supply, a sag of phase a that begins and ends off the zero crossings, a decay, normal supply.

    Steady stretches are whole cycles, over which the closed form counts the mean power.
    """
    fleet, records = build_fleet([config], start_ns=START), []
    sag = (scaled(VOLTS[:1], 0.55)[0], *VOLTS[1:])
    at, theta = 0, 0.3
    for volts, frequency, length, rate in (
        (VOLTS, 50.0, 6_100 * MS, 0.0),
        (sag, 50.0, 120 * MS, 0.0),
        (scaled(VOLTS, 1.02), 50.05, 100 * MS, -3.0),
        (VOLTS, 50.0, 4_000 * MS, 0.0),
    ):
        given = segment(volts, AMPERES, start_ns=START + at, frequency=frequency, theta=theta)
        if rate:
            given = replace(given, rate=np.full(given.order.size, rate + 0j))
        for end in {at + length // 2, at + length}:
            records += fleet.advance(given, START + max(end, at + length // 2))
        at += length
        theta += 2 * math.pi * frequency * length * 1e-9
    return fleet, records


@pytest.mark.parametrize("accuracy", ["ideal", "class"])
def test_every_register_and_event_is_that_of_the_closed_form(accuracy):
    closed, closed_records = lived(replace(CONFIG, accuracy=accuracy, seed=4))
    sampled, sampled_records = lived(replace(CONFIG, accuracy=accuracy, seed=4, fidelity="sampled"))
    one, other = (fleet.decode(0, fleet.words(0)) for fleet in (closed, sampled))
    # Registers are 32-bit floats or whole counts.
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=3e-7, abs=2e-5), name
    for name, value in closed.energies(0).items():
        assert sampled.energies(0)[name] == pytest.approx(value, rel=1e-9), name
    for name, value in closed.extremes(0).items():
        assert sampled.extremes(0)[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name
    assert len(closed_records) == len(sampled_records) > 5
    for left, right in zip(closed_records, sampled_records, strict=True):
        assert type(left) is type(right)
        if isinstance(left, EventRecord):
            assert (left.type, left.phases, left.number) == (right.type, right.phases, right.number)
            assert (left.start_ns, left.trigger_ns, left.end_ns) == (
                right.start_ns,
                right.trigger_ns,
                right.end_ns,
            )
            # An integral over samples of a wave that jumps nowhere inside them: quadrature alone.
            assert left.extreme == pytest.approx(right.extreme, rel=1e-7)
        if hasattr(left, "raw"):
            assert np.abs(left.raw.astype(int) - right.raw).max() <= 1  # a count, where rounding decides
            assert (left.raw == right.raw).mean() > 0.97


FAULT = CurrentTransformer(accuracy_class="5P10", winding_resistance=0.3, rated_burden=5.0)


def fault(feed, *, current=60.0, tau=0.08):
    """A fault current with its full offset, in secondary terms."""
    rms = np.hstack([phasors(120.0, current), np.zeros((6, 1), complex)])
    start = np.real(rms[3:, 0] * np.exp(1j * feed.segments[-1].theta))
    rms[3:, 1] = -start
    return feed.add(rms, rate=[0, -1 / tau])


def saturated(settings, *, current=60.0, cuts=()):
    bank, feed = MeterBank([settings], start_ns=T0), Feed(orders=(1.0, 0.0))
    feed.add(np.hstack([phasors(230.0, 4.0), np.zeros((6, 1), complex)]))
    records = feed.run(bank, SECOND)
    fault(feed, current=current)
    records += feed.run(bank, 300 * MS, cuts=cuts)
    feed.add(np.hstack([phasors(230.0, 4.0), np.zeros((6, 1), complex)]))
    records += feed.run(bank, 2 * SECOND)
    return bank, feed, records


WATCHING = replace(
    SETTINGS, over_current_threshold_percent=150, over_current_waveform=True, transformer=FAULT
)


def test_a_captured_fault_current_is_what_the_transformer_passes_on():
    bank, feed, _ = saturated(WATCHING)
    group = bank.captures(0)[0]
    amperes = group.raw[3:] * np.array(group.scale[3:])[:, None]
    # The same, integrated here: from the start of the fault on, the flux being that of the load.
    step, core = 1 / (50 * 4096), FAULT.core(rated_current=5.0, frequency=50.0)
    t = np.arange(4096 * 15) * step
    before, during = feed.segments[0], feed.segments[1]
    s = 100j * math.pi
    load = before.amplitude[3:, 0] * core[0] / (s + 1 / core[4])
    flux = np.real(load * np.exp(1j * during.theta))
    wave = np.real(
        during.amplitude[3:, :1] * np.exp(1j * (during.theta + 100 * math.pi * t))
        + during.amplitude[3:, 1:] * np.exp(-t / 0.08)
    )
    out, linkage = np.empty((2, 3, t.size))
    saturate(wave, step, np.tile(core, (3, 1)), flux, out, linkage)
    assert np.abs(out - wave).max() > 30.0  # it saturates
    # Capture samples lie at 64ths of a cycle; the fault began at a whole second, at theta 0.
    first = np.flatnonzero(np.abs(amperes[1]) > 6.0)[0]
    clipped = np.clip(out, -32768 / 1683.153, 32767 / 1683.153)
    best = min(
        math.sqrt(np.mean((amperes[:, shift : shift + 600] - clipped[:, : 64 * 600 : 64]) ** 2))
        for shift in range(max(first - 64, 0), first + 65)
        if shift + 600 <= amperes.shape[1]
    )
    assert best < 0.02


def test_a_saturating_transformer_shortens_what_the_meter_sees():
    real, feed, _ = saturated(WATCHING)
    ideal, _, _ = saturated(replace(WATCHING, transformer=None))
    extreme = [bank.events(0)[0].extreme for bank in (real, ideal)]
    assert extreme[0] < 0.8 * extreme[1]
    # After the fault the load is measured as before, in closed form again.
    assert real.fast(0)["i1"] == pytest.approx(4.0, rel=1e-9)
    assert not real._front_end.stationary  # its flux has not decayed yet
    feed.anchor_again()
    feed.run(real, SECOND)
    assert real._front_end.stationary
    assert real.fast(0)["i1"] == pytest.approx(4.0, rel=1e-12)


def test_a_small_current_stays_in_closed_form():
    for current, sampled in ((0.5, False), (60.0, True)):
        end, feed = FrontEnd(Inputs([WATCHING]), start_ns=T0), Feed(orders=(1.0, 0.0))
        end.append(feed.add(np.hstack([phasors(230.0, 4.0), np.zeros((6, 1), complex)])))
        feed.now += SECOND
        end.append(fault(feed, current=current))
        assert (end.newest.block is not None) == sampled
        if sampled:
            assert not end.newest.amplitude[3:].any()
            assert end.newest.amplitude[:3].any()


def test_a_transient_beyond_the_range_is_clipped_in_samples():
    settings = replace(SETTINGS, accuracy="class", seed=8)
    end, feed = FrontEnd(Inputs([settings]), start_ns=T0), Feed(orders=(1.0, 0.0))
    rms = np.hstack([phasors(230.0, 4.0), np.zeros((6, 1), complex)])
    end.append(feed.add(rms))
    feed.now += SECOND
    rms[0, 1] = 900.0
    end.append(feed.add(rms, rate=[0, -200 + 40_000j]))
    end.extend(feed.now + 50 * MS)
    block = end.newest.block
    limit = 32767 / 37.59105
    assert block.samples[0].max() == pytest.approx(limit)
    assert not block.samples[1:].any()
    assert not end.newest.amplitude[0].any()
    # Within the range the samples are those of the terms.
    t = ((block.start_ns - feed.now) + block.start_fraction) * 1e-9 + np.arange(1024) * block.step_s
    plain = Inputs([settings]).secondary(feed.segments[-1])
    order, theta = plain.order, feed.segments[-1].theta
    wave = np.real(
        plain.amplitude[0]
        @ np.exp(np.outer(plain.rate, t) + 1j * order[:, None] * (theta + 100 * math.pi * t))
    )
    np.testing.assert_allclose(block.samples[0, :1024], np.clip(wave, -limit, limit), atol=1e-6)


def test_samples_of_the_site_pass_through_a_sampled_meter():
    step = 1 / 12_800
    wave = np.sqrt(2) * np.real(phasors() * np.exp(2j * np.pi * 50 * step * np.arange(-8, 12_820)))
    out = []
    for fidelity in ("closed_form", "sampled"):
        bank, feed = MeterBank([replace(SETTINGS, fidelity=fidelity)], start_ns=T0), Feed()
        feed.add(0 * phasors())
        begin_ns = T0 - round(8 * step * 1e9)
        block = SampledBlock(begin_ns, 0.0, step, wave)
        feed.segments[-1] = replace(feed.segments[-1], block=block)
        feed.run(bank, SECOND)
        out.append((bank.fast(0), bank.energies(0)))
    assert out[0][0]["v1"] == pytest.approx(230.0, rel=1e-9)
    for name, value in out[0][0].items():
        assert out[1][0][name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert out[1][1]["ep_imp"] == pytest.approx(3 * 230 * 4 / 3600, rel=1e-6)
