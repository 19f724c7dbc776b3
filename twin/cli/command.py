"""Arguments, dispatch and exit codes: 0 done, 1 a finding, 2 bad input."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from twin import __version__
from twin.cli.alarm_commands import add_alarms, add_grade, add_what_if
from twin.cli.meter import add_meter
from twin.cli.parts import Commands, add_command, add_json, add_recorded, add_store
from twin.contracts import BadInputError, Finding, TwinError

DONE, FOUND, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        options = _parser().parse_args(arguments)
        module = importlib.import_module(f"twin.cli.{options.module}")
        return int(getattr(module, options.function)(options))
    except TwinError as error:
        return _refused(error, as_json=getattr(options, "json", False))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _refused(error, as_json=getattr(options, "json", False))


def _refused(error: Exception, *, as_json: bool) -> int:
    """Say what is wrong with the input; what has no place in a file is a finding all the same."""
    if as_json:
        sys.stdout.write(json.dumps({"findings": finding_rows(error)}) + "\n")
    sys.stderr.write(f"{error}\n")
    return BAD_INPUT


def finding_rows(error: Exception) -> list[dict[str, Any]]:
    """Return the findings of an error as ``--json`` prints them."""
    if isinstance(error, BadInputError):
        return [finding_row(item) for item in error.findings]
    return [{"file": None, "line": None, "field": None, "what": str(error), "mend": None}]


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as ``--json`` prints it."""
    return {
        "file": finding.where.file,
        "line": finding.where.line or None,
        "field": finding.field or None,
        "what": finding.what,
        "mend": finding.mend,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twin", description="The open digital twin of a metered distribution site."
    )
    parser.add_argument("--version", action="version", version=f"twin {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_run(commands)
    _add_serve(commands)
    add_alarms(commands)
    add_grade(commands)
    add_what_if(commands)
    _add_sweep(commands)
    _add_schema(commands)
    _add_import(commands)
    _add_flow(commands)
    _add_fault(commands)
    _add_harmonics(commands)
    _add_calibrate(commands)
    _add_replay(commands)
    _add_export(commands)
    _add_recording(commands)
    add_meter(commands)
    _add_replay_session(commands)
    _add_warm_up(commands)
    return parser


def _add_check(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "check", "site:check", "find what is wrong with a scenario or network file",
        "twin check scenarios/european-lv-day.yaml --solve",
    )  # fmt: skip
    command.add_argument("site", help="scenario or network file")
    command.add_argument("--solve", action="store_true", help="also solve the network once")
    add_json(command)


def _add_run(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "run", "run:run", "run a scenario headless, as fast as possible",
        "twin run scenarios/european-lv-day.yaml --out recordings/day",
    )  # fmt: skip
    command.add_argument("scenario", help="scenario file")
    add_store(command)
    command.add_argument("--duration", metavar="TIME", help="run only so long, for example '2 h'")
    command.add_argument("--seed", type=int, help="another seed than the scenario's")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(command)


def _add_serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "serve", "serve:serve", "run a scenario in real time with endpoints and dashboard",
        "twin serve scenarios/european-lv-day.yaml --speed 10",
    )  # fmt: skip
    command.add_argument("scenario", nargs="?", help="scenario file")
    command.add_argument(
        "--resume",
        metavar="RECORDING",
        help="go on with a recorded session, from --from or from where it ended",
    )
    command.add_argument("--speed", default="1", help="simulated seconds per second (0.1..1000), or max")
    command.add_argument(
        "--paused", action="store_true", help="time stands still until somebody resumes it, or steps"
    )
    command.add_argument(
        "--from",
        dest="from_time",
        metavar="TIME",
        help="first run up to this local time, as fast as possible",
    )
    command.add_argument("--bind", default="127.0.0.1", metavar="ADDR", help="address to listen on")
    command.add_argument("--port", type=int, help="port of the dashboard; 0 takes a free one")
    command.add_argument(
        "--api-port",
        type=int,
        metavar="N",
        help="serve the control interface on this port; 0 takes a free one",
    )
    command.add_argument("--ready-file", metavar="F", help="written whole once all is listening")
    add_store(command)
    command.add_argument("--no-dashboard", action="store_true", help="endpoints only")


def _add_replay_session(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "replay-session", "replay_session:replay_session",
        "live a recorded session again with its commands, and compare",
        "twin replay-session recordings/drill",
    )  # fmt: skip
    add_recorded(command)
    command.add_argument("--out", help="directory of the new recording; one under recordings/ when absent")
    command.add_argument("--overwrite", action="store_true", help="replace a recording that is there")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(command)


def _add_sweep(commands: "Commands[argparse.ArgumentParser]") -> None:
    from twin.cli.sweep import add_arguments  # noqa: PLC0415

    command = add_command(
        commands, "sweep", "sweep:sweep", "run many variants of a scenario into one Parquet dataset",
        "twin sweep scenarios/feeder-faults.yaml --over scenarios/sweeps/storm.yaml --out sweeps/storm",
    )  # fmt: skip
    add_arguments(command)
    add_json(command)


def _add_schema(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(
        commands, "schema", "site:schema", "print the JSON Schema of scenario files",
        "twin schema > scenario.schema.json",
    )  # fmt: skip


def _add_import(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "import", "site:import_network", "convert a network (and its profiles) to own files",
        "twin import simbench 1-LV-semiurb4--0-no_sw --out data/semiurb4",
    )  # fmt: skip
    command.add_argument("format", choices=["simbench", "pandapower", "opendss"], help="where it comes from")
    command.add_argument("source", help="SimBench code, pandapower JSON file, or OpenDSS script")
    command.add_argument("--out", required=True, metavar="DIR", help="new directory for the files")


def _at(command: argparse.ArgumentParser) -> None:
    command.add_argument("--at", metavar="TIME", help="local time in a scenario; its start by default")


def _loads(command: argparse.ArgumentParser, *choices: str) -> None:
    command.add_argument("--loads", choices=choices, default=choices[0], help=f"default {choices[0]}")


def _add_flow(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "flow", "site:flow", "solve the network and print its voltages",
        "twin flow scenarios/networks/site8.yaml --json",
    )  # fmt: skip
    command.add_argument("site", help="scenario or network file")
    _at(command)
    command.add_argument("--v-min", type=float, default=0.7, metavar="PU", help="below it P falls with V2")
    _loads(command, "constant_power", "constant_impedance")
    add_json(command)


def _add_fault(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "fault", "site:fault", "solve a short circuit and print voltages and fault current",
        "twin fault scenarios/networks/site8.yaml --bus LV2 --type slg --phases a --resistance 0.01",
    )  # fmt: skip
    command.add_argument("site", help="scenario or network file")
    command.add_argument("--bus", required=True)
    command.add_argument("--type", required=True, choices=["slg", "ll", "llg", "3ph"])
    command.add_argument("--phases", default=None, help="faulted phases: a, bc, abc")
    command.add_argument("--resistance", type=float, default=0.0, metavar="OHM")
    _at(command)
    _loads(command, "constant_impedance", "none")
    add_json(command)


def _add_harmonics(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "harmonics", "site:harmonics", "solve the network at harmonic orders",
        "twin harmonics scenarios/networks/site8.yaml --json",
    )  # fmt: skip
    command.add_argument("site", help="scenario or network file")
    _at(command)
    command.add_argument(
        "--damping", type=share, metavar="SHARE",
        help="linear loads damp: this share as series R-L, the rest parallel; open by default",
    )  # fmt: skip
    add_json(command)


def share(text: str) -> float | None:
    """Return a share of 0..1, or None for ``open``."""
    if text == "open":
        return None
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is neither 'open' nor a share from 0 to 1")
    return share


def _add_calibrate(commands: "Commands[argparse.ArgumentParser]") -> None:
    from twin.cli.calibrate import register  # noqa: PLC0415

    command = add_command(
        commands, "calibrate", "calibrate:calibrate", "test a meter on the virtual bench, point by point",
        "twin calibrate --meter kw320q --points 62053-22 --seed 7",
    )  # fmt: skip
    command.add_argument("--meter", metavar="PROFILE", help="kw320, kw320q or reference")
    command.add_argument("--points", metavar="SET", help="a published set, all, or the path of a point list")
    command.add_argument("--list", action="store_true", help="print the published sets")
    command.add_argument("--seed", type=int, default=0, help="which device of the profile; default 0")
    command.add_argument("--ideal", action="store_true", help="a device without errors of its inputs")
    command.add_argument("--frequency", type=int, choices=[50, 60], help="nominal, Hz; that of the points")
    command.add_argument("--voltage", type=float, metavar="V", help="declared voltage, line to neutral")
    command.add_argument("--current", type=float, metavar="A", help="rated current In")
    command.add_argument(
        "--register", action="append", type=register, metavar="NAME=RAW", help="set a register of the meter"
    )
    add_json(command)


def _add_export(commands: "Commands[argparse.ArgumentParser]") -> None:
    from twin.cli.logs import add_commands  # noqa: PLC0415
    from twin.cli.recording import FORMATS  # noqa: PLC0415

    export = add_command(
        commands, "export", "", "write tag lists and recordings for other programs",
        "twin export points scenarios/european-lv-day.yaml > tags.csv",
    )  # fmt: skip
    kinds = export.add_subparsers(dest="what_to_export", required=True, metavar="WHAT")
    points = add_command(
        kinds, "points", "site:export", "print a scenario's tag list for SCADA import",
        "twin export points scenarios/european-lv-day.yaml > tags.csv",
    )  # fmt: skip
    points.add_argument("scenario", help="scenario file")
    recording = add_command(
        kinds, "recording", "recording:export", "write what was recorded as CSV, Parquet or COMTRADE",
        "twin export recording recordings/day --what waveforms --format comtrade --out captures",
    )  # fmt: skip
    add_recorded(recording)
    recording.add_argument("--what", required=True, choices=list(FORMATS), help="which records")
    formats = list(dict.fromkeys(form for forms in FORMATS.values() for form in forms))
    recording.add_argument("--format", choices=formats, help="csv; of waveforms comtrade")
    recording.add_argument("--out", required=True, metavar="DIR", help="folder for the files")
    recording.add_argument("--meter", help="only this meter's")
    add_commands(kinds)


def _add_recording(commands: "Commands[argparse.ArgumentParser]") -> None:
    recording = add_command(
        commands, "recording", "", "look at a recording, or bring it up to date",
        "twin recording info recordings/day",
    )  # fmt: skip
    verbs = recording.add_subparsers(dest="verb", required=True, metavar="VERB")
    info = add_command(
        verbs, "info", "recording:info", "print what a recording holds",
        "twin recording info postgresql://twin@db/site?run=day",
    )  # fmt: skip
    add_json(info)
    migrate = add_command(
        verbs, "migrate", "recording:migrate",
        "bring a recording to the present schema and mend what a killed program left",
        "twin recording migrate recordings/day",
    )  # fmt: skip
    ledger = add_command(
        verbs, "ledger", "ledger:ledger",
        "print what happened, what each meter could and did know, and what led to its events and alarms",
        "twin recording ledger recordings/day --meter feeder",
    )  # fmt: skip
    ledger.add_argument("--meter", help="only this meter's events and alarms")
    add_json(ledger)
    for command in (info, migrate, ledger):
        add_recorded(command)


def _add_warm_up(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(
        commands, "warm-up", "run:warm_up", "compile all kernels now, so that the first run starts at once",
        "twin warm-up",
    )  # fmt: skip


def _add_replay(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = add_command(
        commands, "replay", "replay:replay", "feed a recorded waveform through a virtual meter",
        "twin replay event.cfg --meter reference --json",
    )  # fmt: skip
    command.add_argument("file", help="COMTRADE (.cfg, .dat, .cff) or CSV (time_s,va_v,..,ic_a)")
    command.add_argument("--meter", required=True, metavar="PROFILE", help="reference, kw320 or kw320q")
    command.add_argument(
        "--channels", metavar="va=NAME,..", help="which channel is which, by name or number (#7)"
    )
    command.add_argument(
        "--pt", metavar="P:S", help="voltage transformer of the meter, for example 20000:100"
    )
    command.add_argument("--ct", metavar="P:S", help="current transformer of the meter, for example 200:5")
    command.add_argument(
        "--nominal", type=float, metavar="V", help="line to neutral, primary; guessed if absent"
    )
    command.add_argument("--wiring", choices=["3LN"], default="3LN", help="of the meter")
    command.add_argument("--frequency", type=float, metavar="HZ", help="nominal, 50 or 60; found if absent")
    command.add_argument("--lamp", type=int, choices=[120, 230], help="of the flickermeter; 230 at 50 Hz")
    command.add_argument("--ideal", action="store_true", help="without the errors of the meter's class")
    add_json(command)
