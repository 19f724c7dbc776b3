"""A site as machines and supplied loads see it: voltages at their own points, and a call when they change.

Whatever is called may change the site, which may change the voltages of others and so on within one instant.
That ends by itself: only those hear of a change whose voltage has moved noticeably since they last heard.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid import Machine
from twin.simulation.site import Site

NOTICEABLE = 1e-3
"""Smallest change of voltage that a machine hears of, of the rated one: its current then is as right as the
steps in which motors change theirs."""

NOTICEABLE_FREQUENCY = 1e-4
"""Smallest change of frequency that a machine hears of, of the present one."""

NOTICEABLE_SUPPLY = 5e-3
"""Smallest change of the size of a voltage, of the rated one, that a supplied load hears of."""

_ROUNDS = 60
"""Within one instant; devices that go on longer act on each other without end and hear a little later."""
_LATER_NS = 100_000

CallAt = Callable[[int, Callable[[], None]], None]


class Listeners:
    """Everyone at a site who hears of changed voltages.

    Parameters
    ----------
    site : Site
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """

    def __init__(self, site: Site, call_at: CallAt) -> None:
        self.site = site
        self._call_at = call_at
        self._watchers: list[Callable[[], None]] = []
        self._heeds_frequency: list[bool] = []
        self._calling = False
        self._rounds, self._round_ns = 0, site.time_ns
        self._points = np.zeros(0, dtype=np.int64)
        self._owner = np.zeros(0, dtype=np.int64)
        self._size_only = np.zeros(0, dtype=np.bool_)
        self._heard = np.zeros(0, dtype=np.complex128)
        self._heard_hertz = site.frequency
        site.watch(self._look)

    def add(self, points: Sequence[int], watcher: Callable[[], None], *, machine: bool) -> None:
        """Have a function called after each noticeable change at some load points.

        Parameters
        ----------
        points : sequence of int
        watcher : callable
        machine : bool
            Hears of angles and of the frequency too; otherwise of sizes alone, and less finely.
        """
        own = np.full(len(points), len(self._watchers), dtype=np.int64)
        self._watchers.append(watcher)
        self._heeds_frequency.append(machine)
        self._points = np.append(self._points, np.array(points, dtype=np.int64))
        self._owner = np.append(self._owner, own)
        self._size_only = np.append(self._size_only, np.full(len(points), not machine))
        fresh = self._present()[-len(points) :]
        self._heard = np.append(self._heard, fresh)

    def _present(self) -> NDArray[np.complex128]:
        """Return what each listener would hear of each of its points: voltages over the rated ones."""
        site = self.site
        now = site.load_voltage(self._points) / site.solver.load_base[self._points]
        return np.where(self._size_only, np.abs(now), now)

    def _hearing(self, now: NDArray[np.complex128]) -> list[int]:
        """Return who notices what has changed since they last heard."""
        least = np.where(self._size_only, NOTICEABLE_SUPPLY, NOTICEABLE)
        who = set(self._owner[np.abs(now - self._heard) > least].tolist())
        hertz = self.site.frequency
        if abs(hertz - self._heard_hertz) > NOTICEABLE_FREQUENCY * hertz:
            who |= {at for at, heeds in enumerate(self._heeds_frequency) if heeds}
        return sorted(who)

    def _look(self) -> None:
        """After a new steady state: have those called, at this instant, who notice it."""
        if not self._calling and self._watchers and self._hearing(self._present()):
            self._calling = True
            self._call_at(self._next_ns(), self._call)

    def _next_ns(self) -> int:
        now_ns = self.site.time_ns
        self._rounds = self._rounds + 1 if now_ns == self._round_ns else 1
        self._round_ns = now_ns
        return now_ns if self._rounds <= _ROUNDS else now_ns + _LATER_NS

    def _call(self) -> None:
        self._calling = False
        now = self._present()
        who = self._hearing(now)
        hears = np.isin(self._owner, who)
        self._heard[hears] = now[hears]
        self._heard_hertz = self.site.frequency
        for at in who:
            self._watchers[at]()


class SitePort:
    """A bus of a site as a machine's port, through load points that are the machine's own.

    Parameters
    ----------
    listeners : Listeners
        Of the site.
    points : sequence of int
        Load point of each phase a, b, c; of one phase alone: one.
    phases : str
        Their phases.
    """

    def __init__(self, listeners: Listeners, points: Sequence[int], phases: str = "abc") -> None:
        self._listeners = listeners
        self._site = listeners.site
        self._points = tuple(points)
        self._places = ["abc".index(letter) for letter in phases]
        self._known: dict[str, NDArray[np.complex128]] = {}
        self._connected: set[str] = set()

    def voltages(self) -> NDArray[np.complex128]:
        """Return the phase voltages now, everything set so far included; shape (3,), RMS [V].

        Against the bus's neutral where it has one, else against earth; zero for a phase without a point.
        """
        self._site.settle()
        out = np.zeros(3, dtype=np.complex128)
        out[self._places] = self._site.load_voltage(self._points)
        return out

    def frequency(self) -> float:
        """Return the site's frequency now [Hz]."""
        return self._site.frequency

    def set_admittance(self, name: str, admittance: NDArray[np.complex128], *, cause: str) -> None:
        """Say what a machine is from now on; shape (3, 3) [S]. It counts while the machine is connected."""
        self._known[name] = admittance
        if name in self._connected:
            self._enter(name)

    def connect(self, name: str, *, cause: str) -> None:
        """Close the machine's contactor."""
        self._connected.add(name)
        self._site.tell("machine_connected", name, cause)
        self._enter(name)

    def disconnect(self, name: str, *, cause: str) -> None:
        """Open the machine's contactor."""
        self._connected.discard(name)
        self._site.tell("machine_disconnected", name, cause)
        self._site.set_machine(name, None)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after each change of the voltages or the frequency."""
        self._listeners.add(self._points, watcher, machine=True)

    def _enter(self, name: str) -> None:
        a, b, c = self._points
        self._site.set_machine(name, Machine((a, b, c), self._known[name]))


class SiteSupply:
    """Whether there is voltage at a site's load points."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._site = listeners.site

    def voltage(self, load: int) -> float:
        """Return the voltage at a load point as last solved, of the rated one.

        What has changed since in the same instant is told to those who watch.
        """
        return float(abs(self._site.load_voltage([load])[0]) / self._site.solver.load_base[load])

    def watch(self, load: int, watcher: Callable[[], None]) -> None:
        """Have a function called after each noticeable change of the voltage at a load point."""
        self._listeners.add([load], watcher, machine=False)
