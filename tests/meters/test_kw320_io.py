"""The I/O modules: levels, counters, SOE, relays, analogue channels, and settings of what is not connected.

Addresses are typed here from the manual's tables 6.3.2, 6.3.5 and 6.3.7.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.kw320_io_bench import MS, Bench
from tests.meters.kw320_site import SECOND, START
from twin.contracts import Refusal, SoeRecord
from twin.meters.kw320.io_modules import MODULES, channels_of
from twin.meters.pulses import TablePulses

# -- what is connected ----------------------------------------------------------------------------------


# Manual 6.3.2: the bit of each module in 1036H.
@pytest.mark.parametrize(
    ("name", "bit"), [("io11", 0), ("io12", 1), ("io21", 2), ("io22", 3), ("io31", 4), ("io32", 5)]
)
def test_connected_modules_show(name, bit):
    assert Bench(name).registers.unsigned(0x1036) == 1 << bit


def test_channels_are_numbered_through_the_modules():
    for kind, last in (("di", 28), ("relay", 8), ("do", 4), ("ai", 4), ("ao", 4)):
        order = [MODULES[name] for name in ("io11", "io21", "io31", "io12", "io22", "io32")]
        assert [number for module in order for number in channels_of(module)[kind]] == list(
            range(1, last + 1)
        )


def test_settings_of_a_module_that_is_not_connected_stay():
    bench = Bench("io11")
    # One write over IO11 and IO21: the first changes, the other has nothing that could (6.3.5).
    assert bench.write(0x109E, 0x3F, 7, 0, 1, 100, 0xF, 9, 1, 500) is None
    assert bench.registers.row(0x109E, 9) == [0x3F, 7, 0, 1, 100, 0, 0, 0, 20]
    assert bench.write(0x10D0, 3) is None
    assert bench.registers.unsigned(0x10D0) == 1


def test_range_counts_whether_connected_or_not():
    assert Bench("io11").write(0x10A6, 19) is Refusal.ILLEGAL_VALUE


# -- inputs and counters --------------------------------------------------------------------------------


def test_inputs_show_at_once_by_their_number():
    bench = Bench()
    for number in (1, 16, 17, 28):
        bench.input(number)
    assert bench.inputs() == [1, 16, 17, 28]
    bench.input(17, on=False)
    assert bench.inputs() == [1, 16, 28]


def test_counter_counts_what_goes_on():
    bench = Bench()
    bench.write(0x109E, 0b10)  # DI2 counts
    for _ in range(3):
        bench.input(1)
        bench.input(2)
        bench.input(2)  # on already
        bench.input(1, on=False)
        bench.input(2, on=False)
    assert (bench.count(1), bench.count(2)) == (0, 3)


def test_pulse_constant_is_pulses_per_count():
    bench = Bench()
    bench.write(0x109E, 1, 3)
    for _ in range(7):
        bench.input(1)
        bench.input(1, on=False)
    assert bench.count(1) == 2
    bench.write(0x109F, 2)  # one pulse is over: with the next it makes two
    bench.input(1)
    assert bench.count(1) == 3


@pytest.mark.parametrize(("number", "di"), [(1, 1), (2, 7), (3, 11), (4, 15), (5, 21), (6, 25)])
def test_counters_are_cleared_module_by_module(number, di):
    bench = Bench()
    for address in (0x109E, 0x10A3, 0x10AA, 0x10B0, 0x10B5, 0x10BC):
        bench.write(address, 0xF)
    firsts = (1, 7, 11, 15, 21, 25)
    for each in firsts:
        bench.input(each)
    assert bench.write(0x101C, number) is None
    assert [each for each in firsts if bench.count(each) == 0] == [di]
    assert bench.registers.unsigned(0x101C) == 0


def test_pulses_of_a_table_are_counted_in_closed_form():
    bench = Bench()
    bench.write(0x109E, 1)
    # Half a pulse a second for a minute, then three a second.
    steps = [(START + SECOND, 0.5), (START + 61 * SECOND, 3.0)]
    bench.io.feed(0, 1, TablePulses(steps, width_ns=100 * MS))
    assert bench.run(3 * SECOND).count(1) == 1  # at 3 s exactly
    assert bench.inputs() == [1]
    assert bench.run(150 * MS).inputs() == []
    assert bench.run(57_850 * MS).count(1) == 30
    assert bench.run(10 * SECOND).count(1) == 60


def test_pulses_count_only_while_the_input_is_a_counter():
    bench = Bench()
    bench.io.feed(0, 3, TablePulses([(START, 10.0)], width_ns=20 * MS))
    bench.run(10 * SECOND)
    bench.write(0x109E, 0b100)
    bench.run(2 * SECOND)
    assert bench.count(3) == 20
    bench.write(0x109E, 0)
    bench.run(5 * SECOND)
    assert bench.count(3) == 20


@given(
    rates=st.lists(st.floats(0.0, 40.0).map(lambda rate: round(rate, 2)), min_size=1, max_size=5),
    looks=st.lists(st.integers(0, 60 * SECOND), max_size=6),
)
def test_pulses_never_run_back_and_follow_the_flow(rates, looks):
    steps = [(k * 10 * SECOND, rate) for k, rate in enumerate(rates)]
    pulses = TablePulses(steps, width_ns=20 * MS)  # below every period, so that each is seen
    counts = [pulses.count(ns) for ns in sorted(looks)]
    assert counts == sorted(counts)
    end = 10 * len(rates)
    assert pulses.count(end * SECOND) == pytest.approx(sum(10 * rate for rate in rates), abs=1)


def test_pulses_faster_than_their_width_run_into_one():
    pulses = TablePulses([(0, 10.0), (10 * SECOND, 1.0)], width_ns=100 * MS)
    assert pulses.count(10 * SECOND) == 1  # one begins, and never ends
    assert pulses.level(9 * SECOND)
    assert pulses.count(10 * SECOND + SECOND) == 2


# -- sequence of events ---------------------------------------------------------------------------------


def test_soe_of_the_enabled_module_has_milliseconds():
    bench = Bench()
    assert bench.write(0x101B, 3) is None  # IO31: DI11..DI14
    bench.run(1234 * MS)
    bench.input(13)
    bench.input(1)  # of another module
    bench.run(SECOND)
    bench.input(11)
    registers = bench.registers
    assert (registers.unsigned(0x1033), registers.unsigned(0x102E), registers.unsigned(0x4439)) == (2, 2, 3)
    assert registers.row(0x4399, 8) == [2026, 1, 15, 6, 0, 1, 234, 0b100]
    assert registers.row(0x43A1, 8) == [2026, 1, 15, 6, 0, 2, 234, 0b101]
    assert registers.row(0x43A9, 8) == [0] * 8
    found = [record for record in bench.records if isinstance(record, SoeRecord)]
    assert found == [
        SoeRecord("head", "io31", START + 1234 * MS, "di13", on=True, status=0b100),
        SoeRecord("head", "io31", START + 2234 * MS, "di11", on=True, status=0b101),
    ]


def test_soe_ring_has_twenty_places():
    bench = Bench()
    bench.write(0x101B, 1)
    for k in range(23):
        bench.input(1, on=k % 2 == 0)
        bench.run(MS)
    registers = bench.registers
    assert registers.unsigned(0x1033) == 3
    assert [registers.unsigned(0x4399 + 8 * place + 6) for place in range(20)] == [20, 21, 22, *range(3, 20)]


def test_soe_is_cleared_and_its_flag_apart():
    bench = Bench()
    bench.write(0x101B, 1)
    bench.input(2)
    bench.write(0x102E, 1)  # leaves the alarm's bit, clears that of the SOE
    assert (bench.registers.unsigned(0x102E), bench.registers.unsigned(0x1033)) == (0, 1)
    bench.input(2, on=False)
    assert bench.registers.unsigned(0x102E) == 2
    assert bench.write(0x1033, 0) is None
    assert (bench.registers.unsigned(0x102E), bench.registers.unsigned(0x1033)) == (0, 0)
    assert bench.registers.row(0x4399, 160) == [0] * 160
    assert bench.write(0x1033, 1) is Refusal.ILLEGAL_VALUE


def test_soe_of_another_module_loses_the_records():
    bench = Bench()
    bench.write(0x101B, 1)
    bench.input(1)
    bench.write(0x101B, 2)
    assert (bench.registers.unsigned(0x1033), bench.registers.unsigned(0x4439)) == (0, 2)


def test_soe_needs_the_module_and_inputs_that_show_states():
    bench = Bench("io21")
    bench.write(0x101B, 1)
    assert bench.registers.unsigned(0x4439) == 0
    bench.write(0x101B, 2)
    bench.write(0x10A3, 1)
    bench.input(7)  # a counter makes no record, and shows 0 in those of others
    bench.input(8)
    assert bench.registers.unsigned(0x1033) == 1
    assert bench.registers.unsigned(0x43A0) == 0b10


# -- relays ---------------------------------------------------------------------------------------------


def coil(bench, relay, *, on):
    answer = bench.io.write_coil(0, relay - 1, on=on)
    bench.run(0)
    return answer.refusal


def test_latched_relay_stays():
    bench = Bench()
    assert coil(bench, 1, on=True) is None
    assert coil(bench, 8, on=True) is None
    assert bench.run(60 * SECOND).relays() == [1, 8]
    coil(bench, 1, on=False)
    assert bench.relays() == [8]


def test_pulsed_relay_opens_by_itself():
    bench = Bench()
    bench.write(0x10A1, 1, 300)
    coil(bench, 2, on=True)
    assert bench.run(299 * MS).relays() == [2]
    assert bench.run(MS).relays() == []
    coil(bench, 2, on=True)
    bench.run(200 * MS)
    coil(bench, 2, on=True)  # the pulse begins anew
    assert bench.run(299 * MS).relays() == [2]
    assert bench.run(MS).relays() == []


def test_relay_that_is_not_there_is_no_address():
    assert coil(Bench("io11"), 3, on=True) is Refusal.ILLEGAL_ADDRESS


def test_relay_of_alarms_takes_no_orders():
    bench = Bench()
    coil(bench, 1, on=True)
    bench.write(0x10A0, 1)
    assert bench.relays() == []  # its mode has changed: no alarm is active
    assert coil(bench, 1, on=True) is Refusal.ILLEGAL_FUNCTION


def test_latched_relay_opens_when_it_is_to_give_pulses():
    bench = Bench()
    coil(bench, 1, on=True)
    bench.write(0x10A1, 1)  # latch to pulse: there is no pulse that it could be closed for
    assert bench.relays() == []
    coil(bench, 1, on=True)
    bench.write(0x10A1, 1)  # as it was: the pulse goes on
    assert bench.relays() == [1]
    bench.write(0x10A1, 0)
    coil(bench, 1, on=True)
    assert bench.run(SECOND).relays() == [1]  # latched; the end of the pulse before is of no concern


def test_relay_of_alarms_does_not_move_with_the_setting_of_pulses():
    bench, moves = Bench(), []
    bench.write(0x10A0, 1)
    bench.write(0x104E, 9, 1, 0, 0, 1)  # I1 above 0, to relay 1
    bench.write(0x1046, 1, 0, 1)
    assert bench.run(SECOND).relays() == [1]
    bench.io.listen(0, "relay1", moves.append)
    bench.write(0x10A1, 1)  # manual 4.4: one that follows alarms is latched whatever 10A1H says
    assert (bench.relays(), moves) == ([1], [])
