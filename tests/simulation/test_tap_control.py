"""Tap changers in simulated time: when they move, how far, and what an operator may do."""

from dataclasses import replace

import pytest

from tests.simulation.equipment_site import Run
from twin.contracts import BadInputError, Command, Refusal
from twin.grid import read_network
from twin.grid.study import flow

NETWORK = """
network: regulated
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 20000], [LV, 400]]
sources: [{{name: GRID, bus: GRID, u_pu: {u_pu}, r1_ohm: 0.4, x1_ohm: 4, r0_ohm: 0.4, x0_ohm: 4}}]
transformers:
  - {{name: T, hv: GRID, lv: LV, s_rated_va: 630000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 6,
     vkr_percent: 1, vector_group: Dyn5, tap_side: {side}, tap_min: -4, tap_max: 4, tap_step_percent: 2.5}}
tap_changers:
  - {{name: AVR, transformer: T, u_set_v: 100, bandwidth_v: {band}, pt_ratio: 2.3094,
     delay_s: 30, tap_delay_s: 3{more}}}
switches: [{{name: Q, branch: T}}]
loads:
  - {{name: BASE, bus: LV, phases: abc, p_w: [60000, 60000, 60000], q_var: [20000, 20000, 20000]}}
"""
METERS = """
meters:
  - {name: lv, profile: kw320q, accuracy: ideal, at: {branch: T, end: to, reverse: true}, ct: 1000:5}
"""


def run(folder, text="", *, u_pu=1.0, side="hv", band=3, more="", minutes=10):
    network = NETWORK.format(u_pu=u_pu, side=side, band=band, more=more)
    return Run(folder, text, network=network, meters=METERS, minutes=minutes)


def moves(site):
    """Return when taps moved, and to where."""
    start = site.scenario.start_ns
    return [
        (round((entry.time_ns - start) / 1e9, 6), entry.detail["position"], entry.cause)
        for entry in site.of("TruthEntry")
        if entry.kind == "tap_changed"
    ]


def studied(network, unit):
    """Return the voltage of phase a at LV with a transformer that stays where it is [V]."""
    rows = flow(replace(network, transformers=(unit,), tap_changers=()))
    return next(row["v_volt"] for row in rows if row["bus"] == "LV" and row["phase"] == "a")


@pytest.mark.parametrize("side", ["hv", "lv"])
def test_it_waits_then_steps_until_the_voltage_is_back_in_its_band(tmp_path, side):
    site = run(tmp_path, u_pu=0.93, side=side).to(120)
    way = -1 if side == "hv" else 1
    taken = moves(site)
    assert [(when, position) for when, position, _ in taken] == [
        (30 + 3 * at, way * (at + 1)) for at in range(len(taken))
    ]
    assert {cause for *_, cause in taken} == {"AVR"}
    # Where it rests, the study of the same network that moves the same steps agrees.
    network = read_network(tmp_path / "network.yaml")
    moved = replace(network.transformers[0], tap=taken[-1][1])
    seen = abs(complex(site.site.fundamental(0)[0]))
    assert seen == pytest.approx(studied(network, moved), rel=1e-6)
    assert abs(seen / 2.3094 - 100) <= 1.5
    fewer = replace(network.transformers[0], tap=taken[-1][1] - way)
    assert abs(studied(network, fewer) / 2.3094 - 100) > 1.5


def test_a_voltage_that_returns_in_time_moves_nothing(tmp_path):
    """Twenty seconds of a heavy load, twice: the delay of thirty starts anew each time."""
    events = """
events:
  - {event: fault, name: F1, at: "12:00:20", bus: LV, type: 3ph, phases: abc,
     resistance: 0.3 ohm, clear_after: 20 s}
  - {event: fault, name: F2, at: "12:00:45", bus: LV, type: 3ph, phases: abc,
     resistance: 0.3 ohm, clear_after: 20 s}
"""
    assert moves(run(tmp_path, events).to(200)) == []
    longer = events.partition("  - {event: fault, name: F2")[0].replace(
        "clear_after: 20 s", "clear_after: 60 s"
    )
    taken = moves(run(tmp_path, longer).to(200))
    assert taken[0][0] == 50.0


def test_what_it_cannot_mend_it_leaves_alone(tmp_path):
    """A collapsed voltage, and a bus without any."""
    events = """
events:
  - {event: fault, name: F, at: "12:00:20", bus: LV, type: 3ph, phases: abc,
     resistance: 0.01 ohm, clear_after: 100 s}
"""
    assert moves(run(tmp_path, events).to(119)) == []
    opened = 'events: [{event: switch, switch: Q, at: "12:00:20", to: open}]'
    assert moves(run(tmp_path, opened).to(200)) == []


def test_it_stops_at_its_last_tap(tmp_path):
    taken = moves(run(tmp_path, u_pu=0.85, more=", undervoltage_percent: 50").to(300))
    assert [position for _, position, _ in taken] == [-1, -2, -3, -4]


def test_an_operator_raises_and_lowers_and_is_told_why_not(tmp_path):
    site = run(tmp_path)
    site.to(5)
    before = abs(complex(site.site.fundamental(0)[0]))

    def ask(verb, target="AVR"):
        return site.built.engine.apply(Command("operator", target, verb, {}))

    assert ask("raise").refusal is None
    site.to(5.001)
    # One tap of 2.5 % of turns on the high-voltage side.
    assert abs(complex(site.site.fundamental(0)[0])) / before == pytest.approx(1 / 0.975, rel=2e-3)
    assert moves(site) == [(5.0, -1, "operator")]
    assert ask("lower").refusal is None
    for _ in range(4):
        assert ask("lower").refusal is None
    assert ask("lower").refusal is Refusal.ILLEGAL_VALUE
    assert ask("open").refusal is Refusal.ILLEGAL_FUNCTION
    assert ask("raise", "NONE").refusal is Refusal.UNKNOWN_TARGET
    # Left to itself it brings the voltage back.
    site.to(300)
    assert abs(abs(complex(site.site.fundamental(0)[0])) / 2.3094 - 100) <= 1.5


def test_the_line_drop_is_compensated(tmp_path):
    """With the load's own drop set, it holds the voltage further out: higher by just that."""
    more = ", ct_primary_a: 1000, r_line_v: 8, x_line_v: 0"
    site = run(tmp_path, more=more).to(200)
    seen = site.site.fundamental(0)
    volts, current = complex(seen[0]), -complex(seen[3])
    held = abs(volts / 2.3094 - 8 * current / 1000)
    assert moves(site)
    assert abs(held - 100) <= 1.5


@pytest.mark.parametrize(
    ("written", "needed"), [("delay_s: 30", "delay_s: -1"), ("tap_delay_s: 3", "tap_delay_s: -3")]
)
def test_negative_delays_are_refused(tmp_path, written, needed):
    text = NETWORK.format(u_pu=1, side="hv", band=3, more="").replace(written, needed, 1)
    with pytest.raises(BadInputError, match=r"negative.*give 0 or more"):
        Run(tmp_path, network=text, meters=METERS)


def test_a_tap_changer_takes_no_name_of_a_meter_or_switch(tmp_path):
    text = NETWORK.format(u_pu=1, side="hv", band=3, more="")
    with pytest.raises(BadInputError, match="AVR"):
        Run(tmp_path, network=text, meters=METERS.replace("name: lv", "name: AVR"))
    with pytest.raises(BadInputError, match="AVR"):
        Run(tmp_path, network=text.replace("name: Q,", "name: AVR,"), meters=METERS)
