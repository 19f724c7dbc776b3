"""The life of one alarm: from normal to annunciated, acknowledged, shelved, and back.

A state is kept as OPC UA part 9 keeps it, as independent facts (active, acknowledged, latched, shelved,
suppressed, out of service); the one state that ISA-18.2 and IEC 62682 name follows from them. Where the two
differ the twin goes with ISA-18.2: an alarm that is not annunciated (shelved, suppressed or out of service)
cannot be acknowledged, and when it is annunciated again it starts anew, unacknowledged where its condition
holds and normal where it does not.

References
----------
ANSI/ISA-18.2, clause 5 and its alarm state transition diagram (states A to I); IEC 62682, the same; OPC UA
part 9 (OPC 10000-9), acknowledgeable conditions, ShelvedStateMachineType and LatchedState of
AlarmConditionType.
"""

from dataclasses import dataclass, replace
from enum import Enum

from twin.contracts import TwinError


class Shelving(Enum):
    """Whether an operator has put an alarm aside, and until when."""

    UNSHELVED = "unshelved"
    ONE_SHOT = "one_shot"
    """Until the condition has held and returned."""
    TIMED = "timed"


class IsaState(Enum):
    """States of the ISA-18.2 diagram, by its letters."""

    NORMAL = "A"
    UNACKNOWLEDGED = "B"
    ACKNOWLEDGED = "C"
    RETURNED_UNACKNOWLEDGED = "D"
    LATCHED_UNACKNOWLEDGED = "E"
    LATCHED_ACKNOWLEDGED = "F"
    SHELVED = "G"
    SUPPRESSED_BY_DESIGN = "H"
    OUT_OF_SERVICE = "I"


class NotAllowedError(TwinError, ValueError):
    """Something that cannot be done to an alarm in its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """State of one alarm."""

    active: bool = False
    """Whether the condition holds, delays included."""
    acknowledged: bool = True
    latched: bool = False
    """Whether the alarm stays after its condition has returned, until it is reset."""
    shelving: Shelving = Shelving.UNSHELVED
    shelved_until_ns: int | None = None
    """When shelving ends by itself [ns]."""
    suppressed: bool = False
    """By design: another condition makes this alarm meaningless."""
    out_of_service: bool = False
    """For maintenance, by hand."""

    @property
    def annunciated(self) -> bool:
        """Whether the operator is shown this alarm at all."""
        return not (self.out_of_service or self.suppressed or self.shelving is not Shelving.UNSHELVED)

    @property
    def standing(self) -> bool:
        """Whether the alarm is on the operator's list."""
        return self.annunciated and (self.active or self.latched or not self.acknowledged)

    @property
    def isa(self) -> IsaState:
        """The state's name; out of service goes before suppressed, and that before shelved."""
        if self.out_of_service:
            return IsaState.OUT_OF_SERVICE
        if self.suppressed:
            return IsaState.SUPPRESSED_BY_DESIGN
        if self.shelving is not Shelving.UNSHELVED:
            return IsaState.SHELVED
        if self.active:
            return IsaState.ACKNOWLEDGED if self.acknowledged else IsaState.UNACKNOWLEDGED
        if self.latched:
            return IsaState.LATCHED_ACKNOWLEDGED if self.acknowledged else IsaState.LATCHED_UNACKNOWLEDGED
        return IsaState.NORMAL if self.acknowledged else IsaState.RETURNED_UNACKNOWLEDGED


def activate(state: AlarmState, *, latching: bool) -> AlarmState:
    """Return the state after the condition has begun to hold.

    Parameters
    ----------
    state : AlarmState
        Not active.
    latching : bool
        Whether this alarm stays until it is reset.
    """
    if state.active:
        raise NotAllowedError("the condition holds already")
    if not state.annunciated:
        return replace(state, active=True)
    return replace(state, active=True, acknowledged=False, latched=latching)


def return_to_normal(state: AlarmState) -> AlarmState:
    """Return the state after the condition has ceased to hold; it ends one-shot shelving."""
    if not state.active:
        raise NotAllowedError("the condition does not hold")
    returned = replace(state, active=False)
    return unshelve(returned) if state.shelving is Shelving.ONE_SHOT else returned


def acknowledge(state: AlarmState) -> AlarmState:
    """Return the state after an operator has acknowledged the alarm."""
    if not state.annunciated:
        raise NotAllowedError(f"it is {_words(state)} and shows nothing to acknowledge")
    if state.acknowledged:
        raise NotAllowedError("there is nothing to acknowledge")
    return replace(state, acknowledged=True)


def reset(state: AlarmState) -> AlarmState:
    """Return the state after an operator has let go of a latched alarm."""
    if not state.latched or not state.annunciated:
        raise NotAllowedError("it is not latched")
    if state.active:
        raise NotAllowedError("its condition still holds")
    if not state.acknowledged:
        raise NotAllowedError("it is not acknowledged yet")
    return replace(state, latched=False)


def shelve_once(state: AlarmState, *, now_ns: int, longest_ns: int) -> AlarmState:
    """Return the state put aside until the condition returns next, at the latest until the limit."""
    return _shelve(state, Shelving.ONE_SHOT, now_ns + longest_ns)


def shelve_timed(state: AlarmState, *, now_ns: int, duration_ns: int, longest_ns: int) -> AlarmState:
    """Return the state put aside for some time.

    Parameters
    ----------
    state : AlarmState
    now_ns, duration_ns : int
        When it begins and how long it lasts [ns].
    longest_ns : int
        How long the alarm may be shelved [ns].
    """
    if not 0 < duration_ns <= longest_ns:
        raise NotAllowedError(
            f"{duration_ns / 1e9:g} s is no time to shelve it for; give one up to {longest_ns / 1e9:g} s"
        )
    return _shelve(state, Shelving.TIMED, now_ns + duration_ns)


def unshelve(state: AlarmState, *, latching: bool = False) -> AlarmState:
    """Return the state after shelving has ended."""
    if state.shelving is Shelving.UNSHELVED:
        raise NotAllowedError("it is not shelved")
    return _annunciate(replace(state, shelving=Shelving.UNSHELVED, shelved_until_ns=None), latching)


def suppress(state: AlarmState) -> AlarmState:
    """Return the state suppressed by design."""
    if state.suppressed:
        raise NotAllowedError("it is suppressed already")
    return replace(state, suppressed=True)


def unsuppress(state: AlarmState, *, latching: bool = False) -> AlarmState:
    """Return the state after what suppressed it has gone."""
    if not state.suppressed:
        raise NotAllowedError("it is not suppressed")
    return _annunciate(replace(state, suppressed=False), latching)


def remove_from_service(state: AlarmState) -> AlarmState:
    """Return the state taken out of service."""
    if state.out_of_service:
        raise NotAllowedError("it is out of service already")
    return replace(state, out_of_service=True)


def return_to_service(state: AlarmState, *, latching: bool = False) -> AlarmState:
    """Return the state back in service."""
    if not state.out_of_service:
        raise NotAllowedError("it is in service")
    return _annunciate(replace(state, out_of_service=False), latching)


def _shelve(state: AlarmState, shelving: Shelving, until_ns: int) -> AlarmState:
    if state.suppressed or state.out_of_service:
        raise NotAllowedError(f"it is {_words(state)} and needs no shelving")
    return replace(state, shelving=shelving, shelved_until_ns=until_ns)


def _annunciate(state: AlarmState, latching: bool) -> AlarmState:
    """Return the state as it starts anew when nothing hides it any more."""
    if not state.annunciated:
        return state
    return AlarmState(active=state.active, acknowledged=not state.active, latched=state.active and latching)


def _words(state: AlarmState) -> str:
    return state.isa.name.lower().replace("_", " ")
