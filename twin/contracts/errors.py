"""What is wrong with an input, where, and how to mend it; the root of every exception."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in an input file."""

    file: str
    """Path as the user gave it; empty when the input is no file."""
    line: int = 0
    """1-based line; 0 when the whole file is meant."""
    column: int = 0
    """1-based column; 0 when the whole line is meant."""

    def __str__(self) -> str:
        """Return ``file:line``, the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an input."""

    where: Mark
    """Where it stands."""
    field: str
    """Dotted path of the field, for example ``meters[2].ct``; empty for the whole document."""
    what: str
    """What is wrong, as a sentence without a full stop."""
    mend: str
    """What to do about it, as a sentence without a full stop."""

    def __str__(self) -> str:
        """Return the finding as the one line that the command line prints."""
        field = f" {self.field}:" if self.field else ""
        return f"{self.where}:{field} {self.what}; {self.mend}"


class TwinError(Exception):
    """Root of every exception that the twin raises on purpose."""


class BadInputError(TwinError, ValueError):
    """An input that cannot be used; it carries all findings at once."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings
