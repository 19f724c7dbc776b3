"""Resistance welders: trains of whole cycles of current between two phases."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.load_sink import random_stream
from twin.simulation.ports import AdmittancePort


class WelderError(TwinError, ValueError):
    """A welder that cannot be."""


@dataclass(frozen=True, slots=True)
class WelderSettings:
    """A spot welder: an operator's train of spots, each some cycles on and some off, then a pause.

    The defaults are usual for sheet steel, an engineering estimate.
    """

    name: str
    s_welding: float
    """Apparent power while welding at rated voltage, phase to phase [VA]."""
    u_rated: float
    """Line to line [V]."""
    frequency: float = 50.0
    """[Hz]"""
    power_factor: float = 0.5
    phases: tuple[int, int] = (0, 1)
    """Between which phases it is connected."""
    on_cycles: int = 12
    off_cycles: int = 40
    """Squeeze, hold and the way to the next spot."""
    spots: tuple[int, int] = (5, 15)
    """Of one piece, at least and at most."""
    pause: tuple[float, float] = (5.0, 30.0)
    """Between two pieces, at least and at most [s]."""

    def __post_init__(self) -> None:
        """Refuse settings that no welder has."""
        if not (self.s_welding > 0.0 and self.u_rated > 0.0 and self.frequency > 0.0):
            raise WelderError(f"{self.name}: power, voltage and frequency must be above zero; mend them")
        if not 0.0 < self.power_factor <= 1.0:
            raise WelderError(f"{self.name}: the power factor lies between 0 and 1; mend it")
        if self.phases[0] == self.phases[1] or not set(self.phases) <= {0, 1, 2}:
            raise WelderError(f"{self.name}: give two different phases of 0, 1, 2")
        if min(self.on_cycles, self.off_cycles) < 1:
            raise WelderError(f"{self.name}: cycles on and off are at least 1; mend them")
        if not 1 <= self.spots[0] <= self.spots[1] or not 0.0 < self.pause[0] <= self.pause[1]:
            raise WelderError(f"{self.name}: ranges of spots and pause must rise and be above zero")


def welder_admittance(settings: WelderSettings) -> NDArray[np.complex128]:
    """Return the admittance while welding, shape (3, 3) [S]: one impedance between two phases."""
    angle = math.acos(settings.power_factor)
    size = settings.s_welding / settings.u_rated**2
    value = size * complex(math.cos(angle), -math.sin(angle))
    matrix = np.zeros((3, 3), dtype=np.complex128)
    one, other = settings.phases
    matrix[one, one] = matrix[other, other] = value
    matrix[one, other] = matrix[other, one] = -value
    return matrix


def _weld(
    env: simpy.Environment, port: AdmittancePort, settings: WelderSettings, rng: np.random.Generator
) -> Generator[simpy.Event, Any, None]:
    cycle = NS_PER_SECOND / settings.frequency
    on_ns, off_ns = round(settings.on_cycles * cycle), round(settings.off_cycles * cycle)
    name = settings.name
    while True:
        low, high = settings.pause
        yield env.timeout(round((low + (high - low) * rng.random()) * NS_PER_SECOND))
        for spot in range(int(rng.integers(settings.spots[0], settings.spots[1] + 1))):
            port.connect(name, cause=f"{name}: spot {spot + 1}")
            yield env.timeout(on_ns)
            port.disconnect(name, cause=f"{name}: spot {spot + 1} done")
            yield env.timeout(off_ns)


def start_welder(
    env: simpy.Environment, port: AdmittancePort, *, settings: WelderSettings, seed: int
) -> None:
    """Start the process of a welder.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    port : AdmittancePort
        The welder's bus.
    settings : WelderSettings
        The welder.
    seed : int
        Of the scenario; the welder has a random stream of its own name.
    """
    port.set_admittance(settings.name, welder_admittance(settings), cause=f"{settings.name}: ready")
    env.process(_weld(env, port, settings, random_stream(seed, settings.name)))
