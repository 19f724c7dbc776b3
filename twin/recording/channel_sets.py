"""Which channels the load profiles have, and the intervals that wait for the next commit.

Meters with the same channels share a hot table, wide, one column per channel. The set of an interval is
known from its keys; the first one with new keys creates the table in the commit that carries it.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from twin.contracts import IntervalBlock, IntervalRecord
from twin.recording import sql
from twin.recording.database import WriterStore
from twin.recording.errors import RecordingError
from twin.recording.load_profile import day_of
from twin.recording.rows import from_json, to_json
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
        self._latest: dict[int, tuple[str, ...]] = {}
        self._pending: dict[int, list[IntervalBlock]] = {}
        self._under_way: tuple[int, int, dict[int, int]] = (0, 0, {})

    def known(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield number and channels of every set."""
        return enumerate(self._channels, start=1)

    def ordered(self, record: IntervalRecord | IntervalBlock) -> tuple[int, IntervalBlock]:
        """Return the set of some intervals, and them as a block with the channels in the set's order.

        Raises
        ------
        RecordingError
            When a channel's name cannot be a column's.
        """
        block = record if isinstance(record, IntervalBlock) else _block_of(record)
        set_id = self._ids.get(block.channels)
        if set_id is None:
            set_id = self._learn(block.meters[0], block.channels)
        channels = self._channels[set_id - 1]
        if channels == block.channels:
            return set_id, block
        order = [block.channels.index(channel) for channel in channels]
        return set_id, replace(block, channels=channels, values=block.values[:, order])

    def add(self, set_id: int, block: IntervalBlock) -> None:
        """Keep intervals for the next commit."""
        self._pending.setdefault(set_id, []).append(block)
        # As a rule the same meters come again and again, in one and the same tuple.
        if self._latest.get(set_id) is not block.meters:
            self._latest[set_id] = block.meters
            for meter in block.meters:
                if (meter, set_id) not in self._meters:
                    self._meters.add((meter, set_id))
                    self._new_meters.append((meter, set_id))
        self.newest_day = max(self.newest_day, day_of(block.end_ns))

    @property
    def waiting(self) -> int:
        """How many intervals wait for the next commit."""
        return sum(len(block.meters) for pending in self._pending.values() for block in pending)

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
                store.add_intervals(set_id, self._channels[set_id - 1], pending, newest_day=self.newest_day)

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


def _block_of(interval: IntervalRecord) -> IntervalBlock:
    return IntervalBlock(
        (interval.meter,),
        int(interval.end_ns),
        np.array([interval.duration_s], dtype=np.float64),
        tuple(interval.values),
        np.array([list(interval.values.values())], dtype=np.float64),
    )


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
