"""What an operator is told of a command."""

from concurrent.futures import Future

from dashboards.commands import order
from tests.dashboards.synthetic import SyntheticSite


def test_done_and_refused():
    site = SyntheticSite()
    assert order(site.submit, "cb_shop", "open") == (True, "Done: cb_shop is open.")
    assert order(site.submit, "clock", "set_speed", {"speed": 10.0}) == (True, "Done: speed set to 10×.")
    refused = order(site.submit, "clock", "set_speed", {"speed": 2000.0})
    assert refused == (False, "Refused: set_speed clock (speed must be at most 1000).")
    assert order(site.submit, "nothing", "open") == (False, "Refused: open nothing (unknown target).")


def test_an_answer_that_does_not_come():
    done, text = order(lambda command: Future(), "cb_shop", "open", patience_s=0.01)
    assert not done
    assert "still in the queue" in text


def test_a_command_that_is_dropped():
    def drop(command):
        answer = Future()
        answer.cancel()
        return answer

    done, text = order(drop, "cb_shop", "open")
    assert not done
    assert "the simulation ended" in text


def test_a_simulation_that_has_ended_is_said():
    future = Future()
    future.set_exception(RuntimeError("the simulation has ended; 'open' was not carried out"))
    done, text = order(lambda command: future, "cb_shop", "open")
    assert (done, text) == (False, "Not done: the simulation has ended; 'open' was not carried out.")
