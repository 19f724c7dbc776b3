"""The historian in both stores: bulk load profile, single durable events, reading, the content hash.

PostgreSQL runs as a private server on this machine that waits for the disk as it does by default; it is
left out where it is not installed. Its processes work for every commit and query, on the same cores.
"""

import contextlib
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

METERS, DAYS, PER_DAY = 100, 10, 96
START_NS = 1_772_323_200_000_000_000
STEP_NS = 900_000_000_000
CHANNELS = (
    "p_imp_wh", "p_exp_wh", "q_imp_varh", "q_exp_varh", "s_vah", "p_max", "v1_avg", "v2_avg", "v3_avg",
    "i1_avg", "i2_avg", "i3_avg", "pf_avg", "f_avg", "v1_thd", "i1_thd",
)  # fmt: skip
COMMITS = 400


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = {"SQLite and Parquet": measure(str(Path(folder) / "recording"))}
    with server() as url:
        if url is not None:
            rows["PostgreSQL"] = measure(f"{url}?run=benchmark")
    count = METERS * DAYS * PER_DAY
    print(f"{METERS} meters, {len(CHANNELS)} channels, {DAYS} days of 15 minutes: {count} rows")
    for what in next(iter(rows.values())):
        print(f"{what:<46}" + "".join(f"{name}: {found[what]:<18}" for name, found in rows.items()))


def measure(place: str) -> dict[str, str]:
    from twin.contracts import EventRecord, MeterInfo
    from twin.recording import Recording, RecordingWriter, content_hash

    names = tuple(f"meter{number:03d}" for number in range(METERS))
    infos = [MeterInfo(name, "kw320q", "line", 230.0, 100.0) for name in names]
    writer = RecordingWriter.create(place, scenario={}, meters=infos)
    found = {}
    blocks = list(intervals(names))

    started, processor = time.perf_counter(), cpu_s()
    for block in blocks:
        writer.append([block])
    writer.flush()
    seconds = time.perf_counter() - started
    rows = METERS * DAYS * PER_DAY
    found["load profile, rows/s"] = f"{rows / seconds:,.0f}"
    found["of them this process at work, us/row"] = f"{1e6 * (cpu_s() - processor) / rows:.1f}"

    started = time.perf_counter()
    for number in range(COMMITS):
        ns = START_NS + number * 10**9
        writer.append([EventRecord("meter000", number, "sag", "a", ns, ns, ns + 1, 180.0, 207.0, 230.0)])
        writer.flush()
    found["single durable events, commits/s"] = f"{COMMITS / (time.perf_counter() - started):,.0f}"
    started = time.perf_counter()
    writer.close()
    found["closing, ms"] = f"{1e3 * (time.perf_counter() - started):.0f}"

    recording = Recording.open(place)
    day_ns = PER_DAY * STEP_NS
    found["a meter's day, ms"] = timed(
        lambda: recording.load_profile("meter042", start_ns=START_NS + day_ns, end_ns=START_NS + 2 * day_ns)
    )
    found["a meter's ten days, ms"] = timed(lambda: recording.load_profile("meter042"))
    found["the last 100 events, ms"] = timed(lambda: recording.events(limit=100))
    started = time.perf_counter()
    content_hash(place)
    found["content hash, s"] = f"{time.perf_counter() - started:.2f}"
    return found


def intervals(names: tuple[str, ...]) -> Iterator[object]:
    from twin.contracts import IntervalBlock

    rng = np.random.default_rng(1)
    for step in range(1, DAYS * PER_DAY + 1):
        values = rng.normal(230.0, 50.0, (METERS, len(CHANNELS)))
        yield IntervalBlock(names, START_NS + step * STEP_NS, np.full(METERS, 900.0), CHANNELS, values)


def timed(ask: object) -> str:
    samples = []
    for _ in range(9):
        started = time.perf_counter()
        ask()
        samples.append(time.perf_counter() - started)
    return f"{1e3 * sorted(samples)[4]:.1f}"


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def server() -> Iterator[str | None]:
    from tests.postgres import Server, missing

    if reason := missing():
        print(f"without PostgreSQL: {reason}")
        yield None
        return
    started = Server(durable=True)
    try:
        yield started.url
    finally:
        started.close()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
