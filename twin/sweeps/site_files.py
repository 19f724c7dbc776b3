"""A scenario and the files that it names: varied, resolved, and packed to travel to other machines."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from twin.contracts import BadInputError
from twin.documents import Document, read_yaml
from twin.grid import Network, check_network, parse_network
from twin.scenario import SiteScenario, resolve_scenario
from twin.sweeps.errors import PathError, SweepError
from twin.sweeps.paths import Place, Steps, locate, parse_path, replaced
from twin.sweeps.schema import Scalar

Settings = Sequence[tuple[str, Scalar]]
"""Paths and the values that stand there in a variant."""
_KEPT_NETWORKS = 32
_COMTRADE = frozenset({".cfg", ".dat", ".hdr", ".inf"})


class SiteFiles:
    """A scenario file with what lies beside it, from which variants are made.

    Parameters
    ----------
    path : path
        Scenario file.

    Raises
    ------
    BadInputError
        The file cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.document = read_yaml(path)
        self._network_documents: dict[str, Document] = {}
        self._networks: OrderedDict[tuple[Any, ...], Network] = OrderedDict()

    def place(self, path: str) -> tuple[bool, Place]:
        """Return whether a path leads into the network file, and where to, in the files as they are.

        Raises
        ------
        PathError
            It leads nowhere, or not to a single value.
        """
        in_network, steps = parse_path(path)
        if not in_network:
            return False, locate(self.document.data, steps)
        document = self._network_document(self.document.data)
        if document is None:
            raise PathError("the scenario has no network file; vary keys of the scenario")
        return True, locate(document.data, steps)

    def variant(self, settings: Settings, *, duration_s: float | None = None) -> SiteScenario:
        """Return the scenario with other values at some paths, checked and resolved.

        Raises
        ------
        BadInputError
            With every finding of the loader; of a network's keys the field begins with ``network.``.
        PathError
            A path leads nowhere.
        """
        data = self.document.data
        in_network: list[tuple[Steps, Scalar]] = []
        for text, value in settings:
            within, steps = parse_path(text)
            if within:
                in_network.append((steps, value))
            else:
                data = replaced(data, locate(self.document.data, steps), value)
        document = replace(self.document, data=data)
        return resolve_scenario(document, network=self._network(data, in_network), duration_s=duration_s)

    def _network(self, data: Any, settings: list[tuple[Steps, Scalar]]) -> Network | None:
        """Return the network that a variant names, with its own values; None: the loader will tell."""
        document = self._network_document(data)
        if document is None:
            if settings:
                raise PathError("the scenario has no network file; vary keys of the scenario")
            return None
        # True == 1 == 1.0, and all three are different values of a key.
        key = (document.file, *((steps, type(value), value) for steps, value in settings))
        found = self._networks.get(key)
        if found is None:
            found = self._networks[key] = _read(document, settings)
            if len(self._networks) > _KEPT_NETWORKS:
                self._networks.popitem(last=False)
        self._networks.move_to_end(key)
        return found

    def _network_document(self, data: Any) -> Document | None:
        name = data.get("network") if isinstance(data, dict) else None
        if not isinstance(name, str):
            return None
        path = self.path.parent / name
        if name not in self._network_documents:
            if not path.is_file():
                return None
            read = read_yaml(path)
            self._network_documents[name] = replace(read, data=_without_tables(read.data))
        return self._network_documents[name]


def _read(document: Document, settings: list[tuple[Steps, Scalar]]) -> Network:
    data = document.data
    for steps, value in settings:
        data = replaced(data, locate(document.data, steps), value)
    try:
        network = parse_network(replace(document, data=data))
        findings = check_network(network)
        if findings:
            raise BadInputError(*findings)
    except BadInputError as error:
        raise BadInputError(
            *(replace(finding, field=f"network.{finding.field}") for finding in error.findings)
        ) from error
    return network


def _without_tables(data: Any) -> Any:
    """Return a network file's data with every section as a list of mappings; odd ones are left alone."""
    if not isinstance(data, dict):
        return data
    return {section: _rows(body) for section, body in data.items()}


def _rows(body: Any) -> Any:
    if not isinstance(body, dict) or set(body) != {"columns", "rows"}:
        return body
    columns, rows = body["columns"], body["rows"]
    if not isinstance(columns, list) or not isinstance(rows, list):
        return body
    if len({str(name) for name in columns}) < len(columns):
        return body
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        return body
    return [dict(zip(map(str, columns), row, strict=True)) for row in rows]


def named_files(scenario: SiteScenario) -> set[str]:
    """Return the files that a scenario names, relative to it as they are written."""
    given = scenario.scenario
    files = {given.network} if given.network is not None else set()
    files.update(entry.file for entry in given.loads if entry.model == "profile")
    if given.recording is not None:
        name = Path(given.recording.file)
        files.add(given.recording.file)
        files.update(
            str(name.with_name(other.name))
            for other in scenario.file(given.recording.file).parent.iterdir()
            if other.stem == name.stem and other.suffix.lower() in _COMTRADE
        )
    return files


@dataclass(frozen=True, slots=True)
class Bundle:
    """A scenario and every file that a sweep of it needs."""

    scenario: str
    """Path of the scenario within the bundle."""
    files: dict[str, bytes] = field(repr=False)
    """Contents by path, with forward slashes."""

    @property
    def content(self) -> str:
        """SHA-256 over all paths and contents."""
        digest = hashlib.sha256(self.scenario.encode() + b"\n")
        for name in sorted(self.files):
            digest.update(name.encode() + b"\n" + hashlib.sha256(self.files[name]).digest())
        return digest.hexdigest()

    def unpack(self, folder: Path) -> Path:
        """Write all files into a folder and return the path of the scenario."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.scenario


def pack(scenario: Path, names: Iterable[str]) -> Bundle:
    """Return the bundle of a scenario and the files that it names.

    Raises
    ------
    SweepError
        A file is named by its absolute path, so that it would not be found elsewhere, or cannot be read.
    """
    absolute = sorted(name for name in names if Path(name).is_absolute())
    if absolute:
        raise SweepError(f"{scenario}: '{absolute[0]}' is an absolute path; give it relative to the scenario")
    # Not resolved: a link keeps the place at which the scenario looks for it.
    paths = [Path(os.path.abspath(scenario.parent / name)) for name in ("", *names)]  # noqa: PTH100
    root = Path(os.path.commonpath(paths))
    own = paths[0] / scenario.name
    try:
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in (own, *paths[1:])}
    except OSError as error:
        raise SweepError(f"{error.filename}: cannot be read ({error.strerror}); check the file") from error
    return Bundle(own.relative_to(root).as_posix(), files)
