"""The site's segments: steady phasors, what is left of the network's modes, and samples of inrushes."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment
from twin.grid import GridSolver, Solution
from twin.signals import amplitude_from_rms
from twin.simulation.inrushes import Inrushes
from twin.simulation.transitions import Transitions

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]


class Waveform:
    """Makes segments out of steady states.

    Parameters
    ----------
    solver : GridSolver
    frequency : float
        Fundamental frequency [Hz].
    reversed_probes : sequence of bool
        Whether the current transformers of each meter are turned; the meters are the solver's first probes.
    poles : collection of (int, int)
        Branch and end (0 from, 1 to) of what may open pole by pole beside switches and fuses.
    call_at : callable or None
        Has a function called at an instant of simulated time, UTC [ns]. Without it no modes are excited.
    ended : callable
        Called when an inrush is over: the segment is another from then on.
    tell : callable
        Puts kind, element, cause and detail into the truth ledger.

    Attributes
    ----------
    frequency : float
        Fundamental frequency now [Hz].
    transitions : Transitions or None
        The network's modes.
    """

    def __init__(
        self,
        solver: GridSolver,
        *,
        frequency: float,
        reversed_probes: Sequence[bool],
        poles: Collection[tuple[int, int]],
        call_at: Callable[[int, Callable[[], None]], None] | None,
        ended: Callable[[], None],
        tell: Callable[..., None],
    ) -> None:
        meters = len(reversed_probes)
        signs = [[1.0] * 3 + [-1.0 if turned else 1.0] * 3 for turned in reversed_probes]
        self.frequency = frequency
        self.transitions: Transitions | None = None
        self._inrushes: Inrushes | None = None
        self._orders: Float = np.array(solver.orders, dtype=np.float64)
        self._one = solver.orders.index(1)
        self._present = np.ones(self._orders.size, dtype=np.bool_)
        self._order, self._rate = self._orders, np.zeros(self._orders.size, dtype=np.complex128)
        self._sign: Float = np.array(signs, dtype=np.float64).reshape(-1, 1)
        self._peak = amplitude_from_rms(self._sign.astype(np.complex128))
        if call_at is not None:
            self.transitions = Transitions(solver, frequency=frequency, meters=meters, poles=poles)
            self._inrushes = Inrushes(
                solver, meters=meters, sign=self._sign, call_at=call_at, ended=ended, tell=tell
            )

    def set_frequency(self, frequency: float) -> None:
        """Let the fundamental have another frequency from the next segment on [Hz]."""
        self.frequency = frequency
        if self.transitions is not None:
            self.transitions.set_frequency(frequency)

    def before_event(self) -> None:
        """Remember the steady state that an event ends."""
        if self.transitions is not None:
            self.transitions.before_event()
        if self._inrushes is not None:
            self._inrushes.before_event()

    def solved(
        self, solution: Solution, phasor: Complex, p: Float, q: Float, *, start_ns: int, theta: float
    ) -> Segment:
        """Return the segment from a new steady state on.

        Parameters
        ----------
        solution : Solution
        phasor : c128[probes * 6, orders]
            What the probes see in it, arcs included, RMS [V, A].
        p, q : f64[loads]
            Powers of the load points [W, var].
        start_ns : int
            First instant, UTC [ns].
        theta : float
            Phase of the fundamental there [rad].
        """
        if self.transitions is not None:
            self.transitions.solved(solution, p, q, start_ns, theta)
        if self._inrushes is not None:
            self._inrushes.solved(solution, start_ns, theta=theta, frequency=self.frequency)
        return self._with_modes(start_ns, theta, self._steady(phasor[: self._peak.size]))

    def _steady(self, phasor: Complex) -> Complex:
        """Return the peak amplitudes of the orders that there are; first and last are kept as they are."""
        present = np.asarray(phasor.any(axis=0))
        present[self._one] = present[-1] = True
        if not np.array_equal(present, self._present):
            # Segments of the same orders share these arrays: meters look at them once.
            self._present, self._order = present, self._orders[present]
            self._rate = np.zeros(self._order.size, dtype=np.complex128)
        whole = self._order.size == self._orders.size
        return (phasor if whole else phasor[:, self._present]) * self._peak

    def reanchored(self, old: Segment, at_ns: int, theta: float) -> Segment:
        """Return the segment that goes on from an instant, at a phase, with the terms of the old one."""
        if old.rate.size > self._rate.size:
            return self._with_modes(at_ns, theta, old.amplitude[:, : self._rate.size])
        return Segment(at_ns, old.frequency, theta, old.order, old.rate, old.amplitude, old.block)

    def _with_modes(self, start_ns: int, theta: float, amplitude: Complex) -> Segment:
        """Return the segment of steady phasors and what is left of the modes."""
        order, rate = self._order, self._rate
        if self.transitions is not None:
            modes = self.transitions.modes_at(start_ns, amplitude)
            if modes.rate.size:
                order = np.concatenate((order, np.zeros(modes.rate.size)))
                rate = np.concatenate((rate, modes.rate))
                amplitude = np.concatenate((amplitude, modes.amplitude * self._sign), axis=1)
        block = None if self._inrushes is None else self._inrushes.block
        return Segment(start_ns, self.frequency, theta, order, rate, amplitude, block)
