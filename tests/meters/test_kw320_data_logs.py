"""Data logs: the manual's example, modes, wrap, errors, and the clock's ways."""

import numpy as np
import pytest

from tests.meters.data_log_site import MINUTE, Site, crc16
from tests.meters.kw320_site import PT, VOLTS, rms
from twin.contracts import Refusal
from twin.meters.kw320.data_log_memory import crc16 as crc16_of_rows
from twin.meters.kw320.data_log_memory import records_of
from twin.meters.kw320.data_log_settings import DataLogSettings, is_loggable

HOUR = 60 * MINUTE
DAY = 24 * HOUR


# -- the manual's example (6.3.8) -------------------------------------------------------------------------


def test_the_manuals_example():
    site = Site()
    site.set_up()
    site.run(25 * MINUTE)
    # 65536 // 24 = 2730 records a sector, ten sectors; 12 + 2 x 6 octets.
    assert site.status() == (27300, 25, 24, (26, 1, 15, 6, 1, 0), (26, 1, 15, 6, 25, 0))
    records = site.retrieve()
    assert [record.number for record in records] == list(range(1, 26))
    assert [record.stamp for record in records] == [(26, 1, 15, 6, minute, 0) for minute in range(1, 26)]
    for record in records:
        assert record.floats == pytest.approx([rms(volts) / PT for volts in VOLTS], rel=1e-6)


def test_the_example_takes_ten_records_a_window():
    site = Site()
    site.set_up()
    site.run(25 * MINUTE)
    site.write(0x6001, [0x0A0B, 0, 0])
    words = site.read(0x6000, 125)
    assert words[:4] == [0, 0x0A0B, 0, 0]
    assert [words[4 + 12 * k + 1] for k in range(10)] == list(range(1, 11))
    assert words[4 + 120 :] == [0]
    site.write(0x6001, [0x0A0B, 0, 20])
    words = site.read(0x6004, 123)
    assert [words[12 * k + 1] for k in range(10)] == [21, 22, 23, 24, 25, 0, 0, 0, 0, 0]


def test_reading_twice_shows_the_same():
    site = Site()
    site.set_up()
    site.run(25 * MINUTE)
    site.write(0x6001, [0x0A0B, 0, 0])
    assert site.read(0x6004, 123) == site.read(0x6004, 123)


def test_a_record_holds_what_the_registers_show():
    """Any loggable word, two logs with another interval each, at the same instants."""
    site = Site()
    addresses = [0x4048, 0x4049, 0x405A, 0x4294, 0x42A0, 0x4500, 0x4620, 0x4621, 0x4391, 0x412B]
    site.set_up(
        (0x1102, addresses), (0x1100, [0x0A01]), (0x1101, [5]),
        (0x11C2, [0x4000, 0x4001]), (0x11C0, [0x0201]), (0x11C1, [15]),
    )  # fmt: skip
    site.run(15 * MINUTE)
    image = {}
    words = iter(site.fleet.words(0).tolist())
    for block in site.fleet.blocks(0):
        image |= {block.address + k: next(words) for k in range(block.count)}
    last = site.retrieve(1)[-1]
    assert last.stamp == (26, 1, 15, 6, 15, 0)
    assert list(np.frombuffer(last.data, ">u2")) == [image[address] for address in addresses]
    assert [record.stamp[4] for record in site.retrieve(1)] == [5, 10, 15]
    assert [record.floats for record in site.retrieve(2)] == [pytest.approx((50.0,))]


def test_crc_is_that_of_the_serial_line():
    rows = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
    assert crc16_of_rows(rows).tolist() == [crc16(row.tolist()) for row in rows]
    # MODBUS over serial line V1.02, appendix B: 02 07 has CRC 1241H, sent 41 12.
    assert crc16_of_rows(np.array([[2, 7]], np.uint8)).tolist() == [0x1241]
    record = records_of([0x10002], [(1, 2, 3)], np.array([[4]], np.uint16))[0]
    assert record[:6].tolist() == [1, 2, 1, 2, 3, 4]
    assert crc16(record.astype(">u2").tobytes()) == 0


# -- sizes ------------------------------------------------------------------------------------------------


def test_sizes_of_the_manuals_second_example():
    # 448 records a sector, 1344 in three (6.3.8, note): records of 146 octets, 67 registers.
    settings = DataLogSettings(addresses=(0x4000,) * 67, sectors=3, interval_minutes=1)
    assert (settings.record_bytes, settings.sector_records, settings.max_records) == (146, 448, 1344)


def test_largest_and_smallest_record():
    assert DataLogSettings(addresses=(0x4000,) * 117).record_bytes == 246
    assert DataLogSettings(addresses=(0x4000,), sectors=100).max_records == 468_100


@pytest.mark.parametrize(
    ("address", "loggable"),
    [(0x3FFF, 0), (0x4000, 1), (0x412B, 1), (0x412C, 0), (0x4294, 1), (0x42A8, 1), (0x42A9, 0), (0x4349, 1),
     (0x4398, 1), (0x4399, 0), (0x44FF, 0), (0x461B, 1), (0x461C, 0), (0x4620, 1), (0x463D, 1), (0x463E, 0)],
)  # fmt: skip
def test_loggable_ranges(address, loggable):
    assert is_loggable(address) == bool(loggable)


# -- what is refused, and register lists in error -------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words"), [(0x1100, [118 << 8 | 1]), (0x1100, [0x0165]), (0x1101, [1441]), (0x11B2, [3])]
)
def test_out_of_range(address, words):
    assert Site().set(address, words) is Refusal.ILLEGAL_VALUE


def test_the_logs_share_a_hundred_sectors():
    site = Site()
    assert site.set(0x1100, [0x0132]) is None
    assert site.set(0x11C0, [0x0133]) is Refusal.ILLEGAL_VALUE
    assert site.set(0x11C0, [0x0132]) is None
    assert site.set(0x1280, [0x0101]) is Refusal.ILLEGAL_VALUE


def test_one_write_stays_in_one_log():
    site = Site()
    assert site.set(0x11B9, [0] * 7 + [0x0101]) is Refusal.ILLEGAL_ADDRESS
    assert site.set(0x1180, [0] * 64) is None


@pytest.mark.parametrize(
    ("wrong", "status"), [((1,), 0xC1), ((2,), 0xC2), ((3,), 0xC4), ((2, 3), 0xC6), ((1, 2, 3), 0xC7)]
)
def test_register_lists_in_error(wrong, status):
    site = Site()
    for log in (1, 2, 3):
        base = 0x1100 + 0xC0 * (log - 1)
        address = 0x3000 if log in wrong else 0x4000
        site.set_up((base + 2, [address]), (base, [0x0101]), (base + 1, [1]))
    assert site.read(0x6001, 1)[0] & 0xFF == status
    site.run(3 * MINUTE)
    for log in (1, 2, 3):
        site.write(0x6000, [log - 1, 0x0100, 0, 0])
        assert site.read(0x6001, 1)[0] & 0xFF == (status if log in wrong else 0x0B)
    assert [len(site.retrieve(log)) for log in (1, 2, 3)] == [0 if log in wrong else 3 for log in (1, 2, 3)]


# -- the states of the window ---------------------------------------------------------------------------


def test_states_of_the_window():
    site = Site()
    assert site.read(0x6001, 1) == [0xFF]
    site.set_up()
    assert site.read(0x6001, 1) == [0xBB]  # erased, as the settings changed
    site.write(0x6001, [0x0A0B, 0, 0])
    assert site.read(0x6001, 1) == [0x0AFF]  # no record yet
    site.run(MINUTE)
    assert site.read(0x6001, 1) == [0x0A0B]
    site.write(0x6002, [0, 1])
    assert site.read(0x6000, 4) == [0, 0x0AFF, 0, 1]
    site.write(0x6001, [0x0B0B, 0, 0])  # eleven records of 24 octets are more than 246
    assert site.read(0x6001, 1) == [0x0BFF]
    site.set(0x1101, [2])
    assert site.read(0x6001, 1) == [0x0BBB]


def test_used_records_read_one_after_a_reset():
    site = Site()
    assert site.status()[:3] == (0, 0, 0)
    site.set_up()
    assert site.status() == (27300, 1, 24, (0,) * 6, (0,) * 6)
    site.run(MINUTE)
    assert site.status()[1] == 1
    site.run(MINUTE)
    assert site.status()[1] == 2


@pytest.mark.parametrize(("words", "log"), [([0], 0), ([1], 1), ([2], 2), ([0x100], 1), ([0x200], 2)])
def test_log_type_in_either_byte(words, log):
    site = Site()
    site.write(0x6000, words)
    assert site.read(0x6000, 1) == words
    assert site.cursor.log == log


@pytest.mark.parametrize("words", [[3], [0x300], [0x101], [0, 0x1200]])
def test_header_out_of_range(words):
    with pytest.raises(ValueError, match="600"):
        Site().write(0x6000, words)


def test_only_the_header_is_written():
    site = Site()
    for address, count in ((0x6003, 2), (0x6004, 1), (0x6100, 1), (0x6000, 5)):
        assert site.window.write(site.cursor, address, [0] * count) is None


# -- full logs -----------------------------------------------------------------------------------------
