"""The shipped point lists against the standards' tables, typed by hand; lists of users and their errors."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrology.flicker_tables import RECTANGULAR, SEVERITY, SINUSOIDAL
from twin.calibrator.point_list import COLUMNS, REQUIRED, read_points
from twin.calibrator.point_sets import point_set, set_names
from twin.calibrator.quantities import QUANTITIES
from twin.contracts import BadInputError
from twin.meters.accuracy_limits import active_limit, reactive_limit

ACTIVE = {
    # IEC 62053-22: (from, to [% of In; None is Imax], power factor) -> limit [%] of class 0.2 S and 0.5 S
    (1, 4.99, "1"): (0.4, 1.0),
    (5, None, "1"): (0.2, 0.5),
    (2, 9.99, "0.5 ind"): (0.5, 1.0),
    (10, None, "0.5 ind"): (0.3, 0.6),
    (2, 9.99, "0.8 cap"): (0.5, 1.0),
    (10, None, "0.8 cap"): (0.3, 0.6),
    (10, None, "0.25 ind"): (0.5, 1.0),
    (10, None, "0.5 cap"): (0.5, 1.0),
}
ONE_PHASE = {(5, None, "1"): (0.3, 0.6), (10, None, "0.5 ind"): (0.4, 1.0)}
REACTIVE = {
    # IEC 62053-23 and -24: class -> sin phi -> smallest current [% of In] and limit [%], light to heavy
    "2": {1.0: [(2, 2.5), (5, 2.0)], 0.5: [(5, 2.5), (10, 2.0)], 0.25: [(10, 2.5)]},
    "3": {1.0: [(2, 4.0), (5, 3.0)], 0.5: [(5, 4.0), (10, 3.0)], 0.25: [(10, 4.0)]},
    "0.5S": {1.0: [(1, 1.0), (5, 0.5)], 0.5: [(2, 1.0), (10, 0.5)], 0.25: [(10, 1.0)]},
    "1S": {1.0: [(2, 1.5), (5, 1.0)], 0.5: [(2, 1.5), (10, 1.0)], 0.25: [(10, 2.0)]},
}


def points(name, active="0.2S", reactive="0.5S"):
    return point_set(name, active_class=active, reactive_class=reactive)


def lag(factor):
    value, _, side = factor.partition(" ")
    return math.acos(float(value)) * (-1 if side == "cap" else 1)


@pytest.mark.parametrize(("place", "accuracy_class"), list(enumerate(["0.2S", "0.5S"])))
def test_active_energy_covers_each_row_of_the_table_at_both_ends_and_in_both_directions(
    place, accuracy_class
):
    found = points(f"62053-22-{accuracy_class}")
    assert {point.quantity.name for point in found} == {"active_energy"}
    for direction in (0.0, math.pi):
        for load, table in (("abc", ACTIVE), ("a", ONE_PHASE), ("b", ONE_PHASE), ("c", ONE_PHASE)):
            seen = 0
            here = [
                point
                for point in found
                if point.conditions.load == load and (point.point.startswith("export")) == (direction > 0)
            ]
            for (low, high, factor), limits in table.items():
                row = [
                    point
                    for point in here
                    if point.conditions.lag_rad == pytest.approx(lag(factor) + direction)
                    and (
                        point.conditions.current is None
                        if high is None and point.conditions.current is None
                        else point.conditions.current is not None
                        and low <= point.conditions.current <= (high or 1e9)
                    )
                ]
                currents = [point.conditions.current for point in row]
                assert low in currents
                assert high is not None or None in currents
                assert {point.limit for point in row} == {limits[place]}
                seen += len(row)
            assert seen == len(here)


@pytest.mark.parametrize("accuracy_class", ["0.2S", "0.5S"])
def test_active_limits_are_those_by_which_devices_are_drawn(accuracy_class):
    for point in points(f"62053-22-{accuracy_class}"):
        factor = abs(math.cos(point.conditions.lag_rad))
        sine = math.sin(point.conditions.lag_rad) * (-1 if point.point.startswith("export") else 1)
        load = 1.2 if point.conditions.current is None else point.conditions.current / 100
        limit = active_limit(
            accuracy_class,
            load,
            round(factor, 9),
            capacitive=sine < -1e-9,
            single_phase=point.conditions.load != "abc",
        )
        assert point.limit == limit, point.point


@pytest.mark.parametrize(
    ("standard", "accuracy_class"), [("23", "2"), ("23", "3"), ("24", "0.5S"), ("24", "1S")]
)
def test_reactive_energy_covers_each_row_of_the_table_inductive_and_capacitive(standard, accuracy_class):
    found = points(f"62053-{standard}-{accuracy_class}")
    for side in (1, -1):
        for sine, rows in REACTIVE[accuracy_class].items():
            here = [
                point for point in found if math.sin(point.conditions.lag_rad) == pytest.approx(side * sine)
            ]
            assert None in [point.conditions.current for point in here]
            for light, _ in rows:
                assert light in [point.conditions.current for point in here]
            for point in here:
                current = point.conditions.current or 120
                assert point.limit == [limit for light, limit in rows if light <= current][-1], point.point
                assert point.limit == reactive_limit(accuracy_class, current / 100, sine)
    harmonics = [point for point in found if point.conditions.u_harmonics]
    assert len(harmonics) == (4 if standard == "24" else 0)


def test_starting_and_no_load():
    """0.001 In of both active classes; 0.001, 0.002, 0.003 and 0.005 In of reactive 0.5 S, 1 S, 2 and 3."""
    for reactive, percent in (("0.5S", 0.1), ("1S", 0.2), ("2", 0.3), ("3", 0.5)):
        for active in ("0.2S", "0.5S"):
            found = points("starting", active, reactive)
            currents = {point.quantity.name: point.conditions.current for point in found}
            assert currents == {"active_energy": 0.1, "reactive_energy": percent}
    (point,) = points("no-load")
    assert (point.conditions.voltage, point.conditions.current) == ((115.0, 115.0, 115.0), 0.0)
    assert (point.limit, point.of) == (1.0, "pulse")


def test_flicker_has_every_row_of_the_tables():
    found = {}
    for point in points("61000-4-15"):
        conditions = point.conditions
        limit = {"pinst": 8.0, "pst": 5.0}[point.quantity.name]
        assert (point.applied, point.limit, point.of) == (1.0, limit, "reading")
        key = (
            point.quantity.name,
            conditions.modulation.shape,
            conditions.lamp,
            conditions.nominal_frequency,
        )
        found.setdefault(key, []).append((conditions.modulation.hertz, conditions.modulation.percent))
    for (lamp, frequency), table in SINUSOIDAL.items():
        assert found.pop(("pinst", "sinusoidal", lamp[:3], frequency)) == table
    for (lamp, frequency), table in RECTANGULAR.items():
        assert found.pop(("pinst", "rectangular", lamp[:3], frequency)) == table
    for (lamp, frequency), table in SEVERITY.items():
        hertz = [(changes / 120, percent) for changes, percent in table]
        assert found.pop(("pst", "rectangular", lamp[:3], frequency)) == hertz
    assert not found


def test_class_a_limits():
    """IEC 61000-4-30 class A: limit and its basis by quantity."""
    limits = {
        "frequency": (0.01, "Hz"),
        "u_rms": (0.1, "nominal"),
        "u_rms_150_180": (0.1, "nominal"),
        "u_rms_10min": (0.1, "nominal"),
        "u2": (0.15, "point"),
        "u0": (0.15, "point"),
        "u_harmonic": (5.0, "reading"),
        "u_interharmonic": (5.0, "reading"),
        "pst": (5.0, "reading"),
        "i_rms": (1.0, "reading"),
        "dip_residual": (0.2, "nominal"),
        "swell_maximum": (0.2, "nominal"),
        "interruption_residual": (0.2, "nominal"),
        "dip_duration": (1.0, "cycle"),
        "swell_duration": (1.0, "cycle"),
        "interruption_duration": (1.0, "cycle"),
        "rvc_steady_change": (0.2, "nominal"),
        "rvc_largest_change": (0.2, "nominal"),
        "underdeviation": (0.1, "point"),
        "overdeviation": (0.1, "point"),
    }
    found = points("61000-4-30")
    assert {point.quantity.name: (point.limit, point.of) for point in found} == limits
    assert all((point.limit, point.of) == limits[point.quantity.name] for point in found)
    magnitudes = [p.conditions.voltage[0] for p in found if p.quantity.name == "u_rms"]
    assert {10.0, 150.0} <= set(magnitudes)
    # Harmonics: 5 % of the reading from 1 % (U) or 3 % (I) on, else 0.05 % or 0.15 % of nominal.
    for point in points("61000-4-7"):
        if point.quantity.name in {"u_harmonic", "i_harmonic"}:
            voltage = point.quantity.name == "u_harmonic"
            parts = point.conditions.u_harmonics if voltage else point.conditions.i_harmonics
            assert [part.order for part in parts] == [point.order]
            large = parts[0].percent >= (1 if voltage else 3)
            small = (0.05 if voltage else 0.15, "nominal")
            assert (point.limit, point.of) == ((5.0, "reading") if large else small)


def test_every_set_can_be_read_and_all_is_all_of_them():
    names = set_names()
    assert len(names) == len(set(names)) == 19
    single = (
        "62053-22",
        "62053-23",
        "62053-24",
        "starting",
        "no-load",
        "61000-4-30",
        "61000-4-7",
        "61000-4-15",
    )
    together = sum(len(points(name)) for name in single)
    everything = points("all")
    assert len({point.point for point in everything}) == len(everything) == together
    assert points("creep") == points("no-load")
    assert everything[0].point == "62053-22: import 0.01 In pf 1"


def write(tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_ones_own(tmp_path):
    text = (
        "# my points\npoint,quantity,current,power_factor,limit,of\n"
        "half load,active_energy,50,0.9 ind,0.2,reading\n\nfull,active_energy,max,1,0.2,reading\n"
    )
    first, second = read_points(write(tmp_path, text))
    assert (first.point, first.limit, first.conditions.current) == ("half load", 0.2, 50.0)
    assert math.cos(first.conditions.lag_rad) == pytest.approx(0.9)
    assert second.conditions.current is None
    assert second.conditions.voltage == (100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["mine.csv: holds no points"]),
        ("# only words\n", ["mine.csv: holds no points"]),
        ("point,quantity,limit,of\n", ["mine.csv:1: holds no points"]),
        ("point,quantity,limit\nx,u_rms,1\n", ["mine.csv:1: of: column is missing; add a column 'of'"]),
        (
            "point,quantity,limit,of,curent\nx,u_rms,1,reading,5\n",
            ["mine.csv:1: curent: unknown column; did you mean 'current'?"],
        ),
        (
            "#\npoint,quantity,limit,of,current\nx,u_rmss,1,reading,5\nx,u_rms,-1,cycle,many\n",
            [
                "mine.csv:3: quantity: 'u_rmss' is unknown; did you mean 'u_rms'?",
                "mine.csv:4: current: 'many' is no number; give one such as 0.5",
                "mine.csv:4: limit: -1 is not above zero; use a positive number",
                "mine.csv:4: point: 'x' stands in line 3 already; give each point its own name",
            ],
        ),
        (
            "point,quantity,limit,of\nx,u_rms,1,cycle\n",
            ["of: an error of u_rms is not stated in 'cycle'; use"],
        ),
        ("point,quantity,limit,of\nx,u_rms,1\n", ["mine.csv:2: has 3 cells, the header has 4"]),
        ("point,quantity,limit,of\nx,u_harmonic,1,reading\n", ["order: u_harmonic needs an order"]),
        ("point,quantity,limit,of\nx,pst,1,reading\n", ["modulation: pst needs one", "applied: no formula"]),
        ("point,quantity,limit,of\nx,dip_duration,1,cycle\n", ["event_voltage: dip_duration needs an event"]),
        (
            "point,quantity,limit,of,power_factor\nx,active_energy,1,reading,0.5\n",
            ["'0.5' says not on which"],
        ),
        ("point,quantity,limit,of,voltage\nx,u_rms,1,nominal,1/2\n", ["neither one value nor three"]),
        ("point,quantity,limit,of,frequency\nx,u_rms,1,nominal,50\n", ["too far from the nominal frequency"]),
        ("point,quantity,limit,of,u_harmonics\nx,u_rms,1,nominal,2.5:1\n", ["order 2.5 is no harmonic"]),
        ("point,quantity,limit,of,u_harmonics\nx,u_rms,1,nominal,5\n", ["'5' is no component"]),
        ("point,quantity,limit,of,voltage\nx,u_rms,1,nominal,nan\n", ["'nan' is no number"]),
    ],
)
def test_every_error_of_a_list_is_found_with_line_and_mend(tmp_path, text, findings):
    with pytest.raises(BadInputError) as caught:
        read_points(write(tmp_path, text))
    lines = str(caught.value).splitlines()
    assert len(lines) == len(findings), lines
    for line, finding in zip(lines, findings, strict=True):
        assert finding in line


def test_a_list_that_is_no_text(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"point,quantity\n\xff\xfe\n")
    with pytest.raises(BadInputError, match="is not UTF-8"):
        read_points(path)


def test_columns_are_unique():
    assert len(COLUMNS) == len(set(COLUMNS))


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["1", "-1", "1e999", "nan", "0.5 ind", "1/2/3", "max", "5:10@0", "changes 39 1", "lasting"]
    ),
    st.sampled_from([*QUANTITIES, *COLUMNS, "reading", "nominal", "abc", '"', "import"]),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(COLUMNS), unique=True), st.lists(st.lists(CELL, max_size=23), max_size=4))
def test_no_text_makes_a_list_anything_but_read_or_refused(tmp_path_factory, columns, body):
    header = [*columns, *(name for name in REQUIRED if name not in columns)]
    rows = [row[: len(header)] + ["1"] * (len(header) - len(row)) for row in body]
    text = "\n".join(",".join(row) for row in [header, *rows])
    path = write(tmp_path_factory.mktemp("fuzz"), text.encode("utf-8", "replace").decode())
    found, findings = (), ()
    try:
        found = read_points(path)
    except BadInputError as error:
        findings = error.findings
    assert bool(found) != bool(findings)
    assert all(finding.what and finding.mend for finding in findings)


def test_a_cell_beyond_all_measure(tmp_path):
    with pytest.raises(BadInputError, match="is no table"):
        read_points(write(tmp_path, "point,quantity,limit,of\n" + "x" * 200_000 + ",u_rms,1,nominal\n"))
