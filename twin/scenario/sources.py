"""The files that a scenario is made of: kept with a recording, and laid out again to run it anew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from twin.contracts import BadInputError, Finding, Mark
from twin.scenario.schema import Profile
from twin.scenario.site_scenario import SiteScenario

KEPT = 2_000_000
"""Largest text that is kept as a whole [bytes]; of others a recording knows place and checksum."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file."""

    path: Path
    """Absolute, where it was."""
    sha256: str
    text: str | None
    """Its content; None of data files, which are looked for where they were."""

    def described(self) -> dict[str, object]:
        """Return it as plain data."""
        return {"path": str(self.path), "sha256": self.sha256, "text": self.text}

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """Return what `described` described."""
        return cls(Path(described["path"]), str(described["sha256"]), described["text"])


def source_files(scenario: SiteScenario) -> list[SourceFile]:
    """Return the scenario's own file, then those that it names, each once.

    A token of the control interface is not kept: something as long stands in its place.
    """
    secret = scenario.scenario.api.token if scenario.scenario.api is not None else None
    texts = [scenario.path]
    if scenario.scenario.network is not None:
        texts.append(scenario.file(scenario.scenario.network))
    data = [scenario.file(load.file) for load in scenario.scenario.loads if isinstance(load, Profile)]
    if scenario.scenario.recording is not None:
        recording = scenario.file(scenario.scenario.recording.file)
        data.append(recording)
        if recording.suffix.lower() == ".cfg":
            data += [recording.with_suffix(suffix) for suffix in (".dat", ".DAT")]
    found: dict[Path, SourceFile] = {}
    for path in (*texts, *data):
        place = path.resolve()
        if place not in found and place.is_file():
            found[place] = _source(place, whole=path in texts, secret=secret)
    return list(found.values())


def _source(path: Path, *, whole: bool, secret: str | None) -> SourceFile:
    content = path.read_bytes()
    text = content.decode("utf-8") if whole and len(content) <= KEPT else None
    if text is not None and secret:
        text = text.replace(secret, "x" * len(secret))
    return SourceFile(path, hashlib.sha256(content).hexdigest(), text)


def lay_out(files: Sequence[SourceFile], folder: Path) -> Path:
    """Write a scenario and its files into a folder, so that they find each other; return the scenario's path.

    Data files are linked to where they were.

    Raises
    ------
    BadInputError
        With a finding for each data file that is gone, or is another one now.
    """
    findings = []
    for file in files:
        place = folder / file.path.relative_to(file.path.anchor)
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.text is not None:
            place.write_bytes(file.text.encode("utf-8"))
            continue
        where = Mark(str(file.path))
        if not file.path.is_file():
            findings.append(Finding(where, "", "is gone", "put it back where it was"))
        elif hashlib.sha256(file.path.read_bytes()).hexdigest() != file.sha256:
            what = f"is another file now; it was the one with SHA-256 {file.sha256[:16]}.."
            findings.append(Finding(where, "", what, "put the old one back"))
        else:
            place.symlink_to(file.path)
    if findings:
        raise BadInputError(*findings)
    return folder / files[0].path.relative_to(files[0].path.anchor)
