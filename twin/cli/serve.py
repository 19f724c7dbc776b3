"""``twin serve``: a scenario in real time, with its endpoints and pages."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from twin.cli.options import parse_time, recording_place
from twin.contracts import BadInputError, Finding, Mark

if TYPE_CHECKING:
    from twin.scenario import SiteScenario
    from twin.simulation.replaying import RecordedSession


def serve(options: argparse.Namespace) -> int:
    """Serve a scenario until it is interrupted."""
    from twin.scenario import load_scenario  # noqa: PLC0415
    from twin.simulation.pacing import parse_speed  # noqa: PLC0415

    try:
        speed = parse_speed(options.speed)
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        raise BadInputError(Finding(Mark("command line"), "--speed", what, mend)) from None
    for option, port in (("--port", options.port), ("--api-port", options.api_port)):
        if port is not None and not 0 <= port <= 65535:
            what = f"port {port} is not between 0 and 65535"
            raise BadInputError(Finding(Mark("command line"), option, what, "choose one that is"))
    with ExitStack() as stack:
        session = None
        if options.resume is not None:
            session = stack.enter_context(_resumed(options))
            scenario = session.scenario
        else:
            scenario = load_scenario(_scenario_file(options))
        return _serve(options, scenario, session, speed=speed)


def _scenario_file(options: argparse.Namespace) -> str:
    if options.scenario is None:
        what, mend = "there is nothing to serve", "give a scenario file, or --resume RECORDING"
        raise BadInputError(Finding(Mark("command line"), "scenario", what, mend))
    return str(options.scenario)


def _resumed(options: argparse.Namespace) -> AbstractContextManager["RecordedSession"]:
    from twin.recording import Recording  # noqa: PLC0415
    from twin.simulation.replaying import recorded_session  # noqa: PLC0415

    if options.scenario is not None:
        what, mend = "a recording brings its own scenario", "leave the scenario file or --resume out"
        raise BadInputError(Finding(Mark("command line"), "--resume", what, mend))
    options.scenario = f"{Path(str(options.resume)).name}-resumed"  # names the new recording
    return recorded_session(Recording.open(options.resume))


def _serve(
    options: argparse.Namespace, scenario: "SiteScenario", session: "RecordedSession | None", *, speed: float
) -> int:
    ready_file = Path(options.ready_file) if options.ready_file else None
    if ready_file is not None:
        _prepare(ready_file)
    out = recording_place(options)
    from_ns = None if session is None else session.reached_ns
    if options.from_time is not None:
        from_ns = parse_time(options.from_time, scenario, "--from")

    from twin.cli.control import TOKEN_VARIABLE, control_settings  # noqa: PLC0415
    from twin.cli.server import SiteServer  # noqa: PLC0415

    token = os.environ.get(TOKEN_VARIABLE)
    control = control_settings(scenario, bind=options.bind, port=options.api_port, token=token)
    # A page that is being drawn keeps the simulation waiting for no longer than this.
    sys.setswitchinterval(0.001)
    stop = threading.Event()
    server = SiteServer(
        scenario,
        out,
        overwrite=options.overwrite,
        speed=speed,
        paused=options.paused,
        bind=options.bind,
        dashboard_port=options.port,
        with_dashboard=not options.no_dashboard,
        from_ns=from_ns,
        session=session,
        control=control,
    )
    _stop_on_signals(stop, server.give_up)
    with server:
        sys.stdout.write(server.describe())
        sys.stdout.flush()
        if ready_file is not None:
            _write_whole(ready_file, server.ready(), mode=0o666 if control is None else 0o600)
        told = False
        while server.running and not stop.wait(0.5):
            if server.failure is not None:
                if not (server.watched and server.running):
                    break  # nobody can see it, or it has broken down and shows nothing any more
                if not told:
                    told = True
                    sys.stderr.write(f"{server.failure}\nit can be looked at as it was; Ctrl-C ends\n")
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
    if server.failure is not None:
        raise server.failure
    sys.stdout.write(f"stopped; the recording is in {out}\n")
    return 0


def _prepare(ready_file: Path) -> None:
    """Remove what an earlier run left, and make sure that the new one can be written."""
    try:
        ready_file.unlink(missing_ok=True)
        _write_whole(ready_file.with_name(f".{ready_file.name}.try"), None)
        ready_file.with_name(f".{ready_file.name}.try").unlink()
    except OSError as error:
        what = f"{ready_file} cannot be written ({error.strerror})"
        raise BadInputError(
            Finding(Mark("command line"), "--ready-file", what, "give a path in a folder that exists")
        ) from error


def _stop_on_signals(stop: threading.Event, give_up: Callable[[], None]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()
        give_up()

    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)


def _write_whole(path: Path, value: Any, *, mode: int = 0o666) -> None:
    """Write a JSON file that is never seen half done."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    # A token in it is for this user alone.
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")
    part.replace(path)
