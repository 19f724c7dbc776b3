"""An OpenDSS script carried out as far as it describes a circuit: objects, and what was set on each."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twin.contracts import Finding, Mark
from twin.documents import suggestion
from twin.grid.importers.dss_properties import DATA_ONLY, PROPERTIES, property_after, property_name
from twin.grid.importers.dss_text import VERBS, Command, Parameter, ScriptError, find_file, read_commands
from twin.grid.importers.dss_values import Edit

_NO_EFFECT = frozenset((
    "solve", "calcvoltagebases", "show", "plot", "export", "save", "dump", "help", "quit", "?", "get",
    "reset", "sample", "panel", "about", "fileedit", "voltages", "currents", "powers", "seqvoltages",
    "seqcurrents", "seqpowers", "losses", "phaselosses", "cktlosses", "totals", "capacity", "classes",
    "userclasses", "zsc", "zsc10", "zscrefresh", "ysc", "puvoltages", "varvalues", "varnames",
    "makebuslist", "alignfile", "top", "interpolate", "vdiff", "summary", "di_plot", "comparecases",
    "yearlycurves", "visualize", "addbusmarker", "uuids", "nodediff", "init", "buildy", "next",
    "obfuscate", "calcincmatrix", "comhelp", "gis", "pstcalc", "closedi", "_initsnap",
    "_solvenocontrol", "_samplecontrols", "_docontrolactions", "_showcontrolqueue", "_solvedirect",
    "_solvepflow",
))  # fmt: skip
"""Verbs that do not change what the circuit is."""

_DECISIVE = ("voltagebases", "loadmult", "controlmode", "defaultbasefrequency", "frequency")
"""Options that change a steady state, or how it is expressed."""

_OPTION_ABBREVIATIONS = {"freq": "frequency", "basefrequency": "defaultbasefrequency"}


@dataclass(slots=True)
class ScriptObject:
    """One object of the circuit."""

    kind: str
    name: str
    """As first written."""
    mark: Mark
    edits: list[Edit] = field(default_factory=list)
    enabled: bool = True
    last: str = ""
    """Property that was set last, from which positions count on."""

    def refuse(self, what: str, mend: str) -> ScriptError:
        """Return the error that says what is wrong with it."""
        return ScriptError(self.mark, f"{self.kind}.{self.name}", what, mend)

    def last_edit(self, key: str) -> Edit | None:
        """Return what a property was last set to."""
        return next((edit for edit in reversed(self.edits) if edit.key == key), None)


@dataclass(slots=True)
class Script:
    """What a script describes."""

    name: str = ""
    objects: dict[tuple[str, str], ScriptObject] = field(default_factory=dict)
    """By class and name, both lower case, in the order of their making."""
    options: dict[str, Edit] = field(default_factory=dict)
    coordinates: dict[str, tuple[float, float]] = field(default_factory=dict)
    bases: dict[str, float] = field(default_factory=dict)
    """Voltages that were set bus by bus, line to line [V]."""
    opened: dict[tuple[str, str], Mark] = field(default_factory=dict)
    """Branches that were opened, by class and name."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How many objects of what kind have no part in a steady state."""
    ignored_options: bool = False

    def of(self, kind: str) -> Iterator[ScriptObject]:
        """Yield the objects of a class that are enabled."""
        return (one for (here, _), one in self.objects.items() if here == kind and one.enabled)


class Interpreter:
    """Carries out the commands of a script.

    Parameters
    ----------
    findings : list of Finding
        What is wrong is appended to it.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.script = Script()
        self._findings = findings
        self._active: ScriptObject | None = None
        self._skipping = False
        """Whether the active object is one that is left out."""
        self._number = 0
        self._verbs: dict[str, Callable[[Command], None]] = {
            "new": self._new,
            "edit": self._edit,
            "more": self._more,
            "property": self._property,
            "set": self._set,
            "clear": self._clear,
            "clearall": self._clear,
            "open": self._open,
            "close": self._open,
            "enable": self._enable,
            "disable": self._enable,
            "batchedit": self._batch,
            "setkvbase": self._base,
            "buscoords": self._coordinates,
            "latlongcoords": self._coordinates,
            "setbusxy": self._bus_xy,
        }

    def run(self, path: Path | str) -> Script:
        """Carry out a script and return what it describes."""
        for command in read_commands(path, self._findings):
            self._number += 1
            try:
                if command.verb in _NO_EFFECT:
                    continue
                action = self._verbs.get(command.verb)
                if action is None:
                    known = command.verb in VERBS
                    what = (
                        f"'{command.verb}' cannot be carried out" if known else f"no command '{command.verb}'"
                    )
                    mend = "remove it" if known else suggestion(command.verb, VERBS, "commands")
                    raise ScriptError(command.mark, "", what, mend)
                action(command)
            except ScriptError as error:
                self._findings.append(error.finding)
        return self.script

    def _clear(self, command: Command) -> None:
        kept = {key: one for key, one in self.script.options.items() if key == "defaultbasefrequency"}
        self.script = Script(options=kept)
        self._active = None

    def _target(self, command: Command) -> tuple[str, str, tuple[Parameter, ...]]:
        """Return class (lower case) and name of a command's object, and what follows."""
        first = command.parameters[0] if command.parameters else Parameter("", "")
        kind, _, name = first.value.partition(".")
        if first.name not in {"", "object"} or not name:
            mend = "write it as class.name"
            raise ScriptError(command.mark, command.verb, f"'{first.value}' names no object", mend)
        return kind.lower(), name, command.parameters[1:]

    def _known(self, command: Command, kind: str) -> bool:
        """Return whether a class can be converted, False where it has no part in it.

        Raises
        ------
        ScriptError
            It is neither.
        """
        if kind in PROPERTIES:
            return True
        if kind in DATA_ONLY:
            return False
        what = f"objects of class '{kind}' cannot be converted"
        raise ScriptError(command.mark, command.verb, what, f"remove it, or use {', '.join(PROPERTIES)}")

    def _new(self, command: Command) -> None:
        self._active, self._skipping = None, True
        kind, name, rest = self._target(command)
        script = self.script
        if kind == "circuit":
            script.name, kind, name = name, "vsource", "source"
        if not self._known(command, kind):
            script.left_out[DATA_ONLY[kind]] = script.left_out.get(DATA_ONLY[kind], 0) + 1
            return
        if not script.name:
            mend = "begin with 'new circuit.NAME'"
            raise ScriptError(command.mark, f"{kind}.{name}", "there is no circuit yet", mend)
        if (kind, name.lower()) in script.objects:
            first = script.objects[kind, name.lower()].mark
            what = f"stands twice (first at {first})"
            raise ScriptError(command.mark, f"{kind}.{name}", what, "rename one, or change it by 'edit'")
        made = ScriptObject(kind, name, command.mark)
        script.objects[kind, name.lower()] = made
        self._activate(made)
        self._apply(command, made, rest)

    def _activate(self, one: ScriptObject) -> None:
        self._active, self._skipping = one, False
        one.last = ""

    def _find(self, command: Command, kind: str, name: str) -> ScriptObject | None:
        """Return an object; None when it is of a class that is left out."""
        if kind == "circuit":
            kind, name = "vsource", "source"
        if not self._known(command, kind):
            return None
        found = self.script.objects.get((kind, name.lower()))
        if found is None:
            mend = suggestion(name, [one.name for one in self.script.of(kind)], f"{kind} objects")
            raise ScriptError(command.mark, command.verb, f"there is no {kind} '{name}'", mend)
        return found

    def _edit(self, command: Command) -> None:
        self._active, self._skipping = None, True
        kind, name, rest = self._target(command)
        found = self._find(command, kind, name)
        if found is not None:
            self._activate(found)
            self._apply(command, found, rest)

    def _more(self, command: Command) -> None:
        if self._active is not None:
            self._apply(command, self._active, command.parameters)
        elif not self._skipping:
            raise ScriptError(command.mark, "~", "continues nothing", "put it below a 'new' or 'edit'")

    def _property(self, command: Command) -> None:
        first = command.parameters[0]
        parts = first.name.split(".")
        if len(parts) != 3:
            mend = "write it as class.name.property=value"
            raise ScriptError(command.mark, first.name, "is no command", mend)
        found = self._find(command, parts[0], parts[1])
        if found is not None:
            self._activate(found)
            self._apply(command, found, (Parameter(parts[2], first.value), *command.parameters[1:]))

    def _apply(self, command: Command, one: ScriptObject, parameters: tuple[Parameter, ...]) -> None:
        for parameter in parameters:
            place = f"{one.kind}.{one.name}"
            if parameter.name:
                key = property_name(one.kind, parameter.name)
            else:
                key = property_after(one.kind, one.last)
            if key is None:
                shown = parameter.name or parameter.value
                mend = suggestion(shown, PROPERTIES[one.kind], "properties")
                finding = ScriptError(command.mark, place, f"has no property '{shown}'", mend).finding
                self._findings.append(finding)
                continue
            one.last = key
            edit = Edit(key, parameter.value.strip(), command.mark, self._number, f"{place}.{key}")
            try:
                self._set_property(command, one, edit)
            except ScriptError as error:
                self._findings.append(error.finding)

    def _set_property(self, command: Command, one: ScriptObject, edit: Edit) -> None:
        if edit.key == "enabled":
            one.enabled = edit.flag
        elif edit.key == "like":
            other = self._find(command, one.kind, edit.value)
            one.edits = list(other.edits) if other is not None else one.edits
        else:
            one.edits.append(edit)

    def _set(self, command: Command) -> None:
        for parameter in command.parameters:
            written = _OPTION_ABBREVIATIONS.get(parameter.name, parameter.name)
            keys = [key for key in _DECISIVE if len(written) >= 5 and key.startswith(written)]
            if not keys:
                self.script.ignored_options = True
                continue
            edit = Edit(keys[0], parameter.value.strip(), command.mark, self._number, f"set {keys[0]}")
            self.script.options[keys[0]] = edit

    def _open(self, command: Command) -> None:
        kind, name, rest = self._target(command)
        found = self._find(command, kind, name)
        place = f"{kind}.{name}"
        if found is None:
            return
        conductor = next((one.value for one in rest[1:] if one.name in {"", "cond"}), "0")
        if conductor != "0":
            what = f"conductor {conductor} alone cannot be opened or closed"
            mend = "open the whole element (leave the conductor out), or split it into one for each phase"
            raise ScriptError(command.mark, place, what, mend)
        if kind in {"line", "transformer"}:
            if command.verb == "open":
                self.script.opened[kind, name.lower()] = command.mark
            else:
                self.script.opened.pop((kind, name.lower()), None)
        else:
            found.enabled = command.verb == "close"

    def _enable(self, command: Command) -> None:
        kind, name, _ = self._target(command)
        found = self._find(command, kind, name)
        if found is not None:
            found.enabled = command.verb == "enable"

    def _batch(self, command: Command) -> None:
        kind, name, rest = self._target(command)
        if not self._known(command, kind):
            return
        try:
            pattern = re.compile(name.removeprefix("."), re.IGNORECASE)
        except re.error as error:
            mend = "write a regular expression, .* for all"
            raise ScriptError(command.mark, command.verb, f"'{name}' is no pattern ({error})", mend) from None
        for (here, _), one in self.script.objects.items():
            if here == kind and pattern.match(one.name):
                one.last = ""
                self._apply(command, one, rest)

    def _base(self, command: Command) -> None:
        values = {one.name: one.value for one in command.parameters if one.name}
        bare = [one.value for one in command.parameters if not one.name]
        bus = values.get("bus") or (bare[0] if bare else "")
        key = "kvln" if "kvln" in values else "kvll"
        text = values.get(key) or (bare[1] if len(bare) > 1 else "")
        edit = Edit(key, text, command.mark, self._number, "setkvbase")
        self.script.bases[bus.lower()] = edit.number * 1e3 * (3.0**0.5 if key == "kvln" else 1.0)

    def _coordinates(self, command: Command) -> None:
        path = find_file(command)
        latitude_first = command.verb == "latlongcoords"
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, row in enumerate(csv.reader(text.splitlines()), start=1):
            words = row if len(row) > 1 else "".join(row).split()
            if len(words) < 3 or words[0].lstrip().startswith(("!", "//")):
                continue
            try:
                x, y = float(words[1]), float(words[2])
            except ValueError:
                mend = "write bus, x, y"
                raise ScriptError(Mark(str(path), number), "", "has no two coordinates", mend) from None
            self.script.coordinates[words[0].strip().lower()] = (y, x) if latitude_first else (x, y)

    def _bus_xy(self, command: Command) -> None:
        values = {one.name: one.value for one in command.parameters}
        try:
            place = float(values["x"]), float(values["y"])
        except (KeyError, ValueError):
            mend = "write setbusxy bus=.. x=.. y=.."
            raise ScriptError(command.mark, command.verb, "has no two coordinates", mend) from None
        self.script.coordinates[values.get("bus", "").lower()] = place
