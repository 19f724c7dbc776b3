"""From a scenario and a parameter file to the plan of a sweep: every variant checked before any runs."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from twin import __version__
from twin.contracts import BadInputError, Finding, Mark
from twin.documents import Document, read_yaml, validate
from twin.sweeps.checking import check_variants, finding
from twin.sweeps.columns import ParameterColumn, parameter_columns, result_names
from twin.sweeps.drawing import count_of, drawn, listed
from twin.sweeps.errors import PathError
from twin.sweeps.schema import Balance, Scalar, Sweep, Values
from twin.sweeps.site_files import Bundle, SiteFiles, pack

DEFAULT_LIMIT = 10_000
"""Most variants unless more are asked for: a slip of the keyboard is not to fill a disk."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of the scenario."""

    number: int
    """Position in the plan, from 0."""
    key: str
    """Hash of its settings, its duration and the content of all files."""
    parameters: tuple[Scalar, ...]
    """Values as the scenario is given them, in the order of the plan's columns."""
    settings: tuple[tuple[str, Scalar], ...]
    """Paths and values."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep is to run."""

    title: str
    bundle: Bundle
    variants: tuple[Variant, ...]
    columns: tuple[ParameterColumn, ...]
    meters: tuple[str, ...]
    """Meters of all variants, in order of their first appearance."""
    duration_s: float | None
    """Of every variant [s]; None: as its scenario says."""
    balance: Balance | None

    @property
    def hash(self) -> str:
        """SHA-256 over everything that the results depend on, the software's version included."""
        balance = None if self.balance is None else self.balance.model_dump()
        names = [column.name for column in self.columns]
        keys = [variant.key for variant in self.variants]
        return hashlib.sha256(_json([__version__, names, balance, keys])).hexdigest()


def read_plan(scenario: Path | str, over: Path | str, *, limit: int = DEFAULT_LIMIT) -> Plan:
    """Read a parameter file and check every variant of the scenario with its own loader.

    Parameters
    ----------
    scenario : path
        Scenario file.
    over : path
        Parameter file.
    limit : int
        Most variants that are accepted.

    Raises
    ------
    BadInputError
        With every finding of the scenario as it is, or of the parameters.
    SweepError
        A file of the scenario cannot be packed.
    """
    document = read_yaml(over)
    sweep = validate(document, Sweep)
    files = SiteFiles(scenario)
    base = files.variant(())
    findings = [*_names(document, sweep), *_paths(document, sweep, files)]
    if findings:
        raise BadInputError(*sorted(findings, key=lambda item: item.where))
    _check_count(document, sweep, limit)
    names, rows = _combinations(document, sweep)
    paths = {name: _texts(entry.path) for _, name, entry in sweep.parameters()}
    settings = [
        tuple((path, value) for name, value in zip(names, row, strict=True) for path in paths[name])
        for row in rows
    ]
    seen = check_variants(document, sweep, files, base=base, rows=rows, settings=settings)
    bundle = pack(Path(scenario), sorted(seen.files))
    content = bundle.content
    variants = tuple(
        Variant(number, _key(content, sweep.duration, own), row, own)
        for number, (row, own) in enumerate(zip(rows, settings, strict=True))
    )
    columns = parameter_columns(names, [paths[name] for name in names], rows)
    title = sweep.title or base.scenario.title
    return Plan(title, bundle, variants, columns, seen.meters, sweep.duration, sweep.balance)


def _texts(path: str | list[str]) -> list[str]:
    return [path] if isinstance(path, str) else path


def _key(content: str, duration_s: float | None, settings: Sequence[tuple[str, Scalar]]) -> str:
    return hashlib.sha256(_json([content, duration_s, sorted(settings, key=lambda own: own[0])])).hexdigest()[
        :16
    ]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _names(document: Document, sweep: Sweep) -> list[Finding]:
    found = []
    parameters = list(sweep.parameters())
    taken: dict[str, str] = {}
    set_by: dict[str, str] = {}
    if not parameters:
        what = "varies nothing"
        found.append(Finding(document.mark(()), "", what, "add parameters under grid, together or random"))
    for section, name, entry in parameters:
        if name in result_names():
            what = f"'{name}' is the name of a column of the results"
            found.append(finding(document, (section, name), what, "choose another"))
        if name in taken:
            what = f"'{name}' stands under {taken[name]} too"
            found.append(finding(document, (section, name), what, "give each parameter one place"))
        taken.setdefault(name, section)
        for path in _texts(entry.path):
            if path in set_by:
                what = f"'{path}' is already set by '{set_by[path]}'"
                found.append(finding(document, (section, name, "path"), what, "set each key once"))
            set_by.setdefault(path, name)
    if sweep.count is not None and not sweep.random:
        found.append(finding(document, ("count",), "nothing is drawn", "add 'random', or leave it out"))
    return found


def _paths(document: Document, sweep: Sweep, files: SiteFiles) -> list[Finding]:
    found = []
    places: dict[object, str] = {}
    for section, name, entry in sweep.parameters():
        for path in _texts(entry.path):
            try:
                place = files.place(path)
            except PathError as error:
                what, _, mend = str(error).partition("; ")
                found.append(finding(document, (section, name, "path"), f"'{path}': {what}", mend))
                continue
            # Two spellings of one place, by name and by position.
            other = places.setdefault(place, path)
            if other != path:
                what = f"'{path}' is the same place as '{other}'"
                found.append(finding(document, (section, name, "path"), what, "set each key once"))
    return found


def _check_count(document: Document, sweep: Sweep, limit: int) -> None:
    """Refuse too many variants before any value of them is made."""
    total = sweep.count or 1
    for entry in sweep.grid.values():
        total *= count_of(entry)
    total *= max((count_of(entry) for entry in sweep.together.values()), default=1)
    if total > limit:
        what = f"these are {total} variants, more than {limit}"
        mend = f"take fewer values, or allow them with --limit {total}"
        raise BadInputError(Finding(Mark(document.file), "", what, mend))


def _combinations(document: Document, sweep: Sweep) -> tuple[list[str], list[tuple[Scalar, ...]]]:
    """Return the names of all parameters and their values in every variant."""
    findings: list[Finding] = []
    grid = {name: _listed(document, "grid", name, entry, findings) for name, entry in sweep.grid.items()}
    together = {
        name: _listed(document, "together", name, entry, findings) for name, entry in sweep.together.items()
    }
    lengths = {name: len(values) for name, values in together.items()}
    for name, length in lengths.items():
        first = next(iter(lengths))
        if length != lengths[first] and not findings:
            what = f"has {length} values, '{first}' has {lengths[first]}"
            findings.append(finding(document, ("together", name), what, "give all of them as many"))
    random = {}
    count = (sweep.count or 1) if sweep.random else 1
    for name, draw in sweep.random.items():
        try:
            random[name] = drawn(draw, count, seed=sweep.seed, name=name)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            findings.append(finding(document, ("random", name, draw.distribution), what, mend))
    if findings:
        raise BadInputError(*findings)
    rows = [
        (*combination, *row, *draws)
        for combination in product(*grid.values())
        for row in (zip(*together.values(), strict=True) if together else [()])
        for draws in (zip(*random.values(), strict=True) if random else [()])
    ]
    return [*grid, *together, *random], rows


def _listed(
    document: Document, section: str, name: str, entry: Values, findings: list[Finding]
) -> list[Scalar]:
    kind = next(kind for kind in ("values", "range", "steps") if getattr(entry, kind) is not None)
    try:
        values = listed(entry)
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        findings.append(finding(document, (section, name, kind), what, mend))
        return []
    seen: dict[tuple[type, Scalar], int] = {}
    for at, value in enumerate(values):
        first = seen.setdefault((type(value), value), at)
        if section == "grid" and first != at:
            what = f"{value!r} stands twice"
            findings.append(finding(document, (section, name, kind, at), what, "give each value once"))
    return values
