"""The network file for editors (JSON Schema) and for readers (tables), from the one list of fields."""

from typing import Any

from twin.grid.fields import SECTIONS, Field, Kind

_NUMBER = {"type": "number"}
_NAME = {"type": ["string", "integer"]}

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.NAME: _NAME,
    Kind.TEXT: {"type": "string"},
    Kind.NUMBER: _NUMBER,
    Kind.WHOLE: {"type": "integer"},
    Kind.FLAG: {"type": "boolean"},
    Kind.NUMBERS: {"type": "array", "items": _NUMBER},
    Kind.WHOLES: {"type": "array", "items": {"type": "integer"}},
    Kind.POWER: {"anyOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 1, "maxItems": 3}]},
    Kind.MATRIX: {"type": "array", "items": {"type": "array", "items": _NUMBER}},
}


def network_schema() -> dict[str, Any]:
    """Return the JSON Schema of a network file."""
    header: dict[str, Any] = {
        "network": {**_NAME, "description": "name of the network"},
        "description": {"type": "string"},
        "origin": {"type": "string", "description": "where the data come from"},
        "assumptions": {"type": "array", "items": {"type": "string"}},
        "frequency_hz": {"type": "number", "default": 50},
    }
    sections = {section: _section(fields) for section, fields in SECTIONS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "network file",
        "type": "object",
        "properties": {**header, **sections},
        "required": ["network", "buses", "sources"],
        "additionalProperties": False,
    }


def _section(fields: tuple[Field, ...]) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {field.key: {**_TYPES[field.kind], "description": field.meaning} for field in fields},
        "required": [field.key for field in fields if field.required],
        "additionalProperties": False,
    }
    table = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"enum": [field.key for field in fields]}},
            "rows": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["columns", "rows"],
        "additionalProperties": False,
    }
    return {"anyOf": [{"type": "array", "items": row}, table]}


def field_table(section: str) -> str:
    """Return the fields of a section as a Markdown table."""
    lines = ["| field | type | required | meaning |", "|---|---|---|---|"]
    for field in SECTIONS[section]:
        if field.required:
            need = "yes"
        elif field.default in (None, "", ()):
            need = "no"
        else:
            default = field.default
            number = isinstance(default, int | float) and not isinstance(default, bool)
            need = f"no ({f'{default:g}' if number else str(default).lower()})"
        lines.append(f"| `{field.key}` | {field.kind} | {need} | {field.meaning} |")
    return "\n".join(lines)
