"""Which connections a port serves: as many as its device has room for, as late as it takes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twin.contracts.transport import TransportFaults, WhenFull


class Session(Protocol):
    """A master's connection."""

    def hold(self) -> None:
        """Serve it not yet."""

    def admit(self) -> None:
        """Serve it from now on."""

    def reset(self) -> None:
        """Close it at once, so that the master sees a reset."""


@dataclass(frozen=True, slots=True)
class DoorRules:
    """How a port takes connections."""

    most: int | None = None
    """How many it serves at once; None for any number."""
    when_full: WhenFull = WhenFull.REFUSE
    accept_delay_s: float = 0.0
    """After what time a new one is served [s]."""
    refuse: bool = False
    """Whether nobody listens."""

    @classmethod
    def of(cls, faults: Sequence[TransportFaults], *, shared: bool) -> "DoorRules":
        """Return the strictest of what several faults demand of a port that meters share, or of one's own."""
        limits = [(each.connections, each.when_full) for each in faults if each.connections is not None]
        most, when_full = min(limits, key=lambda limit: limit[0], default=(None, WhenFull.REFUSE))
        delay_s = max((each.accept_delay_s for each in faults), default=0.0)
        refuse = any(each.refuse or (each.away and not shared) for each in faults)
        return cls(most, when_full, delay_s, refuse)


class Doorkeeper:
    """The connections of one port, those that are served and those that wait."""

    __slots__ = ("_knocking", "_served", "_waiting", "rules")

    def __init__(self) -> None:
        self.rules = DoorRules()
        """That hold now."""
        self._served: dict[Session, None] = {}
        self._waiting: dict[Session, None] = {}  # for room
        self._knocking: dict[Session, None] = {}  # their time has not come yet

    def enter(self, session: Session, call_later: Callable[[float, Callable[[], None]], object]) -> None:
        """Take a new connection, as the rules say.

        Parameters
        ----------
        session
            The connection.
        call_later
            Calls a function after a time [s].
        """
        if self.rules == _OPEN:
            self._served[session] = None
            return
        if self.rules.refuse:
            session.reset()
            return
        session.hold()
        self._knocking[session] = None
        if self.rules.accept_delay_s > 0.0:
            call_later(self.rules.accept_delay_s, lambda: self._open(session))
        else:
            self._open(session)

    def leave(self, session: Session) -> None:
        """Forget a connection that has ended; its place goes to the one that has waited longest."""
        self._knocking.pop(session, None)
        self._waiting.pop(session, None)
        if session in self._served:
            del self._served[session]
            self._seat_waiting()

    def set_rules(self, rules: DoorRules) -> None:
        """Let other rules hold: the newest connections go where there is no more room."""
        self.rules = rules
        if rules.most is not None:
            for session in tuple(self._served)[rules.most :]:
                del self._served[session]
                session.reset()
        self._seat_waiting()

    def close(self) -> None:
        """Close all connections."""
        for session in (*self._served, *self._waiting, *self._knocking):
            session.reset()

    @property
    def _has_room(self) -> bool:
        return self.rules.most is None or len(self._served) < self.rules.most

    def _open(self, session: Session) -> None:
        """Let a connection in whose time has come, unless it has ended meanwhile."""
        if session in self._knocking:
            del self._knocking[session]
            self._waiting[session] = None
            self._seat(session)

    def _seat_waiting(self) -> None:
        for session in tuple(self._waiting):
            if self._has_room:
                self._seat(session)

    def _seat(self, session: Session) -> None:
        """Serve a connection if there is room, or make room, or turn it away."""
        if not self._has_room and self.rules.when_full is WhenFull.CLOSE_OLDEST and self._served:
            oldest = next(iter(self._served))
            del self._served[oldest]
            oldest.reset()
        if self._has_room:
            del self._waiting[session]
            self._served[session] = None
            session.admit()
        elif self.rules.when_full is not WhenFull.WAIT:
            del self._waiting[session]
            session.reset()


_OPEN = DoorRules()
