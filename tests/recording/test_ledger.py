"""The ledger as an answer key, on a story that is written down by hand."""

import json
from dataclasses import replace

import pytest

from tests.recording import records
from twin.cli import main
from twin.contracts import AlarmRecord, EventRecord, MeterInfo, TerminalRecord, TruthEntry
from twin.recording import Recording, RecordingWriter
from twin.recording.ledger import Ledger

MS = 1_000_000
T0 = records.START_NS + records.HOUR_NS
HEALTHY, LOW, DEAD = (230.0, 231.0, 232.0), (100.0, 240.0, 241.0), (0.0, 0.0, 0.0)


def truth(ms, kind, element, cause="scenario", **detail):
    return TruthEntry(T0 + round(ms * MS), kind, element, cause, detail)


def terminal(ms, meter, v, i=(10.0, 10.0, 10.0)):
    return TerminalRecord(meter, T0 + round(ms * MS), v, i)


def sag(meter, number, start_ms, low):
    start = T0 + start_ms * MS
    return EventRecord(meter, number, "sag", "a", start, start + 30 * MS, start + 60 * MS, low, 207.0, 230.0)


def undervoltage(ms, meter, *, channel=1, parameter="v1"):
    return AlarmRecord(meter, channel, parameter, "active", T0 + ms * MS, 100.0, 207.0, "<")


STORY = [
    truth(-5000, "load_switched", "KETTLE"),
    truth(-4000, "fault_applied", "old", bus="B"),
    truth(-3900, "fault_cleared", "old", "repair"),
    terminal(-3900, "head", HEALTHY),
    terminal(-3900, "feeder", HEALTHY),
    truth(0, "fault_applied", "digger", bus="B", resistance_ohm=0.25),
    truth(0, "protection_pickup", "REC", "recloser"),
    terminal(0, "head", LOW, (900.0, 10.0, 10.0)),
    truth(27, "recloser_tripped", "REC", "recloser", shot=1),
    truth(57, "switch_operated", "REC", "recloser", closed=False),
    terminal(60, "head", HEALTHY, (1.0, 1.0, 1.0)),
    terminal(60, "feeder", DEAD, DEAD),
    truth(300, "fault_cleared", "digger", "deionised"),
    truth(560, "switch_operated", "REC", "recloser", closed=True),
    terminal(560, "feeder", HEALTHY),
    truth(60_000, "switch_operated", "Q1", "operator", closed=False),
    terminal(60_000, "feeder", DEAD, DEAD),
    truth(120_000, "load_switched", "KETTLE"),
]


@pytest.fixture
def place(tmp_path):
    recorded = [
        sag("head", 1, 10, 101.0),
        sag("feeder", 1, 70, 0.0),
        undervoltage(1000, "feeder"),
        undervoltage(90_000, "feeder", channel=2),
        undervoltage(121_000, "head", parameter="thd_v1"),
    ]
    with RecordingWriter.create(tmp_path / "r", scenario={}, meters=records.METERS) as writer:
        writer.append([*STORY, *recorded])
    return tmp_path / "r"


@pytest.fixture
def ledger(place):
    return Ledger(Recording.open(place))


def told(links):
    return [((link.time_ns - T0) // MS, link.stage, link.text.split(" by ")[0]) for link in links]


def event(ledger, meter):
    return next(one for one in ledger.records(meter) if isinstance(one, EventRecord))


def alarm(ledger, meter, channel):
    found = [one for one in ledger.records(meter) if isinstance(one, AlarmRecord)]
    return next(one for one in found if one.channel == channel)


def test_a_sag_is_the_fault_s(ledger):
    assert told(ledger.of_event(event(ledger, "head"))) == [
        (0, "truth", "fault applied: digger"),
        (0, "terminals", "at head: 100.0, 240.0, 241.0 V to earth; 900.0, 10.0, 10.0 A"),
        (40, "event", "head records sag 1 on a, 43.9 %"),
    ]


def test_an_outage_behind_the_recloser_goes_back_to_the_fault_that_it_fights(ledger):
    assert told(ledger.of_event(event(ledger, "feeder"))) == [
        (0, "truth", "fault applied: digger"),
        (27, "truth", "recloser tripped: REC"),
        (57, "truth", "switch operated: REC"),
        (60, "terminals", "at feeder: 0.0, 0.0, 0.0 V to earth; 0.0, 0.0, 0.0 A"),
        (100, "event", "feeder records sag 1 on a, 0.0 %"),
    ]


def test_an_alarm_s_delay_does_not_hide_its_cause(ledger):
    chain = told(ledger.of_alarm(alarm(ledger, "feeder", 2)))
    assert chain == [
        (60_000, "truth", "switch operated: Q1"),
        (60_000, "terminals", "at feeder: 0.0, 0.0, 0.0 V to earth; 0.0, 0.0, 0.0 A"),
        (90_000, "meter_alarm", "feeder's own alarm 2: v1 < 207, reads 100"),
    ]


def test_what_only_loads_did_says_so(ledger):
    chain = told(ledger.of_alarm(alarm(ledger, "head", 1)))
    assert [stage for _, stage, _ in chain] == ["truth", "meter_alarm"]
    assert "loads alone" in chain[0][2]


def test_each_disturbance_tells_who_could_and_who_did_know(ledger):
    old, digger, opened = ledger.disturbances()
    assert [one.kind for one in old.entries] == ["fault_applied", "fault_cleared"]
    assert [one.kind for one in digger.entries] == [
        *("fault_applied", "recloser_tripped", "switch_operated", "fault_cleared", "switch_operated")
    ]
    assert digger.lowest_v == {"head": 100.0, "feeder": 0.0}
    assert digger.highest_i == {"head": 900.0, "feeder": 10.0}
    assert [(one.meter, one.number) for one in digger.events] == [("head", 1), ("feeder", 1)]
    assert [(one.meter, one.channel) for one in digger.alarms] == [("feeder", 1)]
    assert (opened.root.element, opened.lowest_v, opened.events) == ("Q1", {"feeder": 0.0}, [])
    assert [one.channel for one in opened.alarms] == [2]


def test_a_meter_s_own_affair_concerns_no_other(tmp_path):
    meters = (*records.METERS, MeterInfo("third", "kw320", "x", 230.0, 5.0))
    own = truth(-100, "meter_lost_supply", "third", "rule")
    low = replace(sag("head", 1, 10, 101.0), start_ns=T0 - 50 * MS)
    with RecordingWriter.create(tmp_path / "r", scenario={}, meters=meters) as writer:
        writer.append([own, low, replace(low, meter="third")])
    ledger = Ledger(Recording.open(tmp_path / "r"))
    assert "loads alone" in ledger.of_event(event(ledger, "head"))[0].text
    assert "meter lost supply" in ledger.of_event(event(ledger, "third"))[0].text
    assert ledger.disturbances() == []


def test_the_command_prints_all_of_it(place, capsys):
    assert main(["recording", "ledger", str(place), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [one["element"] for one in content["disturbances"]] == ["old", "digger", "Q1"]
    assert content["disturbances"][1]["meters"][0] == {
        "meter": "head",
        "lowest_v_volt": 100.0,
        "highest_i_ampere": 900.0,
        "events": [1],
        "alarms": [],
    }
    assert content["disturbances"][0]["meters"][1]["lowest_v_volt"] == 230.0
    assert content["disturbances"][2]["meters"][0]["lowest_v_volt"] is None
    assert [(one["meter"], one["record"]) for one in content["chains"]] == [
        *(("head", "sag 1"), ("feeder", "sag 1")),
        *(("feeder", "alarm 1"), ("feeder", "alarm 2"), ("head", "alarm 1")),
    ]
    assert main(["recording", "ledger", str(place), "--meter", "feeder"]) == 0
    text = capsys.readouterr().out
    assert "\n  01:00:00.060 terminals    at feeder: 0.0" in text
    assert "head" not in text
    assert main(["recording", "ledger", str(place), "--meter", "nobody"]) == 2


def test_what_lasts_at_a_meter_is_told_by_its_name(tmp_path):
    story = [
        truth(0, "communication_fault", "head", name="lost line", fault="refuse", over="any"),
        truth(0, "communication_fault", "feeder", name="lost line", fault="refuse", over="any"),
        truth(100, "measurement_fault_began", "head", name="head frozen", what="frozen"),
        truth(5000, "communication_fault_cleared", "head", name="lost line", fault="refuse", over="any"),
        truth(20_000, "power_lost", "head", "scenario"),
    ]
    with RecordingWriter.create(tmp_path / "r", scenario={}, meters=records.METERS) as writer:
        writer.append(story)
    ledger = Ledger(Recording.open(tmp_path / "r"))
    both = ("measurement fault head frozen of head", "communication fault lost line of head")
    assert ledger.lasting("head", T0 + 1000 * MS) == both
    assert ledger.lasting("head", T0 + 7000 * MS) == both, "a reading that was late is still of that time"
    assert ledger.lasting("head", T0 + 9000 * MS) == both[:1]
    assert ledger.lasting("head", T0 + 30_000 * MS) == (*both[:1], "power lost of head")
    assert ledger.lasting("feeder", T0 + 30_000 * MS) == ("communication fault lost line of feeder",)
