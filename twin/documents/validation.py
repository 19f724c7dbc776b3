"""From a document to a pydantic model, with every error as a finding that has a line."""

import difflib
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from twin.contracts import BadInputError, Finding
from twin.documents.yaml_document import Document

Model = TypeVar("Model", bound=BaseModel)


_CHOICES = ("one", "several")
"""Tags by which a field takes one thing or a list of them."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of ``names`` that is spelled most like ``name``, or None when none is alike."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return close[0] if close else None


def suggestion(name: str, names: Iterable[str], kind: str) -> str:
    """Return the mend for an unknown name: the nearest one, or what there is to choose from."""
    known = sorted(names)
    close = nearest(name, known)
    if close:
        return f"did you mean '{close}'?"
    if not known:
        return "there are none here"
    return f"known {kind}: {', '.join(known[:8])}{' ..' if len(known) > 8 else ''}"


def validate(document: Document, model: type[Model]) -> Model:
    """Return the document as a model.

    Raises
    ------
    BadInputError
        With one finding for each field that is unknown, missing or wrong.
    """
    if not isinstance(document.data, dict):
        what = "is empty" if document.data is None else "holds no fields"
        raise BadInputError(Finding(document.mark(()), "", what, f"see the reference of a {model.__name__}"))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        findings = [_finding(document, model, item) for item in error.errors(include_url=False)]
        raise BadInputError(*sorted(findings, key=lambda finding: finding.where)) from None


def findings_of(data: Any, errors: Iterable[Any], model: type[BaseModel] | None = None) -> list[Finding]:
    """Return errors that pydantic found in data that comes from no file.

    Parameters
    ----------
    data : object
        What was validated.
    errors : iterable of dict
        As ``ValidationError.errors`` returns them.
    model : type of BaseModel, optional
        What the data should have been; known fields are suggested then.
    """
    document = Document("", data, {})
    return [_finding(document, model, item) for item in errors]


def _finding(document: Document, model: type[BaseModel] | None, item: Any) -> Finding:
    kind = item["type"]
    loc = item["loc"]
    if kind.startswith("union_tag") and isinstance(loc[-1], str) and loc[-1] in _CHOICES:
        loc = loc[:-1]  # the union within a union: it is no key
    path = _real_path(document.data, loc)
    field = dotted(path)
    where = document.mark(path)
    if kind == "extra_forbidden":
        if model is None:
            return Finding(where, field, "unknown field", "leave it out")
        known = _known_fields(model, path[:-1], item["loc"])
        return Finding(where, field, "unknown field", suggestion(str(path[-1]), known, "fields"))
    if kind == "missing":
        return Finding(where, field, "is missing", f"add '{path[-1]}'")
    if kind == "union_tag_not_found":
        return Finding(
            where, field, "does not say of which kind it is", f"add {item['ctx']['discriminator']}"
        )
    if kind == "union_tag_invalid":
        return Finding(where, field, "is of no known kind", f"give one of {item['ctx']['expected_tags']}")
    message = item["msg"].removeprefix("Value error, ")
    what, _, mend = message.partition("; ")
    if kind == "value_error" and mend:
        return Finding(where, field, what, mend)
    what = message[:1].lower() + message[1:]
    shown = repr(item["input"])
    shown = shown if len(shown) <= 60 else f"{shown[:60]}.."
    return Finding(where, field, f"{what} (it is {shown})", "change the value")


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as people write it: ``meters[2].ct``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _real_path(data: Any, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the parts of a pydantic location that name a union's branch, not a key of the data."""
    path: list[str | int] = []
    for at, part in enumerate(loc):
        if isinstance(data, dict):
            # A union's tag may be spelled like a key; there is no way on from a single value.
            if part in data and (at == len(loc) - 1 or isinstance(data[part], dict | list)):
                data = data[part]
            elif at != len(loc) - 1:
                continue
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _known_fields(
    model: type[BaseModel], path: tuple[str | int, ...], loc: tuple[str | int, ...]
) -> list[str]:
    """Return the fields that the model has at ``path``, walking its annotations; [] when unclear."""
    models: list[type[BaseModel]] = [model]
    for part in path:
        if isinstance(part, int):
            continue
        models = [
            inner
            for outer in models
            if part in outer.model_fields
            for inner in _models_in(outer.model_fields[str(part)].annotation)
        ]
    tags = {str(part) for part in loc}
    tagged = [inner for inner in models if tags & _tags(inner)]
    names = {name for inner in (tagged or models) for name in inner.model_fields}
    return sorted(names)


def _tags(model: type[BaseModel]) -> set[str]:
    """Return the literal values by which a union tells this model from others."""
    found: set[str] = {model.__name__}
    for info in model.model_fields.values():
        found.update(str(arg) for arg in getattr(info.annotation, "__args__", ()))
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for arg in getattr(annotation, "__args__", ()) for found in _models_in(arg)]
