"""Voltage and frequency elements: definite times, dropout, blocking."""

import math

import pytest

from twin.grid import GridError
from twin.grid.protection import (
    Action,
    FrequencyRelay,
    FrequencySettings,
    Measured,
    Operation,
    VoltageRelay,
    VoltageSettings,
)


def volts(*v: float, **other: float) -> Measured:
    return Measured(voltages=v, frequency=50.0, **other)


GOOD = volts(230.0, 230.0, 230.0)


def test_undervoltage_of_any_phase():
    relay = VoltageRelay(VoltageSettings("U<", "under", 184.0, 1.5, dropout_ratio=1.02))
    assert relay.time_to_event(GOOD) is None
    relay.advance(volts(230.0, 180.0, 230.0), 1.0)
    # Phase b has 0.5 s to go, phase c only starts.
    assert relay.time_to_event(volts(230.0, 180.0, 100.0)) == (pytest.approx(0.5), "trip 27 b")
    # 186 V is above the pickup but below the dropout of 187.68 V.
    assert relay.time_to_event(volts(230.0, 186.0, 230.0)) == (pytest.approx(0.5), "trip 27 b")
    assert relay.time_to_event(volts(230.0, 188.0, 230.0)) is None
    relay.advance(volts(230.0, 186.0, 230.0), 0.5)
    assert relay.fire("trip 27 b") == Action(Operation.OPEN, cause="trip 27 b")
    assert relay.time_to_event(volts(230.0, 180.0, 230.0)) is None
    relay.advance(GOOD, 0.1)
    assert relay.time_to_event(volts(230.0, 180.0, 230.0)) == (1.5, "trip 27 b")


def test_undervoltage_of_all_phases_and_a_dead_line():
    relay = VoltageRelay(VoltageSettings("U<", "under", 184.0, 1.5, phases="all", block_below=20.0))
    assert relay.time_to_event(volts(230.0, 0.0, 0.0)) is None
    assert relay.time_to_event(volts(183.0, 0.0, 0.0)) == (1.5, "trip 27")
    assert relay.time_to_event(volts(19.0, 0.0, 0.0)) is None


def test_overvoltage():
    relay = VoltageRelay(VoltageSettings("U>", "over", 253.0, 0.2, dropout_ratio=0.98))
    relay.advance(volts(230.0, 230.0, 260.0), 0.15)
    assert relay.time_to_event(volts(230.0, 230.0, 250.0)) == (pytest.approx(0.05), "trip 59 c")
    assert relay.time_to_event(volts(230.0, 230.0, 247.0)) is None
    both = VoltageRelay(VoltageSettings("U>", "over", 253.0, 0.2, phases="all"))
    assert both.time_to_event(volts(260.0, 260.0, 250.0)) is None
    assert both.time_to_event(volts(260.0, 260.0, 254.0)) == (0.2, "trip 59")


def frequency(hz: float, rocof: float = 0.0, volt: float = 230.0) -> Measured:
    return Measured(voltages=(volt, volt, volt), frequency=hz, rocof=rocof)


@pytest.mark.parametrize(
    ("kind", "pickup", "quiet", "beyond", "what"),
    [
        ("under", 47.5, frequency(47.5), frequency(47.49), "trip 81U"),
        ("over", 51.5, frequency(51.5), frequency(51.51), "trip 81O"),
        ("rocof", 2.0, frequency(50.0, 2.0), frequency(50.0, -2.1), "trip 81R"),
    ],
)
def test_frequency(kind, pickup, quiet, beyond, what):
    relay = FrequencyRelay(FrequencySettings("f", kind, pickup, 0.2, block_below=46.0))
    assert relay.time_to_event(quiet) is None
    relay.advance(beyond, 0.05)
    assert relay.time_to_event(beyond) == (pytest.approx(0.15), what)
    relay.advance(quiet, 0.05)
    assert relay.time_to_event(beyond) == (0.2, what)
    relay.advance(beyond, 0.2)
    assert relay.fire(what) == Action(Operation.OPEN, cause=what)
    assert relay.time_to_event(beyond) is None


def test_without_voltage_there_is_no_frequency():
    relay = FrequencyRelay(FrequencySettings("f", "under", 47.5, 0.2))
    assert relay.time_to_event(Measured()) is None
    assert relay.time_to_event(frequency(47.0, volt=0.0)) is None
    assert relay.time_to_event(frequency(0.0)) is None
    blocked = FrequencyRelay(FrequencySettings("f", "under", 47.5, 0.2, block_below=100.0))
    assert blocked.time_to_event(frequency(47.0, volt=100.0)) is None


def test_events_that_are_none():
    with pytest.raises(GridError, match="f: event = 'trip 81O' cannot be; events now are: trip 81U"):
        FrequencyRelay(FrequencySettings("f", "under", 47.5, 0.2)).fire("trip 81O")
    with pytest.raises(GridError, match="events now are: trip 27 a, trip 27 b, trip 27 c"):
        VoltageRelay(VoltageSettings("U<", "under", 184.0, 1.5)).fire("trip 59 a")


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("low", {}, "kind = 'low' cannot be; choose one of under, over"),
        ("under", {"pickup": math.nan}, "pickup = nan"),
        ("under", {"delay": -1.0}, "delay"),
        ("under", {"dropout_ratio": 0.9}, "lets go at 1 or more"),
        ("over", {"dropout_ratio": 1.1}, "lets go at 1 or less"),
        ("over", {"block_below": 10.0}, "block_below"),
        ("under", {"block_below": 200.0}, "block_below"),
        ("under", {"phases": "one"}, "phases = 'one'"),
    ],
)
def test_refused_voltage_settings(kind, change, message):
    with pytest.raises(GridError, match=f"U: .*{message}"):
        VoltageSettings("U", kind, **{"pickup": 184.0, "delay": 1.0, **change})


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("slow", {}, "choose one of under, over, rocof"),
        ("under", {"pickup": 0.0}, "pickup"),
        ("over", {"dropout_ratio": 1.1}, "lets go at 1 or less"),
        ("rocof", {"block_below": -1.0}, "block_below"),
    ],
)
def test_refused_frequency_settings(kind, change, message):
    with pytest.raises(GridError, match=f"f: .*{message}"):
        FrequencySettings("f", kind, **{"pickup": 47.5, "delay": 1.0, **change})
