"""A motor with what it drives: speeding up, settling, stalling, running up again after a sag."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.grid.machines.induction_motor import EquivalentCircuit, torque


@dataclass(frozen=True, slots=True)
class MechanicalLoad:
    """What the shaft has to turn: a torque that grows with a power of speed, and friction."""

    torque: float
    """Resisting torque at ``speed`` [N m]."""
    speed: float
    """[rad/s]"""
    exponent: float = 2.0
    """0: constant (hoist, compressor), 1: linear (calender), 2: quadratic (pump, fan)."""
    friction: float = 0.0
    """Torque of friction and windage at ``speed``, proportional to speed [N m]."""
    breakaway: float = 0.0
    """Torque below which the shaft at rest stays at rest [N m]."""

    def at(self, speed: float) -> float:
        """Return the resisting torque at a speed [rad/s], not negative [N m]."""
        share = max(speed, 0.0) / self.speed
        return float(self.torque * share**self.exponent + self.friction * share)


@dataclass(frozen=True, slots=True)
class Drive:
    """A motor with what it drives."""

    circuit: EquivalentCircuit
    load: MechanicalLoad
    inertia: float
    """Of rotor and load, at the motor's shaft [kg m2]."""

    def acceleration(
        self, slip: float, positive: float, negative: float = 0.0, *, frequency: float | None = None
    ) -> float:
        """Return how fast the speed changes [rad/s2]; a shaft at rest does not turn backwards."""
        hertz = frequency or self.circuit.frequency
        speed = self.circuit.synchronous_speed(hertz) * (1.0 - slip)
        driving = torque(self.circuit, slip, positive, negative, frequency=hertz) if positive else 0.0
        if speed <= 1e-9 * self.circuit.synchronous_speed(hertz) and driving <= max(
            self.load.breakaway, self.load.at(0.0)
        ):
            return 0.0
        return (driving - self.load.at(speed)) / self.inertia

    def settling_slip(
        self,
        slip: float,
        positive: float,
        negative: float = 0.0,
        *,
        frequency: float | None = None,
    ) -> float:
        """Return the slip at which a rotor that now has ``slip`` comes to rest relative to the field.

        From standstill that is the running slip, or 1 when the motor does not start, or a slip in between
        when it sticks below its breakdown torque; from running it is 1 when a sag stalls it.
        """
        now = self.acceleration(slip, positive, negative, frequency=frequency)
        if now == 0.0:
            return slip
        before = slip
        for following in _grid_from(slip, falling=now > 0.0):
            then = self.acceleration(following, positive, negative, frequency=frequency)
            if then == 0.0 or (then > 0.0) != (now > 0.0):
                return self._root(before, following, positive, negative, frequency)
            before = following
        return before

    def _root(
        self, one: float, other: float, positive: float, negative: float, frequency: float | None
    ) -> float:
        """Return where the acceleration between two slips is zero: regula falsi, Illinois."""

        def rate(slip: float) -> float:
            return self.acceleration(slip, positive, negative, frequency=frequency)

        f_one, f_other = rate(one), rate(other)
        if f_other == 0.0:
            return other
        for _ in range(100):
            middle = other - f_other * (other - one) / (f_other - f_one)
            f_middle = rate(middle)
            if f_middle == 0.0 or abs(other - one) <= 1e-15 or middle in {one, other}:
                return middle
            if (f_middle > 0.0) != (f_other > 0.0):
                one, f_one = other, f_other
            else:
                f_one /= 2.0
            other, f_other = middle, f_middle
        return other

    def advance(
        self,
        slip: float,
        seconds: float,
        positive: float,
        negative: float = 0.0,
        *,
        frequency: float | None = None,
        steps: int = 4,
    ) -> float:
        """Return the slip after a time at constant voltages; Runge-Kutta of the fourth order."""
        unit = self.circuit.synchronous_speed(frequency)
        h = seconds / steps

        def rate(at: float) -> float:
            return -self.acceleration(at, positive, negative, frequency=frequency) / unit

        for _ in range(steps):
            k1 = rate(slip)
            k2 = rate(min(slip + h / 2.0 * k1, 1.0))
            k3 = rate(min(slip + h / 2.0 * k2, 1.0))
            k4 = rate(min(slip + h * k3, 1.0))
            slip = min(slip + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), 1.0)
        return slip

    def run_up_time(
        self,
        positive: float,
        *,
        from_slip: float = 1.0,
        to_slip: float | None = None,
        frequency: float | None = None,
        negative: float = 0.0,
    ) -> float:
        """Return the time from one slip to another at constant voltage [s]; infinite when it is not reached.

        The integral of J d(omega) / (motor's less load's torque), over the logarithm of slip by
        Gauss-Legendre of the tenth order in 60 parts.

        Parameters
        ----------
        positive, negative : float
            Sizes of the sequence voltages to neutral [V].
        from_slip : float
            Where it starts.
        to_slip : float, optional
            Where the time ends; by default 1.05 times the slip at which it settles.
        frequency : float, optional
            [Hz]
        """
        goal = self.settling_slip(from_slip, positive, negative, frequency=frequency)
        end = 1.05 * goal if to_slip is None else to_slip
        if goal == from_slip or not goal < end <= from_slip:
            return math.inf
        points, weights = np.polynomial.legendre.leggauss(10)
        edges = np.linspace(math.log(end), math.log(from_slip), 61)
        unit, total = self.circuit.synchronous_speed(frequency), 0.0
        for low, high in itertools.pairwise(edges.tolist()):
            for point, weight in zip(points, weights, strict=True):
                slip = math.exp((low + high) / 2.0 + (high - low) / 2.0 * float(point))
                rate = self.acceleration(slip, positive, negative, frequency=frequency)
                total += float(weight) * (high - low) / 2.0 * slip * unit / rate
        return float(total)


def _grid_from(slip: float, *, falling: bool) -> Iterator[float]:
    """Yield slips from a given one on, to standstill or 10 % past synchronism.

    Steps begin small, since the search mostly starts next to its goal, and grow to 3 % of the slip.
    """
    at, step = slip, 1e-3 * max(abs(slip), 1e-3)
    end = -0.1 if falling else 1.0
    while at != end:
        at = max(at - step, end) if falling else min(at + step, end)
        yield at
        step = min(2.0 * step, 0.03 * max(abs(at), 1e-3))
