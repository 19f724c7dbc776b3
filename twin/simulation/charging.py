"""Chargers of electric vehicles: who comes home when, how empty, and how the current tapers off."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import simpy

from twin.contracts import NS_PER_SECOND, TwinError
from twin.grid.machines.harmonic_models import ev_charger
from twin.simulation.load_sink import Contribution, Draw, LoadSink, make_draw, random_stream, reactive_power
from twin.simulation.occupancy import Calendar
from twin.simulation.ports import SteadySupply, Supply

_TAPER_STEPS = 10
_CUT_OFF = 0.05
"""Of the rated power: below it the charge ends."""


class ChargerError(TwinError, ValueError):
    """A charger or a vehicle that cannot be."""


@dataclass(frozen=True, slots=True)
class ChargerSettings:
    """One charger with the vehicle that uses it.

    Times and energies are engineering estimates for private cars in Central Europe.
    """

    name: str
    power: float
    """From the network, all phases together, before the taper [W]."""
    battery: float = 58e3
    """Usable [Wh]."""
    efficiency: float = 0.90
    """From the network to the battery."""
    power_factor: float = 0.99
    share_of_days: float = 0.6
    """Of days with a charge."""
    arrival: tuple[float, float] = (18.0, 2.0)
    """Mean and standard deviation of the local time of arrival [h]."""
    departure: tuple[float, float] = (7.5, 1.0)
    """Likewise of the departure on the next day [h]."""
    energy: tuple[float, float] = (12e3, 0.6)
    """Median of the energy that the battery misses [Wh], and standard deviation of its logarithm."""
    taper_from: float = 0.85
    """State of charge from which the power falls in proportion to what is missing."""
    restart: tuple[float, float] = (5.0, 60.0)
    """After an outage the vehicle waits between these times [s]."""
    dead_below: float = 0.6
    """Of rated voltage: below it the charger stops."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        if not (self.power > 0.0 and self.battery > 0.0 and self.energy[0] > 0.0):
            raise ChargerError(f"{self.name}: power, battery and energy must be above zero; mend them")
        shares = (self.efficiency, self.power_factor)
        if not all(0.0 < share <= 1.0 for share in shares) or not 0.0 < self.taper_from < 1.0:
            raise ChargerError(f"{self.name}: efficiency, power factor, taper_from lie in 0 to 1; mend them")
        if not 0.0 <= self.share_of_days <= 1.0 or not 0.0 <= self.restart[0] <= self.restart[1]:
            raise ChargerError(f"{self.name}: share_of_days is no share, or the restart's range falls")


@dataclass(frozen=True, slots=True)
class Session:
    """One stay of a vehicle at its charger."""

    arrives_ns: int
    departs_ns: int
    charge: float
    """State of charge on arrival, 0 to 1."""


def draw_session(settings: ChargerSettings, calendar: Calendar, day: date, seed: int) -> Session | None:
    """Return the session that starts on a day, from a stream of its own; None: no charge on that day."""
    rng = random_stream(seed, f"{settings.name}/{day.isoformat()}")
    charges = rng.random() < settings.share_of_days
    clock = (settings.arrival, settings.departure)
    hours = [mean + spread * float(rng.standard_normal()) for mean, spread in clock]
    missing = settings.energy[0] * math.exp(settings.energy[1] * float(rng.standard_normal()))
    if not charges:
        return None
    arrives = calendar.utc_ns(day, 3600.0 * min(max(hours[0], 0.0), 23.99))
    departs = calendar.utc_ns(day + timedelta(days=1), 3600.0 * min(max(hours[1], 0.5), 20.0))
    return Session(arrives, departs, max(1.0 - missing / settings.battery, 0.05))


def charging_course(settings: ChargerSettings, charge: float) -> Iterator[tuple[float, float]]:
    """Yield durations [s] and powers from the network [W] until the battery is full.

    Full power up to ``taper_from``, then steps of equal energy at the power of their middle, which is in
    proportion to what is missing; it ends below 5 % of the rated power.
    """
    joule = 3600.0 * settings.battery / settings.efficiency
    if charge < settings.taper_from:
        yield (settings.taper_from - charge) * joule / settings.power, settings.power
    width = (1.0 - settings.taper_from) / _TAPER_STEPS
    for step in range(_TAPER_STEPS):
        begins, ends = settings.taper_from + step * width, settings.taper_from + (step + 1) * width
        if ends <= charge:
            continue
        power = settings.power * (1.0 - (step + 0.5) / _TAPER_STEPS)
        if power < _CUT_OFF * settings.power:
            return
        yield (ends - max(begins, charge)) * joule / power, power


class Charger:
    """The process of one charger; its load points share the power equally.

    Attributes
    ----------
    charge : float
        State of charge of the vehicle that is here or was here last, at the last event.
    """

    def __init__(
        self,
        env: simpy.Environment,
        sink: LoadSink,
        loads: Sequence[int],
        settings: ChargerSettings,
        *,
        orders: Sequence[int],
        calendar: Calendar,
        seed: int,
        supply: Supply,
    ) -> None:
        if len(loads) not in {1, 3}:
            raise ChargerError(f"{settings.name}: has {len(loads)} load points; give one or three")
        self.settings = settings
        self.charge = 1.0
        self._env, self._supply, self._loads = env, supply, tuple(loads)
        self._calendar, self._seed = calendar, seed
        self._orders, self._ratio = tuple(orders), ev_charger(orders)
        self._outputs = [Contribution(sink, load, len(orders)) for load in loads]
        self._off = self._outputs[0].now
        self._wake = env.event()
        self._start_ns = int(env.now)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        for load in self._loads:
            self._supply.watch(load, self._ring)
        day = self._calendar.local_date(int(self._env.now)) - timedelta(days=1)
        while True:
            session = draw_session(self.settings, self._calendar, day, self._seed)
            day += timedelta(days=1)
            if session is None or session.departs_ns <= self._env.now:
                continue
            if session.arrives_ns > self._env.now:
                yield self._env.timeout(session.arrives_ns - int(self._env.now))
            yield from self._charge(session)

    def _ring(self) -> None:
        if not self._wake.triggered:
            self._wake.succeed()

    def _alive(self) -> bool:
        return all(self._supply.voltage(load) >= self.settings.dead_below for load in self._loads)

    def _charge(self, session: Session) -> Generator[simpy.Event, Any, None]:
        """Charge until full or until the vehicle leaves; before the start of the process there was supply."""
        rng = random_stream(self._seed, f"{self.settings.name}/restart/{session.arrives_ns}")
        course = list(charging_course(self.settings, session.charge))
        self.charge = session.charge
        course = self._skip(course, max(self._start_ns - session.arrives_ns, 0) / NS_PER_SECOND)
        while course and self._env.now < session.departs_ns:
            if not self._alive():
                self._show(0.0, "no supply")
                yield from self._pause(session.departs_ns, None)
                if self._alive():
                    low, high = self.settings.restart
                    wait = round((low + (high - low) * float(rng.random())) * NS_PER_SECOND)
                    yield from self._pause(session.departs_ns, wait)
                continue
            seconds, power = course[0]
            self._show(power, "charging")
            start = int(self._env.now)
            yield from self._pause(session.departs_ns, max(round(seconds * NS_PER_SECOND), 1))
            course = self._skip(course, (int(self._env.now) - start) / NS_PER_SECOND)
        self._show(0.0, "full" if not course else "left")
        if self._env.now < session.departs_ns:
            yield self._env.timeout(session.departs_ns - int(self._env.now))

    def _pause(self, until_ns: int, wait_ns: int | None) -> Generator[simpy.Event, Any, None]:
        """Wait for a time, for the supply to change or for the vehicle to leave."""
        left = until_ns - int(self._env.now)
        self._wake = self._env.event()
        timeout = self._env.timeout(left if wait_ns is None else min(wait_ns, left))
        yield self._env.any_of([self._wake, timeout])

    def _skip(self, course: list[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
        """Return what is left of a course after a time of charging, and keep the charge."""
        joule = 3600.0 * self.settings.battery / self.settings.efficiency
        left = []
        for lasts, power in course:
            used = min(lasts, seconds)
            seconds -= used
            self.charge += used * power / joule
            if lasts - used > 1e-6:
                left.append((lasts - used, power))
        return left

    def _show(self, power: float, what: str) -> None:
        draw = self._draw(power / len(self._outputs)) if power else self._off
        for output in self._outputs:
            output.move(draw, cause=f"{self.settings.name}: {what}")

    def _draw(self, power: float) -> Draw:
        q = reactive_power(power, self.settings.power_factor, leading=True)
        return make_draw(power, q, self._ratio, self._orders)


def start_charger(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: ChargerSettings,
    orders: Sequence[int],
    calendar: Calendar,
    seed: int,
    supply: Supply | None = None,
) -> Charger:
    """Start the process of a charger; a vehicle that came earlier has charged since.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of every change.
    loads : sequence of int
        One load point, or three.
    settings : ChargerSettings
        Charger and vehicle.
    orders : sequence of int
        Harmonic orders.
    calendar : Calendar
        Local time.
    seed : int
        Of the scenario; each day has a random stream of its own.
    supply : Supply, optional
        Tells of outages; without one there are none.

    Raises
    ------
    ChargerError
        Neither one nor three load points.
    """
    charger = Charger(
        env,
        sink,
        loads,
        settings,
        orders=orders,
        calendar=calendar,
        seed=seed,
        supply=supply or SteadySupply(),
    )
    env.process(charger.run())
    return charger
