"""Write the pages that are generated from the code: ``python docs/generate.py``.

A test compares them with what this would write, so that they cannot go stale.
"""

import ast
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from twin.recording.tables import SCHEMA_VERSION, TABLES, Table, profile_table
from twin.scenario.schema import Scenario

HEAD = """# Scenario reference

One YAML file. Quantities carry their unit (`3.2 kW`, `240 ms`, `90 %`); local times are written `18:42`,
`18:42:10.003` or with a date; paths are relative to the file. `twin check FILE` finds what is wrong with one,
`twin schema` prints its JSON Schema. This page is generated from the schema.
"""


TABLE = "| field | type | required | description |\n|---|---|---|---|\n"


def scenario_page() -> str:
    """Return ``docs/scenario.md``."""
    parts = [HEAD]
    for model in _models(Scenario, []):
        parts.append(f"## {model.__name__}\n\n{(model.__doc__ or '').strip()}\n")
        rows = [_row(name, field) for name, field in model.model_fields.items()]
        parts.append(TABLE + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _models(model: type[BaseModel], seen: list[type[BaseModel]]) -> list[type[BaseModel]]:
    if model not in seen:
        seen.append(model)
        for field in model.model_fields.values():
            for inner in _inner(field.annotation):
                _models(inner, seen)
    return seen


def _inner(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in typing.get_args(annotation) for found in _inner(argument)]


def _row(name: str, field: FieldInfo) -> str:
    if field.is_required():
        required = "yes"
    elif field.default is PydanticUndefined or field.default in (None, ""):
        required = "no"
    else:
        required = f"no: {field.default:g} {_unit(field)}" if _unit(field) else f"no: {field.default}"
    limits = [
        f"{sign} {getattr(rule, key):g}"
        for rule in field.metadata
        for key, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
        if isinstance(getattr(rule, key, None), int | float)
    ]
    text = ", ".join([field.description or "", *limits]).strip(", ")
    return f"| `{name}` | {_type(field.annotation, field.metadata)} | {required} | {text} |"


def _unit(field: FieldInfo) -> str:
    """Return the SI unit of a quantity; empty for anything else."""
    schemas = [getattr(rule, "json_schema", None) or {} for rule in field.metadata]
    texts = [str(schema.get("description", "")) for schema in schemas]
    return next((text.removeprefix("quantity in ") for text in texts if text), "")


def _type(annotation: Any, metadata: list[Any]) -> str:
    for rule in metadata:
        schema = getattr(rule, "json_schema", None)
        if schema and "examples" in schema:
            return f"quantity, as `{schema['examples'][0]}`"
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {_type(arguments[0], [])}"
    if origin is dict:
        return f"mapping of {_type(arguments[0], [])} to {_type(arguments[1], [])}"
    if origin is typing.Annotated:
        return _type(arguments[0], list(arguments[1:]))
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type(item, []) for item in arguments if item is not type(None))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


BEGIN, END = "<!-- generated from twin/recording/tables.py -->\n", "<!-- end -->\n"
"""Between them is what the code says of a recording's tables."""


def recording_page(text: str) -> str:
    """Return ``docs/recording.md`` with its list of tables anew."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    rows = [
        _column_row(table, at)
        for table in (*TABLES, profile_table(1, ("..",)))
        for at in range(len(table.columns))
    ]
    head = f"Schema version {SCHEMA_VERSION}.\n\n| table | column | type | |\n|---|---|---|---|\n"
    return f"{before}{BEGIN}\n{head}" + "\n".join(rows) + f"\n\n{END}{after}"


def _column_row(table: Table, at: int) -> str:
    column = table.columns[at]
    null = "" if column.required else " or NULL"
    notes = ["key"] if column.name in table.key else []
    notes += [column.note.replace("|", "\\|")] if column.note else []
    name = f"`{column.name}`" if column.name != ".." else ".."
    return f"| {f'`{table.name}`' if at == 0 else ''} | {name} | {column.kind}{null} | {'; '.join(notes)} |"


CASES_BEGIN = "<!-- generated from examples/alarm_cases -->\n"
CASES = Path(__file__).parent.parent / "examples" / "alarm_cases"


def alarm_cases_page(text: str) -> str:
    """Return ``docs/alarm-cases.md`` with a table for each file of tests, as they say of themselves."""
    before, rest = text.split(CASES_BEGIN)
    _, after = rest.split(END)
    themes = []
    for file in sorted(CASES.glob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        tests = [
            one for one in module.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
        ]
        title = (ast.get_docstring(module) or "").partition(":")[0]
        rows = [_case_row(test) for test in tests]
        head = "| case | customary mistake | asserted | test |\n|---|---|---|---|\n"
        themes.append(f"## {title}\n\n`{file.name}`\n\n{head}" + "\n".join(rows) + "\n")
    return before + CASES_BEGIN + "\n" + "\n".join(themes) + "\n" + END + after


def _case_row(test: ast.FunctionDef) -> str:
    case, _, rest = (ast.get_docstring(test) or "").partition("\n\n")
    mistake, _, asserted = " ".join(rest.split()).removeprefix("Mistake: ").partition(" Asserted: ")
    cells = (case, mistake, asserted, f"`{test.name}`")
    if not all(cells):
        raise ValueError(f"{test.name} does not say case, mistake and what is asserted")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write every generated page."""
    folder = Path(__file__).parent
    (folder / "scenario.md").write_text(scenario_page(), encoding="utf-8")
    cases = folder / "alarm-cases.md"
    cases.write_text(alarm_cases_page(cases.read_text(encoding="utf-8")), encoding="utf-8")
    recording = folder / "recording.md"
    recording.write_text(recording_page(recording.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
