"""Demand windows as the web page sets them, which register 100EH cannot say, in the registers of a meter."""

from dataclasses import replace

import pytest

from tests.meters.kw320_registers import Registers
from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, segment, truth
from twin.meters import MeterConfig, build_fleet, check_config

MINUTE = 60 * SECOND
POWER = truth()["p_sum"]
CONFIG = MeterConfig(name="head", profile="kw320", pt1=400, pt2=400, ct1=5, ct2=5, accuracy="ideal")
SMALL = [{order: phasor / 100 for order, phasor in channel.items()} for channel in VOLTS]


def demand_after(fleet, minutes, signal):
    fleet.advance(signal, START + minutes * MINUTE)
    return Registers(fleet).float(0x4042) / (POWER / 100)


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        # START is a multiple of six minutes since the epoch; the window is six minutes, its parts two.
        ("sliding", [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1]),
        ("rolling", [0, 2 / 6, 2 / 6, 4 / 6, 4 / 6, 1, 1]),
        ("fixed", [0, 0, 0, 0, 0, 1, 1]),
        ("thermal", [0, 0, 0, 0, 0, 0.9, 0.9]),
    ],
)
def test_modes_by_the_minute(mode, shown):
    assert START // MINUTE % 6 == 0
    config = replace(
        CONFIG, demand_mode=mode, demand_sub_interval_minutes=2, registers={"demand_window_minutes": 6}
    )
    assert check_config(config) == []
    fleet = build_fleet([config], start_ns=START)
    signal = segment(SMALL, AMPERES, start_ns=START)
    found = [demand_after(fleet, minute, signal) for minute in range(1, 8)]
    assert found == pytest.approx(shown, abs=1e-6)
    assert Registers(fleet).unsigned(0x100E) == (2 if mode == "thermal" else 1)


def test_writing_the_register_ends_what_the_web_page_set():
    config = replace(CONFIG, demand_mode="fixed", registers={"demand_window_minutes": 6})
    fleet = build_fleet([config], start_ns=START)
    signal = segment(SMALL, AMPERES, start_ns=START)
    fleet.advance(signal, START + 6 * MINUTE)
    assert fleet.write(0, 0x100E, [1], fleet.now_ns).refusal is None
    assert demand_after(fleet, 7, signal) == pytest.approx(1 / 6)  # the memory begins at 0


def test_the_maximum_is_stamped_when_it_is_first_shown():
    config = replace(CONFIG, demand_mode="fixed", registers={"demand_window_minutes": 6})
    fleet = build_fleet([config], start_ns=START)
    fleet.advance(segment(SMALL, AMPERES, start_ns=START), START + 20 * MINUTE)
    registers = Registers(fleet)
    assert registers.signed(0x4198) == round(POWER / 100)
    assert registers.row(0x4199, 6) == [2026, 1, 15, 6, 6, 0]
    # Minimum: the 0 of the beginning.
    assert registers.signed(0x4247) == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"demand_mode": "block"}, "demand_mode: 'block' is unknown"),
        (
            {"demand_mode": "rolling", "demand_sub_interval_minutes": 4},
            "4 does not divide the window of 15 min",
        ),
        ({"demand_sub_interval_minutes": 0}, "0 does not divide"),
        ({"demand_mode": "fixed", "registers": {"demand_mode": 1}}, "contradicts demand_mode"),
        ({"wiring": "2LN"}, "wiring: '2LN' is no wiring"),
        ({"current_wiring": "4CT"}, "current_wiring: '4CT' is no wiring"),
    ],
)
def test_what_does_not_fit_is_found(change, problem):
    (found,) = check_config(replace(CONFIG, **change))
    assert problem in found
