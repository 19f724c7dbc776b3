"""Inputs of I/O modules, driven by an instructor over HTTP."""

import pytest

from tests.api.live import QUIET, TOKEN, Client, controlled

IO = "    ct: 100:5\n    io: {modules: [io11, io31]}\n"


@pytest.fixture
def ask(tmp_path):
    scenario = QUIET.replace("    ct: 100:5\n", IO, 1)
    with controlled(tmp_path, scenario=scenario) as (url, _):
        yield Client(url, TOKEN)


def shown(ask, name):
    (register,) = ask.done("GET", f"/v1/meters/head/registers?name={name}")["registers"]
    return register["value"]


def test_inputs_follow_the_instructor(ask):
    ask.done("POST", "/v1/meters/head/inputs/ai1", {"value": 12})
    assert shown(ask, "ai1") == 2458
    ask.done("POST", "/v1/meters/head/inputs/di2", {"to": "on"})
    status, answer = ask("POST", "/v1/meters/head/inputs/di7", {"to": "on"})
    assert status == 409
    assert "no module that is connected to 'head' has an input 'di7'" in answer["what"]


@pytest.mark.parametrize("body", [{}, {"to": "on", "value": 4}, {"value": 25}, {"to": "up"}])
def test_half_an_order_is_refused(ask, body):
    assert ask("POST", "/v1/meters/head/inputs/di1", body)[0] == 422
