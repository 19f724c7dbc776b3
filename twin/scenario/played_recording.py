"""A recording that a site plays: read when the scenario is, with what is wrong said at its fields."""

from dataclasses import dataclass
from pathlib import Path

from twin.contracts import BadInputError, Finding
from twin.documents import Document
from twin.recording.lattice import Lattice, lattice_of
from twin.recording.nominal import live_nominal_voltage, nominal_frequency
from twin.recording.recorded_signal import CHANNELS
from twin.recording.sampled_recording import SampledRecording, read_recording
from twin.scenario.played_schema import PlayedRecording
from twin.scenario.schema import Scenario
from twin.scenario.times import parse_local, time_zone


@dataclass(frozen=True, slots=True, eq=False)
class PlayedWaveform:
    """A recording and when it is played."""

    file: str
    """As the scenario names it."""
    recording: SampledRecording
    lattice: Lattice
    at_ns: int
    """Time of its first sample, UTC [ns]."""
    frequency: float
    """Nominal [Hz]."""
    voltage: float
    """Nominal, line to neutral [V]."""


def read_waveform(document: Document, scenario: Scenario, given: PlayedRecording) -> PlayedWaveform:
    """Return the recording of a scenario.

    Raises
    ------
    BadInputError
        There is no such file, it cannot be read or measured, or a channel is unknown.
    """
    path = Path(document.file).parent / given.file
    if not path.is_file():
        raise _bad(document, "file", f"recording '{given.file}' is not there", "correct the path")
    unknown = [name for name in given.channels if name not in CHANNELS]
    if unknown:
        raise _bad(document, "channels", f"there is no channel '{unknown[0]}'", f"use {', '.join(CHANNELS)}")
    if given.frequency not in {None, 50.0, 60.0}:
        what = f"{given.frequency:g} Hz is no nominal frequency"
        raise _bad(document, "frequency", what, "give 50 Hz or 60 Hz")
    try:
        recording = read_recording(
            path, channels=given.channels or None, frequency=given.frequency, time_zone=scenario.time_zone
        )
        frequency = given.frequency or nominal_frequency(recording)
        lattice = lattice_of(recording, nominal_frequency=frequency)
    except BadInputError as error:
        findings = [
            Finding(document.mark(("recording", "file")), "recording.file", _told(finding), finding.mend)
            for finding in error.findings
        ]
        raise BadInputError(*findings) from error
    voltage = given.voltage or live_nominal_voltage(lattice, recording)
    return PlayedWaveform(given.file, recording, lattice, _begin_ns(scenario, given), frequency, voltage)


def _bad(document: Document, field: str, what: str, mend: str) -> BadInputError:
    return BadInputError(Finding(document.mark(("recording", field)), f"recording.{field}", what, mend))


def _told(finding: Finding) -> str:
    """Return what is wrong within the recording's file, with its place."""
    place = f"line {finding.where.line}: " if finding.where.line else ""
    field = f"{finding.field}: " if finding.field else ""
    return f"{Path(finding.where.file).name}: {place}{field}{finding.what}"


def _begin_ns(scenario: Scenario, given: PlayedRecording) -> int:
    """Return when the recording begins; 0 for a time that the checks will refuse."""
    try:
        zone = time_zone(scenario.time_zone)
        return parse_local(given.at, zone, after_ns=parse_local(scenario.start, zone))
    except ValueError:
        return 0
