"""A configuration as a whole: kept, checked, applied by ordinary writes; and what the log says."""

import pytest

from tests.meters.kw320_io_bench import Bench
from tests.meters.kw320_site import START
from twin.contracts import CommandRecord, Refusal, TruthEntry
from twin.meters import AlarmConfig, DataLogConfig, MeterConfig, MeterFailedError
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.configuration import (
    configuration_problems,
    configuration_writes,
    setting_registers,
    settings_of,
)
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.module_log import module_event, module_events
from twin.meters.kw320.recorded_configuration import recorded_configuration

SET = MeterConfig(
    name="set",
    pt1=20_000,
    pt2=100,
    ct1=200,
    ct2=5,
    rated_voltage=58,
    registers={"password": 1234, "demand_window_minutes": 5, "sag_threshold_percent": 80},
    alarms=(AlarmConfig(channel=3, parameter="i1", setpoint=140.0, delay_s=5.0),),
    data_logs=(
        DataLogConfig(log=1, quantities=("v1", "v2"), interval_minutes=1, sectors=60),
        DataLogConfig(log=2, quantities=("ep_imp",), sectors=40),
    ),
)


def applied(meter, wanted):
    for address, words in configuration_writes(meter.config.profile, meter.raw, wanted):
        assert 1 <= len(words) <= 123
        meter.write(address, words, START)


def test_another_meter_becomes_the_same():
    kept = Kw320Meter(SET, start_ns=START).raw
    other = Kw320Meter(MeterConfig(name="other"), start_ns=START)
    assert configuration_problems("kw320q", other.raw, kept) == []
    applied(other, kept)
    assert other.raw == kept
    assert configuration_writes("kw320q", other.raw, kept) == []


def test_only_what_differs_is_written():
    meter = Kw320Meter(SET, start_ns=START)
    writes = configuration_writes(
        "kw320q", meter.raw, {"ct1": 300, "ct2": 1, "demand_mode": meter.raw["demand_mode"]}
    )
    assert writes == [(0x1008, (300, 1))]


def test_logs_give_sectors_up_before_others_take_them():
    meter = Kw320Meter(SET, start_ns=START)
    wanted = {"log1_registers_sectors": 4 << 8 | 90, "log2_registers_sectors": 2 << 8 | 10}
    assert configuration_problems("kw320q", meter.raw, wanted) == []
    applied(meter, wanted)
    assert (meter.raw["log1_registers_sectors"] & 0xFF, meter.raw["log2_registers_sectors"] & 0xFF) == (
        90,
        10,
    )


def test_the_seal_is_set_last_and_broken_first():
    meter = Kw320Meter(SET, start_ns=START)
    applied(meter, {"seal_status": 0x0A, "ct1": 300})
    assert (meter.raw["seal_status"], meter.raw["ct1"]) == (0x0A, 300)
    with pytest.raises(RefusedError, match="sealed"):
        applied(meter, {"ct1": 400})
    applied(meter, {"seal_status": 0, "ct1": 400})
    assert (meter.raw["seal_status"], meter.raw["ct1"]) == (0, 400)


def test_what_a_seal_refuses_is_foreseen():
    meter = Kw320Meter(SET, start_ns=START)
    applied(meter, {"seal_optional_selection": 0b10, "seal_status": 0x0A})
    given = {
        "ct1": 400,
        "baud_2": 9600,
        "password": 77,
        "seal_optional_selection": 0,
        "pt2": meter.raw["pt2"],
    }
    problems = configuration_problems("kw320q", meter.raw, given)
    assert [(field, what) for field, what, _ in problems] == [
        ("registers.ct1", "is sealed (1008H)"),
        ("registers.baud_2", "is sealed (102FH)"),
        ("registers.seal_optional_selection", "is sealed (101EH)"),
    ]
    assert {mend for _, _, mend in problems} == {
        "leave it out, or break the seal with registers.seal_status = 0"
    }
    # What is told is what the meter refuses, and no more.
    for name, value in given.items():
        refused = f"registers.{name}" in {field for field, _, _ in problems}
        writes = configuration_writes("kw320q", meter.raw, {name: value})
        for address, words in writes:
            if refused:
                with pytest.raises(RefusedError, match="sealed"):
                    meter.write(address, words, START)
            else:
                meter.write(address, words, START)
    opened = given | {"seal_status": 0}
    assert configuration_problems("kw320q", meter.raw, opened) == []
    applied(meter, opened)
    assert meter.raw.items() >= opened.items()


def test_a_meter_says_when_it_started():
    restored = [TruthEntry(START + 5, "power_restored", "head", "supply")]
    commands = [
        CommandRecord(
            number, START + at, "api", target, "write_registers", {"address": 0x100F, "words": [1]}, None
        )
        for number, (at, target) in enumerate([(1, "head"), (3, "home"), (9, "head")])
    ]
    lines = module_events("kw320q", "head", commands, restored)
    assert [(line.time_ns - START, line.level, line.source, line.message) for line in lines] == [
        (1, "Info", "api", "clear demand"),
        (5, "Info", "Others", "system rebooting"),
        (9, "Info", "api", "clear demand"),
    ]


def test_everything_that_is_wrong_is_told_at_once():
    meter = Kw320Meter(SET, start_ns=START)
    given = {"ct1": 0, "ct9": 5, "password": "x", "pt2": True, "demand_window_minutes": 10}
    told = configuration_problems("kw320q", meter.raw, given)
    assert [(field, what.partition(" ")[0]) for field, what, _ in told] == [
        ("registers.ct1", "0"),
        ("registers.ct9", "is"),
        ("registers.password", "'x'"),
        ("registers.pt2", "True"),
    ]
    ((field, what, _),) = configuration_problems("kw320q", meter.raw, {"log3_registers_sectors": 0x0101})
    assert (field, what[:3]) == ("registers.log1..3_registers_sectors", "101")
    assert (
        configuration_problems("kw320q", meter.raw, {"rated_frequency": 1})[0][0]
        == "registers.rated_frequency"
    )


def test_a_fleet_takes_a_configuration_as_a_whole_or_not_at_all():
    bench = Bench()
    fleet, before = bench.fleet, bench.fleet._meters[0].raw
    refused = fleet.import_configuration(
        0, {"password": 4711, "pt1_high": 76, "pt1_low": 65535}, fleet.now_ns
    )
    assert refused.refusal is Refusal.ILLEGAL_VALUE
    unknown = fleet.import_configuration(0, {"password": 4711, "ct9": 5}, fleet.now_ns)
    assert "registers.ct9 is no setting register of a kw320q" in unknown.detail
    assert fleet._meters[0].raw is before
    kept = {"password": 4711, "ct1": 300, "demand_window_minutes": 5}
    assert fleet.import_configuration(0, kept, fleet.now_ns).refusal is None
    assert fleet._meters[0].raw == before | kept
    fleet.set_power(0, on=False, now_ns=fleet.now_ns)
    assert fleet.import_configuration(0, {"ct1": 200}, fleet.now_ns).refusal is Refusal.NO_SUPPLY


def test_a_meter_that_fails_within_a_configuration_is_as_it_was(monkeypatch):
    bench = Bench()
    fleet, of = bench.fleet, bench.fleet._meters[0]
    before, real = of.raw, Kw320Meter.write

    def breaks(self, address, words, now_ns):
        if self is of and address == 0x100D:
            raise ZeroDivisionError
        return real(self, address, words, now_ns)

    monkeypatch.setattr(Kw320Meter, "write", breaks)
    with pytest.raises(MeterFailedError, match="head failed over a configuration"):
        fleet.import_configuration(0, {"ct1": 300, "demand_window_minutes": 5}, fleet.now_ns)
    assert of.raw == before
    assert bench.registers.row(0x1008, 1) == [200]


def test_settings_are_read_from_words():
    meter = Kw320Meter(SET, start_ns=START)
    words = {}
    for register in setting_registers("kw320q"):
        for k in range(register.words):
            words[register.address + k] = meter.raw[register.name] >> 16 * (register.words - 1 - k) & 0xFFFF
    assert settings_of("kw320q", words) == meter.raw


def test_a_recorded_session_says_how_a_meter_was_set():
    """What others were told and what was refused does nothing; data as a recording gives them back."""

    def command(target, verb, refusal=None, **arguments):
        return CommandRecord(1, START, "test", target, verb, arguments, refusal)

    commands = [
        command("set", "write_registers", address=0x1008, words=(300, 1)),
        command("other", "write_registers", address=0x1008, words=(999, 1)),
        command("set", "write_registers", "illegal_value", address=0x1008, words=(400, 5)),
        command("set", "import_configuration", registers={"password": 77, "ct1": 350}),
        command("set", "import_configuration", "sealed", registers={"password": 78}),
        command("set", "write_coil", address=0, on=True),
        command("SW2", "open"),
    ]
    before = Kw320Meter(SET, start_ns=START).raw
    after = recorded_configuration(SET, commands, start_ns=START)
    assert after == before | {"ct1": 350, "ct2": 1, "password": 77}
    assert recorded_configuration(SET, commands[:2], start_ns=START) == before | {"ct1": 300, "ct2": 1}


# -- the log -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words", "message"),
    [
        (0x1008, (500, 5), "set ct1 = 500, ct2 = 5"),
        (0x1040, (2026, 1), "set the clock: year 2026, month 1"),
        (0x1010, (0x0A,), "clear max min"),
        (0x1010, (0x55,), "no action"),
        (0x8000, (0xAA,), "manual waveform trigger"),
        (0x100E, (1, 1), "set demand_mode = 1; clear demand"),
        (0x4048, (0x0A9D, 0x4089), "preset ep_imp = 178077833"),
        (0x1102, tuple(range(0x4000, 0x4008)),
         "set " + ", ".join(f"log1_register_{k} = {0x3FFF + k}" for k in range(1, 7)) + " and 2 more"),
        (0x9000, (1, 2), "write 2 words to 9000H"),
    ],
)  # fmt: skip
def test_what_the_log_says(address, words, message):
    command = CommandRecord(
        1, START, "modbus:set", "set", "write_registers", {"address": address, "words": words}, None
    )
    event = module_event("kw320q", command)
    assert (event.time_ns, event.level, event.source, event.message) == (START, "Info", "modbus:set", message)


def test_what_was_refused_is_a_warning():
    arguments = {"address": 0x1008, "words": (0, 5)}
    command = CommandRecord(1, START, "api", "set", "write_registers", arguments, "illegal_value")
    event = module_event("kw320q", command)
    assert (event.level, event.message) == ("Warning", "refused (illegal_value): set ct1 = 0, ct2 = 5")
    assert module_event("kw320q", CommandRecord(2, START, "api", "SW2", "open", {}, None)) is None


def test_a_configuration_is_one_line():
    registers = {"password": 1, "ct1": 300, **{f"log1_register_{k}": 0 for k in range(1, 9)}}
    command = CommandRecord(1, START, "api", "set", "import_configuration", {"registers": registers}, None)
    assert module_event("kw320q", command).message == (
        "import a configuration: set password = 1, ct1 = 300, log1_register_1 = 0, log1_register_2 = 0, "
        "log1_register_3 = 0, log1_register_4 = 0 and 4 more"
    )
