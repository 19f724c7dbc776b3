"""Protection in simulated time, held against the curves at the currents that the network has."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.protection_bench import Bench
from twin.grid import fault
from twin.grid.protection import CURVES, gg_link, k_link

FEEDER = """
network: feeder
buses:
  - {name: GRID, u_rated_v: 20000}
  - {name: HEAD, u_rated_v: 20000}
  - {name: MID, u_rated_v: 20000}
  - {name: END, u_rated_v: 20000}
  - {name: LATERAL, u_rated_v: 20000}
sources: [{name: S, bus: GRID, r1_ohm: 0.2, x1_ohm: 2, r0_ohm: 0.2, x0_ohm: 2}]
line_types: [{name: oh, r1_ohm_per_km: 0.4, x1_ohm_per_km: 0.35, r0_ohm_per_km: 0.6, x0_ohm_per_km: 1.4}]
lines:
  - {name: L0, from: GRID, to: HEAD, type: oh, length_m: 500}
  - {name: L1, from: HEAD, to: MID, type: oh, length_m: 4000}
  - {name: L2, from: MID, to: END, type: oh, length_m: 6000}
  - {name: L3, from: MID, to: LATERAL, type: oh, length_m: 3000}
switches: [{name: CB, branch: L0}, {name: Q1, branch: L1}, {name: Q2, branch: L2}]
"""

RELAY = """
relays:
  - {name: R0, switch: CB, pickup_a: 300, curve: iec_a, time_dial: 0.2, residual_pickup_a: 60,
     residual_curve: iec_b, residual_time_dial: 0.3, opening_time_s: 0.05}
"""

GRADED = """
relays:
  - {name: R0, switch: CB, pickup_a: 300, curve: iec_a, time_dial: 0.25}
  - {name: R1, switch: Q1, pickup_a: 200, curve: iec_a, time_dial: 0.1}
"""


def current(bench, bus, kind="3ph", phases="abc", resistance=0.0):
    """Return the largest fault current from the study of the same network, without loads [A]."""
    row = fault(bench.network, bus=bus, type=kind, phases=phases, resistance=resistance, loads="none")
    return max(one["magnitude"] for one in row["fault_current_a"].values())


def iec(name, multiple, dial):
    curve = CURVES[name]
    return dial * (curve.k / (multiple**curve.alpha - 1) + curve.c)


def test_a_relay_trips_at_the_time_of_its_curve(tmp_path):
    bench = Bench(tmp_path, FEEDER + RELAY)
    bench.fault(1.0, "MID")
    bench.run(5.0)
    expected = iec("iec_a", current(bench, "MID") / 300, 0.2)
    assert bench.times("protection_pickup") == [1.0]
    assert bench.times("relay_tripped") == pytest.approx([1.0 + expected], abs=1e-6)
    assert bench.times("switch_operated", cause="R0") == pytest.approx([1.0 + expected + 0.05], abs=1e-6)
    assert bench.site.switches["CB"] is False


def test_an_earth_fault_trips_by_the_residual_current(tmp_path):
    bench = Bench(tmp_path, FEEDER + RELAY)
    bench.fault(1.0, "END", "slg", "b", 40.0)
    bench.run(5.0)
    amps = current(bench, "END", "slg", "b", 40.0)
    expected = min(iec("iec_b", amps / 60, 0.3), iec("iec_a", amps / 300, 0.2) if amps > 300 else 99)
    assert bench.times("relay_tripped") == pytest.approx([1.0 + expected], abs=1e-3)
    assert bench.detail("relay_tripped")[0]["ansi"] == "51N"
    assert bench.detail("relay_tripped")[0]["residual_a"] == pytest.approx(amps, rel=1e-9)


def test_two_relays_are_graded_and_the_upstream_one_falls_back(tmp_path):
    bench = Bench(tmp_path, FEEDER + GRADED)
    bench.fault(1.0, "END")
    bench.run(8.0)
    amps = current(bench, "END")
    assert bench.times("relay_tripped", cause="R1") == pytest.approx(
        [1.0 + iec("iec_a", amps / 200, 0.1)], abs=1e-6
    )
    assert bench.times("relay_tripped", cause="R0") == []
    assert len(bench.times("protection_dropout", cause="R0")) == 1
    assert iec("iec_a", amps / 300, 0.25) > iec("iec_a", amps / 200, 0.1) + 0.3
    assert bench.site.switches == {"CB": True, "Q1": False, "Q2": True}


def test_the_upstream_relay_clears_what_the_downstream_one_cannot_see(tmp_path):
    bench = Bench(tmp_path, FEEDER + GRADED)
    bench.fault(1.0, "HEAD")
    bench.run(8.0)
    amps = current(bench, "HEAD")
    assert bench.times("relay_tripped", cause="R1") == []
    assert bench.times("relay_tripped", cause="R0") == pytest.approx(
        [1.0 + iec("iec_a", amps / 300, 0.25)], abs=1e-6
    )


def test_a_worse_fault_later_takes_the_rest_of_the_way_faster(tmp_path):
    bench = Bench(tmp_path, FEEDER + RELAY)
    bench.fault(1.0, "END", resistance=15.0)
    first, second = current(bench, "END", resistance=15.0), current(bench, "END")
    slow, fast = iec("iec_a", first / 300, 0.2), iec("iec_a", second / 300, 0.2)
    bench.fault(1.0 + slow / 2, "END")
    bench.run(9.0)
    assert slow > fast
    assert bench.times("relay_tripped") == pytest.approx([1.0 + slow / 2 + fast / 2], abs=1e-6)


RECLOSER = """
reclosers:
  - {name: REC, switch: Q1, pickup_a: 200, fast_time_dial: 0.02, slow_time_dial: 1.0, reset_time_s: 20,
     dead_times_s: [0.5, 2, 5], opening_time_s: 0.03}
fuses:
  - {name: F3, branch: L3, type: K, rating_a: 100, tolerance: 0.5}
"""


FAST = 0.02


def ieee(bench, amps, dial):
    return iec("ieee_very_inverse", min(amps / 200, 20), dial)


def test_a_temporary_fault_is_gone_after_the_fast_trip_and_the_fuse_is_whole(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER)
    bench.fault(1.0, "LATERAL", "slg", "b")
    amps = current(bench, "LATERAL", "slg", "b")
    trip = 1.0 + ieee(bench, amps, FAST)
    bench.at(trip + 0.3, lambda: bench.site.clear_fault("F", cause="test"))
    bench.run(40.0)
    opened = trip + 0.03
    assert bench.times("recloser_tripped") == pytest.approx([trip], abs=1e-6)
    assert bench.times("switch_operated", closed=False) == pytest.approx([opened], abs=1e-6)
    assert bench.times("recloser_reclosed") == pytest.approx([opened + 0.5], abs=1e-6)
    assert bench.times("recloser_reset") == pytest.approx([opened + 0.5 + 20.0], abs=1e-6)
    assert bench.times("fuse_melted") == []
    melted = k_link(100, tolerance=0.5).melting().trip_seconds(amps)
    assert bench.protection.fuse("F3").melted("b") == pytest.approx(
        (trip + 0.03 - 1.0) / melted * 1.0, rel=1e-3
    )


def test_a_lasting_fault_behind_the_fuse_blows_it_before_lockout(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER)
    bench.fault(1.0, "LATERAL", "slg", "b")
    bench.run(60.0)
    amps = current(bench, "LATERAL", "slg", "b")
    fast = ieee(bench, amps, FAST) + 0.03
    melt = k_link(100, tolerance=0.5).melting().trip_seconds(amps)
    # Two fast shots heat the link and open; in the slow one it takes the rest of its time to melt.
    third = 1.0 + 2 * fast + 0.5 + 2.0
    assert 2 * fast < melt
    assert bench.times("recloser_tripped") == pytest.approx(
        [1 + fast - 0.03, 1.5 + 2 * fast - 0.03], abs=1e-6
    )
    cooled = bench.times("fuse_melted")[0] - third
    share = (fast / melt * math.exp(-0.5 / 60) + fast / melt) * math.exp(-2.0 / 60)
    assert cooled == pytest.approx((1 - share) * melt, abs=1e-6)
    assert bench.times("fuse_cleared") == pytest.approx([third + cooled + 0.01], abs=1e-6)
    assert bench.times("recloser_locked_out") == []
    assert len(bench.times("recloser_reset")) == 1
    assert bench.site.switches["Q1"] is True
    assert bench.site.fundamental(1)[3:] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_lasting_fault_before_the_fuse_locks_the_recloser_out(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER)
    bench.fault(1.0, "END")
    bench.run(60.0)
    amps = current(bench, "END")
    fast, slow = ieee(bench, amps, FAST) + 0.03, ieee(bench, amps, 1.0) + 0.03
    trips = [1 + fast, 1.5 + 2 * fast, 3.5 + 2 * fast + slow, 8.5 + 2 * fast + 2 * slow]
    assert bench.times("recloser_tripped") == pytest.approx([t - 0.03 for t in trips], abs=1e-6)
    assert bench.times("switch_operated", closed=False) == pytest.approx(trips, abs=1e-6)
    assert bench.times("recloser_locked_out") == pytest.approx([trips[-1] - 0.03], abs=1e-6)
    assert bench.site.switches["Q1"] is False
    assert bench.times("fuse_melted") == []


def test_an_operator_s_orders_go_through_the_recloser(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER)
    bench.fault(1.0, "END")
    amps = current(bench, "END")
    first = 1.0 + ieee(bench, amps, FAST) + 0.03
    bench.at(first + 0.2, lambda: bench.site.operate("Q1", closed=False, cause="operator"))
    bench.at(20.0, lambda: bench.site.operate("Q1", closed=True, cause="operator"))
    bench.run(60.0)
    assert bench.times("recloser_locked_out")[0] == pytest.approx(first + 0.2)
    # Closed by hand on the same fault the whole sequence runs again.
    assert len(bench.times("recloser_tripped")) == 1 + 4
    assert bench.times("recloser_tripped")[1] == pytest.approx(20.0 + ieee(bench, amps, FAST), abs=1e-6)
    assert bench.times("switch_operated", cause="operator") == [20.0]


SECTIONALISER = """
reclosers:
  - {name: REC, switch: Q1, pickup_a: 200, fast_time_dial: 0.1, slow_time_dial: 1.0, reset_time_s: 20,
     dead_times_s: [0.5, 2, 5]}
sectionalisers:
  - {name: SEC, switch: Q2, actuating_a: 160, counts: 2, memory_s: 60, opening_delay_s: 0.1}
"""


def test_a_sectionaliser_opens_in_the_dead_time_and_the_recloser_holds(tmp_path):
    bench = Bench(tmp_path, FEEDER + SECTIONALISER)
    bench.fault(1.0, "END")
    bench.run(60.0)
    fast = ieee(bench, current(bench, "END"), 0.1)
    second = 1.0 + 2 * fast + 0.5
    assert bench.times("sectionaliser_opened") == pytest.approx([second + 0.1], abs=1e-6)
    assert len(bench.times("recloser_tripped")) == 2
    assert bench.site.switches == {"CB": True, "Q1": True, "Q2": False}
    assert len(bench.times("recloser_reset")) == 1


def test_a_fault_elsewhere_is_no_count(tmp_path):
    bench = Bench(tmp_path, FEEDER + SECTIONALISER)
    bench.fault(1.0, "LATERAL")
    bench.run(60.0)
    assert bench.times("sectionaliser_opened") == []
    assert len(bench.times("recloser_locked_out")) == 1


def test_a_blown_fuse_is_replaced_and_stays_open_until_then(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER)
    bench.fault(1.0, "LATERAL")
    bench.at(40.0, lambda: bench.site.clear_fault("F", cause="test"))
    bench.at(45.0, lambda: bench.site.operate("Q1", closed=False, cause="operator"))
    bench.at(46.0, lambda: bench.site.operate("Q1", closed=True, cause="operator"))
    bench.run(50.0)
    assert {e.detail["phase"] for e in bench.truth if e.kind == "fuse_cleared"} == set("abc")
    lateral = [(bench.network.branch_index["L3"], 0, phase) for phase in "abc"]
    assert set(lateral) <= bench.site.solver.state.open_poles
    bench.protection.replace_fuse("F3")
    assert bench.site.solver.state.open_poles == frozenset()
    assert bench.times("fuse_replaced") == [50.0]


def test_the_same_run_twice_is_the_same(tmp_path):
    def run(name):
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder, FEEDER + RECLOSER, loads=[("END", 3e5), ("LATERAL", 2e5)], modes=False)
        bench.fault(1.0, "LATERAL", "llg", "bc", 2.0)
        return bench.run(40.0).truth

    assert run("one") == run("other")


@pytest.mark.parametrize(
    ("keys", "ansi", "delay"),
    [("undervoltage_v: 10000, undervoltage_delay_s: 0.7, undervoltage_block_v: 500", "27 a", 0.7)],
)
def test_an_undervoltage_element_trips_after_its_delay(keys, ansi, delay, tmp_path):
    text = f"relays: [{{name: U, switch: Q1, {keys}, opening_time_s: 0}}]\n"
    bench = Bench(tmp_path, FEEDER + text)
    bench.fault(1.0, "HEAD", "slg", "a", 0.5)
    bench.run(4.0)
    assert bench.times("relay_tripped") == pytest.approx([1.0 + delay], abs=1e-6)
    assert bench.detail("relay_tripped")[0]["ansi"] == ansi


def test_frequency_elements_follow_the_site(tmp_path):
    text = "relays: [{name: U, switch: Q1, underfrequency_hz: 49, underfrequency_delay_s: 0.2}]\n"
    bench = Bench(tmp_path, FEEDER + text)
    bench.at(2.0, lambda: bench.site.set_frequency(48.8))
    bench.run(4.0)
    assert bench.times("relay_tripped") == pytest.approx([2.2], abs=1e-6)


def test_with_modes_poles_open_at_zeros_one_after_the_other(tmp_path):
    bench = Bench(tmp_path, FEEDER + RECLOSER, loads=[("END", 3e5), ("LATERAL", 2e5)], modes=True)
    bench.fault(1.0, "LATERAL")
    bench.run(60.0)
    cleared = bench.times("fuse_cleared")
    assert len(cleared) == 3
    assert max(cleared) - min(cleared) < 0.011
    assert len(set(cleared)) > 1
    assert bench.times("recloser_locked_out") == []


def test_a_relay_far_below_its_pickup_costs_next_to_nothing(tmp_path):
    from time import perf_counter

    bench = Bench(tmp_path, FEEDER + RECLOSER, loads=[("END", 3e5)])
    bench.run(0.1)
    for host in bench.protection.hosts:
        host.measure = None  # nobody may be asked
    start = perf_counter()
    for _ in range(2000):
        bench.protection.look()
    assert (perf_counter() - start) / 2000 < 200e-6


LOW_VOLTAGE = """
network: low
buses: [{name: MV, u_rated_v: 20000}, {name: LV, u_rated_v: 400}, {name: HOUSE, u_rated_v: 400}]
sources: [{name: S, bus: MV, r1_ohm: 0.2, x1_ohm: 2, r0_ohm: 0.2, x0_ohm: 2}]
transformers:
  - {name: T, hv: MV, lv: LV, s_rated_va: 250000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 4, vkr_percent: 1.3,
     vector_group: Dyn5}
lines: [{name: L, from: LV, to: HOUSE, r1_ohm: 0.06, x1_ohm: 0.02, r0_ohm: 0.2, x0_ohm: 0.06}]
fuses: [{name: F, branch: T, end: to, type: gG, rating_a: 250}]
"""


@pytest.mark.parametrize("modes", [False, True])
def test_a_fuse_on_the_low_voltage_side_melts_by_its_own_side_s_current(modes, tmp_path):
    bench = Bench(tmp_path, LOW_VOLTAGE, loads=[("HOUSE", 9e3)], modes=modes)
    bench.fault(1.0, "HOUSE", "slg", "b", 0.01)
    bench.run(400.0)
    amps = current(bench, "HOUSE", "slg", "b", 0.01)
    (melted,) = bench.times("fuse_melted")
    expected = gg_link(250).melting().trip_seconds(amps)
    # The customer's own current flows beside that of the fault.
    assert melted == pytest.approx(1.0 + expected, rel=0.1)
    (cleared,) = bench.times("fuse_cleared")
    arcing = gg_link(250).arcing(amps)
    assert arcing <= cleared - melted <= arcing + (0.0101 if modes else 1e-6)
    assert abs(bench.site.fundamental(0)[4]) < 1e-6
    assert abs(bench.site.fundamental(0)[3]) > 10.0


CHAIN = """
network: chain
buses: [{name: B0, u_rated_v: 20000}, {name: B1, u_rated_v: 20000}, {name: B2, u_rated_v: 20000},
        {name: B3, u_rated_v: 20000}]
sources: [{name: S, bus: B0, r1_ohm: 0.3, x1_ohm: 3, r0_ohm: 0.3, x0_ohm: 3}]
lines:
  - {name: L1, from: B0, to: B1, r1_ohm: 1, x1_ohm: 2, r0_ohm: 2, x0_ohm: 6}
  - {name: L2, from: B1, to: B2, r1_ohm: 1, x1_ohm: 2, r0_ohm: 2, x0_ohm: 6}
  - {name: L3, from: B2, to: B3, r1_ohm: 1, x1_ohm: 2, r0_ohm: 2, x0_ohm: 6}
switches: [{name: Q1, branch: L1}, {name: Q2, branch: L2}, {name: Q3, branch: L3}]
relays:
  - {name: R1, switch: Q1, pickup_a: 300, curve: iec_a, time_dial: 0.3}
  - {name: R2, switch: Q2, pickup_a: 250, curve: iec_a, time_dial: 0.2}
  - {name: R3, switch: Q3, pickup_a: 200, curve: iec_a, time_dial: 0.1}
"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bus=st.integers(1, 3),
    kind=st.sampled_from([("slg", "a"), ("ll", "bc"), ("llg", "ab"), ("3ph", "abc")]),
    ohm=st.floats(0.0, 5.0),
)
def test_whatever_the_fault_the_nearest_relay_alone_clears_it(bus, kind, ohm, tmp_path):
    bench = Bench(tmp_path, CHAIN)
    bench.fault(1.0, f"B{bus}", *kind, ohm)
    bench.run(30.0)
    (trip,) = bench.times("relay_tripped")
    assert bench.times("relay_tripped", cause=f"R{bus}") == [trip]
    amps = current(bench, f"B{bus}", *kind, ohm)
    pickup, dial = {1: (300, 0.3), 2: (250, 0.2), 3: (200, 0.1)}[bus]
    assert trip - 1.0 == pytest.approx(iec("iec_a", min(amps / pickup, 20), dial), abs=1e-6)
    assert bench.site.switches == {f"Q{at}": at != bus for at in (1, 2, 3)}
