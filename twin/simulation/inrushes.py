"""Transformer inrush on the site: what saturation adds to the waveforms after a transformer has gone live.

The steady states and the modes of the site are those of a network that never saturates. The difference to
the computed inrush goes into the segments as samples, until the cores no longer saturate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock
from twin.grid import GridSolver, Solution, Transformer
from twin.grid.energising import Terminals, energised_terminals, energising
from twin.grid.magnetising import saturates, winding_connection
from twin.grid.nodal import State
from twin.grid.nodes import Nodes
from twin.grid.topology import Topology
from twin.grid.transients.inrush import Inrush, inrush

Float = NDArray[np.float64]

LONGEST_S = 5.0
"""After so long what is left of an inrush is let go [s]."""

GONE = 0.01
"""Share of its peak below which an inrush is let go."""

_SAMPLES_PER_CYCLE = 256
_MARGIN = 6
"""Samples beyond the end, for the polynomials through them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """One transformer's inrush."""

    branch: int
    side: str
    terminals: Terminals
    start_ns: int
    end_ns: int
    step_s: float
    current: Float
    """(lines, samples): what saturation adds to the currents that it draws [A]."""
    slope: Float
    """(lines, samples): their derivatives [A/s]."""


class Inrushes:
    """Follows which transformers go live, and keeps the samples of their inrush.

    Parameters
    ----------
    solver : GridSolver
    meters : int
        How many of the solver's probes are meters.
    sign : f64[meters * 6, 1]
        -1 for the currents of turned current transformers.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    ended : callable
        Called when an inrush is over: the samples are others from then on.
    tell : callable
        Puts kind, element, cause and detail into the truth ledger.

    Attributes
    ----------
    block : SampledBlock or None
        What the segments add to their terms now.
    """

    def __init__(
        self,
        solver: GridSolver,
        *,
        meters: int,
        sign: Float,
        call_at: Callable[[int, Callable[[], None]], None],
        ended: Callable[[], None],
        tell: Callable[..., None],
    ) -> None:
        network = solver.network
        first = len(network.lines)
        self._solver = solver
        self._rows = 6 * meters
        self._sign = sign
        self._call_at = call_at
        self._ended = ended
        self._tell = tell
        self._nodes = Nodes(network)
        self._units = [
            (at, unit)
            for at, unit in enumerate(network.transformers, start=first)
            if saturates(unit) and "zigzag" not in {winding_connection(unit, side) for side in ("hv", "lv")}
        ]
        self._before: frozenset[int] | None = None
        self._running: list[_Running] = []
        self.block: SampledBlock | None = None

    def before_event(self) -> None:
        """Remember what is live before an event; later events of the same instant change nothing."""
        if self._units and self._before is None:
            self._before = self._live()

    def solved(self, solution: Solution, at_ns: int, *, theta: float, frequency: float) -> None:
        """Take a new steady state; after an event find who has gone live, and who has gone dead."""
        left = [one for one in self._running if one.end_ns > at_ns]
        if self._before is None:
            if len(left) < len(self._running):
                self._running = left
                self._gather(at_ns, frequency)
            return
        before, self._before = self._before, None
        live = self._live()
        kept = [one for one in left if one.branch in live]
        fresh = [
            self._begin(at, unit, side, solution, at_ns, theta, frequency)
            for at, unit in self._units
            if at in live - before and (side := self._fed_side(at, unit))
        ]
        if kept or fresh or self._running:
            self._running = [*kept, *(one for one in fresh if one is not None)]
            self._gather(at_ns, frequency)

    def _live(self) -> frozenset[int]:
        """Return the transformers whose cores are magnetised; a switch at one end leaves the other on."""
        state, topology = self._solver.state, self._solver.topology()
        return frozenset(
            at
            for at, unit in self._units
            if topology.in_service[at] or (at in state.open_branches and self._fed(topology, unit, "lv"))
        )

    def _fed(self, topology: Topology, unit: Transformer, side: str) -> bool:
        terminals = energised_terminals(self._solver.network, self._nodes, unit, side)
        phases = [
            node for node, letter in zip(terminals.nodes, terminals.letters, strict=True) if letter != "n"
        ]
        return bool(topology.fed[phases].all())

    def _fed_side(self, branch: int, unit: Transformer) -> str:
        """Return the side that is fed without the transformer; nothing when both are, or one only in part."""
        state = self._solver.state
        without = State(
            state.open_branches | {branch}, state.capacitors, state.faults, state.open_poles, state.taps
        )
        topology = self._solver.topology(without)
        sides = [side for side in ("hv", "lv") if self._fed(topology, unit, side)]
        own = any(at == branch for at, _, _ in state.open_poles)
        return sides[0] if len(sides) == 1 and not own else ""

    def _begin(
        self,
        branch: int,
        unit: Transformer,
        side: str,
        solution: Solution,
        at_ns: int,
        theta: float,
        frequency: float,
    ) -> _Running | None:
        """Compute an inrush; nothing when the core does not saturate."""
        solver = self._solver
        placed = replace(unit, tap=solver.taps[unit.name])
        terminals = energised_terminals(solver.network, self._nodes, placed, side)
        case = energising(
            placed,
            side,
            terminals,
            solver.drawn(terminals.nodes),
            solver.node_voltages(solution)[list(terminals.nodes)],
            theta=theta,
            frequency=frequency,
            rated_frequency=solver.network.frequency,
        )
        step = 1.0 / (_SAMPLES_PER_CYCLE * frequency)
        result = inrush(case, step=step, samples=round(LONGEST_S / step))
        count = _until(result, case.core.knee)
        if not count:
            return None
        current = result.lines - result.steady
        slope = result.slopes - np.gradient(result.steady, step, axis=1)
        peak = float(np.abs(result.lines).max())
        self._tell(
            "transformer_inrush", unit.name, "energising", side=side, peak_a=peak, duration_s=count * step
        )
        end_ns = at_ns + int(count * step * NS_PER_SECOND)
        self._call_at(end_ns, self._ended)
        kept = slice(0, count + _MARGIN)
        return _Running(branch, side, terminals, at_ns, end_ns, step, current[:, kept], slope[:, kept])

    def _gather(self, at_ns: int, frequency: float) -> None:
        """Make the samples of all that runs, as the network is now, from an instant on."""
        if not self._running:
            self.block = None
            return
        step = self._running[0].step_s
        last = max(one.end_ns for one in self._running)
        count = int((last - at_ns) / (step * NS_PER_SECOND)) + _MARGIN
        samples = np.zeros((self._rows, count))
        for one in self._running:
            since = (at_ns - one.start_ns) / NS_PER_SECOND
            samples += self._seen(one, since + np.arange(count, dtype=float) * step, frequency)
        self.block = SampledBlock(at_ns, 0.0, step, samples * self._sign)

    def _seen(self, one: _Running, times: Float, frequency: float) -> Float:
        """Return what an inrush does in the meters' rows at times since its start."""
        own = one.step_s * np.arange(one.current.shape[1])
        current, slope = (
            np.array([np.interp(times, own, row, right=0.0) for row in rows])
            for rows in (one.current, one.slope)
        )
        drawn = self._solver.drawn(one.terminals.nodes).probes[: self._rows] @ one.terminals.incidence
        omega = 2.0 * np.pi * frequency
        voltage_rows = np.tile(np.repeat([True, False], 3), self._rows // 6)[:, None]
        seen: Float = drawn.real @ current
        seen += np.where(voltage_rows, drawn.imag / omega, 0.0) @ slope
        return np.asarray(seen + self._at_own_terminals(one) @ current)

    def _at_own_terminals(self, one: _Running) -> Float:
        """Return (rows, lines): what meters between the bus and the transformer itself see of its current."""
        network, end = self._solver.network, "from" if one.side == "hv" else "to"
        out = np.zeros((self._rows, one.current.shape[0]))
        name = network.branches[one.branch].name
        for at, probe in enumerate(self._solver.probes[: self._rows // 6]):
            if probe.branch == name and probe.end == end:
                for letter, share in zip(one.terminals.letters, one.terminals.incidence, strict=True):
                    if letter != "n":
                        out[6 * at + 3 + "abc".index(letter)] += share
        return out


def _until(result: Inrush, knee: float) -> int:
    """Return how many samples pass until the cores no longer saturate, or next to nothing is left."""
    saturated = np.flatnonzero((np.abs(result.flux) > knee).any(axis=0))
    if not saturated.size:
        return 0
    excess = np.abs(result.lines - result.steady).max(axis=0)
    large = np.flatnonzero(excess > GONE * excess.max())
    return int(min(saturated[-1], large[-1])) + 1
