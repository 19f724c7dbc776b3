"""Limits of the classes against the tables of IEC 62053, typed by hand."""

import pytest

from twin.meters.accuracy_limits import (
    REACTIVE_STARTING_CURRENT,
    STARTING_CURRENT,
    active_limit,
    no_load_minutes,
    reactive_limit,
)


@pytest.mark.parametrize(
    ("load", "pf", "capacitive", "class_02s", "class_05s"),
    [
        (0.005, 1.0, False, None, None),
        (0.01, 1.0, False, 0.4, 1.0),
        (0.0499, 1.0, False, 0.4, 1.0),
        (0.05, 1.0, False, 0.2, 0.5),
        (1.2, 1.0, False, 0.2, 0.5),
        (0.019, 0.5, False, None, None),
        (0.02, 0.5, False, 0.5, 1.0),
        (0.099, 0.8, True, 0.5, 1.0),
        (0.1, 0.5, False, 0.3, 0.6),
        (1.0, 0.8, True, 0.3, 0.6),
        (0.099, 0.25, False, None, None),
        (0.1, 0.25, False, 0.5, 1.0),
        (0.1, 0.5, True, 0.5, 1.0),
        (1.0, 0.2, False, None, None),
        (1.0, 0.4, True, None, None),
        (1.0, 0.9, False, 0.3, 0.6),  # between 1 and 0.5 the row of 0.5 holds
    ],
)
def test_active_limits_are_those_of_iec_62053_22(load, pf, capacitive, class_02s, class_05s):
    assert active_limit("0.2S", load, pf, capacitive=capacitive) == class_02s
    assert active_limit("0.5S", load, pf, capacitive=capacitive) == class_05s


@pytest.mark.parametrize(
    ("load", "pf", "capacitive", "class_02s", "class_05s"),
    [
        (0.04, 1.0, False, None, None),
        (0.05, 1.0, False, 0.3, 0.6),
        (0.09, 0.5, False, None, None),
        (0.1, 0.5, False, 0.4, 1.0),
        (1.0, 0.8, True, None, None),
    ],
)
def test_one_loaded_phase_has_wider_limits(load, pf, capacitive, class_02s, class_05s):
    for accuracy_class, limit in (("0.2S", class_02s), ("0.5S", class_05s)):
        got = active_limit(accuracy_class, load, pf, capacitive=capacitive, single_phase=True)
        assert got == limit


@pytest.mark.parametrize(
    ("load", "sine", "limits"),
    [
        (0.009, 1.0, (None, None, None, None)),
        (0.01, 1.0, (1.0, None, None, None)),
        (0.02, 1.0, (1.0, 1.5, 2.5, 4.0)),
        (0.05, 1.0, (0.5, 1.0, 2.0, 3.0)),
        (0.02, 0.5, (1.0, 1.5, None, None)),
        (0.05, 0.5, (1.0, 1.5, 2.5, 4.0)),
        (0.1, 0.5, (0.5, 1.0, 2.0, 3.0)),
        (0.1, 0.25, (1.0, 2.0, 2.5, 4.0)),
        (0.09, 0.25, (None, None, None, None)),
        (1.0, 0.2, (None, None, None, None)),
    ],
)
def test_reactive_limits_are_those_of_iec_62053_23_and_24(load, sine, limits):
    assert tuple(reactive_limit(one, load, sine) for one in ("0.5S", "1S", "2", "3")) == limits


def test_starting_currents():
    assert STARTING_CURRENT == {"0.2S": 0.001, "0.5S": 0.001}
    assert REACTIVE_STARTING_CURRENT == {"0.5S": 0.001, "1S": 0.002, "2": 0.003, "3": 0.005}


def test_the_no_load_test_of_a_hand_worked_meter():
    # k = 10 000 imp/kWh, m = 3, Un = 230 V, Imax = 6 A: 900e6 / 41.4e6 = 21.74 min; 0.5 S: 14.49 min.
    meter = {"pulses_per_kwh": 10_000, "elements": 3, "rated_voltage": 230, "maximum_current": 6}
    assert no_load_minutes("0.2S", **meter) == pytest.approx(21.739, abs=1e-3)
    assert no_load_minutes("0.5S", **meter) == pytest.approx(14.493, abs=1e-3)


def test_an_unknown_class_is_no_limit():
    with pytest.raises(KeyError):
        active_limit("0.3S", 1.0, 1.0)
