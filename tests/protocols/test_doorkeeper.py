"""Who is let in by a port: traces of doors, without sockets."""

import pytest

from twin.contracts.transport import TransportFaults, WhenFull
from twin.protocols.doorkeeper import Doorkeeper, DoorRules


class Hall:
    """A door, its guests by name, and what has happened to them."""

    def __init__(self, **rules):
        self.door = Doorkeeper()
        self.door.set_rules(DoorRules(**rules))
        self.trace: list[str] = []
        self.guests: dict[str, Guest] = {}
        self.alarms = []

    def enter(self, *names):
        for name in names:
            self.guests[name] = Guest(name, self.trace)
            self.door.enter(self.guests[name], lambda delay_s, call: self.alarms.append((delay_s, call)))

    def leave(self, name):
        self.door.leave(self.guests[name])

    def ring(self):
        """Let the time of all who knock come."""
        alarms, self.alarms = self.alarms, []
        for _, call in alarms:
            call()


class Guest:
    def __init__(self, name, trace):
        self._name, self._trace = name, trace

    def hold(self):
        self._trace.append(f"{self._name} waits")

    def admit(self):
        self._trace.append(f"{self._name} in")

    def reset(self):
        self._trace.append(f"{self._name} out")


def test_an_open_door_is_not_even_noticed():
    hall = Hall()
    hall.enter("a", "b")
    assert hall.trace == []


@pytest.mark.parametrize(
    ("when_full", "trace"),
    [
        (WhenFull.REFUSE, ["a waits", "a in", "b waits", "b out", "c waits", "c in"]),
        (WhenFull.WAIT, ["a waits", "a in", "b waits", "b in", "c waits"]),
        (WhenFull.CLOSE_OLDEST, ["a waits", "a in", "b waits", "a out", "b in", "c waits", "b out", "c in"]),
    ],
)
def test_one_place(when_full, trace):
    hall = Hall(most=1, when_full=when_full)
    hall.enter("a", "b")
    hall.leave("a")
    hall.enter("c")
    assert hall.trace == trace


def test_those_who_wait_come_in_in_their_order():
    hall = Hall(most=1, when_full=WhenFull.WAIT)
    hall.enter("a", "b", "c", "d")
    hall.leave("c")
    hall.leave("a")
    hall.leave("b")
    assert hall.trace[-2:] == ["b in", "d in"]


def test_a_slow_door_with_one_place():
    """Who has waited for the door waits for a place; who leaves before is forgotten."""
    hall = Hall(most=1, when_full=WhenFull.WAIT, accept_delay_s=2.0)
    hall.enter("a", "b", "c")
    assert [delay_s for delay_s, _ in hall.alarms] == [2.0, 2.0, 2.0]
    hall.leave("b")
    hall.ring()
    hall.enter("d")
    hall.leave("a")
    hall.leave("c")
    assert hall.trace == ["a waits", "b waits", "c waits", "a in", "d waits", "c in"]
    hall.ring()
    assert hall.trace[-1] == "d in"


def test_rules_that_change():
    hall = Hall()
    hall.enter("a", "b", "c")
    hall.door.set_rules(DoorRules(most=1, when_full=WhenFull.WAIT))
    assert hall.trace == ["b out", "c out"]
    hall.enter("d")
    hall.door.set_rules(DoorRules())
    assert hall.trace[2:] == ["d waits", "d in"]
    hall.door.set_rules(DoorRules(refuse=True))
    hall.enter("e")
    hall.door.close()
    assert hall.trace[4:] == ["e out", "a out", "d out"]


def test_the_strictest_of_several_faults_holds():
    two = TransportFaults(connections=2, when_full=WhenFull.WAIT)
    five = TransportFaults(connections=5, accept_delay_s=1.0)
    slow = TransportFaults(accept_delay_s=3.0)
    assert DoorRules.of([five, two, slow], shared=False) == DoorRules(2, WhenFull.WAIT, 3.0)
    assert DoorRules.of([], shared=False) == DoorRules()
    away = TransportFaults(away=True)
    assert DoorRules.of([away], shared=False).refuse
    assert not DoorRules.of([away], shared=True).refuse
    assert DoorRules.of([TransportFaults(refuse=True)], shared=True).refuse
