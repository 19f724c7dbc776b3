"""An order over which a meter fails by a defect of its own leaves no trace in it."""

import numpy as np
import pytest

from tests.meters.data_log_site import MINUTE, Site
from tests.meters.kw320_io_bench import Bench
from tests.meters.test_kw320_write import SETTINGS, another_value
from twin.meters import MeterFailedError

SECOND = 1_000_000_000
SIZE_OF_THREE = (0x1100, [0x0603])
"""Log 1 has three sectors, not ten."""


class BrokenError(Exception):
    """A defect."""


@pytest.fixture
def bench(monkeypatch):
    """A meter that fails once, when it has been written to and shows what came of it."""
    bench = Bench()
    real = bench.fleet._show_again
    bench.broken = False

    def show_again(meter):
        real(meter)
        if bench.broken:
            bench.broken = False
            raise BrokenError("a defect")

    monkeypatch.setattr(bench.fleet, "_show_again", show_again)
    return bench


def fails(bench, address, *words):
    """Let a write fail, and check that the meter shows what it did before it; return whether it failed."""
    fleet = bench.fleet
    shown, settings = fleet.words(0), fleet._bank._settings[0]
    bench.broken = True
    try:
        answer = fleet.write(0, address, words, fleet.now_ns)
    except MeterFailedError as error:
        told = str(error)
    else:
        told = ""
        assert answer.refusal is not None  # settings that contradict others
    failed, bench.broken = not bench.broken, False
    failure = f"head failed over a write to {address:04X}H, and is as it was (BrokenError: a defect)"
    assert told == (failure if failed else "")
    np.testing.assert_array_equal(fleet.words(0), shown)
    assert fleet._bank._settings[0] == settings
    return failed


def test_every_setting_is_set_back(bench):
    of, failed = bench.fleet._meters[0], 0
    for register in SETTINGS:
        before = of.raw
        raw = another_value(register, before[register.name])
        if raw is None:
            continue  # the register takes one value only
        words = [raw >> 16 * shift & 0xFFFF for shift in reversed(range(register.words))]
        failed += fails(bench, register.address, *words)
        assert of.raw == before
    assert failed > 0.7 * len(SETTINGS)


def test_the_clock_and_the_run_time_are_set_back(bench):
    bench.run(3 * SECOND)
    assert fails(bench, 0x1040, 2031, 5, 6, 7, 8, 9)
    assert fails(bench, 0x1034, 1, 2)
    bench.run(2 * SECOND)
    assert bench.registers.row(0x1040, 6) == [2026, 1, 15, 6, 0, 5]
    assert bench.write(0x1040, 2031, 5, 6, 7, 8, 9) is None
    bench.run(SECOND)
    assert bench.registers.row(0x1040, 6) == [2031, 5, 6, 7, 8, 10]


def test_months_past_are_set_back(bench):
    assert bench.write(0x463E, 0, 77) is None
    assert fails(bench, 0x463E, 0, 5)
    assert fails(bench, 0x1016, 1)
    assert fails(bench, 0x1040, 2026, 2, 15)
    assert bench.registers.dword(0x463E) == 77


def test_an_output_that_a_write_has_moved_moves_back_and_says_so(bench):
    heard = []
    bench.io.write_coil(0, 0, on=True)
    bench.io.listen(0, "relay1", heard.append)
    assert fails(bench, 0x10A0, 1)  # the relay's mode: it opens until an alarm comes
    assert heard == [False, True]
    assert bench.relays() == [1]


def test_data_logs_that_a_write_did_not_touch_go_on(monkeypatch):
    site = Site()
    site.set_up()
    site.run(3 * MINUTE)
    real = site.fleet._show_again
    pending = [True]

    def fails_once(meter):
        real(meter)
        if pending:
            pending.clear()
            raise BrokenError

    monkeypatch.setattr(site.fleet, "_show_again", fails_once)
    with pytest.raises(MeterFailedError):
        site.set(0x100D, [20])
    site.run(2 * MINUTE)
    assert [record.number for record in site.retrieve()] == [1, 2, 3, 4, 5]
    pending.append(True)
    with pytest.raises(MeterFailedError):
        site.set(*SIZE_OF_THREE)
    assert site.status()[3:] == ((0,) * 6, (0,) * 6)  # to set a log is to erase it
    site.run(2 * MINUTE)
    assert site.status()[:3] == (27300, 2, 24)
