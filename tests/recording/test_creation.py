"""A recording comes into being whole or not at all, and never on top of something else."""

import contextlib
import sqlite3

import pytest

from tests.recording import records
from twin.contracts import TwinError
from twin.recording import Recording, RecordingError, RecordingPathError, creation


def test_an_empty_directory_and_missing_parents_will_do(create, tmp_path):
    (tmp_path / "empty").mkdir()
    assert Recording.open(create("empty").path).meters() == list(records.METERS)
    assert Recording.open(create("a/b").path).meters() == list(records.METERS)


def test_a_recording_is_replaced_only_on_request(create):
    first = create()
    first.append([records.truth(1), records.interval(1)])
    first.close()
    with pytest.raises(RecordingPathError, match=r"holds a recording already.*ask to overwrite"):
        create()
    assert Recording.open(first.path).truth() == [records.truth(1)]
    second = create(overwrite=True)
    assert Recording.open(first.path).truth() == []
    assert not list((first.path / "load_profile").iterdir())
    assert [path.name for path in first.path.parent.iterdir()] == ["recording"]
    second.append([records.truth(2)])
    second.close()
    assert Recording.open(first.path).truth() == [records.truth(2)]


def test_a_recording_at_work_is_not_replaced(create):
    first = create()
    with pytest.raises(RecordingPathError, match="a running program is writing"):
        create(overwrite=True)
    first.append([records.truth(1)])
    first.close()
    assert Recording.open(first.path).truth() == [records.truth(1)]


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_things_are_never_replaced(create, tmp_path, overwrite):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    with pytest.raises(RecordingPathError, match="not empty and no recording"):
        create("thesis", overwrite=overwrite)
    (folder / "recording.sqlite").write_text("no database at all, and long enough to be asked" * 9)
    with pytest.raises(RecordingPathError, match="not empty and no recording"):
        create("thesis", overwrite=overwrite)
    with pytest.raises(RecordingPathError, match="is a file"):
        create("thesis/chapter.txt", overwrite=overwrite)
    assert (folder / "chapter.txt").read_text() == "years of work"


def test_an_unwritable_place_is_named(create, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingPathError, match=r"file/recording: cannot create.*choose a directory"):
        create("file/recording")
    assert issubclass(RecordingPathError, TwinError)
    assert issubclass(RecordingPathError, OSError)


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interrupted_creation_changes_nothing(create, tmp_path, monkeypatch, overwrite):
    if overwrite:
        with create() as writer:
            writer.append([records.truth(1)])

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(creation.rows, "meter_row", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create(overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["recording"] * overwrite
    if overwrite:
        assert Recording.open(tmp_path / "recording").truth() == [records.truth(1)]


def test_what_a_killed_creation_left_is_cleared_away(create, tmp_path):
    (tmp_path / ".recording.creating").mkdir()
    (tmp_path / ".recording.creating" / "recording.sqlite").write_text("half")
    create()
    assert [path.name for path in tmp_path.iterdir()] == ["recording"]


def test_a_scenario_must_be_plain_data(create, tmp_path):
    with pytest.raises(RecordingError, match="the scenario cannot be kept"):
        create(scenario={"network": object()})
    assert not list(tmp_path.iterdir())


def test_opening_what_is_no_recording(tmp_path):
    with pytest.raises(RecordingPathError, match=r"nowhere: no recording there.*name the directory"):
        Recording.open(tmp_path / "nowhere")
    (tmp_path / "recording.sqlite").write_text("no database at all, and long enough to be asked" * 9)
    with pytest.raises(RecordingPathError, match="cannot read the recording: file is not a database"):
        Recording.open(tmp_path)


def test_opening_another_database(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "recording.sqlite")) as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    with pytest.raises(RecordingError, match="is no recording"):
        Recording.open(tmp_path)


def test_a_newer_schema_is_not_misread(create):
    writer = create()
    writer.close()
    with contextlib.closing(sqlite3.connect(writer.path / "recording.sqlite")) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(RecordingError, match="schema version 99, this software reads up to"):
        Recording.open(writer.path)


def test_a_path_with_awkward_characters(create):
    writer = create("site #7 100% ?mode=rw")
    writer.append([records.truth(1), records.interval(1)])
    writer.close()
    found = Recording.open(writer.path)
    assert found.truth() == [records.truth(1)]
    assert found.load_profile("head").end_ns.size == 1
