"""An arc furnace: stages from bore-in to refining, arcs that wander, touch and go out, phase by phase.

Each electrode is an impedance from its phase to the bath, a star point without earth. The arc's length
wanders in a bounded random walk of rectangular steps; while scrap melts, electrodes touch it and arcs are
lost. What the network makes of it, sags, unbalance and flicker, follows from its own impedance. The arc's
distortion is a ratio of harmonic currents for each stage, even ones included, without interharmonics.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import simpy
from numpy.typing import ArrayLike, NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.load_sink import Contribution, Draw, LoadSink, random_stream
from twin.simulation.ports import AdmittancePort

_GRAIN = 2.0**-20
_OPEN = 1e-9
"""Of the circuit's admittance: what is left of a phase whose arc is out."""


class FurnaceError(TwinError, ValueError):
    """A furnace that cannot be."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a heat."""

    name: str
    minutes: tuple[float, float]
    """At least and at most [min]."""
    arc: float
    """Mean resistance of an arc, of the circuit's reactance."""
    swing: float
    """How far the walk takes the arc from its mean, of it, 0 to 1."""
    step: float
    """Standard deviation of one step of the walk, of its swing."""
    dwell: float
    """Mean time between two changes [s]."""
    touching: float
    """Share of the changes that short-circuit one electrode to the scrap."""
    lost: float
    """Share of the changes that put out one arc."""
    harmonics: Mapping[int, float]
    """Order: percent of the fundamental current."""


_MELTING = MappingProxyType({2: 7.7, 3: 5.8, 4: 2.5, 5: 4.2, 7: 3.1})
_REFINING = MappingProxyType({3: 2.0, 5: 2.1})

STAGES = (
    Stage("bore-in", (3.0, 6.0), 0.6, 0.8, 0.5, 0.05, 0.10, 0.08, _MELTING),
    Stage("melting", (20.0, 35.0), 0.9, 0.6, 0.4, 0.06, 0.05, 0.02, _MELTING),
    Stage("refining", (10.0, 20.0), 0.7, 0.15, 0.2, 0.3, 0.0, 0.0, _REFINING),
)
"""Harmonics: IEEE 519-1992, table 10.3, melting (active arc) and refining (stable arc), quoted from
memory. All else is an engineering estimate."""


@dataclass(frozen=True, slots=True)
class FurnaceSettings:
    """One furnace."""

    name: str
    u_rated: float
    """Line to line, of its bus [V]."""
    s_short_circuit: float
    """Three-phase power with all electrodes in the bath at rated voltage, through the furnace's transformer,
    reactor and cables [VA]; about twice the power while melting."""
    x_over_r: float = 12.0
    """Of that circuit."""
    arc_reactance: float = 0.2
    """Reactive part of an arc over its resistance, from its shape; 0.1 to 0.3 is usual."""
    stages: tuple[Stage, ...] = STAGES
    pause: tuple[float, float] = (8.0, 15.0)
    """Tapping and charging, at least and at most [min]."""
    least_dwell: float = 0.01
    """Shortest time between two changes [s]: an arc strikes anew each half cycle."""
    first_wait: tuple[float, float] = field(default=(0.0, 10.0))
    """Before the first heat, at least and at most [min]."""

    def __post_init__(self) -> None:
        """Refuse settings that no furnace has."""
        if not (self.u_rated > 0.0 and self.s_short_circuit > 0.0 and self.x_over_r > 0.0):
            raise FurnaceError(f"{self.name}: voltage, power and X/R must be above zero; mend them")
        if self.least_dwell < 1e-3:
            raise FurnaceError(f"{self.name}: no arc changes within a millisecond; raise least_dwell")
        if not self.stages:
            raise FurnaceError(f"{self.name}: give at least one stage")
        for stage in self.stages:
            shares = (stage.swing, stage.touching + stage.lost)
            if not all(0.0 <= share <= 1.0 for share in shares) or stage.dwell <= self.least_dwell:
                raise FurnaceError(
                    f"{self.name}, {stage.name}: shares lie in 0 to 1, dwell above {self.least_dwell:g} s"
                )

    @property
    def circuit(self) -> complex:
        """Impedance of a phase up to the electrode [ohm]."""
        size = self.u_rated**2 / self.s_short_circuit
        reactance = size / (1.0 + 1.0 / self.x_over_r**2) ** 0.5
        return complex(reactance / self.x_over_r, reactance)


def star_admittance(admittances: ArrayLike) -> NDArray[np.complex128]:
    """Return the phase admittances, shape (3, 3), of three admittances to a star point without earth [S]."""
    y = np.asarray(admittances, dtype=np.complex128)
    return np.asarray(np.diag(y) - np.outer(y, y) / y.sum(), dtype=np.complex128)


class ArcFurnace:
    """The process of one furnace.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    port : AdmittancePort
        The furnace's bus.
    sink : LoadSink
        Hears of the harmonic emissions.
    loads : sequence of int
        Load points of the three phases at the bus, for the emissions.
    settings : FurnaceSettings
        The furnace.
    orders : sequence of int
        Harmonic orders of the emissions.
    rng : numpy.random.Generator
        Stream of the furnace.

    Attributes
    ----------
    stage : str
        Name of the present stage; ``pause`` in between.
    """

    def __init__(
        self,
        env: simpy.Environment,
        port: AdmittancePort,
        sink: LoadSink,
        loads: Sequence[int],
        settings: FurnaceSettings,
        *,
        orders: Sequence[int],
        rng: np.random.Generator,
    ) -> None:
        if len(loads) != 3:
            raise FurnaceError(f"{settings.name}: has {len(loads)} load points; give three")
        self.settings = settings
        self.stage = "pause"
        self._env, self._port, self._rng = env, port, rng
        self._orders = np.asarray(orders, dtype=np.float64)
        self._outputs = [Contribution(sink, load, len(orders)) for load in loads]
        self._silent = self._outputs[0].now
        self._walk = np.zeros(3)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        yield self._env.timeout(self._minutes(self.settings.first_wait))
        while True:
            connected = False
            for stage in self.settings.stages:
                self.stage = stage.name
                until_ns = int(self._env.now) + self._minutes(stage.minutes)
                while self._env.now < until_ns:
                    self._change(stage)
                    if not connected:
                        self._port.connect(self.settings.name, cause=f"{self.settings.name}: power on")
                        connected = True
                    self._emit(stage)
                    yield self._env.timeout(min(self._dwell(stage), until_ns - int(self._env.now)))
            self.stage = "pause"
            self._port.disconnect(self.settings.name, cause=f"{self.settings.name}: power off")
            for output in self._outputs:
                output.move(self._silent, cause=f"{self.settings.name}: power off")
            yield self._env.timeout(self._minutes(self.settings.pause))

    def _minutes(self, bounds: tuple[float, float]) -> int:
        low, high = bounds
        return 1 + round((low + (high - low) * self._rng.random()) * 60.0 * NS_PER_SECOND)

    def _dwell(self, stage: Stage) -> int:
        least = self.settings.least_dwell
        return round((least + self._rng.exponential(stage.dwell - least)) * NS_PER_SECOND)

    def _change(self, stage: Stage) -> None:
        """Draw the next state of the three arcs."""
        walk = self._walk + stage.step * self._rng.standard_normal(3)
        # Reflected at its bounds, so that it neither leaves them nor sticks to them.
        self._walk = 1.0 - np.abs((walk + 1.0) % 4.0 - 2.0)
        arcs = self.settings.circuit.imag * stage.arc * (1.0 + stage.swing * self._walk)
        state, which = float(self._rng.random()), int(self._rng.integers(3))
        impedance = self.settings.circuit + arcs * complex(1.0, self.settings.arc_reactance)
        admittance = 1.0 / impedance
        what = "arcs wander"
        if state < stage.touching:
            admittance[which] = 1.0 / self.settings.circuit
            what = f"electrode {which + 1} touches the scrap"
        elif state < stage.touching + stage.lost:
            admittance[which] = _OPEN / self.settings.circuit
            what = f"arc {which + 1} is lost"
        self._admittance = star_admittance(admittance)
        cause = f"{self.settings.name}, {stage.name}: {what}"
        self._port.set_admittance(self.settings.name, self._admittance, cause=cause)

    def _emit(self, stage: Stage) -> None:
        """Tell the sink the harmonics of the present currents."""
        volts = self._port.voltages()
        currents = np.array([sum(row * volts) for row in self._admittance])
        jitter = np.exp(2j * np.pi * self._rng.random((3, len(self._orders))))
        emissions = self._emissions(stage, volts, currents, jitter)
        for output, emission in zip(self._outputs, emissions, strict=True):
            output.move(Draw(0.0, 0.0, emission), cause=f"{self.settings.name}, {stage.name}: harmonics")

    def _emissions(
        self,
        stage: Stage,
        volts: NDArray[np.complex128],
        currents: NDArray[np.complex128],
        jitter: NDArray[np.complex128],
    ) -> NDArray[np.complex128]:
        """Return the emissions of the phases, shape (3, orders) [VA]: no current in the missing neutral."""
        ratio = np.array([stage.harmonics.get(int(order), 0.0) / 100.0 for order in self._orders])
        ratio[self._orders == 1.0] = 0.0
        even = self._orders % 2 == 0
        # Odd harmonics keep their place in the wave; even ones come from chance and have any.
        turn = np.where(even, jitter, 1.0)
        angle = np.exp(1j * np.angle(currents)[:, np.newaxis] * self._orders)
        harmonic = ratio * np.abs(currents)[:, np.newaxis] * angle * turn
        harmonic -= harmonic.sum(axis=0) / 3.0
        back = np.exp(-1j * np.angle(volts)[:, np.newaxis] * self._orders)
        emission = harmonic * np.abs(volts)[:, np.newaxis] * back
        return np.asarray((np.rint(emission.real / _GRAIN) + 1j * np.rint(emission.imag / _GRAIN)) * _GRAIN)


def start_arc_furnace(
    env: simpy.Environment,
    port: AdmittancePort,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: FurnaceSettings,
    orders: Sequence[int],
    seed: int,
) -> ArcFurnace:
    """Start the process of an arc furnace; see `ArcFurnace`. Its random stream is keyed by its name."""
    rng = random_stream(seed, settings.name)
    furnace = ArcFurnace(env, port, sink, loads, settings, orders=orders, rng=rng)
    env.process(furnace.run())
    return furnace
