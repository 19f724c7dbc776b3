"""The custom block shows other registers side by side, as they are at the same time."""

import pytest

from tests.meters.kw320_registers import Registers
from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, scaled, segment
from twin.meters import MeterConfig, build_fleet, check_config

CHOSEN = ("frequency", "v1", "i_avg", "thd_v1", "ep_imp", "ct1", "second", "fast_p_sum", "min_v1")
ADDRESSES = (0x4000, 0x4001, 0x4002, 0x4003, 0x4018, 0x4019, 0x405A, 0x4048, 0x4049, 0x1008, 0x1045)


def site(*configs):
    fleet = build_fleet(configs, start_ns=START)
    feed = segment([c for _ in configs for c in (*VOLTS, *AMPERES)], [], start_ns=START)
    fleet.advance(feed, START + 2 * SECOND)
    return fleet, feed


def test_every_word_is_that_of_its_register():
    fleet, feed = site(MeterConfig(name="head", custom_read=CHOSEN), MeterConfig(name="other"))
    for until in (2 * SECOND, 2 * SECOND + SECOND // 5, 61 * SECOND):
        fleet.advance(feed, START + until)
        words = Registers(fleet)
        expected = [words.word[a] for a in ADDRESSES] + words.row(0x3022, 2) + [words.word[0x41E5]]
        assert words.row(0x3200, 32) == expected + [0] * 18
    assert Registers(fleet, 1).row(0x3200, 32) == [0] * 32


def test_it_follows_writes_and_changes_of_the_signal():
    fleet, _ = site(MeterConfig(name="head", custom_read=("ct1", "v1"), accuracy="ideal"))
    before = Registers(fleet).row(0x3200, 3)
    fleet.write(0, 0x1008, [77], START + 2 * SECOND)
    assert Registers(fleet).row(0x3200, 3) == [77, *before[1:]]
    half = segment([*scaled(VOLTS, 0.5), *AMPERES], [], start_ns=START + 2 * SECOND)
    fleet.advance(half, START + 4 * SECOND)
    after = Registers(fleet)
    assert after.row(0x3201, 2) == after.row(0x4002, 2) != before[1:]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("v1",) * 17, "68 bytes are too many; the block has 64"),
        (("v9",), "'v9' is no register"),
        (("custom_read_1",), "'custom_read_1' is no register"),
        (("waveform_window_1",), "is no register"),
    ],
)
def test_what_does_not_fit_is_told(names, told):
    (problem,) = check_config(MeterConfig(name="head", custom_read=names))
    assert told in problem


def test_a_full_block():
    names = (*(f"v1_h{order}" for order in range(2, 32)), "v1")
    fleet, _ = site(MeterConfig(name="head", custom_read=names))
    words = Registers(fleet)
    assert words.row(0x3200, 32) == words.row(0x4062, 30) + words.row(0x4002, 2)
