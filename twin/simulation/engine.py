"""The engine: simpy events change the site, the site's signal feeds the meters, records leave.

Pacing, publishing and files are others' work; the engine knows only simulated time.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import simpy

from twin.contracts import Answer, Command, CommandRecord, Record, Refusal, Segment, TruthEntry, TwinError
from twin.grid import NotConvergedError
from twin.meters import Fleet, MeterFailedError
from twin.meters.front_end import KEEP_NS
from twin.scenario import utc_text
from twin.simulation.register_commands import METER_COMMANDS
from twin.simulation.site import ANCHOR_NS
from twin.simulation.supplies import VERBS, Supplies

NEVER = 2**63 - 1
"""Later than any instant [ns]."""

_log = logging.getLogger(__name__)


Commanded = Callable[[Command], tuple[Refusal | None, str]]
"""Carries out a command; returns why not, and a text for the operator."""


class NoSolutionError(TwinError, ArithmeticError):
    """No voltage satisfies the loads any more; simulated time ends there."""


class SiteModel(Protocol):
    """What the engine asks of a site, be it solved or played."""

    time_ns: int
    """Simulated time, UTC [ns]."""
    load_changes: int
    solves: int

    @property
    def switches(self) -> Mapping[str, bool]:
        """State of everything that can be switched; true is closed."""

    @property
    def collapsed(self) -> list[str]:
        """Load points whose voltage has collapsed."""

    @property
    def segment(self) -> Segment:
        """The segment that is true at ``time_ns``."""

    @property
    def calm_ns(self) -> int | None:
        """When the segment's damped terms will have died away, UTC; None when there are none [ns]."""

    @property
    def steady(self) -> bool:
        """Whether the segment holds steady harmonics alone, whose phase any anchor counts from one origin."""

    def objection(self, switch: str, *, closed: bool) -> str:
        """Return why a switch must not be operated; empty when it may."""

    def operate(self, switch: str, *, closed: bool, cause: str) -> bool:
        """Open or close a switch; returns whether it moved."""

    def settle(self) -> None:
        """Make ``segment`` true after changes at ``time_ns``."""

    def reanchor(self) -> None:
        """Start a new segment at ``time_ns`` that goes on with the same terms."""


class Engine:
    """One site with its meters in simulated time.

    Parameters
    ----------
    environment : simpy.Environment
        Its time is an integer, UTC [ns]; processes on it change ``site``.
    site : SiteModel
        The physical state.
    fleet : Fleet
        The meters; meter k measures channels 6 k to 6 k + 5 of the site.
    meter_names : sequence of str
        In the order of the fleet.
    truth : list of TruthEntry
        Where the site's witness puts its entries; the engine takes them from there.
    keep : callable
        Called with each batch of records, in order of simulated time.
    commanded : mapping, optional
        What takes commands beside meters and switches: carries one out, and says why not.
    supplies : Supplies, optional
        Of the meters; without, all are always on.
    """

    def __init__(
        self,
        environment: simpy.Environment,
        site: SiteModel,
        fleet: Fleet,
        *,
        meter_names: Sequence[str],
        truth: list[TruthEntry],
        keep: Callable[[Sequence[Record]], None],
        commanded: Mapping[str, Commanded] | None = None,
        supplies: Supplies | None = None,
    ) -> None:
        self.site = site
        self.fleet = fleet
        self._environment = environment
        self._meters = {name: at for at, name in enumerate(meter_names)}
        self._keep = keep
        self._truth = truth
        self._commands = 0
        self._anchored: Segment | None = None
        """Newest segment that goes on with the terms of the one before it."""
        self._commanded = commanded or {}
        self._happened: TruthEntry | None = None
        self._over: NoSolutionError | None = None
        self._supplies = supplies

    @property
    def now_ns(self) -> int:
        """Simulated time, UTC [ns]."""
        return self.site.time_ns

    def begin(self) -> None:
        """Solve the site as it stands and show it to the meters: they have been on for long already."""
        self.site.settle()
        self._measure(self.now_ns)
        self._look_at_supplies()

    def advance_to(self, until_ns: int) -> None:
        """Run all events up to and including ``until_ns`` and let the meters measure up to it.

        Raises
        ------
        NoSolutionError
            The network lost its solution; time stands still from then on.
        """
        if self._over is not None:
            raise self._over
        environment = self._environment
        try:
            while (at := self._next_event()) <= until_ns or self.now_ns < until_ns:
                self._move_to(min(at, until_ns))
                # Else time has come to its end, or a meter's output has halted it and given something to do.
                if self.now_ns >= at:
                    environment.step()
        except NotConvergedError as error:
            raise self._end(error) from error
        self._keep_truth()

    def _end(self, error: NotConvergedError) -> NoSolutionError:
        """End simulated time here: tell what had happened last."""
        self._keep_truth()
        what = ""
        if self._happened is not None:
            last = self._happened
            what = f" after {last.kind} of {last.element} by {last.cause} at {utc_text(last.time_ns)}"
        self._over = NoSolutionError(f"the site ended at {utc_text(self.now_ns)}{what}: {error}")
        return self._over

    def _next_event(self) -> int:
        """Return when something happens next; a new steady state may let something happen at once."""
        peek = self._environment.peek
        if peek() > self.site.time_ns:
            self.site.settle()
            self._look_at_supplies()
        at = peek()
        return NEVER if at == float("inf") else int(at)

    def apply(self, command: Command) -> Answer:
        """Carry out a command now, log it and answer it.

        One that would leave the network without a solution is refused, and changes nothing. One over which
        a meter fails by a defect of its own is answered so, and told of in the log.

        Raises
        ------
        NoSolutionError
            The network has lost its solution already.
        """
        if self._over is not None:
            raise self._over
        # The environment's clock stands at the last event: what a command begins begins now, not then.
        if self._environment.now < self.now_ns:
            self._environment.run(until=self.now_ns)
        try:
            refusal, detail = self._carry_out(command)
        except MeterFailedError as error:  # that meter's own affair: it is as it was, and the site goes on
            _log.exception("%s of %s by %s failed", command.verb, command.target, command.source)
            refusal, detail = Refusal.FAILED, str(error)
        self._commands += 1
        self._keep_truth()
        self._keep(
            [
                CommandRecord(
                    self._commands,
                    self.now_ns,
                    command.source,
                    command.target,
                    command.verb,
                    command.arguments,
                    refusal.value if refusal else None,
                )
            ]
        )
        return Answer(self.now_ns, refusal, detail)

    def _move_to(self, until_ns: int) -> None:
        """Let time pass without an event: the site is settled first, then the meters measure.

        Time halts earlier where an output of a meter moves that something of the site is wired to.
        """
        site = self.site
        if until_ns <= site.time_ns:
            return
        site.settle()
        self._keep_truth()
        while (anchor := self._next_anchor(until_ns)) < until_ns:
            if not self._measure(anchor):
                return
            site.reanchor()
            self._anchored = site.segment
        self._measure(until_ns)

    def _next_anchor(self, until_ns: int) -> int:
        """Return when the segment ends by itself: it has grown long, or its modes have died away.

        Where nobody looks at the waveform, anchors are left out but for the last before a time, or the last
        two where it follows soon. What meters keep of the past lies after the first of those: it is bit by
        bit what it would be with all of them.
        """
        site = self.site
        start_ns = site.segment.start_ns
        longest = start_ns + ANCHOR_NS
        if site.calm_ns is not None:
            return min(longest, max(site.calm_ns, site.time_ns + 1))
        idle = site.time_ns > start_ns or site.segment is self._anchored
        if idle and site.steady and self.fleet.idle:
            last = (until_ns - 1 - start_ns) // ANCHOR_NS
            soon = until_ns - (start_ns + last * ANCHOR_NS) < KEEP_NS
            return start_ns + max(last - 1 if soon else last, 1) * ANCHOR_NS
        return longest

    def _look_at_supplies(self) -> None:
        """Let meters that live on what they measure see it."""
        if self._supplies is not None:
            self._supplies.look(self.site.segment)

    def _measure(self, until_ns: int) -> bool:
        """Let the meters measure; return whether they came as far as that."""
        records = self.fleet.advance(self.site.segment, until_ns, halt=True)
        self.site.time_ns = self.fleet.now_ns
        if records:
            self._keep(records)
        return self.site.time_ns == until_ns

    def _keep_truth(self) -> None:
        if self._truth:
            self._happened = self._truth[-1]
            self._keep(tuple(self._truth))
            self._truth.clear()

    def _carry_out(self, command: Command) -> tuple[Refusal | None, str]:
        if command.target in self._meters:
            return self._command_meter(self._meters[command.target], command)
        if command.target in self.site.switches:
            return self._command_switch(command)
        if command.target in self._commanded:
            return self._commanded[command.target](command)
        return Refusal.UNKNOWN_TARGET, f"there is no '{command.target}'"

    def _command_meter(self, meter: int, command: Command) -> tuple[Refusal | None, str]:
        if command.verb in VERBS and self._supplies is not None:
            return self._supplies.command(meter, command)
        if command.verb not in METER_COMMANDS:
            return Refusal.ILLEGAL_FUNCTION, f"a meter has no '{command.verb}'"
        outcome = METER_COMMANDS[command.verb](self.fleet, meter, command.arguments)
        self._measure(self.now_ns)  # an input can begin an alarm, a setting end one
        return outcome

    def _command_switch(self, command: Command) -> tuple[Refusal | None, str]:
        if command.verb not in {"open", "close"}:
            return Refusal.ILLEGAL_FUNCTION, f"a switch has no '{command.verb}'"
        closed = command.verb == "close"
        if against := self.site.objection(command.target, closed=closed):
            return Refusal.ILLEGAL_VALUE, against
        self.site.operate(command.target, closed=closed, cause=command.source)
        return None, ""
