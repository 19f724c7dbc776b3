"""How long a recording keeps what: in recorded time, by whole days."""

from collections.abc import Mapping
from typing import Final

from twin.recording import sql
from twin.recording.channel_sets import ChannelSets
from twin.recording.database import WriterStore
from twin.recording.errors import RecordingError
from twin.recording.load_profile import day_of, span_of

KINDS: Final = (*sql.FORGETTING, "load_profile")
"""What can have a limit of its own."""


class Retention:
    """What is kept for how long.

    The limit of a day is reckoned from the midnight at which the newest recorded day began, so that what
    is left does not depend on how records were batched, and nothing younger than the limit ever goes.

    Parameters
    ----------
    keep : mapping
        Recorded time [s] by kind.

    Raises
    ------
    RecordingError
        For an unknown kind, or a time that is not positive.
    """

    def __init__(self, keep: Mapping[str, float]) -> None:
        unknown = [kind for kind in keep if kind not in KINDS]
        if unknown:
            msg = f"no retention of {', '.join(unknown)}; it has {', '.join(KINDS)}"
            raise RecordingError(msg)
        wrong = [kind for kind, seconds in keep.items() if not seconds > 0]
        if wrong:
            msg = f"a retention of {wrong[0]} for {keep[wrong[0]]} s; give a positive time"
            raise RecordingError(msg)
        self.keep = {kind: round(seconds * 1e9) for kind, seconds in keep.items()}
        """By kind [ns]."""
        self._newest_ns: int | None = None
        self._applied_day: int | None = None

    def note(self, time_ns: int) -> None:
        """Take note of the time of a record, UTC [ns]."""
        self._newest_ns = time_ns if self._newest_ns is None else max(self._newest_ns, time_ns)

    def apply(self, store: WriterStore, channel_sets: ChannelSets) -> None:
        """Remove what has come of age, once for each new day."""
        if not self.keep or self._newest_ns is None:
            return
        day = day_of(self._newest_ns)
        if day == self._applied_day:
            return
        midnight_ns, _ = span_of(day)
        with store.transaction():
            for kind, statements in sql.FORGETTING.items():
                if kind in self.keep:
                    for statement in statements:
                        store.execute(statement, (midnight_ns - self.keep[kind],))
        if "load_profile" in self.keep:
            sets = [set_id for set_id, _ in channel_sets.known()]
            store.forget_profile(sets, midnight_ns - self.keep["load_profile"])
        self._applied_day = day
