"""Options that several commands share."""

import time
from pathlib import Path

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import parse_quantity


def parse_duration(text: str) -> float:
    """Return a duration given on the command line [s].

    Raises
    ------
    BadInputError
        Not a positive duration with a unit.
    """
    try:
        seconds = parse_quantity(text, "s")
        if seconds > 0:
            return seconds
        what, mend = f"'{text}' is not positive", "give a duration such as '2 h'"
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
    raise BadInputError(Finding(Mark("command line"), "--duration", what, mend))


def recording_path(out: str | None, scenario: str) -> Path:
    """Return where to record: the path asked for, or a new one named after scenario and wall time."""
    if out is not None:
        return Path(out)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Path("recordings") / f"{Path(scenario).stem}-{stamp}"
