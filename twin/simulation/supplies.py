"""The auxiliary supplies of meters: always there, or from the bus that a meter measures, or failed.

A supply from the bus is taken between phase A and earth, over a station transformer to 230 V where the bus
has not a voltage that the meter takes by itself. Below the least voltage of its range the meter goes on for
as long as its capacitors last, then it stops; it starts when the voltage is back.

References
----------
KW320 manual, appendix A, control power: 100..415 V a.c. No hold-up time is stated; 100 ms are taken.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from twin.contracts import NS_PER_SECOND, Command, Refusal, Segment, TruthEntry
from twin.meters import Fleet
from twin.scenario import SiteScenario
from twin.scenario.supply_schema import PowerLoss, PowerRestore
from twin.simulation.events import CAUSE
from twin.simulation.faults import CallAt

LEAST_V: Final = 100.0
"""Least voltage of the supply's range [V]."""
MOST_V: Final = 415.0
"""A bus of a higher rated voltage, or a lower one than the least, has a station transformer [V]."""
STATION_V: Final = 230.0
"""Secondary of that [V]."""
HOLD_UP_NS: Final = NS_PER_SECOND // 10
"""How long a meter goes on without supply [ns]."""
VERBS: Final = {"power_off": False, "power_on": True}
"""What a meter is told to lose its supply, or to have it again."""


@dataclass(frozen=True, slots=True)
class BusSupply:
    """A supply that is taken from the bus which a meter measures."""

    meter: int
    rated: float
    """Line to earth, primary [V]."""

    @property
    def least(self) -> float:
        """Voltage below which it fails, primary [V]."""
        direct = LEAST_V <= self.rated <= MOST_V
        return LEAST_V if direct else LEAST_V * self.rated / STATION_V


class Supplies:
    """The supplies of all meters of a site.

    Parameters
    ----------
    fleet : Fleet
    from_bus : sequence of BusSupply
        Meters that are not supplied from elsewhere.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """

    def __init__(
        self,
        fleet: Fleet,
        from_bus: Sequence[BusSupply],
        *,
        call_at: CallAt,
        witness: Callable[[TruthEntry], None],
    ) -> None:
        self._fleet = fleet
        self._from_bus = tuple(from_bus)
        self._call_at = call_at
        self._witness = witness
        self._seen: Segment | None = None
        self._low = [False] * len(self._from_bus)
        self._lost = [0] * len(self._from_bus)  # how often the voltage has fallen: which wait is the newest
        self._dead: set[int] = set()
        self._failed: set[int] = set()
        self._restarting: Counter[int] = Counter()

    def look(self, segment: Segment) -> None:
        """Look at the voltages that hold from now on; a segment that was looked at costs nothing."""
        if segment is self._seen or not self._from_bus:
            return
        self._seen = segment
        for place, supply in enumerate(self._from_bus):
            low = _phase_a(segment, supply.meter) < supply.least
            if low == self._low[place]:
                continue
            self._low[place] = low
            since_ns = max(segment.start_ns, self._fleet.now_ns)
            self._lost[place] += 1
            if low:
                self._call_at(since_ns + HOLD_UP_NS, partial(self._run_down, place, self._lost[place]))
            elif supply.meter in self._dead:
                # From an event of its own: nothing may change while time passes.
                self._call_at(since_ns, partial(self._come_back, place, self._lost[place]))

    def fail(self, meter: int, *, cause: str) -> None:
        """Take a meter's supply away, whatever its bus has."""
        self._failed.add(meter)
        self._settle(meter, cause)

    def restore(self, meter: int, *, cause: str) -> None:
        """End a failure; a dead bus keeps a meter off all the same."""
        self._failed.discard(meter)
        self._settle(meter, cause)

    def begin_restart(self, meter: int, *, cause: str) -> None:
        """Let a meter start anew: it has no supply, as it were, until it has booted."""
        self._restarting[meter] += 1
        self._settle(meter, cause)

    def end_restart(self, meter: int, *, cause: str) -> None:
        """Let a meter have booted; one that has lost its supply meanwhile stays off all the same."""
        self._restarting[meter] -= 1
        self._settle(meter, cause)

    def schedule(self, event: PowerLoss | PowerRestore, meter: int, at_ns: int, *, cause: str) -> None:
        """Have a supply fail or come back at an instant, UTC [ns]."""
        if isinstance(event, PowerRestore):
            self._at(at_ns, partial(self.restore, meter, cause=cause))
            return
        self._at(at_ns, partial(self.fail, meter, cause=cause))
        if event.restore_after is not None:
            end_ns = at_ns + round(event.restore_after * NS_PER_SECOND)
            self._at(end_ns, partial(self.restore, meter, cause=cause))

    def _at(self, at_ns: int, function: Callable[[], None]) -> None:
        """Call a function at an instant; at once if that is now."""
        if at_ns <= self._fleet.now_ns:
            function()
        else:
            self._call_at(at_ns, function)

    def command(self, meter: int, command: Command) -> tuple[Refusal | None, str]:
        """Carry out ``power_off`` or ``power_on``."""
        on = VERBS[command.verb]
        (self.restore if on else self.fail)(meter, cause=command.source)
        if on and not self._fleet.powered(meter):
            return None, "the bus that supplies the meter is dead"
        return None, ""

    def _run_down(self, place: int, number: int) -> None:
        if self._lost[place] == number:
            self._dead.add(self._from_bus[place].meter)
            self._settle(self._from_bus[place].meter, "bus")

    def _come_back(self, place: int, number: int) -> None:
        if self._lost[place] == number:
            self._dead.discard(self._from_bus[place].meter)
            self._settle(self._from_bus[place].meter, "bus")

    def _settle(self, meter: int, cause: str) -> None:
        fleet = self._fleet
        on = meter not in self._dead and meter not in self._failed and not self._restarting[meter]
        if fleet.powered(meter) == on:
            return
        fleet.set_power(meter, on=on, now_ns=fleet.now_ns)
        kind = "power_restored" if on else "power_lost"
        self._witness(TruthEntry(fleet.now_ns, kind, fleet.names[meter], cause))


def start_supplies(
    fleet: Fleet,
    scenario: SiteScenario,
    *,
    call_at: CallAt,
    witness: Callable[[TruthEntry], None],
) -> Supplies:
    """Return the supplies of a scenario's meters, and have them fail and come back as it says.

    Parameters
    ----------
    fleet : Fleet
        Its meters.
    scenario : SiteScenario
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    witness : callable
        Called with each truth entry.
    """
    buses, at = scenario.network.buses, scenario.network.bus_index
    from_bus = [
        BusSupply(meter, buses[at[installed.probe.bus]].u_phase)
        for meter, installed in enumerate(scenario.meters)
        if installed.supply == "bus"
    ]
    supplies = Supplies(fleet, from_bus, call_at=call_at, witness=witness)
    for item in scenario.events:
        event = item.event
        if isinstance(event, PowerLoss | PowerRestore):
            meter = fleet.names.index(event.meter)
            supplies.schedule(event, meter, item.at_ns, cause=CAUSE)
    return supplies


def _phase_a(segment: Segment, meter: int) -> float:
    """Return the RMS of a meter's va: its steady fundamental, or that of what is sampled [V]."""
    row = 6 * meter
    steady = (np.abs(segment.order) == 1.0) & (segment.rate == 0.0)
    squares = float(np.sum(np.abs(segment.amplitude[row, steady]) ** 2)) / 2.0
    if segment.block is not None:
        squares += float(np.mean(segment.block.samples[row] ** 2))
    return math.sqrt(squares)
