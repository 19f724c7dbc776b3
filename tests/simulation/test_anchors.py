"""Anchors of the signal: left out where nobody looks at it, and nobody can tell."""

import math
import random

import numpy as np
import pytest

from tests.simulation.equipment_site import Run
from twin.contracts import Command
from twin.simulation.engine import ANCHOR_NS

EVENTS = """
events:
  - {event: switch, at: "12:03:00.0123", switch: Q2, to: open}
  - {event: switch, at: "12:11:07.5", switch: Q2, to: closed}
  - event: fault
    name: F
    at: "12:14:30.004"
    bus: FAR
    type: slg
    phases: b
    resistance: 0.02 ohm
    clear_after: 130 ms
"""
CAPTURE = 541.23456789
"""When a capture is triggered by hand, in the middle of a quiet stretch [s]."""


def freeze(record):
    """A record that compares bit by bit."""
    fields = [getattr(record, name) for name in record.__dataclass_fields__]
    return type(record).__name__, [
        value.tobytes() if isinstance(value, np.ndarray) else repr(value) for value in fields
    ]


def lived(folder, cuts):
    """Return a run, its records, and what the meter shows at the end."""
    folder.mkdir()
    run = Run(folder, EVENTS, minutes=20)
    trigger = Command("test", "head", "write_registers", {"address": 0x8000, "words": [170]})
    for seconds in sorted({*cuts, CAPTURE}):
        run.to(seconds)
        if seconds == CAPTURE:
            assert run.built.engine.apply(trigger).refusal is None
    fleet = run.built.engine.fleet
    return run, [freeze(record) for record in run.records], fleet.words(0).tolist(), fleet.energies(0)


@pytest.mark.parametrize("seed", [1, 2])
def test_cuts_change_no_bit(tmp_path, seed):
    rng = random.Random(seed)
    run, *whole = lived(tmp_path / "whole", [1200])
    cuts = [1200, *(rng.uniform(0, 1200) for _ in range(60)), *(0.1 * k for k in range(5400, 5500))]
    cut, *pieces = lived(tmp_path / "cut", cuts)
    assert pieces == whole
    captures = [name for name, _ in whole[0] if name == "WaveformRecord"]
    assert len(captures) == 2
    assert len(run.segments) < len(cut.segments)


def test_a_long_quiet_stretch_keeps_its_phase(tmp_path):
    """The phase after an odd time is that of the first segment, to the resolution of an angle."""
    run = Run(tmp_path, minutes=20).to(1199.7654321)
    first, last = run.segments[0], run.segments[-1]
    assert len(run.segments) < 10
    assert run.site.time_ns - last.start_ns <= ANCHOR_NS
    turns = 50 * (last.start_ns - first.start_ns) % 1_000_000_000 / 1e9
    away = math.remainder(last.theta - first.theta - 2 * math.pi * turns, 2 * math.pi)
    assert abs(away) < 1e-14
