"""Short scripts, OpenDSS itself solved tightly, and the comparison of its voltages with ours."""

import cmath
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twin.grid import Network, flow
from twin.grid.importers.opendss_script import read_opendss

SCRIPTS = Path(__file__).parent / "dss"

HEAD = (
    "clear\nset defaultbasefrequency=50\n"
    "new circuit.test basekv=0.4 bus1=head r1=0.01 x1=0.03 r0=0.01 x0=0.03\n"
)
"""A circuit for 50 Hz, three lines long."""

HOUSE = "new line.l bus1=head bus2=house r1=0.1 x1=0.1 r0=0.1 x0=0.1 c1=0 c0=0\n"
"""A line from its source to a second bus."""

V_MIN = 0.1
"""Below it loads turn to constant impedance, here and in OpenDSS [pu]."""


def network_of(folder: Path, text: str) -> tuple[Network, list[str]]:
    """Return the network of a script's text, and what was assumed."""
    path = folder / "script.dss"
    path.write_text(text)
    return read_opendss(path)


def carried_out(dss: Any, commands: Iterable[str]) -> None:
    """Let OpenDSS carry out commands from a clean state."""
    folder = Path.cwd()
    try:
        # OpenDSS keeps the base frequency of the script before, and a redirect leaves its folder behind.
        for command in ("clear", "set defaultbasefrequency=60", *commands):
            dss.Text.Command(command)
    finally:
        os.chdir(folder)


def solved(dss: Any, commands: Iterable[str]) -> dict[str, complex]:
    """Return the voltages of all nodes after some commands, loads keeping their law at any voltage [V]."""
    carried_out(dss, commands)
    for command in (
        f"batchedit load..* vminpu={V_MIN} vmaxpu=5 vlowpu=0.01",
        "set controlmode=static maxiterations=1000 maxcontroliter=100 tolerance=1e-10",
        "solve",
    ):
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    return node_voltages(dss)


def node_voltages(dss: Any) -> dict[str, complex]:
    """Return the voltages of all nodes against earth [V]."""
    flat = dss.Circuit.AllBusVolts()
    values = [complex(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    return dict(zip(dss.Circuit.AllNodeNames(), values, strict=True))


def largest_difference(network: Network, reference: dict[str, complex]) -> float:
    """Return the largest difference of a node's voltage [pu]; every conductor of ours must be there."""
    turn = network.sources[0].angle_deg
    return difference(network, flow(network, v_min_pu=V_MIN), reference, turn=turn)


def difference(
    network: Network, rows: list[dict[str, Any]], reference: dict[str, complex], *, turn: float
) -> float:
    """Return the largest difference between rows of a study and node voltages [pu]."""
    rated = {bus.name: bus.u_phase for bus in network.buses}
    worst = 0.0
    for row in rows:
        other = reference[f"{row['bus'].lower()}.{'abcn'.index(row['phase']) + 1}"]
        own = cmath.rect(row["v_volt"], math.radians((row["angle_deg"] or 0.0) + turn))
        worst = max(worst, abs(own - other) / rated[row["bus"]])
    return worst
