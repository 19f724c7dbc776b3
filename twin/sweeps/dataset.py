"""The results on disk: a folder with two Parquet tables, a ledger of what is done, and a manifest.

Every chunk of variants is a file in ``variants/``, one in ``events/`` and, once both are whole, one in
``ledger/``. A chunk that the ledger does not name has not been run.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twin import __version__
from twin.sweeps.columns import EVENTS, Column, variant_columns
from twin.sweeps.errors import SweepError
from twin.sweeps.plan import Plan
from twin.sweeps.running import Outcome

FORMAT = "twin sweep"
SCHEMA_VERSION = 1
PLAN, MANIFEST, LEDGER, VARIANTS, EVENTS_FOLDER = "plan.json", "manifest.json", "ledger", "variants", "events"


class Dataset:
    """The results of one sweep, while it runs."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self._plan = plan
        self._columns = variant_columns(plan.columns, plan.meters)
        self.failed = 0
        """Variants that are done and failed."""
        self.hashes: dict[int, str] = {}
        """Content hash by variant that is done; empty for one that failed."""

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Write the results of a chunk; they are done when this returns.

        Raises
        ------
        SweepError
            The disk is full, or the folder cannot be written.
        """
        outcomes = sorted(outcomes, key=lambda outcome: outcome.number)
        # Runs of neighbours only: a file's name then says what is in it, and names sort as variants do.
        start = 0
        for at in range(1, len(outcomes) + 1):
            if at == len(outcomes) or outcomes[at].number != outcomes[at - 1].number + 1:
                try:
                    self._write(outcomes[start:at])
                except OSError as error:
                    why = f"{self.folder}: cannot be written ({error.strerror})"
                    raise SweepError(f"{why}; mend that and go on with --resume") from error
                start = at

    def finish(self) -> None:
        """Write the manifest: the dataset is whole."""
        folders = {VARIANTS: self._columns, EVENTS_FOLDER: EVENTS}
        manifest = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "software": __version__,
            "plan": self._plan.hash,
            "title": self._plan.title,
            "variants": len(self._plan.variants),
            "failed": self.failed,
            "results_hash": self.results_hash(),
            "tables": {
                name: {
                    "files": sorted(path.name for path in (self.folder / name).glob("*.parquet")),
                    "columns": [_described(column) for column in columns],
                }
                for name, columns in folders.items()
            },
        }
        write_json(self.folder / MANIFEST, manifest)

    def results_hash(self) -> str:
        """Return one number for the content of all variants that are done, in the order of the plan."""
        digest = hashlib.sha256()
        for number in sorted(self.hashes):
            digest.update(f"{self._plan.variants[number].key} {self.hashes[number]}\n".encode())
        return digest.hexdigest()

    def recover(self) -> None:
        """Read the ledger, and remove what a killed sweep left without an entry in it.

        Raises
        ------
        SweepError
            The ledger is damaged.
        """
        named = set()
        for path in sorted((self.folder / LEDGER).glob("*.json")):
            entry = _read_json(path)
            if not (self.folder / VARIANTS / f"{path.stem}.parquet").is_file():
                raise SweepError(f"{path}: its results are gone; remove it, then go on with --resume")
            named.add(path.stem)
            self._note({int(number): text for number, text in entry["content_hashes"].items()})
        for folder in (VARIANTS, EVENTS_FOLDER, LEDGER):
            for path in (self.folder / folder).iterdir():
                if path.stem not in named:
                    path.unlink()

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        first, last = outcomes[0].number, outcomes[-1].number
        name = f"part-{first:08d}-{last:08d}"
        heads = [self._head(outcome) for outcome in outcomes]
        rows = [
            head | self._parameters(outcome) | outcome.result
            for head, outcome in zip(heads, outcomes, strict=True)
        ]
        events = [
            head | event for head, outcome in zip(heads, outcomes, strict=True) for event in outcome.events
        ]
        _write_parquet(self.folder / VARIANTS / f"{name}.parquet", self._columns, rows)
        _write_parquet(self.folder / EVENTS_FOLDER / f"{name}.parquet", EVENTS, events)
        hashes = {outcome.number: outcome.result.get("content_hash") or "" for outcome in outcomes}
        entry = {"variants": len(rows), "events": len(events), "content_hashes": hashes}
        write_json(self.folder / LEDGER / f"{name}.json", entry)
        self._note(hashes)

    def _note(self, hashes: dict[int, str]) -> None:
        self.hashes |= hashes
        self.failed += sum(not text for text in hashes.values())

    def _head(self, outcome: Outcome) -> dict[str, Any]:
        return {"variant": outcome.number, "key": self._plan.variants[outcome.number].key}

    def _parameters(self, outcome: Outcome) -> dict[str, Any]:
        values = self._plan.variants[outcome.number].parameters
        return {
            column.name: column.typed(value) for column, value in zip(self._plan.columns, values, strict=True)
        }


@contextlib.contextmanager
def open_dataset(folder: Path, plan: Plan, *, resume: bool) -> Iterator[Dataset]:
    """Give the results of a plan: new ones, or with ``resume`` those that are there.

    Raises
    ------
    SweepError
        The folder is occupied, in use, of another plan, or cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            dataset = _opened(folder, plan, stack, resume=resume)
        except OSError as error:
            msg = f"{folder}: cannot be written ({error.strerror}); choose another place"
            raise SweepError(msg) from error
        yield dataset


def _opened(folder: Path, plan: Plan, stack: contextlib.ExitStack, *, resume: bool) -> Dataset:
    there = folder / PLAN
    if not resume and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "go on with --resume, or choose another directory" if there.is_file() else "choose a new one"
        raise SweepError(f"{folder}: {'holds a sweep' if there.is_file() else 'is not empty'}; {mend}")
    if resume and not there.is_file():
        raise SweepError(f"{folder}: holds no sweep to go on with; leave --resume out")
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    stack.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SweepError(f"{folder}: a sweep is running there; wait for it or choose another") from error
    if resume:
        found = _read_json(there)
        if found.get("plan") != plan.hash:
            same = found.get("software") == __version__
            what = "another plan" if same else f"version {found.get('software')} of the software"
            mend = "give the same scenario and parameters, or choose a new directory"
            raise SweepError(f"{folder}: holds the results of {what}; {mend}")
    for name in (VARIANTS, EVENTS_FOLDER, LEDGER):
        (folder / name).mkdir(exist_ok=True)
    dataset = Dataset(folder, plan)
    if resume:
        dataset.recover()
    else:
        write_json(there, _plan_entry(plan))
    return dataset


def _plan_entry(plan: Plan) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "software": __version__,
        "plan": plan.hash,
        "title": plan.title,
        "scenario": plan.bundle.scenario,
        "files": sorted(plan.bundle.files),
        "variants": len(plan.variants),
        "duration_s": plan.duration_s,
        "parameters": [
            {"name": column.name, "kind": column.kind, "unit": column.unit, "paths": list(column.paths)}
            for column in plan.columns
        ],
    }


def write_json(path: Path, value: object) -> None:
    """Write a file whole or not at all, and durably."""
    _write_whole(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise SweepError(f"{path}: is damaged; choose a new directory") from error
    return value


def _write_parquet(path: Path, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types = {
        "integer": pa.int64(),
        "real": pa.float64(),
        "flag": pa.bool_(),
        "text": pa.string(),
        "time": pa.timestamp("ns", "UTC"),
    }
    fields = [
        pa.field(column.name, types[column.kind], metadata=_metadata(column) or None) for column in columns
    ]
    arrays = [pa.array([row.get(column.name) for row in rows], types[column.kind]) for column in columns]
    buffer = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), buffer)
    _write_whole(path, buffer.getvalue().to_pybytes())


def _metadata(column: Column) -> dict[str, str]:
    told = {"unit": column.unit, "description": column.note}
    return {key: text for key, text in told.items() if text}


def _described(column: Column) -> dict[str, str]:
    return {"name": column.name, "kind": column.kind, **_metadata(column)}


def _write_whole(path: Path, content: bytes) -> None:
    staging = path.with_name(f".{path.name}.tmp")  # no reader of *.parquet takes it for a part
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
