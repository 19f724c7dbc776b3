"""The profile `reference` passes every published point with errors that are small against the limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.calibrator.analyser_bench import AnalyserBench
from twin.calibrator.applied import applied_value
from twin.calibrator.bench import CalibrationError
from twin.calibrator.calibration import calibrate
from twin.calibrator.conditions import Component, Conditions, VoltageStep
from twin.calibrator.point_list import CalibrationPoint
from twin.calibrator.point_sets import SETS, point_set
from twin.calibrator.profiles import PROFILES, bench_for
from twin.calibrator.quantities import QUANTITIES, Course
from twin.calibrator.stimulus import Stimulus
from twin.contracts import BadInputError

LONG = {"pst", "u_rms_10min"}
"""Ten simulated minutes a point."""


few = settings(deadline=None, max_examples=25)


def truth(name, stimulus, taken, phase=None, order=None):
    quantity = QUANTITIES[name]
    point = CalibrationPoint("", quantity, None, order, stimulus.conditions, None, 1.0, quantity.bases[0])
    return applied_value(point, stimulus, taken, phase)


def points(name):
    return point_set(name, active_class="0.2S", reactive_class="0.5S")


def run(chosen, **options):
    return calibrate(lambda frequency: AnalyserBench(frequency=frequency, **options), chosen)


def worst(results):
    assert all(result.passed for result in results), [r for r in results if not r.passed]
    return max(result.share for result in results)


@pytest.mark.parametrize("frequency", [50, 60])
@pytest.mark.parametrize("name", ["62053-22", "62053-23", "62053-24", "starting", "no-load", "61000-4-7"])
def test_coherent_windows_are_exact(name, frequency):
    """Products of samples over whole cycles against products of phasors; subgroups against what was set."""
    results = calibrate(lambda f: AnalyserBench(frequency=f), points(name), frequency=frequency)
    assert len(results) == len(points(name))
    assert worst(results) < 1e-9


@pytest.mark.parametrize("nominal", [50, 60])
def test_class_a_under_all_testing_states(nominal):
    chosen = [point for point in points("61000-4-30") if point.quantity.name not in LONG]
    results = calibrate(lambda f: AnalyserBench(frequency=f), chosen, frequency=nominal)
    assert len(results) == len(chosen)
    shares = {}
    for result in results:
        shares.setdefault(result.name, []).append(result)
    # Samples against integrals: a step between two of the 512 samples of a cycle costs up to one of them.
    for name, most in (
        ("frequency", 1e-3),  # 10 uHz
        ("u_rms", 1e-6),
        ("u2", 1e-9),
        ("u0", 1e-9),
        ("u_harmonic", 1e-3),
        ("u_interharmonic", 0.05),
        ("i_rms", 1e-6),
        ("u_rms_150_180", 0.01),
        ("underdeviation", 1e-6),
        ("dip_residual", 0.02),
        ("swell_maximum", 0.02),
        ("interruption_residual", 1e-6),
        ("dip_duration", 1e-4),
        ("swell_duration", 1e-4),
        ("interruption_duration", 1e-4),
        ("rvc_steady_change", 0.2),  # the means of 100 values that the standard takes reach into the step
        ("rvc_largest_change", 0.2),
    ):
        assert worst(shares[name]) < most, name


def test_ten_minutes_and_pst_under_flicker_harmonics_and_unbalance():
    """State 3: Pst 4, 152/140/128 %, 7th, 13th, 25th, an interharmonic, one hertz off."""
    chosen = [p for p in points("61000-4-30") if p.quantity.name in LONG and p.point.startswith("S3")]
    results = run(chosen)
    assert {result.name for result in results} == LONG
    assert worst(results) < 0.1


def test_flicker_pinst():
    """Every fourth row of all four tables: within 1 % where the standard allows 8 %."""
    chosen = [point for point in points("61000-4-15") if point.quantity.name == "pinst"][::4]
    results = run(chosen)
    assert {result.point[:12] for result in results} == {"230 V 50 Hz ", "120 V 60 Hz "}
    assert max(abs(result.error_percent) for result in results) < 1.2


@pytest.mark.parametrize("changes", ["39", "1620"])
def test_flicker_pst(changes):
    chosen = [point for point in points("61000-4-15") if f"Hz {changes} changes/min" in point.point]
    results = run(chosen)
    assert len(results) == 2
    assert max(abs(result.error_percent) for result in results) < 1.0


def test_a_declared_voltage_and_current_of_ones_own():
    bench = AnalyserBench(frequency=60, voltage=120.0, current=1.0)
    assert (bench.rating.voltage, bench.rating.maximum_current) == (120.0, 1.2)
    results = run(points("starting"), voltage=63.5, current=1.0)
    assert results[0].applied == pytest.approx(3 * 63.5 * 0.001 * 10 / 3600)


def test_every_profile_has_points_in_some_set():
    for profile in PROFILES:
        bench = bench_for(profile)(50)
        for name in SETS:
            has = [bench.has(point.quantity, point.order) for point in points(name)]
            assert all(has) or profile != "reference"
            assert any(has) or name == "61000-4-15"


def test_the_analyser_has_no_registers():
    with pytest.raises(BadInputError, match="the reference analyser has no registers"):
        bench_for("reference", registers={"energy_mode": 0})


def test_points_of_the_other_frequency_are_left_out():
    flicker = [point for point in points("61000-4-15") if point.quantity.name == "pinst"][30:60:6]
    at_50 = calibrate(lambda f: AnalyserBench(frequency=f), flicker, frequency=50)
    assert 0 < len(at_50) <= len(flicker)
    assert all("50 Hz" in result.point for result in at_50)
    only = [point for point in flicker if "230 V" in point.point]
    with pytest.raises(CalibrationError, match="60 Hz"):
        calibrate(lambda f: AnalyserBench(frequency=f), only, frequency=60)


ORDERS = st.dictionaries(st.integers(2, 50), st.tuples(st.floats(0.1, 20), st.floats(-180, 180)), max_size=4)


@few
@given(
    voltage=st.tuples(*[st.floats(10, 150)] * 3),
    current=st.floats(1, 120),
    lag=st.floats(-3.1, 3.1),
    off=st.floats(-7.5, 7.5),
    nominal=st.sampled_from([50, 60]),
    u=ORDERS,
    i=ORDERS,
    between=st.integers(2, 49),
)
def test_any_steady_condition_is_read_as_it_is_set(voltage, current, lag, off, nominal, u, i, between):
    """Amplitudes, powers and unbalance of whole cycles; an interharmonic on a bin stays in its subgroup."""
    conditions = Conditions(
        voltage=voltage,
        current=current,
        lag_rad=lag,
        frequency=off,
        u_harmonics=tuple(Component(order, *rest) for order, rest in u.items()),
        i_harmonics=tuple(Component(order, *rest) for order, rest in i.items()),
        u_interharmonics=(Component(between + 0.5, 1.0),),
    )
    bench = AnalyserBench(frequency=nominal)
    stimulus = Stimulus(conditions, bench.rating, before_s=3.0, after_s=5.0)
    taken = bench.run(stimulus, Course.STEADY)
    for name in ("active_power", "reactive_power", "u2", "u0"):
        scale = 3 * 345 * 7 if "power" in name else 100
        assert taken.values[name, None, None] == pytest.approx(truth(name, stimulus, taken), abs=1e-9 * scale)
    for phase in range(3):
        for name, order in [("u_rms", None), ("i_rms", None), ("u_interharmonic", between)]:
            read = taken.values[name, phase, order]
            assert read == pytest.approx(truth(name, stimulus, taken, phase, order), rel=1e-7)
        for letter, orders in (("u", u), ("i", i)):
            for order in orders:
                name = f"{letter}_harmonic"
                read = taken.values[name, phase, order]
                assert read == pytest.approx(truth(name, stimulus, taken, phase, order), rel=1e-9)


@few
@given(
    level=st.floats(10, 85),
    cycles=st.floats(2.0, 12.0),
    angle=st.floats(0, 360),
    off=st.floats(-5, 5),
    phases=st.sampled_from(["a", "b", "c", "ab", "abc"]),
)
def test_a_dip_at_any_point_on_wave(level, cycles, angle, off, phases):
    """Residual voltage within 0.2 % of Udin, duration within a half cycle, of the exact URMS(1/2)."""
    step = VoltageStep(tuple(level if phase in phases else 100.0 for phase in "abc"), cycles, angle)
    bench = AnalyserBench(frequency=50)
    stimulus = Stimulus(Conditions(frequency=off, step=step), bench.rating, before_s=2.0, after_s=3.0)
    taken = bench.run(stimulus, Course.EVENT)
    residual, duration = (taken.values[name, None, None] for name in ("dip_residual", "dip_duration"))
    assert residual == pytest.approx(truth("dip_residual", stimulus, taken), abs=0.002 * 230)
    assert duration == pytest.approx(truth("dip_duration", stimulus, taken), abs=0.0101 * 50 / (50 + off))
    # Against the source itself: thresholds of 90 and 92 % are crossed up to 1.25 cycles apart.
    assert abs(duration - cycles / (50 + off)) <= 1.25 / (50 + off)
