"""What settings, presets and clears do to the words of a fleet, and what else a fleet tells."""

import numpy as np
import pytest

from tests.meters.kw320_registers import (
    BRIGHT,
    CONFIG,
    ENERGIES,
    FADED,
    FADED_AMPERES,
    FADED_VOLTS,
    MINUTE,
    SCALARS,
    Registers,
    lived,
    nearest,
    steady,
)
from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, START, VOLTS, scaled, segment
from twin.contracts import Refusal
from twin.meters import MeterConfig, MeterConfigError, build_fleet
from twin.meters.kw320.fleet import NotNowError


def write(fleet, address, *words, seconds=2):
    return fleet.write(0, address, words, START + seconds * SECOND)


def test_primary_mode_shows_primary_floats():
    fleet, _ = steady()
    assert write(fleet, 0x101D, 1).refusal is None
    registers = Registers(fleet)
    for place, name in enumerate(SCALARS):
        assert registers.float(0x4000 + 2 * place) == pytest.approx(BRIGHT[name], rel=2e-7), name
    assert fleet.decode(0, fleet.words(0))["v1"] == pytest.approx(BRIGHT["v1"], rel=2e-7)
    # Whole numbers keep their formulas.
    assert nearest(registers.signed(0x4136), BRIGHT["v1"] / PT, 0.1)


def test_energy_preset_shows_at_once_and_counts_on():
    fleet, feed = steady()
    assert write(fleet, 0x4048, 0x0A9D, 0x4089).refusal is None
    assert Registers(fleet).row(0x4048, 2) == [0x0A9D, 0x4089]
    fleet.advance(feed, START + 62 * SECOND)
    counted = sum(max(BRIGHT[f"p{k}"], 0) for k in (1, 2, 3)) / 60 / 100
    assert Registers(fleet).dword(0x4048) == pytest.approx(178_077_833 + counted, abs=1)


def test_preset_of_one_energy_leaves_the_others():
    fleet, _ = steady(seconds=60)
    before = {address: Registers(fleet).dword(address) for address in ENERGIES}
    assert write(fleet, 0x4050, 0, 5000, seconds=60).refusal is None
    after = {address: Registers(fleet).dword(address) for address in ENERGIES}
    assert after == before | {0x4050: 5000}


@pytest.mark.parametrize("address", ENERGIES, ids=[f"{a:04X}H" for a in ENERGIES])
def test_every_energy_reads_back_its_preset(address):
    fleet, _ = steady()
    assert write(fleet, address, 0x0001, 0x86A1).refusal is None
    assert Registers(fleet).row(address, 2) == [0x0001, 0x86A1]


def test_secondary_energies_start_at_zero():
    fleet, feed = steady(seconds=60)
    assert Registers(fleet).dword(0x4048) > 0
    assert write(fleet, 0x1019, 1, seconds=60).refusal is None
    assert all(Registers(fleet).dword(address) == 0 for address in ENERGIES)
    fleet.advance(feed, START + 120 * SECOND)
    secondary = sum(max(BRIGHT[f"p{k}"], 0) for k in (1, 2, 3)) / 60 / PT / CT
    assert Registers(fleet).dword(0x4048) == pytest.approx(secondary, abs=1)  # counts of 0.001 kWh


def test_clearing_energy_demand_extremes_and_alarms():
    fleet, records = lived()
    now = START + 3 * MINUTE

    def clear(address, word):
        assert fleet.write(0, address, [word], now).refusal is None

    clear(0x1016, 1)
    assert all(Registers(fleet).dword(address) == 0 for address in ENERGIES)
    clear(0x100F, 1)
    assert [Registers(fleet).float(0x4042 + 2 * k) for k in range(3)] == [0.0, 0.0, 0.0]
    clear(0x1010, 0x0A)
    registers = Registers(fleet)
    assert nearest(registers.signed(0x4136), FADED["v1"] / PT, 0.1)
    assert registers.row(0x4137, 6) == [2026, 1, 15, 6, 3, 0]
    assert registers.unsigned(0x1010) == 0x55
    clear(0x1021, 0x0A)
    registers = Registers(fleet)
    assert set(registers.row(0x42A9, 160)) == {0}
    assert (registers.unsigned(0x1032), registers.unsigned(0x102E)) == (0, 0)
    assert records


# Manual 6.3.2, 103AH..103EH: sharp, peak, valley and normal fee of demand, total fee of demand; 0AH clears.
@pytest.mark.parametrize(
    ("address", "word", "clears"),
    [
        *((address, 0x0A, address == 0x103E) for address in range(0x103A, 0x103F)),
        *((0x103E, word, False) for word in (0, 1, 0x0B, 0xFFFF)),
    ],
)
def test_total_demand_is_cleared_by_its_word_alone(address, word, clears):
    fleet, _ = lived()
    before = Registers(fleet)
    assert before.float(0x4042) > 0
    assert fleet.write(0, address, [word], START + 3 * MINUTE).refusal is None
    after = Registers(fleet)
    demands = [0x4042, 0x4044, 0x4046, 0x4600, 0x4602, 0x4604]
    shown = [after.float(at) for at in demands]
    assert shown == ([0.0] * 6 if clears else [before.float(at) for at in demands])
    assert after.row(0x103A, 5) == [0] * 5
    assert after.row(0x4048, 18) == before.row(0x4048, 18)


def test_ten_year_download_is_enabled_by_one():
    fleet, _ = steady()
    assert write(fleet, 0x1039, 1).refusal is None
    assert Registers(fleet).unsigned(0x1039) == 1
    assert write(fleet, 0x1039, 2).refusal is Refusal.ILLEGAL_VALUE


def test_new_alarm_bit_is_cleared_by_command_and_never_set():
    fleet, _ = lived()
    now = START + 3 * MINUTE
    assert fleet.write(0, 0x102E, [0], now).refusal is None
    assert Registers(fleet).unsigned(0x102E) == 0
    fleet.write(0, 0x102E, [1], now)
    assert Registers(fleet).unsigned(0x102E) == 0
    assert Registers(fleet).unsigned(0x1032) == 2


def test_current_direction_turns_power():
    fleet, feed = steady()
    assert write(fleet, 0x1012, 1).refusal is None
    fleet.advance(feed, START + 4 * SECOND)
    assert Registers(fleet).float(0x401C) * PT * CT == pytest.approx(-BRIGHT["p1"], rel=1e-6)
    assert Registers(fleet).float(0x401E) * PT * CT == pytest.approx(BRIGHT["p2"], rel=1e-6)


def test_fast_block_refreshes_ten_times_a_second():
    fleet, _ = steady()
    change = segment(FADED_VOLTS, FADED_AMPERES, start_ns=START + 2 * SECOND)
    fleet.advance(change, START + 2 * SECOND + 450_000_000)
    registers = Registers(fleet)
    assert registers.float(0x3002) * PT == pytest.approx(FADED["v1"], rel=1e-6)
    assert registers.float(0x4002) * PT == pytest.approx(BRIGHT["v1"], rel=1e-6)
    fleet.advance(change, START + 3 * SECOND)
    assert Registers(fleet).float(0x4002) * PT == pytest.approx(FADED["v1"], rel=1e-6)


def test_words_do_not_depend_on_who_looks_when():
    watched, feed = steady()
    for tenth in range(1, 31):
        watched.advance(feed, START + 2 * SECOND + tenth * SECOND // 10)
        watched.words(0)
    alone, _ = steady(seconds=5)
    assert np.array_equal(watched.words(0), alone.words(0))


def test_words_are_a_copy():
    fleet, _ = steady()
    fleet.words(0)[:] = 7
    assert Registers(fleet).float(0x4000) == 50.0


# -- the fleet itself -----------------------------------------------------------------------------------


def test_meters_of_a_fleet_are_told_apart():
    plain = MeterConfig(name="plain", profile="kw320", accuracy="ideal")
    fleet = build_fleet([CONFIG, plain], start_ns=START)
    both = segment(VOLTS, (*AMPERES, *scaled(VOLTS, 0.02), *scaled(AMPERES, 0.01)), start_ns=START)
    fleet.advance(both, START + 2 * SECOND)
    assert (len(fleet), fleet.names, fleet.index("plain"), fleet.index("other")) == (
        2,
        ("head", "plain"),
        1,
        None,
    )
    assert fleet.decode(0, fleet.words(0))["v1"] == pytest.approx(BRIGHT["v1"], rel=2e-7)
    assert fleet.decode(1, fleet.words(1))["v1"] == pytest.approx(0.02 * BRIGHT["v1"], rel=2e-7)
    assert fleet.write(1, 0x1008, [500, 5], START + 2 * SECOND).refusal is None
    assert (Registers(fleet, 0).unsigned(0x1008), Registers(fleet, 1).unsigned(0x1008)) == (200, 500)
    assert len(fleet.windows(0)) == 3
    assert len(fleet.windows(1)) == 1
    assert fleet.function_codes(1) == {1, 2, 3, 5, 16}
    addresses = [block.address for block in fleet.blocks(1)]
    assert not [address for address in addresses if 0x8000 <= address < 0x10000]
    assert len(fleet.write_regions(0)) == len(fleet.write_regions(1)) + 3


def test_meter_info():
    info = build_fleet([CONFIG], start_ns=START).info(0)
    assert (info.name, info.profile, info.location) == ("head", "kw320q", "feeder 1")
    assert (info.rated_voltage, info.rated_current) == (58 * PT, 200.0)


def test_points_lead_to_primary_values():
    fleet, _ = steady()
    registers, points = Registers(fleet), {point.name: point for point in fleet.points(0)}
    v1 = points["v1"]
    assert (v1.address, v1.words, v1.type, v1.word_order, v1.unit) == (
        0x4002,
        2,
        "float32",
        "high first",
        "V",
    )
    assert registers.float(v1.address) * v1.scale == pytest.approx(BRIGHT["v1"], rel=2e-7)
    p_max = points["max_p_sum"]
    assert p_max.type == "int16"
    assert registers.signed(p_max.address) * p_max.scale == pytest.approx(BRIGHT["p_sum"], abs=0.5 * PT * CT)
    thd = points["thd_v1"]
    assert registers.unsigned(thd.address) * thd.scale == pytest.approx(100 * BRIGHT["thd_v1"], abs=0.005)
    assert (points["ep_imp"].type, points["ep_imp"].scale, points["ep_imp"].unit) == ("uint32", 0.1, "kWh")
    assert points["ep_net"].type == "int32"
    assert points["run_time"].scale == 0.01
    assert points["alarm1_setpoint"].scale == 1.0
    assert len(points) == len(fleet.points(0))


def test_refused_write_answers_why():
    fleet, _ = steady()
    before = fleet.words(0)
    answer = write(fleet, 0x1008, 0, 5)
    assert answer.refusal is Refusal.ILLEGAL_VALUE
    assert answer.detail == "ct1 (1008H): 0 is out of range 1..50000"
    assert answer.applied_ns == START + 2 * SECOND
    assert np.array_equal(fleet.words(0), before)


def test_write_needs_meters_that_are_there():
    fleet, _ = steady()
    with pytest.raises(NotNowError):
        fleet.write(0, 0x1008, [500, 5], START + 3 * SECOND)
    assert Registers(fleet).unsigned(0x1008) == 200


def test_all_problems_of_all_meters_come_at_once():
    configs = [
        MeterConfig(name="a", ct1=0, registers={"sag_treshold_percent": 90}),
        MeterConfig(name="a", profile="kw32"),
    ]
    with pytest.raises(MeterConfigError) as error:
        build_fleet(configs, start_ns=START)
    assert str(error.value).splitlines() == [
        "a: ct1: 0 A is out of range; use 1..50000 A",
        "a: registers.sag_treshold_percent: is no setting register of a kw320q; "
        "did you mean 'sag_threshold_percent'?",
        "a: profile: 'kw32' is no known meter; did you mean 'kw320'?",
        "a: stands twice; give each meter its own name",
    ]
