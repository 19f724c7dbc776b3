"""Alarms on digital and analogue inputs, and the outputs that follow alarms: KW320 manual 4.4 and 6.3.4."""

import pytest

from tests.meters.kw320_io_bench import MS, Bench
from tests.meters.kw320_site import SECOND, START
from twin.contracts import AlarmRecord
from twin.meters.kw320.alarm_formats import PARAMETER_CODE


def alarm(bench, channel, parameter, setpoint, *, delay=0, relay=0, comparison=1):
    """Set one channel and enable it with those before."""
    words = (PARAMETER_CODE[parameter], comparison, setpoint, delay // 10, relay)
    assert bench.write(0x104E + 5 * (channel - 1), *words) is None
    enabled = bench.registers.unsigned(0x1048) | 1 << channel - 1
    assert bench.write(0x1048, enabled) is None
    assert bench.write(0x1046, 1) is None


def trace(bench):
    return [
        (record.channel, record.transition, (record.time_ns - START) // MS, record.value)
        for record in bench.records
        if isinstance(record, AlarmRecord)
    ]


# Manual 6.3.4, note 2: 1 OFF to ON, 2 ON to OFF, 3 as 2 with the present state recorded.
@pytest.mark.parametrize(
    ("setpoint", "expected"),
    [
        (1, [("active", 1000, 0.0), ("return", 2000, 0.0), ("active", 3000, 0.0)]),
        (2, [("active", 2000, 0.0), ("return", 3000, 0.0)]),
        (3, [("active", 2000, 0.0), ("return", 3000, 1.0)]),
        (0, []),
        (4, []),
    ],
)
@pytest.mark.parametrize(("name", "number"), [("di1", 1), ("di28", 28)])
def test_an_input_gives_alarms_by_its_transitions(setpoint, expected, name, number):
    bench = Bench()
    alarm(bench, 5, name, setpoint, comparison=3)  # the comparison does not matter
    for second in (1, 2, 3):
        bench.run(START + second * SECOND - bench.now)
        bench.input(number, on=second % 2 == 1)
    assert trace(bench) == [(5, *one) for one in expected]
    registers = bench.registers
    assert registers.unsigned(0x1032) == len(expected)
    if expected:
        code = PARAMETER_CODE[name]
        assert registers.row(0x42A9, 3) == [code << 8 | 1, code, 0]
        assert registers.unsigned(0x102E) == 1


def test_delay_of_an_input_runs_in_exact_time():
    bench = Bench()
    alarm(bench, 1, "di3", 1, delay=250)
    bench.run(123 * MS)
    bench.input(3)
    bench.run(200 * MS)
    bench.input(3, on=False)
    bench.run(100 * MS)
    bench.input(3)
    bench.run(SECOND)
    assert trace(bench) == [(1, "active", 673, 0.0)]


def test_an_input_and_a_quantity_alarm_together():
    bench = Bench()
    alarm(bench, 1, "di2", 1)
    alarm(bench, 2, "ai4", 2000)
    bench.write(0x1049, 1)
    bench.run(SECOND)
    bench.input(2)
    bench.run(SECOND)
    assert trace(bench) == []
    bench.io.set_analogue(0, 4, 12.0)  # 2458 counts, looked at on the next tick
    bench.run(SECOND)
    assert trace(bench) == [(1, "active", 2100, 0.0), (2, "active", 2100, 2458.0)]
    bench.input(2, on=False)
    assert [one[:3] for one in trace(bench)[2:]] == [(1, "return", 3000), (2, "return", 3000)]


def test_counters_give_no_alarm():
    bench = Bench()
    bench.write(0x109E, 1)
    alarm(bench, 1, "di1", 1)
    bench.input(1)
    assert trace(bench) == []


def test_relay_and_outputs_are_on_while_any_of_their_alarms_is():
    bench = Bench()
    bench.write(0x10AC, 1)  # relays 3 and 4 follow alarms
    bench.write(0x10A5, 1)  # DO1 and DO2 as well
    bench.write(0x104A, 0b01, 0b11)
    alarm(bench, 1, "di1", 1, relay=3)
    alarm(bench, 2, "di2", 1, relay=3)
    states = []
    for number, on in ((1, True), (2, True), (1, False), (2, False)):
        bench.run(SECOND)
        bench.input(number, on=on)
        states.append((bench.relays(), bench.io.output(0, "do1"), bench.io.output(0, "do2")))
    assert states == [([3], True, True), ([3], True, True), ([3], False, True), ([], False, False)]


def test_relay_follows_an_alarm_of_a_quantity_in_the_midst_of_time():
    bench = Bench()
    bench.write(0x10A0, 1)
    alarm(bench, 1, "frequency", 4900, relay=2, delay=300)
    bench.run(10 * SECOND)
    assert bench.relays() == [2]
    bench.write(0x1046, 0)
    assert bench.relays() == []


def test_clearing_empties_the_records_and_the_flag():
    for address, word in ((0x1021, 0x0A), (0x1032, 0)):
        bench = Bench()
        alarm(bench, 1, "di1", 1)
        bench.input(1)
        assert (bench.registers.unsigned(0x1032), bench.registers.unsigned(0x102E)) == (1, 1)
        assert bench.write(address, word) is None
        assert (bench.registers.unsigned(0x1032), bench.registers.unsigned(0x102E)) == (0, 0)
        assert bench.registers.row(0x42A9, 160) == [0] * 160
