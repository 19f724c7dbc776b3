"""What has come of age goes, by whole days of recorded time; nothing younger ever does."""

import pytest

from tests.recording import records
from twin.recording import Recording, RecordingError, RecordingWriter, content_hash

STORES = ("sqlite", "postgresql")
DAY_S = 86_400.0
HALF_DAYS = 20
KEEP = {
    "truth": 2 * DAY_S,
    "alarms": 3 * DAY_S,
    "soe": 3.5 * DAY_S,
    "events": 4 * DAY_S,
    "waveforms": DAY_S,
    "registers": 5 * DAY_S,
    "load_profile": 6 * DAY_S,
}


def at(half_day):
    """Noon and midnight by turns; the newest is midnight, which ends the tenth day."""
    return records.START_NS + half_day * records.DAY_NS // 2


def moment(half_day):
    return [records.moved(record, at(half_day), half_day) for record in records.one_of_each()]


def fill(writer, size=1, until=HALF_DAYS):
    for first in range(1, until + 1, size):
        writer.append([one for n in range(first, min(first + size, until + 1)) for one in moment(n)])
        writer.flush()


def days_left(recording):
    """How far back each kind goes from the end of the last day [days]."""
    end_ns = at(HALF_DAYS)
    first = {
        "truth": min(entry.time_ns for entry in recording.truth()),
        "alarms": min(alarm.time_ns for alarm in recording.alarms()),
        "soe": min(change.time_ns for change in recording.soe()),
        "events": min(event.end_ns for event in recording.events()),
        "waveforms": min(wave.trigger_ns for wave in recording.waveforms()),
        "registers": min(change.time_ns for change in recording.registers("head", 100)),
        "load_profile": int(recording.load_profile("head").end_ns.min()),
    }
    return {kind: (end_ns - ns) / records.DAY_NS for kind, ns in first.items()}


def test_each_kind_has_its_own_age(create):
    writer = create(keep=KEEP)
    fill(writer)
    writer.close()
    # The last midnight ends day 10, which began at half day 18: limits count back from there. What is as
    # old as the limit stays, a profile interval that ends then belongs to the day before and goes; the
    # last change of a register before its limit tells what it held then.
    assert days_left(Recording.open(writer.path)) == {
        "truth": 3.0,
        "alarms": 4.0,
        "soe": 4.5,
        "events": 5.0,
        "waveforms": 2.0,
        "registers": 6.0,
        "load_profile": 6.5,
    }


def test_what_is_left_does_not_depend_on_the_batches(create):
    hashes = set()
    for size in (1, 3, 7, HALF_DAYS):
        writer = create(f"by {size}", keep=KEEP)
        fill(writer, size)
        writer.close()
        hashes.add(content_hash(writer.path))
    assert len(hashes) == 1


def test_without_limits_everything_stays(create):
    writer = create()
    fill(writer)
    writer.close()
    recording = Recording.open(writer.path)
    assert len(recording.truth()) == recording.load_profile("head").end_ns.size == HALF_DAYS


def test_the_last_change_of_a_register_stays_however_old(create):
    writer = create(keep={"registers": DAY_S})
    writer.append([records.register(1, address=7), records.register(2, address=7)])  # and never again
    fill(writer)
    writer.close()
    recording = Recording.open(writer.path)
    assert recording.registers("head", 7) == [records.register(2, address=7)]


def test_an_event_that_lasts_stays(create):
    writer = create(keep={"events": DAY_S})
    writer.append([records.event(1, ended=False, meter="feeder")])
    fill(writer)
    writer.close()
    assert len(Recording.open(writer.path).events(meter="feeder")) == 1


@pytest.mark.parametrize("store", ["sqlite"])
def test_sealed_days_go_through_the_manifest(create):
    writer = create(keep={"load_profile": 2 * DAY_S})
    folder = writer.path / "load_profile"
    fill(writer, until=6)
    assert [file.name[:10] for file in sorted(folder.iterdir())] == ["2026-03-01"]
    fill(writer)
    assert [file.name[:10] for file in sorted(folder.iterdir())] == ["2026-03-08"]
    writer.close()
    assert [file.name[8:10] for file in sorted(folder.iterdir())] == ["08", "09", "10"]
    assert Recording.open(writer.path).load_profile("head").end_ns.size == 6


@pytest.mark.parametrize("store", ["sqlite"])
def test_a_day_that_goes_while_it_is_read_is_no_damage(create, monkeypatch):
    writer = create(keep={"load_profile": 2 * DAY_S})
    fill(writer, until=8)
    recording = Recording.open(writer.path)
    real = recording._source.read_segment

    def late(*arguments, **options):
        monkeypatch.setattr(recording._source, "read_segment", real)
        for number in range(9, HALF_DAYS + 1):
            writer.append(moment(number))
            writer.flush()
        return real(*arguments, **options)

    monkeypatch.setattr(recording._source, "read_segment", late)
    assert recording.load_profile("head").end_ns.tolist() == [at(n) for n in range(15, HALF_DAYS + 1)]


@pytest.mark.parametrize(
    ("keep", "message"),
    [({"trut": 1.0}, "no retention of trut; it has truth"), ({"truth": 0.0}, "give a positive time")],
)
def test_a_wrong_limit_is_refused_before_anything_is_made(place, keep, message):
    with pytest.raises(RecordingError, match=message):
        RecordingWriter.create(place(), scenario={}, meters=records.METERS, keep=keep)
    RecordingWriter.create(place(), scenario={}, meters=records.METERS).close()
