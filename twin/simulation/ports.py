"""What machines ask of the network: the voltages where they stand, and to be an admittance there.

Loads that only draw power use the `LoadSink`. A machine whose current follows its voltage (a motor, an arc, a
welder) enters the network as a matrix of admittances between the phases of its bus instead.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class AdmittancePort(Protocol):
    """A three-phase bus to which machines can be connected, each under its name."""

    def voltages(self) -> NDArray[np.complex128]:
        """Return the phase voltages to earth now, everything set so far included; shape (3,), RMS [V]."""

    def set_admittance(self, name: str, admittance: NDArray[np.complex128], *, cause: str) -> None:
        """Say what a machine is from now on; shape (3, 3) [S]. It counts while the machine is connected."""

    def connect(self, name: str, *, cause: str) -> None:
        """Close the machine's contactor."""

    def disconnect(self, name: str, *, cause: str) -> None:
        """Open the machine's contactor."""

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after each change of the voltages that others have caused."""


class MotorPort(AdmittancePort, Protocol):
    """A bus for rotating machines: they follow its frequency too."""

    def frequency(self) -> float:
        """Return the network's frequency now [Hz]; watchers hear of its changes as of voltages."""


class Supply(Protocol):
    """The voltage at load points, for loads that care whether there is any."""

    def voltage(self, load: int) -> float:
        """Return the voltage at a load point now, of the rated one."""

    def watch(self, load: int, watcher: Callable[[], None]) -> None:
        """Have a function called after each change of the voltage at a load point."""


class SteadySupply:
    """A supply that never fails: rated voltage everywhere, for ever."""

    def voltage(self, load: int) -> float:
        """Return 1."""
        return 1.0

    def watch(self, load: int, watcher: Callable[[], None]) -> None:
        """Forget the watcher: nothing will ever change."""
