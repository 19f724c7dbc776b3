"""The alarm server: takes scans, follows every alarm, and keeps the journal."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twin.alarming import alarm_state as states
from twin.alarming.alarm_state import AlarmState, NotAllowedError, Shelving
from twin.alarming.conditions import Condition, Truth
from twin.alarming.delays import Delay
from twin.alarming.journal import JournalEntry
from twin.alarming.scans import Scan, SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """One alarm as it is configured."""

    name: str
    source: str
    condition: Condition
    priority: str = "medium"
    on_delay_ns: int = 0
    off_delay_ns: int = 0
    latching: bool = False
    unknown: Truth = None
    """What an unknown condition counts as; None lets the alarm stay as it is."""
    suppressed_when: Condition | None = None
    release_delay_ns: int = 0
    """How long after that condition has gone the alarm stays suppressed [ns]."""
    longest_shelving_ns: int = 8 * 3600 * 10**9


class _Alarm:
    """One alarm as it lives."""

    def __init__(self, rule: AlarmRule) -> None:
        self.rule = rule
        self.state = AlarmState()
        self.delay = Delay(on_ns=rule.on_delay_ns, off_ns=rule.off_delay_ns)
        self.suppression = Delay(on_ns=0, off_ns=rule.release_delay_ns)
        suppressing = rule.suppressed_when
        self.sources = rule.condition.sources | (suppressing.sources if suppressing else frozenset())


Change = Callable[[AlarmState], AlarmState]


class AlarmServer:
    """Follows alarms from scan to scan; it keeps no time of its own.

    Parameters
    ----------
    rules : sequence of AlarmRule
        Names are unique.
    """

    def __init__(self, rules: Sequence[AlarmRule]) -> None:
        self._alarms = {rule.name: _Alarm(rule) for rule in rules}
        names = dict.fromkeys(source for alarm in self._alarms.values() for source in sorted(alarm.sources))
        self._sources: dict[str, SourceState] = {name: SourceState() for name in names}
        self._journal: list[JournalEntry] = []

    @property
    def journal(self) -> tuple[JournalEntry, ...]:
        """Everything so far, in order."""
        return tuple(self._journal)

    @property
    def alarm_states(self) -> Mapping[str, AlarmState]:
        """The state of every alarm by name."""
        return {name: alarm.state for name, alarm in self._alarms.items()}

    @property
    def standing(self) -> tuple[str, ...]:
        """Names of the alarms on the operator's list."""
        return tuple(name for name, alarm in self._alarms.items() if alarm.state.standing)

    def take(self, scan: Scan) -> tuple[JournalEntry, ...]:
        """Take one scan and return what it changed.

        Parameters
        ----------
        scan : Scan
            Not before the ones taken already.
        """
        start = len(self._journal)
        self.expire(scan.time_ns)
        if scan.source in self._sources:
            self._sources[scan.source].take(scan)
            for alarm in self._alarms.values():
                if scan.source in alarm.sources:
                    self._follow(alarm, scan.time_ns)
        return tuple(self._journal[start:])

    def expire(self, now_ns: int) -> None:
        """End the shelving of alarms whose time has come."""
        for alarm in self._alarms.values():
            until_ns = alarm.state.shelved_until_ns
            if until_ns is not None and now_ns >= until_ns:
                self._change(alarm, self._unshelve(alarm), "unshelve", until_ns)

    # -- what operators do --------------------------------------------------------------------------

    def acknowledge(self, name: str, now_ns: int) -> None:
        """Acknowledge an alarm.

        Raises
        ------
        NotAllowedError
            There is no such alarm, or nothing to acknowledge; so for all that operators do.
        """
        self._change(self._alarm(name), states.acknowledge, "ack", now_ns)

    def reset(self, name: str, now_ns: int) -> None:
        """Let go of a latched alarm."""
        self._change(self._alarm(name), states.reset, "reset", now_ns)

    def shelve(self, name: str, now_ns: int, *, duration_ns: int | None = None) -> None:
        """Put an alarm aside for some time; until its condition has returned when no time is given."""
        alarm = self._alarm(name)
        longest_ns = alarm.rule.longest_shelving_ns

        def change(state: AlarmState) -> AlarmState:
            if duration_ns is None:
                return states.shelve_once(state, now_ns=now_ns, longest_ns=longest_ns)
            return states.shelve_timed(state, now_ns=now_ns, duration_ns=duration_ns, longest_ns=longest_ns)

        self._change(alarm, change, "shelve", now_ns)

    def unshelve(self, name: str, now_ns: int) -> None:
        """Take an alarm back from the shelf."""
        alarm = self._alarm(name)
        self._change(alarm, self._unshelve(alarm), "unshelve", now_ns)

    def remove_from_service(self, name: str, now_ns: int) -> None:
        """Take an alarm out of service."""
        self._change(self._alarm(name), states.remove_from_service, "out_of_service", now_ns)

    def return_to_service(self, name: str, now_ns: int) -> None:
        """Put an alarm into service again."""
        alarm = self._alarm(name)
        self._change(alarm, self._return_to_service(alarm), "in_service", now_ns)

    # -- inside -------------------------------------------------------------------------------------

    def _alarm(self, name: str) -> _Alarm:
        if name not in self._alarms:
            raise NotAllowedError(f"there is no alarm {name!r}; there are {', '.join(self._alarms)}")
        return self._alarms[name]

    @staticmethod
    def _activate(alarm: _Alarm) -> Change:
        return lambda state: states.activate(state, latching=alarm.rule.latching)

    @staticmethod
    def _unshelve(alarm: _Alarm) -> Change:
        return lambda state: states.unshelve(state, latching=alarm.rule.latching)

    @staticmethod
    def _unsuppress(alarm: _Alarm) -> Change:
        return lambda state: states.unsuppress(state, latching=alarm.rule.latching)

    @staticmethod
    def _return_to_service(alarm: _Alarm) -> Change:
        return lambda state: states.return_to_service(state, latching=alarm.rule.latching)

    def _follow(self, alarm: _Alarm, now_ns: int) -> None:
        """Evaluate an alarm's conditions and do what follows.

        Suppression begins before the alarm can be raised and ends after it can return, so that neither a
        cause nor its end shows for one scan.
        """
        rule = alarm.rule
        truth = rule.condition.truth(self._sources, now_ns)
        active = alarm.delay.follow(rule.unknown if truth is None else truth, now_ns)
        suppressing = rule.suppressed_when
        suppressed = suppressing is not None and alarm.suppression.follow(
            suppressing.truth(self._sources, now_ns), now_ns
        )
        if suppressed and not alarm.state.suppressed:
            self._change(alarm, states.suppress, "suppress", now_ns)
        if active and not alarm.state.active:
            self._change(alarm, self._activate(alarm), "active", now_ns)
        elif alarm.state.active and not active:
            once = alarm.state.shelving is Shelving.ONE_SHOT
            self._change(alarm, states.return_to_normal, "unshelve" if once else "return", now_ns)
        if alarm.state.suppressed and not suppressed:
            self._change(alarm, self._unsuppress(alarm), "unsuppress", now_ns)

    def _change(self, alarm: _Alarm, change: Change, transition: str, now_ns: int) -> None:
        """Change a state and write down what an operator is shown of it.

        A condition that comes or goes behind a shelf leaves no entry; one that still holds when nothing
        hides it any more is raised then.
        """
        before = alarm.state
        alarm.state = change(before)
        hidden = not before.annunciated
        if not (hidden and transition in {"active", "return"}):
            self._write(alarm, transition, now_ns)
        if hidden and alarm.state.annunciated and alarm.state.active:
            self._write(alarm, "active", now_ns)

    def _write(self, alarm: _Alarm, transition: str, now_ns: int) -> None:
        rule = alarm.rule
        value = rule.condition.value if transition in {"active", "return"} else math.nan
        self._journal.append(JournalEntry(now_ns, rule.source, rule.name, transition, rule.priority, value))
