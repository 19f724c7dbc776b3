"""Batteries behind the meter: by a schedule, or so that the site draws and feeds in as little as can be."""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.appliances import spectrum_ratio
from twin.simulation.load_sink import Contribution, Draw, LoadSink, TableSink, make_draw
from twin.simulation.occupancy import Calendar
from twin.simulation.photovoltaics import INVERTER_SPECTRUM

_HOUR_NS = 3600 * NS_PER_SECOND


class BatteryError(TwinError, ValueError):
    """A battery or a schedule that cannot be."""


@dataclass(frozen=True, slots=True)
class Order:
    """A power for some hours of each day, local time."""

    start: float
    """[h]"""
    end: float
    """[h], up to 24; later than ``start``."""
    power: float
    """Positive charges, negative discharges [W]."""


@dataclass(frozen=True, slots=True)
class BatterySettings:
    """One battery with its inverter."""

    name: str
    capacity: float
    """Usable [Wh]."""
    power: float
    """Of the inverter, both ways [W]."""
    mode: Literal["self_consumption", "schedule"] = "self_consumption"
    schedule: tuple[Order, ...] = ()
    efficiency: float = 0.95
    """One way; its square is the round trip's, 0.90."""
    initial: float = 0.5
    """State of charge at the start."""
    response: float = 1.0
    """Self-consumption: from a change at the metering point to the reaction [s]."""
    deadband: float = 50.0
    """Self-consumption: power that is left alone [W]."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        if not (self.capacity > 0.0 and self.power > 0.0 and self.response > 0.0):
            raise BatteryError(f"{self.name}: capacity, power and response must be above zero; mend them")
        if not 0.0 < self.efficiency <= 1.0 or not 0.0 <= self.initial <= 1.0 or self.deadband < 0.0:
            raise BatteryError(f"{self.name}: efficiency, initial charge or deadband is out of range")
        if self.mode == "schedule" and not self.schedule:
            raise BatteryError(f"{self.name}: give a schedule, or the mode self_consumption")
        orders = sorted(self.schedule, key=lambda order: order.start)
        ends = [0.0, *(order.end for order in orders)]
        if any(not end <= order.start < order.end <= 24.0 for end, order in zip(ends, orders, strict=False)):
            raise BatteryError(f"{self.name}: the schedule's hours overlap or leave the day; mend them")


class MeteredSink:
    """A sink that passes everything on and keeps the active power of some load points.

    Parameters
    ----------
    sink : TableSink
        Who keeps all the totals.
    loads : sequence of int
        Load points behind the metering point; their sum is what a battery there sees.

    Attributes
    ----------
    power : float
        Of the load points together, the battery's own left out [W].
    """

    def __init__(self, sink: TableSink, loads: Sequence[int]) -> None:
        self.power = 0.0
        self.beyond = sink
        self._loads = frozenset(loads)
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after each change of ``power``."""
        self._watchers.append(watcher)

    def change(
        self,
        load: int,
        delta_p: float,
        delta_q: float,
        delta_emission: NDArray[np.complex128],
        *,
        cause: str,
    ) -> None:
        """Pass a change on; see `LoadSink`."""
        self.beyond.change(load, delta_p, delta_q, delta_emission, cause=cause)
        if load in self._loads and delta_p:
            self.power += delta_p
            self._tell()

    def shift(
        self,
        loads: NDArray[np.intp],
        delta_p: NDArray[np.float64],
        delta_q: NDArray[np.float64],
        delta_emission: NDArray[np.complex128] | None,
    ) -> None:
        """Pass changes on; see `TableSink`."""
        self.beyond.shift(loads, delta_p, delta_q, delta_emission)
        own = [at for at, load in enumerate(loads.tolist()) if load in self._loads]
        if own and delta_p[own].any():
            self.power += float(delta_p[own].sum())
            self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()


class Battery:
    """The process of one battery; its load points share the power equally.

    Attributes
    ----------
    power : float
        From the network, negative when it feeds in [W].
    """

    def __init__(
        self,
        env: simpy.Environment,
        sink: LoadSink,
        loads: Sequence[int],
        settings: BatterySettings,
        *,
        orders: Sequence[int],
        calendar: Calendar,
        meter: MeteredSink | None,
    ) -> None:
        if len(loads) not in {1, 3}:
            raise BatteryError(f"{settings.name}: has {len(loads)} load points; give one or three")
        if settings.mode == "self_consumption" and meter is None:
            raise BatteryError(f"{settings.name}: self-consumption needs a metering point; give one")
        self.settings = settings
        self.power = 0.0
        self._env, self._calendar, self._meter = env, calendar, meter
        self._orders, self._ratio = tuple(orders), spectrum_ratio(INVERTER_SPECTRUM, orders)
        self._outputs = [Contribution(sink, load, len(orders)) for load in loads]
        self._off = self._outputs[0].now
        self._stored = settings.initial * settings.capacity
        self._since_ns = int(env.now)
        self._wake = env.event()

    @property
    def charge(self) -> float:
        """State of charge now, 0 to 1."""
        hours = (int(self._env.now) - self._since_ns) / _HOUR_NS
        stored = self._stored + self._inflow() * hours
        return min(max(stored / self.settings.capacity, 0.0), 1.0)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        if self._meter is not None:
            self._meter.watch(self._ring)
        while True:
            self._settle()
            wait_ns = self._wait()
            self._wake = self._env.event()
            events = [self._wake]
            if wait_ns is not None:
                events.append(self._env.timeout(wait_ns))
            yield self._env.any_of(events)
            if self._wake.triggered:
                yield self._env.timeout(round(self.settings.response * NS_PER_SECOND))

    def _ring(self) -> None:
        if not self._wake.triggered and self.settings.mode == "self_consumption":
            self._wake.succeed()

    def _inflow(self) -> float:
        """Return what flows into the cells [W]."""
        way = self.settings.efficiency
        return self.power * way if self.power > 0.0 else self.power / way

    def _settle(self) -> None:
        """Bring the charge to now and choose the power."""
        self._stored, self._since_ns = self.charge * self.settings.capacity, int(self._env.now)
        wanted = self._wanted()
        full = self._stored >= self.settings.capacity * (1.0 - 1e-9)
        empty = self._stored <= self.settings.capacity * 1e-9
        if (wanted > 0.0 and full) or (wanted < 0.0 and empty):
            wanted = 0.0
        self._show(min(max(wanted, -self.settings.power), self.settings.power))

    def _wanted(self) -> float:
        if self.settings.mode == "schedule":
            hour = self._hour()
            return next((at.power for at in self.settings.schedule if at.start <= hour < at.end), 0.0)
        assert self._meter is not None
        rest = -self._meter.power
        return rest if abs(rest) > self.settings.deadband else 0.0

    def _hour(self) -> float:
        """Return the local time of day [h]."""
        day = self._calendar.local_date(int(self._env.now))
        return (int(self._env.now) - self._calendar.utc_ns(day, 0.0)) / _HOUR_NS

    def _wait(self) -> int | None:
        """Return when it will be full, empty, or told otherwise by its schedule [ns]."""
        waits = []
        if self.power:
            room = (self.settings.capacity - self._stored) if self.power > 0.0 else -self._stored
            waits.append(max(math.ceil(room / self._inflow() * _HOUR_NS), 1))
        if self.settings.mode == "schedule":
            hour = self._hour()
            edges = {edge for at in self.settings.schedule for edge in (at.start, at.end)} | {24.0}
            ahead = min((edge for edge in edges if edge > hour), default=hour + 24.0)
            waits.append(max(math.ceil((ahead - hour) * _HOUR_NS), 1))
        return min(waits, default=None)

    def _show(self, power: float) -> None:
        draw = self._draw(power / len(self._outputs)) if power else self._off
        self.power = draw.p * len(self._outputs)
        what = "charges" if power > 0.0 else "feeds in" if power < 0.0 else "rests"
        for output in self._outputs:
            output.move(draw, cause=f"{self.settings.name}: {what}")

    def _draw(self, power: float) -> Draw:
        return make_draw(power, 0.0, self._ratio, self._orders)


def start_battery(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: BatterySettings,
    orders: Sequence[int],
    calendar: Calendar,
    meter: MeteredSink | None = None,
) -> Battery:
    """Start the process of a battery.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of the battery's own changes: not ``meter``, whose ``beyond`` it may be.
    loads : sequence of int
        One load point, or three.
    settings : BatterySettings
        The battery.
    orders : sequence of int
        Harmonic orders.
    calendar : Calendar
        Local time of the schedule.
    meter : MeteredSink, optional
        What the loads and generators behind the metering point tell; needed by self-consumption.

    Raises
    ------
    BatteryError
        Neither one nor three load points, or no metering point where one is needed.
    """
    battery = Battery(env, sink, loads, settings, orders=orders, calendar=calendar, meter=meter)
    env.process(battery.run())
    return battery
