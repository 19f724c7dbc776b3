"""Installation faults against closed forms: what a wrongly connected meter makes of a known load."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import EventRecord
from twin.meters.bank import MeterBank
from twin.meters.connection import Connection, ConnectionFaultError, input_map
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.settings import AlarmChannel
from twin.meters.wiring import terminals

VOLTS, AMPERES, LAG = 230.0, 4.0, math.radians(30)
P = VOLTS * AMPERES * math.cos(LAG)
"""Of a phase [W]."""
Q = VOLTS * AMPERES * math.sin(LAG)
WIRINGS = ("3LN", "1LN", "1LL", "2LL", "3LL")


def connected(connection, *, wiring="3LN", current_wiring="3CT", rms=None, seconds=10, **settings):
    """A meter that is connected so from its start, after some seconds."""
    installed = {"installed_wiring": wiring, "installed_current_wiring": current_wiring}
    own = replace(SETTINGS, wiring=wiring, current_wiring=current_wiring, **installed, **settings)
    bank = MeterBank([own], start_ns=T0)
    bank.connect(0, connection, T0)
    feed = Feed()
    feed.add(phasors(VOLTS, AMPERES, LAG) if rms is None else rms)
    feed.run(bank, seconds * SECOND)
    return bank


def shown(connection, **given):
    return connected(connection, **given).basic(0)


@pytest.mark.parametrize(("wiring", "currents"), [*itertools.product(WIRINGS, ("3CT", "2CT", "1CT"))])
def test_nothing_wrong_is_the_wiring_itself(wiring, currents):
    np.testing.assert_allclose(
        input_map(Connection(), wiring, currents), terminals(wiring, currents), atol=1e-15
    )


def test_one_reversed_transformer_leaves_a_third_of_a_balanced_load():
    read = shown(Connection(ct_reversed=frozenset("a")))
    assert read["p_sum"] == pytest.approx(P)  # of 3 P
    assert (read["p1"], read["p2"], read["p3"]) == pytest.approx((-P, P, P))
    assert (read["q1"], read["q_sum"]) == pytest.approx((-Q, Q))
    assert read["i1"] == pytest.approx(AMPERES)
    # Two currents of three turned by 180 degrees: the neutral current that is reckoned is 2 I.
    assert read["i_n"] == pytest.approx(2 * AMPERES)


def test_the_energy_of_a_reversed_transformer_is_exported():
    energies = connected(Connection(ct_reversed=frozenset("a")), seconds=3600).energies(0)
    assert energies["epa_exp"] == pytest.approx(P)
    assert energies["epa_imp"] == 0.0
    assert energies["ep_imp"] == pytest.approx(2 * P)
    assert energies["ep_net"] == pytest.approx(P)


def test_exchanged_voltages_turn_the_rotation_and_balanced_powers_cancel():
    read = shown(Connection(voltage_order="bacn"))
    # Unbalance is negative over positive sequence: all of it is negative now.
    assert read["v_unbalance"] > 1e6
    assert read["angle_v2_v1"] == pytest.approx(120.0)
    by_hand = [
        VOLTS * AMPERES * math.cos(angle) for angle in (LAG - 2 * math.pi / 3, LAG + 2 * math.pi / 3, LAG)
    ]
    assert (read["p1"], read["p2"], read["p3"]) == pytest.approx(tuple(by_hand))
    assert read["p_sum"] == pytest.approx(0.0, abs=1e-9)


def test_exchanged_phases_of_both_leave_powers_right():
    read = shown(Connection(voltage_order="bacn", current_order="bac"))
    assert (read["p_sum"], read["q_sum"]) == pytest.approx((3 * P, 3 * Q))
    assert read["v_unbalance"] > 1e6
    assert read["i_unbalance"] > 1e6


def test_a_voltage_input_on_the_wrong_phase():
    read = shown(Connection(voltage_order="aacn"))
    assert (read["v12"], read["v23"]) == pytest.approx((0.0, math.sqrt(3) * VOLTS), abs=1e-9)
    assert read["p2"] == pytest.approx(VOLTS * AMPERES * math.cos(LAG + 2 * math.pi / 3))


def test_rolled_currents_make_a_power_factor_of_another_quadrant():
    read = shown(Connection(current_order="bca"))
    assert read["p1"] == pytest.approx(VOLTS * AMPERES * math.cos(LAG + 2 * math.pi / 3))
    assert read["p_sum"] == pytest.approx(3 * VOLTS * AMPERES * math.cos(LAG + 2 * math.pi / 3))
    assert read["pf"] == pytest.approx(math.cos(LAG + 2 * math.pi / 3))


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_an_open_transformer_gives_no_current(phase):
    read = shown(Connection(ct_dead=frozenset("abc"[phase])))
    currents = [0.0 if k == phase else AMPERES for k in range(3)]
    assert [read["i1"], read["i2"], read["i3"]] == pytest.approx(currents)
    assert read["p_sum"] == pytest.approx(2 * P)
    assert read["i_n"] == pytest.approx(AMPERES)


def test_two_wattmeters_with_one_current_reversed_show_the_reactive_power_over_root_3():
    # Blondel's elements: U I cos(30 deg + phi) and U I cos(30 deg - phi), U line to line.
    line = math.sqrt(3) * VOLTS
    right = shown(Connection(), wiring="2LL", current_wiring="2CT")
    wrong = shown(Connection(ct_reversed=frozenset("a")), wiring="2LL", current_wiring="2CT")
    assert right["p_sum"] == pytest.approx(3 * P)
    low, high = (line * AMPERES * math.cos(math.pi / 6 + sign * LAG) for sign in (1, -1))
    assert wrong["p_sum"] == pytest.approx(high - low)
    assert wrong["p_sum"] == pytest.approx(3 * Q / math.sqrt(3))
    # The current that nobody measures is reckoned from the two that are.
    assert wrong["i2"] == pytest.approx(abs(-(-1 + np.exp(2j * math.pi / 3))) * AMPERES)


def test_exchanged_neutral_shows_two_line_voltages():
    read = shown(Connection(voltage_order="nbca"))
    assert (read["v1"], read["v2"], read["v3"]) == pytest.approx(
        (VOLTS, math.sqrt(3) * VOLTS, math.sqrt(3) * VOLTS)
    )
    assert read["p1"] == pytest.approx(-P)


def test_an_open_neutral_hides_the_zero_sequence():
    rms = phasors(VOLTS, AMPERES, LAG).copy()
    rms[:3] += 12.0
    read = shown(Connection(neutral_open=True), rms=rms)
    assert [read["v1"], read["v2"], read["v3"]] == pytest.approx([VOLTS] * 3)
    assert shown(Connection(), rms=rms)["v1"] == pytest.approx(VOLTS + 12.0)


def lines(read):
    return [read[name] / (math.sqrt(3) * VOLTS) for name in ("v12", "v23", "v31")]


@pytest.mark.parametrize(
    ("wiring", "blown", "burden", "pattern"),
    [
        # Two transformers and two inputs: an outer phase follows the common one, the common one their middle.
        ("2LL", "a", 0.0, (0.0, 1.0, 1.0)),
        ("2LL", "c", 0.0, (1.0, 0.0, 1.0)),
        ("2LL", "b", 0.0, (0.5, 0.5, 1.0)),
        ("2LL", "a", 1.0, (1 / 3, 1.0, 2 / 3)),
        ("2LL", "ac", 0.0, (0.0, 0.0, 0.0)),
        ("2LL", "abc", 0.0, (0.0, 0.0, 0.0)),
        # Three inputs in star without neutral: the lost one sits in the middle of the others.
        ("3LL", "a", 0.0, (0.5, 1.0, 0.5)),
        ("3LL", "b", 0.0, (0.5, 0.5, 1.0)),
        ("3LL", "a", 2.0, (0.5, 1.0, 0.5)),
        ("3LL", "ab", 0.0, (0.0, 0.0, 0.0)),
    ],
)
def test_blown_fuses_of_three_wires(wiring, blown, burden, pattern):
    connection = Connection(fuses_blown=frozenset(blown), burden_between_phases=burden)
    read = shown(connection, wiring=wiring, current_wiring="2CT")
    assert lines(read) == pytest.approx(list(pattern), abs=1e-9)


def test_a_blown_fuse_in_star_reads_nothing_or_what_burdens_feed_back():
    dead = shown(Connection(fuses_blown=frozenset("b")))
    assert (dead["v1"], dead["v2"], dead["p2"]) == pytest.approx((VOLTS, 0.0, 0.0))
    assert (dead["v12"], dead["v23"]) == pytest.approx((VOLTS, VOLTS))
    assert dead["p_sum"] == pytest.approx(2 * P)
    # y (va + vc) / (1 + 2 y), opposite to what was there: a quarter at y = 1/2.
    ghost = shown(Connection(fuses_blown=frozenset("b"), burden_between_phases=0.5))
    assert ghost["v2"] == pytest.approx(VOLTS / 4)
    assert ghost["p2"] == pytest.approx(-P / 4)


def test_a_reversed_voltage_transformer_of_an_open_delta():
    read = shown(Connection(pt_reversed=frozenset("a")), wiring="2LL", current_wiring="2CT")
    # V31 is the sum of two line voltages 60 degrees apart instead of their difference.
    assert lines(read) == pytest.approx([1.0, 1.0, math.sqrt(3)])


def test_a_reversed_voltage_transformer_of_a_star():
    read = shown(Connection(pt_reversed=frozenset("b")))
    assert (read["p1"], read["p2"], read["p3"]) == pytest.approx((P, -P, P))
    assert [read["v12"], read["v23"], read["v31"]] == pytest.approx([VOLTS, VOLTS, math.sqrt(3) * VOLTS])


def test_leads_that_a_wiring_has_not():
    for wrong in (Connection(neutral_open=True), Connection(voltage_order="nbca")):
        with pytest.raises(ConnectionFaultError, match="no neutral lead"):
            input_map(wrong, "3LL", "3CT")
    with pytest.raises(ConnectionFaultError, match="write it as bacn"):
        Connection(voltage_order="bac")
    with pytest.raises(ConnectionFaultError, match="write it as bac"):
        Connection(current_order="bax")
    with pytest.raises(ConnectionFaultError, match="give 0 or more"):
        Connection(burden_between_phases=math.nan)


FAULTS = st.builds(
    Connection,
    voltage_order=st.permutations("abc").map(lambda three: "".join(three) + "n"),
    current_order=st.permutations("abc").map("".join),
    ct_reversed=st.frozensets(st.sampled_from("abc")),
    ct_dead=st.frozensets(st.sampled_from("abc")),
    pt_reversed=st.frozensets(st.sampled_from("abc")),
    fuses_blown=st.frozensets(st.sampled_from("abc")),
    burden_between_phases=st.floats(0, 3),
)


@given(connection=FAULTS, wiring=st.sampled_from(WIRINGS))
def test_kirchhoff_holds_at_every_lead_that_nothing_holds(connection, wiring):
    """Inputs and burdens draw, together, no current over a blown fuse."""
    voltage = input_map(connection, wiring, "3CT")[:3, :3]
    assert np.isfinite(voltage).all()
    phases = {"1LN": 1, "1LL": 2}.get(wiring, 3)
    for lost in connection.fuses_blown & set("abc"[:phases]):
        at = "abc".index(lost)
        if wiring == "2LL" and at == 1:
            drawn = voltage[0] + voltage[2] + connection.burden_between_phases * (voltage[0] + voltage[2])
        else:
            others = [k for k in range(phases) if k != at]
            burden = sum((voltage[at] - voltage[k] for k in others), np.zeros(3))
            drawn = voltage[at] + connection.burden_between_phases * burden
        np.testing.assert_allclose(drawn, 0.0, atol=1e-12)


def test_a_fault_that_begins_and_ends_while_time_passes():
    bank = MeterBank([replace(SETTINGS, sag_half_cycles=4)], start_ns=T0)
    feed = Feed()
    feed.add(phasors(VOLTS, AMPERES, LAG))
    records = feed.run(bank, 3600 * SECOND)
    bank.connect(0, Connection(fuses_blown=frozenset("c"), ct_reversed=frozenset("a")), feed.now)
    feed.anchor_again()
    records += feed.run(bank, 3600 * SECOND)
    assert bank.fast(0)["v3"] == 0.0
    bank.connect(0, Connection(), feed.now)
    feed.anchor_again()
    records += feed.run(bank, 3600 * SECOND)
    assert bank.fast(0)["v3"] == pytest.approx(VOLTS)
    energies = bank.energies(0)
    # A window of 200 ms straddles each boundary.
    assert energies["epa_exp"] == pytest.approx(P, rel=1e-4)
    assert energies["epa_imp"] == pytest.approx(2 * P, rel=1e-4)
    assert energies["epc_imp"] == pytest.approx(2 * P, rel=1e-4)
    # The event log has what a meter takes for an interruption of phase c, an hour long.
    begun, ended = (record for record in records if isinstance(record, EventRecord))
    assert (begun.type, begun.phases, begun.end_ns) == ("sag", "c", None)
    assert (begun.start_ns - T0) / SECOND == pytest.approx(3600.0, abs=0.02)
    assert (ended.end_ns - T0) / SECOND == pytest.approx(7200.02, abs=0.01)
    assert ended.extreme == 0.0


def test_where_time_is_cut_changes_nothing():
    outcomes = []
    for cuts in ((), (T0 + 7 * SECOND // 3, T0 + 5 * SECOND // 2 + 1)):
        bank = MeterBank([SETTINGS, replace(SETTINGS, name="n", accuracy="class")], start_ns=T0)
        feed = Feed()
        feed.add(phasors(VOLTS, AMPERES, LAG, meters=2))
        records = feed.run(bank, 2 * SECOND + 7)
        for connection in (Connection(fuses_blown=frozenset("b")), Connection(current_order="cab")):
            bank.connect(1, connection, feed.now)
            feed.anchor_again()
            records += feed.run(bank, SECOND, cuts=cuts)
        outcomes.append((records, bank.energies(0), bank.energies(1), bank.fast(1), bank.extremes(1)))
    assert outcomes[0] == outcomes[1]


def test_a_meter_that_samples_sees_a_fault_begin_and_end_as_one_that_reckons():
    """In mid cycle, with an alarm and a transformer that does not saturate."""
    alarm = AlarmChannel(parameter=14, comparison="<", setpoint=0.0, enabled=True)
    outcomes = []
    for kind in ({}, {"fidelity": "sampled"}, {"transformer": CurrentTransformer()}):
        own = replace(SETTINGS, alarm_enable=True, alarm_channels=(alarm,), sag_half_cycles=4, **kind)
        bank = MeterBank([own], start_ns=T0)
        feed = Feed()
        feed.add(phasors(VOLTS, AMPERES, LAG))
        records = feed.run(bank, SECOND + 3_456_789)
        for connection in (
            Connection(ct_reversed=frozenset("a"), fuses_blown=frozenset("c")),
            Connection(),
        ):
            bank.connect(0, connection, feed.now)
            feed.anchor_again()
            records += feed.run(bank, SECOND + 1_000_003)
        outcomes.append((records, bank.energies(0), bank.extremes(0)))
    (reckoned, energies, extremes), *others = outcomes
    kinds = [type(record).__name__ for record in reckoned]
    assert sorted(kinds) == ["AlarmRecord"] * 2 + ["EventRecord"] * 2
    for records, counted, seen in others:
        assert [type(record).__name__ for record in records] == kinds
        for one, other in zip(reckoned, records, strict=True):
            assert (one.meter, one.time_ns if hasattr(one, "time_ns") else one.start_ns) == (
                other.meter,
                other.time_ns if hasattr(other, "time_ns") else other.start_ns,
            )
        for name, value in energies.items():
            # What a part of a cycle swings by, S / 2 omega of S seconds, is counted where samples are.
            assert counted[name] == pytest.approx(value, rel=2e-3, abs=1e-6), name
        for name, extreme in extremes.items():
            assert seen[name].value == pytest.approx(extreme.value, rel=1e-4, abs=1e-2), name


def test_a_capture_shows_the_wave_that_arrives():
    bank = MeterBank([SETTINGS, replace(SETTINGS, name="n")], start_ns=T0)
    feed = Feed()
    feed.add(phasors(VOLTS, AMPERES, LAG, meters=2))
    feed.run(bank, SECOND)
    faults = Connection(ct_reversed=frozenset("a"), voltage_order="cban", fuses_blown=frozenset("b"))
    bank.connect(1, faults, feed.now)
    feed.anchor_again()
    feed.run(bank, SECOND)
    for meter in (0, 1):
        assert bank.trigger_capture(meter, feed.now)
    feed.run(bank, SECOND)
    (right,), (wrong,) = bank.captures(0), bank.captures(1)
    va, _, vc, ia, ib, ic = right.raw
    np.testing.assert_array_equal(wrong.raw, [vc, np.zeros_like(va), va, -ia, ib, ic])


def test_a_core_knows_nothing_of_the_leads_that_are_exchanged_behind_it():
    """With remanence aside, a saturating current arrives turned, half wave by half wave."""
    core = CurrentTransformer(accuracy_class="5P10", burden=20.0)
    shown_rms = []
    for connection in (Connection(), Connection(ct_reversed=frozenset("abc"))):
        bank = MeterBank([replace(SETTINGS, transformer=core)], start_ns=T0)
        feed = Feed()
        feed.add(phasors(VOLTS, 40.0, LAG))
        feed.run(bank, SECOND)
        bank.connect(0, connection, feed.now)
        feed.anchor_again()
        feed.run(bank, SECOND // 5)
        read = bank.fast(0)
        shown_rms.append((read["i1"], abs(read["p1"])))
    assert shown_rms[1] == pytest.approx(shown_rms[0], rel=1e-6)
    assert shown_rms[0][0] < 39.9


@pytest.mark.parametrize(("accuracy", "within"), [("ideal", 1e-9), ("class", 1e-7)])
def test_samples_and_closed_form_agree(accuracy, within):
    connection = Connection(
        voltage_order="cban",
        ct_reversed=frozenset("b"),
        fuses_blown=frozenset("a"),
        burden_between_phases=0.4,
    )
    closed, sampled = (
        connected(connection, seconds=60, fidelity=fidelity, accuracy=accuracy, seed=4)
        for fidelity in ("closed_form", "sampled")
    )
    one, other = closed.fast(0), sampled.fast(0)
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=within, abs=1e-6), name
    for name, value in closed.energies(0).items():
        assert sampled.energies(0)[name] == pytest.approx(value, rel=within, abs=1e-9), name


def test_a_direction_that_is_set_right_undoes_a_reversal_in_what_is_past_too():
    """The setting is the meter's arithmetic: it turns the kept signal, each part as it was connected."""

    def after(connection, *, turned):
        bank = MeterBank([SETTINGS], start_ns=T0)
        feed = Feed()
        feed.add(phasors(VOLTS, AMPERES, LAG))
        feed.run(bank, SECOND)
        bank.connect(0, connection, feed.now)
        feed.anchor_again()
        feed.run(bank, SECOND // 10)
        if turned:
            bank.configure(0, replace(SETTINGS, current_direction=(True, False, False)), feed.now)
        return bank.fast(0)["p1"]

    reversed_ = Connection(ct_reversed=frozenset("a"))
    assert after(reversed_, turned=False) == pytest.approx(0.0, abs=1e-9)  # half the window each way
    assert after(reversed_, turned=True) == pytest.approx(0.0, abs=1e-9)
    assert after(Connection(ct_dead=frozenset("a")), turned=True) == pytest.approx(-P / 2)
