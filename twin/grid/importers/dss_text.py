"""The text of OpenDSS scripts as commands: files and what they redirect to, comments, quotes, continuations.

A command is a verb and parameters, ``name=value`` or a bare value. Quotes are ``".."``, ``'..'``, ``(..)``,
``[..]`` and ``{..}``; they do not nest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twin.contracts import BadInputError, Finding, Mark

_CLOSING = {'"': '"', "'": "'", "(": ")", "[": "]", "{": "}"}
_DEPTH = 20
"""Files deep that a script may redirect; a circle is noticed by it."""

_REDIRECTING = ("redirect", "compile")

VERBS = (
    "new", "edit", "more", "m", "~", "select", "save", "show", "solve", "enable", "disable", "plot",
    "reset", "compile", "set", "dump", "open", "close", "redirect", "help", "quit", "?", "next",
    "panel", "sample", "clear", "about", "calcvoltagebases", "setkvbase", "buildy", "get", "init",
    "export", "fileedit", "voltages", "currents", "powers", "seqvoltages", "seqcurrents", "seqpowers",
    "losses", "phaselosses", "cktlosses", "allocateloads", "formedit", "totals", "capacity", "classes",
    "userclasses", "zsc", "zsc10", "zscrefresh", "ysc", "puvoltages", "varvalues", "varnames",
    "buscoords", "makebuslist", "makeposseq", "reduce", "interpolate", "alignfile", "top", "rotate",
    "vdiff", "summary", "distribute", "di_plot", "comparecases", "yearlycurves", "cd", "visualize",
    "closedi", "doscmd", "estimate", "reconductor", "_initsnap", "_solvenocontrol", "_samplecontrols",
    "_docontrolactions", "_showcontrolqueue", "_solvedirect", "_solvepflow", "addbusmarker", "uuids",
    "setloadandgenkv", "cvrtloadshapes", "nodediff", "rephase", "setbusxy", "updatestorage",
    "obfuscate", "latlongcoords", "batchedit", "pstcalc", "variable", "refine_buslevels", "remove",
    "abort", "calcincmatrix", "clearall", "comhelp", "gis", "zsc012",
)  # fmt: skip
"""Verbs in the order in which an abbreviation is looked up."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command."""

    name: str
    """Lower case; empty when only the value is written."""
    value: str
    """Without its quotes."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a script."""

    mark: Mark
    verb: str
    """One of `VERBS`; ``property`` for ``class.name.property=value``; as written when it is none."""
    parameters: tuple[Parameter, ...]
    folder: Path
    """Where the paths in it start."""


class ScriptError(Exception):
    """Carries one finding to where they are gathered."""

    def __init__(self, mark: Mark, field: str, what: str, mend: str) -> None:
        super().__init__(what)
        self.finding = Finding(mark, field, what, mend)


def read_commands(path: Path | str, findings: list[Finding]) -> Iterator[Command]:
    """Yield the commands of a script, those of the files that it redirects to in their place.

    Raises
    ------
    BadInputError
        The script cannot be read; of any other file, that is appended to ``findings``.
    """
    target = Path(path)
    try:
        text = _text(target)
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise BadInputError(
            Finding(Mark(str(path)), "", what, "give the path of an OpenDSS script")
        ) from None
    yield from _commands(target, text, 0, findings)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")


def _commands(path: Path, text: str, depth: int, findings: list[Finding]) -> Iterator[Command]:
    for number, line in _code_lines(text):
        mark = Mark(str(path), number)
        try:
            command = _command(mark, line, path.parent)
            if command is None:
                continue
            if command.verb not in _REDIRECTING:
                yield command
                continue
            other = find_file(command)
            if depth >= _DEPTH:
                what = f"'{other}' leads {_DEPTH} files deep, or in a circle"
                raise ScriptError(mark, command.verb, what, "remove one of the redirects")
            yield from _commands(other, _text(other), depth + 1, findings)
        except ScriptError as error:
            findings.append(error.finding)


def find_file(command: Command) -> Path:
    """Return the file that a command's first parameter names, whatever its case.

    Raises
    ------
    ScriptError
        There is none.
    """
    written = command.parameters[0].value if command.parameters else ""
    path = Path(command.folder)
    for part in Path(written.replace("\\", "/")).parts:
        exact = path / part
        same = (other for other in _inside(path) if other.name.lower() == part.lower())
        path = exact if exact.exists() else next(same, exact)
    if written and path.is_file():
        return path
    what = f"there is no file '{written}' in {command.folder}"
    raise ScriptError(command.mark, command.verb, what, "correct the path; it starts at the script's folder")


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is no comment."""
    block = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if block or line.startswith("/*"):
            block = "*/" not in line
            continue
        line = _without_comment(line).strip()
        if line:
            yield number, line


def _without_comment(line: str) -> str:
    closing = ""
    for at, letter in enumerate(line):
        if closing:
            closing = "" if letter == closing else closing
        elif letter == "!" or line.startswith("//", at):
            return line[:at]
        else:
            closing = _CLOSING.get(letter, "")
    return line


def _command(mark: Mark, line: str, folder: Path) -> Command | None:
    if line.startswith("~"):
        return Command(mark, "more", tuple(_parameters(mark, line[1:])), folder)
    items = list(_parameters(mark, line))
    if not items:
        return None
    first = items[0]
    if first.name:
        return Command(mark, "property", (first, *items[1:]), folder)
    written = first.value.lower()
    verb = next((verb for verb in VERBS if verb == written), None) or next(
        (verb for verb in VERBS if verb.startswith(written)), written
    )
    return Command(mark, "more" if verb in {"m", "~"} else verb, tuple(items[1:]), folder)


def _parameters(mark: Mark, line: str) -> Iterator[Parameter]:
    at = 0
    while True:
        at = _skip(line, at, " \t,")
        if at >= len(line):
            return
        item, at = _item(mark, line, at)
        after = _skip(line, at, " \t")
        if after < len(line) and line[after] == "=":
            value, at = _item(mark, line, _skip(line, after + 1, " \t"))
            yield Parameter(item.strip().lower(), value)
        else:
            yield Parameter("", item)


def _skip(line: str, at: int, letters: str) -> int:
    while at < len(line) and line[at] in letters:
        at += 1
    return at


def _item(mark: Mark, line: str, at: int) -> tuple[str, int]:
    """Return the word or quoted text that starts at a position, and where it ends."""
    if at < len(line) and line[at] in _CLOSING:
        end = line.find(_CLOSING[line[at]], at + 1)
        if end < 0:
            what = f"'{line[at:]}' is not closed"
            raise ScriptError(mark, "", what, f"add '{_CLOSING[line[at]]}' on the same line")
        return line[at + 1 : end], end + 1
    end = at
    while end < len(line) and line[end] not in " \t,=":
        end += 1
    # A lone separator must not stop the reader.
    return line[at:end], max(end, at if end > at else at + (at < len(line) and line[at] != ","))
