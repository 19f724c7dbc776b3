"""Devices together: coordination by curves, and the same by what happens on a feeder."""

import math

import pytest

from tests.grid.protection.hosting import run
from twin.grid import GridError
from twin.grid.protection import (
    CURVES,
    FrequencyRelay,
    FrequencySettings,
    Fuse,
    FuseSettings,
    InverseTime,
    Measured,
    Operation,
    OvercurrentRelay,
    OvercurrentSettings,
    PointCurve,
    Recloser,
    Sectionaliser,
    SectionaliserSettings,
    Shot,
    VoltageRelay,
    VoltageSettings,
    clears_before_melt,
    fast_and_slow,
    gg_link,
    k_link,
    trips_before_melt,
)

FAST = InverseTime(200.0, CURVES["ieee_very_inverse"], 0.1)
SLOW = InverseTime(200.0, CURVES["ieee_very_inverse"], 1.0)
RECLOSER = fast_and_slow("R", fast=Shot(FAST), slow=Shot(SLOW), dead_times=(0.5, 2.0, 5.0), reset_time=30.0)


class TestCurves:
    def test_the_75_percent_rule(self):
        """Clearing 0.5 s against melting 1 s: half. At 100 A the ratio is 0.5 too: both have slope -2."""
        small = FuseSettings("small", PointCurve("m", ((50.0, 200.0), (5000.0, 0.02))))
        large = FuseSettings("large", PointCurve("m", ((100.0, 100.0), (5000.0, 0.04))))
        result = clears_before_melt(small, large, lowest=100.0, highest=5000.0)
        assert (result.coordinates, result.ratio) == (True, pytest.approx(0.5))
        assert not clears_before_melt(large, small, lowest=100.0, highest=5000.0).coordinates
        assert not clears_before_melt(small, large, lowest=100.0, highest=5000.0, limit=0.4).coordinates

    def test_an_arc_limits_the_highest_current(self):
        """The slowest 15K against the fastest 40K: an arc of 10 ms tells at high currents."""
        low = clears_before_melt(k_link(15), k_link(40), lowest=100.0, highest=500.0)
        high = clears_before_melt(k_link(15), k_link(40), lowest=100.0, highest=2000.0)
        assert (low.coordinates, high.coordinates) == (True, False)
        assert high.current == pytest.approx(2000.0)
        # By hand at 2 kA: 0.1 (258/2000)^2 + 0.01 over 0.1 (565/2000)^2.
        assert high.ratio == pytest.approx((0.1 * (258 / 2000) ** 2 + 0.01) / (0.1 * (565 / 2000) ** 2))

    def test_a_current_that_only_the_wrong_fuse_clears(self):
        result = clears_before_melt(k_link(65), k_link(15), lowest=40.0, highest=100.0)
        assert (result.coordinates, result.ratio) == (False, math.inf)

    def test_a_current_that_harms_nobody(self):
        assert clears_before_melt(k_link(15), k_link(40), lowest=40.0, highest=79.0).ratio == 0.0

    def test_the_fast_curve_saves_the_fuse_and_the_slow_one_does_not(self):
        """By hand at 1000 A: 0.131 s against 0.1 s (1520/1000)^n through the gates of a 100K, n = 2.597."""
        fuse = k_link(100)
        n = math.log(100.0) / math.log(1520.0 / 258.0)
        melting = 0.1 * 1.52**n
        result = trips_before_melt("R", FAST, fuse, lowest=1000.0, highest=1000.0)
        assert result.ratio == pytest.approx(0.1 * (19.61 / 24.0 + 0.491) / melting)
        assert result.coordinates
        assert trips_before_melt("R", FAST, fuse, lowest=400.0, highest=1000.0).coordinates
        assert not trips_before_melt("R", SLOW, fuse, lowest=1000.0, highest=1000.0).coordinates

    def test_the_worst_current_may_lie_inside_the_range(self):
        """I^2 t = 1e6 A^2 s melts; the element has a corner at 5 x 100 A, where 5 s stand against 4 s."""
        element = InverseTime(100.0, PointCurve("recloser", ((1.0, 10.0), (5.0, 5.0), (10.0, 0.1))))
        fuse = FuseSettings("f", PointCurve("m", ((100.0, 100.0), (10_000.0, 0.01))))
        result = trips_before_melt("R", element, fuse, lowest=100.0, highest=1000.0)
        assert not result.coordinates
        assert result.ratio == pytest.approx(1.25, rel=0.02)
        assert result.current == pytest.approx(500.0, rel=0.02)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"lowest": 0.0, "highest": 1.0}, "lowest = 0.0"),
            ({"lowest": 2.0, "highest": 1.0}, "highest = 1.0"),
            ({"lowest": 1.0, "highest": 2.0, "limit": 1.5}, "limit = 1.5"),
        ],
    )
    def test_refused(self, arguments, message):
        with pytest.raises(GridError, match=message):
            clears_before_melt(k_link(15), k_link(40), **arguments)


class Feeder:
    """A source, a recloser, a lateral behind a fuse or sectionaliser, for some time a fault on phase b."""

    def __init__(self, *, fault_until: float, lateral: str, current: float = 1000.0):
        self.fault_until, self.lateral, self.current = fault_until, lateral, current
        self.open: set[str] = set()

    def act(self, name, action):
        if action.operation in {Operation.OPEN, Operation.LOCKOUT}:
            self.open.add(name)
        elif action.operation is Operation.CLOSE:
            self.open.discard(name)

    def measured(self, time):
        live = "recloser" not in self.open
        fault = live and self.lateral not in self.open and 1.0 <= time < self.fault_until
        lateral = Measured((0.0, self.current if fault else 20.0 * live, 0.0), energised=live)
        feeder = Measured((50.0 * live, self.current if fault else 50.0 * live, 50.0 * live))
        return {"recloser": feeder, self.lateral: lateral}


def on_feeder(feeder, device, until=100.0):
    devices = {"recloser": Recloser(RECLOSER), feeder.lateral: device}
    changes = (1.0, feeder.fault_until) if feeder.fault_until < until else (1.0,)
    return run(devices, feeder.measured, changes=changes, until=until, act=feeder.act)


FAST_TRIP = 0.1 * (19.61 / 24.0 + 0.491)


def test_a_temporary_fault_behind_a_fuse_blows_nothing():
    """The fast curve opens at 1.1308 s; the fault is gone in the dead time; 30 s later all is forgotten."""
    fuse = Fuse(k_link(100))
    trace = on_feeder(Feeder(fault_until=1.4, lateral="fuse"), fuse)
    assert trace == [
        (1.1308, "recloser", "trip 51 b"),
        (1.6308, "recloser", "reclose"),
        (31.6308, "recloser", "reset"),
    ]
    assert fuse.blown == ""


def test_a_permanent_fault_behind_a_fuse_blows_it_in_a_slow_shot():
    """Two fast trips heat the link; in the slow shot it melts the rest, and arcs for 10 ms."""
    fuse = Fuse(k_link(100))
    trace = on_feeder(Feeder(fault_until=1e3, lateral="fuse"), fuse)
    assert [(name, what) for _, name, what in trace] == [
        ("recloser", "trip 51 b"),
        ("recloser", "reclose"),
        ("recloser", "trip 51 b"),
        ("recloser", "reclose"),
        ("fuse", "melt b"),
        ("fuse", "clear b"),
        ("recloser", "reset"),
    ]
    melting = 0.1 * 1.52 ** (math.log(100.0) / math.log(1520.0 / 258.0))
    one_shot = FAST_TRIP / melting
    cool = [math.exp(-t / 60.0) for t in (0.5, 2.0)]
    molten = (one_shot * cool[0] + one_shot) * cool[1]
    second_reclosure = 1.0 + 2.0 * FAST_TRIP + 2.5
    assert trace[4][0] == pytest.approx(second_reclosure + (1.0 - molten) * melting, abs=1e-4)
    assert trace[5][0] == pytest.approx(trace[4][0] + 0.01, abs=1e-4)
    assert trace[6][0] == pytest.approx(trace[5][0] + 30.0, abs=1e-4)


def test_a_sectionaliser_opens_in_the_last_dead_time_but_one():
    """Three counts of four shots: it opens while the recloser is open for the third time."""
    settings = SectionaliserSettings("S", 160.0, counts=3, memory_time=60.0, opening_delay=0.05)
    trace = on_feeder(Feeder(fault_until=1e3, lateral="sectionaliser"), Sectionaliser(settings), until=60.0)
    times = {(name, what): t for t, name, what in trace}
    third_trip = 1.0 + 2.0 * FAST_TRIP + 2.5 + 10.0 * FAST_TRIP
    assert times["sectionaliser", "open"] == pytest.approx(third_trip + 0.05, abs=1e-4)
    assert times["recloser", "reset"] == pytest.approx(third_trip + 5.0 + 30.0, abs=1e-4)
    assert [what for _, name, what in trace if name == "recloser"] == [
        *["trip 51 b", "reclose"] * 3,
        "reset",
    ]


def test_a_fault_on_the_feeder_itself_locks_the_recloser_out():
    class Main(Feeder):
        def measured(self, time):
            live = "recloser" not in self.open
            feeder = Measured((50.0 * live, 1000.0 * live, 50.0 * live))
            return {"recloser": feeder, "fuse": Measured((0.0, 20.0 * live, 0.0))}

    feeder = Main(fault_until=1e3, lateral="fuse")
    trace = on_feeder(feeder, Fuse(k_link(100)))
    assert trace[-1][1:] == ("recloser", "lockout 51 b")
    assert len(trace) == 7
    assert feeder.open == {"recloser"}


def test_relay_and_low_voltage_fuse_grade():
    """A cable fault of 3 kA at 400 V: gG 160 A blows in less than 0.1 s, the incomer's relay waits."""
    relay = OvercurrentRelay(
        OvercurrentSettings(
            "incomer", phase_time=InverseTime(800.0, CURVES["iec_a"], 0.1, dropout_ratio=0.95)
        )
    )
    fuse = Fuse(gg_link(160, tolerance=1.0, arcing_time=0.005))
    blown: set[str] = set()

    def act(_, action):
        if action.operation is Operation.LOCKOUT:
            blown.update(action.phases)

    def network(_):
        current = 0.0 if "a" in blown else 3000.0
        return {"incomer": Measured((current + 300.0, 300.0, 300.0)), "fuse": Measured((current, 0.0, 0.0))}

    devices = {"incomer": relay, "fuse": fuse}
    trace = run(devices, network, changes=(), until=5.0, act=act)
    assert [(name, what) for _, name, what in trace] == [("fuse", "melt a"), ("fuse", "clear a")]
    assert trace[1][0] < 0.1
    assert not relay.tripped


@pytest.mark.parametrize(
    "device",
    [
        Fuse(k_link(100)),
        FrequencyRelay(FrequencySettings("f", "under", 47.5, 0.2)),
        OvercurrentRelay(OvercurrentSettings("o", phase_time=FAST)),
        Recloser(RECLOSER),
        Sectionaliser(SectionaliserSettings("S", 160.0, counts=3, memory_time=60.0)),
        VoltageRelay(VoltageSettings("U", "under", 184.0, 1.0)),
    ],
    ids=lambda device: device.name,
)
class TestEveryDevice:
    def test_time_runs_forward(self, device):
        for seconds in (-1e-9, math.nan, math.inf):
            with pytest.raises(GridError, match=f"{device.name}: seconds = "):
                device.advance(Measured((1e4, 0.0, 0.0)), seconds)

    def test_no_time_changes_nothing(self, device):
        fault = Measured((300.0, 0.0, 0.0), voltages=(100.0, 230.0, 230.0), frequency=47.0)
        before = device.time_to_event(fault)
        device.advance(Measured((1e4, 1e4, 1e4), 1e4), 0.0)
        assert device.time_to_event(fault) == before

    def test_asking_changes_nothing(self, device):
        first = [device.time_to_event(Measured((i, 0.0, 0.0))) for i in (0.0, 300.0, 5000.0)]
        second = [device.time_to_event(Measured((i, 0.0, 0.0))) for i in (0.0, 300.0, 5000.0)]
        assert first == second
