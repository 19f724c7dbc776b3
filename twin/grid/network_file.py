"""Reading a network file: YAML to `Network`, all findings at once."""

from pathlib import Path
from typing import Any

from twin.contracts import BadInputError, Finding
from twin.documents import Document, read_yaml, suggestion
from twin.grid.checks import check_components, check_islands, check_neutrals
from twin.grid.components import (
    Bus,
    Capacitor,
    Grounding,
    HarmonicShare,
    Line,
    LineType,
    Load,
    Source,
    Spectrum,
    Switch,
    line_of_type,
)
from twin.grid.fields import HEADER, SECTIONS
from twin.grid.network import Network
from twin.grid.protection_devices import (
    InstalledFuse,
    InstalledRecloser,
    InstalledRelay,
    InstalledSectionaliser,
)
from twin.grid.table import Places, read_section
from twin.grid.transformers import TapChanger, Transformer

_TOTALS = ("r1", "x1", "r0", "x0")


def read_network(path: Path | str) -> Network:
    """Read and check a network file.

    Raises
    ------
    BadInputError
        With every finding, in order of line.
    """
    return parse_network(read_yaml(path))


def parse_network(document: Document) -> Network:
    """Return the checked network of a document that has been read.

    Raises
    ------
    BadInputError
        With every finding, in order of line.
    """
    findings: list[Finding] = []
    if not isinstance(document.data, dict):
        what, mend = "is no network file", "start it with 'network: NAME'"
        raise BadInputError(Finding(document.mark(()), "", what, mend))
    places = Places(document)
    header = _header(document, findings)
    rows = {section: read_section(document, section, places, findings) for section in SECTIONS}
    types = {kind.name: kind for kind in _line_types(rows["line_types"], places, findings)}
    network = Network(
        name=header["network"],
        description=header["description"],
        origin=header["origin"],
        assumptions=header["assumptions"],
        frequency=header["frequency_hz"],
        buses=tuple(Bus(**row) for row in rows["buses"]),
        sources=_sources(rows["sources"], places, findings),
        line_types=tuple(types.values()),
        lines=_lines(rows["lines"], types, places, findings),
        transformers=tuple(Transformer(**row) for row in rows["transformers"]),
        tap_changers=tuple(TapChanger(**row) for row in rows["tap_changers"]),
        groundings=tuple(Grounding(**row) for row in rows["groundings"]),
        switches=tuple(Switch(**row) for row in rows["switches"]),
        capacitors=tuple(Capacitor(**row) for row in rows["capacitors"]),
        loads=tuple(Load(**row) for row in rows["loads"]),
        spectra=_spectra(rows["spectra"], places, findings),
        relays=tuple(InstalledRelay(**row) for row in rows["relays"]),
        reclosers=tuple(InstalledRecloser(**row) for row in rows["reclosers"]),
        fuses=tuple(InstalledFuse(**row) for row in rows["fuses"]),
        sectionalisers=tuple(InstalledSectionaliser(**row) for row in rows["sectionalisers"]),
    )
    findings.extend(check_components(network, places))
    if not findings:
        findings.extend(check_islands(network, places))
        findings.extend(check_neutrals(network, places))
    if findings:
        raise BadInputError(*sorted(findings, key=lambda finding: (finding.where, finding.field)))
    return network


def _header(document: Document, findings: list[Finding]) -> dict[str, Any]:
    data = document.data
    known = {*HEADER, *SECTIONS}
    for key in data:
        if key not in known:
            mend = suggestion(key, known, "sections")
            findings.append(Finding(document.mark((key,)), key, "unknown section", mend))

    def wrong(key: str, what: str, mend: str) -> None:
        findings.append(Finding(document.mark((key,)), key, what, mend))

    name = data.get("network")
    if name is None:
        wrong("network", "is missing", "add 'network: NAME'")
    elif type(name) not in {str, int}:
        wrong("network", f"{name!r} is no name", "write 'network: NAME'")
    frequency = data.get("frequency_hz", 50.0)
    if type(frequency) not in {int, float} or not 0 < frequency < 1000:
        wrong("frequency_hz", f"{frequency!r} is no rated frequency", "give it in Hz, for example 50")
        frequency = 50.0
    assumptions = data.get("assumptions") or []
    if not isinstance(assumptions, list):
        wrong("assumptions", "is no list", "write one sentence per row")
        assumptions = []
    return {
        "network": str(data.get("network", "")),
        "description": str(data.get("description") or ""),
        "origin": str(data.get("origin") or ""),
        "assumptions": tuple(str(line) for line in assumptions),
        "frequency_hz": float(frequency),
    }


def _sources(rows: list[dict[str, Any]], places: Places, findings: list[Finding]) -> tuple[Source, ...]:
    for at, row in enumerate(rows):
        ideal = row.pop("ideal")
        given = any(row[key] for key in _TOTALS)
        if ideal and given:
            what, mend = "is ideal and has an impedance", "drop one of the two"
            findings.append(places.finding("sources", at, "ideal", what, mend))
        elif not ideal and not given:
            mend = "add r1_ohm, x1_ohm, r0_ohm and x0_ohm, or 'ideal: true'"
            findings.append(places.finding("sources", at, "", "has no impedance", mend))
    return tuple(Source(**row) for row in rows)


def _line_types(rows: list[dict[str, Any]], places: Places, findings: list[Finding]) -> tuple[LineType, ...]:
    kinds, kept = [], []
    for at, row in enumerate(rows):
        if _impedance_given("line_types", at, row, "_ohm_per_km", "", places, findings):
            kinds.append(LineType(**row))
            kept.append(places.row("line_types", at))
    if len(kept) < len(rows):
        places.left_out("line_types", kept, complete=False)
    return tuple(kinds)


def _impedance_given(
    section: str,
    at: int,
    row: dict[str, Any],
    unit: str,
    mend: str,
    places: Places,
    findings: list[Finding],
) -> bool:
    """Find whether a row has sequence values or matrices, and not both."""
    sequence = [key for key in _TOTALS if row[key] is not None]
    if row["r"] is not None or row["x"] is not None:
        if sequence or row["c1"] or row["c0"]:
            what = "has sequence values and a matrix"
            findings.append(places.finding(section, at, f"r{unit}", what, "give one of the two"))
        elif row["r"] is None or row["x"] is None:
            absent = "r" if row["r"] is None else "x"
            what = f"has no {absent}{unit}"
            findings.append(places.finding(section, at, "", what, "give both matrices"))
        else:
            return True
        return False
    missing = [f"{key}{unit}" for key in _TOTALS if row[key] is None]
    if missing:
        what = f"has no {', '.join(missing)}"
        findings.append(places.finding(section, at, "", what, f"add them{mend}"))
    return not missing


def _lines(
    rows: list[dict[str, Any]], types: dict[str, LineType], places: Places, findings: list[Finding]
) -> tuple[Line, ...]:
    lines: list[Line] = []
    kept = []
    for at, row in enumerate(rows):
        before = len(lines)
        given = [key for key in (*_TOTALS, "r", "x", "c") if row[key] is not None]
        kind = types.get(row["type"])
        if not row["type"]:
            mend = ", or give type and length_m"
            if not _impedance_given("lines", at, row, "_ohm", mend, places, findings):
                continue
            if row["length"] is not None:
                what, mend = "has a length but no type", "drop length_m, or give a type instead of the totals"
                findings.append(places.finding("lines", at, "length_m", what, mend))
            else:
                lines.append(Line(**row))
        elif given or row["c1"] or row["c0"]:
            what, mend = "has a type and totals", "give type and length_m, or the totals"
            findings.append(places.finding("lines", at, "type", what, mend))
        elif row["length"] is None:
            findings.append(places.finding("lines", at, "length_m", "is missing", "add 'length_m'"))
        elif kind is None and "line_types" in places.incomplete:
            continue
        elif kind is None:
            findings.append(places.unknown("lines", at, "type", row["type"], list(types), "line_types"))
        else:
            ends = row["name"], row["from_bus"], row["to_bus"]
            lines.append(line_of_type(*ends, kind, row["length"], row["phases"]))
        if len(lines) > before:
            kept.append(places.row("lines", at))
    if len(kept) < len(rows):
        places.left_out("lines", kept, complete=False)
    return tuple(lines)


def _spectra(rows: list[dict[str, Any]], places: Places, findings: list[Finding]) -> tuple[Spectrum, ...]:
    spectra, kept = [], []
    for at, row in enumerate(rows):
        columns = (row["orders"], row["percent"], row["angle_deg"])
        if len({len(column) for column in columns}) != 1:
            what = "orders, percent and angle_deg differ in length"
            findings.append(places.finding("spectra", at, "orders", what, "give one value for each order"))
            continue
        shares = tuple(HarmonicShare(*share) for share in zip(*columns, strict=True))
        spectra.append(Spectrum(row["name"], shares))
        kept.append(places.row("spectra", at))
    if len(kept) < len(rows):
        places.left_out("spectra", kept, complete=False)
    return tuple(spectra)
