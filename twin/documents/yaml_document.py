"""YAML 1.2 core-schema reading that remembers the line of every value.

YAML 1.1, PyYAML's own dialect, reads ``no`` as false and ``18:30`` as 1110; both are common words of a
scenario. Here only ``true``, ``false``, ``null``, ``~``, decimal integers and floats are more than text.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twin.contracts import BadInputError, Finding, Mark

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

_DEEPEST = 50
_MOST_VALUES = 1_000_000

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain data, with the place of every value."""

    file: str
    """Path as given."""
    data: Any
    """dict, list, str, int, float, bool or None."""
    marks: dict[Path_, Mark]
    """Place of the value at a path of keys and list positions."""

    def mark(self, path: Path_) -> Mark:
        """Return the place of the value at ``path``, or of its nearest parent that exists."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Mark(self.file))


def read_yaml(path: Path | str) -> Document:
    """Read a YAML file.

    Raises
    ------
    BadInputError
        The file is missing, not UTF-8, not YAML, or repeats a key.
    """
    file = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise _bad(Mark(file), f"cannot be read ({reason})", "check the path") from error
    except UnicodeDecodeError as error:
        raise _bad(Mark(file), "is not UTF-8 text", "save it as UTF-8") from error
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _syntax(file, error) from error
    finally:
        loader.dispose()
    marks: dict[Path_, Mark] = {}
    data = _construct(node, (), file, marks) if node is not None else None
    return Document(file, data, marks)


def _construct(node: Any, path: Path_, file: str, marks: dict[Path_, Mark]) -> Any:
    # Aliases can make a short text endless, or endlessly deep.
    if len(path) > _DEEPEST or len(marks) > _MOST_VALUES:
        raise _bad(_mark(file, node), "is nested too deeply or too large", "write it without aliases (*)")
    marks[path] = _mark(file, node)
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style in {"'", '"', "|", ">"} else _scalar(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(child, (*path, at), file, marks) for at, child in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for key_node, child in node.value:
        key = str(key_node.value)
        if key in mapping:
            first = marks[(*path, key)].line
            what = f"'{key}' stands twice (first in line {first})"
            raise _bad(_mark(file, key_node), what, "keep one of them", key)
        mapping[key] = _construct(child, (*path, key), file, marks)
        marks[(*path, key)] = _mark(file, key_node)
    return mapping


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _mark(file: str, node: Any) -> Mark:
    return Mark(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _bad(where: Mark, what: str, mend: str, field: str = "") -> BadInputError:
    return BadInputError(Finding(where, field, what, mend))


def _syntax(file: str, error: yaml.YAMLError) -> BadInputError:
    mark = getattr(error, "problem_mark", None)
    where = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file)
    problem = getattr(error, "problem", None) or "cannot be parsed"
    return _bad(where, f"is not valid YAML: {problem}", "check indentation, quotes and colons")
