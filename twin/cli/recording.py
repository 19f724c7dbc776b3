"""``twin recording`` and ``twin export recording``: recordings for people and for other programs."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twin.contracts import BadInputError, Finding, Mark

if TYPE_CHECKING:
    from twin.recording import Recording

_TABLE: Final = ("csv", "parquet")
FORMATS: Final = {
    "load_profile": _TABLE,
    "events": _TABLE,
    "alarms": _TABLE,
    "soe": _TABLE,
    "commands": _TABLE,
    "truth": _TABLE,
    "terminals": _TABLE,
    "registers": _TABLE,
    "waveforms": ("comtrade", "csv"),
}
"""What can be exported as what; the first is taken when none is said."""


def export(options: argparse.Namespace) -> int:
    """Write records of one kind to a folder, and print the names of the files."""
    from twin.recording import Recording  # noqa: PLC0415
    from twin.recording.table_export import export_table  # noqa: PLC0415

    form = options.format or FORMATS[options.what][0]
    if form not in FORMATS[options.what]:
        what = f"{options.what} cannot be written as {form}"
        mend = f"choose {' or '.join(FORMATS[options.what])}"
        raise BadInputError(Finding(Mark("command line"), "--format", what, mend))
    recording = Recording.open(options.recording)
    if options.meter is not None:
        recording.check_meter(options.meter)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    if options.what == "waveforms":
        for file in _waveforms(recording, folder, form, options.meter):
            sys.stdout.write(f"{file}\n")
        return 0
    file = folder / f"{options.what}.{form}"
    export_table(recording, file, what=options.what, meter=options.meter)
    sys.stdout.write(f"{file}\n")
    return 0


def _waveforms(recording: "Recording", folder: Path, form: str, meter: str | None) -> Iterator[Path]:
    """Write each capture to its meter's folder and yield the files."""
    from twin.recording import export_waveform_csv  # noqa: PLC0415
    from twin.recording.comtrade_export import export_comtrade  # noqa: PLC0415

    meters = {info.name: info for info in recording.meters()}
    time_zone = str(recording.info.scenario.get("time_zone", "UTC"))
    phases = {(event.meter, event.trigger_ns): event.phases for event in recording.events(meter=meter)}
    for found in recording.waveforms(meter=meter):
        place = folder / found.meter.replace("/", "_")
        place.mkdir(exist_ok=True)
        capture = recording.waveform(found.meter, found.number)
        if form == "csv":
            file = place / f"{found.number:04d}_{found.reason}.csv"
            file.write_text(export_waveform_csv(capture), encoding="utf-8")
            yield file
        else:
            yield from export_comtrade(
                capture,
                place,
                meter=meters[found.meter],
                time_zone=time_zone,
                phases=phases.get((found.meter, found.trigger_ns), ""),
            )


def info(options: argparse.Namespace) -> int:
    """Print what a recording holds."""
    from twin.recording import Recording, content_hash  # noqa: PLC0415

    recording = Recording.open(options.recording)
    found = recording.info
    content = {
        "recording": str(found.path),
        "schema_version": found.schema_version,
        "complete": found.complete,
        "meters": [meter.name for meter in recording.meters()],
        "events": len(recording.events()),
        "alarms": len(recording.alarms()),
        "waveforms": len(recording.waveforms()),
        "commands": len(recording.commands()),
        "truth": len(recording.truth()),
        "content_hash": content_hash(options.recording),
    }
    if options.json:
        sys.stdout.write(json.dumps(content) + "\n")
        return 0
    for name, value in content.items():
        text = ", ".join(value) if isinstance(value, list) else value
        sys.stdout.write(f"{name.replace('_', ' '):<15} {text}\n")
    return 0


def migrate(options: argparse.Namespace) -> int:
    """Bring a recording to the present schema, clear away what a kill left, and close it properly."""
    from twin.recording import RecordingWriter  # noqa: PLC0415

    with RecordingWriter.reopen(options.recording) as writer:
        place = writer.path
    sys.stdout.write(f"{place} is whole and has the present schema\n")
    return 0
