"""Measurement faults of a site: from the start, from the scenario, injected; what meters and ledger show."""

import math
from datetime import datetime

import numpy as np
import pytest

from tests.simulation.test_engine import IDEAL, run
from tests.sites import write_site
from twin.contracts import BadInputError, Command, Refusal
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site

S = 10**9
QUIET = IDEAL[: IDEAL.index("events:")]
BENCH = """
version: 1
title: A bench
start: 2026-01-15 09:00
time_zone: Europe/London
duration: 10 min
source: {frequency: 50 Hz, voltage: 230 V, steps: [{duration: 1 h, current: 4 A, current_lag: 30 deg}]}
meters:
  - name: m
    profile: kw320q
    accuracy: ideal
    at: {}
"""
P = 230 * 4 * math.cos(math.radians(30))
"""Of a phase of the bench [W]."""


def bench(faults="", events="", more=""):
    text = BENCH + more
    if faults:
        text += "    faults:\n" + "".join(f"      - {{{one}}}\n" for one in faults.splitlines())
    if events:
        text += "events:\n" + "".join(f"  - {{event: {one}}}\n" for one in events.splitlines() if one.strip())
    return text


def fault(at, kind, more="", *, meter="m"):
    return f'measurement_fault, at: "{at}", meter: {meter}, kind: {kind}{more}\n'


def built(folder, scenario):
    site = build_site(load_scenario(write_site(folder, scenario=scenario)))
    site.begin()
    return site


def read(site, meter=0):
    fleet = site.engine.fleet
    return fleet.decode(meter, fleet.words(meter))


def after(site, seconds):
    site.engine.advance_to(site.engine.now_ns + round(seconds * S))
    return read(site)


def raw(site, name, meter=0):
    """The words of a register as a master reads them, found by its address."""
    fleet = site.engine.fleet
    words, at = fleet.words(meter), 0
    (point,) = [one for one in fleet.points(meter) if one.name == name]
    for block in fleet.blocks(meter):
        if block.address <= point.address < block.address + block.count:
            first = at + point.address - block.address
            return tuple(words[first : first + point.words].tolist())
        at += block.count
    raise AssertionError(name)


def shown_clock(site):
    names = ("year", "month", "day", "hour", "minute", "second")
    return datetime(*(raw(site, name)[0] for name in names))


def test_a_meter_that_was_wired_wrongly(tmp_path):
    with built(tmp_path, bench("kind: ct_reversed, phases: a\nkind: voltage_order, order: bac")) as site:
        shown = after(site, 60)
        # Balanced, exchanged voltages: the three elements cancel; with one of them turned twice that remains.
        angles = [math.radians(30 - 120), math.radians(30 + 120), math.radians(30)]
        elements = [230 * 4 * math.cos(angle) for angle in angles]
        assert shown["p1"] == pytest.approx(-elements[0], abs=1e-2)
        assert (shown["p2"], shown["p3"]) == pytest.approx((elements[1], elements[2]), rel=1e-6)
        site.engine.advance_to(site.engine.now_ns + 1)


def test_faults_begin_and_end_and_the_ledger_says_so(tmp_path):
    events = fault("09:02", "ct_reversed", ", phases: a, clear_after: 2 min") + fault(
        "09:03", "fuse_blown", ", phases: b, name: fuse in the box"
    )
    events += 'repair, at: "09:05", of: fuse in the box\n'
    path, site = run(tmp_path, scenario=bench(events=events))
    start = site.engine.now_ns - 600 * S
    truth = [
        (entry.kind, entry.element, entry.cause, (entry.time_ns - start) / S, entry.detail)
        for entry in Recording.open(path).truth()
        if entry.kind.startswith("measurement")
    ]
    reversed_ = {"name": "m ct_reversed", "what": "ct_reversed", "phases": "a"}
    blown = {"name": "fuse in the box", "what": "fuse_blown", "phases": "b"}
    assert truth == [
        ("measurement_fault_began", "m", "scenario", 120.0, reversed_),
        ("measurement_fault_began", "m", "scenario", 180.0, blown),
        ("measurement_fault_ended", "m", "scenario", 240.0, reversed_),
        ("measurement_fault_ended", "m", "repair", 300.0, blown),
    ]
    # Two minutes of phase a go to export, two of phase b are lost; windows of 200 ms straddle the changes.
    energies = site.engine.fleet.energies(0)
    assert energies["epa_exp"] == pytest.approx(P * 120 / 3600, rel=1e-3)
    assert energies["epa_imp"] == pytest.approx(P * 480 / 3600, rel=1e-3)
    assert energies["epb_imp"] == pytest.approx(P * 480 / 3600, rel=1e-3)
    assert energies["epc_imp"] == pytest.approx(P * 600 / 3600, rel=1e-5)


def test_a_blown_fuse_is_a_sag_to_the_meter(tmp_path):
    events = fault("09:03", "fuse_blown", ", phases: c, clear_after: 90 s")
    path, _ = run(tmp_path, scenario=bench(events=events, more="    sag: {threshold: 90 %}\n"))
    (event,) = Recording.open(path).events(meter="m")
    assert (event.type, event.phases, event.extreme) == ("sag", "c", 0.0)
    assert (event.end_ns - event.start_ns) / S == pytest.approx(90.0, abs=0.03)


def test_wrong_ratios_are_settings_of_the_meter(tmp_path):
    events = fault("09:02", "ratio_set", ', ct: "10:5", clear_after: 2 min')
    with built(tmp_path, bench(events=events)) as site:
        assert after(site, 60)["p_sum"] == pytest.approx(3 * P, rel=1e-6)
        shown = after(site, 120)
        assert raw(site, "ct1") == (10,)
        assert (shown["i1"], shown["p_sum"]) == pytest.approx((8.0, 6 * P), rel=1e-6)
        shown = after(site, 120)
        assert raw(site, "ct1") == (5,)
        assert shown["i1"] == pytest.approx(4.0, rel=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2 min", "2 min", [(10, 2200), (20, 4400), (20, 4400), (5, 2200)]),
        ("4 min", "1 min", [(10, 2200), (20, 4400), (10, 2200), (10, 2200)]),
    ],
)
def test_ratios_that_are_set_wrongly_one_over_the_other(tmp_path, first, second, expected):
    events = fault("09:01", "ratio_set", f', ct: "10:5", name: one, clear_after: {first}')
    events += fault("09:02", "ratio_set", f', pt: "440:220", ct: "20:5", name: two, clear_after: {second}')
    with built(tmp_path, bench(events=events)) as site:
        seen = []
        for _ in range(4):
            after(site, 60 if seen else 90)
            seen.append((*raw(site, "ct1"), *raw(site, "pt1_low")))
        assert seen == expected
        after(site, 60)
        assert (*raw(site, "ct1"), *raw(site, "pt1_low")) == (5, 2200)


def test_transformers_of_another_ratio_than_is_set(tmp_path):
    wrong = "kind: ratio_fitted, pt: 400:110, ct: 10:5"
    more = "    pt: 400:100\n"
    with built(tmp_path, bench(wrong, more=more)) as site:
        shown = after(site, 60)
    assert (shown["v1"], shown["i1"]) == pytest.approx((230 * 110 / 100, 4 / 2), rel=1e-6)
    assert shown["p_sum"] == pytest.approx(3 * P * 1.1 / 2, rel=1e-6)


def test_a_frozen_image_stands_still_while_the_meter_lives_on(tmp_path):
    with built(tmp_path, bench(events=fault("09:01:30", "frozen", ", clear_after: 3 min"))) as site:
        before = after(site, 90)
        words = site.engine.fleet.words(0)
        assert after(site, 120) == before
        np.testing.assert_array_equal(site.engine.fleet.words(0), words)
        assert shown_clock(site) == datetime(2026, 1, 15, 9, 1, 30)
        shown = after(site, 120)
        assert shown_clock(site) == datetime(2026, 1, 15, 9, 5, 30)
        # The register counts in tenths of a kWh; the counter itself missed nothing.
        assert (before["ep_imp"], shown["ep_imp"]) == (0.0, 200.0)
        assert site.engine.fleet.energies(0)["ep_imp"] == pytest.approx(3 * P * 330 / 3600, rel=1e-5)


def test_stuck_registers(tmp_path):
    events = fault("09:01", "stuck", ", registers: [v1, 4012H], name: one")
    events += fault("09:02", "stuck", ", registers: [v2], value: 0, name: two")
    events += fault("09:03", "phase_order", ", order: bac") + fault("09:03", "ct_open", ", phases: a")
    with built(tmp_path, bench(events=events)) as site:
        shown = after(site, 240)
    assert (shown["v1"], shown["i1"]) == pytest.approx((230.0, 4.0), rel=1e-6)
    assert (shown["v2"], shown["v3"]) == pytest.approx((0.0, 230.0), rel=1e-6)
    assert (shown["i2"], shown["p1"]) == pytest.approx((4.0, 0.0), rel=1e-6)


def test_floats_that_are_not_numbers(tmp_path):
    events = fault(
        "09:01", "not_a_number", ", registers: [v1, fast_i2], name: two of them, clear_after: 60 s"
    )
    events += fault("09:03", "not_a_number")
    with built(tmp_path, bench(events=events)) as site:
        shown = after(site, 90)
        assert raw(site, "v1") == raw(site, "fast_i2") == (0x7FC0, 0)
        assert math.isnan(shown["v1"])
        assert shown["v2"] == pytest.approx(230.0, rel=1e-6)
        assert not math.isnan(after(site, 60)["v1"])
        shown = after(site, 60)
        assert math.isnan(shown["frequency"])
        assert not math.isnan(shown["ep_imp"])
        site.frame_builder().build(site.engine, speed=1.0, paused=False, lateness_s=0.0, notice="")


def test_words_and_bytes_in_the_wrong_order(tmp_path):
    events = fault("09:01", "word_order", ", clear_after: 60 s") + fault("09:03", "byte_order")
    with built(tmp_path, bench(events=events)) as site:
        after(site, 30)
        high, low = raw(site, "v1")
        ratio = raw(site, "ct1")
        assert np.array([high << 16 | low], np.uint32).view(np.float32)[0] == pytest.approx(230.0)
        after(site, 60)
        assert raw(site, "v1") == (low, high)
        assert raw(site, "ct1") == ratio
        after(site, 120)
        swapped = tuple(word >> 8 | (word & 0xFF) << 8 for word in (high, low))
        assert raw(site, "v1") == swapped
        assert raw(site, "ct1") == (ratio[0] << 8,)


def test_clocks_that_drift_jump_and_stand_in_another_zone(tmp_path):
    events = fault("09:01", "clock_drift", ", drift: 10000, name: slow crystal, clear_after: 5 min")
    events += fault("09:02", "clock_jump", ", step: -1 h, clear_after: 2 min")
    events += fault("09:07", "time_zone", ", time_zone: Asia/Tokyo, clear_after: 60 s")
    with built(tmp_path, bench(events=events)) as site:
        seen = []
        for _ in range(9):
            after(site, 60)
            seen.append((shown_clock(site) - datetime(2026, 1, 15, 9)).total_seconds() - 60 * len(seen) - 60)
    # 1 % fast from 9:01 on; an hour back at 9:02; set right at 9:04, when the drift goes on; at 9:06 it ends.
    assert seen[:3] == pytest.approx([0, 0.0 - 3600, 1.0 - 3600], abs=1)
    assert seen == pytest.approx([0, -3600, -3599, 0, 0, 0, 9 * 3600, 0, 0], abs=1)


def test_a_counter_near_its_end_rolls_over(tmp_path):
    # 999,999,999 counts of 0.1 kWh are the last; 3 P in 150 s are 0.9956 counts of 100 Wh, in 152 s one.
    reading = "    energies: {ep_imp: 99999999.9 kWh, ep_total: 12.3 kWh}\n"
    with built(tmp_path, bench(more=reading)) as site:
        assert raw(site, "ep_imp") == (0x3B9A, 0xC9FF)
        assert after(site, 150)["ep_total"] == 12300.0
        assert raw(site, "ep_imp") == (0x3B9A, 0xC9FF)
        assert after(site, 2)["ep_total"] == 12400.0
        assert raw(site, "ep_imp") == (0, 0)
        assert site.summary()["meters"][0]["import_wh"] > 1e11


def test_months_past_begin_at_a_reading_too(tmp_path):
    reading = "    energies: {last1_ep_imp: 1234.5 kWh, last7_ep_net: -2 kWh, ep_imp: 3 kWh}\n"
    with built(tmp_path, bench(more=reading)) as site:
        assert [raw(site, name) for name in ("last1_ep_imp", "last7_ep_net", "ep_imp", "last2_ep_imp")] == [
            *((0, 12345), (0xFFFF, 0x10000 - 20), (0, 30), (0, 0))
        ]


def test_readings_that_no_counter_has(tmp_path):
    reading = "    energies: {ep_imp: 100 GWh, last8_ep_imp: 1 kWh, epa_imp: -1 Wh}\n"
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=bench(more=reading)))
    assert [one.field for one in caught.value.findings] == [
        f"meters[0].energies.{name}" for name in ("ep_imp", "last8_ep_imp", "epa_imp")
    ]


def test_where_time_is_cut_changes_nothing_and_a_site_without_faults_is_as_it_was(tmp_path):
    events = fault("18:03", "fuse_blown", ", phases: a, clear_after: 30.01 s", meter="home")
    events += fault("18:03:20", "clock_drift", ", drift: -120", meter="home")
    events += fault("18:04", "stuck", ", registers: [v1]", meter="head")
    events += fault("18:05", "current_order", ", order: cab, clear_after: 77 s", meter="head")
    scenario = QUIET + "history: {registers: {home: [v1, second], head: [v1, i1]}}\nevents:\n"
    scenario += "".join(f"  - {{event: {one}}}\n" for one in events.splitlines())
    hashes = []
    for name, cut in (("whole", None), ("cut", 777_777_777)):
        path, _ = run(tmp_path, name, scenario=scenario, cut_ns=cut)
        hashes.append(content_hash(path))
    assert hashes[0] == hashes[1]


def test_an_instructor_begins_and_ends_one(tmp_path):
    with built(tmp_path, QUIET) as site:
        engine = site.engine
        engine.advance_to(engine.now_ns + S)
        right = read(site)["i1"]

        def inject(**event):
            return engine.apply(Command("trainer", "site", "inject", event))

        open_ct = {"event": "measurement_fault", "meter": "head", "kind": "ct_open", "phases": "a"}
        assert inject(**open_ct).refusal is None
        assert after(site, 2)["i1"] == 0.0
        again = inject(**open_ct)
        assert (again.refusal, "there is a 'head ct_open' already" in again.detail) == (
            Refusal.ILLEGAL_VALUE,
            True,
        )
        assert inject(event="repair", of="head ct_open").refusal is None
        assert after(site, 2)["i1"] == pytest.approx(right, rel=1e-6)
        # The name is free again; a time to clear of an earlier one does not end a later one.
        assert inject(**open_ct, clear_after="10 s").refusal is None
        assert inject(event="repair", of="head ct_open").refusal is None
        assert inject(**open_ct).refusal is None
        assert after(site, 20)["i1"] == 0.0
        unknown = inject(**open_ct | {"meter": "hed", "name": "x"})
        assert "did you mean 'head'?" in unknown.detail
        none = inject(event="repair", of="nothing")
        assert none.refusal is Refusal.ILLEGAL_VALUE


WRONG = {
    "kind: ct_open": "meters[0].faults[0]: ct_open needs phases; add 'phases'",
    "kind: frozen, phases: a": "meters[0].faults[0].phases: frozen has no such field; leave it out",
    "kind: voltage_order, order: abc": "meters[0].faults[0].order: 'abc' is right; exchange some letters",
    "kind: current_order, order: nbc": "meters[0].faults[0].order: current order 'nbc' is none; "
    "write it as bac",
    "kind: current_order, order: abcn": "meters[0].faults[0].order: there is no fourth current input; "
    "write it as bac",
    "kind: phase_order, order: aab": "meters[0].faults[0].order: 'aab' exchanges no conductors; "
    "write it as bac",
    "kind: pt_reversed, phases: a": "meters[0].faults[0].kind: the meter has no voltage transformers; "
    "leave it out, or give the meter a pt",
    "kind: ratio_set": "meters[0].faults[0]: says no ratio; add 'pt', 'ct' or both",
    "kind: ratio_fitted, pt: 100:1": "meters[0].faults[0].pt: the meter has no voltage transformers; "
    "leave it out",
    "kind: ratio_set, ct: 10:x": "meters[0].faults[0].ct: '10:x' is no ratio; "
    "write primary:secondary, as in 200:5",
    'kind: ratio_set, ct: "10:7"': "meters[0].faults[0].ct: '10:7' cannot be set in the meter; "
    "give a ratio that its registers take",
    "kind: stuck, registers: [v9]": "meters[0].faults[0].registers[0]: there is no register 'v9'; "
    "did you mean 'v3_h9'?",
    "kind: stuck, registers: [4003H]": "meters[0].faults[0].registers[0]: no register begins at 4003H; "
    "give the first address of one, or its name",
    "kind: stuck, registers: [ct1], value: 7": "meters[0].faults[0].registers[0]: 'ct1' is a setting, "
    "which a master can write and read back; let it be stuck without a value",
    "kind: stuck, registers: [second], value: 70000": "meters[0].faults[0].value: 70000 does not fit "
    "'second'; give 0..65535",
    "kind: not_a_number, registers: [ep_imp]": "meters[0].faults[0].registers[0]: 'ep_imp' is no float; "
    "it has no value that is none; leave it out, or let it be stuck",
    "kind: time_zone, time_zone: Europe/Londn": "meters[0].faults[0].time_zone: there is no time zone "
    "'Europe/Londn'; did you mean 'Europe/London'?",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_found(tmp_path, wrong):
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=bench(wrong)))
    found = [f"{one.field}: {one.what}; {one.mend}" for one in caught.value.findings]
    assert WRONG[wrong] in found
    assert all(one.where.line >= 14 for one in caught.value.findings)


@pytest.mark.parametrize(
    ("wiring", "wrong", "expected"),
    [
        ("wiring: 3LL", "kind: neutral_open", "3LL has no neutral lead"),
        ("wiring: 2LN", "kind: fuse_blown, phases: c", "the meter has nothing of the kind on phase c"),
        ("current_wiring: 2CT", "kind: ct_open, phases: b", "the meter has nothing of the kind on phase b"),
    ],
)
def test_what_a_wiring_has_not_is_found(tmp_path, wiring, wrong, expected):
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=bench(wrong, more=f"    {wiring}\n")))
    assert [one.what for one in caught.value.findings] == [expected]


def test_names_and_meters_of_events_are_checked(tmp_path):
    events = (
        fault("09:02", "frozen") + fault("09:04", "frozen") + fault("09:05", "ct_open, phases: a", meter="n")
    )
    events += 'repair, at: "09:06", of: m frozn\nswitch, at: "09:07", switch: SW, to: open\n'
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=bench(events=events)))
    assert [one.what for one in caught.value.findings] == [
        "'m frozen' stands twice",
        "there is no meter 'n'",
        "there is no fault, conductor or fuse 'm frozn'",
        "'switch' happens to a network",
        "there is no switch 'SW'",
    ]
