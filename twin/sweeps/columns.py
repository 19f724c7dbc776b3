"""Columns of the results: parameters with the types of their values, then what each variant came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from twin.sweeps.scales import scale_of
from twin.sweeps.schema import Scalar

Kind = Literal["integer", "real", "flag", "text", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of results."""

    name: str
    kind: Kind
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ParameterColumn:
    """The column of a parameter."""

    name: str
    kind: Kind
    unit: str
    """SI; empty where the values are no quantities with units."""
    paths: tuple[str, ...]
    """Keys that it sets."""

    def typed(self, value: Scalar) -> Any:
        """Return a value as the column holds it: quantities in SI."""
        if value is None or self.kind in {"flag", "integer"}:
            return value
        if self.kind == "real":
            scale = scale_of([value, f"0 {self.unit}"] if self.unit else [value])
            assert scale is not None
            return scale.number(value)
        return str(value)


HEAD = (
    Column("variant", "integer", note="number in the plan, from 0"),
    Column("key", "text", note="hash of its settings, its duration and the content of all files"),
)
RESULTS = (
    Column("error", "text", note="why it failed; null when it did not"),
    Column("seconds", "real", "s", "wall time of its run"),
    Column("content_hash", "text", note="of its recording, as `twin run` prints it"),
    Column("simulated_s", "real", "s"),
    Column("load_changes", "integer"),
    Column("events", "integer", note="power-quality events of all meters"),
    Column("sags", "integer"),
    Column("swells", "integer"),
    Column("over_currents", "integer"),
    Column("deepest_sag_percent", "real", "%", "lowest voltage in a sag, of the rated; null without a sag"),
    Column("deepest_sag_meter", "text", note="where that was"),
    Column("sarfi_90", "real", note="sags below 90 % per power-quality meter (IEEE 1564)"),
    Column("sarfi_70", "real", note="sags below 70 % per power-quality meter (IEEE 1564)"),
    Column("alarms", "integer", note="how often an alarm became active, all meters"),
    Column("captures", "integer", note="waveforms, all meters"),
    Column("balance_wh", "real", "Wh", "net import of the supplying meters less that of the others"),
)
METER_RESULTS = (
    Column("import_wh", "real", "Wh"),
    Column("export_wh", "real", "Wh"),
    Column("max_demand_w", "real", "W"),
    Column("v_min", "real", "V"),
    Column("v_max", "real", "V"),
    Column("events", "integer"),
    Column("sags", "integer"),
    Column("swells", "integer"),
    Column("over_currents", "integer"),
    Column("deepest_sag_v", "real", "V"),
    Column("alarms", "integer"),
    Column("captures", "integer"),
)
"""Of each meter, as ``<meter>.<name>``."""
EVENTS = (
    *HEAD,
    Column("meter", "text"),
    Column("number", "integer", note="the meter's own, from 1"),
    Column("type", "text", note="sag, swell or over_current"),
    Column("phases", "text"),
    Column("start", "time", note="first half cycle outside the threshold, UTC"),
    Column("duration_s", "real", "s", "null while it lasts"),
    Column("extreme", "real", "V or A", "lowest or highest RMS"),
    Column("extreme_percent", "real", "%", "of the rated"),
    Column("threshold", "real", "V or A"),
    Column("rated", "real", "V or A"),
)


def result_names() -> frozenset[str]:
    """Return the names that no parameter can have."""
    return frozenset(column.name for column in (*HEAD, *RESULTS))


def parameter_columns(
    names: Sequence[str], paths: Sequence[Sequence[str]], rows: Sequence[Sequence[Scalar]]
) -> tuple[ParameterColumn, ...]:
    """Return the column of each parameter, typed by all of its values."""
    columns = []
    for at, name in enumerate(names):
        kind, unit = _kind([row[at] for row in rows])
        columns.append(ParameterColumn(name, kind, unit, tuple(paths[at])))
    return tuple(columns)


def _kind(values: Sequence[Scalar]) -> tuple[Kind, str]:
    given = list(dict.fromkeys((type(value), value) for value in values))
    kinds = {kind for kind, _ in given} - {type(None)}
    if kinds == {int}:
        return "integer", ""
    if kinds == {bool}:
        return "flag", ""
    scale = scale_of([value for _, value in given])
    if scale is not None and scale.kind in {"number", "quantity"}:
        return "real", scale.unit
    return "text", ""


def variant_columns(columns: Sequence[ParameterColumn], meters: Sequence[str]) -> tuple[Column, ...]:
    """Return all columns of the table of variants."""
    return (
        *HEAD,
        *(Column(column.name, column.kind, column.unit, ", ".join(column.paths)) for column in columns),
        *RESULTS,
        *(
            Column(f"{meter}.{column.name}", column.kind, column.unit)
            for meter in meters
            for column in METER_RESULTS
        ),
    )
