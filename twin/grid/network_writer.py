"""Writing a network file: rows in flow style, a table where there are many."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from twin.grid.components import Line, Matrix, Source, Spectrum
from twin.grid.fields import SECTIONS, Field, Kind
from twin.grid.network import Network

_TABLE = 24
"""From so many rows on, a section is written as columns and rows."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./+-]*(?<! )\Z")
_WORDS = {"true", "false", "null"}
_WIDTH = 100


def write_network(network: Network, path: Path | str) -> None:
    """Write a network file; the file appears whole or not at all.

    Parameters
    ----------
    network : Network
    path : Path or str
        An existing file is replaced.
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(network_text(network))
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def network_text(network: Network) -> str:
    """Return a network as the text of its file."""
    lines = [f"network: {_text(network.name)}"]
    for key, value in (("description", network.description), ("origin", network.origin)):
        if value:
            lines.extend([f"{key}: >-", *_wrapped(value)])
    if network.assumptions:
        lines.append("assumptions:")
        for assumption in network.assumptions:
            first, *rest = _wrapped(assumption)
            lines.extend([f"  - >-\n  {first}", *(f"  {line}" for line in rest)])
    lines.append(f"frequency_hz: {_number(network.frequency)}")
    for section, fields in SECTIONS.items():
        rows = [_row(component, fields) for component in getattr(network, section)]
        if rows:
            lines.extend(["", f"{section}:", *_section(rows, fields)])
    return "\n".join(lines) + "\n"


def _row(component: Any, fields: tuple[Field, ...]) -> dict[str, str]:
    """Return the fields that a component sets, as text by key."""
    values = _values(component, fields)
    out = {}
    for field in fields:
        value = values[field.attribute]
        if not field.required and value == field.default:
            continue
        if field.kind is Kind.NUMBERS and value is not None:
            value = list(value)  # a list of one keeps its brackets
        elif isinstance(value, float) and field.factor != 1.0:
            value = _unscaled(value, field.factor)
        elif isinstance(value, tuple) and field.factor != 1.0:
            value = tuple(tuple(_unscaled(item, field.factor) for item in row) for row in value)
        out[field.key] = _value(value)
    return out


def _unscaled(value: float, factor: float) -> float:
    """Return what was typed: 15 digits give it back, as the factor is a power of ten."""
    return float(f"{value / factor:.15g}")


def _values(component: Any, fields: tuple[Field, ...]) -> dict[str, Any]:
    if isinstance(component, Spectrum):
        shares = component.shares
        return {
            "name": component.name,
            "orders": [share.order for share in shares],
            "percent": [share.percent for share in shares],
            "angle_deg": [share.angle_deg for share in shares],
        }
    values = {field.attribute: getattr(component, field.attribute, None) for field in fields}
    if isinstance(component, Line) and component.type:
        values.update(dict.fromkeys(("r1", "x1", "r0", "x0", "r", "x", "c")))
        values.update({"c1": 0.0, "c0": 0.0})
    if isinstance(component, Source):
        values["ideal"] = component.ideal
    return values


def _section(rows: list[dict[str, str]], fields: tuple[Field, ...]) -> list[str]:
    if len(rows) < _TABLE:
        return [f"  - {{{', '.join(f'{key}: {value}' for key, value in row.items())}}}" for row in rows]
    used = [field.key for field in fields if any(field.key in row for row in rows)]
    body = [f"    - [{', '.join(row.get(key, 'null') for key in used)}]" for row in rows]
    return [f"  columns: [{', '.join(used)}]", "  rows:", *body]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        rows = [row[: at + 1] for at, row in enumerate(value)] if _symmetric(value) else value
        return f"[{', '.join('[' + ', '.join(map(_number, row)) + ']' for row in rows)}]"
    if isinstance(value, list | tuple):
        items = [_number(item) for item in value]
        # A single-phase load's one power stands without brackets.
        return items[0] if isinstance(value, tuple) and len(items) == 1 else f"[{', '.join(items)}]"
    return _number(value)


def _symmetric(matrix: Matrix) -> bool:
    return all(matrix[i][j] == matrix[j][i] for i in range(len(matrix)) for j in range(i))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _text(text: str) -> str:
    if text.isdecimal() and str(int(text)) == text:
        return text
    if _PLAIN.match(text) and text not in _WORDS:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) + 1 > _WIDTH:
            lines.append(f"  {line}")
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, f"  {line}"]
