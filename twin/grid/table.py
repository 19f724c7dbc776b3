"""A section of a network file as typed columns, with a finding for every value that does not fit.

A section is a list of mappings, or, where there are many rows, a mapping with ``columns`` and ``rows``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from twin.contracts import Finding, Mark
from twin.documents import Document, suggestion
from twin.grid.fields import SECTIONS, Field, Kind

_MANY = 20
"""Suggestions for misspelt names are looked up so many times, not for every row of a large file."""


_LEAST, _MOST = 1e-30, 1e30
"""Range of the size of numbers that are not zero."""

_UNITS = {
    "v": "V",
    "a": "A",
    "ohm": "ohm",
    "f": "F",
    "w": "W",
    "var": "var",
    "va": "VA",
    "m": "m",
    "s": "s",
    "hz": "Hz",
    "percent": "%",
}
"""Units by the last part of a key."""


class Places:
    """Where the fields of a network's components stand in its document."""

    def __init__(self, document: Document | None, name: str = "") -> None:
        self._document = document
        self._name = name
        self._suggested = 0
        self._written: dict[str, list[int]] = {}
        self.incomplete: set[str] = set()
        """Sections with rows that could not be read: a name may be missing for that reason alone."""

    def left_out(self, section: str, kept: list[int], *, complete: bool) -> None:
        """Take note which rows of a section became components; all others have a finding already."""
        self._written[section] = kept
        if not complete:
            self.incomplete.add(section)

    def row(self, section: str, at: int) -> int:
        """Return where in the file component ``at`` of a section stands."""
        return self._written[section][at] if section in self._written else at

    def mark(self, section: str, at: int | None = None, key: str = "") -> Mark:
        """Return the place of a field, or of its row or section where the field is not written."""
        if self._document is None:
            return Mark(self._name)
        data = self._document.data if isinstance(self._document.data, dict) else {}
        body = data.get(section)
        path: tuple[str | int, ...] = (section,)
        at = None if at is None else self.row(section, at)
        if at is not None and isinstance(body, dict):
            columns = body.get("columns")
            path = (section, "rows", at)
            if isinstance(columns, list) and key in columns:
                path = (*path, columns.index(key))
        elif at is not None:
            path = (section, at, key)
        return self._document.mark(path)

    def finding(self, section: str, at: int | None, key: str, what: str, mend: str) -> Finding:
        """Return a finding about a field of row ``at`` of a section."""
        field = section if at is None else f"{section}[{self.row(section, at)}]"
        return Finding(self.mark(section, at, key), f"{field}.{key}" if key else field, what, mend)

    def unknown(
        self, section: str, at: int, key: str, name: str, known: Sequence[str] | dict[str, int], kind: str
    ) -> Finding:
        """Return a finding about a name that does not exist."""
        self._suggested += 1
        if not known:
            mend = "the network has none: add it"
        elif self._suggested <= _MANY:
            mend = suggestion(name, list(known), kind)
        else:
            mend = f"give the name of one of the {kind}"
        return self.finding(section, at, key, f"there is no '{name}' among the {kind}", mend)


def read_section(
    document: Document, section: str, places: Places, findings: list[Finding]
) -> list[dict[str, Any]]:
    """Return a section's rows as dicts of attribute to SI value; faulty rows are left out.

    What is wrong is appended to ``findings``.
    """
    body = document.data.get(section)
    if body is None:
        return []
    fields = {field.key: field for field in SECTIONS[section]}
    if isinstance(body, dict):
        rows = _from_table(document, section, body, fields, places, findings)
    elif isinstance(body, list):
        rows = _from_mappings(document, section, body, fields, places, findings)
    else:
        findings.append(places.finding(section, None, "", "is no list", "write one row per component"))
        return []
    good, kept = [], []
    for at, row in rows:
        values = _typed(section, at, row, fields, places, findings)
        if values is not None:
            good.append(values)
            kept.append(at)
    whole = body.get("rows") if isinstance(body, dict) else body
    places.left_out(section, kept, complete=isinstance(whole, list) and len(kept) == len(whole))
    return good


def _from_table(
    document: Document,
    section: str,
    body: dict[str, Any],
    fields: dict[str, Field],
    places: Places,
    findings: list[Finding],
) -> list[tuple[int, dict[str, Any]]]:
    columns, rows = body.get("columns"), body.get("rows")
    for key in body:
        if key not in {"columns", "rows"}:
            mend = suggestion(key, ["columns", "rows"], "keys")
            findings.append(Finding(document.mark((section, key)), f"{section}.{key}", "unknown key", mend))
    if not isinstance(columns, list) or not isinstance(rows, list):
        mend = "give 'columns: [..]' and 'rows:', or a list of mappings"
        findings.append(places.finding(section, None, "", "is no table", mend))
        return []
    unknown = [name for name in columns if not isinstance(name, str) or name not in fields]
    for column, name in enumerate(columns):
        where = document.mark((section, "columns", column))
        if name in unknown:
            mend = suggestion(str(name), list(fields), "columns")
            findings.append(Finding(where, f"{section}.columns", f"unknown column '{name}'", mend))
        elif name in columns[:column]:
            what = f"column '{name}' stands twice"
            findings.append(Finding(where, f"{section}.columns", what, "remove one of them"))
    good = []
    width = len(columns)
    for at, row in enumerate(rows):
        if isinstance(row, list) and len(row) == width:
            if not unknown:
                good.append((at, dict(zip(columns, row, strict=True))))
        else:
            what = f"has {len(row)} values" if isinstance(row, list) else "is no list"
            findings.append(places.finding(section, at, "", what, f"give {width}, one for each column"))
    return good


def _from_mappings(
    document: Document,
    section: str,
    body: list[Any],
    fields: dict[str, Field],
    places: Places,
    findings: list[Finding],
) -> list[tuple[int, dict[str, Any]]]:
    good = []
    for at, row in enumerate(body):
        if not isinstance(row, dict):
            mend = "write it as {name: .., ..}"
            findings.append(places.finding(section, at, "", "is no mapping", mend))
            continue
        unknown = [key for key in row if key not in fields]
        for key in unknown:
            where = document.mark((section, at, key))
            mend = suggestion(key, list(fields), "fields")
            findings.append(Finding(where, f"{section}[{at}].{key}", "unknown field", mend))
        if not unknown:
            good.append((at, row))
    return good


def _typed(
    section: str,
    at: int,
    row: dict[str, Any],
    fields: dict[str, Field],
    places: Places,
    findings: list[Finding],
) -> dict[str, Any] | None:
    """Return a row's values in SI by attribute, or None with findings."""
    out: dict[str, Any] = {}
    good = True
    for key, field in fields.items():
        value = row.get(key)
        if value is None:
            if field.required:
                findings.append(places.finding(section, at, key, "is missing", f"add '{key}'"))
                good = False
            out[field.attribute] = field.default
            continue
        typed = _CONVERT[field.kind](value)
        if typed is None:
            findings.append(places.finding(section, at, key, *_misfit(value, field)))
            good = False
            continue
        out[field.attribute] = _scaled(typed, field.factor)
    return out if good else None


def _scaled(value: Any, factor: float) -> Any:
    if factor == 1.0:
        return value
    if isinstance(value, tuple):
        return tuple(_scaled(item, factor) for item in value)
    return value * factor


def _misfit(value: object, field: Field) -> tuple[str, str]:
    unit = _UNITS.get(field.key.rsplit("_", 1)[-1], "a bare number")
    if isinstance(value, str) and value[:1].isdigit() and field.kind in {Kind.NUMBER, Kind.POWER}:
        return f"'{value}' is no plain number", f"the unit belongs to the key: give it in {unit}"
    if type(value) in {float, int} and field.kind in {Kind.NUMBER, Kind.POWER}:
        what = f"{value:.6g}" if type(value) is float else "a number of so many digits"
        return f"{what} does not fit ({field.meaning})", f"give a number of {_LEAST:g} to {_MOST:g}, or 0"
    article = "" if field.kind is Kind.FLAG else "a "
    return f"{value!r} does not fit ({field.meaning})", f"give {article}{field.kind}"


def _name(value: object) -> str | None:
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _number(value: object) -> float | None:
    # Infinity, what is no number, and what no network has: beyond this range its equations overflow.
    if (type(value) is float or type(value) is int) and (value == 0 or _LEAST <= abs(value) <= _MOST):
        return float(value)
    return None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _flag(value: object) -> bool | None:
    return value if type(value) is bool else None


def _list(of: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...] | None]:
    def convert(value: object) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            return None
        items = tuple(of(item) for item in value)
        return None if None in items else items

    return convert


def _power(value: object) -> tuple[float, ...] | None:
    if isinstance(value, list):
        items = [_number(item) for item in value]
        known = tuple(item for item in items if item is not None)
        return known if len(known) == len(items) in (1, 2, 3) else None
    number = _number(value)
    return None if number is None else (number,)


def _matrix(value: object) -> tuple[tuple[float, ...], ...] | None:
    """Return a symmetric matrix from its rows, or from the rows of its lower triangle."""
    rows = _list(_list(_number))(value)
    if not rows:
        return None
    size = len(rows)
    if [len(row) for row in rows] == list(range(1, size + 1)):
        return tuple(tuple(rows[max(i, j)][min(i, j)] for j in range(size)) for i in range(size))
    return rows if all(len(row) == size for row in rows) else None


_CONVERT: dict[Kind, Callable[[object], Any]] = {
    Kind.NAME: _name,
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.FLAG: _flag,
    Kind.NUMBERS: _list(_number),
    Kind.WHOLES: _list(_whole),
    Kind.POWER: _power,
    Kind.MATRIX: _matrix,
}
