"""A sweep from its plan to its results."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from twin.sweeps.chunks import Chunks
from twin.sweeps.cluster import run_on_cluster
from twin.sweeps.dataset import open_dataset
from twin.sweeps.plan import Plan
from twin.sweeps.pool import run_on_this_host


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come."""

    done: int
    failed: int
    total: int
    results_hash: str
    """Over the content hashes of what is done, in the order of the plan."""


def run_sweep(
    plan: Plan,
    out: Path | str,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    show: Callable[[int, int], None] = lambda done, failed: None,
) -> Progress:
    """Run all variants of a plan that are not done yet, and write their results.

    Parameters
    ----------
    plan : Plan
        See `read_plan`.
    out : path
        Folder of the results; a new one unless ``resume``.
    resume : bool
        Go on with the results of the same plan.
    workers : int, optional
        Processes on this host, one per processor by default; of a cluster, how many workers to wait for.
    scheduler : str, optional
        Address of a Dask scheduler, ``tcp://host:port``; this host by default.
    show : callable
        Called with the numbers of variants done and failed as they grow.

    Raises
    ------
    SweepError
        The folder cannot be used, or workers are lost. What is done is kept.
    """
    with open_dataset(Path(out), plan, resume=resume) as dataset:
        chunks = Chunks(variant for variant in plan.variants if variant.number not in dataset.hashes)
        show(len(dataset.hashes), dataset.failed)
        if chunks.left and scheduler is not None:
            outcomes = run_on_cluster(plan, chunks, scheduler=scheduler, workers=workers)
        else:
            outcomes = run_on_this_host(plan, chunks, workers=workers or processors())
        with closing(outcomes):
            for chunk in outcomes:
                dataset.add(chunk)
                show(len(dataset.hashes), dataset.failed)
        dataset.finish()
        return Progress(len(dataset.hashes), dataset.failed, len(plan.variants), dataset.results_hash())


def processors() -> int:
    """Return how many processors this program may use."""
    return len(os.sched_getaffinity(0))
