"""Tables as CSV with a line of column names: what cannot be read is a finding with its mend."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from twin.contracts import BadInputError, Finding, Mark


def read_csv_text(path: Path | str, *, mend: str) -> str:
    """Return the text of a CSV file.

    Parameters
    ----------
    path : Path or str
    mend : str
        What to do where it cannot be read.

    Raises
    ------
    BadInputError
        There is no such file, or it is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInputError(Finding(Mark(str(path)), "", f"cannot be read ({reason})", mend)) from error


def csv_rows(text: str, file: str, *, needed: Sequence[str], mend: str) -> "csv.DictReader[str]":
    """Return a reader of the rows, by column name; its ``line_num`` is that of the row read last.

    Parameters
    ----------
    text : str
    file : str
        What findings call it.
    needed : sequence of str
        Columns that it has to have.
    mend : str
        What to do where it lacks one.

    Raises
    ------
    BadInputError
        It lacks columns.
    """
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInputError(Finding(Mark(file, 1), "", f"has no column {', '.join(missing)}", mend))
    return reader
