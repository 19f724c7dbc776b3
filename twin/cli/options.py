"""Options that several commands share."""

import argparse
import re
import time
from pathlib import Path

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import parse_quantity
from twin.recording import DatabasePlace, Place, place_of
from twin.scenario import SiteScenario, local_text, parse_local


def parse_duration(text: str) -> float:
    """Return a duration given on the command line [s].

    Raises
    ------
    BadInputError
        Not a positive duration with a unit.
    """
    try:
        seconds = parse_quantity(text, "s")
        if 0 < seconds <= 100 * 365.25 * 86400:
            return seconds
        what, mend = f"'{text}' is not between 0 and 100 years", "give a duration such as '2 h'"
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
    raise BadInputError(Finding(Mark("command line"), "--duration", what, mend))


def parse_time(text: str, scenario: SiteScenario, option: str) -> int:
    """Return a local time given on the command line, within a scenario, UTC [ns].

    Raises
    ------
    BadInputError
        Not a time, or not one within the scenario.
    """
    try:
        at_ns = parse_local(text, scenario.zone, after_ns=scenario.start_ns)
        if scenario.start_ns <= at_ns <= scenario.end_ns:
            return at_ns
        what = f"'{text}' is not within the scenario's time"
        mend = f"it runs from {local_text(scenario.start_ns, scenario.zone)} on, choose a time within it"
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
    raise BadInputError(Finding(Mark("command line"), option, what, mend))


def recording_place(options: argparse.Namespace) -> Place:
    """Return where to record: the place asked for, with a new run or directory where none is named.

    Its name is that of the scenario and the wall time.
    """
    stem = f"{Path(options.scenario).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    given = options.store or options.out
    place = Path("recordings") / stem if given is None else place_of(given)
    if isinstance(place, DatabasePlace) and place.run is None:
        return place.with_run(re.sub("[^A-Za-z0-9_.-]", "_", stem)[-63:].lstrip(".-"))
    return place


def write_report(path: Path, text: str, option: str) -> None:
    """Write a report where an option of the command line says.

    Raises
    ------
    BadInputError
        It cannot be written there.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        what, mend = f"{path} cannot be written ({error.strerror})", "give a path in a folder that exists"
        raise BadInputError(Finding(Mark("command line"), option, what, mend)) from error
