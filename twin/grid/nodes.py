"""Nodes of the network equations: one for each conductor of each bus."""

from collections.abc import Iterable

from twin.grid.components import CONDUCTORS, PHASES
from twin.grid.network import Network

EARTH = -1
"""Stands for earth, which is no unknown."""


class Nodes:
    """Numbers of the nodes, bus by bus, in the order a b c n.

    Parameters
    ----------
    network : Network

    Attributes
    ----------
    count : int
    bus : list of int
        Bus of each node.
    letter : list of str
        Conductor of each node.
    """

    def __init__(self, network: Network) -> None:
        self.bus: list[int] = []
        self.letter: list[str] = []
        self._number: dict[tuple[int, str], int] = {}
        for at, bus in enumerate(network.buses):
            for letter in CONDUCTORS:
                if letter in bus.phases:
                    self._number[at, letter] = len(self.bus)
                    self.bus.append(at)
                    self.letter.append(letter)
        self.count = len(self.bus)

    def has(self, bus: int, letter: str) -> bool:
        """Return whether a bus has a conductor."""
        return (bus, letter) in self._number

    def at(self, bus: int, letter: str) -> int:
        """Return the node of a conductor; `EARTH` for the neutral where there is none.

        Raises
        ------
        KeyError
            A phase that the bus does not have.
        """
        if letter == "n":
            return self._number.get((bus, letter), EARTH)
        return self._number[bus, letter]

    def of_bus(self, bus: int) -> list[int]:
        """Return the nodes of a bus."""
        return [self._number[bus, letter] for letter in CONDUCTORS if (bus, letter) in self._number]

    def side(self, bus: int, phases: str) -> tuple[int, int]:
        """Return the nodes between which a load or unit lies: one letter is phase to neutral or earth."""
        other = phases[1] if len(phases) == 2 else "n"
        return self.at(bus, phases[0]), self.at(bus, other)

    def phases(self, bus: int) -> Iterable[tuple[str, int]]:
        """Yield letter and node of each phase of a bus."""
        for letter in PHASES:
            if (bus, letter) in self._number:
                yield letter, self._number[bus, letter]
