"""Workers of a Dask cluster. The scenario's files travel with the tasks: a worker needs the package alone."""

import atexit
import importlib
import logging
import re
import shutil
import tempfile
import threading
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from twin import __version__
from twin.sweeps.chunks import Chunks
from twin.sweeps.errors import SweepError, WorkerLostError
from twin.sweeps.plan import Plan, Variant
from twin.sweeps.running import Order, Outcome
from twin.sweeps.site_files import Bundle
from twin.sweeps.worker import Worker, WorkerDiedError, instructions

_CONNECT_S = 15.0
_WAIT_S = 60.0
_AHEAD = 2
"""Chunks in flight per worker thread, so that none waits for the network."""
_LOST = "go on with --resume once a scheduler and workers are there"


def run_on_cluster(
    plan: Plan, chunks: Chunks, *, scheduler: str, workers: int | None = None
) -> Generator[list[Outcome], None, None]:
    """Run variants on a Dask cluster; yield the outcomes of each chunk as they come.

    Parameters
    ----------
    plan : Plan
        Its files are sent to the workers.
    chunks : Chunks
        What is to be run.
    scheduler : str
        Address, ``tcp://host:port``.
    workers : int, optional
        Wait until there are so many; one by default.

    Raises
    ------
    WorkerLostError
        There is no scheduler or no worker, or the scheduler is lost.
    SweepError
        Dask is not installed, or workers have another version of this software.
    """
    if not re.match(r"(tcp|tls|ws|wss|ucx|inproc)://.", scheduler):
        raise SweepError(f"{scheduler}: is no address of a scheduler; give it as tcp://host:port")
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        msg = "--scheduler needs Dask, which is not installed; pip install 'site-twin[sweep]'"
        raise SweepError(msg) from error
    _silence()
    try:
        client = distributed.Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"{scheduler}: no scheduler answers; start one (dask scheduler), or leave --scheduler out"
        raise WorkerLostError(msg) from error
    try:
        _wait_for_workers(client, scheduler, workers or 1)
        yield from _Tasks(distributed, client, plan, chunks).outcomes()
    finally:
        client.close(timeout=5)


def _silence() -> None:
    """Keep Dask's own reports of lost connections back: what matters of them is said here."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"asyncio", "distributed", "tornado"}:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _wait_for_workers(client: Any, scheduler: str, workers: int) -> None:
    try:
        client.wait_for_workers(workers, timeout=_WAIT_S)
    except TimeoutError as error:
        msg = (
            f"{scheduler}: has fewer than {workers} workers; start them: dask worker {scheduler} --nthreads 1"
        )
        raise WorkerLostError(msg) from error


class _Tasks:
    """The chunks that are on the cluster."""

    def __init__(self, distributed: Any, client: Any, plan: Plan, chunks: Chunks) -> None:
        self._distributed = distributed
        self._client = client
        self._chunks = chunks
        self._order = Order(plan.duration_s, plan.balance)
        self._chosen = instructions()
        # A task of its own, and no copy in each: Dask sends it once to each worker, and makes it anew when
        # the worker that held it has died.
        self._bundle = client.submit(_hold, plan.bundle, key=f"twin-sweep-files-{plan.bundle.content}")
        self._sent: dict[Any, list[Variant]] = {}
        self._again: list[list[Variant]] = []
        """Chunks whose results went with the worker that held them."""

    def outcomes(self) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each chunk until all are run."""
        try:
            yield from self._outcomes()
        except OSError as error:
            raise WorkerLostError(f"the scheduler is gone ({error}); {_LOST}") from error

    def _outcomes(self) -> Iterator[list[Outcome]]:
        done = self._distributed.as_completed(self._next(), loop=self._client.loop)
        for future in done:
            outcomes = self._collect(future)
            done.update(self._next())
            if outcomes:
                yield outcomes

    def _next(self) -> list[Any]:
        threads = max(1, sum(self._client.nthreads().values()))
        futures = []
        while len(self._sent) < _AHEAD * threads:
            chunk = self._again.pop() if self._again else self._chunks.take(_AHEAD * threads)
            if not chunk:
                break
            future = self._client.submit(
                run_chunk, self._bundle, chunk, self._order, self._chosen, __version__,
                key=f"twin-sweep-{uuid.uuid4()}",
            )  # fmt: skip
            self._sent[future] = chunk
            futures.append(future)
        return futures

    def _collect(self, future: Any) -> list[Outcome]:
        chunk = self._sent.pop(future)
        if future.status in {"cancelled", "lost"}:
            if self._client.status != "running":
                raise WorkerLostError(f"the scheduler is gone; {_LOST}")
            # A worker died between finishing this chunk and handing it over.
            self._again.append(chunk)
            return []
        try:
            outcomes: list[Outcome] = future.result()
        except self._distributed.KilledWorker as error:
            return self._chunks.died(chunk, f"last on {error.last_worker.address}")
        except WorkerDiedError as error:
            return self._chunks.died(chunk, str(error))
        self._chunks.learn(outcomes)
        return outcomes


def _hold(bundle: Bundle) -> Bundle:
    return bundle


_one_at_a_time = threading.Lock()
_processes: dict[str, Worker] = {}
"""The process behind this worker, by what it runs; one at most."""


def run_chunk(
    bundle: Bundle, chunk: list[Variant], order: Order, chosen: dict[str, str], version: str
) -> list[Outcome]:
    """Run a chunk; what a worker of a cluster is asked to do.

    A process of its own does the work, on the instructions of who asks: a worker of a cluster was started by
    others, on whatever they had.

    Raises
    ------
    SweepError
        The worker has another version of the software, whose results might differ.
    WorkerDiedError
        The process behind it ended.
    """
    if version != __version__:
        msg = (
            f"a worker has version {__version__} of this software, not {version}; install the same everywhere"
        )
        raise SweepError(msg)
    with _one_at_a_time:  # there is one process, however many threads the worker has
        worker = _process(bundle, order, chosen)
        try:
            worker.give(chunk)
            return worker.take()
        except WorkerDiedError:
            _end_processes()
            raise


def _process(bundle: Bundle, order: Order, chosen: dict[str, str]) -> Worker:
    """Return the process that runs variants of these files in this way; it takes the place of another."""
    task = f"{bundle.content} {order} {sorted(chosen.items())}"
    if task not in _processes:
        _end_processes()
        folder = Path(tempfile.mkdtemp(prefix="twin-sweep-"))
        _folders.append(folder)
        _processes[task] = Worker(bundle.unpack(folder), order, chosen)
    return _processes[task]


def _end_processes() -> None:
    for worker in _processes.values():
        worker.close()
    _processes.clear()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


_folders: list[Path] = []
atexit.register(_end_processes)
