"""The harmonics of an arc: a square wave of voltage in phase with the current, behind a resistance."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid import Fault
from twin.simulation.site import Site

Complex = NDArray[np.complex128]

_CLOSE = 1e-4
"""How near the arc's voltage must be at each order, of itself."""

_ROUNDS = 12
"""In which that comes about; the phases act on each other, so that one step is not enough."""


def square_wave(height: float, angle: float, orders: Sequence[int]) -> Complex:
    """Return the phasors of a square wave at some orders, RMS.

    Parameters
    ----------
    height : float
        [V].
    angle : float
        Of its fundamental [rad].
    orders : sequence of int

    Returns
    -------
    c128[orders]
        ``4 U / (pi h sqrt 2)``, odd orders only: ``sign(cos x) = 4/pi (cos x - cos 3x / 3 + cos 5x / 5 ..)``.
    """
    h = np.asarray(orders)
    size = 2.0 * math.sqrt(2.0) / math.pi * height / h
    sign = np.where(h % 4 == 1, 1.0, np.where(h % 4 == 3, -1.0, 0.0))
    return np.asarray(size * sign * np.exp(1j * h * angle))


class ArcHarmonics:
    """Currents at a fault's bus that make its arcs square waves of voltage.

    At each order h the network sees the fault's resistance Re, arc included, and beside it a current J. With
    ``U (1 - R / Re) - R J = U_h`` that is a voltage ``U_h`` behind the resistance R alone. U falls linearly
    with J, so that a secant finds it.

    Parameters
    ----------
    site : Site
    points : dict of str to int
        Load point of each phase of the bus, which nobody else uses and no voltage is too low for.
    orders : sequence of int
        Of the site.
    probe : int
        That shows the bus's voltages.
    """

    def __init__(self, site: Site, points: dict[str, int], *, orders: Sequence[int], probe: int) -> None:
        self._site = site
        self._points = points
        self._orders = np.asarray(orders)
        self._above = self._orders > 1
        self._probe = probe
        self._set: dict[str, Complex] = {}
        self._before: dict[str, tuple[Complex, Complex]] = {}
        self._rounds, self._round_ns = 0, -1

    @property
    def active(self) -> bool:
        """Whether any current flows."""
        return bool(self._set)

    def missing(self, fault: Fault, own: float, height: float) -> dict[str, Complex] | None:
        """Return the currents to set next at each path of the fault; None when the arcs are as they should.

        Parameters
        ----------
        fault : Fault
            With the resistance that it has with its arc.
        own : float
            Without it [ohm].
        height : float
            Of the square wave [V].
        """
        now_ns = self._site.time_ns
        self._rounds = self._rounds + 1 if now_ns == self._round_ns else 1
        self._round_ns = now_ns
        volts = self._site.phasors(self._probe)[:3]
        one = int(np.flatnonzero(self._orders == 1)[0])
        wanted, off = {}, False
        for path in paths(fault):
            across = _across(volts, path)
            arc = square_wave(height, float(np.angle(across[one])), self._orders.tolist())
            present = self._set.get(path, np.zeros(self._orders.size, dtype=np.complex128))
            share = 1.0 - own / fault.resistance
            residual = np.where(self._above, across * share - own * present - arc, 0.0)
            off = off or bool((np.abs(residual) > _CLOSE * np.abs(arc) + 1e-9).any())
            wanted[path] = present - residual / self._slope(path, present, residual, fault.resistance)
            self._before[path] = (present, residual)
        return wanted if off and self._rounds <= _ROUNDS else None

    def set(self, wanted: dict[str, Complex], *, cause: str) -> None:
        """Let currents flow: out of each phase, or from the first phase of a pair to the second."""
        flows: dict[str, Complex] = {}
        for path, current in wanted.items():
            for phase, sign in zip(path, (1.0, -1.0), strict=False):
                flows[phase] = flows.get(phase, 0.0) + sign * current
        for phase, point in self._points.items():
            volts = complex(self._site.load_voltage([point])[0])
            new = np.zeros(self._orders.size, dtype=np.complex128)
            if phase in flows and volts != 0:
                # The law by which a load point's emission becomes a current, turned round.
                turn = np.exp(-1j * self._orders * np.angle(volts))
                new = np.where(self._above, flows[phase] * turn * abs(volts), 0.0)
            self._site.change(point, 0.0, 0.0, new - self._site.emission[point], cause=cause)
        self._set = wanted

    def stop(self, *, cause: str) -> None:
        """Let no current flow any more."""
        self._before.clear()
        self.set({}, cause=cause)

    def _slope(self, path: str, present: Complex, residual: Complex, resistance: float) -> Complex:
        """Return how the residual changes with the current; at first as with the fault alone."""
        guess = np.full(self._orders.size, -resistance, dtype=np.complex128)
        if path not in self._before:
            return guess
        old, old_residual = self._before[path]
        moved = present - old
        known = (np.abs(moved) > 1e-12) & (residual != old_residual)
        return np.divide(residual - old_residual, moved, out=guess, where=known)


def paths(fault: Fault) -> tuple[str, ...]:
    """Return where arcs burn: from each phase to earth, or between two phases."""
    return (fault.phases,) if fault.type == "ll" else tuple(fault.phases)


def _across(volts: Complex, path: str) -> Complex:
    places = ["abc".index(letter) for letter in path]
    return volts[places[0]] if len(places) == 1 else np.asarray(volts[places[0]] - volts[places[1]])
