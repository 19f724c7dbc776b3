"""What a write does: takes effect whole, or is refused with a reason and changes nothing."""

import copy

import pytest

from tests.meters.kw320_registers import Registers
from tests.meters.kw320_site import AMPERES, VOLTS, segment
from twin.contracts import Refusal
from twin.meters import build_fleet
from twin.meters.alarms import PARAMETERS
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.alarm_formats import ALARM_FORMATS, PARAMETER_CODE, setpoint_value, setpoint_word
from twin.meters.kw320.config import AlarmConfig, MeterConfig
from twin.meters.kw320.io_modules import MODULES
from twin.meters.kw320.meter import ACTIONS, Effect, Kw320Meter
from twin.meters.kw320.profile import register_map

START = 1_768_456_800_000_000_000  # 2026-01-15 06:00 UTC
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
LIST_ENDS = {"1", "59", "117"}
REGISTERS = {
    name: register
    for name, register in register_map("kw320q").by_name.items()
    if not name.startswith(("log1_r", "log2_r", "log3_r", "log1_d", "log2_d", "log3_d"))
    or name.rpartition("_")[2] in LIST_ENDS | {"sectors"}
}
"""Of the data logs' lists the first and the last: those between are alike."""
SETTINGS = [r for r in REGISTERS.values() if r.source == "setting"]
WRITABLE_WORDS = [r for r in REGISTERS.values() if r.writable and r.words == 1 and r.source != "window"]


@pytest.fixture
def meter():
    return Kw320Meter(MeterConfig(name="head", modules=tuple(MODULES)), start_ns=START)


def refused(meter, address, words, now_ns=START):
    before = copy.deepcopy((meter.raw, meter.settings, meter.scaling, meter.state(now_ns)))
    clock = meter.clock.registers(now_ns)
    with pytest.raises(RefusedError) as error:
        meter.write(address, words, now_ns)
    assert (meter.raw, meter.settings, meter.scaling, meter.state(now_ns)) == before
    assert meter.clock.registers(now_ns) == clock
    return error.value


def another_value(register, present):
    """An allowed value that is not the present one, of the far end of the range where there is one."""
    for low, high in reversed(register.allowed):
        for raw in (high, low):
            if raw != present:
                return raw
    return None


@pytest.mark.parametrize("register", SETTINGS, ids=lambda r: r.name)
def test_setting_reads_back_what_was_written(meter, register):
    raw = another_value(register, meter.raw[register.name])
    if register.name == "seal_status":
        raw = 0x0A
    if register.name == "rated_frequency":
        raw = 0  # it stays as it was at the start
    if register.name == "address_1":
        raw = 247  # the larger ones belong to DNP3
    if register.name == "pt1_high":
        raw = 75  # 75 x 65536 + 4000 tenths; 76 needs a small low word
    if register.name.endswith("_registers_sectors"):
        raw = 117 << 8 | 100  # high and low byte have ranges of their own
    if "_in_" in register.name:
        raw = 6500  # they follow the frequency
    if raw is None:
        raw = register.default  # only one choice is modelled
    if register.name == "rated_voltage":
        meter.write(0x1003, [3], START)  # 690 V line to line only in 3LL
    meter.write(register.address, [raw & 0xFFFF], START)
    assert meter.raw[register.name] == raw


@pytest.mark.parametrize(
    "register",
    [r for r in REGISTERS.values() if r.writable and r.words == 1 and r.source != "window"],
    ids=lambda r: r.name,
)
def test_out_of_range_is_refused(meter, register):
    outside = [raw for raw in (register.allowed[0][0] - 1, register.allowed[-1][1] + 1) if 0 <= raw <= 0xFFFF]
    if "_in_" in register.name:
        outside = [4499, 6501]
    if register.name.startswith("ao") and "_parameter" not in register.name:
        meter.write(0x10D0 + (register.address - 0x10D0) // 9 * 9, [3], START)  # with all its points
    for raw in outside:
        error = refused(meter, register.address, [raw])
        assert error.refusal is Refusal.ILLEGAL_VALUE
        assert register.name in error.detail
        assert f"{register.address:04X}H" in error.detail


def test_energy_out_of_range_is_refused(meter):
    assert refused(meter, 0x4048, [0x3B9A, 0xCA00]).refusal is Refusal.ILLEGAL_VALUE  # 1,000,000,000
    assert refused(meter, 0x4052, [0xC465, 0x3600]).refusal is Refusal.ILLEGAL_VALUE  # -1,000,000,000
    assert refused(meter, 0x1034, [0x3B9A, 0xCA00]).refusal is Refusal.ILLEGAL_VALUE


@pytest.mark.parametrize(
    "name", ["v1", "fast_v1", "thd_v1", "max_v1", "io_modules_connected", "ua_zero_imag"]
)
def test_read_only_is_refused(meter, name):
    register = REGISTERS[name]
    error = refused(meter, register.address, [0] * register.words)
    assert error.refusal is Refusal.ILLEGAL_ADDRESS
    assert "read-only" in error.detail


@pytest.mark.parametrize("address", [0x0FFC, 0x10C6, 0x10F4, 0x443A, 0x478E, 0x8010, 0x9000])
def test_unknown_register_is_refused(meter, address):
    assert refused(meter, address, [0]).refusal is Refusal.ILLEGAL_ADDRESS


@pytest.mark.parametrize("address", [0x1020, *range(0x1022, 0x102E), 0x1037, 0x800A])
def test_reserved_registers_take_zero_alone(meter, address):
    before = meter.raw
    assert meter.write(address, [0], START) == Effect()
    assert refused(meter, address, [1]).refusal is Refusal.ILLEGAL_VALUE
    assert meter.raw == before


def test_a_table_with_reserved_registers_is_written_at_once(meter):
    # 101EH..1035H of table 6.3.2, as a master that has read it writes it back.
    words = [3, 0, 0, 0, *[0] * 12, 0, 9600, 1, 7, 0, 0, 0, 0]
    meter.write(0x101E, words, START)
    changed = ("seal_optional_selection", "baud_2", "parity_2", "address_2")
    assert [meter.raw[name] for name in changed] == [3, 9600, 1, 7]


def test_half_of_a_wide_register_is_refused(meter):
    assert refused(meter, 0x4048, [0]).refusal is Refusal.ILLEGAL_ADDRESS
    assert refused(meter, 0x4049, [0]).refusal is Refusal.ILLEGAL_ADDRESS
    assert refused(meter, 0x1034, [0]).refusal is Refusal.ILLEGAL_ADDRESS


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (0x101D, [1, 0]),  # system and status
        (0x1045, [20, 1]),  # clock and alarm global
        (0x104D, [0, 1]),  # alarm global and alarm single
    ],
)
def test_write_stays_inside_one_region(meter, address, words):
    error = refused(meter, address, words)
    assert error.refusal is Refusal.ILLEGAL_ADDRESS
    assert "one region" in error.detail


def test_windows_are_not_written_as_settings(meter):
    assert refused(meter, 0x8CFE, [1]).refusal is Refusal.ILLEGAL_ADDRESS


def test_plain_model_knows_no_power_quality():
    plain = Kw320Meter(MeterConfig(name="plain", profile="kw320"), start_ns=START)
    assert refused(plain, 0x8004, [230]).refusal is Refusal.ILLEGAL_ADDRESS
    assert len(plain.windows) == 1  # of the data logs
    assert not plain.settings.power_quality


def test_worked_write_of_the_manual(meter):
    # Manual 5.1.6.4.2: 10 1008 0002 04 01F4 0005 sets CT1 500, CT2 5.
    effect = meter.write(0x1008, [500, 5], START)
    assert effect.settings == meter.settings
    assert (meter.settings.ct1, meter.settings.ct2, meter.scaling.ct_ratio) == (500.0, 5.0, 100.0)


def test_a_write_with_one_bad_value_changes_nothing(meter):
    assert refused(meter, 0x1008, [500, 4]).refusal is Refusal.ILLEGAL_VALUE
    assert meter.raw["ct1"] == 5


def test_rated_frequency_is_that_of_the_start():
    meter = Kw320Meter(MeterConfig(name="head", registers={"rated_frequency": 1}), start_ns=START)
    assert meter.settings.rated_frequency == 60.0
    meter.write(0x0FFD, [1], START)
    error = refused(meter, 0x0FFD, [0])
    assert error.refusal is Refusal.ILLEGAL_VALUE
    assert "rated_frequency (0FFDH)" in error.detail


def test_pt1_is_checked_as_a_whole(meter):
    meter.write(0x1005, [76, 19_264], START)  # 5,000,000 tenths
    assert meter.settings.pt1 == 500_000.0
    assert refused(meter, 0x1006, [19_265]).refusal is Refusal.ILLEGAL_VALUE
    assert refused(meter, 0x1005, [0, 499]).refusal is Refusal.ILLEGAL_VALUE


# CT2 code and ratio of a 1000 A primary: manual 6.3, notes 1 to 4.
@pytest.mark.parametrize(
    ("code", "ratio"), [(1, 1000.0), (5, 200.0), (80, 1000.0), (100, 1000.0), (200, 1000.0), (333, 1000.0)]
)
def test_only_a_five_ampere_secondary_divides(meter, code, ratio):
    meter.write(0x1008, [1000, code], START)
    assert meter.scaling.ct_ratio == ratio
    assert meter.settings.ct_ratio == ratio


def test_settings_follow_their_registers(meter):
    meter.write(0x100D, [30, 2], START)
    meter.write(0x1012, [0, 1, 0, 1], START)
    meter.write(0x1017, [0, 1], START)
    meter.write(0x8004, [230, 1, 90, 4, 1, 110], START)
    meter.write(0x800B, [2500, 1, 150], START)
    settings = meter.settings
    assert (settings.demand_window_minutes, settings.demand_mode) == (30, "thermal")
    assert settings.current_direction == (False, True, False)
    assert settings.convention == "ieee"
    assert (settings.energy_mode, settings.reactive_mode) == ("fundamental", "general")
    assert (settings.rated_voltage, settings.sag_waveform, settings.swell_waveform) == (230.0, True, True)
    assert (settings.sag_threshold_percent, settings.sag_half_cycles) == (90.0, 4)
    assert settings.swell_threshold_percent == 110.0
    assert (settings.rated_current, settings.over_current_waveform) == (2.5, True)
    assert settings.over_current_threshold_percent == 150.0


# -- alarms ---------------------------------------------------------------------------------------------


def test_worked_alarm_of_the_manual():
    # Manual 4.4: CT 200:5, I1 > 180 A for 5 s; PT 10000:100, U1 < 9980 V for 10 s; both in pair 1.
    installed = MeterConfig(name="head", pt1=10_000, pt2=100, ct1=200, ct2=5)
    meter = Kw320Meter(installed, start_ns=START)
    meter.write(0x104E, [9, 1, 4500, 500, 0, 1, 3, 998, 1000, 0], START)
    meter.write(0x1046, [1, 0, 0x0003, 0x0001, 0, 0, 0, 0], START)
    first, second = meter.settings.alarm_channels[:2]
    assert (first.parameter, first.comparison, first.setpoint, first.delay_ns) == (9, ">", 4.5, 5 * SECOND)
    assert (second.parameter, second.comparison, second.delay_ns) == (1, "<", 10 * SECOND)
    assert second.setpoint == pytest.approx(99.8)
    assert meter.settings.alarm_enable
    assert meter.settings.and_pairs == (True,) + (False,) * 7
    assert [channel.enabled for channel in meter.settings.alarm_channels] == [True, True] + [False] * 14


def test_friendly_alarms_give_the_registers_of_the_worked_example():
    config = MeterConfig(
        name="head",
        pt1=10_000,
        pt2=100,
        ct1=200,
        ct2=5,
        alarms=(
            AlarmConfig(channel=1, parameter="i1", comparison=">", setpoint=180.0, delay_s=5.0),
            AlarmConfig(channel=2, parameter="v1", comparison="<", setpoint=9980.0, delay_s=10.0),
        ),
    )
    raw = Kw320Meter(config, start_ns=START).raw
    names = ("parameter", "comparison", "setpoint", "delay")
    assert [raw[f"alarm1_{name}"] for name in names] == [9, 1, 4500, 500]
    assert [raw[f"alarm2_{name}"] for name in names] == [1, 3, 998, 1000]
    assert (raw["alarm_enable"], raw["alarm_channels_enable"]) == (1, 3)


def test_parameter_codes_are_those_that_the_meter_measures_by():
    assert all(PARAMETERS[code] == name for name, code in PARAMETER_CODE.items())
    assert set(ALARM_FORMATS) == set(range(80))


# Parameter, secondary SI value, word: manual 6.3.4 and the format codes, by hand.
@pytest.mark.parametrize(
    ("parameter", "value", "word"),
    [
        ("frequency", 50.2, 5020),
        ("vll_avg", 398.5, 3985),
        ("i_n", 0.25, 250),
        ("p_sum", -1500.0, 0x10000 - 1500),
        ("q3", -20.0, 0x10000 - 20),
        ("s_sum", 4508.0, 4508),
        ("pf", -0.745, 0x10000 - 745),
        ("v_unbalance", 0.021, 21),
        ("load_type", 76.0, 76),
        ("thd_v_avg", 0.08, 800),
        ("p_demand", 3301.0, 3301),
        ("i2_demand", 5.001, 5001),
        ("reversed_phase_sequence", 240.1, 2401),
    ],
)
def test_alarm_format_by_hand(parameter, value, word):
    code = PARAMETER_CODE[parameter]
    assert setpoint_word(code, value) == word
    assert setpoint_value(code, word) == pytest.approx(value, rel=1e-12)


def test_alarms_watch_inputs_too(meter):
    meter.write(0x104E, [41, 1, 2048], START)
    meter.write(0x1053, [52, 1, 3], START)
    first, second = meter.settings.alarm_channels[:2]
    assert (first.parameter, first.setpoint) == (41, 2048.0)
    assert (second.parameter, second.setpoint) == (52, 3.0)
    assert refused(meter, 0x104E, [80]).refusal is Refusal.ILLEGAL_VALUE


# -- actions and states ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), ACTIONS.items())
def test_action_works_by_its_value_alone(meter, name, value):
    register = REGISTERS[name]
    assert meter.write(register.address, [value], START).actions == (name,)
    assert meter.write(register.address, [register.default], START).actions == ()


def test_changing_the_energy_display_clears_the_energies(meter):
    assert meter.write(0x1019, [1], START).actions == ("clear_energy",)
    assert meter.write(0x1019, [1], START).actions == ()
    assert meter.scaling.energy_secondary


def test_run_time_counts_hundredths_of_hours(meter):
    hour = START + 3600 * SECOND
    assert meter.state(hour)["run_time"] == 100
    meter.write(0x1011, [1], hour)
    assert meter.state(hour + 35 * SECOND)["run_time"] == 0
    assert meter.state(hour + 36 * SECOND)["run_time"] == 1
    meter.write(0x1034, [0x0001, 0x0000], hour)
    assert meter.state(hour + 36 * SECOND)["run_time"] == 65537


def test_longest_run_time_stays():
    fleet = build_fleet([MeterConfig(name="head")], start_ns=START)
    feed = segment(VOLTS, AMPERES, start_ns=START)
    fleet.advance(feed, START + SECOND)
    for preset in (999_999_998, 999_999_999):  # 36 s each: over 1,100 years
        assert fleet.write(0, 0x1034, divmod(preset, 0x10000), fleet.now_ns).refusal is None
        assert Registers(fleet).dword(0x1034) == preset
    fleet.advance(feed, START + 40 * SECOND)
    assert Registers(fleet).dword(0x1034) == 999_999_999
    fleet.write(0, 0x1011, [1], fleet.now_ns)
    assert Registers(fleet).dword(0x1034) == 0


def test_energy_presets_are_primary_watt_hours(meter):
    effect = meter.write(0x4048, [0x0A9D, 0x4089], START)
    assert effect.presets_wh == {"ep_imp": pytest.approx(17_807_783_300.0, rel=1e-12)}
    meter.write(0x1008, [200, 5], START)
    meter.write(0x1019, [1], START)
    # Secondary: 1000 counts are 1 kWh behind 40:1.
    assert meter.write(0x4620, [0, 1000], START).presets_wh == {"epa_imp": pytest.approx(40_000.0)}


def test_several_energies_in_one_write(meter):
    effect = meter.write(0x4052, [0xFFFF, 0xFFFF, 0, 5], START)
    assert effect.presets_wh == {"ep_net": pytest.approx(-100.0), "eq_total": pytest.approx(500.0)}


# -- clock ----------------------------------------------------------------------------------------------


def test_clock_is_set(meter):
    meter.write(0x1040, [2006, 12, 18, 14, 15, 20], START)
    assert list(meter.clock.registers(START).values()) == [1, 2006, 12, 18, 14, 15, 20]


def test_whole_clock_region_with_the_week(meter):
    meter.write(0x103F, [5, 2006, 12, 18, 14, 15, 20], START)
    assert list(meter.clock.registers(START).values()) == [5, 2006, 12, 18, 14, 15, 20]


def test_no_such_date_is_refused(meter):
    assert refused(meter, 0x1041, [2, 29]).refusal is Refusal.ILLEGAL_VALUE
    assert refused(meter, 0x1043, [24]).refusal is Refusal.ILLEGAL_VALUE


# -- serial ports (6.3.1: 1..247 with Modbus, 0..65534 with DNP3) -----------------------------------------


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (0x1001, [0]),
        (0x1001, [248]),
        (0x1002, [1199]),
        (0x1002, [38401]),
        (0x0FFF, [4]),
        (0x0FFE, [2]),
        (0x102F, [1200]),
        (0x1031, [0]),
        (0x1031, [248]),
    ],
)
def test_no_such_serial_setting(meter, address, words):
    assert refused(meter, address, words).refusal is Refusal.ILLEGAL_VALUE


def test_addresses_of_the_other_protocol_come_and_go_with_it(meter):
    meter.write(0x0FFE, [1], START)
    meter.write(0x1001, [65534], START)
    assert refused(meter, 0x1001, [65535]).refusal is Refusal.ILLEGAL_VALUE
    assert refused(meter, 0x0FFE, [0]).refusal is Refusal.ILLEGAL_VALUE  # Modbus has no such address
    meter.write(0x0FFE, [0, 1, 0, 17, 9600], START)  # both at once
    assert [meter.raw[name] for name in ("protocol_1", "parity_1", "address_1", "baud_1")] == [0, 1, 17, 9600]
