"""Fixtures of the grid's tests."""

from dataclasses import replace
from pathlib import Path

import pytest

from twin.grid import (
    Capacitor,
    Source,
    Switch,
    read_network,
)

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"


@pytest.fixture(scope="module")
def site():
    """site8 with an explicit grid impedance, switches and a capacitor."""
    network = read_network(NETWORKS / "site8.yaml")
    return replace(
        network,
        sources=(Source("GRID", "SRC", 1.02, 0.0, 0.05, 0.5, 0.1, 0.9),),
        switches=(Switch("Q12", "F12"), Switch("QB", "TB")),
        capacitors=(Capacitor("PFC", "LV1", 100e3, closed=False),),
    )
