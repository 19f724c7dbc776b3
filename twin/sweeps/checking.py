"""Every variant through the scenario's own loader; what it finds is said at the parameter that caused it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twin.contracts import BadInputError, Finding
from twin.documents import Document, suggestion
from twin.documents.validation import dotted
from twin.scenario import SiteScenario
from twin.sweeps.errors import PathError
from twin.sweeps.schema import Scalar, Sweep, Values
from twin.sweeps.site_files import SiteFiles, named_files

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")
_MOST = 50
"""Findings that are told; a wrong path of many variants is one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all variants together name."""

    files: frozenset[str]
    """Relative to the scenario."""
    meters: tuple[str, ...]


def finding(document: Document, path: tuple[str | int, ...], what: str, mend: str) -> Finding:
    """Return a finding at a place of the parameter file."""
    return Finding(document.mark(path), dotted(path), what, mend)


def check_variants(
    document: Document,
    sweep: Sweep,
    files: SiteFiles,
    *,
    base: SiteScenario,
    rows: Sequence[tuple[Scalar, ...]],
    settings: Sequence[Sequence[tuple[str, Scalar]]],
) -> Seen:
    """Load every variant and return what they name.

    Raises
    ------
    BadInputError
        With each finding once, at the parameter whose value is the cause where there is one.
    """
    blame = _Blame(document, sweep, files)
    found: dict[tuple[object, ...], Finding] = {}
    named: set[str] = set(named_files(base))
    meters: dict[str, None] = {}
    for row, own in zip(rows, settings, strict=True):
        try:
            scenario = files.variant(own, duration_s=sweep.duration)
        except BadInputError as error:
            for item in error.findings:
                found.setdefault(*blame.place(item, row))
        except PathError as error:
            what, _, mend = str(error).partition("; ")
            there = Finding(document.mark(()), "", f"{blame.variant(row)}: {what}", mend)
            found.setdefault((what,), there)
        else:
            named |= named_files(scenario)
            meters |= dict.fromkeys(meter.config.name for meter in scenario.meters)
        if len(found) >= _MOST:
            break
    for key in ("supplied", "delivered") if sweep.balance else ():
        for at, name in enumerate(getattr(sweep.balance, key)):
            if not found and name not in meters:
                what, mend = f"there is no meter '{name}'", suggestion(name, meters, "meters")
                there = finding(document, ("balance", key, at), what, mend)
                found[there.where, what] = there
    if found:
        raise BadInputError(*sorted(found.values(), key=lambda item: (item.where, item.what)))
    return Seen(frozenset(named), tuple(meters))


class _Blame:
    """Which parameter is the cause of a finding."""

    def __init__(self, document: Document, sweep: Sweep, files: SiteFiles) -> None:
        self._document = document
        self._names: list[str] = []
        self._causes: dict[str, tuple[int, str, Values | None]] = {}
        for at, (section, name, entry) in enumerate(sweep.parameters()):
            self._names.append(name)
            values = entry if isinstance(entry, Values) else None
            for path in [entry.path] if isinstance(entry.path, str) else entry.path:
                in_network, place = files.place(path)
                field = f"network.{dotted(place)}" if in_network else dotted(place)
                self._causes[field] = (at, section, values)

    def place(self, item: Finding, row: Sequence[Scalar]) -> tuple[tuple[object, ...], Finding]:
        """Return a finding of a variant as one of this file, after what others of its kind have in common."""
        cause = self._causes.get(item.field)
        if cause is None:
            what = f"{self.variant(row)}: {item.field}: {item.what}"
            return (item.field, item.what), Finding(self._document.mark(()), "", what, item.mend)
        at, section, values = cause
        name, value = self._names[at], row[at]
        path: tuple[str | int, ...] = (section, name)
        if "unknown" in item.what and "field" in item.what:
            path = (*path, "path")
            return path, finding(self._document, path, f"{item.field}: {item.what}", item.mend)
        if values is not None and values.values is not None:
            same = [type(other) is type(value) and other == value for other in values.values]
            path = (*path, "values", same.index(True))
        # Of many draws that are wrong in the same way one is told.
        alike = (path, _NUMBER.sub("#", item.what.replace(str(value), "")))
        return alike, finding(self._document, path, f"{value!r}: {item.what}", item.mend)

    def variant(self, row: Sequence[Scalar]) -> str:
        """Return a variant in words."""
        return "with " + ", ".join(f"{name} {value}" for name, value in zip(self._names, row, strict=True))
