"""I/O modules of a meter whose supply fails and comes back: outputs, counters, inputs, records, alarms."""

import pytest

from tests.meters.kw320_io_bench import MS, Bench
from tests.meters.kw320_site import SECOND, START
from tests.meters.test_alarm_inputs import alarm, trace
from tests.meters.test_kw320_analogue import pulsing
from twin.meters.pulses import TablePulses


def power(bench, *, on):
    bench.fleet.set_power(0, on=on, now_ns=bench.now)
    bench.run(0)


def lose(bench, seconds):
    """Take the supply away for a time."""
    power(bench, on=False)
    bench.run(seconds * SECOND)
    power(bench, on=True)


def order(bench, relay, *, on):
    assert bench.io.write_coil(0, relay - 1, on=on).refusal is None
    bench.run(0)


# -- outputs --------------------------------------------------------------------------------------------


def test_a_latched_relay_drops_and_stays_open_until_an_order():
    bench, heard = Bench(), []
    bench.io.listen(0, "relay1", heard.append)
    order(bench, 1, on=True)
    power(bench, on=False)
    assert heard == [True, False]
    bench.run(SECOND)
    power(bench, on=True)
    assert bench.run(60 * SECOND).relays() == []
    order(bench, 1, on=True)
    assert bench.relays() == [1]


def test_a_pulse_that_a_loss_cuts_short_leaves_the_next_one_whole():
    bench = Bench()
    bench.write(0x10A1, 1, 1000)
    order(bench, 2, on=True)
    bench.run(200 * MS)
    power(bench, on=False)
    assert not bench.io.output(0, "relay2")
    bench.run(300 * MS)
    power(bench, on=True)
    order(bench, 2, on=True)
    assert bench.run(999 * MS).relays() == [2]  # the first pulse would have ended after 500 ms
    assert bench.run(MS).relays() == []


def test_outputs_of_a_limit_alarm_come_back_after_its_delay():
    bench = Bench()
    bench.write(0x10A0, 1)  # relays 1 and 2 follow alarms
    bench.write(0x10A5, 1)  # so do DO1 and DO2
    bench.write(0x104A, 0b1)
    alarm(bench, 1, "v1", 1, delay=2000, relay=1)  # V1 > 0.1 V
    bench.run(3 * SECOND)
    assert (bench.relays(), bench.io.output(0, "do1")) == ([1], True)
    power(bench, on=False)
    assert not bench.io.output(0, "relay1")
    assert not bench.io.output(0, "do1")
    bench.run(10 * SECOND)
    power(bench, on=True)
    assert bench.run(1900 * MS).relays() == []
    assert bench.run(200 * MS).relays() == [1]
    assert bench.io.output(0, "do1")
    assert [kind for _, kind, _, _ in trace(bench)] == ["active", "active"]


@pytest.mark.parametrize(("setpoint", "alarming"), [(1, True), (2, False), (3, False)])
def test_outputs_of_an_input_alarm_come_back_with_the_state_of_the_input(setpoint, alarming):
    bench = Bench()
    bench.write(0x10A0, 1)
    alarm(bench, 3, "di7", setpoint, delay=500, relay=2)
    bench.input(7, on=not alarming)
    bench.input(7, on=alarming)
    bench.run(SECOND)
    assert bench.relays() == [2]
    lose(bench, 5)
    assert bench.run(499 * MS).relays() == []
    assert bench.run(MS).relays() == [2]
    bench.run(SECOND)
    bench.input(7, on=not alarming)
    assert bench.relays() == []
    assert [kind for _, kind, _, _ in trace(bench)] == ["active", "active", "return"]
    assert bench.registers.unsigned(0x1032) == 3


def test_an_input_that_left_its_alarm_in_the_dark_gives_none():
    bench = Bench()
    bench.write(0x10A0, 1)
    alarm(bench, 3, "di7", 1, relay=2)
    bench.input(7)
    power(bench, on=False)
    bench.run(SECOND)
    bench.input(7, on=False)
    power(bench, on=True)
    assert bench.run(SECOND).relays() == []
    assert [kind for _, kind, _, _ in trace(bench)] == ["active"]
    bench.input(7)
    assert bench.relays() == [2]


def test_an_input_that_entered_its_alarm_in_the_dark_is_found():
    bench = Bench()
    alarm(bench, 3, "di7", 1)
    power(bench, on=False)
    bench.input(7)
    bench.run(SECOND)
    power(bench, on=True)
    bench.run(SECOND)
    assert trace(bench) == [(3, "active", 1000, 0.0)]


def test_an_input_that_counts_gives_no_alarm():
    bench = Bench()
    alarm(bench, 3, "di7", 1)
    bench.write(0x10A3, 1)  # DI7 counts
    bench.input(7)
    lose(bench, 1)
    bench.run(SECOND)
    assert trace(bench) == []


def test_energy_pulses_are_cut_short_and_go_on_where_they_were():
    bench = pulsing(60_000, width=50)
    while not bench.io.output(0, "do1"):
        bench.run(10 * MS)
    power(bench, on=False)
    assert not bench.io.output(0, "do1")
    bench.run(500 * SECOND)
    before = bench.io.pulses(0, 1)
    power(bench, on=True)
    bench.run(500 * SECOND)
    assert bench.io.pulses(0, 1) > before > 0
    primary_kwh = bench.fleet.energies(0)["ep_imp"] / 1000
    assert bench.io.pulses(0, 1) == int(primary_kwh / 8000 * 60_000)


# -- inputs ---------------------------------------------------------------------------------------------


def test_counts_and_the_part_of_one_are_kept_and_the_dark_is_not_counted():
    bench = Bench()
    bench.write(0x109E, 0b11, 4)  # DI1 and DI2 count, one for each four pulses
    bench.io.feed(0, 2, TablePulses([(START, 10.0)], width_ns=20 * MS))
    for _ in range(6):
        bench.input(1)
        bench.input(1, on=False)
    bench.run(SECOND)
    assert (bench.count(1), bench.count(2)) == (1, 2)  # and two pulses more of each
    power(bench, on=False)
    for _ in range(40):
        bench.input(1)
        bench.input(1, on=False)
    bench.run(10 * SECOND)
    power(bench, on=True)
    assert (bench.count(1), bench.count(2)) == (1, 2)
    for _ in range(2):
        bench.input(1)
        bench.input(1, on=False)
    bench.run(200 * MS)
    assert (bench.count(1), bench.count(2)) == (2, 3)


def test_inputs_show_as_they_are_and_no_record_says_when_they_changed():
    bench = Bench()
    bench.write(0x101B, 1)
    bench.input(1)
    bench.input(2)
    soe = bench.registers.row(0x4399, 16)
    assert bench.registers.unsigned(0x102E) == 2
    power(bench, on=False)
    bench.input(2, on=False)
    bench.input(3)
    bench.run(5 * SECOND)
    power(bench, on=True)
    assert bench.inputs() == [1, 3]
    assert (bench.registers.unsigned(0x1033), bench.registers.row(0x4399, 16)) == (2, soe)
    assert bench.registers.unsigned(0x102E) == 2
    bench.input(4)
    assert bench.registers.unsigned(0x1033) == 3
    assert bench.registers.unsigned(0x4399 + 2 * 8 + 7) == 0b1101
