"""Waveform captures that a digital input triggers: edges, types and reason words of KW320 manual 4.6."""

import numpy as np
import pytest

from tests.meters.kw320_io_bench import MS, Bench
from tests.meters.kw320_site import SECOND, START
from twin.contracts import Refusal, WaveformRecord

OFF_TO_ON, ON_TO_OFF, ANY = 1, 2, 3
# Manual 4.6 and 6.3.8: register, word of the reason (W9 is the ninth), first input and how many.
TRIGGERS = ((0x8001, 9, 1, 6), (0x8002, 10, 7, 4), (0x8003, 11, 11, 4))
INPUTS = [
    (register, word, first + place, 2 * place)
    for register, word, first, count in TRIGGERS
    for place in range(count)
]


def captures(bench):
    return [record for record in bench.records if isinstance(record, WaveformRecord)]


def reasons(bench):
    """The reasons of the first groups as a master retrieves them: 8E00H = 1, 8E01H = 0, four in a window."""
    _, window, _ = bench.fleet.windows(0)
    cursor = window.write(window.initial(), 0x8E00, [1, 0])
    words, _ = window.read(cursor, 0x8E00, 0x44)
    groups = words[4:].reshape(4, 16).tolist()
    return groups[: min(int(words[3]), 4)]


def bench_with(register, bits):
    bench = Bench(profile="kw320q")
    bench.run(SECOND)
    assert bench.write(register, bits) is None
    return bench


@pytest.mark.parametrize(("register", "word", "number", "shift"), INPUTS, ids=str)
@pytest.mark.parametrize("setting", [0, OFF_TO_ON, ON_TO_OFF, ANY])
def test_edge_that_is_set_triggers(register, word, number, shift, setting):
    bench = bench_with(register, setting << shift)
    edges = []
    for on in (True, False):
        before = len(captures(bench))
        bench.input(number, on=on)
        at = bench.now
        bench.run(300 * MS)  # ten cycles after the trigger are 200 ms
        new = captures(bench)[before:]
        edges += [OFF_TO_ON if on else ON_TO_OFF] * len(new)
        assert all((one.reason, one.trigger_ns) == ("di", at) for one in new)
    assert edges == [edge for edge in (OFF_TO_ON, ON_TO_OFF) if setting & edge]
    shown = [
        {place: value for place, value in enumerate(reason[7:], start=8) if value}
        for reason in reasons(bench)
    ]
    assert shown == [{word: edge << shift} for edge in edges]


def test_stamp_is_the_clock_at_the_edge():
    bench = bench_with(0x8001, OFF_TO_ON)
    bench.run(3 * SECOND + 123 * MS)
    bench.input(1)
    bench.run(SECOND)
    assert reasons(bench)[0][:7] == [2026, 1, 15, 6, 0, 4, 123]
    (record,) = captures(bench)
    assert (record.trigger_index, record.trigger_ns) == (640, START + 4 * SECOND + 123 * MS)


def test_inputs_that_count_or_are_of_a_second_module_do_not_trigger():
    bench = bench_with(0x8001, 0xFFF)
    bench.write(0x8002, 0xFF)
    bench.write(0x8003, 0xFF)
    bench.write(0x109E, 0b10)  # DI2 counts
    for number in (2, *range(15, 29)):
        bench.input(number)
        bench.run(300 * MS)
        bench.input(number, on=False)
        bench.run(300 * MS)
    assert captures(bench) == []
    bench.input(3)
    bench.run(300 * MS)
    assert len(captures(bench)) == 1


def test_no_input_is_heard_while_a_group_is_written():
    bench = bench_with(0x8001, 0xFFF)
    bench.input(1)
    bench.run(100 * MS)
    bench.input(2)
    bench.run(110 * MS)
    bench.input(1, on=False)
    bench.run(SECOND)
    first, second = captures(bench)
    assert second.trigger_ns - first.trigger_ns == 210 * MS
    assert [reason[8] for reason in reasons(bench)] == [OFF_TO_ON, ON_TO_OFF]


def test_a_meter_without_supply_captures_nothing():
    bench = bench_with(0x8001, 0xFFF)
    bench.fleet.set_power(0, on=False, now_ns=bench.now)
    bench.input(1)
    bench.run(SECOND)
    bench.fleet.set_power(0, on=True, now_ns=bench.now)
    bench.run(SECOND)
    assert captures(bench) == []


@pytest.mark.parametrize(("register", "highest"), [(0x8001, 0xFFF), (0x8002, 0xFF), (0x8003, 0xFF)])
def test_range_has_two_bits_an_input(register, highest):
    bench = bench_with(register, highest)
    assert bench.registers.unsigned(register) == highest
    assert bench.write(register, highest + 1) is Refusal.ILLEGAL_VALUE
    assert Bench(profile="kw320").write(register, 1) is Refusal.ILLEGAL_ADDRESS  # a kw320 has no captures


def test_samples_are_those_around_the_edge():
    bench = bench_with(0x8001, OFF_TO_ON)
    by_hand = Bench(profile="kw320q")
    by_hand.run(SECOND)
    bench.input(1)
    assert by_hand.write(0x8000, 0xAA) is None
    bench.run(SECOND)
    by_hand.run(SECOND)
    ((one,), (other,)) = captures(bench), captures(by_hand)
    assert (one.trigger_ns, other.reason) == (other.trigger_ns, "manual")
    np.testing.assert_array_equal(one.raw, other.raw)
