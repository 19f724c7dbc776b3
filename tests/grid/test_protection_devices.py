"""Protective devices in a network file: read, written back, refused with field and mend."""

import pytest

from twin.contracts import BadInputError
from twin.documents import read_yaml
from twin.grid import network_text, parse_network
from twin.grid.protection import CURVES, OvercurrentRelay, VoltageRelay, k_link
from twin.grid.protection_settings import (
    fuse_state,
    recloser_state,
    relay_elements,
    sectionaliser_state,
)

BASE = """
network: N
buses: [{name: A, u_rated_v: 20000}, {name: B, u_rated_v: 20000}, {name: C, u_rated_v: 400}]
sources: [{name: S, bus: A, r1_ohm: 0.1, x1_ohm: 1, r0_ohm: 0.1, x0_ohm: 1}]
lines: [{name: L, from: A, to: B, r1_ohm: 1, x1_ohm: 1, r0_ohm: 2, x0_ohm: 4}]
transformers:
  - {name: T, hv: B, lv: C, s_rated_va: 400000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 4, vkr_percent: 1,
     vector_group: Dyn5}
switches: [{name: Q1, branch: L}, {name: Q2, branch: T}]
capacitors: [{name: CAP, bus: B, q_rated_var: 1000}]
"""

DEVICES = """
relays:
  - {name: R1, switch: Q1, pickup_a: 400, curve: iec_b, time_dial: 0.2, instantaneous_a: 3000,
     residual_pickup_a: 40, residual_curve: definite, residual_time_dial: 0.5, undervoltage_v: 8000,
     undervoltage_delay_s: 2, opening_time_s: 0.06}
reclosers:
  - {name: REC, switch: Q2, pickup_a: 50, fast_shots: 1, slow_shots: 1, dead_times_s: [0.5]}
fuses:
  - {name: F1, branch: T, type: K, rating_a: 15}
  - {name: F2, branch: T, end: to, melting_a: [100, 1000], melting_s: [300, 0.1], clearing_a: [100, 1000],
     clearing_s: [310, 0.2]}
"""


def parsed(text, tmp_path):
    file = tmp_path / "network.yaml"
    file.write_text(text, encoding="utf-8")
    return parse_network(read_yaml(file))


def test_devices_are_read_and_become_states(tmp_path):
    network = parsed(BASE + DEVICES, tmp_path)
    overcurrent, under = relay_elements(network.relays[0])
    assert isinstance(overcurrent, OvercurrentRelay)
    assert isinstance(under, VoltageRelay)
    assert overcurrent.settings.phase_time.curve is CURVES["iec_b"]
    assert overcurrent.settings.phase_time.operating_time(4000.0) == pytest.approx(0.2 * 13.5 / 9)
    assert overcurrent.settings.residual_time.operating_time(41.0) == 0.5
    recloser = recloser_state(network.reclosers[0])
    assert recloser.settings.dead_times == (0.5,)
    assert len(recloser.settings.shots) == 2
    link = fuse_state(network.fuses[0], network)
    assert link.settings.minimum_melting.points == k_link(15).minimum_melting.points
    assert fuse_state(network.fuses[1], network).settings.arcing(1000.0) == pytest.approx(0.1)


def test_what_is_written_is_what_was_read(tmp_path):
    network = parsed(BASE + DEVICES, tmp_path)
    assert parsed(network_text(network), tmp_path) == network


def test_a_sectionaliser_is_read(tmp_path):
    text = BASE + "sectionalisers: [{name: X, switch: Q2, actuating_a: 80, counts: 2, memory_s: 45}]\n"
    settings = sectionaliser_state(parsed(text, tmp_path).sectionalisers[0]).settings
    assert (settings.actuating_current, settings.counts, settings.memory_time) == (80.0, 2, 45.0)


@pytest.mark.parametrize(
    ("rows", "field", "what", "mend"),
    [
        ("relays: [{name: R, switch: Q9, pickup_a: 1}]", "relays[0].switch", "no 'Q9'", "Q2"),
        ("relays: [{name: R, switch: CAP, pickup_a: 1}]", "relays[0].switch", "capacitor", "line"),
        ("relays: [{name: R, switch: Q1}]", "relays[0].pickup_a", "never trips", "set pickup_a"),
        ("relays: [{name: R, switch: Q1, pickup_a: -1}]", "relays[0]", "pickup = -1", "above zero"),
        ("relays: [{name: R, switch: Q1, pickup_a: 1, curve: iec}]", "relays[0].curve", "'iec'", "iec_a"),
        ("relays: [{name: R, switch: Q1, pickup_a: 1, end: hv}]", "relays[0].end", "'hv'", "from or to"),
        (
            "relays: [{name: R, switch: Q1, pickup_a: 1}, {name: P, switch: Q1, pickup_a: 1}]",
            "relays[1].switch",
            "already operated by 'R'",
            "switch of its own",
        ),
        (
            "reclosers: [{name: R, switch: Q1, pickup_a: 9, dead_times_s: [1]}]",
            "reclosers[0].dead_times_s",
            "1 open times stand between 4 shots",
            "give 3",
        ),
        ("fuses: [{name: F, branch: M, type: K, rating_a: 10}]", "fuses[0].branch", "no 'M'", ""),
        ("fuses: [{name: F, branch: L, type: KT, rating_a: 10}]", "fuses[0].type", "'KT'", "K, T, gG"),
        ("fuses: [{name: F, branch: L, type: K, rating_a: 11}]", "fuses[0]", "rating = 11", "10, 12, 15"),
        ("fuses: [{name: F, branch: L}]", "fuses[0].type", "no curve", "rating_a"),
        (
            "fuses: [{name: F, branch: L, type: K, rating_a: 6}, {name: G, branch: L, type: T, rating_a: 6}]",
            "fuses[1].branch",
            "already has fuse 'F'",
            "other end",
        ),
        (
            "sectionalisers: [{name: X, switch: Q1, actuating_a: 80, counts: 0}]",
            "sectionalisers[0]",
            "counts = 0",
            "1 or more",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(rows, field, what, mend, tmp_path):
    with pytest.raises(BadInputError) as caught:
        parsed(BASE + rows + "\n", tmp_path)
    (finding,) = caught.value.findings
    assert finding.field == field
    assert what in finding.what
    assert mend in finding.mend
    assert finding.where.line
