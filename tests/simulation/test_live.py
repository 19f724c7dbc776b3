"""A live session in its own thread: published images, commands while running and paused, the end."""

import time
from concurrent.futures import wait

import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import Command, Refusal
from twin.recording import Recording, RecordingPathError, RecordingWriter
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.commands import SimulationEndedError
from twin.simulation.live import SimulationBrokenError

S = 10**9


@pytest.fixture
def session(tmp_path):
    loaded = load_scenario(write_site(tmp_path))
    site = build_site(loaded)
    site.record_to(tmp_path / "recording", overwrite=False)
    live = site.live(speed=10.0)
    live.open()
    live.start()
    yield live
    live.stop()
    site.close()
    assert live.failure is None


def do(session, target, verb, **arguments):
    return session.submit(Command("test", target, verb, arguments)).result(timeout=10)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_images_are_there_before_time_runs(tmp_path):
    site = build_site(load_scenario(write_site(tmp_path)))
    live = site.live(speed=1.0)
    live.open()
    words = live.meters[0].image.read(0x4002, 2)
    assert words.view(">u2").size == 2
    assert words[0] == 0x4366  # 230 V as a float: 4366 xxxx
    assert live.latest().meters[0].v[0] == pytest.approx(230.5, abs=0.5)
    live.stop()


def test_time_runs_at_its_speed_and_images_follow_on_the_lattice(session):
    first = session.latest().sim_ns
    until(lambda: session.latest().sim_ns - first >= 20 * S)
    published = session.meters[0].image.published_ns
    assert published % 100_000_000 == 0


def test_commands_are_answered_while_time_is_paused(session):
    answer = do(session, "clock", "pause")
    assert answer.refusal is None
    assert session.latest().paused
    at = session.latest().sim_ns
    wrote = do(session, "head", "write_registers", address=0x100D, words=(20,))
    assert (wrote.refusal, wrote.applied_ns) == (None, at)
    assert session.meters[0].image.read(0x100D, 1).tolist() == [20]
    assert do(session, "SW2", "open").refusal is None
    assert not next(line for line in session.latest().switches if line.name == "SW2").closed
    assert session.latest().sim_ns == at
    do(session, "clock", "resume")
    until(lambda: session.latest().sim_ns > at + 2 * S)
    assert session.latest().meters[1].v == (0.0, 0.0, 0.0)


def test_the_clock_refuses_what_it_cannot_do(session):
    assert do(session, "clock", "set_speed", speed=5000).refusal is Refusal.ILLEGAL_VALUE
    assert do(session, "clock", "set_speed", speed="fast").refusal is Refusal.ILLEGAL_VALUE
    assert do(session, "clock", "rewind").refusal is Refusal.ILLEGAL_FUNCTION
    assert do(session, "clock", "set_speed", speed=100).refusal is None
    assert session.latest().speed == 100


def test_many_commands_are_answered_in_order(session):
    futures = [
        session.submit(Command("test", "head", "write_registers", {"address": 0x100D, "words": (n,)}))
        for n in range(1, 31)
    ]
    assert not wait(futures, timeout=20).not_done
    assert all(future.result().refusal is None for future in futures)
    assert session.meters[0].image.read(0x100D, 1).tolist() == [30]
    applied = [future.result().applied_ns for future in futures]
    assert applied == sorted(applied)


def test_at_its_end_the_scenario_pauses_and_does_not_go_on(tmp_path):
    loaded = load_scenario(write_site(tmp_path), duration_s=3.0)
    site = build_site(loaded)
    live = site.live(speed=100.0)
    live.open()
    live.start()
    until(lambda: live.latest().paused)
    assert live.latest().sim_ns == loaded.end_ns
    assert do(live, "clock", "resume").detail == "the scenario has ended"
    live.stop()
    assert live.failure is None


def test_a_frame_shows_what_the_meters_show(tmp_path):
    loaded = load_scenario(write_site(tmp_path, scenario=SCENARIO.replace("10 min", "30 min")))
    site = build_site(loaded)
    live = site.live(speed=1.0)
    live.open()
    live.skip_to(loaded.start_ns + 1200 * S)
    frame = live.latest()
    head, home = frame.meters
    assert (head.name, head.bus, home.bus) == ("head", "GRID", "HOME")
    assert head.p == pytest.approx(9050, abs=50)
    # 20 min of about 9 kW; the register counts whole tenths of a kWh.
    assert head.ep_imp == pytest.approx(head.p * 1200 / 3.6e6, abs=0.1)
    assert head.rated_voltage == pytest.approx(231, abs=0.5)
    (alarm,) = frame.alarms
    assert (alarm.meter, alarm.parameter, alarm.active) == ("home", "v1", False)
    assert alarm.returned_ns > alarm.since_ns
    assert frame.event_count == 2  # the earth fault: a sag on one phase, a swell on the others
    assert frame.load_changes == 0
    live.stop()


def test_commands_after_the_end_hear_that_nobody_is_there(tmp_path):
    site = build_site(load_scenario(write_site(tmp_path)))
    live = site.live(speed=1.0)
    live.open()
    waiting = live.submit(Command("test", "clock", "pause"))
    live.stop()
    late = live.submit(Command("test", "clock", "pause"))
    for future in (waiting, late):
        with pytest.raises(
            SimulationEndedError, match="the simulation has ended; 'pause' was not carried out"
        ):
            future.result(timeout=1)


def test_an_error_of_the_simulation_reaches_those_who_wait(tmp_path, monkeypatch):
    site = build_site(load_scenario(write_site(tmp_path)))
    live = site.live(speed=1.0)
    live.open()
    monkeypatch.setattr(site.engine, "apply", lambda command: 1 / 0)
    live.start()
    with pytest.raises(SimulationBrokenError, match="while 'open' of 'SW2' was carried out: ZeroDivision"):
        live.submit(Command("test", "SW2", "open")).result(timeout=5)
    until(lambda: not live.running)
    assert isinstance(live.failure, SimulationBrokenError)
    with pytest.raises(SimulationEndedError):
        live.submit(Command("test", "SW2", "open")).result(timeout=5)
    live.stop()


def test_a_storm_of_writes_does_not_hold_up_time(session):
    stop = time.monotonic() + 2.0
    first, answered = session.latest().sim_ns, 0
    while time.monotonic() < stop:
        futures = [
            session.submit(Command("test", "head", "write_registers", {"address": 0x100D, "words": (n,)}))
            for n in range(1, 21)
        ]
        assert not wait(futures, timeout=10).not_done
        answered += len(futures)
    until(lambda: session.latest().sim_ns - first >= 18 * S, seconds=2.0)
    assert answered > 100


def test_a_live_site_outlives_a_full_disk(tmp_path, monkeypatch, caplog):
    site = build_site(load_scenario(write_site(tmp_path)))
    live = site.live(speed=10.0)
    live.open()
    site.record_to(tmp_path / "recording", overwrite=False)
    real = RecordingWriter.flush

    def full(*_):
        raise RecordingPathError("recording: no space left on device; free some")

    monkeypatch.setattr(RecordingWriter, "flush", full)
    live.start()
    until(lambda: "no space left on device" in caplog.text)
    do(live, "SW2", "open")
    monkeypatch.setattr(RecordingWriter, "flush", real)
    until(lambda: "the recording goes on" in caplog.text)
    live.stop()
    site.close()
    assert live.failure is None
    assert [command.verb for command in Recording.open(tmp_path / "recording").commands()] == ["open"]


def test_it_runs_as_fast_as_possible_and_obeys(session):
    """The ten minutes are over long before their time, and a pause holds in between."""
    answer = do(session, "clock", "set_speed", speed="max")
    assert answer.refusal is None
    assert do(session, "clock", "pause").refusal is None
    held = session.latest().sim_ns
    assert session.latest().speed == float("inf")
    time.sleep(0.05)
    assert session.latest().sim_ns == held
    do(session, "clock", "resume")
    until(lambda: session.latest().paused, 60.0)
    assert do(session, "clock", "set_speed", speed="quick").refusal is Refusal.ILLEGAL_VALUE
