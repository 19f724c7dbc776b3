"""Point lists: CSV files in which each row is one point with its conditions and its limit.

Lines that begin with ``#`` are comments; the first other line names the columns. A column that a list does
not have, and a cell that is empty, mean the usual value.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from twin.calibrator import conditions as cells
from twin.calibrator.conditions import Conditions, VoltageStep
from twin.calibrator.quantities import QUANTITIES, Basis, Course, Quantity
from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion

REQUIRED: Final = ("point", "quantity", "limit", "of")
_CONDITIONS: Final[dict[str, Callable[[str], Any]]] = {
    "voltage": cells.triple,
    "current": cells.current,
    "load": cells.load,
    "power_factor": cells.lag_of_cosine,
    "sin_phi": cells.lag_of_sine,
    "direction": cells.direction,
    "frequency": cells.frequency,
    "u_harmonics": cells.harmonics,
    "i_harmonics": cells.harmonics,
    "u_interharmonics": cells.interharmonics,
    "i_interharmonics": cells.interharmonics,
    "sequence": lambda text: _one_of(text, ("abc", "acb")),
    "modulation": cells.modulation,
    "event_voltage": cells.triple,
    "event_cycles": cells.cycles,
    "event_angle": cells.number,
    "lamp": lambda text: _one_of(text, ("230", "120")),
    "nominal_frequency": lambda text: int(_one_of(text, ("50", "60"))),
}
COLUMNS: Final = ("point", "quantity", "phase", "order", *_CONDITIONS, "applied", "limit", "of")
"""Every column that a list may have."""
_EVENTS: Final = {Course.EVENT, Course.CHANGE}


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """One point of a list."""

    point: str
    """Its name, alone in its list."""
    quantity: Quantity
    phase: str | None
    """a, b or c; None for the total, or for the phase with the largest error."""
    order: int | None
    """Harmonic order, or the order below an interharmonic subgroup."""
    conditions: Conditions
    applied: float | None
    """What should be read where no formula gives it (flicker); None where the conditions do."""
    limit: float
    """In the unit of its basis."""
    of: Basis


def read_points(path: Path, *, name: str | None = None) -> tuple[CalibrationPoint, ...]:
    """Return the points of a list.

    Parameters
    ----------
    path : Path
        CSV, UTF-8.
    name : str, optional
        What findings call the file; the path without it.

    Raises
    ------
    BadInputError
        With every finding, each with its line and mend.
    OSError
        The file cannot be read.
    """
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
        raise BadInputError(Finding(Mark(file), "", what, "save it as CSV in UTF-8")) from None
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        finding = Finding(Mark(file), "", f"is no table ({error})", "save it as CSV, one point a line")
        raise BadInputError(finding) from None
    if not rows:
        mend = f"begin with a line of columns, at least {','.join(REQUIRED)}"
        raise BadInputError(Finding(Mark(file), "", "holds no points", mend))
    (line, header), *body = rows
    findings = _header_findings(Mark(file, line), header)
    if not findings and not body:
        findings = [Finding(Mark(file, line), "", "holds no points", "add a row for each point")]
    points, seen = [], dict[str, int]()
    for line, row in body if not findings else []:
        reader = _Row(Mark(file, line), header, row)
        point = reader.point()
        findings += reader.findings
        name_of = reader.cells.get("point", "")
        if name_of in seen:
            what = f"'{name_of}' stands in line {seen[name_of]} already"
            findings.append(Finding(Mark(file, line), "point", what, "give each point its own name"))
        seen.setdefault(name_of, line)
        if point is not None:
            points.append(point)
    if findings:
        raise BadInputError(*findings)
    return tuple(points)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are no comment, with their line."""
    for line, content in enumerate(text.splitlines(), start=1):
        if content.strip() and not content.lstrip().startswith("#"):
            yield line, [cell.strip() for cell in next(csv.reader([content]))]


def _header_findings(mark: Mark, header: list[str]) -> list[Finding]:
    findings = [
        Finding(mark, name, "unknown column", suggestion(name, COLUMNS, "columns"))
        for name in header
        if name not in COLUMNS
    ]
    findings += [
        Finding(mark, name, "column stands twice", "leave one of them out")
        for at, name in enumerate(header)
        if name in header[:at]
    ]
    findings += [
        Finding(mark, name, "column is missing", f"add a column '{name}'")
        for name in REQUIRED
        if name not in header
    ]
    return findings


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise ValueError(f"'{text}' is unknown; use one of {', '.join(allowed)}")
    return text


class _Row:
    """One row on its way to a point; it gathers what is wrong."""

    def __init__(self, mark: Mark, header: list[str], row: list[str]) -> None:
        self.mark = mark
        self.findings: list[Finding] = []
        self.cells = {name: cell for name, cell in zip(header, row, strict=False) if cell}
        if len(row) != len(header):
            what = f"has {len(row)} cells, the header has {len(header)}"
            self._find("", what, "write one cell for each column, empty ones too")

    def point(self) -> CalibrationPoint | None:
        """Return the point, or None where something is wrong."""
        if self.findings:
            return None
        for name in REQUIRED:
            if name not in self.cells:
                self._find(name, "is missing", f"give the row a {name}")
        quantity = self._quantity()
        values = {name: self._cell(name, read) for name, read in _CONDITIONS.items() if name in self.cells}
        phase = self._cell("phase", lambda text: _one_of(text, ("a", "b", "c")))
        order = self._cell("order", _order)
        applied = self._cell("applied", _positive)
        limit = self._cell("limit", _positive)
        of = self._cell("of", lambda text: Basis(_one_of(text, tuple(Basis))))
        if quantity is not None and not self.findings:
            self._check(quantity, values, phase, order, of)
        if self.findings or quantity is None:
            return None
        conditions = _conditions(values)
        name = self.cells["point"]
        return CalibrationPoint(name, quantity, phase, order, conditions, applied, limit, of)

    def _quantity(self) -> Quantity | None:
        name = self.cells.get("quantity")
        if name is None:
            return None
        if name not in QUANTITIES:
            self._find("quantity", f"'{name}' is unknown", suggestion(name, QUANTITIES, "quantities"))
        return QUANTITIES.get(name)

    def _cell(self, name: str, read: Callable[[str], Any]) -> Any:
        if name not in self.cells:
            return None
        try:
            return read(self.cells[name])
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            self._find(name, what, mend or "change the value")
            return None

    def _check(
        self, quantity: Quantity, values: dict[str, Any], phase: str | None, order: int | None, of: Basis
    ) -> None:
        """Find what the cells do not say together."""
        if of not in quantity.bases:
            bases = " or ".join(quantity.bases)
            self._find("of", f"an error of {quantity.name} is not stated in '{of}'", f"use {bases}")
        if quantity.by_order and order is None:
            self._find("order", f"{quantity.name} needs an order", "give one, for example 5")
        if order is not None and not quantity.by_order:
            self._find("order", f"{quantity.name} has no order", "leave the cell empty")
        if phase is not None and not quantity.by_phase:
            self._find("phase", f"{quantity.name} is one for all phases", "leave the cell empty")
        if "power_factor" in values and "sin_phi" in values:
            self._find("sin_phi", "stands beside power_factor", "give one of the two")
        stepped = {"event_voltage", "event_cycles"} & values.keys()
        if quantity.course in _EVENTS and len(stepped) < 2:
            self._find("event_voltage", f"{quantity.name} needs an event", "give event_voltage, event_cycles")
        if quantity.course not in _EVENTS and stepped | ({"event_angle"} & values.keys()):
            self._find("event_voltage", f"{quantity.name} is read without an event", "leave the cells empty")
        if quantity.course is Course.EVENT and values.get("event_cycles", 0.0) is None:
            self._find("event_cycles", f"{quantity.name} needs an event that ends", "give its cycles")
        if quantity.course is Course.CHANGE and values.get("event_cycles") is not None:
            self._find("event_cycles", f"{quantity.name} needs a change that stays", "write lasting")
        flicker = quantity.name in {"pinst", "pst"}
        if flicker and "modulation" not in values:
            self._find("modulation", f"{quantity.name} needs one", "for example: rectangular 8.8 0.196")
        if flicker and "applied" not in self.cells:
            self._find("applied", f"no formula gives the {quantity.name} of a modulation", "say what it is")
        if not flicker and "applied" in self.cells:
            self._find("applied", f"{quantity.name} follows from the conditions", "leave the cell empty")

    def _find(self, field: str, what: str, mend: str) -> None:
        self.findings.append(Finding(self.mark, field, what, mend))


def _order(text: str) -> int:
    value = cells.number(text)
    if value != int(value) or not 0 <= value <= 63:
        raise ValueError(f"order {text} is out of range; use whole orders to 63")
    return int(value)


def _positive(text: str) -> float:
    value = cells.number(text)
    if not value > 0.0:
        raise ValueError(f"{text} is not above zero; use a positive number")
    return value


def _conditions(values: dict[str, Any]) -> Conditions:
    """Return the conditions of a row's cells."""
    known = {field.name for field in fields(Conditions)}
    given = {name: value for name, value in values.items() if name in known}
    lag = values.get("power_factor", values.get("sin_phi", 0.0)) + values.get("direction", 0.0)
    step = None
    if "event_voltage" in values:
        angle = values.get("event_angle", 0.0)
        step = VoltageStep(values["event_voltage"], values["event_cycles"], angle)
    return Conditions(**given, lag_rad=lag, step=step)
