"""What a protective device measures, what it orders, and how a simulation hosts it.

A host holds devices and a clock. Between two changes of the network all that a device measures is constant:

1. ask every device ``time_to_event(measured)``; the earliest answer is what protection will do next,
2. when time has moved on by ``seconds``, for whatever reason, tell every device
   ``advance(measured, seconds)`` with what it measured *during* that time,
3. when a device's own event is due, call ``fire(what)`` and carry out the action.

An event that is due stays due while what is measured lasts, however far `advance` goes; so a clock of whole
nanoseconds rounds the time up. How time is cut makes no difference: the answers are closed forms, not steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from twin.grid.errors import GridError
from twin.grid.protection.validation import refuse

PHASES = "abc"
"""Order of the phases everywhere."""

FOREVER = math.inf
"""The time to something that does not happen [s]."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a device sees at its place, constant over some time: RMS values of the fundamental, primary."""

    currents: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of phases a, b, c [A]."""
    residual: float = 0.0
    """Magnitude of the sum of the phase currents, three times the zero sequence [A]."""
    voltages: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of phases a, b, c to earth [V]."""
    frequency: float = 0.0
    """[Hz]; a ramp is told in steps. Zero while there is nothing to measure it on."""
    rocof: float = 0.0
    """Rate of change of frequency, with sign [Hz/s]."""
    energised: bool = True
    """Whether the line at the device's source side is live."""

    def __post_init__(self) -> None:
        """Refuse what no instrument shows."""
        for field, numbers in (
            ("currents", self.currents),
            ("residual", (self.residual,)),
            ("voltages", self.voltages),
            ("frequency", (self.frequency,)),
        ):
            if not all(0.0 <= x < math.inf for x in numbers):
                raise refuse("measured values", field, getattr(self, field), "give finite magnitudes")
        if not math.isfinite(self.rocof):
            raise refuse("measured values", "rocof", self.rocof, "give a finite number")


def measured_from_phasors(
    currents: Sequence[complex],
    voltages: Sequence[complex] = (0.0, 0.0, 0.0),
    *,
    frequency: float = 0.0,
    rocof: float = 0.0,
    energised: bool = True,
) -> Measured:
    """Return what a device measures on RMS phasors.

    Parameters
    ----------
    currents : sequence of complex, shape (3,)
        Phase currents through the device [A].
    voltages : sequence of complex, shape (3,)
        Phase voltages to earth [V].
    frequency : float
        [Hz].
    rocof : float
        Rate of change of frequency [Hz/s].
    energised : bool
        Whether the line at the source side is live.

    Returns
    -------
    Measured
        Magnitudes, and the residual current from the phasor sum.
    """
    ia, ib, ic = (complex(i) for i in currents)
    va, vb, vc = (complex(v) for v in voltages)
    return Measured(
        (abs(ia), abs(ib), abs(ic)),
        abs(ia + ib + ic),
        (abs(va), abs(vb), abs(vc)),
        float(frequency),
        float(rocof),
        energised,
    )


class Operation(StrEnum):
    """What a device orders the poles that it switches to do."""

    NONE = "none"
    """Nothing: an inner event, such as a sequence that starts afresh."""
    OPEN = "open"
    CLOSE = "close"
    LOCKOUT = "lockout"
    """Open, and stay open until somebody closes by hand."""


@dataclass(frozen=True, slots=True)
class Action:
    """An order of a protective device."""

    operation: Operation
    phases: str = PHASES
    """The poles that it concerns."""
    cause: str = ""
    """The event that gave the order."""


class ProtectiveDevice(Protocol):
    """A device that a simulation can host."""

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to its next event while ``measured`` lasts, and which; None if there is none."""

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` pass during which ``measured`` was constant."""

    def fire(self, what: str) -> Action:
        """Let the event ``what`` happen and return what is to be done."""


def earliest(times: Sequence[tuple[float, str]]) -> tuple[float, str] | None:
    """Return the first of ``(seconds, what)``, of equals the one that stands first; None if none comes."""
    best = min(times, key=lambda entry: entry[0], default=(FOREVER, ""))
    return best if best[0] < FOREVER else None


def unknown_event(device: str, what: str, known: str) -> GridError:
    """Return the error for an event that cannot happen to the device in its present state."""
    return refuse(device, "event", what, f"events now are: {known}")
