"""When the data logs of a site record: all meters that share an instant are recorded together."""

from collections.abc import Iterable, Sequence

import numpy as np

from twin.meters.bank import MeterBank
from twin.meters.kw320.clock_search import NEVER
from twin.meters.kw320.data_logs import DataLogs, record_due
from twin.meters.kw320.words import WordTable


class LogSchedule:
    """The next instants of all data logs.

    Parameters
    ----------
    logs : sequence of DataLogs
        Of each meter, in the order of the bank.
    """

    def __init__(self, logs: Sequence[DataLogs]) -> None:
        self._logs = tuple(logs)
        self._due_ns = np.array([of.next_ns for of in logs], np.int64)
        self.next_ns = int(self._due_ns.min(initial=NEVER))
        """When the next record is made, UTC; `NEVER` without [ns]."""

    def expect(self, meters: Iterable[int]) -> None:
        """Look up anew when some meters record next: they were written to, or have recorded."""
        for meter in meters:
            self._due_ns[meter] = self._logs[meter].next_ns
        self.next_ns = int(self._due_ns.min(initial=NEVER))

    def record(self, bank: MeterBank, tables: Iterable[WordTable], now_ns: int) -> None:
        """Make the records of an instant, if there are any.

        Parameters
        ----------
        bank : MeterBank
            Lived up to that instant.
        tables : iterable of WordTable
            Of its meters.
        now_ns : int
            UTC [ns].
        """
        if self.next_ns > now_ns:
            return
        for table in tables:
            rows = np.flatnonzero(self._due_ns[table.places] <= now_ns).tolist()
            if rows:
                rows = self._powered(bank, table, rows, now_ns)
                table.refresh(bank, rows)
                meters = table.places[rows].tolist()
                logs = [self._logs[meter] for meter in meters]
                pairs = zip(logs, table.words[rows], strict=True)
                record_due(list(pairs), table.layout.place_of_address, now_ns)
                self.expect(meters)

    def _powered(self, bank: MeterBank, table: WordTable, rows: Sequence[int], now_ns: int) -> list[int]:
        """Return the rows of meters with a supply; the others go by their record."""
        on = bank.powered.on[table.places[rows]].tolist()
        for row in [row for row, powered in zip(rows, on, strict=True) if not powered]:
            meter = int(table.places[row])
            self._logs[meter].reschedule(now_ns)
            self.expect([meter])
        return [row for row, powered in zip(rows, on, strict=True) if powered]
