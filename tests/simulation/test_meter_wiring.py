"""Wirings, demands and the 400 Hz type as a scenario sets them, on a site with a circuit of its own."""

import math

import numpy as np
import pytest

from tests.simulation.test_engine import IDEAL, ladder, run
from tests.simulation.test_engine import P as LOADED_P
from tests.simulation.test_engine import Q as LOADED_Q
from tests.sites import NETWORK, SCENARIO, write_site
from twin.contracts import BadInputError, Refusal
from twin.scenario import load_scenario
from twin.simulation import build_site

HEAD = "  - name: head\n    profile: kw320q\n    accuracy: ideal\n    at: {branch: CABLE1}\n    ct: 100:5\n"
# Without a neutral, so that two elements measure all of it.
BALANCED = NETWORK.replace("[3000, 2000, 1000], [900, 600, 300]", "[2400, 2400, 2400], [600, 600, 600]")
P, Q, NONE = np.full(3, 2400.0), np.full(3, 600.0), np.zeros(3)


def with_head(text, *, pt=""):
    assert HEAD in IDEAL
    return IDEAL.replace(HEAD, HEAD + pt + text)


def shown(folder, scenario, network, seconds=10):
    loaded = load_scenario(write_site(folder, scenario=scenario, network=network))
    with build_site(loaded) as site:
        site.engine.advance_to(loaded.start_ns + seconds * 10**9)
        fleet = site.engine.fleet
        return fleet.decode(0, fleet.words(0)), loaded, fleet


def test_open_delta_of_a_scenario_measures_the_whole_circuit(tmp_path):
    network = BALANCED.replace("    - [HOUSE1, HOME, a, 2000, 500]\n    - [HOUSE2, HOME, b, 1000, 300]\n", "")
    scenario = with_head("    wiring: 2LL\n    current_wiring: 2CT\n", pt="    pt: 400:100\n")
    before, _, rest = scenario.partition("  - name: home")
    scenario = before + rest[rest.index("events:") :]
    values, loaded, _ = shown(tmp_path, scenario, network)
    v, i, *_ = ladder((P, NONE), (Q, NONE))
    power = sum(v * i.conj())
    assert values["p_sum"] == pytest.approx(power.real, rel=3e-7)
    assert values["q_sum"] == pytest.approx(power.imag, rel=3e-7)
    assert values["v31"] == pytest.approx(abs(v[2] - v[0]), rel=3e-7)
    assert values["i2"] == pytest.approx(abs(i[1]), rel=3e-7)
    assert values["v1"] == values["p1"] == values["i_n"] == 0.0
    # Rated 400 V line to line, through 400:100.
    assert loaded.meters[0].config.rated_voltage == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("wiring", "register"), [("3LN", 0), ("1LN", 1), ("2LL", 2), ("3LL", 3), ("1LL", 4), ("2LN", 4)]
)
@pytest.mark.parametrize(("currents", "code"), [("3CT", 0), ("1CT", 1), ("2CT", 2)])
def test_wirings_of_a_scenario_and_their_registers(tmp_path, wiring, register, currents, code):
    path = write_site(tmp_path, scenario=with_head(f"    wiring: {wiring}\n    current_wiring: {currents}\n"))
    loaded = load_scenario(path)
    with build_site(loaded) as site:
        fleet = site.engine.fleet
        words = dict(zip(_addresses(fleet.blocks(0)), fleet.words(0).tolist(), strict=True))
        assert (words[0x1003], words[0x1004]) == (register, code)


def _addresses(blocks):
    return [address for block in blocks for address in range(block.address, block.address + block.count)]


def test_registers_set_the_wiring_unless_sealed(tmp_path):
    _, site = run(tmp_path, until_s=10, scenario=IDEAL)
    fleet, now = site.engine.fleet, site.engine.now_ns
    v1 = fleet.decode(0, fleet.words(0))["v1"]
    assert fleet.write(0, 0x1003, [1, 1], now).refusal is None
    values = fleet.decode(0, fleet.words(0))
    assert (values["v1"], values["v2"], values["p_sum"]) == (v1, 0.0, values["p1"])
    assert fleet.write(0, 0x1003, [5], now).refusal is Refusal.ILLEGAL_VALUE
    assert fleet.write(0, 0x1004, [3], now).refusal is Refusal.ILLEGAL_VALUE
    assert fleet.write(0, 0x101F, [0x0A], now).refusal is None
    assert fleet.write(0, 0x1003, [0], now).refusal is Refusal.SEALED
    assert fleet.write(0, 0x1004, [0], now).refusal is Refusal.SEALED


def test_a_site_of_400_hertz(tmp_path):
    network = NETWORK.replace("frequency_hz: 50", "frequency_hz: 400")
    scenario = IDEAL.replace("profile: kw320q", "profile: kw320")
    values, loaded, fleet = shown(tmp_path, scenario, network)
    assert values["frequency"] == pytest.approx(400.0)
    v, i, *_ = ladder(LOADED_P, LOADED_Q)
    # Reactances are given at rated frequency: the circuit is the same.
    assert [values[f"v{k}"] for k in (1, 2, 3)] == pytest.approx(list(abs(v)), rel=1e-6)
    assert values["p_sum"] == pytest.approx(sum((v * i.conj()).real), rel=1e-6)
    assert loaded.meters[0].config.registers["rated_frequency"] == 2
    # Full-wave energy alone (6.3.1, note to 1017H).
    assert fleet.write(0, 0x1017, [0], fleet.now_ns).refusal is Refusal.ILLEGAL_VALUE
    assert fleet.write(0, 0x1017, [1], fleet.now_ns).refusal is None


def test_a_meter_with_power_quality_is_not_made_for_400_hertz(tmp_path):
    network = NETWORK.replace("frequency_hz: 50", "frequency_hz: 400")
    with pytest.raises(BadInputError, match="made for 50 or 60 Hz, not for 400 Hz; use a kw320"):
        load_scenario(write_site(tmp_path, network=network))


def test_demands_of_a_scenario(tmp_path):
    text = "    demand: {mode: rolling, window: 6 min, sub_interval: 2 min}\n"
    loaded = load_scenario(write_site(tmp_path, scenario=with_head(text)))
    config = loaded.meters[0].config
    assert (config.demand_mode, config.demand_sub_interval_minutes) == ("rolling", 2)
    assert config.registers["demand_window_minutes"] == 6
    text = "    demand: {mode: rolling, window: 6 min, sub_interval: 4 min}\n"
    with pytest.raises(BadInputError, match="4 does not divide the window of 6 min"):
        load_scenario(write_site(tmp_path, scenario=with_head(text)))
    text = "    demand: {window: 90 s}\n"
    with pytest.raises(BadInputError, match=r"demand.window: 90 s are no whole minutes"):
        load_scenario(write_site(tmp_path, scenario=with_head(text)))


def test_a_default_rated_voltage_of_lines_is_that_between_them(tmp_path):
    config = load_scenario(write_site(tmp_path, scenario=with_head("    wiring: 3LL\n"))).meters[0].config
    assert config.rated_voltage == pytest.approx(400.0)
    plain = load_scenario(write_site(tmp_path, scenario=SCENARIO)).meters[0].config
    assert plain.rated_voltage == pytest.approx(400.0 / math.sqrt(3.0))
