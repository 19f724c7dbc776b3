"""Injected events: what the scenario would have done at that time, logged, and lived again from the log."""

from dataclasses import replace

import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import BadInputError, Command, Refusal
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.scenario.live_events import LIVE_EVENTS
from twin.simulation import build_site

S = 10**9
QUIET = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"
PUMP = """
motors: [{name: PUMP, bus: MAIN, power: 4 kW, speed: 1440, inertia: 0.05, running: false, resolution: 10 %}]
"""
FAULT = {
    "event": "fault",
    "name": "F1",
    "bus": "HOME",
    "type": "slg",
    "phases": "a",
    "resistance": "50 mohm",
    "clear_after": "300 ms",
}
FAULTS = {
    "cleared": FAULT,
    "evolving": FAULT
    | {"clear_after": "500 ms", "evolves": [{"after": "100 ms", "type": "llg", "phases": "ab"}]},
    "arcing": FAULT | {"bus": "MAIN", "type": "ll", "phases": "bc", "arc_voltage": "60 V"},
    "striking": {**FAULT, "intermittent": {"interval": "60 ms", "lasts": "300 ms"}} | {"clear_after": "1 s"},
}
AT_NS = 5 * S + 3_000_000


class Lived:
    """A site that is run by hand and keeps what it records."""

    def __init__(self, folder, scenario):
        folder.mkdir()
        self.loaded = load_scenario(write_site(folder, scenario=scenario))
        self.folder = folder / "recording"
        self.site = build_site(self.loaded)
        self.site.begin()
        self.site.record_to(self.folder, overwrite=False)

    def to(self, since_start_ns):
        self.site.engine.advance_to(self.loaded.start_ns + since_start_ns)
        return self

    def inject(self, event):
        return self.site.engine.apply(Command("test", "site", "inject", event))

    def close(self):
        self.site.close()
        return Recording.open(self.folder)


def yaml_of(event):
    """Return an event as the scenario has it, at the time at which tests inject."""
    items = ", ".join(f"{key}: {value}" for key, value in event.items()).replace("'", "")
    return f'events: [{{at: "18:00:05.003", {items}}}]\n'


@pytest.mark.parametrize("kind", FAULTS)
def test_an_injected_fault_is_the_scenarios_own(tmp_path, kind):
    event = FAULTS[kind]
    own = Lived(tmp_path / "own", QUIET + yaml_of(event)).to(8 * S).close()
    live = Lived(tmp_path / "live", QUIET).to(AT_NS)
    assert live.inject(event).refusal is None
    injected = live.to(8 * S).close()
    assert own.events(meter="home")
    assert injected.events() == own.events()
    assert [replace(entry, cause="") for entry in injected.truth()] == [
        replace(entry, cause="") for entry in own.truth()
    ]
    assert [wave.raw.tobytes() for wave in captures(injected)] == [
        wave.raw.tobytes() for wave in captures(own)
    ]


def captures(recording):
    return [recording.waveform(wave.meter, wave.number) for wave in recording.waveforms()]


def test_a_conductor_breaks_falls_and_is_mended_as_in_a_scenario(tmp_path):
    event = {"event": "conductor", "name": "C1", "branch": "CABLE2", "phase": "b", "falls": True}
    own = Lived(tmp_path / "own", QUIET + yaml_of(event | {"falls": "true", "mended_after": "2 s"}))
    own = own.to(9 * S).close()
    live = Lived(tmp_path / "live", QUIET).to(AT_NS)
    assert live.inject(event).refusal is None
    live.to(AT_NS + 2 * S)
    assert live.inject({"event": "repair", "of": "C1"}).refusal is None
    injected = live.to(9 * S).close()
    (sag,) = own.events(meter="home")
    assert (sag.phases, sag.extreme) == ("b", pytest.approx(0.0, abs=1.0))
    assert injected.events() == [
        replace(event, extreme=pytest.approx(event.extreme)) for event in own.events()
    ]
    assert [entry.kind for entry in injected.truth()] == [entry.kind for entry in own.truth()]


def test_a_repair_clears_a_fault_that_lasts(tmp_path):
    live = Lived(tmp_path / "live", QUIET).to(AT_NS)
    lasting = {key: value for key, value in FAULT.items() if key != "clear_after"}
    assert live.inject(lasting).refusal is None
    live.to(AT_NS + S)
    assert live.inject({"event": "repair", "of": "F1"}).refusal is None
    assert live.inject({"event": "repair", "of": "F1"}).refusal is None  # there is nothing left to do
    recording = live.to(8 * S).close()
    (sag,) = [event for event in recording.events(meter="home") if event.type == "sag"]
    assert (sag.end_ns - sag.start_ns) / S == pytest.approx(1.0, abs=0.04)
    assert [entry.cause for entry in recording.truth(kind="fault_cleared")] == ["repair"]


def test_a_motor_starts_when_told_to(tmp_path):
    live = Lived(tmp_path / "live", QUIET + PUMP).to(AT_NS)
    before = live.site.engine.fleet.energies(0)["ep_imp"]
    assert live.inject({"event": "motor", "motor": "PUMP", "to": "on"}).refusal is None
    live.to(AT_NS + 60 * S)
    drawn = live.site.engine.fleet.energies(0)["ep_imp"] - before
    recording = live.close()
    # A minute of 9 kW alone is 150 Wh; the pump at 4 kW and about 90 % adds 70.
    assert drawn > 200
    assert [entry.element for entry in recording.truth(kind="machine_connected")] == ["PUMP"]


def test_a_motor_that_is_told_to_takes_as_long_to_start_as_the_scenarios(tmp_path):
    """Nothing has happened for long: what a command begins begins with it, not with the last event."""
    slow = QUIET + PUMP.replace("inertia: 0.05", "inertia: 2")
    event = 'events: [{event: motor, at: "18:00:25", motor: PUMP, to: "on"}]\n'
    told, planned = Lived(tmp_path / "told", slow), Lived(tmp_path / "planned", slow + event)
    told.to(25 * S).inject({"event": "motor", "motor": "PUMP", "to": "on"})
    for tenths in range(255, 400, 10):
        currents = []
        for live in (told, planned):
            fleet = live.to(tenths * S // 10).site.engine.fleet
            currents.append(fleet.decode(0, fleet.words(0))["i1"])
        assert currents[0] == pytest.approx(currents[1], rel=1e-6)
        if tenths == 265:
            assert currents[0] > 40  # it starts: 6.8 times its 8.5 A beside the load of 13 A
    assert currents[0] < 30
    for live in (told, planned):
        live.close()


REFUSED = {
    "unknown bus": (FAULT | {"bus": "HOMER"}, "bus: there is no bus 'HOMER', did you mean 'HOME'?"),
    "a phase too many": (FAULT | {"phases": "ab"}, "phases: a fault of type slg has 1 phases, not 'ab'"),
    "no unit": (FAULT | {"resistance": 5}, "resistance: 5 has no unit, write it as '5 ohm'"),
    "for ever": (FAULT | {"clear_after": "1e300 s"}, "clear_after: 1e+300 is more than 100 years"),
    "endless stage": (
        FAULT | {"evolves": [{"after": "1e300 s", "type": "llg", "phases": "ab"}]},
        "evolves[0].after: 1e+300 is more than 100 years",
    ),
    "at a time": (FAULT | {"at": "18:05"}, "at: input should be 'now'"),
    "no kind": ({"name": "F1"}, "event: is missing, give one of fault, conductor, repair, motor"),
    "an unknown kind": ({"event": "fire"}, "event: is of no known kind"),
    "an unknown field": (FAULT | {"fase": "a"}, "fase: unknown field, did you mean 'phases'?"),
    "no such line": (
        {"event": "conductor", "name": "C", "branch": "CABLE9", "phase": "a"},
        "branch: there is no line 'CABLE9'",
    ),
    "nothing to repair": ({"event": "repair", "of": "F9"}, "of: there is no fault, conductor or fuse 'F9'"),
    "no such motor": ({"event": "motor", "motor": "X", "to": "on"}, "motor: there is no motor 'X'"),
}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    return Lived(tmp_path_factory.mktemp("refusing") / "live", QUIET).to(AT_NS)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_happen_is_refused_with_its_mend(refusing, case):
    event, text = REFUSED[case]
    answer = refusing.inject(event)
    assert answer.refusal is Refusal.ILLEGAL_VALUE
    assert text in answer.detail
    assert refusing.site.injector.findings(event)


def test_a_name_stands_once(tmp_path):
    live = Lived(tmp_path / "live", QUIET).to(AT_NS)
    assert live.inject(FAULT).refusal is None
    live.to(7 * S)
    assert "there is a 'F1' already" in live.inject(FAULT).detail
    assert live.site.engine.apply(Command("test", "site", "explode")).refusal is Refusal.ILLEGAL_FUNCTION
    commands = live.close().commands()
    assert [(entry.verb, entry.refusal) for entry in commands] == [
        ("inject", None),
        ("inject", "illegal_value"),
        ("explode", "illegal_function"),
    ]


def test_the_command_log_lives_the_same_again(tmp_path):
    live = Lived(tmp_path / "live", QUIET + PUMP)
    for at_ns, event in (
        (AT_NS, FAULTS["evolving"]),
        (AT_NS + S, {"event": "motor", "motor": "PUMP", "to": "on"}),
        (AT_NS + 2 * S, FAULTS["arcing"] | {"name": "F2"}),
        (AT_NS + 3 * S, {"event": "conductor", "name": "C1", "branch": "CABLE2", "phase": "c"}),
    ):
        live.to(at_ns)
        assert live.inject(event).refusal is None
    log = live.to(12 * S).close().commands()
    again = Lived(tmp_path / "again", QUIET + PUMP)
    for entry in log:
        again.to(entry.applied_ns - again.loaded.start_ns)
        again.site.engine.apply(Command(entry.source, entry.target, entry.verb, entry.arguments))
    again.to(12 * S).close()
    assert content_hash(again.folder) == content_hash(live.folder)


def test_scenarios_hold_to_the_same_limits(tmp_path):
    event = FAULT | {"arc_voltage": "2 MV", "resistance": "2000 Mohm"}
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=QUIET + yaml_of(event)))
    assert {(finding.field, finding.what) for finding in caught.value.findings} == {
        ("events[0].arc_voltage", "2e+06 is more than 1 MV"),
        ("events[0].resistance", "2e+09 is more than 1 Gohm"),
    }


def test_every_kind_of_event_says_so_itself():
    for kind, model in LIVE_EVENTS.items():
        assert model.model_json_schema()["properties"]["event"]["const"] == kind
