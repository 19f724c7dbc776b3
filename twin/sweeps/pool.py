"""Worker processes on this host. One that dies is replaced, and its chunk is run again."""

import tempfile
from collections.abc import Generator, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

from twin.sweeps.chunks import Chunks
from twin.sweeps.errors import WorkerLostError
from twin.sweeps.plan import Plan
from twin.sweeps.running import Order, Outcome
from twin.sweeps.worker import Worker, WorkerDiedError, instructions

_DEATHS = 10
"""So many workers in a row, for each that is wanted, may die before it is taken that none can live."""


def run_on_this_host(plan: Plan, chunks: Chunks, *, workers: int) -> Generator[list[Outcome], None, None]:
    """Run variants in processes of this host; yield the outcomes of each chunk as they come.

    Parameters
    ----------
    plan : Plan
        Its files are unpacked into a temporary folder.
    chunks : Chunks
        What is to be run.
    workers : int
        Processes.

    Raises
    ------
    WorkerLostError
        No worker lives long enough to do anything.
    """
    with tempfile.TemporaryDirectory(prefix="twin-sweep-") as folder:
        scenario = plan.bundle.unpack(Path(folder))
        pool = _Pool(scenario, Order(plan.duration_s, plan.balance), chunks, workers)
        try:
            yield from pool.outcomes()
        finally:
            pool.close()


class _Pool:
    def __init__(self, scenario: Path, order: Order, chunks: Chunks, workers: int) -> None:
        self._scenario, self._order = scenario, order
        self._chunks = chunks
        self._wanted = workers
        self._workers: list[Worker] = []
        self._deaths = 0

    def outcomes(self) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each chunk until all are run."""
        while True:
            self._hand_out()
            busy = {worker.connection: worker for worker in self._workers if worker.chunk}
            if not busy:
                return
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                outcomes = self._collect(busy[ready])
                if outcomes:
                    yield outcomes

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.close()

    def _hand_out(self) -> None:
        idle = [worker for worker in self._workers if not worker.chunk]
        while idle or len(self._workers) < self._wanted:
            chunk = self._chunks.take(self._wanted)
            if not chunk:
                return
            if idle:
                worker = idle.pop()
            else:
                worker = Worker(self._scenario, self._order, instructions())
                self._workers.append(worker)
            worker.give(chunk)

    def _collect(self, worker: Worker) -> list[Outcome]:
        chunk = worker.chunk
        try:
            outcomes = worker.take()
        except WorkerDiedError as error:
            self._workers.remove(worker)
            self._deaths += 1
            if self._deaths >= _DEATHS * self._wanted:
                msg = f"workers die one after the other ({error}); find out why, then go on with --resume"
                raise WorkerLostError(msg) from None
            return self._chunks.died(chunk, str(error))
        self._deaths = 0
        self._chunks.learn(outcomes)
        return outcomes
