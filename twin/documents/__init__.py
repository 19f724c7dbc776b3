"""Text that people write: YAML with line numbers, quantities with units, findings with a mend."""

from twin.documents.csv_table import csv_rows, read_csv_text
from twin.documents.quantity import (
    Ampere,
    Degree,
    Farad,
    Hertz,
    Metre,
    Ohm,
    Percent,
    Second,
    Var,
    Volt,
    VoltAmpere,
    Watt,
    WattHour,
    parse_quantity,
    parse_ratio,
)
from twin.documents.range_types import OftenText, TimeRange, TimeRangeText
from twin.documents.validation import findings_of, nearest, suggestion, validate
from twin.documents.yaml_document import Document, read_yaml

__all__ = [
    "Ampere",
    "Degree",
    "Document",
    "Farad",
    "Hertz",
    "Metre",
    "OftenText",
    "Ohm",
    "Percent",
    "Second",
    "TimeRange",
    "TimeRangeText",
    "Var",
    "Volt",
    "VoltAmpere",
    "Watt",
    "WattHour",
    "csv_rows",
    "findings_of",
    "nearest",
    "parse_quantity",
    "parse_ratio",
    "read_csv_text",
    "read_yaml",
    "suggestion",
    "validate",
]
