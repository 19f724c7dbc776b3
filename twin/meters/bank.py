"""A bank of meters of one profile: the signal goes in, displayed values and records come out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import AlarmRecord, EventRecord, Record, Segment, TwinError, WaveformRecord
from twin.meters.alarms import NEVER, AlarmEngine
from twin.meters.bank_readings import BankReadings
from twin.meters.connection import Connection
from twin.meters.counting import Counting
from twin.meters.demand import NS_PER_MINUTE
from twin.meters.display import BASIC_NS, FAST_NS, Display
from twin.meters.energies import EnergyRegisters
from twin.meters.extremes import Extremes
from twin.meters.front_end import FeedError, FrontEnd
from twin.meters.inputs import Inputs
from twin.meters.interval_log import ClosedIntervals
from twin.meters.power_quality import WATCHED, PowerQuality
from twin.meters.quantities import ANALOGUE_COLUMNS, DEMAND_COLUMNS
from twin.meters.settings import MeterSettings, differ
from twin.meters.straddle import straddle_bounds
from twin.meters.tick_plan import TickPlan
from twin.meters.window import WINDOWS, Conventions, MeasuringWindow, WindowView
from twin.metrology import phasor_step_bound

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_NONE: frozenset[str] = frozenset()


class BankError(TwinError, ValueError):
    """Meters that cannot share a bank, or a time that is not now."""


class MeterBank(BankReadings):
    """All meters of one profile, fed with one signal.

    Its state depends on settings, segments and calls alone, bit by bit: not on how the feed is cut by
    ``until_ns``, and not on who looks when.

    Parameters
    ----------
    settings : sequence of MeterSettings
        One per meter, in the order of the segments' channels; all of one rated frequency.
    start_ns : int
        When the feed begins, UTC [ns]. Before it the first segment is taken to have lasted.
    logged : sequence of int
        Which meter each logger is of; several may be of one.

    Raises
    ------
    BankError
        If the meters are not all rated for the same frequency.
    """

    def __init__(
        self, settings: Sequence[MeterSettings], *, start_ns: int, logged: Sequence[int] = ()
    ) -> None:
        if len({setting.rated_frequency for setting in settings}) > 1:
            raise BankError("meters of one bank must have one rated frequency; make a bank for each")
        meters = len(settings)
        cycles, orders = WINDOWS[settings[0].rated_frequency if meters else 50.0]
        self._settings, self._fitted = list(settings), list(settings)  # as set, and as the ratios are
        self._cursor = start_ns
        self._front_end = FrontEnd(Inputs(settings), start_ns=start_ns)
        self._conventions = Conventions.of(settings)
        self._window = MeasuringWindow(self._front_end, self._conventions, cycles=cycles, orders=orders)
        self._display = Display(self._window, self._front_end.inputs, cycles=cycles)
        self._counting = Counting(settings, self._window, start_ns=start_ns, logged=logged)
        self.powered = self._counting.powered  # which meters have a supply
        self._extremes = Extremes(meters, start_ns)
        self._alarms = AlarmEngine(settings)
        self._analogue = np.zeros((meters, 4))  # counts of AI1..AI4
        self._quality = PowerQuality(settings, self._front_end, self._conventions.wirings)
        self._ticks = TickPlan(start_ns)

    @property
    def cursor_ns(self) -> int:
        """Now, UTC [ns]."""
        return self._cursor

    @property
    def counting(self) -> Counting:
        """What adds up over time."""
        return self._counting

    @property
    def idle(self) -> bool:
        """Whether nothing looks at the waveform until the signal changes: no event, capture or sampling."""
        settled = self._window.steady is not None and self._window.settled_ns <= self._cursor
        return settled and self._quality.idle

    def advance(self, segment: Segment, until_ns: int, *, halting: frozenset[str] = _NONE) -> list[Record]:
        """Live on to a time.

        Parameters
        ----------
        segment : Segment
            Primary volts and amperes, six channels per meter. The one of the last call may come again;
            another one must start where that call ended.
        until_ns : int
            New end of time, UTC [ns].
        halting : frozenset of str
            Meters whose alarms move something outside: time halts at an alarm of theirs, which may be
            earlier than ``until_ns``; `cursor_ns` tells.

        Returns
        -------
        list of Record
            What came to be, in order of time.

        Raises
        ------
        FeedError
            If the segment or the time does not go on from where the bank is.
        """
        if until_ns < self._cursor:
            raise FeedError(f"time {until_ns} ns lies before {self._cursor} ns; time only goes forward")
        if not self._front_end.holds(segment):
            self._enter(segment)
        if halting and self._front_end.sampling:
            # What is sampled cannot be taken back: go no further than the next thing that may halt it.
            stops = self._ticks.next_tick, self._alarms.next_deadline_ns
            until_ns = min(until_ns, *(stop for stop in stops if stop > self._cursor))
        self._front_end.extend(until_ns)
        records, until_ns = self._run(until_ns, halting)
        records += self._quality.run(until_ns)
        self._cursor = until_ns
        return [record for _, record in sorted(records, key=lambda stamped: stamped[0])]

    def prepare_display(self, tick_ns: int) -> None:
        """Do now what can be done already for showing a tick to come; what it shows does not depend on it."""
        self._display.prepare(tick_ns)

    @property
    def alarms(self) -> AlarmEngine:
        """The alarm channels."""
        return self._alarms

    def events(self, meter: int) -> list[EventRecord]:
        """Return the log of power-quality events, oldest first."""
        return self._quality.events(meter)

    def in_event(self, meter: int) -> str:
        """Return the type of the power-quality event that lasts; empty without."""
        return self._quality.in_event(meter)

    def captures(self, meter: int) -> list[WaveformRecord]:
        """Return the stored waveform groups, oldest first."""
        return self._quality.captures.groups(meter)

    def capture_causes(self, meter: int) -> list[str]:
        """Return, for each stored group, the letters of the phases or the input that triggered it."""
        return self._quality.captures.causes(meter)

    def configure(self, meter: int, settings: MeterSettings, now_ns: int) -> list[Record]:
        """Give a meter new settings from now on; return the alarms and events that end by it.

        Ratios change what is shown as primary, not the transformers. New demand settings clear the demand
        memory. Alarms, and kinds of events, that new settings concern end and are looked for anew; others
        go on.

        Raises
        ------
        BankError
            If ``now_ns`` is not now, or the rated frequency changes.
        """
        self._require_now(now_ns)
        old = self._settings[meter]
        if settings.rated_frequency != old.rated_frequency:
            raise BankError(f"{old.name}: the rated frequency is that of the bank; it cannot change")
        self._counting.count_to(now_ns)
        self._settings[meter] = settings
        self._conventions.configure(meter, settings)
        self._counting.adopt(meter, settings)
        ended: list[Record] = [*self._alarms.configure(meter, settings, now_ns)]
        self._counting.profile.configure(meter, settings)
        if differ(old, settings, "demand_"):
            self._counting.demand.configure(meter, settings)
        if settings.current_direction != old.current_direction:
            self._fitted[meter] = replace(self._fitted[meter], current_direction=settings.current_direction)
            self._front_end.turn(self._fitted)
        self._window.refresh()
        if differ(old, settings, *WATCHED):
            ended += self._quality.configure(meter, settings, now_ns)
        else:
            self._quality.rename(meter, settings)
        self._expect_change(now_ns)
        return ended

    def connect(self, meter: int, connection: Connection, now_ns: int) -> None:
        """Let a meter's inputs be connected otherwise from now on; the next segment has to start now.

        Raises
        ------
        BankError
            If ``now_ns`` is not now.
        """
        self._require_now(now_ns)
        self._front_end.connect(meter, connection)

    def set_power(self, meter: int, *, on: bool, now_ns: int) -> list[Record]:
        """Give a meter its supply, or take it away, now; return what ends by it. The rest begins anew."""
        self._require_now(now_ns)
        ended: list[Record] = [*self._counting.set_power(meter, on=on, ns=now_ns)]
        ended += self._quality.set_power(meter, on=on, now_ns=now_ns)
        self._alarms.forget(meter)
        self._expect_change(now_ns)
        return ended

    def preset_energy(self, meter: int, name: str, value_wh: float) -> None:
        """Let one energy register show a value from now on [Wh, varh, VAh primary]."""
        self._energies_settled().preset(meter, name, value_wh)

    def clear_energy(self, meter: int) -> None:
        """Set all energy registers to zero."""
        self._energies_settled().clear(meter)

    def clear_demand(self, meter: int) -> None:
        """Set the demand memory to zero."""
        self._counting.demand.clear(meter)

    def clear_extremes(self, meter: int) -> None:
        """Begin maxima and minima anew from what is shown now."""
        if not self._front_end.empty:
            shown = self._complete(self._window.at(self._cursor - self._cursor % BASIC_NS))
            self._extremes.clear(meter, shown[meter], self._cursor)

    def close_intervals(self, loggers: Sequence[int]) -> ClosedIntervals:
        """End the intervals of some loggers now, and begin the next ones."""
        values = self._complete(self._window.at(self._cursor - self._cursor % BASIC_NS))
        self._ticks.see_second(self._cursor)
        return self._counting.close_log(loggers, values, self._cursor)

    def clear_events(self, meter: int) -> None:
        """Empty the log of power-quality events."""
        self._quality.clear_events(meter)

    def clear_captures(self, meter: int) -> None:
        """Empty the waveform store."""
        self._quality.captures.clear(meter)

    def set_analogue(self, meter: int, number: int, counts: int, now_ns: int) -> None:
        """Let an analogue input, 1..4, show so many counts; alarms look at it at the next fast tick."""
        self._require_now(now_ns)
        if self._analogue[meter, number - 1] != counts:
            self._analogue[meter, number - 1] = counts
            self._ticks.look_once(now_ns)

    def set_minutes_ahead(self, meter: int, minutes: int) -> None:
        """Let a meter's load profile follow a clock that is so many whole minutes ahead of UTC."""
        self._counting.profile.set_minutes_ahead(meter, minutes)

    def trigger_capture(self, meter: int, now_ns: int, *, reason: str = "manual", cause: str = "") -> bool:
        """Trigger a waveform capture by hand or, ``di``, by an input; return whether the meter heard it."""
        self._require_now(now_ns)
        return self._quality.captures.trigger_now(meter, reason, cause, now_ns)

    def _enter(self, segment: Segment) -> None:
        """Take a segment that was not there at the last call."""
        if segment.start_ns != self._cursor:
            message = f"the segment starts at {segment.start_ns} ns; it must start now, at {self._cursor} ns"
            raise FeedError(message)
        if not self._front_end.append(segment):
            return
        self._counting.count_to(segment.start_ns)
        before = self._window.steady
        settled = before is not None and self._window.settled_ns <= segment.start_ns
        view = self._window.begin_stretch()
        rms = bounds = None
        if view is not None and view.phasors is not None:
            wirings = self._conventions.wirings
            rms = np.sqrt(wirings.watched_squares(view.measure.gram, np.arange(len(self._settings))))
            if self._front_end.previous_stationary:
                # Before the first segment was, if anything, the same.
                earlier = before.phasors if before is not None else None
                bounds = phasor_step_bound(
                    wirings.watched_phasors(earlier or view.phasors), wirings.watched_phasors(view.phasors)
                )
        self._quality.begin_stretch(rms, bounds)
        self._expect_change(segment.start_ns)
        if before is not None and view is not None and bounds is not None and settled:
            # A reading with noise is at most that much above the one without.
            self._spare_alarms(before, view, bounds[1] + self._front_end.inputs.noise.ravel())

    def _spare_alarms(self, before: WindowView, after: WindowView, high: Float) -> None:
        """Leave out the fast ticks over a boundary that cannot move an alarm."""
        ticks = self._ticks
        pending = self._alarms.next_deadline_ns <= ticks.fast_until
        if not self._alarms.watching or pending or before.cycle_frequency != after.cycle_frequency:
            return
        bounds = straddle_bounds(before, after, high, self._conventions)
        bounds[:, :, DEMAND_COLUMNS] = self._counting.demand.values
        bounds[:, :, ANALOGUE_COLUMNS] = self._analogue
        self.powered.blank(bounds)
        if self._alarms.unmoved(bounds):
            # The steady values lie between the bounds too; only a delay that runs will record them.
            idle = self._alarms.next_deadline_ns == NEVER
            ticks.fast_from = ticks.fast_until + (FAST_NS if idle else 0)

    def _expect_change(self, from_ns: int) -> None:
        """Look at every tick after a time, until windows lie in the current stretch again."""
        if self._front_end.empty:
            self._ticks.begin(from_ns)
            return
        steady = self._window.steady is not None
        self._ticks.expect_change(from_ns, self._window.settled_ns if steady else None)

    def _upcoming_tick(self) -> int:
        """Return the next tick that must be looked at; ticks that equal the one before are left out."""
        return min(self._ticks.upcoming(alarms=self._alarms.watching), self._counting.next_minute)

    def _run(self, until_ns: int, halting: frozenset[str]) -> tuple[list[tuple[int, Record]], int]:
        """Live through the ticks, minutes and alarm delays up to a time; return how far it came."""
        records: list[tuple[int, Record]] = []
        while True:
            tick = self._upcoming_tick()
            at = min(tick, self._alarms.next_deadline_ns)
            if at > until_ns:
                return records, until_ns
            if at == self._counting.next_minute:
                if count := self._quiet_minutes(until_ns):
                    records += self._close_intervals(self._end_quiet_minutes(count))
                    continue
                self._counting.end_minute()
            alarms = self._tick(at) if at == tick else self._alarms.expire(at)
            records += [(record.time_ns, record) for record in alarms]
            if at % NS_PER_MINUTE == 0:
                records += self._close_intervals(at)
            if halting and any(record.meter in halting for record in alarms):
                return records, max(at, self._cursor)

    def _tick(self, ns: int) -> list[AlarmRecord]:
        values = self._complete(self._window.at(ns))
        if ns % BASIC_NS == 0:
            self._extremes.update(values, ns)
            self._counting.update(values)
        self._ticks.next_tick = ns + FAST_NS
        if not self._alarms.watching:
            return []
        if ns % NS_PER_MINUTE == 0:
            self._ticks.fast_from = ns  # demands may have begun a delay: look at every tick again
        return self._alarms.evaluate(ns, values)

    def _quiet_minutes(self, until_ns: int) -> int:
        """Return how many minutes end by a time in which nothing changes but the demands."""
        first = self._counting.next_minute
        ticks = self._ticks
        pending = ticks.slow_until >= first or (self._alarms.watching and ticks.fast_until >= first)
        if pending or self._alarms.watches(DEMAND_COLUMNS):
            return 0
        return self._counting.quiet_minutes(min(until_ns, self._alarms.next_deadline_ns - 1))

    def _end_quiet_minutes(self, count: int) -> int:
        """Live through such minutes; return the end of the last."""
        times, demands = self._counting.end_quiet_minutes(count)
        self._extremes.update_columns(DEMAND_COLUMNS, demands, times)
        self._ticks.next_tick = int(times[-1]) + FAST_NS
        return int(times[-1])

    def _close_intervals(self, ns: int) -> list[tuple[int, Record]]:
        block = self._counting.close_intervals(ns)
        if block is None:
            return []
        self._ticks.see_second(ns)
        return [(ns, block)]

    def _energies_settled(self) -> EnergyRegisters:
        self._counting.count_to(self._cursor)
        return self._counting.energies

    def _complete(self, view: WindowView) -> Float:
        """Return the values of a view together with the demands of now, (meters, 52); NaN without supply."""
        values = view.values.copy()
        values[:, DEMAND_COLUMNS] = self._counting.demand.values
        values[:, ANALOGUE_COLUMNS] = self._analogue
        self.powered.blank(values)
        return values

    def _require_now(self, now_ns: int) -> None:
        if now_ns != self._cursor:
            raise BankError(f"{now_ns} ns is not now; the bank stands at {self._cursor} ns")
