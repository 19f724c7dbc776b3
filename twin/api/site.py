"""What the interface may know of a live site, and how it asks it for something."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as AnswerLate
from dataclasses import dataclass
from typing import Any, Protocol

from twin.api.problems import ProblemError
from twin.contracts import Answer, Command, Finding, Frame, Refusal
from twin.recording import Place, Recording, RecordingPathError
from twin.simulation import LiveMeter

PATIENCE_S = 1.0
"""So long a client waits for the simulation's answer [s]."""

STEP_PATIENCE_S = 10.0
"""So long it waits for the end of a step, which takes what it takes [s]."""

SOURCE = "api"
"""Who asks, in the command log and the truth ledger."""


class Session(Protocol):
    """The running simulation, as far as it is needed here."""

    @property
    def meters(self) -> tuple[LiveMeter, ...]:
        """The meters as they are published."""
        ...

    @property
    def now_ns(self) -> int:
        """Simulated time that is reached now, UTC [ns]."""
        ...

    def latest(self) -> Frame | None:
        """Return the newest frame."""
        ...

    def submit(self, command: Command) -> "Future[Answer]":
        """Queue a command."""
        ...


@dataclass(frozen=True, slots=True)
class ControlledSite:
    """A live site."""

    session: Session
    recording: Place
    """Where its recording is, or will be."""
    end_ns: int
    """When its scenario ends, UTC [ns]."""
    endpoints: Callable[[], Sequence[Mapping[str, Any]]]
    """Returns where its meters answer: meter, protocol, host, port, unit."""
    dashboard: Callable[[], str | None]
    """Returns where its pages are."""
    findings: Callable[[Mapping[str, object]], list[Finding]]
    """Returns what is wrong with an event to inject."""

    def frame(self) -> Frame:
        """Return the newest frame.

        Raises
        ------
        ProblemError
            There is none yet.
        """
        frame = self.session.latest()
        if frame is None:
            raise ProblemError(503, "the site is still starting", "ask again in a moment")
        return frame

    def meter(self, name: str) -> LiveMeter:
        """Return a meter.

        Raises
        ------
        ProblemError
            There is none of that name.
        """
        found = next((meter for meter in self.session.meters if meter.name == name), None)
        if found is None:
            raise ProblemError.unknown("meter", name, [meter.name for meter in self.session.meters])
        return found

    def recorded(self) -> Recording:
        """Return the recording.

        Raises
        ------
        ProblemError
            It does not exist yet.
        """
        try:
            return Recording.open(self.recording)
        except RecordingPathError as error:
            raise ProblemError(503, "there is no recording yet", "ask again in a moment") from error

    def ask(
        self, target: str, verb: str, /, *, patience_s: float = PATIENCE_S, **arguments: object
    ) -> Answer:
        """Have the simulation carry out a command.

        Raises
        ------
        ProblemError
            It was refused, or not answered in time.
        """
        what = f"'{verb}' for '{target}'"
        future = self.session.submit(Command(SOURCE, target, verb, arguments))
        try:
            answer = future.result(timeout=patience_s)
        except AnswerLate:
            if future.cancel():
                mend = "it was withdrawn and will not be carried out; ask again"
            else:
                mend = "it is being carried out; see the status before you ask again"
            raise ProblemError(
                503, f"the simulation did not answer {what} within {patience_s:g} s", mend
            ) from None
        except (CancelledError, RuntimeError) as error:
            raise ProblemError(
                503, f"the simulation has ended; {what} was not carried out", "start it anew"
            ) from error
        if answer.refusal is Refusal.UNKNOWN_TARGET:
            raise ProblemError(404, answer.detail, "see the status for what there is")
        if answer.refusal is Refusal.FAILED:
            raise ProblemError(500, answer.detail, "report it; the program's log says where it failed")
        if answer.refusal is not None:
            why, _, mend = (answer.detail or answer.refusal.value.replace("_", " ")).partition("; ")
            raise ProblemError(409, why, mend or "see the status, and ask for what can be")
        return answer
