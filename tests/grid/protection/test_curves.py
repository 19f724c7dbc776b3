"""Standard characteristics against the standards' constants, and against published operating times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid import GridError
from twin.grid.protection import (
    CURVES,
    InverseCurve,
    PointCurve,
    definite_time,
    reset_time,
    trip_time,
)


@pytest.mark.parametrize(
    ("name", "multiple", "seconds"),
    [
        # k / (M^alpha - 1) by hand, IEC 60255-151 annex A.
        ("iec_a", 2.0, 10.029),
        ("iec_a", 5.0, 4.280),
        ("iec_a", 10.0, 2.971),
        ("iec_a", 20.0, 2.267),
        ("iec_b", 2.0, 13.5),
        ("iec_b", 10.0, 1.5),
        ("iec_c", 2.0, 80.0 / 3.0),
        ("iec_c", 10.0, 80.0 / 99.0),
        ("iec_long_time", 2.0, 120.0),
        ("iec_long_time", 7.0, 20.0),
        # A / (M^p - 1) + B by hand, IEEE C37.112.
        ("ieee_moderately_inverse", 5.0, 0.0515 / (5.0**0.02 - 1.0) + 0.1140),
        ("ieee_very_inverse", 2.0, 19.61 / 3.0 + 0.491),
        ("ieee_very_inverse", 10.0, 19.61 / 99.0 + 0.491),
        ("ieee_extremely_inverse", 2.0, 28.2 / 3.0 + 0.1217),
        ("ieee_extremely_inverse", 10.0, 28.2 / 99.0 + 0.1217),
    ],
)
def test_operating_times(name, multiple, seconds):
    assert trip_time(CURVES[name], multiple) == pytest.approx(seconds, rel=2e-4)
    assert trip_time(CURVES[name], multiple, 0.3) == pytest.approx(0.3 * seconds, rel=2e-4)


def test_iec_d_e_f_are_the_ieee_characteristics():
    assert CURVES["iec_d"] is CURVES["ieee_moderately_inverse"]
    assert CURVES["iec_e"] is CURVES["ieee_very_inverse"]
    assert CURVES["iec_f"] is CURVES["ieee_extremely_inverse"]


@pytest.mark.parametrize(
    ("name", "tr"),
    [("ieee_moderately_inverse", 4.85), ("ieee_very_inverse", 21.6), ("ieee_extremely_inverse", 29.1)],
)
def test_reset_times(name, tr):
    """TD tr / (1 - M^2): full at zero current, 4/3 of it at half the pickup, never at pickup."""
    times = reset_time(CURVES[name], [0.0, 0.5, 1.0, 2.0], 2.0)
    assert times == pytest.approx([2.0 * tr, 2.0 * tr / 0.75, math.inf, math.inf])


def test_a_curve_without_a_reset_constant_says_so():
    with pytest.raises(GridError, match=r"reset = None.*state the maker's reset time"):
        reset_time(CURVES["iec_a"], 0.5)


def test_vectors_keep_their_shape_and_never_operate_up_to_pickup():
    multiples = np.array([[0.0, 1.0, math.nan], [2.0, 4.0, 8.0]])
    times = trip_time(CURVES["iec_b"], multiples)
    assert times.shape == (2, 3)
    assert np.all(np.isinf(times[0]))
    assert times[1] == pytest.approx([13.5, 4.5, 13.5 / 7.0])


def test_the_dependent_part_ends_at_the_limit():
    limited = trip_time(CURVES["iec_a"], [19.0, 20.0, 30.0], multiple_limit=20.0)
    assert limited[0] > limited[1] == limited[2]
    assert limited[2] == pytest.approx(0.14 / (20.0**0.02 - 1.0))


def test_a_multiple_just_above_one_keeps_its_digits():
    """M^0.02 - 1 = 0.02 e (1 - 0.49 e + ...) for M = 1 + e."""
    e = 1e-9
    expected = 0.14 / (0.02 * math.log1p(e))
    # 1 + 1e-9 itself is only known to 1e-7 of e.
    assert trip_time(CURVES["iec_a"], 1.0 + e) == pytest.approx(expected, rel=2e-7)


def test_definite_time():
    assert trip_time(definite_time(0.4), [0.9, 1.0, 1.001, 50.0]) == pytest.approx(
        [math.inf] * 2 + [0.4, 0.4]
    )


@given(
    st.sampled_from(sorted(CURVES)),
    st.floats(1.001, 100.0),
    st.floats(1.0, 10.0),
)
def test_more_current_never_takes_longer(name, multiple, factor):
    first, second = trip_time(CURVES[name], [multiple, multiple * factor])
    assert second <= first


class TestPointCurve:
    curve = PointCurve("fuse", ((100.0, 100.0), (1000.0, 1.0), (2000.0, 0.1)))

    def test_straight_lines_on_log_log_paper(self):
        """The first line has slope -2: I^2 t = 1e6 between the points."""
        currents = [99.9, 100.0, 200.0, 500.0, 1000.0, 2000.0]
        times = [self.curve.trip_seconds(i) for i in currents]
        assert times == pytest.approx([math.inf, 100.0, 25.0, 4.0, 1.0, 0.1])
        assert self.curve.trip_seconds(math.sqrt(2.0) * 1000.0) == pytest.approx(math.sqrt(0.1))

    def test_beyond_the_last_point_i2t_stays_or_the_time(self):
        assert self.curve.trip_seconds(4000.0) == pytest.approx(0.025)
        flat = PointCurve("flat", self.curve.points, flat_end=True)
        assert flat.trip_seconds(4000.0) == 0.1

    @given(st.floats(0.1, 100.0))
    def test_current_at_a_time_is_the_inverse(self, seconds):
        current = self.curve.current_at(seconds)
        assert self.curve.trip_seconds(current) == pytest.approx(seconds, rel=1e-9)

    def test_a_time_that_it_does_not_reach(self):
        with pytest.raises(GridError, match=r"time = 200\.0 .*0\.1 s to 100 s"):
            self.curve.current_at(200.0)

    @pytest.mark.parametrize(
        ("points", "mend"),
        [
            (((1.0, 1.0),), "two points"),
            (((1.0, 2.0), (1.0, 1.0)), "currents rise"),
            (((1.0, 1.0), (2.0, 2.0)), "times fall"),
            (((1.0, 1.0), (2.0, 0.0)), "above zero"),
            (((1.0, math.nan), (2.0, 1.0)), "above zero"),
        ],
    )
    def test_refused_points(self, points, mend):
        with pytest.raises(GridError, match=f"curve bad: points = .*{mend}"):
            PointCurve("bad", points)


@pytest.mark.parametrize(
    ("constants", "field"),
    [
        ({"k": -1.0, "alpha": 1.0}, "k"),
        ({"k": 0.0, "alpha": 1.0}, "k"),
        ({"k": 1.0, "alpha": 0.0}, "alpha"),
        ({"k": 1.0, "alpha": 1.0, "c": math.nan}, "c"),
        ({"k": 1.0, "alpha": 1.0, "reset": -1.0}, "reset"),
    ],
)
def test_refused_constants(constants, field):
    with pytest.raises(GridError, match=f"curve bad: {field} = "):
        InverseCurve("bad", **constants)
