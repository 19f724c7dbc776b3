"""The electrical network: its file, its checks, unbalanced load flow, faults and harmonics.

What computes (numba) is imported on first use, so that reading and checking a network stays light.
"""

from typing import TYPE_CHECKING, Any

from twin.grid.attached import Machine
from twin.grid.checks import check_network
from twin.grid.components import (
    Bus,
    Capacitor,
    Fault,
    Grounding,
    HarmonicShare,
    Line,
    LineType,
    Load,
    LoadPoint,
    Probe,
    Source,
    Spectrum,
    Switch,
)
from twin.grid.errors import GridError, MissingExtraError, NotConvergedError
from twin.grid.network import Branch, Network
from twin.grid.network_file import parse_network, read_network
from twin.grid.network_writer import network_text, write_network
from twin.grid.schema import network_schema
from twin.grid.transformers import TapChanger, Transformer

if TYPE_CHECKING:
    from twin.grid.solution import Solution
    from twin.grid.solver import GridSolver
    from twin.grid.study import fault, flow, harmonics

_LAZY = {
    "GridSolver": "twin.grid.solver",
    "Solution": "twin.grid.solution",
    "fault": "twin.grid.study",
    "flow": "twin.grid.study",
    "harmonics": "twin.grid.study",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - numba must not load with the package

    return getattr(import_module(_LAZY[name]), name)


__all__ = [
    "Branch",
    "Bus",
    "Capacitor",
    "Fault",
    "GridError",
    "GridSolver",
    "Grounding",
    "HarmonicShare",
    "Line",
    "LineType",
    "Load",
    "LoadPoint",
    "Machine",
    "MissingExtraError",
    "Network",
    "NotConvergedError",
    "Probe",
    "Solution",
    "Source",
    "Spectrum",
    "Switch",
    "TapChanger",
    "Transformer",
    "check_network",
    "fault",
    "flow",
    "harmonics",
    "network_schema",
    "network_text",
    "parse_network",
    "read_network",
    "write_network",
]
