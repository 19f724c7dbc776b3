"""What a test asks of an alarm server that watches its site."""

import re
from typing import Protocol

from twin.alarming.alarm_server import AlarmServer
from twin.alarming.alarm_state import AlarmState
from twin.alarming.journal import JournalEntry, utc_text
from twin.alarming.kpis import AlarmKpis, alarm_kpis
from twin.contracts import NS_PER_SECOND


class HasTime(Protocol):
    """Something with a simulated time."""

    @property
    def now_ns(self) -> int:
        """Simulated time, UTC [ns]."""
        ...


class AlarmWatch:
    """An alarm server in lockstep with a site.

    Parameters
    ----------
    server : AlarmServer
    site : HasTime
        Operators act at its time.
    """

    def __init__(self, server: AlarmServer, site: HasTime) -> None:
        self._server = server
        self._site = site
        self._start_ns = site.now_ns

    @property
    def journal(self) -> tuple[JournalEntry, ...]:
        """Everything so far, in order."""
        return self._server.journal

    @property
    def standing(self) -> tuple[str, ...]:
        """Names of the alarms on the operator's list."""
        return self._server.standing

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the alarms whose condition holds and that are shown."""
        states = self._server.alarm_states
        return tuple(name for name, state in states.items() if state.active and state.annunciated)

    def state(self, name: str) -> AlarmState:
        """Return the state of an alarm.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        return self._server.alarm_states[name]

    def times(self, name: str, transition: str = "active") -> tuple[int, ...]:
        """Return when an alarm made a transition, UTC [ns]."""
        self.state(name)  # a misspelt name must not pass as an alarm that never came
        return tuple(
            entry.time_ns
            for entry in self.journal
            if entry.condition == name and entry.transition == transition
        )

    def kpis(self) -> AlarmKpis:
        """Return the figures of merit of everything since the watch began."""
        return alarm_kpis(self.journal, start_ns=self._start_ns, end_ns=self._site.now_ns)

    def acknowledge(self, name: str) -> None:
        """Acknowledge an alarm, as an operator does."""
        self._server.acknowledge(name, self._site.now_ns)

    def reset(self, name: str) -> None:
        """Let go of a latched alarm."""
        self._server.reset(name, self._site.now_ns)

    def shelve(self, name: str, seconds: float | None = None) -> None:
        """Put an alarm aside, for some time or until its condition has returned."""
        duration_ns = None if seconds is None else round(seconds * NS_PER_SECOND)
        self._server.shelve(name, self._site.now_ns, duration_ns=duration_ns)

    def unshelve(self, name: str) -> None:
        """Take an alarm back from the shelf."""
        self._server.unshelve(name, self._site.now_ns)

    def remove_from_service(self, name: str) -> None:
        """Take an alarm out of service."""
        self._server.remove_from_service(name, self._site.now_ns)

    def return_to_service(self, name: str) -> None:
        """Put an alarm into service again."""
        self._server.return_to_service(name, self._site.now_ns)

    def assert_raised(self, *names: str, times: int | None = None) -> None:
        """Assert that alarms have been raised, each so many times or at least once."""
        for name in names:
            found = len(self.times(name))
            right = found > 0 if times is None else found == times
            assert right, f"{name} was raised {found} times, not {times or 'once'}\n{self._listing()}"

    def assert_not_raised(self, *names: str) -> None:
        """Assert that alarms have never been raised."""
        for name in names:
            assert not self.times(name), f"{name} was raised\n{self._listing()}"

    def assert_active(self, *names: str) -> None:
        """Assert that exactly these alarms are active now."""
        found, wanted = (", ".join(which) or "none" for which in (self.active, names))
        assert set(self.active) == set(names), f"active are {found}, not {wanted}\n{self._listing()}"

    def assert_sequence(self, *steps: str) -> None:
        """Assert that the journal is just this, in order: ``LOW active``, ``LOW return``, .."""
        found = [f"{entry.condition} {entry.transition}" for entry in self.journal]
        wanted = [re.sub(r"\s+", " ", step.strip()) for step in steps]
        assert found == wanted, f"the journal is not {', '.join(wanted)}\n{self._listing()}"

    def assert_shown(self, *steps: str) -> None:
        """Assert that alarms have come and returned just so: the journal without all other transitions."""
        found = [
            f"{entry.condition} {entry.transition}"
            for entry in self.journal
            if entry.transition in {"active", "return"}
        ]
        wanted = [re.sub(r"\s+", " ", step.strip()) for step in steps]
        assert found == wanted, f"shown is not {', '.join(wanted) or 'nothing'}\n{self._listing()}"

    def _listing(self) -> str:
        lines = [
            f"  {utc_text(entry.time_ns)}  {entry.source}  {entry.condition}  {entry.transition}"
            for entry in self.journal
        ]
        return "journal:\n" + ("\n".join(lines) or "  empty")
