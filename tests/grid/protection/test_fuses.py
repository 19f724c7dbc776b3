"""Fuses: gates of the standards, melting that adds up, arcs, and order of events."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid import GridError
from twin.grid.protection import (
    Action,
    Fuse,
    FuseSettings,
    Measured,
    Operation,
    PointCurve,
    gg_link,
    k_link,
    t_link,
)

DISTRIBUTION_RATINGS = (6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100, 140, 200)
SPEED_RATIOS = (
    (6, 6.0, 10.0),
    (8, 6.5, 11.1),
    (10, 6.6, 11.5),
    (12, 6.6, 11.8),
    (15, 6.9, 12.5),
    (20, 7.0, 12.7),
    (25, 7.0, 12.7),
    (30, 7.1, 12.9),
    (40, 7.1, 13.0),
    (50, 7.1, 13.0),
    (65, 7.2, 12.9),
    (80, 7.4, 13.0),
    (100, 7.6, 13.1),
    (140, 8.0, 12.9),
    (200, 8.1, 13.0),
)
"""Rating [A], speed ratios of types K and T."""
GG_RATINGS = (16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630)

PLAIN = FuseSettings(
    "plain",
    PointCurve("melt", ((100.0, 100.0), (10_000.0, 0.01))),
    total_clearing=PointCurve("clear", ((100.0, 110.0), (10_000.0, 0.02))),
    cooling_time=10.0,
)
"""I^2 t = 1e6 A^2 s melts it."""


def phase_a(current: float) -> Measured:
    return Measured((current, 0.0, 0.0), 0.0)


class TestDistributionLinks:
    @pytest.mark.parametrize(
        ("link", "seconds", "lowest", "highest"),
        [
            # Gates of ANSI C37.42 [A].
            (k_link(10), 300.0, 19.5, 23.4),
            (k_link(10), 10.0, 22.5, 34.0),
            (k_link(10), 0.1, 128.0, 154.0),
            (k_link(65), 300.0, 128.0, 153.0),
            (k_link(65), 10.0, 159.0, 237.0),
            (k_link(65), 0.1, 918.0, 1100.0),
            (k_link(200), 600.0, 480.0, 576.0),
            (t_link(10), 300.0, 19.5, 23.4),
            (t_link(10), 10.0, 26.5, 40.0),
            (t_link(10), 0.1, 224.0, 269.0),
            (t_link(100), 0.1, 2620.0, 3150.0),
            (t_link(140), 600.0, 310.0, 372.0),
        ],
    )
    def test_gates(self, link, seconds, lowest, highest):
        assert link.minimum_melting.trip_seconds(lowest) == pytest.approx(seconds)
        assert link.maximum_melting.trip_seconds(highest) == pytest.approx(seconds)

    @pytest.mark.parametrize(("rating", "k_ratio", "t_ratio"), SPEED_RATIOS)
    def test_speed_ratios(self, rating, k_ratio, t_ratio):
        """Smallest melting current at 0.1 s over that at 300 s (600 s), printed beside the gates."""
        for link, ratio in ((k_link(rating), k_ratio), (t_link(rating), t_ratio)):
            curve = link.minimum_melting
            assert curve.points[-1][0] / curve.points[0][0] == pytest.approx(ratio, abs=0.06)
            assert curve.points[0][1] == (300.0 if rating <= 100 else 600.0)

    @pytest.mark.parametrize("rating", DISTRIBUTION_RATINGS)
    def test_the_slowest_link_carries_a_fifth_more_than_the_fastest(self, rating):
        """At the longest time the upper gate is 1.2 of the lower one, which is about twice the rating."""
        for link in (k_link(rating), t_link(rating)):
            low, high = link.minimum_melting.points[0][0], link.maximum_melting.points[0][0]
            assert high / low == pytest.approx(1.2, abs=0.01)
            assert 1.85 * rating <= low <= 2.5 * rating

    @pytest.mark.parametrize("rating", DISTRIBUTION_RATINGS)
    def test_k_is_faster_than_t(self, rating):
        for multiple in (3.0, 6.0, 12.0, 24.0):
            current = multiple * rating
            assert k_link(rating).clearing_time(current) < t_link(rating).clearing_time(current)

    @pytest.mark.parametrize("make", [k_link, t_link])
    def test_a_larger_link_is_slower(self, make):
        for small, large in itertools.pairwise(DISTRIBUTION_RATINGS):
            for seconds in (100.0, 10.0, 1.0, 0.1):
                assert make(small).minimum_melting.current_at(seconds) < make(
                    large
                ).minimum_melting.current_at(seconds)
                assert make(small).maximum_melting.current_at(seconds) < make(
                    large
                ).maximum_melting.current_at(seconds)

    def test_an_unknown_rating_names_the_known_ones(self):
        with pytest.raises(GridError, match="7K: rating = 7 cannot be; choose one of 6, 8, 10, 12"):
            k_link(7)


class TestLowVoltageLinks:
    @pytest.mark.parametrize(
        ("rating", "i_min_10s", "i_max_5s", "i_min_01s", "i_max_01s"),
        [
            # IEC 60269-1 table 3 [A].
            (16, 33, 65, 85, 150),
            (63, 160, 320, 450, 820),
            (100, 290, 580, 820, 1450),
            (250, 750, 1650, 2590, 4500),
            (630, 2200, 5100, 8060, 14140),
        ],
    )
    @pytest.mark.parametrize("tolerance", [0.0, 0.3, 1.0])
    def test_every_link_passes_the_gates(self, rating, i_min_10s, i_max_5s, i_min_01s, i_max_01s, tolerance):
        melting = gg_link(rating, tolerance=tolerance).melting()
        just = 1e-9
        assert melting.trip_seconds(i_min_10s) >= 10.0 - just
        assert melting.trip_seconds(i_max_5s) <= 5.0 + just
        assert melting.trip_seconds(i_min_01s) >= 0.1 - just
        assert melting.trip_seconds(i_max_01s) <= 0.1 + just

    @pytest.mark.parametrize(
        ("rating", "hours"), [(16, 1), (63, 1), (80, 2), (160, 2), (200, 3), (400, 3), (500, 4), (630, 4)]
    )
    def test_conventional_currents(self, rating, hours):
        """1.25 In does not melt within the conventional time, 1.6 In does (IEC 60269-1 table 2)."""
        link = gg_link(rating)
        assert link.minimum_melting.trip_seconds(1.25 * rating) == hours * 3600.0
        assert link.maximum_melting.trip_seconds(1.6 * rating) == hours * 3600.0
        assert link.minimum_melting.trip_seconds(1.24 * rating) == math.inf

    def test_i2t_at_ten_milliseconds(self):
        """IEC 60269-1 table 7, 100 A: 27 to 86 kA^2 s."""
        link = gg_link(100)
        for curve, i2t in ((link.minimum_melting, 27e3), (link.maximum_melting, 86e3)):
            current, seconds = curve.points[-1]
            assert (seconds, current**2 * seconds) == (0.01, pytest.approx(i2t))

    @pytest.mark.parametrize(
        "ratio", [(16, 25), (25, 40), (40, 63), (63, 100), (100, 160), (160, 250), (250, 400)]
    )
    def test_links_in_the_ratio_of_1_6_are_selective(self, ratio):
        """IEC 60269-2: gG links from 16 A in the ratio 1 : 1.6 discriminate; the I^2 t of table 7 say so."""
        small, large = (gg_link(rating) for rating in ratio)
        low, high = small.maximum_melting.points[-1], large.minimum_melting.points[-1]
        assert low[0] ** 2 * low[1] <= high[0] ** 2 * high[1]

    @pytest.mark.parametrize("rating", GG_RATINGS)
    def test_every_rating_is_there(self, rating):
        assert gg_link(rating).name == f"gG {rating} A"


class TestMelting:
    def test_a_constant_current(self):
        fuse = Fuse(PLAIN)
        assert fuse.time_to_event(phase_a(1000.0)) == (pytest.approx(1.0), "melt a")
        assert fuse.time_to_event(phase_a(99.0)) is None

    def test_what_is_molten_stays_molten(self):
        """0.75 of I^2 t at 500 A leaves 0.25 of it for 1000 A."""
        fuse = Fuse(PLAIN)
        fuse.advance(phase_a(500.0), 3.0)
        assert fuse.melted("a") == pytest.approx(0.75)
        assert fuse.melted("b") == 0.0
        assert fuse.time_to_event(phase_a(1000.0)) == (pytest.approx(0.25), "melt a")

    def test_a_small_current_lets_it_cool(self):
        fuse = Fuse(PLAIN)
        fuse.advance(phase_a(500.0), 3.0)
        fuse.advance(phase_a(50.0), 10.0)
        assert fuse.melted("a") == pytest.approx(0.75 / math.e)

    def test_the_arc_takes_clearing_less_melting(self):
        """At 1000 A: 1 s to melt, and on the clearing curve's line between (100, 110) and (10000, 0.02)."""
        fuse = Fuse(PLAIN)
        fuse.advance(phase_a(1000.0), 1.0)
        assert fuse.fire("melt a") == Action(Operation.NONE, "a", "melt a")
        clearing = math.sqrt(110.0 * 0.02)
        assert fuse.time_to_event(phase_a(1000.0)) == (pytest.approx(clearing - 1.0), "clear a")
        fuse.advance(phase_a(1000.0), 0.5 * (clearing - 1.0))
        assert fuse.time_to_event(phase_a(1000.0)) == (pytest.approx(0.5 * (clearing - 1.0)), "clear a")
        # Somebody else opens: the arc has nothing to burn on.
        assert fuse.time_to_event(phase_a(0.0)) == (0.0, "clear a")
        assert fuse.fire("clear a") == Action(Operation.LOCKOUT, "a", "clear a")
        assert fuse.blown == "a"
        assert fuse.time_to_event(phase_a(1000.0)) is None

    def test_below_the_clearing_curve_it_arcs_as_at_its_beginning(self):
        """It melts from 100 A on; clearing is stated from 200 A on, 25 s of melting and 2 s of arc."""
        link = FuseSettings(
            "late", PLAIN.minimum_melting, total_clearing=PointCurve("c", ((200.0, 27.0), (10_000.0, 0.02)))
        )
        fuse = Fuse(link, phases="a")
        fuse.advance(phase_a(150.0), 1e6 / 150.0**2)
        fuse.fire("melt a")
        assert fuse.time_to_event(phase_a(150.0)) == (pytest.approx(2.0), "clear a")

    def test_each_phase_by_itself_and_new_links(self):
        fuse = Fuse(PLAIN)
        fault = Measured((2000.0, 1000.0, 0.0))
        assert fuse.time_to_event(fault) == (pytest.approx(0.25), "melt a")
        fuse.advance(fault, 0.25)
        fuse.fire("melt a")
        fuse.fire("clear a")
        assert fuse.time_to_event(fault) == (pytest.approx(0.75), "melt b")
        fuse.fire("melt b")
        fuse.fire("clear b")
        assert fuse.blown == "ab"
        assert fuse.replace() == Action(Operation.CLOSE, "ab", "new links")
        assert (fuse.blown, fuse.melted("a")) == ("", 0.0)

    def test_a_single_phase_fuse_minds_its_phase(self):
        fuse = Fuse(PLAIN, phases="b")
        assert fuse.time_to_event(phase_a(1000.0)) is None
        assert fuse.time_to_event(Measured((0.0, 1000.0, 0.0))) == (pytest.approx(1.0), "melt b")

    def test_tolerance_lies_between_the_gates(self):
        """Half way on the logarithmic scale: the geometric mean of the gates' currents."""
        melting = k_link(65, tolerance=0.5).melting()
        assert melting.current_at(10.0) == pytest.approx(math.sqrt(159.0 * 237.0))
        assert melting.current_at(0.1) == pytest.approx(math.sqrt(918.0 * 1100.0))


def test_nothing_clears_that_has_not_melted():
    fuse = Fuse(PLAIN)
    with pytest.raises(
        GridError, match="plain: event = 'clear a' cannot be; events now are: melt a, melt b, melt c"
    ):
        fuse.fire("clear a")


links = st.one_of(
    st.builds(k_link, st.sampled_from(DISTRIBUTION_RATINGS), tolerance=st.floats(0.0, 1.0)),
    st.builds(gg_link, st.sampled_from(GG_RATINGS), tolerance=st.sampled_from([0.0, 0.5, 1.0])),
    st.just(PLAIN),
)
pieces = st.lists(st.tuples(st.floats(0.0, 3000.0), st.floats(1e-6, 5.0)), min_size=1, max_size=6)


@given(links, pieces, st.lists(st.floats(0.0, 1.0), max_size=4), st.floats(0.0, 5000.0))
def test_cutting_time_changes_nothing(link, history, cuts, current):
    whole, cut = Fuse(link), Fuse(link)
    for value, seconds in history:
        whole.advance(phase_a(value), seconds)
        edges = [0.0, *sorted(c * seconds for c in cuts), seconds]
        for start, end in itertools.pairwise(edges):
            cut.advance(phase_a(value), end - start)
    one, other = whole.time_to_event(phase_a(current)), cut.time_to_event(phase_a(current))
    assert (one is None) == (other is None)
    if one is not None:
        # A current near the smallest that melts takes up to hours: relative there, absolute below 1 s.
        assert other[0] == pytest.approx(one[0], rel=1e-9, abs=1e-9)


@given(links, st.floats(10.0, 20000.0))
def test_a_fuse_melts_before_it_clears_and_has_cleared_by_its_clearing_time(link, current):
    fuse = Fuse(link)
    event = fuse.time_to_event(phase_a(current))
    if event is None:
        return
    melting, what = event
    assert what == "melt a"
    fuse.advance(phase_a(current), melting)
    fuse.fire("melt a")
    arcing, what = fuse.time_to_event(phase_a(current))
    assert what == "clear a"
    assert arcing >= 0.0
    assert melting + arcing <= link.clearing_time(current) * (1.0 + 1e-9)


@given(links, st.floats(10.0, 20000.0), st.floats(1.0, 10.0))
def test_more_current_never_melts_later(link, current, factor):
    melting = link.melting()
    assert melting.trip_seconds(current * factor) <= melting.trip_seconds(current)


def test_a_clearing_curve_that_dips_below_beyond_its_points():
    """Melting stays at 1 s above 1000 A, clearing goes on falling."""
    flat = PointCurve("flat", ((100.0, 100.0), (1000.0, 1.0)), flat_end=True)
    with pytest.raises(GridError, match=r"bad: total_clearing = .*raise it to 1 s or more at 1e\+06 A"):
        FuseSettings("bad", flat, total_clearing=PointCurve("c", ((100.0, 200.0), (1000.0, 2.0))))


LINE = PointCurve("line", ((100.0, 100.0), (1000.0, 1.0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arcing_time": -1.0}, "arcing_time"),
        ({"cooling_time": 0.0}, "cooling_time"),
        ({"tolerance": 0.5}, "give a maximum melting curve as well"),
        ({"tolerance": 2.0}, "share from 0 to 1"),
        (
            {"arcing_time": 0.1, "total_clearing": PointCurve("c", ((100.0, 200.0), (1000.0, 2.0)))},
            "leave it out",
        ),
        (
            {"total_clearing": PointCurve("c", ((100.0, 90.0), (1000.0, 2.0)))},
            "raise it to 100 s or more at 100 A",
        ),
        (
            {"total_clearing": PointCurve("c", ((100.0, 200.0), (200.0, 3.0)))},
            "raise it to 25 s or more at 200 A",
        ),
        ({"maximum_melting": PointCurve("m", ((110.0, 90.0), (1000.0, 1.0)))}, "minimum_melting: 100 s"),
        ({"maximum_melting": PointCurve("m", ((110.0, 100.0), (900.0, 1.0)))}, "raise it to 1.* at 900 A"),
    ],
)
def test_refused_settings(change, message):
    with pytest.raises(GridError, match=f"bad: .*{message}"):
        FuseSettings("bad", LINE, **change)


def test_refused_phases():
    with pytest.raises(GridError, match="plain: phases = 'aa'"):
        Fuse(PLAIN, phases="aa")
