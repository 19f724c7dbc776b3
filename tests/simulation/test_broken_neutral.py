"""A neutral breaks on a running site whose loads emit harmonics, and is mended again."""

import numpy as np
import pytest

from tests.simulation.equipment_site import Run
from twin.contracts import Instant
from twin.signals import synthesise

FOUR_WIRE = """
network: four wires
frequency_hz: 50
buses:
  - {name: GRID, u_rated_v: 400, phases: abcn}
  - {name: HOUSE, u_rated_v: 400, phases: abcn}
sources: [{name: GRID, bus: GRID, r1_ohm: 0.01, x1_ohm: 0.03, r0_ohm: 0.01, x0_ohm: 0.03}]
lines:
  - name: CABLE
    from: GRID
    to: HOUSE
    phases: abcn
    r_ohm: [[0.1], [0.03, 0.1], [0.03, 0.03, 0.1], [0.03, 0.03, 0.03, 0.1]]
    x_ohm: [[0.06], [0.04, 0.06], [0.04, 0.04, 0.06], [0.04, 0.04, 0.04, 0.06]]
groundings: [{name: EARTH, bus: GRID}]
spectra: [{name: led, orders: [3, 5], percent: [60, 30], angle_deg: [180, 0]}]
loads:
  - {name: LIGHT, bus: HOUSE, phases: abc, p_w: [500, 900, 1400], q_var: [0, 0, 0], spectrum: led}
  - {name: HEAT, bus: HOUSE, phases: ab, p_w: [1500, 400], q_var: [0, 0], z_percent: 100}
"""

METERS = """
meters:
  - {name: house, profile: kw320q, accuracy: ideal, at: {branch: CABLE, end: to, reverse: true}, ct: 100:5}
"""

EVENT = """
events:
  - {event: conductor, at: "12:01:00.0037", name: theft, branch: CABLE, phase: n, mended_after: 60 s}
"""


def test_a_neutral_breaks_and_is_mended(tmp_path):
    run = Run(tmp_path, EVENT, network=FOUR_WIRE, meters=METERS)
    orders = list(run.site.solver.orders)
    third, fifth = orders.index(3), orders.index(5)
    whole = run.to(59).site.phasors(0).copy()
    assert abs(np.sum(whole[3:, third])) > 3.0  # third harmonics return in the neutral
    broken = run.to(90).site.phasors(0).copy()
    assert np.sum(broken[3:], axis=0) == pytest.approx(np.zeros(len(orders)), abs=1e-7)
    volts = np.abs(broken[:3])
    assert np.ptp(volts[:, 0]) > 20.0  # phases of unequal load no longer share the voltage
    assert volts[:, third].min() > 5.0
    assert volts[:, [third, fifth]].max() < volts[:, 0].max()
    mended = run.to(130).site.phasors(0)
    assert mended == pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert [kind for kind in ("conductor_broken", "conductor_mended") if len(run.truth(kind)) == 1] == [
        "conductor_broken",
        "conductor_mended",
    ]


def test_what_meters_see_stays_a_voltage_while_the_neutral_parts(tmp_path):
    run = Run(tmp_path, EVENT, network=FOUR_WIRE, meters=METERS)
    run.to(61)
    start = run.scenario.start_ns + 60 * 10**9
    seen = synthesise(run.signal(), Instant(start), step_s=1e-4, count=2000)
    assert np.isfinite(seen).all()
    assert np.abs(seen[:3]).max() < 2.5 * 325.0
