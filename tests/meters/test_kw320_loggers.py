"""Data loggers of the web module: hand-worked intervals, definitions, the zone's days, and what they cost."""

import numpy as np
import pytest

from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, START, VOLTS, rms, scaled, segment
from twin.contracts import IntervalBlock
from twin.meters import MeterConfig, build_fleet, check_config
from twin.meters.kw320.logger_config import LoggerConfig

MINUTE = 60 * SECOND
ALL = ("instantaneous", "minimum", "maximum", "average")
SHAPE = {"pt1": 20_000, "pt2": 100, "ct1": 200, "ct2": 5, "accuracy": "ideal"}


def config(*loggers, name="head", **options):
    return MeterConfig(name=name, loggers=loggers, **SHAPE, **options)


def lived(configs, *pieces, step=None):
    """Live through (factor of all volts and amperes, seconds); return what loggers kept."""
    fleet = build_fleet(configs, start_ns=START)
    records, now = [], START
    for factor, seconds in pieces:
        channels = [c for _ in configs for c in (*scaled(VOLTS, factor), *scaled(AMPERES, factor))]
        feed, end = segment(channels, [], start_ns=now), now + seconds * SECOND
        while now < end:
            now = min(end, now + (step or seconds) * SECOND)
            records += fleet.advance(feed, now)
    return [record for record in records if is_logged(record)]


def is_logged(record):
    return isinstance(record, IntervalBlock) and record.channels[0].startswith("logger")


def test_intervals_of_a_step_by_hand():
    """Full voltage, then half: the third minute has the step at its 30th second."""
    logger = LoggerConfig(quantities=("v1", "i1"), values=ALL, interval=60)
    kept = lived([config(logger)], (1.0, 150), (0.5, 150))
    volts, amperes = rms(VOLTS[0]), rms(AMPERES[0])
    assert [(block.end_ns - START) // MINUTE for block in kept] == [1, 2, 3, 4, 5]
    assert kept[0].channels == (
        *("logger1_v1", "logger1_v1_min", "logger1_v1_max", "logger1_v1_avg"),
        *("logger1_i1", "logger1_i1_min", "logger1_i1_max", "logger1_i1_avg"),
    )
    assert all(block.duration_s.tolist() == [60.0] for block in kept)
    for block, expected in zip(
        kept, ([1, 1, 1, 1],) * 2 + ([0.5, 0.5, 1, 0.75],) + ([0.5] * 4,) * 2, strict=True
    ):
        assert block.values[0, :4] == pytest.approx(volts * np.array(expected), rel=1e-9)
        assert block.values[0, 4:] == pytest.approx(amperes * np.array(expected), rel=1e-9)


def test_energies_are_what_the_registers_show():
    logger = LoggerConfig(quantities=("ep_imp", "es", "p_sum"), values=ALL, interval=15)
    kept = lived([config(logger)], (1.0, 60))
    assert kept[0].channels == (
        "logger1_ep_imp", "logger1_es", "logger1_p_sum", "logger1_p_sum_min", "logger1_p_sum_max",
        "logger1_p_sum_avg",
    )  # fmt: skip
    # Wh after 15, 30, 45, 60 s; phase c exports.
    first = kept[0].values[0, 0]
    assert [block.values[0, 0] for block in kept] == pytest.approx([first, 2 * first, 3 * first, 4 * first])
    assert kept[3].values[0, 2] == pytest.approx(kept[3].values[0, 5])


def test_three_loggers_keep_their_own_intervals():
    loggers = [LoggerConfig(quantities=("v1",), interval=every) for every in (1, 15, 3600)]
    kept = lived([config(*loggers)], (1.0, 3600))
    counts = {number: sum(b.channels == (f"logger{number}_v1",) for b in kept) for number in (1, 2, 3)}
    assert counts == {1: 3600, 2: 240, 3: 1}


def test_meters_that_log_alike_share_a_block():
    logger = LoggerConfig(quantities=("v1",), interval=60)
    other = LoggerConfig(quantities=("v2",), interval=60)
    kept = lived([config(logger, name="a"), config(other, name="b"), config(logger, name="c")], (1.0, 60))
    assert [block.meters for block in kept] == [("a", "c"), ("b",)]
    assert kept[0].values[:, 0] == pytest.approx([rms(VOLTS[0])] * 2)
    assert kept[1].values[:, 0] == pytest.approx([rms(VOLTS[1])])


def test_first_interval_is_as_long_as_it_is():
    logger = LoggerConfig(quantities=("v1",), interval=900)
    fleet = build_fleet([config(logger)], start_ns=START + 5 * MINUTE)
    feed = segment(VOLTS, AMPERES, start_ns=START + 5 * MINUTE)
    kept = [record for record in fleet.advance(feed, START + 30 * MINUTE) if is_logged(record)]
    assert [block.duration_s.tolist() for block in kept] == [[600.0], [900.0]]


@pytest.mark.parametrize("fidelity", ["closed_form", "sampled"])
def test_what_is_kept_does_not_depend_on_how_time_is_cut(fidelity):
    loggers = (
        LoggerConfig(quantities=("v1", "p_sum", "ep_imp"), values=ALL, interval=15),
        LoggerConfig(quantities=("thd_v1", "p_demand"), values=ALL, interval=60),
    )
    meters = [config(*loggers, fidelity=fidelity)]
    pieces = ((1.0, 20), (0.9, 15)) if fidelity == "sampled" else ((1.0, 400), (0.9, 250), (1.0, 3000))
    one, other = lived(meters, *pieces), lived(meters, *pieces, step=7)
    assert [(block.end_ns, block.channels) for block in one] == [(b.end_ns, b.channels) for b in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.values.tobytes() == theirs.values.tobytes()


def test_loggers_leave_the_load_profile_as_it_is():
    """Whole minutes to the bit; seconds may round another way where sums are cut."""

    def profile(*loggers):
        fleet = build_fleet([config(*loggers)], start_ns=START)
        feed = segment(VOLTS, AMPERES, start_ns=START)
        return [
            record
            for record in fleet.advance(feed, START + 30 * MINUTE)
            if isinstance(record, IntervalBlock) and not is_logged(record)
        ]

    alone = profile()
    minutes = profile(LoggerConfig(quantities=("v1",), interval=60))
    seconds = profile(LoggerConfig(quantities=("v1",), interval=1))
    assert len(alone) == 2
    for one, two, three in zip(alone, minutes, seconds, strict=True):
        assert one.values.tobytes() == two.values.tobytes()
        assert one.values == pytest.approx(three.values, rel=1e-12, nan_ok=True)


def test_days_and_months_are_those_of_the_zone():
    """Paris: a day of 23 hours at the end of March, months of 31 and 30 days less and plus an hour."""
    march = 1_772_319_600 * SECOND  # 2026-03-01 00:00 in Paris
    day = LoggerConfig(quantities=("v1",), interval=86_400)
    month = LoggerConfig(quantities=("v1",), interval="month")
    meter = MeterConfig(name="head", loggers=(day, month), time_zone="Europe/Paris", **SHAPE)
    fleet = build_fleet([meter], start_ns=march)
    feed = segment(VOLTS, AMPERES, start_ns=march)
    kept = [r for r in fleet.advance(feed, march + 62 * 86_400 * SECOND) if is_logged(r)]
    hours = [block.duration_s[0] / 3600 for block in kept if block.channels == ("logger1_v1",)]
    assert hours == [24.0] * 28 + [23.0] + [24.0] * 33
    months = [block.duration_s[0] / 3600 for block in kept if block.channels == ("logger2_v1",)]
    assert months == [31 * 24 - 1, 30 * 24]


@pytest.mark.parametrize(
    ("logger", "told"),
    [
        ({"quantities": ("v1",), "interval": 7}, "divides no day"),
        ({"quantities": ("v1",), "interval": 90_000}, "divides no day"),
        ({"quantities": ("v9",)}, "'v9' cannot be logged"),
        ({"quantities": ("v1", "v1")}, "stand twice"),
        ({"quantities": ("ep_imp",), "interval": 10}, "too short for energy"),
        ({"quantities": ("p_demand",), "interval": 30}, "too short for demand"),
        ({"quantities": ("thd_v1",), "interval": 30}, "too short for power quality"),
        ({"quantities": ("ep_imp",), "values": ("average",)}, "nothing is left to log"),
    ],
)
def test_what_cannot_be_logged_is_told(logger, told):
    problems = check_config(config(LoggerConfig(**logger)))
    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].startswith("loggers[0].")


def test_a_meter_has_three_loggers():
    four = [LoggerConfig(quantities=("v1",))] * 4
    assert any("4 are too many" in problem for problem in check_config(config(*four)))
    assert PT * CT == 8000
