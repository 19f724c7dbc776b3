"""The values of parameters: written down, evenly spaced, or drawn.

A draw is a number of 52 bits of a SHA-256 over the sweep's seed, the parameter's name and the draw's number,
taken through the distribution's inverse: it depends neither on other parameters nor on how many draws there
are, and it is the same on every machine.
"""

import hashlib
import math
from itertools import accumulate
from statistics import NormalDist

from twin.documents import parse_quantity
from twin.sweeps.scales import Scale, scale_of
from twin.sweeps.schema import Draw, Normal, Scalar, Values


def listed(entry: Values) -> list[Scalar]:
    """Return the values that a parameter takes one after the other.

    Raises
    ------
    ValueError
        The range is empty, or its ends are of no common kind; ``what; mend``.
    """
    if entry.values is not None:
        return list(entry.values)
    if entry.range is not None:
        first, last = entry.range
        if last < first:
            raise ValueError(f"range [{first}, {last}] is empty; give the smaller number first")
        return list(range(first, last + 1))
    assert entry.steps is not None
    steps = entry.steps
    scale, (first_number, last_number) = _numbers(steps.first, steps.last)
    share = [at / (steps.count - 1) for at in range(steps.count)]
    return [scale.value(first_number * (1.0 - part) + last_number * part) for part in share]


def count_of(entry: Values) -> int:
    """Return how many values a parameter takes, without making them; at least 0."""
    if entry.values is not None:
        return len(entry.values)
    if entry.range is not None:
        return max(0, entry.range[1] - entry.range[0] + 1)
    assert entry.steps is not None
    return entry.steps.count


def drawn(entry: Draw, count: int, *, seed: int, name: str) -> list[Scalar]:
    """Return the first ``count`` draws of a parameter.

    Raises
    ------
    ValueError
        The distribution is none; ``what; mend``.
    """
    chances = [_chance(seed, name, number) for number in range(count)]
    if entry.integers is not None:
        low, high = entry.integers
        if high < low:
            raise ValueError(f"integers [{low}, {high}] is empty; give the smaller number first")
        if high - low >= 2**52:
            raise ValueError("so many integers cannot be drawn from; give at most 4503599627370496")
        return [low + math.floor(chance * (high - low + 1)) for chance in chances]
    if entry.choice is not None:
        return _chosen(entry.choice, entry.weights, chances)
    if entry.weights is not None:
        raise ValueError("has weights but no choice; leave them out")
    if entry.normal is not None:
        return _normal(entry.normal, chances)
    low_value, high_value = entry.uniform or entry.log_uniform or [None, None]
    scale, (lowest, highest) = _numbers(low_value, high_value)
    if not lowest < highest:
        raise ValueError(f"[{low_value}, {high_value}] is empty; give the smaller value first")
    if entry.uniform is not None:
        return [scale.value(lowest + chance * (highest - lowest)) for chance in chances]
    if lowest <= 0.0 or scale.kind not in {"number", "quantity"}:
        raise ValueError("a logarithm needs values above 0; use uniform")
    span = math.log(highest / lowest)
    return [scale.value(min(lowest * math.exp(chance * span), highest)) for chance in chances]


def _chosen(choice: list[Scalar], weights: list[float] | None, chances: list[float]) -> list[Scalar]:
    weights = [1.0] * len(choice) if weights is None else weights
    if len(weights) != len(choice):
        raise ValueError(f"{len(choice)} choices have {len(weights)} weights; give one for each")
    if not all(0.0 <= weight < math.inf for weight in weights) or not sum(weights) > 0.0:
        raise ValueError("weights are no shares; give numbers from 0, one at least above")
    ends = list(accumulate(weights))
    return [
        next(value for value, end in zip(choice, ends, strict=True) if chance * ends[-1] < end)
        for chance in chances
    ]


def _normal(given: Normal, chances: list[float]) -> list[Scalar]:
    bounds = [value for value in (given.low, given.high) if value is not None]
    scale, numbers = _numbers(given.mean, *bounds)
    sd = parse_quantity(given.sd, "s") if "time" in scale.kind else scale.number(given.sd)
    if not 0.0 < sd < math.inf:
        raise ValueError(f"sd {given.sd} is no spread; give more than 0")
    normal = NormalDist(numbers[0], sd)
    low = -math.inf if given.low is None else scale.number(given.low)
    high = math.inf if given.high is None else scale.number(given.high)
    first = 0.0 if given.low is None else normal.cdf(low)
    last = 1.0 if given.high is None else normal.cdf(high)
    if not first < last:
        raise ValueError("nothing is left between low and high; give limits nearer to the mean")
    shares = [first + (last - first) * chance for chance in chances]
    return [scale.value(min(max(normal.inv_cdf(share), low), high)) for share in shares]


def _numbers(*values: Scalar) -> tuple[Scale, list[float]]:
    scale = scale_of(values)
    if scale is None:
        shown = ", ".join(str(value) for value in values)
        raise ValueError(f"{shown}: no numbers, quantities or times of one kind; give them alike")
    return scale, [scale.number(value) for value in values]


def _chance(seed: int, name: str, number: int) -> float:
    """Return a number from 0 to 1, neither of them included."""
    digest = hashlib.sha256(f"{seed}/{name}/{number}".encode()).digest()
    return ((int.from_bytes(digest[:8], "big") >> 12) + 0.5) / 2**52
