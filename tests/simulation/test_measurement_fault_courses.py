"""What lasts and what does not: neighbours of a faulty meter, and a meter after any course of faults."""

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.test_engine import IDEAL, run
from tests.simulation.test_measurement_faults import bench, raw, read, shown_clock
from tests.sites import write_site
from twin.contracts import Command
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

S = 10**9
FAULTY = (
    '  - {event: measurement_fault, at: "18:02:00.004", meter: head, kind: current_order, order: cab}\n'
    '  - {event: measurement_fault, at: "18:05:00.010", meter: head, kind: fuse_blown, phases: b}\n'
    '  - {event: repair, at: "18:05:00.311", of: head fuse_blown}\n'
    '  - {event: repair, at: "18:05:30", of: head current_order}\n'
)


def test_a_neighbour_notices_nothing_even_within_a_transient(tmp_path):
    """A capacitor is switched on at 18:02, a fault strikes at 18:05:00.003 and goes out 300 ms later."""
    dashboard = IDEAL.index("dashboard:")
    faulty = IDEAL[:dashboard] + FAULTY + IDEAL[dashboard:]
    (plain, site), (other, with_faults) = (
        run(tmp_path, name, scenario=scenario) for name, scenario in (("plain", IDEAL), ("faulty", faulty))
    )
    before, after = (Recording.open(path).events(meter="home") for path in (plain, other))
    assert len(before) == len(after) > 0
    for one, two in zip(before, after, strict=True):
        assert (two.type, two.phases, two.start_ns, two.end_ns) == (
            one.type,
            one.phases,
            one.start_ns,
            one.end_ns,
        )
        assert two.extreme == pytest.approx(one.extreme, rel=1e-9)
    expected = site.engine.fleet.energies(1)
    for name, value in with_faults.engine.fleet.energies(1).items():
        # Reactive energy of a transient depends on the pieces that it is reckoned in; active energy does not.
        within = 1e-9 if name.startswith("ep") else 1e-4
        assert value == pytest.approx(expected[name], rel=within, abs=1e-9), name
    # The faulty meter is right again, and has recorded the fuse that nobody else knows of.
    one, two = (read(of) for of in (site, with_faults))
    for name in ("v1", "v2", "v3", "i1", "i2", "i3", "p1", "p2", "p3", "q_sum"):
        assert two[name] == pytest.approx(one[name], rel=1e-6), name
    assert [event.phases for event in Recording.open(other).events(meter="head")] != [
        event.phases for event in Recording.open(plain).events(meter="head")
    ]


KINDS = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["ct_reversed", "ct_open", "ct_shorted"]), "phases": st.just("ab")}
    ),
    st.fixed_dictionaries({"kind": st.just("fuse_blown"), "phases": st.sampled_from(["a", "bc", "abc"])}),
    st.fixed_dictionaries(
        {"kind": st.just("voltage_order"), "order": st.sampled_from(["cba", "nbca", "aaa"])}
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["phase_order", "current_order"]), "order": st.sampled_from(["bac", "bca"])}
    ),
    st.fixed_dictionaries({"kind": st.just("ratio_set"), "ct": st.sampled_from(["10:5", "7:1"])}),
    st.fixed_dictionaries({"kind": st.just("ratio_fitted"), "ct": st.just("20:5")}),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["frozen", "not_a_number", "word_order", "byte_order", "neutral_open"])}
    ),
    st.fixed_dictionaries({"kind": st.just("stuck"), "registers": st.just(["v1", "ct1", "second"])}),
    st.fixed_dictionaries({"kind": st.just("clock_drift"), "drift": st.sampled_from([-9999.0, 150.0])}),
    st.fixed_dictionaries({"kind": st.just("clock_jump"), "step": st.sampled_from(["-2 h", "31 d"])}),
    st.fixed_dictionaries({"kind": st.just("time_zone"), "time_zone": st.just("Asia/Tokyo")}),
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load_scenario(write_site(tmp_path_factory.mktemp("bench"), scenario=bench()))


@settings(max_examples=30, deadline=None)
@given(
    course=st.lists(st.tuples(KINDS, st.integers(1, 3_000_000_000)), min_size=1, max_size=6),
    data=st.data(),
)
def test_after_any_course_of_faults_a_meter_is_right(loaded, course, data):
    with build_site(loaded) as site:
        site.begin()
        engine = site.engine
        engine.advance_to(engine.now_ns + 2 * S)
        right, names = read(site), [f"fault {number}" for number in range(len(course))]
        for name, (kind, passed) in zip(names, course, strict=True):
            event = {"event": "measurement_fault", "meter": "m", "name": name, **kind}
            assert engine.apply(Command("test", "site", "inject", event)).detail == ""
            engine.advance_to(engine.now_ns + passed)
        for name in data.draw(st.permutations(names)):
            repair = {"event": "repair", "of": name}
            assert engine.apply(Command("test", "site", "inject", repair)).detail == ""
            engine.advance_to(engine.now_ns + data.draw(st.integers(0, 10_000_000)))
        engine.advance_to(engine.now_ns + 2 * S)
        shown = read(site)
        for name, value in right.items():
            if not name.startswith(("ep", "eq", "es")) and "demand" not in name:
                assert shown[name] == pytest.approx(value, rel=1e-6, abs=1e-3), name
        assert raw(site, "ct1") == (5,)
        assert abs(shown_clock(site).replace(tzinfo=UTC).timestamp() - engine.now_ns / S) < 1.0
