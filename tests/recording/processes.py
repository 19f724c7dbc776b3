"""What runs as a second process: ``python -m tests.recording.processes write_in_children|watch PLACE``."""

import os
import sys

from tests.recording import records
from twin.recording import Recording, RecordingWriter


def write(path):
    """Write batches for ever; after each flush say how many are safe."""
    writer = RecordingWriter.create(path, scenario=records.SCENARIO, meters=records.METERS)
    number = 0
    while True:
        number += 1
        writer.append(records.batch(number))
        writer.flush()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def write_in_children(place):
    """For each name that is read, write to a recording of that name in a child that is free to be killed.

    A child says its process id, then after each flush how many batches are safe; no interpreter has to start.
    """
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout.write(f"pid {os.getpid()}\n")
            sys.stdout.flush()
            write(place.replace("NAME", line.strip()))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"killed {os.WTERMSIG(status)}\n")
        sys.stdout.flush()


def watch(path):
    """Look at a growing recording until it is complete; after each look say how many batches it has."""
    recording = Recording.open(path)
    complete = False
    seen = 0
    while not complete:
        complete = recording.info.complete
        truth = recording.truth()
        profile = recording.load_profile("feeder")
        count = profile.end_ns.size
        assert seen <= len(truth) <= count <= len(recording.events())
        expected = [records.interval(n, meter="feeder", every_s=records.STEP_S) for n in range(1, count + 1)]
        assert profile.end_ns.tolist() == [interval.end_ns for interval in expected]
        if count:
            assert profile.values["v1_avg"].tolist() == [i.values["p_imp_wh"] for i in expected]
        seen = count
        sys.stdout.write(f"{seen}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    {"write_in_children": write_in_children, "watch": watch}[sys.argv[1]](sys.argv[2])
