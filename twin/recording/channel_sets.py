"""Which channels the load profiles have, and the intervals that wait for the next commit.

Meters with the same channels share a hot table, wide, one column per channel. The set of an interval is
known from its keys; the first one with new keys creates the table in the commit that carries it.
"""

import re
from collections.abc import Iterator

from twin.contracts import IntervalBlock, IntervalRecord
from twin.recording import sql
from twin.recording.database import WriterStore
from twin.recording.errors import RecordingError
from twin.recording.load_profile import day_of
from twin.recording.rows import Row, from_json, to_json
from twin.recording.tables import CHANNEL_SET, METER_CHANNEL_SET, profile_table

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = frozenset({"meter", "end_ns", "duration_s"})


class ChannelSets:
    """Sets of channels by number, with the rows and definitions that are not yet written."""

    def __init__(self) -> None:
        self.newest_day = 0
        """Latest UTC day of any interval."""
        self._channels: list[tuple[str, ...]] = []
        self._ids: dict[tuple[str, ...], int] = {}
        self._new_sets: list[int] = []
        self._meters: set[tuple[str, int]] = set()
        self._new_meters: list[tuple[str, int]] = []
        self._pending: dict[int, list[Row]] = {}
        self._under_way: tuple[int, int, dict[int, int]] = (0, 0, {})

    def known(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield number and channels of every set."""
        return enumerate(self._channels, start=1)

    def row(self, interval: IntervalRecord) -> tuple[int, Row]:
        """Return an interval's set and its row (end_ns, meter, duration_s, one value per channel).

        Raises
        ------
        RecordingError
            When a channel's name cannot be a column's.
        """
        keys = tuple(interval.values)
        set_id = self._set_of(interval.meter, keys)
        values = interval.values
        numbers = [float(values[channel]) for channel in self._channels[set_id - 1]]
        return set_id, (int(interval.end_ns), interval.meter, float(interval.duration_s), *numbers)

    def rows(self, block: IntervalBlock) -> list[tuple[int, Row]]:
        """Return the set and the row of each interval of a block, as `row`."""
        set_id = self._set_of(block.meters[0], block.channels)
        order = [block.channels.index(channel) for channel in self._channels[set_id - 1]]
        table = zip(block.meters, block.duration_s.tolist(), block.values[:, order].tolist(), strict=True)
        return [(set_id, (block.end_ns, meter, duration_s, *numbers)) for meter, duration_s, numbers in table]

    def add(self, set_id: int, row: Row) -> None:
        """Keep a row for the next commit."""
        self._pending.setdefault(set_id, []).append(row)
        pair = (row[1], set_id)
        if pair not in self._meters:
            self._meters.add(pair)
            self._new_meters.append(pair)
        self.newest_day = max(self.newest_day, day_of(row[0]))

    @property
    def waiting(self) -> int:
        """How many rows wait for the next commit."""
        return sum(map(len, self._pending.values()))

    def write(self, store: WriterStore) -> None:
        """Write what is new, inside the caller's transaction."""
        self._under_way = (
            len(self._new_sets),
            len(self._new_meters),
            {set_id: len(pending) for set_id, pending in self._pending.items()},
        )
        for set_id in self._new_sets:
            channels = self._channels[set_id - 1]
            store.add(CHANNEL_SET, [(set_id, to_json(channels, "channels"))])
            store.create(profile_table(set_id, channels))
        store.add(METER_CHANNEL_SET, self._new_meters)
        for set_id, pending in self._pending.items():
            if pending:
                store.add(profile_table(set_id, self._channels[set_id - 1]), pending)

    def learn_recorded(self, store: WriterStore) -> None:
        """Take over the sets of a recording that goes on."""
        for set_id, text in store.execute(sql.CHANNEL_SETS).fetchall():
            channels = from_json(text)
            self._channels.append(channels)
            self._ids[channels] = self._ids[tuple(sorted(channels))] = set_id
            (last,) = store.execute(sql.last_hot_end(set_id)).fetchone()
            self.newest_day = max(self.newest_day, 0 if last is None else day_of(last))
        self._meters = {(meter, set_id) for meter, set_id in store.execute(sql.METER_CHANNEL_SETS).fetchall()}
        (day,) = store.execute(sql.NEWEST_SEGMENT_DAY).fetchone()
        self.newest_day = max(self.newest_day, day or 0)

    def written(self) -> None:
        """Forget what the last ``write`` wrote: it is committed. What came since stays."""
        sets, meters, counts = self._under_way
        del self._new_sets[:sets]
        del self._new_meters[:meters]
        for set_id, count in counts.items():
            del self._pending[set_id][:count]

    def _set_of(self, meter: str, keys: tuple[str, ...]) -> int:
        set_id = self._ids.get(keys)
        return self._learn(meter, keys) if set_id is None else set_id

    def _learn(self, meter: str, keys: tuple[str, ...]) -> int:
        ordered = tuple(sorted(keys))
        set_id = self._ids.get(ordered)
        if set_id is None:
            _check_names(meter, keys)
            self._channels.append(keys)
            set_id = self._ids[ordered] = len(self._channels)
            self._new_sets.append(set_id)
        self._ids[keys] = set_id  # the same channels in another order
        return set_id


def _check_names(meter: str, keys: tuple[str, ...]) -> None:
    if not keys:
        msg = f"an interval of meter {meter!r} has no channels; leave it out"
        raise RecordingError(msg)
    seen = set(_TAKEN)
    for key in keys:
        if not _NAME.fullmatch(key) or key.lower() in seen:
            msg = (
                f"meter {meter!r}: channel {key!r} cannot name a column; use letters, digits and _, "
                f"each name once whatever its case, and none of {', '.join(sorted(_TAKEN))}"
            )
            raise RecordingError(msg)
        seen.add(key.lower())
