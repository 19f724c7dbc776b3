"""From an OpenDSS script to a network, without OpenDSS."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion
from twin.grid.checks import check_network
from twin.grid.components import Bus, Grounding, Line, Spectrum, Switch
from twin.grid.importers.dss_build import (
    capacitor_of,
    control_of,
    grounding_of,
    line_of,
    loads_of,
    source_of,
    transformer_of,
)
from twin.grid.importers.dss_buses import Buses, Raw
from twin.grid.importers.dss_lines import raw_line
from twin.grid.importers.dss_script import Interpreter, Script, ScriptObject
from twin.grid.importers.dss_shunts import raw_capacitor, raw_grounding, raw_load, spectrum
from twin.grid.importers.dss_source import raw_source
from twin.grid.importers.dss_text import ScriptError
from twin.grid.importers.dss_transformers import raw_regulator, raw_transformer
from twin.grid.network import Network
from twin.grid.transformers import TapChanger, Transformer

_FREQUENCY = 60.0
"""Base frequency of OpenDSS where a script sets none [Hz]."""

_NON_LINEAR = ("default", "defaultload", "defaultgen", "pwm6", "dc6")
_BUILT_IN = (*_NON_LINEAR, "defaultvsource", "linear")
"""Spectra that OpenDSS has without a script's doing."""

Made = TypeVar("Made")


class _HasSource(Protocol):
    @property
    def source(self) -> ScriptObject: ...


def read_opendss(path: Path | str) -> tuple[Network, list[str]]:
    """Read an OpenDSS script.

    Parameters
    ----------
    path : Path or str
        The script; what it redirects to starts at its folder.

    Returns
    -------
    network : Network
        Checked.
    assumptions : list of str
        What was left out or decided; the network carries them too.

    Raises
    ------
    BadInputError
        With a finding for everything that cannot be converted.

    References
    ----------
    R. C. Dugan, D. Montenegro, Reference Guide: The Open Distribution System Simulator (OpenDSS), EPRI.
    """
    findings: list[Finding] = []
    script = Interpreter(findings).run(path)
    if not script.name and not findings:
        mend = "begin with 'new circuit.NAME'"
        findings.append(Finding(Mark(str(path)), "", "describes no circuit", mend))
    if findings:
        raise BadInputError(*findings)
    try:
        return _Conversion(script, str(path)).network()
    except ScriptError as error:
        raise BadInputError(error.finding) from None


class _Conversion:
    """One conversion: what it makes, where that stands in the script, what it had to assume."""

    def __init__(self, script: Script, path: str) -> None:
        self.script = script
        self.path = path
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.places: dict[str, list[ScriptObject]] = {}
        """By section of a network: which object each component is made of."""
        base = script.options.get("defaultbasefrequency")
        self.frequency = _FREQUENCY if base is None else base.positive

    def network(self) -> tuple[Network, list[str]]:
        """Return the network and the assumptions."""
        self._check_options()
        raw = self._raw()
        self._stop()
        buses = Buses(self.script, raw)
        self.findings.extend(error.finding for error in buses.unreached())
        self._stop()
        network = self._built(raw, buses)
        self._stop()
        self._stop(check_network(network))
        self._assume(raw)
        return replace(network, assumptions=tuple(self.notes)), self.notes

    def _stop(self, more: Iterable[Finding] = ()) -> None:
        self.findings.extend(self._placed(finding) for finding in more)
        if self.findings:
            raise BadInputError(*self.findings)

    def _placed(self, finding: Finding) -> Finding:
        """Return a finding about a component as one about the object that it is made of."""
        match = re.fullmatch(r"(\w+)\[(\d+)\](.*)", finding.field)
        objects = self.places.get(match[1], []) if match else []
        if match and int(match[2]) < len(objects):
            one = objects[int(match[2])]
            return replace(finding, where=one.mark, field=f"{one.kind}.{one.name}{match[3]}")
        return replace(finding, where=Mark(self.path))

    def _option(self, key: str, default: float) -> float:
        edit = self.script.options.get(key)
        return default if edit is None else edit.number

    def _check_options(self) -> None:
        edit = self.script.options.get("frequency")
        if edit is not None and edit.number != self.frequency:
            what = f"solves at {edit.number:g} Hz a circuit for {self.frequency:g} Hz"
            mend = "set defaultbasefrequency before the circuit instead"
            self.findings.append(edit.refuse(what, mend).finding)

    def _try(self, objects: Iterable[ScriptObject], make: Callable[[ScriptObject], Made]) -> list[Made]:
        """Return what can be made; of the rest, note the findings."""
        out = []
        for one in objects:
            try:
                out.append(make(one))
            except ScriptError as error:
                self.findings.append(error.finding)
        return out

    def _raw(self) -> Raw:
        of, script, frequency = self.script.of, self.script, self.frequency
        raw = Raw(
            self._try(of("vsource"), raw_source),
            self._try(of("line"), lambda one: raw_line(script, one, frequency)),
            self._try(of("transformer"), lambda one: raw_transformer(script, one)),
            self._try(of("regcontrol"), raw_regulator),
            self._try(of("load"), raw_load),
            self._try(of("capacitor"), raw_capacitor),
            self._try(of("reactor"), lambda one: raw_grounding(one, frequency)),
        )
        if not raw.sources and not self.findings:
            mend = "enable one, or begin with 'new circuit.NAME'"
            self.findings.append(Finding(Mark(self.path), "", "has no source that is enabled", mend))
        mode = script.options.get("controlmode")
        if mode is not None and mode.value.lower().startswith("of") and raw.regulators:
            raw.regulators = []
            self.notes.append("regulators are left out, because the script switches controls off")
        return raw

    def _built(self, raw: Raw, buses: Buses) -> Network:
        spectra = self._spectra(raw)
        multiplier = self._option("loadmult", 1.0)
        sources = self._each("sources", raw.sources, lambda one: [source_of(one, buses)])
        lines = self._each("lines", raw.lines, lambda one: [line_of(one, buses, self.notes)])
        units, groundings = self._transformers(raw, buses, {line.name for line in lines})
        controls = self._controls(raw, units, buses)
        loads = self._each(
            "loads", raw.loads, lambda one: loads_of(one, buses, multiplier=multiplier, spectra=spectra)
        )
        capacitors = self._each("capacitors", raw.capacitors, lambda one: [capacitor_of(one, buses)])
        earths = self._each("groundings", raw.groundings, lambda one: [grounding_of(one, buses)])
        switches = self._switches(raw, lines, units)
        taken = {switch.name for switch in switches}
        return Network(
            name=self.script.name,
            frequency=self.frequency,
            buses=self._buses(buses),
            sources=tuple(sources),
            lines=tuple(lines),
            transformers=tuple(units.values()),
            tap_changers=tuple(controls),
            groundings=(*earths, *groundings),
            switches=tuple(switches),
            capacitors=tuple(
                replace(one, name=f"{one.name} capacitor") if one.name in taken else one for one in capacitors
            ),
            loads=tuple(loads),
            spectra=tuple(spectra.values()),
            origin=f"OpenDSS script {Path(self.path).name}.",
        )

    def _buses(self, buses: Buses) -> tuple[Bus, ...]:
        out = []
        for bus, name in buses.names.items():
            x, y = self.script.coordinates.get(bus, (None, None))
            rated = buses.u_phase(bus) if buses.single(bus) else buses.base[bus]
            out.append(Bus(name, rated, x, y, buses.phases(bus)))
        return tuple(out)

    def _each(self, section: str, raws: Iterable[_HasSource], make: Callable[..., list[Made]]) -> list[Made]:
        """Return the components of a section, and remember of which object each is made."""
        out: list[Made] = []
        places = self.places.setdefault(section, [])
        for raw in raws:
            try:
                made = make(raw)
            except ScriptError as error:
                self.findings.append(error.finding)
                continue
            out.extend(made)
            places.extend([raw.source] * len(made))
        return out

    def _transformers(
        self, raw: Raw, buses: Buses, taken: set[str]
    ) -> tuple[dict[str, Transformer], list[Grounding]]:
        """Return transformers by name in the script, lower case, and the earthings of their star points."""
        controlled = {one.transformer for one in raw.regulators}
        groundings: list[Grounding] = []
        out: dict[str, Transformer] = {}

        def make(one: Any) -> list[Transformer]:
            key = one.source.name.lower()
            unit, earths = transformer_of(one, buses, controlled=key in controlled, notes=self.notes)
            groundings.extend(earths)
            if unit.name in taken:
                unit = replace(unit, name=f"{unit.name} transformer")
                self.notes.append(
                    f"transformer '{one.source.name}' is called '{unit.name}', as there is a line of its name"
                )
            out[key] = unit
            return [unit]

        self._each("transformers", raw.transformers, make)
        return out, groundings

    def _controls(self, raw: Raw, units: dict[str, Transformer], buses: Buses) -> list[TapChanger]:
        def make(one: Any) -> list[TapChanger]:
            unit = units.get(one.transformer)
            if unit is None:
                mend = suggestion(one.transformer, units, "transformers")
                raise one.source.refuse(f"there is no transformer '{one.transformer}'", mend)
            return [control_of(one, unit, buses)]

        return self._each("tap_changers", raw.regulators, make)

    def _spectra(self, raw: Raw) -> dict[str, Spectrum]:
        """Return the spectra that loads name, by name in lower case."""
        named = {one.spectrum.value.lower(): one.spectrum for one in raw.loads if one.spectrum is not None}
        out: dict[str, Spectrum] = {}
        for name, edit in named.items():
            found = self.script.objects.get(("spectrum", name))
            if found is not None:
                out.update((name, made) for made in self._try([found], spectrum))
            elif name not in _BUILT_IN:
                mend = "define it by 'new spectrum', or leave it out for a linear load"
                self.findings.append(edit.refuse(f"there is no spectrum '{edit.value}'", mend).finding)
        return out

    def _switches(self, raw: Raw, lines: list[Line], units: dict[str, Transformer]) -> list[Switch]:
        """Return a switch for each line that is one, and for each branch that was opened."""
        opened = self.script.opened
        names = {line.name.lower(): line.name for line in lines}
        out = [
            Switch(names[key], names[key], closed=("line", key) not in opened)
            for line in raw.lines
            if (key := line.source.name.lower()) in names and (line.switch or ("line", key) in opened)
        ]
        out.extend(
            Switch(unit.name, unit.name, closed=False)
            for key, unit in units.items()
            if ("transformer", key) in opened
        )
        return out

    def _assume(self, raw: Raw) -> None:
        notes, script = self.notes, self.script
        if any(load.p_shares[2] or load.p_shares[1] for load in raw.loads):
            notes.append(
                "loads keep their law at any voltage down to the limit that the load flow is given; the "
                "script's vminpu and vmaxpu are not used"
            )
        if any(load.spectrum is None or load.spectrum.value.lower() in _NON_LINEAR for load in raw.loads):
            notes.append(
                "loads without a spectrum of the script's own are linear, where OpenDSS has a default"
            )
        if any(load.profile for load in raw.loads):
            notes.append("loads stay at their rated power, whatever their load shapes")
        if script.opened:
            notes.append("an opened branch is out of service as a whole, its capacitance included")
        if script.ignored_options:
            notes.append(
                "options of the solution other than frequency, loadmult and controlmode are left out"
            )
        for what, count in script.left_out.items():
            notes.append(f"{what} are left out ({count})")
