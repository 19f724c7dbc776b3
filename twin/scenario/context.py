"""What the rules of a scenario look at, and how they say what they find."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from twin.contracts import Finding
from twin.documents import Document, suggestion
from twin.documents.validation import dotted
from twin.grid import Network
from twin.scenario.schema import Scenario
from twin.scenario.times import parse_local

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules look at."""

    document: Document
    scenario: Scenario
    network: Network
    zone: ZoneInfo
    start_ns: int
    end_ns: int

    def finding(self, path: Path_, what: str, mend: str) -> Finding:
        """Return a finding at a path of the scenario."""
        return Finding(self.document.mark(path), dotted(path), what, mend)

    def unknown(self, path: Path_, name: str, names: list[str], kind: str) -> Finding:
        """Return a finding for a name that does not exist."""
        return self.finding(path, f"there is no {kind} '{name}'", suggestion(name, names, f"{kind} names"))

    def instant(self, text: str) -> int:
        """Return a time of the scenario that has been checked, UTC [ns]."""
        return parse_local(text, self.zone, after_ns=self.start_ns)

    def check_time(self, path: Path_, text: str) -> Iterator[Finding]:
        """Find a time that is none, or outside the scenario's."""
        try:
            at_ns = parse_local(text, self.zone, after_ns=self.start_ns)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            yield self.finding(path, what, mend)
            return
        if not self.start_ns <= at_ns <= self.end_ns:
            what = f"'{text}' is outside the scenario's time"
            yield self.finding(path, what, "move it, or make the duration longer")
