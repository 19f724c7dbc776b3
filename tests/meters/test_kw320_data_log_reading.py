"""Reading data logs through their window, against a master that knows the manual alone."""

from tests.meters.data_log_site import MINUTE, SIZE_FRAME, Site
from twin.meters.kw320.data_log_reading import data_log_columns, data_log_status, read_data_log

ADDRESSES = (0x4002, 0x4003, 0x4001, 0x4048, 0x4049, 0x4002)


def test_an_empty_log_has_no_records():
    site = Site()
    assert data_log_status(site.window, 1).most == 0
    site.set_up()
    status = data_log_status(site.window, 1)
    assert (status.most, status.used, status.first, status.last) == (27300, 0, "", "")
    assert read_data_log(site.window, 1, newest=10) == []


def test_the_newest_records_are_those_that_a_master_retrieves():
    site = Site()
    site.set_up()
    site.run(37 * MINUTE)
    expected = site.retrieve()
    for newest in (1, 9, 10, 11, 37, 1000):
        found = read_data_log(site.window, 1, newest=newest)
        assert [one.number for one in found] == [one.number for one in expected[-newest:]]
        assert [one.data.astype(">u2").tobytes() for one in found] == [one.data for one in expected[-newest:]]
    assert [one.stamp for one in found[:2]] == ["2026-01-15T06:01:00", "2026-01-15T06:02:00"]
    status = data_log_status(site.window, 1)
    assert (status.used, status.first, status.last) == (37, "2026-01-15T06:01:00", "2026-01-15T06:37:00")


def test_a_log_that_wraps_gives_what_is_left():
    site = Site()
    site.set_up()
    site.set_up((SIZE_FRAME[0], [0x0601]))  # one sector of 2730 records
    site.run(2800 * MINUTE)
    found = read_data_log(site.window, 1, newest=10_000)
    assert [one.number for one in found] == [one.number for one in site.retrieve()]
    assert found[-1].number == 2800


def test_columns_are_registers_and_lone_words():
    """4001H is the second word of the frequency, the last 4002H the first of v1: each alone."""
    columns = data_log_columns(ADDRESSES, Site().fleet.points(0))
    assert [(column.name, column.at, column.point is None) for column in columns] == [
        ("v1", 0, False),
        ("4001H", 2, True),
        ("ep_imp", 3, False),
        ("4002H", 5, True),
    ]
