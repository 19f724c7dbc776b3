"""Steps of a live session: so much simulated time and no more, answered when it has passed."""

import time
from concurrent.futures import Future

import pytest

from tests.sites import write_site
from twin.contracts import Command, Refusal
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.commands import SimulationEndedError

S = 10**9


@pytest.fixture
def session(tmp_path):
    loaded = load_scenario(write_site(tmp_path))
    site = build_site(loaded)
    live = site.live(speed=1.0)
    live.open()
    live.start()
    yield live
    live.stop()
    site.close()
    assert live.failure is None


def submit(session, verb, **arguments) -> Future:
    return session.submit(Command("test", "clock", verb, arguments))


def do(session, verb, **arguments):
    return submit(session, verb, **arguments).result(timeout=20)


def test_a_step_passes_exactly_its_time_and_time_then_stands_still(session):
    first = do(session, "pause").applied_ns
    started = time.monotonic()
    done = do(session, "step", seconds=90.0123)
    assert time.monotonic() - started < 20  # not in real time
    assert (done.refusal, done.applied_ns - first) == (None, 90_012_300_000)
    frame = session.latest()
    assert (frame.paused, frame.sim_ns) == (True, done.applied_ns)
    assert session.meters[0].image.published_ns == done.applied_ns
    time.sleep(0.2)
    assert do(session, "pause").applied_ns == done.applied_ns


def test_a_step_pauses_time_that_runs(session):
    do(session, "step", seconds=1)
    assert session.latest().paused


def test_a_step_ends_with_the_scenario(session):
    done = do(session, "step", seconds=86400)
    assert done.applied_ns == session.latest().sim_ns
    assert do(session, "step", seconds=1).detail == "the scenario has ended"


@pytest.mark.parametrize("seconds", [0, -1, 86401, float("nan"), "1", None])
def test_a_step_of_no_length_is_refused(session, seconds):
    assert do(session, "step", seconds=seconds).refusal is Refusal.ILLEGAL_VALUE


def test_another_order_ends_a_step_where_it_is(session):
    first = do(session, "pause").applied_ns
    step = submit(session, "step", seconds=500)
    pause = do(session, "pause")
    assert step.result(timeout=20).applied_ns <= pause.applied_ns
    assert pause.applied_ns - first < 500 * S


def test_a_step_that_never_ends_hears_of_the_end(session):
    do(session, "pause")
    step = submit(session, "step", seconds=500)
    session.stop()
    try:
        assert step.result(timeout=20).refusal is None
    except SimulationEndedError as error:
        assert "ended" in str(error)  # noqa: PT017
