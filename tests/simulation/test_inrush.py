"""Transformer inrush on the site, as its meters see it."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.test_transitions import MS, START, site_of
from twin.contracts import Instant, Signal
from twin.grid import Bus, Line, LoadPoint, Network, Probe, Source, Switch, Transformer
from twin.grid.magnetising import core_of, remanence
from twin.grid.transients.inrush import first_peak
from twin.metrology import harmonic_groups, window_bins
from twin.signals import synthesise, synthesise_cycles

UNIT = Transformer(
    "T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn11",
    p_iron=500.0, i0_percent=0.6, knee_percent=120.0, air_core_percent=25.0, remanence_percent=(60.0,),
)  # fmt: skip
PROBES = [Probe("head", "G", "C"), Probe("hv", "H", "T"), Probe("lv", "L", "T", "to")]
PERIOD = 20 * MS


def site_with(unit, *, x=5.0, r=0.5, closed=False, line=("C", "T")):
    network = Network(
        "inrush", (Bus("G", 20e3), Bus("H", 20e3), Bus("L", 400.0)),
        (Source("S", "G", 1.0, 0.0, r, x, r, x),),
        lines=(Line("C", "G", "H", max(r, 1e-6), 0.3, max(r, 1e-6), 0.3),), transformers=(unit,),
        switches=(Switch("QC", "C", line == ("C", "T") or closed), Switch("Q", "T", closed)),
    )  # fmt: skip
    points = [LoadPoint(f"P{letter}", "L", letter) for letter in "abc"]
    return site_of(network, PROBES, points, [0.0] * 3, [0.0] * 3)


def signal_of(clock, since_ns):
    """Return what the clock kept as a signal."""
    kept = [one for one, end in clock.segments if one.start_ns >= since_ns]
    names = tuple(f"{at}" for at in range(kept[0].amplitude.shape[0]))
    return Signal(names, tuple(kept), clock.segments[-1][1])


def energised(unit, *, angle_deg=0.0, seconds=0.5, **network):
    """Close a transformer at an angle of phase a; return site, clock and the signal from then on."""
    site, clock = site_with(unit, **network)
    closing = START + 10 * PERIOD + round(angle_deg / 360.0 * PERIOD)
    clock.run(site, closing)
    site.operate("Q", closed=True, cause="test")
    clock.run(site, closing + round(seconds * 1e9))
    return site, clock, signal_of(clock, closing)


def test_the_first_peak_is_the_closed_form_of_a_core_without_losses():
    """Closing at the voltage zero with the remanence in the way: flux = remanence + 2 V / omega."""
    unit = replace(
        UNIT, vector_group="Ii0", u_hv=20e3 / math.sqrt(3), u_lv=230.0, vkr_percent=0.0, p_iron=0.0,
        hv_phases="a", lv_phases="a",
    )  # fmt: skip
    # Phase a is a cosine: three quarters of a period on it rises through zero.
    _, _, signal = energised(unit, angle_deg=270.0, x=1e-3, r=0.0, seconds=0.04)
    samples = synthesise(signal, Instant(signal.segments[0].start_ns), step_s=20e-6, count=1900)
    core = core_of(unit, "hv", 50.0)
    source = (1e-3 + 0.3) / (100 * math.pi)
    seen = replace(core, air_core=core.air_core + source, magnetising=core.magnetising + source)
    expected = first_peak(seen, unit.u_hv * math.sqrt(2), 50.0, remanence(unit, "hv", 50.0)[0])
    assert samples[9].max() == pytest.approx(expected, rel=2e-3)
    assert samples[3].max() == pytest.approx(expected, rel=2e-3)
    assert np.abs(samples[[10, 11]]).max() < 1e-6 * expected


@pytest.mark.parametrize("group", ["Dyn11", "YNyn0", "Yyn0", "Dyn5"])
def test_a_meter_sees_even_harmonics_that_decay(group):
    _, _, signal = energised(replace(UNIT, vector_group=group), seconds=2.0)
    start = signal.segments[0].start_ns
    shares, size = [], []
    for later in (0, 400 * MS, 1600 * MS):
        window = synthesise_cycles(
            signal, Instant(start + later), samples_per_cycle=256, count=2560, channels=slice(6, 12)
        )
        groups = harmonic_groups(window_bins(window, cycles=10, orders=11), cycles=10)
        worst = 3 + int(np.argmax(groups.subgroup[3:6, 2]))
        shares.append(groups.subgroup[worst, 2] / groups.subgroup[worst, 1])
        size.append(groups.subgroup[worst, 2])
    assert shares[0] > 0.2
    assert size[0] > 1.5 * size[1] > 3 * size[2]


def test_kirchhoff_holds_along_the_path_and_nothing_flows_into_the_open_side():
    """A cable without charging carries at its head what the transformer draws at its terminals."""
    _, _, signal = energised(UNIT, seconds=0.3)
    samples = synthesise(signal, Instant(signal.segments[0].start_ns), step_s=1e-4, count=2900)
    peak = np.abs(samples[9:12]).max()
    assert peak > 2 * 400e3 / (math.sqrt(3) * 20e3) * math.sqrt(2)
    assert np.abs(samples[3:6] - samples[9:12]).max() < 1e-4 * peak
    assert np.abs(samples[9:12].sum(axis=0)).max() < 1e-6 * peak  # a delta has no neutral
    assert np.abs(samples[15:18]).max() < 1e-6 * peak
    # Currents start without a jump but for the remanence's, and voltages fall by what the source lacks.
    assert np.abs(samples[9:12, 0]).max() < 2e-3 * peak
    omega = 100 * math.pi
    fall = np.abs(samples[0:3]).max(axis=1)
    assert (fall < 20e3 * math.sqrt(2 / 3) + 5.0 * peak).all()
    slope = np.gradient(samples[3:6], 1e-4, axis=1)
    times = np.arange(2900) * 1e-4
    theta = signal.segments[0].theta + omega * times
    emf = 20e3 * math.sqrt(2 / 3) * np.cos(theta - np.array([[0], [2], [-2]]) * math.pi / 3)
    behind = emf - 0.5 * samples[3:6] - 5.0 / omega * slope
    inside = (np.abs(np.diff(slope, axis=1, prepend=0)) < 2e3) & (times > 1e-3)
    assert inside.mean() > 0.5
    assert np.abs(behind - samples[0:3])[inside].max() < 0.01 * 16330


def test_the_energy_of_an_inrush_is_that_of_its_resistances():
    """What the head meter imports is lost in the copper on the way and in the iron, nothing else."""
    _, _, signal = energised(UNIT, seconds=0.6)
    start = signal.segments[0].start_ns
    samples = synthesise(signal, Instant(start), step_s=10e-6, count=50_000)
    # The meter at the transformer: its winding's half of the copper, and the iron.
    power = (samples[6:9] * samples[9:12]).sum(axis=0)
    copper = 0.5 * 0.01 * (20e3) ** 2 / 400e3
    lost = copper * (samples[9:12] ** 2).sum(axis=0)
    iron = 500.0
    assert power.mean() == pytest.approx(lost.mean() + iron, rel=0.05)


def test_it_ends_and_survives_changes_of_load_in_between():
    site, clock = site_with(UNIT)
    closing = START + 10 * PERIOD
    clock.run(site, closing)
    site.operate("Q", closed=True, cause="test")
    clock.run(site, closing + 100 * MS)
    before = site.segment.block
    site.change(0, 5e3, 0.0, np.zeros(1, dtype=complex), cause="test")
    clock.run(site, closing + 150 * MS)
    assert before is not None
    assert site.segment.block is before
    site.reanchor()
    assert site.segment.block is before
    clock.run(site, closing + 6_000 * MS)
    assert site.segment.block is None
    for (one, end), (other, _) in itertools.pairwise(clock.segments):
        assert other.start_ns in {end, one.start_ns}


def test_it_ends_with_the_transformer_switched_off():
    site, clock = site_with(UNIT)
    clock.run(site, START + 10 * PERIOD)
    site.operate("Q", closed=True, cause="test")
    clock.run(site, START + 12 * PERIOD)
    site.operate("Q", closed=False, cause="test")
    clock.run(site, START + 14 * PERIOD)
    assert site.segment.block is None


def test_an_upstream_switch_energises_it_too_and_a_unit_without_a_core_is_silent():
    for unit, noisy in ((UNIT, True), (replace(UNIT, knee_percent=None, air_core_percent=None), False)):
        site, clock = site_with(unit)
        site.operate("Q", closed=True, cause="test")
        site.operate("QC", closed=False, cause="test")
        clock.run(site, START + 4_000 * MS)
        clock.run(site, START + 7_000 * MS)
        assert site.segment.block is None
        site.operate("QC", closed=True, cause="test")
        site.settle()
        assert (site.segment.block is not None) is noisy


def test_two_inrushes_add():
    """Two transformers, the second some cycles after the first: the head carries both."""
    network = Network(
        "two", (Bus("G", 20e3), Bus("H", 20e3), Bus("L", 400.0), Bus("M", 400.0)),
        (Source("S", "G", 1.0, 0.0, 0.5, 5.0, 0.5, 5.0),),
        lines=(Line("C", "G", "H", 0.5, 0.3, 0.5, 0.3),),
        transformers=(UNIT, replace(UNIT, name="U", lv_bus="M")),
        switches=(Switch("Q", "T", False), Switch("QU", "U", False)),
    )  # fmt: skip
    probes = [Probe("head", "G", "C"), Probe("one", "H", "T"), Probe("other", "H", "U")]
    site, clock = site_of(network, probes, [LoadPoint("P", "L", "a")], [0.0], [0.0])
    clock.run(site, START + 10 * PERIOD)
    site.operate("Q", closed=True, cause="test")
    clock.run(site, START + 12 * PERIOD + 3_333_333)
    site.operate("QU", closed=True, cause="test")
    second = site.time_ns
    clock.run(site, second + 200 * MS)
    samples = synthesise(signal_of(clock, second), Instant(second), step_s=1e-4, count=1900)
    peak = np.abs(samples[3:6]).max()
    assert np.abs(samples[9:12]).max() > 10 and np.abs(samples[15:18]).max() > 10  # noqa: PT018
    assert np.abs(samples[3:6] - samples[9:12] - samples[15:18]).max() < 1e-4 * peak
