"""Paths to single keys: ``events[0].bus``, ``meters[head].ct``, ``network.lines[L3].length_m``.

A position in brackets counts from 0; anything else in brackets is the ``name`` of a list's entry, or a key
that a bare word cannot be. What stands under ``network.`` is in the network file.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from twin.documents import suggestion
from twin.sweeps.errors import PathError

Place = tuple[str | int, ...]
_STEP = re.compile(
    r"(?:^|\.)(?P<key>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<at>\d+)\]|\[(?P<name>\"[^\"]*\"|[^\]\[\"]+)\]"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A step to the entry of a list that has this name."""

    name: str


Steps = tuple[str | int | Named, ...]


@lru_cache(maxsize=4096)
def parse_path(text: str) -> tuple[bool, Steps]:
    """Return whether a path leads into the network file, and its steps.

    Raises
    ------
    PathError
        The text is no path.
    """
    steps: list[str | int | Named] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            break
        if match["key"] is not None:
            steps.append(match["key"])
        elif match["at"] is not None:
            steps.append(int(match["at"]))
        else:
            steps.append(Named(match["name"].strip('"')))
        at = match.end()
    if at < len(text) or not steps or not isinstance(steps[0], str):
        raise PathError(f"'{text}' is no path; write it as events[0].bus or network.lines[L3].length_m")
    in_network = steps[0] == "network" and len(steps) > 1
    return in_network, tuple(steps[1:] if in_network else steps)


def locate(data: Any, steps: Steps) -> Place:
    """Return where a path leads in a document: keys and positions.

    Keys that are not written may still exist, with a default: whoever validates the document knows.

    Raises
    ------
    PathError
        A list has no such entry, or what is there is not a single value.
    """
    place: list[str | int] = []
    for step in steps:
        if isinstance(data, list):
            at = _entry(data, step)
            place.append(at)
            data = data[at]
            continue
        if isinstance(step, int):
            raise PathError(f"there is no list to take entry {step} of; leave '[{step}]' out")
        key = step.name if isinstance(step, Named) else step
        if isinstance(step, Named) and not isinstance(data, dict):
            raise PathError(f"there is no '{key}' here; add it to the file first")
        if data is not None and not isinstance(data, dict):
            raise PathError(f"'{key}' is looked for in {data!r}; that is a single value, end the path there")
        place.append(key)
        data = (data or {}).get(key)
    if isinstance(data, dict | list):
        kind = "a list" if isinstance(data, list) else "a section"
        raise PathError(f"leads to {kind}; go on to a single value in it")
    return tuple(place)


def replaced(data: Any, place: Place, value: object) -> Any:
    """Return a document with another value at a place; parts that do not change are shared."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if isinstance(first, int):
        changed = list(data)
        changed[first] = replaced(data[first], rest, value)
        return changed
    here = data or {}
    return {**here, first: replaced(here.get(first), rest, value)}


def _entry(entries: list[Any], step: str | int | Named) -> int:
    if isinstance(step, int):
        if step < len(entries):
            return step
        raise PathError(f"there is no entry {step}; the list has {len(entries)}, counted from 0")
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    if isinstance(step, str):
        example = next((name for name in names if name is not None), 0)
        raise PathError(f"'{step}' is looked for in a list; say in which entry, as in [{example}].{step}")
    if names.count(step.name) == 1:
        return names.index(step.name)
    if step.name in names:
        raise PathError(f"several entries are named '{step.name}'; give the position, counted from 0")
    known = [str(name) for name in names if name is not None]
    raise PathError(f"there is no entry '{step.name}'; {suggestion(step.name, known, 'names')}")
