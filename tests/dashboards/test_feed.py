"""What a page is sent: only what changed, the same for every browser, and little of it."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards import diagram
from dashboards.feed import METER_COLUMNS, ChangeLog, Feed, meter_row
from dashboards.history import EVENT_COLUMNS, History
from dashboards.placement import HEIGHT, WIDTH, Direction, Placement, direction_of
from tests.dashboards.synthetic import (
    DIAGRAM,
    START_NS,
    ZONE,
    SyntheticSite,
    alarm,
    meter_line,
    write_recording,
)
from twin.contracts import NS_PER_SECOND, AlarmLine, BranchLine, BusLine, Diagram, EventRecord, SoeRecord


@settings(max_examples=60)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 2)), min_size=1, max_size=8), st.data()
)
def test_deltas_from_any_frame_lead_to_the_newest(frames, data):
    log = ChangeLog()
    states = [{}]
    for sequence, frame in enumerate(frames, start=1):
        log.update(sequence, [[key, value] for key, value in frame.items()])
        states.append(frame)
    seen = data.draw(st.integers(0, len(frames)))
    state = dict(states[seen])
    for key in log.removed_since(seen):
        state.pop(key, None)
    state.update({row[0]: row[1] for row in log.since(seen)})
    assert state == frames[-1]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "none")


def test_nothing_new_is_no_answer(history):
    site = SyntheticSite()
    feed = Feed(site, history)
    first = feed.delta("overview", -1)
    assert [row[0] for row in first["meters"]] == ["head", "shop", "farm"]
    assert feed.delta("overview", first["sequence"]) is None


def test_only_changed_rows_are_sent_and_shared(history):
    site = SyntheticSite()
    feed = Feed(site, history)
    seen = feed.delta("overview", -1)["sequence"]
    old = site.latest()
    shop = replace(old.meters[1], p=old.meters[1].p * 1.5)
    site.change(meters=(old.meters[0], shop, old.meters[2]))
    delta = feed.delta("overview", seen)
    assert [row[0] for row in delta["meters"]] == ["shop"]
    assert delta["switches"] == []
    assert feed.delta("overview", seen) is delta
    # A digit that nobody sees is no change.
    site.change(meters=(old.meters[0], replace(shop, p=shop.p * (1 + 1e-9)), old.meters[2]))
    assert feed.delta("overview", delta["sequence"])["meters"] == []


def test_a_page_from_before_a_restart_is_sent_everything(history):
    feed = Feed(SyntheticSite(), history)
    assert len(feed.delta("overview", 10_000)["meters"]) == 3


def test_before_the_first_frame_there_is_no_answer(history):
    site = SyntheticSite()
    site._frame = None
    assert Feed(site, history).delta("overview", -1) is None


def test_what_does_not_exist_is_null(history):
    line = replace(meter_line("m", "b", 230.0, 100.0, load=0.0, energy_kwh=1.0), frequency=float("nan"))
    row = dict(zip(METER_COLUMNS, meter_row(line), strict=True))
    assert row["pf"] is None
    assert row["f"] is None
    assert row["thd_i"] == 12.4  # the third phase has none


def test_fifty_meters_all_changing_stay_under_the_budget(history):
    site = SyntheticSite()
    feed = Feed(site, history)
    seen = feed.delta("overview", -1)["sequence"]
    meters = [
        meter_line(f"customer-{k}", "b", 230.0, 100.0, load=0.3 + k / 97, energy_kwh=k * 123.4)
        for k in range(50)
    ]
    site.change(meters=tuple(meters))
    delta = feed.delta("overview", seen)
    assert len(delta["meters"]) == 50
    assert len(orjson.dumps(delta)) < 10_000


def test_inputs_are_shown_as_transitions(history):
    change = SoeRecord("shop", "io11", START_NS + 7_000_000, "di3", on=True, status=0b100)
    site = SyntheticSite()
    feed = Feed(site, history)
    seen = feed.delta("alarms", -1)["sequence"]
    on_input = AlarmLine("shop", 2, "di3", ">", 1.0, 0.0, active=True, since_ns=START_NS, returned_ns=None)
    site.change(soe=(change,), alarms=(on_input,))
    delta = feed.delta("alarms", seen)
    assert delta["soe"] == [
        [f"shop/di3/{change.time_ns}", "shop", "io11", "di3", "on", "2026-10-21 09:30:00.007"]
    ]
    assert delta["alarms"][0][5:9] == ["di3", "goes on", None, None]
    site.change(soe=())
    assert feed.delta("alarms", delta["sequence"])["soe_removed"] == [f"shop/di3/{change.time_ns}"]


def test_alarms_come_and_return(history):
    site = SyntheticSite()
    feed = Feed(site, history)
    seen = feed.delta("alarms", -1)["sequence"]
    active = alarm("shop", 1, "i1", 3, value=260.0, setpoint=250.0)
    site.change(alarms=(active,))
    first = feed.delta("alarms", seen)
    assert first["alarms"][0][1:7] == ["H", "active", "shop", 1, "i1", ">"]
    assert first["banner"]["counts"] == {"H": 1, "M": 0, "L": 0}
    site.change(alarms=(replace(active, active=False, returned_ns=START_NS + 9 * NS_PER_SECOND),))
    second = feed.delta("alarms", first["sequence"])
    assert second["alarms"][0][2] == "returned"
    assert second["alarms"][0][0] == first["alarms"][0][0]
    assert second["alarms"][0][-1] == "2026-10-21 09:30:09.000"
    site.change(alarms=())
    assert feed.delta("alarms", second["sequence"])["removed"] == [first["alarms"][0][0]]


def test_history_waits_for_its_recording(tmp_path):
    history = History(tmp_path / "rec")
    assert history.meters() == []
    assert history.event_rows(ZONE, START_NS) == []
    with write_recording(tmp_path / "rec", days=1):
        assert [meter.name for meter in history.meters()] == ["head", "shop", "farm"]
        rows = [dict(zip(EVENT_COLUMNS, row, strict=True)) for row in history.event_rows(ZONE, START_NS)]
        assert [(row["key"], row["residual"], row["region"]) for row in rows] == [
            ("farm#2", 140.0, ""),
            ("shop#2", 30.0, "inside"),
            ("head#1", 126.0, "over"),
            ("farm#1", 72.0, "under"),
            ("shop#1", 55.0, "under"),
        ]
        assert rows[1]["duration"] == "15.0 ms"
        event = history.event("shop", 1)
        assert history.nearest_capture("shop", event.trigger_ns).number == 1
        assert history.nearest_capture("shop", event.trigger_ns + 10**13).number == 2
        assert history.nearest_capture("head", event.trigger_ns) is None
        assert history.capture("head", 7) is None


def test_an_event_that_lasts_has_no_region(tmp_path):
    with write_recording(tmp_path / "rec", days=1) as writer:
        start = START_NS - NS_PER_SECOND
        writer.append([EventRecord("head", 9, "sag", "abc", start, start, None, 10.0, 200.0, 230.0)])
        writer.flush()
        row = dict(zip(EVENT_COLUMNS, History(tmp_path / "rec").event_rows(ZONE, START_NS)[0], strict=True))
    assert (row["duration"], row["duration_s"], row["region"], row["state"]) == ("lasts", None, "", "active")


def test_diagram_shows_all_and_escapes_names():
    site = SyntheticSite()
    frame = site.latest()
    odd = replace(frame.meters[0], name='<script>"&', location="<b>")
    svg = diagram.render(DIAGRAM, frame.switches, (odd, *frame.meters[1:]))
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert (
        svg.count('class="branch"') == len(DIAGRAM.branches) + 1
    )  # the capacitor hangs on a line of its own
    assert svg.count("data-meter=") == 3
    assert 'class="switch closed"' in svg
    assert 'class="switch open"' in svg


def test_direction_of_diagrams():
    assert direction_of(DIAGRAM) is Direction.ACROSS
    tree = Diagram(
        tuple(
            BusLine(name, x, y, "bus") for name, x, y in (("a", 0.5, 0.0), ("b", 0.2, 0.5), ("c", 0.8, 0.5))
        ),
        (BranchLine("ab", "a", "b", "line"), BranchLine("ac", "a", "c", "line")),
    )
    assert direction_of(tree) is Direction.DOWN
    land = Diagram(tuple(BusLine(str(k), (k * 0.37) % 1, (k * 0.61) % 1, "bus") for k in range(20)), ())
    assert direction_of(land) is Direction.MAP


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_labels_never_overlap(points):
    buses = tuple(BusLine(f"b{k}", x, y, "bus") for k, (x, y) in enumerate(points))
    placement = Placement(Diagram(buses, ()))
    boxes = []
    for bus in buses:
        spot = placement.claim(placement.around(bus.name, 59, 18), 59, 18)
        if spot is not None:
            boxes.append((spot[0] - 59, spot[1] - 18, spot[0] + 59, spot[1] + 18))
    for at, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[1] >= 0
        assert a[2] <= WIDTH
        assert a[3] <= HEIGHT
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in boxes[:at])
