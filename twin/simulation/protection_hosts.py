"""What hosts of protective devices have in common: time that passes, events that fall due, orders."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twin.contracts import NS_PER_SECOND
from twin.grid.protection import Action, Measured, ProtectiveDevice
from twin.simulation.site import Site

CallAt = Callable[[int, Callable[[], None]], None]

IDLE = Measured()
"""What a device that has not been asked yet has measured: nothing that it would act upon."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Within these a device that is at rest stays at rest, whatever it measures."""

    current: float = math.inf
    """Phase current from which it may start [A]."""
    residual: float = math.inf
    """Residual current likewise [A]."""
    undervoltage: float = 0.0
    """Phase voltage below which it may start [V]."""
    overvoltage: float = math.inf
    """Phase voltage from which it may start [V]."""


class Host(ABC):
    """One protective device in simulated time.

    Parameters
    ----------
    site : Site
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    name : str
        Of the device, the cause of what it does.
    device : ProtectiveDevice
        Its state.
    """

    bounds: Bounds
    heeds_frequency = False
    """Whether a change of frequency alone may start it."""

    def __init__(self, site: Site, call_at: CallAt, name: str, device: ProtectiveDevice) -> None:
        self.name = name
        self._site = site
        self._call_at = call_at
        self._device = device
        self._measured = IDLE
        self._since_ns = site.time_ns
        self._due: tuple[int, str] | None = None
        self._generation = 0

    @property
    def waiting(self) -> bool:
        """Whether an event is on its way."""
        return self._due is not None

    @property
    @abstractmethod
    def at_rest(self) -> bool:
        """Whether nothing is under way that an unremarkable measurement could change."""

    @abstractmethod
    def act(self, action: Action, what: str) -> None:
        """Carry out an order of the device."""

    def measure(self, measured: Measured) -> None:
        """Take what the device measures from now on."""
        self.pass_time()
        self._measured = measured
        self.noticed(measured)
        self.schedule()

    def noticed(self, measured: Measured) -> None:  # noqa: B027 - most kinds have nothing to say
        """Say what can be seen of the device when its measurement has changed."""

    def pass_time(self) -> None:
        """Let the time since it was last asked pass for the device."""
        now_ns = self._site.time_ns
        if now_ns > self._since_ns:
            self._device.advance(self._measured, (now_ns - self._since_ns) / NS_PER_SECOND)
            self._since_ns = now_ns

    def schedule(self) -> None:
        """Have the device's next event come due; what was scheduled before no longer counts."""
        event = self.next_event()
        if event is None:
            due = None
        else:
            seconds, what = event
            due = (self._since_ns + math.ceil(seconds * NS_PER_SECOND), what)
        if due == self._due:
            return
        self._due = due
        self._generation += 1
        if due is not None:
            self._call_at(due[0], partial(self._fall_due, self._generation, due[1]))

    def next_event(self) -> tuple[float, str] | None:
        """Return the time to the next event [s], and which."""
        return self._device.time_to_event(self._measured)

    def tell(self, kind: str, element: str, **detail: object) -> None:
        """Put what the device did into the truth ledger."""
        self._site.tell(kind, element, self.name, **detail)

    def _fall_due(self, generation: int, what: str) -> None:
        if generation != self._generation:
            return
        self._site.settle()  # of what happens at one instant the network comes first
        if generation != self._generation:
            return
        self.pass_time()
        self._due = None
        self._generation += 1
        self.act(self._device.fire(what), what)
        self.schedule()


@dataclass(frozen=True, slots=True)
class Post:
    """Where a device that operates a switch does so."""

    site: Site
    call_at: CallAt
    switch: str
    opening_time: float
    """From its order to the parting of the contacts [s]."""
    order: Callable[[str, bool, str], None]
    """Operates a switch in a device's name: switch, closed, cause."""


class SwitchHost(Host):
    """A device that operates a switch."""

    def __init__(self, post: Post, name: str, device: ProtectiveDevice) -> None:
        super().__init__(post.site, post.call_at, name, device)
        self.switch = post.switch
        self._opening_ns = round(post.opening_time * NS_PER_SECOND)
        self._order = post.order
        self._orders = 0

    @property
    def closed(self) -> bool:
        """Whether the switch is closed, or has not been told otherwise."""
        return self._site.switches[self.switch]

    def by_hand(self, *, closed: bool) -> None:
        """Hear that somebody else operates the switch."""
        self._orders += 1

    def open(self) -> None:
        """Have the switch open after its opening time."""
        self._orders += 1
        self._call_at(self._site.time_ns + self._opening_ns, partial(self._part, self._orders))

    def close(self) -> None:
        """Have the switch close."""
        self._orders += 1
        self._order(self.switch, True, self.name)

    def _part(self, order: int) -> None:
        if order == self._orders:
            self._order(self.switch, False, self.name)
