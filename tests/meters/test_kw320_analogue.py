"""Analogue inputs and outputs, and digital outputs that count energy."""

import pytest

from tests.meters.kw320_io_bench import Bench
from tests.meters.kw320_site import SECOND
from twin.contracts import Refusal
from twin.meters.kw320.analogue import input_counts, output_value

# -- analogue -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milliamperes", "counts"), [(0, 0), (4, 819), (10, 2048), (20, 4095), (25, 4095), (-1, 0)]
)
def test_analogue_input_by_hand(milliamperes, counts):
    assert input_counts(milliamperes) == counts
    bench = Bench()
    bench.io.set_analogue(0, 3, milliamperes)
    assert bench.registers.row(0x4385, 4) == [0, 0, counts, 0]


def curve(segments, inputs, outputs, *, kind=0, parameter=0):
    points = ("start", "2", "3", "end")
    raw = {"ao1_segments": segments, "ao1_parameter": parameter, "io21_ao12_type": kind}
    raw |= {f"ao1_in_{point}": value for point, value in zip(points, inputs, strict=True)}
    return raw | {f"ao1_out_{point}": value for point, value in zip(points, outputs, strict=True)}


# 4-20 mA over 45..65 Hz: 819 counts are 3.999 mA, 4096 are 20 mA.
@pytest.mark.parametrize(
    ("segments", "inputs", "outputs", "frequency", "counts"),
    [
        (1, (4500, 0, 0, 6500), (819, 0, 0, 4096), 45.0, 819),
        (1, (4500, 0, 0, 6500), (819, 0, 0, 4096), 55.0, 2457.5),
        (1, (4500, 0, 0, 6500), (819, 0, 0, 4096), 70.0, 4096),
        (2, (4500, 5000, 0, 6500), (819, 1000, 0, 4000), 47.5, 909.5),
        (2, (4500, 5000, 0, 6500), (819, 1000, 0, 4000), 55.0, 2000),
        (3, (4500, 4900, 5100, 6500), (819, 1000, 4000, 4915), 50.0, 2500),
        (3, (4500, 4900, 5100, 6500), (819, 1000, 4000, 4915), 66.0, 4915),
    ],
)
def test_analogue_output_by_hand(segments, inputs, outputs, frequency, counts):
    raw = curve(segments, inputs, outputs, kind=1)
    assert output_value(raw, 1, frequency) == pytest.approx(counts * 20 / 4096, rel=1e-12)
    raw["io21_ao12_type"] = 3
    assert output_value(raw, 1, frequency) == pytest.approx(counts * 5 / 4096, rel=1e-12)


def test_live_zero_is_kept():
    raw = curve(1, (0, 0, 0, 0), (0, 0, 0, 0), kind=1)
    assert output_value(raw, 1, float("nan")) == pytest.approx(819 * 20 / 4096)
    assert output_value(raw | {"io21_ao12_type": 0}, 1, float("nan")) == 0.0


def test_analogue_output_follows_the_fast_block():
    bench = Bench()
    # AO1 follows V1, 57.5 V of the secondary: 0..480 V are 0..20 mA; AO2 I1; AO3, AO4 0-5 V.
    assert bench.write(0x10A9, 0) is None
    assert bench.write(0x10BB, 2) is None
    assert bench.write(0x10C2, 1, 9, 0, 17) is None
    assert bench.write(0x10D4, 4800) is None
    assert bench.write(0x10D8, 4096) is None
    assert bench.write(0x10F0, 0, 0, 0, 4096) is None  # AO4 out
    assert bench.write(0x10EC, 0x10000 - 14_400, 0, 0, 14_400) is None
    bench.run(SECOND)
    registers = bench.registers
    v1, p_sum = registers.float(0x3002), registers.float(0x3022)
    assert registers.float(0x4389) == pytest.approx(10 * v1 * 4096 / 4800 * 20 / 4096, rel=1e-6)
    assert registers.float(0x438F) == pytest.approx((p_sum + 14_400) / 28_800 * 5, rel=1e-6)


@pytest.mark.parametrize(
    ("parameter", "low", "high"),
    [
        (0, 4500, 6500), (4, 0, 4800), (8, 0, 8310), (13, 0, 10_000), (16, -4800, 4800),
        (17, -14_400, 14_400), (20, -4800, 4800), (21, -14_400, 14_400), (24, 0, 4800),
        (25, 0, 14_400), (29, -1000, 1000),
    ],
)  # fmt: skip
def test_followed_values_have_the_range_of_their_parameter(parameter, low, high):
    bench = Bench()
    bench.write(0x10C3, parameter)
    for value in (low, high):
        assert bench.write(0x10DD, value & 0xFFFF) is None
    for value in (low - 1, high + 1):
        assert bench.write(0x10DD, value & 0xFFFF) is Refusal.ILLEGAL_VALUE


def test_output_range_follows_the_type():
    bench = Bench()
    assert bench.write(0x10D5, 818) is Refusal.ILLEGAL_VALUE  # 4-20 mA at first
    assert bench.write(0x10D5, 819) is None
    bench.write(0x10A9, 2)
    assert bench.write(0x10D5, 0) is None
    assert bench.write(0x10D5, 4916) is Refusal.ILLEGAL_VALUE


def test_points_that_the_number_of_gradients_leaves_out_are_not_looked_at():
    # Manual 6.3.5, note 1: with one gradient start and end are set, with two point 2 besides.
    bench = Bench()
    assert bench.write(0x10D0, 1, 4500, 0, 0, 6500, 819, 0, 0, 4095) is None
    assert bench.write(0x10D0, 1, 4500, 9, 0, 6500, 819, 7, 0, 4095) is None
    assert bench.registers.row(0x10D0, 9) == [1, 4500, 9, 0, 6500, 819, 7, 0, 4095]
    assert bench.write(0x10D0, 2, 4500, 8, 0, 6500, 819, 2000, 0, 4095) is Refusal.ILLEGAL_VALUE
    assert bench.write(0x10D0, 2, 4500, 5000, 0, 6500, 819, 8, 0, 4095) is Refusal.ILLEGAL_VALUE
    assert bench.write(0x10D0, 2, 4500, 5000, 1, 6500, 819, 2000, 1, 4095) is None
    assert bench.write(0x10D3, 2) is None
    assert bench.write(0x10D0, 3, 4500, 5000, 3, 6500, 819, 2000, 3000, 4095) is Refusal.ILLEGAL_VALUE
    assert bench.write(0x10D0, 3, 4500, 5000, 5500, 6500, 819, 2000, 3000, 4095) is None
    assert bench.write(0x10D3, 2) is Refusal.ILLEGAL_VALUE


@pytest.mark.parametrize(("first", "count"), [(0x109E, 40), (0x10D0, 36)])
def test_blocks_of_a_new_meter_can_be_written_back_as_they_were_read(first, count):
    bench = Bench()
    before = bench.registers.row(first, count)
    assert bench.write(first, *(word & 0xFFFF for word in before)) is None
    assert bench.registers.row(first, count) == before


# -- energy pulses --------------------------------------------------------------------------------------


def pulsing(constant, *, width=20, link_to=7):
    """DO1 counts imported active energy, wired to DI7, which counts."""
    bench = Bench()
    bench.write(0x100A, constant)
    bench.write(0x10A3, 1)
    bench.write(0x10A5, 0, width, 1)
    bench.io.link(0, "do1", 0, link_to)
    return bench


def test_energy_pulses_count_secondary_energy():
    bench = pulsing(60_000)
    before = bench.fleet.energies(0)["ep_imp"]
    bench.run(600 * SECOND)
    primary_kwh = (bench.fleet.energies(0)["ep_imp"] - before) / 1000
    # 200:1 and 40:1 transformers: 60,000 pulses per kWh of the secondary.
    assert bench.count(7) == int(primary_kwh / 8000 * 60_000)
    assert bench.count(7) > 1000


def test_energy_pulses_do_not_depend_on_how_time_is_cut():
    one, other = pulsing(60_000), pulsing(60_000)
    one.run(300 * SECOND)
    for _ in range(100):
        other.run(3 * SECOND)
    assert one.count(7) == other.count(7) > 0
    assert one.io.pulses(0, 1) == other.io.pulses(0, 1)


def test_energy_pulses_saturate_at_their_width():
    # Manual 6.3.1: the period 3,600,000 / (P constant) must exceed the pulse width.
    p = 3_600_000
    bench = pulsing(60_000, width=1000)
    bench.run(SECOND)
    power = bench.registers.float(0x3022)  # secondary, one phase exports
    imported = bench.fleet.energies(0)["ep_imp"] * 3600 / 8000 / 1.0
    period = p / (imported * 60_000)
    assert power < imported
    assert period < 1.0
    bench.run(60 * SECOND)
    assert bench.count(7) <= 1  # the output stays closed
    assert bench.inputs() == [7]
    bench.write(0x10A6, int(period * 1000 / 2))
    before = bench.count(7)
    bench.run(60 * SECOND)
    assert bench.count(7) - before == pytest.approx(60 / period, abs=2)


def test_energy_pulses_follow_new_settings():
    bench = pulsing(6000)
    bench.run(60 * SECOND)
    first = bench.count(7)
    bench.write(0x100A, 60_000)
    bench.run(60 * SECOND)
    assert bench.count(7) - first == pytest.approx(10 * first, abs=10)
    bench.write(0x10A7, 0)
    stopped = bench.count(7)
    assert bench.run(60 * SECOND).count(7) == stopped
