"""What can go wrong with a sweep as a whole; a variant that fails is a row of its results."""

from twin.contracts import TwinError


class SweepError(TwinError, RuntimeError):
    """A sweep cannot begin, or not go on."""


class WorkerLostError(SweepError):
    """Workers cannot be started, or the scheduler is gone."""


class PathError(SweepError, LookupError):
    """A path does not lead to a single key; the message is ``what; mend``."""
