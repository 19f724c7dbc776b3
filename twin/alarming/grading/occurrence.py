"""When an alarm is expected, and when it was raised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One occurrence that should be in the journal."""

    since_ns: int
    """When what it is about began, as the meter's registers or records show it, UTC [ns]."""
    start_ns: int
    """The earliest time at which it can be raised, UTC [ns]."""
    latest_ns: int
    """When it is late, UTC [ns]."""
    end_ns: int | None = None
    """The earliest time at which it can return, UTC [ns]; None when it never does."""
    end_latest_ns: int | None = None
    """When its return is late, UTC [ns]."""
    optional: bool = False
    """Too short, or too near the end of the run, to be seen by every master that polls so often."""
    joined: bool = False
    """So soon after the one before that a master which polls so often may see both as one."""
    about: str = ""
    """What it is about, in words."""
    stage: str = "register"
    """Where that is known from: a stage of the ledger's chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One occurrence in the journal."""

    start_ns: int
    end_ns: int | None = None
    """Return, or whatever took it from the operator's list before; None when it stood at the end."""
    hidden: bool = False
    """Taken away by shelving, suppression or service, not by its return."""
    priority: str = ""
    value: float = float("nan")
