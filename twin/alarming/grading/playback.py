"""What a master would have read: the registers of a recording, played back scan by scan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from twin.alarming.scans import Scan
from twin.alarming.tag_list import TagAddress
from twin.contracts import BadInputError, Finding, Mark
from twin.recording import Recording


@dataclass(frozen=True, slots=True)
class RegisterPlayback:
    """Recorded registers of several meters.

    Every scan brings all tags of a meter, as they stood then.
    """

    changes: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]
    """By meter and tag: time [ns] and value, in order; the value holds until the next."""

    @classmethod
    def read(cls, recording: Recording, tags: Iterable[TagAddress]) -> "RegisterPlayback":
        """Read tags of a recording."""
        return cls(
            {
                (tag.meter, tag.name): tuple(
                    (record.time_ns, tag.value(record.words))
                    for record in recording.registers(tag.meter, tag.address)
                )
                for tag in tags
            }
        )

    def scans(self, *, start_ns: int, end_ns: int, step_ns: int) -> Iterator[Scan]:
        """Yield the scans of all meters, one after the other at each step, from the first that has values.

        A step at which nothing has changed brings the same values again: delays pass by it.
        """
        events = sorted(
            (time_ns, meter, tag, value)
            for (meter, tag), course in self.changes.items()
            for time_ns, value in course
        )
        values: dict[str, dict[str, float]] = {meter: {} for meter, _ in self.changes}
        at, now_ns = 0, start_ns
        while now_ns <= end_ns:
            while at < len(events) and events[at][0] <= now_ns:
                _, meter, tag, value = events[at]
                values[meter][tag] = value
                at += 1
            for meter, held in values.items():
                if held:
                    yield Scan(meter, now_ns, dict(held))
            now_ns += step_ns


def recorded_tags(recording: Recording) -> dict[tuple[str, str], TagAddress]:
    """Return the registers whose changes a recording holds, by meter and name."""
    return {
        (meter.name, point.name): TagAddress(
            meter=meter.name,
            name=point.name,
            address=point.address,
            type=point.type,
            scale=point.scale,
            unit=point.unit,
            low_first=point.word_order.startswith("low"),
        )
        for meter in recording.meters()
        for point in recording.register_points(meter.name)
    }


def recorded_span(recording: Recording) -> tuple[int, int]:
    """Return from when to when a recording holds all that happened, UTC [ns].

    Raises
    ------
    BadInputError
        It does not say.
    """
    start_ns, end_ns = recording.info.scenario.get("start_ns"), recording.info.reached_ns
    if not isinstance(start_ns, int) or end_ns is None:
        what = "does not say from when to when it goes"
        mend = "record the scenario anew with: twin run SCENARIO --out DIRECTORY"
        raise BadInputError(Finding(Mark(str(recording.path)), "", what, mend))
    return start_ns, end_ns
