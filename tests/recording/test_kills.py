"""A writer that is killed with SIGKILL at any moment loses nothing that it was told is safe."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.recording import records
from tests.sites import SCENARIO, write_site
from twin.recording import Recording, RecordingPathError, RecordingWriter, content_hash

ROOT = Path(__file__).parents[2]


class Writers:
    """Writers in processes of their own, one after the other, each to be killed."""

    def __init__(self, place):
        self._place = place
        command = [sys.executable, "-m", "tests.recording.processes", "write_in_children", place]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def killed(self, name, *, flushes, delay_s):
        """Kill a writer some time after so many flushes; return how many batches it was told are safe."""
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline().split()[1])
        safe = 0
        while safe < flushes:
            safe = int(self.process.stdout.readline())
        time.sleep(delay_s)
        os.kill(pid, signal.SIGKILL)
        while not (line := self.process.stdout.readline()).startswith("killed"):
            safe = int(line)
        assert int(line.split()[1]) == signal.SIGKILL
        return safe


@pytest.fixture
def writers(request, tmp_path):
    """Writers of many recordings, by place with NAME in it."""
    started = []

    def start(place):
        started.append(Writers(place))
        return started[-1]

    yield start
    for one in started:
        one.process.stdin.close()
        one.process.wait(30)
        one.process.stdout.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Content hash of a recording of the first so many batches, as a writer without trouble makes it."""
    path = tmp_path_factory.mktemp("undisturbed")
    known = {}

    def of(batches):
        if batches not in known:
            with RecordingWriter.create(
                path / str(batches), scenario=records.SCENARIO, meters=records.METERS
            ) as writer:
                for number in range(1, batches + 1):
                    writer.append(records.batch(number))
            known[batches] = content_hash(path / str(batches))
        return known[batches]

    return of


def check(place, safe, undisturbed):
    """See that all that is safe is there, whole, and that the recording can go on; return its batches."""
    recording = Recording.open(place)
    truth = recording.truth()
    whole = len(truth)
    # A commit that came after the last word of the writer may be there too.
    assert safe <= whole <= safe + 1
    assert truth == [records.truth(n) for n in range(1, whole + 1)]
    assert recording.load_profile("feeder").end_ns.size == whole
    assert not recording.info.complete
    assert content_hash(place) == undisturbed(whole)
    with RecordingWriter.reopen(place) as writer:
        writer.append(records.batch(whole + 1))
    assert recording.info.complete
    assert content_hash(place) == undisturbed(whole + 1)
    return whole


def test_fifty_kills_of_an_embedded_recording(tmp_path, writers, undisturbed):
    rng = np.random.default_rng(20260301)
    started = writers(str(tmp_path / "NAME"))
    for trial in range(50):
        place = tmp_path / f"trial{trial}"
        # From creating the recording to somewhere in a batch, or in the seal of every fourth.
        safe = started.killed(
            place.name, flushes=int(rng.integers(0, 13)), delay_s=float(rng.uniform(0, 0.012))
        )
        if not place.is_dir():  # died while it created the recording, of which nothing is there then
            RecordingWriter.create(place, scenario=records.SCENARIO, meters=records.METERS).close()
            assert [file.name for file in tmp_path.glob(f".{place.name}*")] == []
            continue
        folder = place / "load_profile"
        check(place, safe, undisturbed)
        there = {file.name for file in folder.iterdir()}
        assert there == named(place), "the next start clears away what no manifest names"


def named(place):
    with Recording.open(place)._source.snapshot() as connection:
        return {Path(file).name for (file,) in connection.execute("SELECT file FROM segment")}


def test_kills_of_a_recording_in_a_database(postgres, writers, undisturbed):
    rng = np.random.default_rng(20260302)
    started = writers(f"{postgres.url}?run=killed-NAME")
    for trial in range(6):
        safe = started.killed(trial, flushes=int(rng.integers(1, 10)), delay_s=float(rng.uniform(0, 0.02)))
        place = f"{postgres.url}?run=killed-{trial}"
        wait_for_release(place)
        check(place, safe, undisturbed)


def wait_for_release(place):
    """The server notices that the killed writer's connection is gone within moments."""
    deadline = time.monotonic() + 20
    while True:
        try:
            RecordingWriter.reopen(place)._store.close()
        except RecordingPathError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize("remnant", ["2026-03-01-000009.parquet", "2026-03-01-000001.parquet.tmp"])
def test_what_a_kill_amid_sealing_leaves_is_cleared_away(create, remnant):
    """A whole file that its manifest does not name yet, and a half one."""
    writer = create()
    writer.append(records.batch(1))
    writer.close()
    (writer.path / "load_profile" / remnant).write_bytes(b"PAR1")
    before = content_hash(writer.path)
    RecordingWriter.reopen(writer.path).close()
    assert {file.name for file in (writer.path / "load_profile").iterdir()} == named(writer.path)
    assert content_hash(writer.path) == before


@pytest.mark.parametrize("delay_s", [0.0, 0.7])
def test_a_killed_run_of_a_site_can_be_read_and_mended(tmp_path, delay_s):
    site = write_site(tmp_path, scenario=SCENARIO.replace("duration: 10 min", "duration: 3000 d"))
    place = tmp_path / "recording"
    command = [sys.executable, "-m", "twin.cli", "run", str(site), "--out", str(place), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (place.is_dir() and Recording.open(place).truth(limit=1)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(delay_s)
        before = Recording.open(place).truth()  # what a reader has seen is safe as well
        process.kill()
    recording = Recording.open(place)
    truth = recording.truth()
    assert truth[: len(before)] == before
    assert not recording.info.complete
    content = content_hash(place)
    RecordingWriter.reopen(place).close()
    assert content_hash(place) == content
    assert recording.info.complete
