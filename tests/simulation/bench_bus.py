"""One bus behind an impedance: a network small enough to be solved by hand, for machines to stand on."""

import cmath
import math

import numpy as np

TURNS = np.exp(-2j * np.pi / 3 * np.arange(3))


class BenchBus:
    """A stiff source behind three equal impedances; star point earthed."""

    def __init__(self, *, volts: float = 400.0, impedance: complex = 0.01 + 0.03j, hertz: float = 50.0):
        self.source = volts / math.sqrt(3) * TURNS
        self.impedance = impedance
        self.hertz = hertz
        self.machines: dict[str, np.ndarray] = {}
        self.closed: set[str] = set()
        self.watchers = []
        self.heard: list[tuple[int, str]] = []
        self.env = None

    def voltages(self) -> np.ndarray:
        total = sum((self.machines[name] for name in sorted(self.closed)), np.zeros((3, 3), complex))
        return np.linalg.solve(np.eye(3) + self.impedance * total, self.source)

    def currents(self) -> np.ndarray:
        return (self.source - self.voltages()) / self.impedance

    def frequency(self) -> float:
        return self.hertz

    def set_admittance(self, name, admittance, *, cause):
        assert admittance.shape == (3, 3)
        self.machines[name] = admittance.copy()
        self._note(cause)

    def connect(self, name, *, cause):
        assert name in self.machines
        self.closed.add(name)
        self._note(cause)

    def disconnect(self, name, *, cause):
        self.closed.remove(name)
        self._note(cause)

    def watch(self, watcher):
        self.watchers.append(watcher)

    def disturb(self, factors) -> None:
        """Set the source to factors of its phases, as seen from rated."""
        size = abs(self.source[0]) if not hasattr(self, "_size") else self._size
        self._size = size
        self.source = size * TURNS * np.asarray(factors)
        for watcher in self.watchers:
            watcher()

    def _note(self, cause):
        self.heard.append((int(self.env.now) if self.env is not None else 0, cause))
        for watcher in list(self.watchers):
            watcher()


def angle(value: complex) -> float:
    return math.degrees(cmath.phase(value))
