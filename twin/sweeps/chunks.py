"""Which variants are run next, and how many in one go."""

import math
from collections import deque
from collections.abc import Iterable, Sequence

from twin.sweeps.plan import Variant
from twin.sweeps.running import Outcome, failed

_WORK_S = 1.5
"""Work in a chunk [s]: handing one out costs milliseconds, and a killed worker loses no more than this."""
_LONGEST = 1000
_ATTEMPTS = 3
"""So many workers may die of a variant before it is given up."""


class Chunks:
    """The variants that are still to be run.

    Parameters
    ----------
    variants : iterable of Variant
        In the order of the plan.
    """

    def __init__(self, variants: Iterable[Variant]) -> None:
        self._waiting = deque(variants)
        self._alone: deque[Variant] = deque()
        self._deaths: dict[int, int] = {}
        self._seconds: float | None = None

    @property
    def left(self) -> int:
        """How many variants nobody has taken."""
        return len(self._waiting) + len(self._alone)

    def take(self, workers: int) -> list[Variant]:
        """Return the next chunk for one of so many workers; empty when all are taken."""
        if self._alone:
            return [self._alone.popleft()]
        # One by one until it is known how long one takes.
        size = 1 if self._seconds is None else math.ceil(_WORK_S / max(self._seconds, 1e-3))
        # Towards the end smaller ones, so that all workers end together.
        size = max(1, min(size, _LONGEST, len(self._waiting) // (2 * workers)))
        return [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]

    def learn(self, outcomes: Sequence[Outcome]) -> None:
        """Take note how long the variants of a chunk took."""
        mean = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
        # The first variants of a worker load its kernels: what was shorter once can be so again.
        self._seconds = mean if self._seconds is None else min(mean, 0.5 * (self._seconds + mean))

    def died(self, chunk: Sequence[Variant], how: str) -> list[Outcome]:
        """Take a chunk back whose worker died; return the outcome of a variant that is given up.

        Its variants are run one by one, so that one that kills its worker takes no other with it.
        """
        if len(chunk) > 1:
            self._alone.extend(chunk)
            return []
        (variant,) = chunk
        self._deaths[variant.number] = self._deaths.get(variant.number, 0) + 1
        if self._deaths[variant.number] < _ATTEMPTS:
            self._alone.append(variant)
            return []
        return [failed(variant, f"the worker died {_ATTEMPTS} times in it ({how})")]
