"""Recorded runs made by hand, and journals of alarm systems that watch them."""

import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from twin.alarming.alarm_server import AlarmServer
from twin.alarming.grading.playback import RegisterPlayback, recorded_tags
from twin.alarming.journal import journal_csv
from twin.alarming.rules import read_rules
from twin.alarming.tag_list import TagAddress
from twin.contracts import Access, MeterInfo, Point, RegisterRecord, TruthEntry
from twin.recording import Recording, RecordingWriter

SECOND = 10**9
START_NS = 1_768_500_000 * SECOND
TAGS = ("v1", "v2", "v3", "p_sum")
UNITS = {"v1": "V", "v2": "V", "v3": "V", "p_sum": "W"}
Course = Callable[[int], float]
"""A value at each second of the run."""


def points() -> list[Point]:
    """Return the registers that are recorded."""
    return [
        Point(name, 16386 + 2 * k, 2, "float32", "high first", 1.0, UNITS[name], Access.READ)
        for k, name in enumerate(TAGS)
    ]


def record(
    path: Path,
    courses: Mapping[str, Mapping[str, Course]],
    *,
    seconds: int,
    truth: Mapping[int, tuple[str, str, Mapping[str, object]]] | None = None,
) -> Recording:
    """Record what meters read, second by second.

    Parameters
    ----------
    path : Path
    courses : Mapping
        By meter and tag; a tag without a course reads 230.
    seconds : int
        How long.
    truth : Mapping, optional
        Kind, element and detail of what happened at each second.
    """
    meters = [MeterInfo(name, "kw320q", "", 230.0, 100.0) for name in courses]
    scenario = {"start_ns": START_NS, "title": "a run made by hand"}
    entries = [
        TruthEntry(START_NS + at * SECOND, kind, element, "test", detail)
        for at, (kind, element, detail) in (truth or {}).items()
    ]
    with RecordingWriter.create(path, meters=meters, scenario=scenario) as writer:
        for meter in courses:
            writer.describe_registers(meter, points())
        held: dict[tuple[str, str], float] = {}
        changes = [
            _change(meter, name, at, course)
            for at in range(seconds + 1)
            for meter, given in courses.items()
            for name in TAGS
            if (course := _changed(held, meter, name, given, at)) is not None
        ]
        writer.append(sorted([*changes, *entries], key=lambda one: one.time_ns))
        writer.flush(START_NS + seconds * SECOND)
        writer.close(START_NS + seconds * SECOND)
    return Recording.open(path)


def _changed(
    held: dict[tuple[str, str], float], meter: str, name: str, courses: Mapping[str, Course], at: int
) -> float | None:
    value = courses[name](at) if name in courses else 230.0
    if held.get((meter, name)) == value:
        return None
    held[meter, name] = value
    return value


def _change(meter: str, name: str, at: int, value: float) -> RegisterRecord:
    words = struct.unpack(">HH", struct.pack(">f", value))
    return RegisterRecord(meter, 16386 + 2 * TAGS.index(name), START_NS + at * SECOND, words)


def tag_list() -> str:
    """Return the tag list that a SCADA would import, of meters head and far."""
    lines = ["meter,name,0-based address,type,word order,scale,unit"]
    lines += [
        f"{meter},{point.name},{point.address},{point.type},{point.word_order},{point.scale},{point.unit}"
        for meter in ("head", "far")
        for point in points()
    ]
    return "\n".join(lines) + "\n"


def journal_of(
    recording: Recording,
    folder: Path,
    rules: str,
    *,
    misread: Callable[[TagAddress], TagAddress] | None = None,
    poll_ns: int = SECOND,
    phase_ns: int = 0,
) -> Path:
    """Write the journal of an alarm server that polls a recorded run, and return its file.

    Parameters
    ----------
    recording : Recording
    folder : Path
    rules : str
        The ``alarms`` of a rules file.
    misread : callable, optional
        How the system misunderstands the registers.
    poll_ns, phase_ns : int
        When it polls [ns].
    """
    (folder / "tags.csv").write_text(tag_list(), encoding="utf-8")
    sources = "".join(f"  - {{name: {name}, host: 127.0.0.1, port: 1}}\n" for name in ("head", "far"))
    text = f"version: 1\ntags: tags.csv\nsources:\n{sources}alarms:\n{rules}"
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    server = AlarmServer(read_rules(folder / "rules.yaml").rules)
    tags = recorded_tags(recording).values()
    playback = RegisterPlayback.read(recording, map(misread, tags) if misread else tags)
    end_ns = recording.info.reached_ns
    assert end_ns is not None
    for scan in playback.scans(start_ns=START_NS + phase_ns, end_ns=end_ns, step_ns=poll_ns):
        server.take(scan)
    file = folder / "journal.csv"
    file.write_text(journal_csv(server.journal), encoding="utf-8")
    return file


def sine(mean: float, swing: float, period: int) -> Course:
    """Return a course that swings."""
    return lambda at: mean + swing * math.sin(2 * math.pi * at / period)


def steps(*parts: tuple[int, float]) -> Course:
    """Return a course that holds each value from its second on."""
    return lambda at: [value for since, value in parts if since <= at][-1]
