"""Where ``twin meter`` finds a meter: on a live site, or in a recording."""

import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from twin.alarming.site_control import SiteControl, SiteControlError
from twin.cli.control import TOKEN_VARIABLE
from twin.cli.options import parse_time
from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion
from twin.meters.kw320.configuration import FORMAT, VERSION
from twin.meters.kw320.module_log import RESTORED, module_events
from twin.meters.kw320.recorded_configuration import recorded_configuration
from twin.recording import Recording
from twin.recording.export import utc_text
from twin.simulation.replaying import recorded_session


class MeterPlace(Protocol):
    """Answers for a meter."""

    def configuration(self, meter: str, *, at: str | None) -> dict[str, Any]:
        """Return a meter's configuration, now or at a local time."""
        ...

    def log(self, meter: str, *, newest: int) -> list[dict[str, Any]]:
        """Return the newest lines of its event log, in order: utc, level, source, message."""
        ...


class LivePlace:
    """A live site.

    Parameters
    ----------
    control : SiteControl
    """

    def __init__(self, control: SiteControl) -> None:
        self._control = control

    def configuration(self, meter: str, *, at: str | None) -> dict[str, Any]:
        """Return a meter's configuration as it is now.

        Raises
        ------
        BadInputError
            Another time is asked for, or there is no such meter.
        """
        if at is not None:
            what, mend = "a live site has no other time than now", "leave it out, or give a recording"
            raise BadInputError(Finding(Mark("command line"), "--at", what, mend))
        return dict(self._ask("GET", meter, "configuration"))

    def log(self, meter: str, *, newest: int) -> list[dict[str, Any]]:
        """Return the newest lines of its event log."""
        return list(self._ask("GET", meter, f"log?limit={newest}"))

    def apply(self, meter: str, configuration: object, *, file: str) -> dict[str, Any]:
        """Set a meter as a configuration from a file says, and return what the site answers.

        Raises
        ------
        BadInputError
            With all that is wrong, or why the meter refuses; nothing has changed.
        """
        return dict(self._ask("POST", meter, "configuration/import", configuration, file=file))

    def _ask(
        self, method: str, meter: str, path: str, body: object = None, *, file: str = "command line"
    ) -> Any:
        try:
            return self._control.ask(method, f"/v1/meters/{quote(meter, safe='')}/{path}", body)
        except SiteControlError as error:
            problem = error.problem
            if problem is None:
                raise
            given = [
                Finding(Mark(file), one["field"], one["what"], one["mend"]) for one in problem["findings"]
            ]
            field = "--meter" if file == "command line" else ""
            told = Finding(Mark(file), field, problem["what"], problem["mend"])
            raise BadInputError(*(given or [told])) from error


class RecordedPlace:
    """A recording.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def configuration(self, meter: str, *, at: str | None) -> dict[str, Any]:
        """Return a meter's configuration as it was at a local time, or at the end.

        Raises
        ------
        BadInputError
            The recording does not know its scenario, or it has no such meter or time.
        """
        with recorded_session(self._recording) as session:
            scenario = session.scenario
            configs = {one.config.name: one.config for one in scenario.meters}
            if meter not in configs:
                what, mend = f"there is no meter {meter!r}", suggestion(meter, configs, "meters")
                raise BadInputError(Finding(Mark("command line"), "--meter", what, mend))
            at_ns = session.reached_ns if at is None else parse_time(at, scenario, "--at")
            if at_ns > session.reached_ns:
                what, mend = f"the recording ends before {at}", "choose an earlier time"
                raise BadInputError(Finding(Mark("command line"), "--at", what, mend))
            commands = [command for command in session.commands if command.applied_ns <= at_ns]
            registers = recorded_configuration(configs[meter], commands, start_ns=scenario.start_ns)
            return {
                "format": FORMAT,
                "version": VERSION,
                "profile": configs[meter].profile,
                "meter": meter,
                "kept_utc": utc_text(at_ns),
                "registers": dict(registers),
            }

    def log(self, meter: str, *, newest: int) -> list[dict[str, Any]]:
        """Return the newest lines of a meter's event log."""
        profiles = {one.name: one.profile for one in self._recording.meters()}
        self._recording.check_meter(meter)
        restored = self._recording.truth(kind=RESTORED, element=meter)
        lines = module_events(profiles[meter], meter, self._recording.commands(), restored)
        return [
            {"utc": utc_text(one.time_ns), "level": one.level, "source": one.source, "message": one.message}
            for one in lines[-newest:]
        ]


def meter_place(place: str) -> MeterPlace:
    """Return what is at a place: the ready file or URL of a live site, or a recording.

    Raises
    ------
    BadInputError
        The live site cannot be asked.
    """
    live = live_place(place)
    return RecordedPlace(Recording.open(place)) if live is None else live


def live_place(place: str) -> LivePlace | None:
    """Return a live site, or None where a place is none.

    Raises
    ------
    BadInputError
        Its ready file or its token says nothing.
    """
    if place.startswith(("http://", "https://")):
        token = os.environ.get(TOKEN_VARIABLE)
        if not token:
            what, mend = "is not set", "set it to the token of the site, or give its ready file"
            raise BadInputError(Finding(Mark("environment"), TOKEN_VARIABLE, what, mend))
        return LivePlace(SiteControl(place, token))
    return LivePlace(SiteControl.from_ready_file(place)) if Path(place).is_file() else None
