"""Days of 23, 25 and 24 hours, lived headless and live: clocks, load profiles, demands and energies."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import Command
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

S = 10**9
QUARTER = 900 * S
DAYS = {
    "spring": ("Europe/Berlin", "2026-03-29", 92),
    "autumn": ("Europe/Berlin", "2026-10-25", 100),
    "spring at a half hour": ("Australia/Adelaide", "2026-10-04", 92),
    "autumn at a half hour": ("Australia/Adelaide", "2026-04-05", 100),
    "leap day": ("Asia/Kolkata", "2028-02-29", 96),
}
"""Zone, local day, quarter-hours that it has; the clocks of Berlin and Adelaide change by an hour."""
HOUR_OF_CHANGE = 2  # skipped in spring and doubled in autumn, in both zones
FIELDS = ("year", "month", "day", "hour", "minute", "second")


def scenario_of(folder, zone, day, quarters):
    """A day from midnight to midnight; an hour and a half of it, around the change, without a house."""
    text = SCENARIO.split("events:", maxsplit=1)[0]
    text = text.replace("2026-01-15 18:00", f"{day} 00:00").replace("Europe/London", zone)
    text = text.replace("10 min", f"{quarters * 15} min").replace(
        "ct: 100:5", "ct: 100:5\n    accuracy: ideal"
    )
    text += 'events:\n  - {event: switch, at: "01:40", switch: SW2, to: open}\n'
    text += '  - {event: switch, at: "03:10", switch: SW2, to: closed}\n'
    folder.mkdir(exist_ok=True)
    return load_scenario(write_site(folder, scenario=text))


def local(ns, zone):
    return datetime.fromtimestamp(ns // S, UTC).astimezone(ZoneInfo(zone))


def clock_of(words_at, points):
    """Return what the clock registers of an image say."""
    address = {point.name: point.address for point in points}
    shown = {name: words_at(address[name]) for name in (*FIELDS, "week")}
    return datetime(*(shown[name] for name in FIELDS)), shown["week"]


def check_clock(shown, ns, zone):
    wall = local(ns, zone).replace(tzinfo=None)
    assert shown == (wall, wall.isoweekday() % 7)


def reader(fleet, meter):
    words, places = fleet.words(meter), {}
    for block in fleet.blocks(meter):
        places |= {block.address + at: len(places) + at for at in range(block.count)}
    return lambda address: int(words[places[address]])


@pytest.mark.parametrize("name", DAYS)
def test_a_day_headless(tmp_path, name):
    zone, day, quarters = DAYS[name]
    loaded = scenario_of(tmp_path, zone, day, quarters)
    start, end = loaded.start_ns, loaded.end_ns
    assert end - start == quarters * QUARTER
    assert [local(ns, zone).strftime("%H:%M:%S") for ns in (start, end)] == ["00:00:00"] * 2
    assert local(end, zone).date() - local(start, zone).date() == timedelta(days=1)
    demands = []
    with build_site(loaded) as site:
        site.begin()
        site.record_to(tmp_path / "recording", overwrite=False)
        engine, fleet = site.engine, site.engine.fleet
        for at in range(start + QUARTER, end + 1, QUARTER):
            engine.advance_to(at)
            check_clock(clock_of(reader(fleet, 0), fleet.points(0)), at, zone)
            demands.append(fleet.decode(0, fleet.words(0))["p_demand"])
        counted = [fleet.energies(meter)["ep_imp"] for meter in (0, 1)]
    recording = Recording.open(tmp_path / "recording")
    for meter, total in zip(("head", "home"), counted, strict=True):
        profile = recording.load_profile(meter)
        assert profile.end_ns.tolist() == list(range(start + QUARTER, end + 1, QUARTER))
        assert profile.duration_s.tolist() == [900.0] * quarters
        assert profile.values["p_imp_wh"].sum() == pytest.approx(total, rel=1e-12)
    check_hours(recording.load_profile("head").end_ns - QUARTER, zone, quarters)
    # A window of 15 minutes that ends at a quarter-hour holds what its interval does.
    means = recording.load_profile("head").values["p_imp_wh"] * 4.0
    assert demands[1:] == pytest.approx(means[1:].tolist(), rel=1e-6)
    check_switching(recording, zone, quarters)


def check_hours(starts, zone, quarters):
    """Every local hour has four quarter-hours; the one of the change has none or eight."""
    hours = np.bincount([local(int(ns), zone).hour for ns in starts], minlength=24)
    expected = np.full(24, 4)
    expected[HOUR_OF_CHANGE] += quarters - 96
    assert hours.tolist() == expected.tolist()


def check_switching(recording, zone, quarters):
    """What the scenario gives as local times happens then, and the house is away in between."""
    opened, closed = [entry.time_ns for entry in recording.truth() if entry.kind == "switch_operated"]
    assert [local(ns, zone).strftime("%H:%M") for ns in (opened, closed)] == ["01:40", "03:10"]
    away_s = (closed - opened) / S
    assert away_s == 5400 + (quarters - 96) * 900
    home = recording.load_profile("home")
    dark = home.values["p_imp_wh"] < 1e-6
    assert dark.sum() == away_s // 900 - 1  # of 01:40 to 03:10, 01:45 to 03:00
    whole = home.values["p_imp_wh"][-1] / 900.0
    assert home.values["p_imp_wh"].sum() == pytest.approx(
        whole * (quarters * 900 - away_s), rel=1e-4
    )  # poles part within a cycle


@pytest.mark.parametrize("name", ["spring", "autumn", "autumn at a half hour", "leap day"])
def test_the_same_day_live(tmp_path, name):
    zone, day, quarters = DAYS[name]
    headless = scenario_of(tmp_path / "headless", zone, day, quarters)
    loaded = scenario_of(tmp_path / "live", zone, day, quarters)
    with build_site(headless) as site:
        site.begin()
        site.record_to(tmp_path / "headless" / "recording", overwrite=False)
        site.engine.advance_to(headless.start_ns + 5 * 3600 * S)
    site = build_site(loaded)
    session = site.live(speed=1.0)
    session.open()
    site.record_to(tmp_path / "live" / "recording", overwrite=False)
    paused = session.submit(Command("test", "clock", "pause"))
    session.start()
    paused_ns = paused.result(timeout=30).applied_ns
    assert paused_ns < loaded.start_ns + 60 * S
    meter, reached = session.meters[0], [paused_ns]
    for at in range(-(-paused_ns // QUARTER) * QUARTER, loaded.start_ns + 5 * 3600 * S + 1, QUARTER):
        if at > reached[-1]:
            seconds = (at - reached[-1]) / S
            answer = session.submit(Command("test", "clock", "step", {"seconds": seconds})).result(timeout=60)
            reached.append(answer.applied_ns)
            published_ns, _ = meter.snapshot()
            assert (answer.applied_ns, published_ns) == (at, at)
            shown = clock_of(lambda address: int(meter.image.read(address, 1)[0]), meter.points)
            check_clock(shown, at, zone)
    session.stop()
    site.close()
    assert session.failure is None
    assert all(one < two for one, two in pairwise(reached))
    lived, ran = (Recording.open(tmp_path / folder / "recording") for folder in ("live", "headless"))
    for name_of in ("head", "home"):
        one, two = lived.load_profile(name_of), ran.load_profile(name_of)
        until = min(len(one.end_ns), len(two.end_ns))
        assert until >= 19
        assert one.end_ns[:until].tolist() == two.end_ns[:until].tolist()
        for channel, values in one.values.items():
            np.testing.assert_array_equal(values[:until], two.values[channel][:until])
