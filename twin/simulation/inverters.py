"""An inverter between a plant or battery and the network: limits, volt-var, ride-through, return.

A plant or a battery that gets an `InverterUnit` as its sink tells it what there is to deliver; the unit tells
the network's sink what it really delivers at the present voltages. During a sag its current stays within the
limit and balanced, so that what single phases deliver differs.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.grid.machines.induction_motor import sequence_voltages
from twin.grid.machines.inverter import Inverter, InverterError, injected_current, within_rating
from twin.grid.machines.ride_through import (
    Conditions,
    RideThrough,
    advance,
    begin,
    power_share,
    see,
    time_to_event,
)
from twin.simulation.appliances import Spectrum, spectrum_ratio
from twin.simulation.load_sink import Contribution, LoadSink, make_draw
from twin.simulation.photovoltaics import INVERTER_SPECTRUM
from twin.simulation.ports import MotorPort

_UNSEEN = 1e-3
"""Changes of power below this share of the rating are not told."""
_SHARE_STEP = 0.02
"""Recovery and ramp rise in such steps of the power."""
_TURNS = 30
"""Power and voltage depend on each other; they settle within some turns."""


@dataclass(frozen=True, slots=True)
class InverterSettings:
    """One inverter of a site."""

    name: str
    inverter: Inverter
    rules: RideThrough
    phases: tuple[int, ...] = (0, 1, 2)
    """Phases of the bus that it is connected to: one, or three in this order."""
    response: float = 5.0
    """Open-loop response of its curves, to 90 % [s]; IEEE 1547-2018, table 8."""
    spectrum: Spectrum = INVERTER_SPECTRUM

    def __post_init__(self) -> None:
        """Refuse settings that contradict themselves."""
        if len(self.phases) != self.inverter.phases or not set(self.phases) <= {0, 1, 2}:
            raise InverterError(f"{self.name}: give as many phases of the bus as the inverter has")
        if not self.response > 0.0:
            raise InverterError(f"{self.name}: the response must be above zero; mend it")


class InverterUnit:
    """The process of one inverter, and the sink of what stands behind it.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    port : MotorPort
        Its bus, for voltages and frequency.
    sink : LoadSink
        The network's.
    loads : sequence of int
        Load point of each of its phases.
    settings : InverterSettings
        The inverter.
    orders : sequence of int
        Harmonic orders of the emissions.

    Attributes
    ----------
    available : float
        What stands behind it would deliver [W]; negative: would take.
    """

    def __init__(
        self,
        env: simpy.Environment,
        port: MotorPort,
        sink: LoadSink,
        loads: Sequence[int],
        settings: InverterSettings,
        *,
        orders: Sequence[int],
    ) -> None:
        if len(loads) != settings.inverter.phases:
            raise InverterError(f"{settings.name}: give one load point for each of its phases")
        self.settings = settings
        self.available = 0.0
        self._reactive = 0.0
        self._env, self._port = env, port
        self._outputs = [Contribution(sink, load, len(orders)) for load in loads]
        self._orders, self._ratio = tuple(orders), spectrum_ratio(settings.spectrum, orders)
        self._state = begin(settings.rules, int(env.now))
        self._curves: tuple[float, float] | None = None
        self._aims: tuple[float, float] | None = None
        self._curves_ns = int(env.now)
        self._wake = env.event()

    @property
    def mode(self) -> str:
        """``running``, ``paused`` or ``tripped``, at the last event."""
        return self._state.mode

    def change(
        self,
        load: int,
        delta_p: float,
        delta_q: float,
        delta_emission: NDArray[np.complex128],
        *,
        cause: str,
    ) -> None:
        """Take what stands behind the inverter delivers more or less; see `LoadSink`."""
        self.available -= delta_p
        self._reactive -= delta_q
        self._ring()

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        self._port.watch(self._ring)
        while True:
            self._wake = self._env.event()
            wait_ns = self._settle(int(self._env.now))
            if self._wake.triggered:
                continue
            events = [self._wake]
            if wait_ns is not None:
                events.append(self._env.timeout(max(wait_ns, 1)))
            yield self._env.any_of(events)

    def _ring(self) -> None:
        if not self._wake.triggered:
            self._wake.succeed()

    def _settle(self, now_ns: int) -> int | None:
        """Bring state and curves to now, deliver, and return when to look again [ns]."""
        rules = self.settings.rules
        self._state = advance(rules, self._state, now_ns)
        self._follow_curves(now_ns)
        for _ in range(_TURNS):
            self._state = see(rules, self._state, self._conditions())
            if not self._deliver():
                break
        waits = [time_to_event(rules, self._state), self._wait_for_share(), self._wait_for_curves()]
        return min((wait for wait in waits if wait is not None), default=None)

    def _voltages(self) -> NDArray[np.complex128]:
        return self._port.voltages()[list(self.settings.phases)]

    def _conditions(self) -> Conditions:
        sizes = np.abs(self._voltages()) / self.settings.inverter.u_rated
        return Conditions(float(sizes.min()), float(sizes.max()), self._port.frequency())

    def _u_pu(self) -> float:
        """Return the voltage that the curves follow: of the positive sequence, or of the one phase."""
        volts = self._voltages()
        one = sequence_voltages(volts)[0] if len(volts) == 3 else complex(volts[0])
        return abs(one) / self.settings.inverter.u_rated

    # -- curves ------------------------------------------------------------------------------------------

    def _targets(self) -> tuple[float, float]:
        """Return reactive power and ceiling that the curves ask for at the present voltage [var], [W]."""
        inverter, u_pu = self.settings.inverter, self._u_pu()
        q = self._reactive if inverter.volt_var is None else inverter.volt_var.at(u_pu) * inverter.s_rated
        ceiling = 1.0 if inverter.volt_watt is None else inverter.volt_watt.at(u_pu)
        return q, ceiling * inverter.s_rated

    def _follow_curves(self, now_ns: int) -> None:
        """Let the curves' outputs approach their targets; a voltage that no curve follows takes no time."""
        seconds, self._curves_ns = (now_ns - self._curves_ns) / NS_PER_SECOND, now_ns
        aims, self._aims = self._aims, self._targets()
        if self._curves is None or aims is None:
            self._curves = self._aims
            return
        # Until now the outputs went towards what was asked for when the voltage was last looked at.
        left = math.exp(-seconds * math.log(10.0) / self.settings.response)
        q, ceiling = (goal + (was - goal) * left for goal, was in zip(aims, self._curves, strict=True))
        if self.settings.inverter.volt_var is None:
            q = self._aims[0]
        self._curves = q, ceiling

    def _wait_for_curves(self) -> int | None:
        """Return when the curves' outputs will have moved noticeably [ns]."""
        assert self._curves is not None
        far = max(abs(goal - now) for goal, now in zip(self._targets(), self._curves, strict=True))
        if far <= 0.003 * self.settings.inverter.s_rated:
            return None
        return round(0.1 * self.settings.response * NS_PER_SECOND)

    def _wait_for_share(self) -> int | None:
        share = power_share(self.settings.rules, self._state)
        if self._state.mode != "running" or share >= 1.0:
            return None
        rules, seconds = self.settings.rules, (self._state.time_ns - self._state.since_ns) / NS_PER_SECOND
        lasts = rules.recovery if seconds < rules.recovery else rules.ramp
        return round(_SHARE_STEP * lasts * NS_PER_SECOND)

    # -- delivery ----------------------------------------------------------------------------------------

    def _deliver(self) -> bool:
        """Tell the network what is delivered at the present voltages; return whether that changed."""
        assert self._curves is not None
        inverter, share = self.settings.inverter, power_share(self.settings.rules, self._state)
        q, ceiling = self._curves
        p = min(self.available, ceiling) if self.available > 0.0 else self.available
        p, q = within_rating(p * share, q if share else 0.0, inverter.s_rated, inverter.priority)
        volts = self._voltages()
        powers = volts * np.conj(injected_current(inverter, volts, p, q))
        changed = False
        for output, power in zip(self._outputs, powers.tolist(), strict=True):
            drawn = complex(output.now.p, output.now.q)
            if abs(-power - drawn) > _UNSEEN * inverter.s_rated or (power == 0.0 and drawn != 0.0):
                draw = make_draw(-power.real, -power.imag, self._ratio, self._orders)
                output.move(draw, cause=f"{self.settings.name}: {self._state.mode}")
                changed = True
        return changed


def start_inverter(
    env: simpy.Environment,
    port: MotorPort,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: InverterSettings,
    orders: Sequence[int],
) -> InverterUnit:
    """Start the process of an inverter; give what it returns to a plant or battery as its sink.

    Parameters are those of `InverterUnit`.
    """
    unit = InverterUnit(env, port, sink, loads, settings, orders=orders)
    env.process(unit.run())
    return unit
