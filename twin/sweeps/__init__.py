"""Sweeps: many variants of a scenario, on this host or on a cluster, into one Parquet dataset."""

from twin.sweeps.errors import PathError, SweepError, WorkerLostError
from twin.sweeps.plan import DEFAULT_LIMIT, Plan, Variant, read_plan
from twin.sweeps.schema import Sweep
from twin.sweeps.sweep import Progress, run_sweep

__all__ = [
    "DEFAULT_LIMIT",
    "PathError",
    "Plan",
    "Progress",
    "Sweep",
    "SweepError",
    "Variant",
    "WorkerLostError",
    "read_plan",
    "run_sweep",
]
