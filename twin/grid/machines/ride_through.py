"""When an inverter stays, pauses, trips and comes back: thresholds with times, as a state that is advanced.

Between two changes of the network voltage and frequency are constant; `advance` carries the state over such a
stretch, `time_to_event` tells how long it would stay the same. All times are whole nanoseconds.
"""

from dataclasses import dataclass, replace
from typing import Literal

from twin.contracts import NS_PER_SECOND, TwinError

Mode = Literal["running", "paused", "tripped"]
_LONG_NS = 1 << 60


class RideThroughError(TwinError, ValueError):
    """Thresholds that contradict each other."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One stage of the protection: the quantity beyond the threshold for the time."""

    quantity: Literal["under_voltage", "over_voltage", "under_frequency", "over_frequency"]
    threshold: float
    """Of rated voltage, or [Hz]."""
    seconds: float
    """Clearing time [s]."""

    def beyond(self, u_low: float, u_high: float, frequency: float) -> bool:
        """Return whether the quantity is beyond the threshold."""
        match self.quantity:
            case "under_voltage":
                return u_low < self.threshold
            case "over_voltage":
                return u_high > self.threshold
            case "under_frequency":
                return frequency < self.threshold
            case _:
                return frequency > self.threshold


@dataclass(frozen=True, slots=True)
class RideThrough:
    """How an inverter behaves when voltage or frequency leave their range."""

    name: str
    trips: tuple[Trip, ...]
    pause_below: float = 0.0
    """Momentary cessation: below this voltage no current flows, without a trip; 0: never."""
    pause_above: float = 10.0
    """Likewise above."""
    recovery: float = 0.4
    """From the end of a pause to the full power again [s]."""
    voltage_window: tuple[float, float] = (0.9, 1.1)
    """Within which it may come back after a trip, of rated voltage."""
    frequency_window: tuple[float, float] = (0.0, 1000.0)
    """Likewise [Hz]."""
    reconnect_delay: float = 60.0
    """For which both must be within before it comes back [s]."""
    ramp: float = 600.0
    """From there to the rated power [s]."""

    def __post_init__(self) -> None:
        """Refuse times and ranges that contradict each other."""
        if any(stage.seconds <= 0.0 for stage in self.trips) or min(self.recovery, self.ramp) <= 0.0:
            raise RideThroughError(f"{self.name}: trip, recovery and ramp times must be above zero")
        if self.reconnect_delay <= 0.0:
            raise RideThroughError(f"{self.name}: the reconnect delay must be above zero")
        for low, high in (self.voltage_window, self.frequency_window):
            if not low < high:
                raise RideThroughError(f"{self.name}: a range from {low:g} to {high:g} is empty; mend it")


def _stages(*rows: tuple[str, float, float]) -> tuple[Trip, ...]:
    return tuple(Trip(*row) for row in rows)  # type: ignore[arg-type]


IEEE_1547_II = RideThrough(
    "IEEE 1547-2018 category II",
    _stages(
        ("over_voltage", 1.20, 0.16),
        ("over_voltage", 1.10, 2.0),
        ("under_voltage", 0.70, 10.0),
        ("under_voltage", 0.45, 0.16),
        ("over_frequency", 62.0, 0.16),
        ("over_frequency", 61.2, 300.0),
        ("under_frequency", 58.5, 300.0),
        ("under_frequency", 56.5, 0.16),
    ),
    pause_below=0.30,
    pause_above=1.20,
    recovery=0.4,
    voltage_window=(0.917, 1.05),
    frequency_window=(59.5, 60.1),
    reconnect_delay=300.0,
    ramp=300.0,
)
"""IEEE 1547-2018, tables 12, 15 and 18 (default trips, cessation) and 4 (enter service), for 60 Hz. The
figures are quoted from memory of the standard."""

EN_50549_1 = RideThrough(
    "EN 50549-1",
    _stages(
        ("over_voltage", 1.20, 0.1),
        ("over_voltage", 1.15, 3.0),
        ("under_voltage", 0.85, 3.0),
        ("under_voltage", 0.45, 0.3),
        ("over_frequency", 51.5, 0.2),
        ("under_frequency", 47.5, 0.2),
    ),
    pause_below=0.50,
    pause_above=1.20,
    recovery=1.0,
    voltage_window=(0.85, 1.10),
    frequency_window=(49.5, 50.2),
    reconnect_delay=60.0,
    ramp=600.0,
)
"""For 50 Hz. EN 50549-1:2019 leaves the trips to the network operator within ranges: these are usual choices,
an estimate; zero current outside 0.5 to 1.2, return within 1 s, reconnection after 60 s within 0.85 to
1.10 and 49.5 to 50.2 Hz and 10 % of the power a minute are its defaults (clauses 4.7 and 4.10), quoted from
memory."""


@dataclass(frozen=True, slots=True)
class RideThroughState:
    """The state at an instant."""

    time_ns: int
    mode: Mode = "running"
    since_ns: int = 0
    """Start of the mode; long ago for one that has always been running."""
    ramp_ns: int | None = None
    """Start of the ramp after the last trip; None: never tripped."""
    beyond_ns: tuple[int | None, ...] = ()
    """Since when each stage's quantity is beyond its threshold; None: it is not."""
    healthy_ns: int | None = None
    """Tripped: since when voltage and frequency allow to come back."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the inverter sees for a stretch of time."""

    u_low: float
    """Lowest phase voltage, of the rated one."""
    u_high: float
    """Highest phase voltage, of the rated one."""
    frequency: float
    """[Hz]"""


def begin(rules: RideThrough, time_ns: int) -> RideThroughState:
    """Return the state of an inverter that has been running for long."""
    return RideThroughState(time_ns, "running", time_ns - _LONG_NS, None, (None,) * len(rules.trips))


def see(rules: RideThrough, state: RideThroughState, now: Conditions) -> RideThroughState:
    """Return the state right after voltage or frequency have changed at its instant."""
    beyond = tuple(
        (since if since is not None else state.time_ns)
        if stage.beyond(now.u_low, now.u_high, now.frequency)
        else None
        for stage, since in zip(rules.trips, state.beyond_ns, strict=True)
    )
    state = replace(state, beyond_ns=beyond)
    outside = now.u_low < rules.pause_below or now.u_high > rules.pause_above
    if state.mode == "tripped":
        healthy = _may_return(rules, now)
        since = state.healthy_ns if state.healthy_ns is not None else state.time_ns
        return replace(state, healthy_ns=since if healthy else None)
    if outside and state.mode != "paused":
        return replace(state, mode="paused", since_ns=state.time_ns)
    if not outside and state.mode == "paused":
        return replace(state, mode="running", since_ns=state.time_ns)
    return state


def _may_return(rules: RideThrough, now: Conditions) -> bool:
    low, high = rules.voltage_window
    slow, fast = rules.frequency_window
    return low <= now.u_low and now.u_high <= high and slow <= now.frequency <= fast


def time_to_event(rules: RideThrough, state: RideThroughState) -> int | None:
    """Return how long the mode stays while nothing around changes [ns]; None: for ever."""
    if state.mode == "tripped":
        if state.healthy_ns is None:
            return None
        return max(state.healthy_ns + round(rules.reconnect_delay * NS_PER_SECOND) - state.time_ns, 0)
    ends = [
        since + round(stage.seconds * NS_PER_SECOND)
        for stage, since in zip(rules.trips, state.beyond_ns, strict=True)
        if since is not None
    ]
    return max(min(ends) - state.time_ns, 0) if ends else None


def advance(rules: RideThrough, state: RideThroughState, until_ns: int) -> RideThroughState:
    """Return the state at a later instant, voltage and frequency having stayed as last seen."""
    while True:
        wait = time_to_event(rules, state)
        if wait is None or state.time_ns + wait > until_ns:
            return replace(state, time_ns=until_ns)
        at = state.time_ns + wait
        if state.mode == "tripped":
            # Whatever has lasted outside its range would have kept it from being healthy.
            state = replace(state, time_ns=at, mode="running", since_ns=at, ramp_ns=at, healthy_ns=None)
        else:
            state = replace(state, time_ns=at, mode="tripped", since_ns=at)


def power_share(rules: RideThrough, state: RideThroughState) -> float:
    """Return the share of its power that the inverter may deliver at the state's instant, 0 to 1."""
    if state.mode != "running":
        return 0.0
    share = min((state.time_ns - state.since_ns) / NS_PER_SECOND / rules.recovery, 1.0)
    if state.ramp_ns is None:
        return share
    return min((state.time_ns - state.ramp_ns) / NS_PER_SECOND / rules.ramp, share)
