"""From one steady state of the site to the next: the modes that an event excites, and zeros of currents."""

import logging
import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.grid import Fault, GridSolver, Solution
from twin.grid.interruption import Currents
from twin.grid.natural_response import NO_MODES, Modes, NaturalResponse, OperatingPoint
from twin.grid.transients import CircuitError

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

_log = logging.getLogger(__name__)

GONE = 1e-9
"""Share of the largest voltage or current below which a mode has died away."""

_SLOWEST = 0.1
"""Modes slower than this are charge that only a lost resistance holds; they are left out [1/s]."""


class Transitions:
    """Natural modes of a site.

    Parameters
    ----------
    solver : GridSolver
    frequency : float
        Of the sources [Hz].
    meters : int
        How many of the solver's probes are meters: they see the modes.
    poles : collection of (int, int), optional
        Branch and end of what may open pole by pole beside switches and fuses.
    """

    def __init__(
        self,
        solver: GridSolver,
        *,
        frequency: float,
        meters: int,
        poles: Collection[tuple[int, int]] = (),
    ) -> None:
        self._solver = solver
        self._response = NaturalResponse(
            solver.network, solver.probes[:meters], solver.loads, frequency=frequency, poles=poles
        )
        self._before: OperatingPoint | None = None
        self._present: tuple[Solution, Float, Float] | None = None
        self._point: OperatingPoint | None = None
        self._modes: Modes = NO_MODES
        self._since_ns = 0
        self.calm_ns: int | None = None
        """When the modes will have died away, UTC [ns]."""

    def set_frequency(self, frequency: float) -> None:
        """Let the sources have another frequency from now on [Hz]."""
        self._response.frequency = frequency

    def let_open(self, pole: tuple[int, int]) -> None:
        """Let one more end of a branch open pole by pole from now on: branch, and end (0 from, 1 to)."""
        self._response.let_open(pole)

    def before_event(self) -> None:
        """Remember the steady state that an event ends; later events of the same instant change nothing."""
        if self._before is None and self._present is not None:
            self._before = self._operating_point()

    def _operating_point(self) -> OperatingPoint:
        """Return the present steady state as impedances and voltages."""
        assert self._present is not None
        if self._point is None:
            self._point = self._solver.operating_point(*self._present)
        return self._point

    def solved(self, solution: Solution, p: Float, q: Float, at_ns: int, theta: float) -> None:
        """Take a new steady state; after an event find its modes."""
        self._present, self._point = (solution, p.copy(), q.copy()), None
        if self._before is None:
            return
        before, self._before = self._before, None
        after = self._operating_point()
        since = (at_ns - self._since_ns) / NS_PER_SECOND
        try:
            self._modes = self._response.after_event(before, after, theta=theta, since=since)
        except CircuitError as error:
            _log.warning("an event takes effect without its transient: %s", error)
            self._response.forget()
            self._modes = NO_MODES
        self._since_ns = at_ns

    def modes_at(self, at_ns: int, steady: Complex) -> Modes:
        """Return what is left of the modes at an instant, beside steady peak amplitudes."""
        self.calm_ns = None
        if not self._modes.rate.size:
            return NO_MODES
        now = self._modes.later((at_ns - self._since_ns) / NS_PER_SECOND)
        share = _share(now, steady)
        keep = (share > GONE) & (-now.rate.real > _SLOWEST)
        if not keep.any():
            self._modes = NO_MODES
            self._response.forget()
            return NO_MODES
        last = float((np.log(share[keep] / GONE) / -now.rate.real[keep]).max())
        self.calm_ns = at_ns + math.ceil(last * NS_PER_SECOND) + 1
        return Modes(now.rate[keep], now.amplitude[:, keep])

    def pole_zeros(
        self, poles: Sequence[tuple[int, int, str]], now_ns: int, theta: float
    ) -> dict[tuple[int, int, str], int]:
        """Return when the current of each pole passes through zero, UTC [ns]."""
        currents, name = self._currents(now_ns, theta), self._solver.pole_name
        return {one: now_ns + _nanoseconds(currents.of_pole(name(one))) for one in poles}

    def fault_zero(self, fault: Fault, now_ns: int, theta: float) -> tuple[str, int]:
        """Return which phase of a fault goes out first, and when, UTC [ns]."""
        currents = self._currents(now_ns, theta)
        if fault.type == "ll":
            ends = (f"{fault.bus}.{letter}" for letter in sorted(fault.phases))
            return fault.phases[0], now_ns + _nanoseconds(currents.of_voltage(*ends))
        zeros = {
            letter: currents.of_voltage(f"{fault.bus}.{letter}", None) for letter in sorted(fault.phases)
        }
        first = min(zeros, key=lambda letter: zeros[letter])
        return first, now_ns + _nanoseconds(zeros[first])

    def _currents(self, now_ns: int, theta: float) -> Currents:
        since = (now_ns - self._since_ns) / NS_PER_SECOND
        return self._response.currents(self._operating_point(), theta=theta, since=since)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)


def _share(modes: Modes, steady: Complex) -> Float:
    """Return each mode's largest part of the largest voltage or current that any meter sees."""
    size = np.abs(steady).sum(axis=1).reshape(-1, 2, 3)
    moving = np.abs(modes.amplitude).reshape(-1, 2, 3, modes.rate.size)
    scale = size.max(axis=(0, 2))
    scale = np.where(scale > 0.0, scale, moving.max(axis=(0, 2, 3), initial=1e-3))
    return np.asarray((moving.max(axis=(0, 2)) / scale[:, None]).max(axis=0))
