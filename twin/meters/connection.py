"""How a meter is connected where that is not as its wiring asks: installation faults and blown fuses.

Phases a, b, c are those of the meter's inputs 1, 2, 3. All faults together are one linear map from the
voltages and currents of the metering point to the six inputs, the same for phasors and for samples.

The voltage circuit is solved as the network of resistances that it is. Equal voltage inputs lie between each
phase terminal and VN; with 3LL they meet in a star point that is connected to nothing, with 2LL the terminals
V2 and VN are one. A lead whose fuse has blown is held by nothing but the burdens behind the fuse: the meter's
own input pulls it to VN, and burdens between the phases (other meters, relays, a three-phase motor at low
voltage) feed it back from its neighbours.

A current transformer that is open or short-circuited gives the meter no current.

References
----------
KW320 manual 2.3.2..2.3.5 (which terminals there are in each wiring).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError
from twin.meters.accuracy import CHANNELS
from twin.meters.settings import CurrentWiring, Wiring
from twin.meters.wiring import PHASES, fitted_currents

Float = NDArray[np.float64]
Row = tuple[float, float, float]
"""A potential by va, vb, vc, to earth's neutral."""

LETTERS: Final = "abc"
LINES: Final = "abcn"
STAR: Final[frozenset[Wiring]] = frozenset({"3LN", "1LL", "1LN"})
"""Wirings with a neutral lead."""
_EARTH: Final[Row] = (0.0, 0.0, 0.0)


class ConnectionFaultError(TwinError, ValueError):
    """A connection that a wiring does not have the leads for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What is wrong between the metering point and the terminals; by default nothing."""

    voltage_order: str = "abcn"
    """Which conductor feeds V1, V2, V3 and VN, of ``abcn``; one may feed several."""
    current_order: str = "abc"
    """Around which conductor the current transformers of I1, I2, I3 sit."""
    ct_reversed: frozenset[str] = frozenset()
    """Phases whose current transformer is turned, or its leads exchanged."""
    ct_dead: frozenset[str] = frozenset()
    """Phases whose current transformer is open or short-circuited."""
    pt_reversed: frozenset[str] = frozenset()
    """Phases whose voltage transformer has its leads exchanged; with 2LL a and c, of ab and cb."""
    fuses_blown: frozenset[str] = frozenset()
    """Phases whose voltage lead is interrupted."""
    neutral_open: bool = False
    """The neutral lead is interrupted."""
    burden_between_phases: float = 0.0
    """Admittance of what else is connected behind the fuses between each two phases, of a voltage input's."""

    voltage_scale: float = 1.0
    """What arrives of a voltage, of what transformers of the ratio that is set would pass on."""
    current_scale: float = 1.0
    """The same of a current."""

    def __post_init__(self) -> None:
        if len(self.voltage_order) != len(LINES) or set(self.voltage_order) - set(LINES):
            raise ConnectionFaultError(f"voltage order '{self.voltage_order}' is none; write it as bacn")
        if len(self.current_order) != len(LETTERS) or set(self.current_order) - set(LETTERS):
            raise ConnectionFaultError(f"current order '{self.current_order}' is none; write it as bac")
        if not self.burden_between_phases >= 0.0:
            raise ConnectionFaultError(f"a burden of {self.burden_between_phases:g} is none; give 0 or more")


def input_map(connection: Connection, wiring: Wiring, current_wiring: CurrentWiring) -> Float:
    """Return what the inputs receive of va, vb, vc, ia, ib, ic, shape (6, 6).

    Parameters
    ----------
    connection : Connection
    wiring, current_wiring : str
        How the meter is installed, faults aside.

    Raises
    ------
    ConnectionFaultError
        If the neutral is exchanged or open that the wiring does not have.
    """
    exchanged = connection.neutral_open or "n" in connection.voltage_order[:3]
    if wiring not in STAR and (exchanged or connection.voltage_order[3] != "n"):
        raise ConnectionFaultError(f"{wiring} has no neutral lead; choose another fault")
    out = np.zeros((CHANNELS, CHANNELS))
    out[:3, :3] = connection.voltage_scale * _voltages(connection, wiring)
    for row, there in enumerate(fitted_currents(wiring, current_wiring)):
        letter = LETTERS[row]
        if there and letter not in connection.ct_dead:
            sign = -1.0 if letter in connection.ct_reversed else 1.0
            column = LETTERS.index(connection.current_order[row])
            out[3 + row, 3 + column] = sign * connection.current_scale
    return out


@dataclass(slots=True)
class _Circuit:
    """Nodes with known or floating potentials, and admittances between them."""

    known: dict[str, Row]
    branches: list[tuple[str, str, float]]

    def potentials(self) -> dict[str, Row]:
        """Return the potential of every node; all the same where nothing holds any of them."""
        nodes = sorted({node for one, other, _ in self.branches for node in (one, other)})
        floating = [node for node in nodes if node not in self.known]
        if not self.known:
            return dict.fromkeys(nodes, _EARTH)
        # By rows: the admittances among floating nodes, then the currents that known ones drive.
        rows = [[0.0] * (len(floating) + 3) for _ in floating]
        for one, other, admittance in self.branches:
            for node, neighbour in ((one, other), (other, one)):
                if node in self.known:
                    continue
                row = rows[floating.index(node)]
                row[floating.index(node)] += admittance
                if neighbour in self.known:
                    for k, part in enumerate(self.known[neighbour]):
                        row[len(floating) + k] += admittance * part
                else:
                    row[floating.index(neighbour)] -= admittance
        return self.known | dict(zip(floating, _solved(rows), strict=True))


def _solved(rows: list[list[float]]) -> list[Row]:
    """Return the potentials of a circuit's floating nodes; each is tied to a known one, so no pivot is 0."""
    count = len(rows)
    for pivot in range(count):
        for row in range(count):
            if row != pivot:
                share = rows[row][pivot] / rows[pivot][pivot]
                rows[row] = [x - share * y for x, y in zip(rows[row], rows[pivot], strict=True)]
    solved = [[value / row[k] for value in row[count:]] for k, row in enumerate(rows)]
    return [(one, two, three) for one, two, three in solved]


def _voltages(connection: Connection, wiring: Wiring) -> Float:
    """Return what the voltage inputs receive of va, vb, vc, shape (3, 3)."""
    terminals = ["V1", "V2", "V3"][: PHASES[wiring]]
    common = "star" if wiring == "3LL" else "V2" if wiring == "2LL" else "VN"
    inputs = [terminal for terminal in terminals if terminal != common]
    circuit = _Circuit(_held(connection, wiring, terminals), [(terminal, common, 1.0) for terminal in inputs])
    if connection.burden_between_phases:
        pairs = [(one, two) for at, one in enumerate(terminals) for two in terminals[at + 1 :]]
        circuit.branches += [(one, two, connection.burden_between_phases) for one, two in pairs]
    potential = circuit.potentials()
    out = np.zeros((3, 3))
    for terminal in inputs:
        out[int(terminal[1]) - 1] = np.array(potential[terminal]) - np.array(potential[common])
    return out


def _held(connection: Connection, wiring: Wiring, terminals: list[str]) -> dict[str, Row]:
    """Return the potentials of the terminals that their leads hold."""
    lines = [_line(letter) for letter in connection.voltage_order]
    if wiring == "2LL":
        # Two transformers between lines; their common secondary lead is where potentials count from.
        middle = lines[1]
        lines = [_less(lines[0], middle), _EARTH, _less(lines[2], middle)]
    held = {
        terminal: _less(_EARTH, lines[at]) if LETTERS[at] in connection.pt_reversed else lines[at]
        for at, terminal in enumerate(terminals)
        if LETTERS[at] not in connection.fuses_blown
    }
    if wiring in STAR and not connection.neutral_open:
        held["VN"] = lines[3]
    return held


def _line(letter: str) -> Row:
    return (float(letter == "a"), float(letter == "b"), float(letter == "c"))


def _less(one: Row, other: Row) -> Row:
    a, b, c = (x - y for x, y in zip(one, other, strict=True))
    return a, b, c
