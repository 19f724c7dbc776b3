"""A meter's configuration: what is wrong with it is said with its field and mend."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.meters import PROFILES, AlarmConfig, MeterConfig, check_config
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.config import initial_registers
from twin.meters.kw320.io_modules import MODULES
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.profile import register_map

START = 1_768_456_800_000_000_000
NAMES = sorted(register_map("kw320q").by_name)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_plain_meter_has_no_problem(profile):
    assert check_config(MeterConfig(name="m", profile=profile)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"profile": "kw320x"}, "profile: 'kw320x' is no known meter; did you mean 'kw320'?"),
        ({"pt1": 40.0}, "pt1: 40 V is out of range; use 50..500000 V"),
        ({"pt2": 0.0}, "pt2: 0 V is out of range; use 50..400 V"),
        ({"pt1": float("nan")}, "pt1: nan V is out of range; use 50..500000 V"),
        ({"ct1": 60_000}, "ct1: 60000 A is out of range; use 1..50000 A"),
        ({"ct1": 2.5}, "ct1: 2.5 A is no whole number; the register takes whole amperes"),
        ({"ct2": 2}, "ct2: 2 is no current input of this meter; use one of 1, 5, 80, 100, 200, 333"),
        ({"rated_voltage": 500.0}, "rated_voltage: 500 V is out of range; use 50..400 V"),
        ({"time_zone": "Europe/Rom"}, "time_zone: 'Europe/Rom' is unknown; did you mean 'Europe/Rome'?"),
        ({"load_profile_minutes": 7}, "load_profile_minutes: 7 does not divide a day; use a divisor of 1440"),
        ({"registers": {"sag_half_cycles": 3}}, "registers.sag_half_cycles: 3 is out of range; use 4..200"),
        (
            {"registers": {"sag_half_cycle": 4}},
            "registers.sag_half_cycle: is no setting register of a kw320q; did you mean 'sag_half_cycles'?",
        ),
        (
            {"registers": {"ct1": 100}},
            "registers.ct1: follows from the meter's ratios; set pt1, pt2, ct1, ct2 instead",
        ),
        (
            {"profile": "kw320", "registers": {"swell_threshold_percent": 110}},
            "registers.swell_threshold_percent: is no setting register of a kw320;",
        ),
        (
            {"alarms": (AlarmConfig(channel=17, parameter="v1"),)},
            "alarms[0].channel: 17 is out of range; use 1..16",
        ),
        (
            {"alarms": (AlarmConfig(channel=1, parameter="v1"), AlarmConfig(channel=1, parameter="v2"))},
            "alarms[1].channel: 1 stands twice; give each alarm its own channel",
        ),
        (
            {"alarms": (AlarmConfig(channel=1, parameter="vl1"),)},
            "alarms[0].parameter: 'vl1' is no monitored quantity; did you mean 'v1'?",
        ),
        (
            {"alarms": (AlarmConfig(channel=1, parameter="v1", comparison="≥"),)},
            "alarms[0].comparison: '≥' is unknown; use '>', '=' or '<'",
        ),
        (
            {"alarms": (AlarmConfig(channel=1, parameter="v1", delay_s=31.0),)},
            "alarms[0].delay_s: 31 s is out of range; use 0..30 s",
        ),
        (
            {"alarms": (AlarmConfig(channel=1, parameter="thd_v1", setpoint=8.0),)},
            "alarms[0].setpoint: 800 % does not fit the register; use 0..655.35 %",
        ),
        (
            # 16 bits of 1 W each, behind 40:1.
            {"ct1": 200, "alarms": (AlarmConfig(channel=1, parameter="p_sum", setpoint=2e6),)},
            "alarms[0].setpoint: 2e+06 W does not fit the register; use -1.31072e+06..1.31068e+06 W",
        ),
    ],
)  # fmt: skip
def test_problem_names_field_and_mend(changes, problem):
    problems = check_config(MeterConfig(**({"name": "m"} | changes)))
    assert [text for text in problems if text.startswith(problem)], problems
    assert len(problems) == 1, problems


def test_all_problems_come_at_once():
    config = MeterConfig(name="m", pt1=1, ct2=7, time_zone="Mars", registers={"password": 10_000})
    assert [problem.partition(":")[0] for problem in check_config(config)] == [
        *("pt1", "ct2", "registers.password", "time_zone")
    ]


def test_ratios_and_rated_values_reach_their_registers():
    raw = initial_registers(MeterConfig(name="m", pt1=20_000, pt2=100, ct1=200, ct2=1, rated_voltage=57.7))
    assert raw["pt1_high"] * 65536 + raw["pt1_low"] == 200_000
    assert (raw["pt2"], raw["ct1"], raw["ct2"]) == (1000, 200, 1)
    # Whole volts; a 1 A secondary is rated 1000 mA.
    assert (raw["rated_voltage"], raw["rated_current"]) == (58, 1000)


def test_own_register_values_win():
    raw = initial_registers(MeterConfig(name="m", registers={"rated_voltage": 100, "alarm_enable": 0}))
    assert (raw["rated_voltage"], raw["alarm_enable"]) == (100, 0)


def test_registers_of_a_new_meter_are_in_range():
    for profile in PROFILES:
        known = register_map(profile).by_name
        for name, raw in initial_registers(MeterConfig(name="m", profile=profile)).items():
            assert known[name].allows(raw), name


@given(
    address=st.sampled_from([register_map("kw320q").by_name[name].address for name in NAMES]),
    words=st.lists(st.one_of(st.integers(0, 20), st.integers(0, 0xFFFF)), min_size=1, max_size=8),
)
def test_a_write_takes_effect_whole_or_not_at_all(address, words):
    meter = Kw320Meter(MeterConfig(name="m", modules=tuple(MODULES)), start_ns=START)

    def state():
        return meter.raw, meter.settings, meter.state(START), meter.clock.registers(START)

    before = state()
    try:
        meter.write(address, words, START)
    except RefusedError:
        assert state() == before
        return
    by_address = meter.registers.by_address
    for offset, word in enumerate(words):
        register, _ = by_address[address + offset]
        assert register.writable
        if register.source == "setting":
            assert meter.raw[register.name] & 0xFFFF == word
        if register.source == "clock":
            assert meter.clock.registers(START)[register.name] == word


def test_checking_meters_loads_no_compiled_code():
    code = "import sys, twin.meters; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_address_of_dnp3_needs_dnp3():
    (problem,) = check_config(MeterConfig(name="m", registers={"address_1": 248}))
    assert problem.startswith("registers.address_1: 248 is out of range 1..247 of Modbus; ")
    assert check_config(MeterConfig(name="m", registers={"address_1": 248, "protocol_1": 1})) == []
