"""Hosts of relays, reclosers, fuses and sectionalisers: what each kind's orders do to the site."""

import math

from twin.grid.protection import (
    Action,
    FrequencyRelay,
    Fuse,
    Measured,
    Operation,
    OvercurrentRelay,
    Recloser,
    RecloserState,
    Sectionaliser,
    VoltageRelay,
)
from twin.grid.protection.overcurrent import Element
from twin.grid.protection.recloser import Shot
from twin.grid.protection.timers import InverseTime, TimeSettings
from twin.simulation.protection_hosts import Bounds, CallAt, Host, Post, SwitchHost
from twin.simulation.site import Site


class OvercurrentHost(SwitchHost):
    """An overcurrent relay and the breaker that it trips."""

    def __init__(self, post: Post, device: OvercurrentRelay) -> None:
        super().__init__(post, device.name, device)
        self._relay = device
        settings = device.settings
        self.bounds = Bounds(
            current=_starts(settings.phase_time, settings.phase_instantaneous),
            residual=_starts(settings.residual_time, settings.residual_instantaneous),
        )
        self._picked_up = False

    @property
    def at_rest(self) -> bool:
        """Whether no element has started and the trip output is not set."""
        relay = self._relay
        return not relay.tripped and _at_rest(relay.elements) and not self._picked_up

    def noticed(self, measured: Measured) -> None:
        """Tell when the first element picks up and when the last one drops out."""
        self._picked_up = _tell_pickup(self, self._relay.elements, measured, before=self._picked_up)

    def act(self, action: Action, what: str) -> None:
        """Trip the breaker."""
        if self.closed:
            seen = _seen(self._measured)
            self.tell("relay_tripped", self.switch, ansi=what.removeprefix("trip "), **seen)
            self.open()


class ElementHost(SwitchHost):
    """A voltage or frequency element and the breaker that it trips."""

    def __init__(self, post: Post, device: VoltageRelay | FrequencyRelay) -> None:
        super().__init__(post, device.name, device)
        self._element = device
        self.heeds_frequency = isinstance(device, FrequencyRelay)
        self.bounds = Bounds()
        if isinstance(device, VoltageRelay):
            pickup = device.settings.pickup
            under = device.settings.kind == "under"
            self.bounds = Bounds(undervoltage=pickup) if under else Bounds(overvoltage=pickup)

    @property
    def at_rest(self) -> bool:
        """Whether it has not started and its trip output is not set."""
        device = self._element
        timers = device.timers if isinstance(device, VoltageRelay) else (device.timer,)
        return not device.tripped and not any(timer.elapsed or timer.started for timer in timers)

    def act(self, action: Action, what: str) -> None:
        """Trip the breaker."""
        if self.closed:
            seen = {"v_v": max(self._measured.voltages), "frequency_hz": self._measured.frequency}
            self.tell("relay_tripped", self.switch, ansi=what.removeprefix("trip "), **seen)
            self.open()


class RecloserHost(SwitchHost):
    """A recloser. Its open time counts from the opening of the last pole."""

    def __init__(self, post: Post, device: Recloser) -> None:
        super().__init__(post, device.name, device)
        self._recloser = device
        shots = device.settings.shots
        self.bounds = Bounds(
            current=min(_starts(shot.phase, shot.phase_instantaneous) for shot in shots),
            residual=min(_ground_starts(shot) for shot in shots),
        )
        self._opening = False
        self._picked_up = False
        if not self.closed:
            device.open_by_hand()

    @property
    def at_rest(self) -> bool:
        """Whether it is locked out, or closed with its sequence at the start."""
        device = self._recloser
        if self._opening:
            return False
        if device.state is RecloserState.LOCKOUT:
            return True
        return device.closed and not device.trips and _at_rest(device.elements) and not self._picked_up

    def noticed(self, measured: Measured) -> None:
        """Tell pickups; find out whether the last pole has opened."""
        if self._opening and self._site.parted(self.switch):
            self._opening = False
        if self._recloser.closed:
            elements = self._recloser.elements
            self._picked_up = _tell_pickup(self, elements, measured, before=self._picked_up)
        else:
            self._picked_up = False

    def pass_time(self) -> None:
        """Let time pass; until the last pole has opened the sequence stands still."""
        if self._opening:
            self._since_ns = self._site.time_ns
        else:
            super().pass_time()

    def next_event(self) -> tuple[float, str] | None:
        """Return the time to the next event [s], and which."""
        return None if self._opening else super().next_event()

    def act(self, action: Action, what: str) -> None:
        """Trip, reclose, lock out or start afresh."""
        device = self._recloser
        if action.operation in {Operation.OPEN, Operation.LOCKOUT}:
            _, ansi = what.split(maxsplit=1)
            seen = _seen(self._measured)
            self.tell("recloser_tripped", self.switch, shot=device.trips, ansi=ansi, **seen)
            if action.operation is Operation.LOCKOUT:
                self.tell("recloser_locked_out", self.switch, shot=device.trips)
            self._opening, self._picked_up = True, False
            self.open()
        elif action.operation is Operation.CLOSE:
            self.tell("recloser_reclosed", self.switch, shot=device.trips)
            self.close()
        else:
            self.tell("recloser_reset", self.switch)

    def by_hand(self, *, closed: bool) -> None:
        """Lock out when somebody opens it, start afresh when somebody closes it."""
        super().by_hand(closed=closed)
        device = self._recloser
        self.pass_time()
        if closed and not self.closed:
            device.close_by_hand()
        elif not closed and device.state is not RecloserState.LOCKOUT:
            device.open_by_hand()
            self.tell("recloser_locked_out", self.switch, shot=device.trips)
        self._opening = False
        self.schedule()


class SectionaliserHost(SwitchHost):
    """A sectionaliser; its switch opens while the line is dead."""

    def __init__(self, post: Post, device: Sectionaliser) -> None:
        super().__init__(post, device.name, device)
        self._sectionaliser = device
        settings = device.settings
        ground = math.inf if settings.ground_current is None else settings.ground_current
        self.bounds = Bounds(current=settings.actuating_current, residual=ground)
        device.opened = not self.closed

    @property
    def at_rest(self) -> bool:
        """Whether it is open, or has counted nothing and is not armed."""
        device = self._sectionaliser
        return device.opened or not (device.count or device.armed)

    def act(self, action: Action, what: str) -> None:
        """Open, or forget what was counted."""
        if action.operation is Operation.LOCKOUT:
            counts = self._sectionaliser.settings.counts
            self.tell("sectionaliser_opened", self.switch, counts=counts)
            self.open()
        else:
            self.tell("sectionaliser_reset", self.switch)

    def by_hand(self, *, closed: bool) -> None:
        """Stay open, or start afresh, as somebody else has it."""
        super().by_hand(closed=closed)
        self.pass_time()
        if closed and not self.closed:
            self._sectionaliser.close_by_hand()
        elif not closed:
            self._sectionaliser.opened = True
        self.schedule()


class FuseHost(Host):
    """The links of a fuse, each of which opens one pole.

    Parameters
    ----------
    branch : int
        Position in ``network.branches``.
    branch_name : str
    end : int
        0 from, 1 to.
    """

    def __init__(
        self, site: Site, call_at: CallAt, device: Fuse, *, branch: int, branch_name: str, end: int
    ) -> None:
        super().__init__(site, call_at, device.name, device)
        self.fuse = device
        self._branch, self._branch_name, self._end = branch, branch_name, end
        # Below the first point of its curve a link cools with the same time constant, whatever it carries.
        self.bounds = Bounds(current=device.settings.melting().points[0][0])
        self._arcing: set[str] = set()

    @property
    def at_rest(self) -> bool:
        """Whether no link arcs."""
        return not self._arcing

    def act(self, action: Action, what: str) -> None:
        """Let a link arc, or open its pole at the next zero of its current."""
        verb, phase = what.split()
        current = self._measured.currents["abc".index(phase)]
        if verb == "melt":
            self._arcing.add(phase)
            self.tell("fuse_melted", self._branch_name, phase=phase, i_a=current)
            return

        def cleared() -> None:
            self.tell("fuse_cleared", self._branch_name, phase=phase)

        self._arcing.discard(phase)
        self._site.open_pole(self._branch, self._end, phase, done=cleared)

    def replace(self) -> None:
        """Put in new links where they have cleared."""
        self.pass_time()
        phases = self.fuse.replace().phases
        for phase in phases:
            self._site.close_pole(self._branch, self._end, phase)
        if phases:
            self.tell("fuse_replaced", self._branch_name, phases=phases)
        self.schedule()


def _starts(time: TimeSettings | None, instantaneous: TimeSettings | None) -> float:
    """Return the least current that can start either element [A]."""
    return min((_start(one) for one in (time, instantaneous) if one is not None), default=math.inf)


def _ground_starts(shot: Shot) -> float:
    return _starts(shot.ground, shot.ground_instantaneous)


def _start(settings: TimeSettings) -> float:
    if isinstance(settings, InverseTime):
        return settings.pickup * settings.start_multiple
    return settings.pickup


def _at_rest(elements: tuple[Element, ...]) -> bool:
    return all(element.timer.travel == 0.0 for element in elements)


def _seen(measured: Measured) -> dict[str, float]:
    """Return what a current relay saw, for the truth ledger: largest phase and residual current."""
    return {"i_a": max(measured.currents), "residual_a": measured.residual}


def _tell_pickup(
    host: SwitchHost, elements: tuple[Element, ...], measured: Measured, *, before: bool
) -> bool:
    """Tell the first pickup and the last dropout; return whether an element is picked up."""
    picked = [element.name for element in elements if element.picked_up(measured)]
    if picked and not before:
        host.tell("protection_pickup", host.switch, ansi=", ".join(picked), **_seen(measured))
    elif before and not picked:
        host.tell("protection_dropout", host.switch)
    return bool(picked)
