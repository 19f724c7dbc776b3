"""Loads that follow a table of active and reactive power over time, as simpy processes."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark
from twin.documents import suggestion
from twin.simulation.load_sink import TableSink, emissions, in_grains

TIME_COLUMN = "start_ns"
"""Start of the interval in which a row's powers hold, UTC [ns]."""
_P_SUFFIX, _Q_SUFFIX = ".p_w", ".q_var"


@dataclass(frozen=True, slots=True, eq=False)
class ProfileTable:
    """Power over time of several loads; a row holds until the next one, the last as long as the others."""

    time_ns: NDArray[np.int64]
    """Shape (rows,): start of each row's interval, UTC, equally spaced [ns]."""
    p: Mapping[str, NDArray[np.float64]]
    """Active power of each load [W], shape (rows,)."""
    q: Mapping[str, NDArray[np.float64]]
    """Reactive power of each load [var], shape (rows,)."""
    step_ns: int
    """Length of an interval [ns]."""


def read_profiles(path: Path | str, loads: Sequence[str], *, start_ns: int, end_ns: int) -> ProfileTable:
    """Read the profiles of some loads from a wide Parquet or CSV file.

    The file has the column ``start_ns`` (start of the interval, integer, UTC) and, for each load,
    ``<load>.p_w`` and ``<load>.q_var``, the sums over its phases; other columns do not matter. A row
    holds until the next one.

    Parameters
    ----------
    path : Path or str
        Parquet, or CSV if its name ends in ``.csv``.
    loads : sequence of str
        Names of the loads that are wanted.
    start_ns, end_ns : int
        The run that the table must cover, UTC [ns].

    Returns
    -------
    ProfileTable
        The rows that the run needs.

    Raises
    ------
    BadInputError
        With all findings: an unreadable file, missing columns, NaN, times that are out of order or leave
        a gap, a table that does not cover the run.
    """
    file = str(path)
    wanted = [name + suffix for name in loads for suffix in (_P_SUFFIX, _Q_SUFFIX)]
    columns = _read_columns(file, wanted)
    findings = _check_time(file, columns[TIME_COLUMN], start_ns, end_ns)
    for name in wanted:
        findings += _check_values(file, name, columns[name])
    if findings:
        raise BadInputError(*findings)
    time = columns[TIME_COLUMN]
    first = int(np.searchsorted(time, start_ns, side="right")) - 1
    rows = slice(first, int(np.searchsorted(time, end_ns, side="left")) + 1)
    return ProfileTable(
        time_ns=time[rows],
        p={name: columns[name + _P_SUFFIX][rows] for name in loads},
        q={name: columns[name + _Q_SUFFIX][rows] for name in loads},
        step_ns=_usual_step(time),
    )


def _read_columns(file: str, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the time as int64 and the wanted columns as float64."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        present = _column_names(file)
        missing = [name for name in (TIME_COLUMN, *wanted) if name not in present]
        if missing:
            raise BadInputError(*(_missing(file, name, present) for name in missing))
        table = _read_table(file, wanted)
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error), "check the path") from error
    except pa.ArrowException as error:
        mend = "mend the cell, or write the file anew as Parquet or CSV"
        raise _unreadable(file, str(error).split("\n")[0], mend) from error
    text = [name for name in wanted if not _is_number(table[name].type)]
    if text:
        mend = "write it as floating-point numbers"
        raise BadInputError(
            *(Finding(Mark(file), name, f"holds {table[name].type}, no numbers", mend) for name in text)
        )
    columns = {name: table[name].to_numpy().astype(np.float64) for name in wanted}
    time = table[TIME_COLUMN]
    if not pa.types.is_integer(time.type) or time.null_count:
        what = f"is {time.type} with {time.null_count} empty cells"
        mend = "write whole nanoseconds since 1970-01-01 UTC in every row"
        raise BadInputError(Finding(Mark(file), TIME_COLUMN, what, mend))
    columns[TIME_COLUMN] = time.to_numpy().astype(np.int64)
    return columns


def _is_number(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_csv(file: str) -> bool:
    return file.lower().endswith(".csv")


def _column_names(file: str) -> list[str]:
    if _is_csv(file):
        import pyarrow.csv as pc  # noqa: PLC0415

        with pc.open_csv(file) as reader:
            return list(reader.schema.names)
    import pyarrow.parquet as pq  # noqa: PLC0415

    return list(pq.read_schema(file).names)


def _read_table(file: str, wanted: Sequence[str]) -> Any:
    names = [TIME_COLUMN, *wanted]
    if _is_csv(file):
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.csv as pc  # noqa: PLC0415

        types = {name: pa.float64() for name in wanted} | {TIME_COLUMN: pa.int64()}
        # One thread: only then does a message name the row of a bad cell.
        read = pc.ReadOptions(use_threads=False)
        return pc.read_csv(
            file,
            read_options=read,
            convert_options=pc.ConvertOptions(column_types=types, include_columns=names),
        )
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.read_table(file, columns=names)


def _check_time(file: str, time: NDArray[np.int64], start_ns: int, end_ns: int) -> list[Finding]:
    if len(time) < 2:
        return [_finding(file, TIME_COLUMN, f"has {len(time)} rows", "give at least two")]
    steps = np.diff(time)
    usual = _usual_step(time)
    findings = []
    for row in np.flatnonzero(steps != usual)[:5]:
        if steps[row] <= 0:
            what = f"does not follow the row before ({_clock(time[row])})"
            findings.append(_finding(file, TIME_COLUMN, what, "sort the rows by time", row + 1))
        else:
            what = f"{_seconds(steps[row])} after the row before, where {_seconds(usual)} are usual"
            findings.append(_finding(file, TIME_COLUMN, what, "fill the gap", row + 1))
    begin, end = int(time[0]), int(time[-1]) + usual
    if begin > start_ns or end < end_ns:
        what = f"covers {_clock(begin)} to {_clock(end)}, the run {_clock(start_ns)} to {_clock(end_ns)}"
        findings.append(_finding(file, TIME_COLUMN, what, "give a longer table or change the run"))
    return findings


def _usual_step(time: NDArray[np.int64]) -> int:
    return int(Counter(np.diff(time).tolist()).most_common(1)[0][0])


def _check_values(file: str, name: str, values: NDArray[np.float64]) -> list[Finding]:
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return []
    more = f" and in {len(bad) - 1} more rows" if len(bad) > 1 else ""
    what = f"has no finite number here{more}"
    return [_finding(file, name, what, "fill it or leave the load out", int(bad[0]))]


def _finding(file: str, field: str, what: str, mend: str, row: int | None = None) -> Finding:
    if row is None:
        return Finding(Mark(file), field, what, mend)
    if _is_csv(file):
        return Finding(Mark(file, row + 2), field, what, mend)
    return Finding(Mark(file), field, f"row {row + 1}: {what}", mend)


def _missing(file: str, name: str, present: Sequence[str]) -> Finding:
    close = suggestion(name, present, "columns")
    return Finding(Mark(file), name, "column is missing", f"add it; {close}")


def _unreadable(file: str, reason: str, mend: str) -> BadInputError:
    return BadInputError(Finding(Mark(file), "", f"cannot be read ({reason})", mend))


def _clock(time_ns: int | np.int64) -> str:
    return datetime.fromtimestamp(int(time_ns) // NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _seconds(step_ns: int | np.int64) -> str:
    return f"{int(step_ns) / NS_PER_SECOND:g} s"


def start_profiles(
    env: simpy.Environment,
    sink: TableSink,
    path: Path | str,
    *,
    loads: Mapping[str, Sequence[int]],
    end_ns: int,
    ratios: Mapping[str, NDArray[np.complex128]],
    orders: Sequence[int],
) -> None:
    """Let loads follow the table of a file; the sink hears of their state before this returns.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : TableSink
        Hears of the changes at the start of each row that differs from the one before.
    path : Path or str
        Parquet or CSV file, see `read_profiles`.
    loads : mapping of str to sequence of int
        For each load of the table its load points, which share the power equally.
    end_ns : int
        End of the run that the table must cover, UTC [ns].
    ratios : mapping of str to c128[orders]
        Harmonic over fundamental current of the loads that emit, as of `make_draw`: what a load draws at
        any time has the same shape.
    orders : sequence of int
        Harmonic orders of the sink's emissions.

    Raises
    ------
    BadInputError
        See `read_profiles`.
    """
    table = read_profiles(path, list(loads), start_ns=int(env.now), end_ns=end_ns)
    follower = _Follower(sink, table, loads, ratios, orders)
    follower.move(0)
    env.process(follower.run(env))


class _Follower:
    """The loads of one table: where they stand, and where each row takes them."""

    def __init__(
        self,
        sink: TableSink,
        table: ProfileTable,
        loads: Mapping[str, Sequence[int]],
        ratios: Mapping[str, NDArray[np.complex128]],
        orders: Sequence[int],
    ) -> None:
        self._sink = sink
        self._table = table
        self._points = np.array([point for points in loads.values() for point in points], dtype=np.intp)
        shares = [len(points) for points in loads.values()]
        self._share = np.repeat(shares, shares)
        self._load = np.repeat(np.arange(len(shares)), shares)
        # A row is read whole: row after row lies in memory.
        self._rows = [np.stack([column[name] for name in loads], axis=1) for column in (table.p, table.q)]
        self._now = np.zeros((2, self._points.size))
        self._orders = np.asarray(orders)
        self._ratio = None
        if ratios:
            none = np.zeros(len(orders), dtype=np.complex128)
            ratio = np.array([ratios.get(name, none) for name in loads])[self._load]
            self._emitted_orders = np.flatnonzero(ratio.any(axis=0))
            self._ratio = np.ascontiguousarray(ratio[:, self._emitted_orders])
            self._emission = np.zeros_like(self._ratio)

    def run(self, env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process, from the second row on."""
        for row, start in enumerate(self._table.time_ns[1:].tolist(), start=1):
            yield env.timeout(start - env.now)
            self.move(row)

    def move(self, row: int) -> None:
        """Take the loads to a row; states are multiples of a grain, so that no sum of steps drifts."""
        new = np.stack([in_grains(rows[row][self._load] / self._share) for rows in self._rows])
        change = new - self._now
        found = np.flatnonzero((change[0] != 0.0) | (change[1] != 0.0))
        if not found.size:
            return
        # As a rule all of them move, and nothing need be picked.
        moved = slice(None) if found.size == self._points.size else found
        delta_p, delta_q = change[:, moved]
        self._sink.shift(self._points[moved], delta_p, delta_q, self._emitted(new, moved))
        self._now = new

    def _emitted(
        self, power: NDArray[np.float64], moved: NDArray[np.intp] | slice
    ) -> NDArray[np.complex128] | None:
        """Return the changes of emission of loads that move to other powers; None where none emits."""
        if self._ratio is None:
            return None
        p, q = power[:, moved]
        new = emissions(p, q, self._ratio[moved], self._orders[self._emitted_orders])
        change = np.zeros((len(p), self._orders.size), dtype=np.complex128)
        change[:, self._emitted_orders] = new - self._emission[moved]
        self._emission[moved] = new
        return change
