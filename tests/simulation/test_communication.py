"""Faults of communication in simulated time: told, logged, lived again; what a reboot does to a meter."""

from pathlib import Path

import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import Command, Refusal
from twin.contracts.transport import HowOften, TransportFaults
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.replaying import live_again

S = 10**9
QUIET = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"
EVENTS = """
events:
  - {event: communication_fault, at: "18:00:10", name: wan, meters: [home], lost_answers: 5 %,
     clear_after: 20 s}
  - {event: communication_fault, at: "18:00:20", name: door, refuse: true, over: tcp}
  - {event: repair, at: "18:00:40", of: door}
"""
WAN = {"event": "communication_fault", "name": "wan", "meters": ("home",), "lost_answers": "5 %"}


def happened(recording):
    """Return kind and element of all that befell the meters."""
    return [(one.kind, one.element) for one in recording.truth() if one.kind.startswith(("comm", "power"))]


class Lived:
    """A site that is run by hand and keeps what it records."""

    def __init__(self, folder, scenario):
        folder.mkdir()
        self.loaded = load_scenario(write_site(folder, scenario=scenario))
        self.folder = folder / "recording"
        self.site = build_site(self.loaded)
        self.held = []
        self.site.communication.watch(lambda faults: self.held.append([one.seed for one in faults]))
        self.site.begin()
        self.site.record_to(self.folder, overwrite=False)

    def to(self, since_start_s):
        self.site.engine.advance_to(self.loaded.start_ns + round(since_start_s * S))
        return self

    def inject(self, event, target="site"):
        return self.site.engine.apply(Command("trainer", target, "inject", event))

    def close(self):
        self.site.close()
        return Recording.open(self.folder)

    def entries(self, recording):
        """Return the ledger's entries on communication."""
        return [entry for entry in recording.truth() if entry.kind.startswith("communication")]

    def told(self, recording):
        """Return when, what, of whom, by whom and which."""
        start_ns = self.loaded.start_ns
        return [
            ((each.time_ns - start_ns) / S, each.kind, each.element, each.cause, each.detail["name"])
            for each in self.entries(recording)
        ]


def test_faults_begin_and_end_as_the_scenario_says(tmp_path):
    lived = Lived(tmp_path / "a", QUIET + EVENTS).to(60)
    assert lived.held == [[], ["7 wan"], ["7 wan", "7 door"], ["7 door"], []]
    recording = lived.close()
    assert lived.told(recording) == [
        (10.0, "communication_fault", "home", "scenario", "wan"),
        (20.0, "communication_fault", "head", "scenario", "door"),
        (20.0, "communication_fault", "home", "scenario", "door"),
        (30.0, "communication_fault_cleared", "home", "scenario", "wan"),
        (40.0, "communication_fault_cleared", "head", "repair", "door"),
        (40.0, "communication_fault_cleared", "home", "repair", "door"),
    ]
    details = {entry.detail["name"]: entry.detail for entry in lived.entries(recording)}
    assert details == {
        "wan": {"name": "wan", "fault": "lost_answers", "over": "any"},
        "door": {"name": "door", "fault": "refuse", "over": "tcp"},
    }


def test_what_holds_is_what_endpoints_are_given(tmp_path):
    lived = Lived(tmp_path / "a", QUIET + EVENTS).to(25)
    wan, door = lived.site.communication.holding
    assert (wan.meters, wan.over, wan.faults) == (("home",), "", TransportFaults(lost_answers=HowOften(0.05)))
    assert (door.meters, door.over, door.faults) == (("head", "home"), "tcp", TransportFaults(refuse=True))
    assert wan.number != door.number
    lived.close()


def test_injected_faults_are_those_of_a_file(tmp_path):
    """The ledger differs in who did it alone; a session is lived again to the same content."""
    lived = Lived(tmp_path / "a", QUIET).to(10)
    assert lived.inject(WAN).refusal is None
    lived.to(20)
    assert lived.inject({"event": "repair", "of": "wan"}).refusal is None
    first = lived.to(30).close()
    assert lived.told(first) == [
        (10.0, "communication_fault", "home", "trainer", "wan"),
        (20.0, "communication_fault_cleared", "home", "repair", "wan"),
    ]
    again = Lived(tmp_path / "b", QUIET)
    until = lived.loaded.start_ns + 30 * S
    otherwise = live_again(
        again.site.engine,
        list(first.commands()),
        until,
        advance=lambda to_ns: again.site.engine.advance_to(to_ns) is None,
    )
    assert not otherwise
    again.close()
    assert content_hash(again.folder) == content_hash(lived.folder)


def test_an_injected_fault_may_come_again_and_may_not_twice(tmp_path):
    lived = Lived(tmp_path / "a", QUIET).to(1)
    assert lived.inject(WAN | {"clear_after": "5 s"}).refusal is None
    refused = lived.inject(WAN)
    assert refused.refusal is Refusal.ILLEGAL_VALUE
    assert "there is a 'wan' already" in refused.detail
    wrong = lived.inject(WAN | {"name": "lan", "meters": ("hom",)})
    assert wrong.refusal is Refusal.ILLEGAL_VALUE
    assert "there is no meter 'hom'" in wrong.detail
    lived.close()


def test_a_repair_before_its_time_ends_a_fault_once(tmp_path):
    lived = Lived(tmp_path / "a", QUIET).to(1)
    lived.inject(WAN | {"clear_after": "5 s"})
    lived.to(2)
    lived.inject({"event": "repair", "of": "wan"})
    told = lived.told(lived.to(20).close())
    assert [(at, kind) for at, kind, *_ in told] == [
        (1.0, "communication_fault"),
        (2.0, "communication_fault_cleared"),
    ]


def test_a_reboot_is_a_loss_of_supply_until_the_meter_has_booted(tmp_path):
    """Energies stand still meanwhile: those of a meter whose supply fails for as long, to the last count."""
    reboot = QUIET + (
        'events:\n  - {event: communication_fault, at: "18:00:10.5", name: r, meters: [home], reboot: 20 s}\n'
    )
    loss = QUIET + 'events:\n  - {event: power_loss, at: "18:00:10.5", meter: home, restore_after: 20 s}\n'
    energies = {}
    for name, scenario in (("reboot", reboot), ("loss", loss), ("quiet", QUIET)):
        lived = Lived(tmp_path / name, scenario)
        fleet = lived.site.engine.fleet
        lived.to(20)
        assert fleet.powered(1) is (name == "quiet")
        lived.to(60)
        assert fleet.powered(1)
        energies[name] = fleet.energies(1)["ep_imp"]
        recording = lived.close()
        if name == "reboot":
            kinds = happened(recording)
            assert kinds == [
                ("communication_fault", "home"),
                ("power_lost", "home"),
                ("power_restored", "home"),
                ("communication_fault_cleared", "home"),
            ]
    assert energies["reboot"] == energies["loss"] < energies["quiet"]
    assert energies["reboot"] == pytest.approx(energies["quiet"] * 40 / 60, rel=0.01)


def test_a_reboot_does_not_restore_a_supply_that_has_failed(tmp_path):
    events = """events:
  - {event: communication_fault, at: "18:00:10", name: r, meters: [home], reboot: 5 s}
  - {event: power_loss, at: "18:00:12", meter: home, restore_after: 30 s}
"""
    lived = Lived(tmp_path / "a", QUIET + events).to(20)
    assert not lived.site.engine.fleet.powered(1)
    assert lived.to(43).site.engine.fleet.powered(1)
    lived.close()


def test_meters_without_endpoints_are_not_concerned(tmp_path):
    scenario = QUIET.replace("    endpoint: {port: 0}\n", "", 1) + EVENTS
    lived = Lived(tmp_path / "a", scenario).to(60)
    assert {element for _, _, element, *_ in lived.told(lived.close())} == {"home"}


def test_the_shipped_half_hour(tmp_path):
    """Each fault of the scenario begins and ends when its head says so."""
    shipped = Path(__file__).parents[2] / "scenarios" / "communication-faults.yaml"
    loaded = load_scenario(shipped)
    site = build_site(loaded)
    site.begin()
    site.record_to(tmp_path / "recording", overwrite=False)
    site.engine.advance_to(loaded.end_ns)
    site.close()
    spans: dict[str, list[float]] = {}
    for entry in Recording.open(tmp_path / "recording").truth():
        if entry.kind.startswith("communication"):
            minutes = (entry.time_ns - loaded.start_ns) / (60 * S)
            name = str(entry.detail["name"])
            if minutes not in spans.setdefault(name, []):
                spans[name].append(minutes)
    assert spans == {
        "slow WAN": [2.0, 4.0],
        "lossy WAN": [3.0, 4.0],
        "no way": [6.0, 7.5],
        "silent pump": [8.0, 9.0],
        "restart": [10.0, pytest.approx(10.0 + 40 / 60)],
        "storm": [13.0, 15.0],
        "noise": [16.0, 18.0],
        "echo": [19.0, 21.0],
        "firewall": [22.0, 24.0],
        "shut": [25.0, 26.5],
    }


def test_a_test_bench_can_lose_its_master_too(tmp_path):
    """There is no network: what happens to meters happens all the same, by the file and live."""
    shipped = Path(__file__).parents[2] / "scenarios" / "test-bench.yaml"
    bench = tmp_path / "bench.yaml"
    bench.write_text(
        shipped.read_text(encoding="utf-8")
        + "\nevents:\n  - {event: communication_fault, at: '09:00:05', name: r, reboot: 5 s}\n",
        encoding="utf-8",
    )
    site = build_site(load_scenario(bench))
    site.begin()
    start_ns = site.engine.now_ns
    site.engine.advance_to(start_ns + 6 * S)
    assert not site.engine.fleet.powered(0)
    answer = site.engine.apply(
        Command("trainer", "site", "inject", {k: v for k, v in WAN.items() if k != "meters"})
    )
    assert answer.refusal is None
    assert [fault.meters for fault in site.communication.holding] == 2 * [("under test",)]
    site.engine.advance_to(start_ns + 11 * S)
    assert site.engine.fleet.powered(0)
    site.close()
