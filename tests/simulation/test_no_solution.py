"""A network that a change would leave without a solution: the command is refused, or the site ends there."""

import json
import subprocess
import sys
import time

import pytest

from tests.sites import NETWORK, SCENARIO, write_site
from twin.cli.command import main
from twin.contracts import Command, Refusal
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.commands import SimulationEndedError
from twin.simulation.engine import NoSolutionError

S = 10**9
WEAK = (
    NETWORK.replace("cable, 100]", "cable, 50]")
    .replace(
        "[CABLE2, MAIN, HOME, cable, 200]", "[CABLE2, MAIN, HOME, cable, 50], [TIE, MAIN, HOME, weak, 400]"
    )
    .replace(
        "x0_ohm_per_km: 0.3}]\nlines",
        "x0_ohm_per_km: 0.3},\n"
        "  {name: weak, r1_ohm_per_km: 0.2, x1_ohm_per_km: 4, r0_ohm_per_km: 0.6, x0_ohm_per_km: 12}]\nlines",
    )
)


def network(shop_p, shop_q, house1, house2):
    """Return a network with a weak tie beside CABLE2, and loads that ask much of it."""
    return (
        WEAK.replace("[3000, 2000, 1000], [900, 600, 300]", f"{shop_p}, {shop_q}")
        .replace("HOME, a, 2000, 500", f"HOME, a, {house1}")
        .replace("HOME, b, 1000, 300", f"HOME, b, {house2}")
    )


TIED = network([46033, -2387, -77927], [-5800, -188050, 521], "28380, 302", "22592, -2734")
"""Without CABLE2 nothing satisfies its loads."""
LOADED = network([10199, -6748, -8787], [-78041, -242013, 282173], "21810, -427", "277692, -51956")
"""With the fault below nothing satisfies its loads."""
FAULT = {
    "event": "fault",
    "name": "F",
    "bus": "MAIN",
    "type": "llg",
    "phases": "ab",
    "resistance": "11.062 ohm",
}
HARMLESS = {
    "event": "fault",
    "name": "F",
    "bus": "MAIN",
    "type": "llg",
    "phases": "ab",
    "resistance": "1 ohm",
}
QUIET = SCENARIO.split("events:", maxsplit=1)[0]
OPENED = QUIET + 'events: [{event: switch, at: "18:00:02", switch: SW2, to: open}]\n'


def site_of(folder, scenario, lines):
    folder.mkdir(exist_ok=True)
    site = build_site(load_scenario(write_site(folder, scenario=scenario, network=lines)))
    site.begin()
    site.record_to(folder / "recording", overwrite=False)
    return site


def do(site, target, verb, arguments=()):
    return site.engine.apply(Command("test", target, verb, dict(arguments)))


@pytest.mark.parametrize(
    ("lines", "target", "verb", "arguments"),
    [(TIED, "SW2", "open", {}), (LOADED, "site", "inject", FAULT)],
)
def test_a_command_without_a_solution_is_refused_and_changes_nothing(
    tmp_path, lines, target, verb, arguments
):
    asked, other = site_of(tmp_path / "asked", QUIET, lines), site_of(tmp_path / "other", QUIET, lines)
    start = asked.engine.now_ns
    for site in (asked, other):
        site.engine.advance_to(start + S + 123)
    answer = do(asked, target, verb, arguments)
    assert answer.refusal is Refusal.ILLEGAL_VALUE
    assert "no voltage satisfies loads of" in answer.detail
    assert "bus 'HOME'" in answer.detail
    assert asked.engine.site.switches == other.engine.site.switches
    for site in (asked, other):
        site.engine.advance_to(start + 3 * S)
    for meter in (0, 1):
        assert asked.engine.fleet.words(meter).tolist() == other.engine.fleet.words(meter).tolist()
    assert asked.engine.site.solves == other.engine.site.solves
    asked.close()
    other.close()
    recordings = [Recording.open(tmp_path / name / "recording") for name in ("asked", "other")]
    assert recordings[0].truth() == recordings[1].truth()
    (command,) = recordings[0].commands()
    assert command.refusal == "illegal_value"


def test_what_has_a_solution_is_still_done(tmp_path):
    site = site_of(tmp_path, QUIET, LOADED)
    assert do(site, "site", "inject", HARMLESS).refusal is None
    site.engine.advance_to(site.engine.now_ns + S)
    assert do(site, "site", "inject", {"event": "repair", "of": "F"}).refusal is None
    site.engine.advance_to(site.engine.now_ns + S)
    site.close()


def test_where_the_scenario_does_it_the_site_ends_and_is_lived_again(tmp_path, capsys):
    site = site_of(tmp_path, OPENED, TIED)
    engine = site.engine
    start = engine.now_ns
    engine.advance_to(start + S)
    assert do(site, "SW2", "open").refusal is Refusal.ILLEGAL_VALUE
    assert do(site, "head", "write_registers", {"address": 0x100D, "words": (20,)}).refusal is None
    with pytest.raises(NoSolutionError) as raised:
        engine.advance_to(start + 5 * S)
    text = str(raised.value)
    assert text.startswith("the site ended at 2026-01-15T18:00:02.")
    assert "after switch_operated of SW2 by scenario at 2026-01-15T18:00:02" in text
    assert "lowest at load 'HOUSE1', bus 'HOME'" in text
    ended_ns = engine.now_ns
    for again in (lambda: engine.advance_to(start + 6 * S), lambda: do(site, "SW2", "close")):
        with pytest.raises(NoSolutionError):
            again()
    site.close()
    recording = Recording.open(tmp_path / "recording")
    assert recording.info.complete
    assert (recording.info.reached_ns, recording.truth()[-1].kind) == (ended_ns, "switch_operated")
    code = main(["replay-session", str(tmp_path / "recording"), "--out", str(tmp_path / "again"), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert (code, result["equal"], result["otherwise"]) == (0, True, [])
    assert result["commands"] == 2


def test_a_run_ends_with_2_and_says_why(tmp_path, capsys):
    path = write_site(tmp_path, scenario=OPENED, network=TIED)
    assert main(["run", str(path), "--out", str(tmp_path / "recording"), "--quiet"]) == 2
    assert "after switch_operated of SW2 by scenario" in capsys.readouterr().err
    assert Recording.open(tmp_path / "recording").info.complete


def test_a_live_session_stands_still_and_shows_why(tmp_path):
    site = site_of(tmp_path, OPENED, TIED)
    session = site.live(speed=10.0)
    session.open()
    session.start()
    deadline = time.monotonic() + 20
    while session.failure is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(SimulationEndedError, match="switch_operated of SW2"):
        session.submit(Command("test", "SW1", "open")).result(timeout=10)
    with pytest.raises(SimulationEndedError):
        session.submit(Command("test", "clock", "resume")).result(timeout=10)
    frame = session.latest()
    assert (frame.paused, session.running) == (True, True)
    assert "no voltage satisfies" in frame.notice
    assert session.meters[0].image.published_ns == site.engine.now_ns
    session.stop()
    site.close()
    assert isinstance(session.failure, NoSolutionError)


def test_a_served_site_that_nobody_watches_ends_with_2(tmp_path):
    path = write_site(tmp_path, scenario=OPENED, network=TIED)
    command = [sys.executable, "-m", "twin.cli", "serve", str(path), "--no-dashboard"]
    command += ["--out", str(tmp_path / "recording")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert "the site ended at 2026-01-15T18:00:02" in done.stderr
    assert Recording.open(tmp_path / "recording").info.complete
