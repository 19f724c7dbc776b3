"""Tap changers in simulated time: each holds the voltage of its bus, step by step, and heeds its operator.

A scenario starts with the taps where the network file has them; those that are wrong there move when their
delay is over.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

from twin.contracts import NS_PER_SECOND, Command, Refusal, TapLine
from twin.grid import Network, Probe, TapChanger
from twin.simulation.site import Site
from twin.simulation.trying import objection

CallAt = Callable[[int, Callable[[], None]], None]

_ROWS = {"a": 0, "b": 1, "c": 2}


def tap_probes(network: Network) -> list[Probe]:
    """Return where the tap changers of a network measure: voltage and current of each."""
    out = []
    for control in network.tap_changers:
        unit = network.branches[network.branch_index[control.transformer]]
        out.append(Probe(f"tap voltage {control.name}", control.bus or unit.to_bus))
        out.append(Probe(f"tap current {control.name}", unit.to_bus, control.transformer, "to"))
    return out


class TapControl:
    """The control of one tap changer.

    Outside its band for ``delay`` it moves by one step, and by one more every ``tap_delay`` until the voltage
    is back in it. A voltage that returns on its own, or falls below the limit of undervoltage, starts the
    delay anew.

    Parameters
    ----------
    site : Site
        Its solver's probes ``first`` and ``first + 1`` are those that `tap_probes` has for the control.
    control : TapChanger
    first : int
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """

    def __init__(self, site: Site, control: TapChanger, *, first: int, call_at: CallAt) -> None:
        network = site.solver.network
        self.control = control
        self.unit = next(unit for unit in network.transformers if unit.name == control.transformer)
        self._site = site
        self._first = first
        self._call_at = call_at
        self._wanted = 0
        self._pending = False
        self._generation = 0

    @property
    def position(self) -> int:
        """Present tap of its transformer."""
        return self._site.solver.taps[self.unit.name]

    @property
    def voltage(self) -> float:
        """The voltage that it sees, secondary, line drop compensated [V]."""
        control = self.control
        volts = self._site.fundamental(self._first)[:3]
        seen = complex(volts[_ROWS[control.phase[0]]])
        if len(control.phase) == 2:
            seen -= complex(volts[_ROWS[control.phase[1]]])
        seen /= control.pt_ratio
        if control.ct_primary:
            # The probe counts into the transformer, the line drop follows what leaves it.
            leaving = -complex(self._site.fundamental(self._first + 1)[3 + _ROWS[control.phase[0]]])
            seen -= complex(control.r_line, control.x_line) * leaving / control.ct_primary
        return abs(seen)

    @property
    def line(self) -> TapLine:
        """As operators see it."""
        unit = self.unit
        return TapLine(self.control.name, unit.name, self.position, unit.tap_min, unit.tap_max)

    def look(self) -> None:
        """After a new steady state: begin to wait, or give up waiting."""
        wanted = self._asked_for()
        if wanted != self._wanted:
            self._wanted = wanted
            self._generation += 1
            self._pending = False
        if wanted and not self._pending and self._reachable(wanted):
            self._wait(self.control.delay)

    def command(self, command: Command) -> tuple[Refusal | None, str]:
        """Carry out an operator's command: ``raise`` or ``lower`` the voltage by one step."""
        if command.verb not in {"raise", "lower"}:
            return Refusal.ILLEGAL_FUNCTION, f"a tap changer has no '{command.verb}'"
        direction = 1 if command.verb == "raise" else -1
        if not self._reachable(direction):
            return Refusal.ILLEGAL_VALUE, f"'{self.control.name}' is at its last tap, {self.position}"
        position = self.position + self._taps_up(direction)
        if against := objection(self._site, lambda solver: solver.set_tap(self.unit.name, position)):
            return Refusal.ILLEGAL_VALUE, against
        self._move(direction, command.source)
        return None, ""

    def _asked_for(self) -> int:
        """Return +1 to raise the voltage, -1 to lower it, 0 to leave it."""
        control, seen = self.control, self.voltage
        lack = control.u_set - seen
        if seen < control.undervoltage_percent / 100.0 * control.u_set:
            return 0
        return 0 if abs(lack) <= control.bandwidth / 2.0 else int(math.copysign(1, lack))

    def _taps_up(self, direction: int) -> int:
        """Return the step of the tap that raises (1) or lowers (-1) the voltage."""
        # More turns on the high-voltage side lower the voltage.
        return direction if self.unit.tap_side == "lv" else -direction

    def _reachable(self, direction: int) -> bool:
        return self.unit.tap_min <= self.position + self._taps_up(direction) <= self.unit.tap_max

    def _wait(self, seconds: float) -> None:
        self._pending = True
        # A step is seen before the next one follows, however fast the drive.
        at_ns = self._site.time_ns + max(round(seconds * NS_PER_SECOND), 1)
        self._call_at(at_ns, partial(self._step, self._generation))

    def _step(self, generation: int) -> None:
        if generation != self._generation:
            return
        self._pending = False
        if self._reachable(self._wanted):
            self._move(self._wanted, self.control.name)
            self._wait(self.control.tap_delay)

    def _move(self, direction: int, cause: str) -> None:
        self._site.set_tap(self.unit.name, self.position + self._taps_up(direction), cause=cause)


def start_tap_controls(site: Site, *, first: int, call_at: CallAt) -> Sequence[TapControl]:
    """Start the controls of a site's tap changers.

    Parameters
    ----------
    site : Site
        Its solver's probes from ``first`` on are those of `tap_probes`.
    first : int
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """
    controls = [
        TapControl(site, control, first=first + 2 * at, call_at=call_at)
        for at, control in enumerate(site.solver.network.tap_changers)
    ]
    for control in controls:
        site.watch(control.look)
    return controls
