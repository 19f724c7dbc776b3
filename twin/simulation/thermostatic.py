"""Loads that keep a temperature: their stores cool in an outage, and afterwards they all want power at once.

Each one is a store of heat between two thresholds. Many of them are spread over their cycles and draw a
smooth mean. An outage lets them all fall below the lower threshold: diversity is lost, and comes back by
itself while the stores reach the upper one at different times. Nothing else makes the cold-load pickup.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import simpy

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.load_sink import (
    Contribution,
    LoadSink,
    make_draw,
    random_stream,
    reactive_power,
)
from twin.simulation.ports import SteadySupply, Supply


class ThermostatError(TwinError, ValueError):
    """A store of heat that cannot be."""


@dataclass(frozen=True, slots=True)
class ThermostatSettings:
    """One store with its thermostat."""

    name: str
    power: float
    """Electrical, at rated voltage while on [W]."""
    capacity: float
    """Of the store [J/K]."""
    resistance: float
    """Between store and surroundings [K/W]."""
    low: float
    """Lower threshold [degree Celsius]."""
    high: float
    """Upper threshold [degree Celsius]."""
    ambient: float
    """Temperature around the store [degree Celsius]."""
    performance: float = 1.0
    """Heat over electrical power: 1 for a heater, about 3 for a heat pump, about -2.5 for a cooler."""
    power_factor: float = 1.0
    resistive: bool = True
    """Heat follows the square of voltage; otherwise it is that of rated voltage at any voltage."""
    dead_below: float = 0.5
    """Of rated voltage: below it the device does not work."""
    restart_delay: float = 0.0
    """After a loss of voltage the device stays off this long [s]: a compressor's protection; 0: at once."""

    def __post_init__(self) -> None:
        """Refuse stores that cannot be."""
        if not (self.power > 0.0 and self.capacity > 0.0 and self.resistance > 0.0):
            raise ThermostatError(f"{self.name}: power, capacity, resistance must be above zero")
        if not self.low < self.high or self.performance == 0.0:
            raise ThermostatError(f"{self.name}: thresholds must rise, the performance not be 0")
        if not 0.0 < self.power_factor <= 1.0:
            raise ThermostatError(f"{self.name}: the power factor lies between 0 and 1; mend it")
        wanted = self.low if self.performance > 0.0 else self.high
        if (self.ambient - wanted) * self.performance >= 0.0:
            raise ThermostatError(
                f"{self.name}: the store needs no power at {self.ambient:g} degrees around it; mend 'ambient'"
            )

    @property
    def time_constant(self) -> float:
        """Of the store [s]."""
        return self.capacity * self.resistance

    def final(self, heat_share: float) -> float:
        """Return the temperature that the store would reach with a share of its heating power for ever."""
        return self.ambient + self.resistance * self.performance * self.power * heat_share

    def temperature_after(self, start: float, heat_share: float, seconds: float) -> float:
        """Return the store's temperature after a time of constant heating."""
        final = self.final(heat_share)
        return final + (start - final) * math.exp(-seconds / self.time_constant)

    def seconds_until(self, start: float, goal: float, heat_share: float) -> float:
        """Return when the store comes to a temperature [s]; infinite when it never does."""
        final = self.final(heat_share)
        if start == goal:
            return 0.0
        ratio = (start - final) / (goal - final) if goal != final else math.inf
        if not 1.0 <= ratio < math.inf:
            return math.inf
        return self.time_constant * math.log(ratio)

    @property
    def turn_on(self) -> float:
        """Threshold at which the device switches on."""
        return self.low if self.performance > 0.0 else self.high

    @property
    def turn_off(self) -> float:
        """Threshold at which the device switches off."""
        return self.high if self.performance > 0.0 else self.low

    @property
    def duty(self) -> float:
        """Share of time on, undisturbed and at rated voltage."""
        on = self.seconds_until(self.turn_on, self.turn_off, 1.0)
        if math.isinf(on):
            return 1.0
        return on / (on + self.seconds_until(self.turn_off, self.turn_on, 0.0))


class ThermostaticLoad:
    """The process of one store.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of every change.
    load : int
        Load point.
    settings : ThermostatSettings
        The store.
    orders : sequence of int
        Harmonic orders; the device is linear.
    rng : numpy.random.Generator
        Where in its cycle it begins.
    supply : Supply
        Tells of outages and sags.

    Attributes
    ----------
    on : bool
        Whether the thermostat's contact is closed; without voltage it may be, and draws nothing.
    """

    def __init__(
        self,
        env: simpy.Environment,
        sink: LoadSink,
        load: int,
        settings: ThermostatSettings,
        *,
        orders: Sequence[int],
        rng: np.random.Generator,
        supply: Supply,
    ) -> None:
        self.settings = settings
        self._env = env
        self._supply = supply
        self._load = load
        self._wake = env.event()
        self._since_ns = int(env.now)
        self._blocked_ns: int | None = None
        self._voltage = supply.voltage(load)
        self._output = Contribution(sink, load, len(orders))
        nothing = np.zeros(len(orders), dtype=np.complex128)
        self._off_draw = self._output.now
        q = reactive_power(settings.power, settings.power_factor)
        self._on_draw = make_draw(settings.power, q, nothing, orders)
        self.on, self._temperature = self._somewhere_in_its_cycle(rng.random())
        self._show()

    @property
    def temperature(self) -> float:
        """The store's temperature now [degree Celsius]."""
        seconds = (int(self._env.now) - self._since_ns) / NS_PER_SECOND
        return self.settings.temperature_after(self._temperature, self._heat_share(), seconds)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        self._supply.watch(self._load, self._ring)
        self._settle()  # the supply may have changed since this was built
        while True:
            self._wake = self._env.event()
            wait_ns = self._wait()
            events = [self._wake]
            if wait_ns is not None:
                events.append(self._env.timeout(wait_ns))
            yield self._env.any_of(events)
            self._settle()

    def _ring(self) -> None:
        if not self._wake.triggered:
            self._wake.succeed()

    def _somewhere_in_its_cycle(self, share: float) -> tuple[bool, float]:
        """Return contact and temperature at a share of the cycle that starts with switching on."""
        at = self.settings
        on = at.seconds_until(at.turn_on, at.turn_off, 1.0)
        if math.isinf(on):
            return True, at.final(1.0)
        off = at.seconds_until(at.turn_off, at.turn_on, 0.0)
        into = share * (on + off)
        if into < on:
            return True, at.temperature_after(at.turn_on, 1.0, into)
        return False, at.temperature_after(at.turn_off, 0.0, into - on)

    def _heat_share(self) -> float:
        """Return the share of rated heat that flows now."""
        if not self.on or self._voltage < self.settings.dead_below or self._blocked_ns is not None:
            return 0.0
        return self._voltage**2 if self.settings.resistive else 1.0

    def _wait(self) -> int | None:
        """Return when something will happen by itself [ns]."""
        goal = self.settings.turn_off if self.on else self.settings.turn_on
        seconds = self.settings.seconds_until(self._temperature, goal, self._heat_share())
        waits = [] if math.isinf(seconds) else [max(math.ceil(seconds * NS_PER_SECOND), 1)]
        if self._blocked_ns is not None and self._voltage >= self.settings.dead_below:
            waits.append(max(self._blocked_ns - int(self._env.now), 1))
        return min(waits, default=None)

    def _settle(self) -> None:
        """Bring the store to now, take in the supply and switch."""
        settings, now_ns = self.settings, int(self._env.now)
        self._temperature, self._since_ns = self.temperature, now_ns
        alive_before = self._voltage >= settings.dead_below
        self._voltage = self._supply.voltage(self._load)
        alive = self._voltage >= settings.dead_below
        if settings.restart_delay > 0.0:
            if alive_before and not alive:
                self._blocked_ns = now_ns
            elif alive and not alive_before:
                self._blocked_ns = now_ns + round(settings.restart_delay * NS_PER_SECOND)
            elif alive and self._blocked_ns is not None and now_ns >= self._blocked_ns:
                self._blocked_ns = None
        sign = 1.0 if settings.performance > 0.0 else -1.0
        # Waits are rounded up to whole nanoseconds: a threshold is then passed, never just missed.
        if self.on and sign * (self._temperature - settings.turn_off) >= -1e-9:
            self.on = False
        elif not self.on and sign * (self._temperature - settings.turn_on) <= 1e-9:
            self.on = True
        self._show()

    def _show(self) -> None:
        drawing = self.on and self._blocked_ns is None
        draw = self._on_draw if drawing else self._off_draw
        self._output.move(draw, cause=f"{self.settings.name}: {'on' if drawing else 'off'}", remember=True)


def start_thermostatic_loads(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: ThermostatSettings,
    orders: Sequence[int],
    seed: int,
    spread: float = 0.2,
    supply: Supply | None = None,
) -> list[ThermostaticLoad]:
    """Start one store at each load point; all alike but for a spread.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of every change; of the first state before this returns.
    loads : sequence of int
        Load points; the same one may come several times.
    settings : ThermostatSettings
        The typical store; number n is called by its name and n, from 1 on.
    orders : sequence of int
        Harmonic orders.
    seed : int
        Of the scenario; each store has a random stream of its own name.
    spread : float
        Power, capacity and resistance of each lie evenly this share around those of ``settings``, below 1.
    supply : Supply, optional
        Tells of outages and sags; without one there are none.

    Raises
    ------
    ThermostatError
        The settings, or those of a drawn store, cannot be.
    """
    if not 0.0 <= spread < 1.0:
        raise ThermostatError(f"{settings.name}: a spread of {spread:g} is no share below 1; mend it")
    stores = []
    for number, load in enumerate(loads, start=1):
        name = f"{settings.name} {number}"
        rng = random_stream(seed, name)
        factors = 1.0 + spread * (2.0 * rng.random(3) - 1.0)
        own = replace(
            settings,
            name=name,
            power=settings.power * float(factors[0]),
            capacity=settings.capacity * float(factors[1]),
            resistance=settings.resistance * float(factors[2]),
        )
        store = ThermostaticLoad(
            env, sink, load, own, orders=orders, rng=rng, supply=supply or SteadySupply()
        )
        env.process(store.run())
        stores.append(store)
    return stores
