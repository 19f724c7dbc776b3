"""Values that are drawn: against the distributions' definitions in SciPy."""

import math

import pytest
from scipy import stats

from twin.sweeps.drawing import drawn, listed
from twin.sweeps.scales import scale_of
from twin.sweeps.schema import Draw, Values

COUNT = 10_000
ENOUGH = 1e-3
"""A fair sample has a smaller p-value once in a thousand; the seed is fixed, so that it is not by chance."""


def draw(count=COUNT, seed=1, name="r", **distribution):
    return drawn(Draw(path="x", **distribution), count, seed=seed, name=name)


def sample(**distribution):
    """Return draws of many seeds."""
    return [value for seed in range(20) for value in draw(COUNT // 20, seed, **distribution)]


def test_uniform():
    values = sample(uniform=[2, 5])
    assert stats.kstest(values, stats.uniform(2, 3).cdf).pvalue > ENOUGH


def test_log_uniform_of_quantities():
    values = sample(log_uniform=["1 mohm", "10 ohm"])
    ohms = [float(value.removesuffix(" ohm")) for value in values]
    assert stats.kstest(ohms, stats.loguniform(1e-3, 10).cdf).pvalue > ENOUGH


def test_normal_and_truncated_normal():
    assert stats.kstest(sample(normal={"mean": 3, "sd": 2}), stats.norm(3, 2).cdf).pvalue > ENOUGH
    cut = sample(normal={"mean": 3, "sd": 2, "low": 2, "high": 9})
    assert min(cut) >= 2
    assert max(cut) <= 9
    assert stats.kstest(cut, stats.truncnorm(-0.5, 3, 3, 2).cdf).pvalue > ENOUGH


def test_integers_reach_both_ends_and_are_equally_likely():
    values = sample(integers=[-1, 3])
    counts = [values.count(number) for number in range(-1, 4)]
    assert sum(counts) == COUNT
    assert stats.chisquare(counts).pvalue > ENOUGH


def test_choice_by_weight():
    values = sample(choice=["slg", "ll", "3ph"], weights=[7, 0, 3])
    counts = [values.count("slg"), values.count("3ph")]
    assert sum(counts) == COUNT
    assert stats.chisquare(counts, [0.7 * COUNT, 0.3 * COUNT]).pvalue > ENOUGH


def test_times_between_two_times():
    values = sample(uniform=["9:30", "18:00:00.5"])
    seconds = [scale_of([value]).number(value) for value in values]
    assert stats.kstest(seconds, stats.uniform(9.5 * 3600, 8.5 * 3600 + 0.5).cdf).pvalue > ENOUGH
    dated = draw(3, uniform=["2026-01-15 23:00", "2026-01-16 01:00"])
    assert all(value[:10] in {"2026-01-15", "2026-01-16"} for value in dated)
    around = sample(normal={"mean": "12:00", "sd": "10 min"})
    minutes = [(scale_of([value]).number(value) - 43200) / 600 for value in around]
    assert stats.kstest(minutes, stats.norm.cdf).pvalue > ENOUGH


def test_draws_depend_on_seed_name_and_number_alone():
    values = draw(10, uniform=[0, 1])
    assert draw(4, uniform=[0, 1]) == values[:4]
    assert draw(10, uniform=[0, 2]) == pytest.approx([2 * value for value in values])
    assert not set(draw(10, seed=2, uniform=[0, 1])) & set(values)
    assert not set(draw(10, name="s", uniform=[0, 1])) & set(values)


def test_parameters_are_drawn_independently():
    first, second = draw(uniform=[0, 1]), draw(name="s", uniform=[0, 1])
    assert abs(stats.pearsonr(first, second).statistic) < 4 / math.sqrt(COUNT)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"uniform": [5, 2]}, "is empty"),
        ({"uniform": ["5 ohm", "5 ohm"]}, "is empty"),
        ({"uniform": ["5 ohm", "7 V"]}, "no numbers, quantities or times of one kind"),
        ({"uniform": ["18:00", "2026-01-16 01:00"]}, "no numbers, quantities or times of one kind"),
        ({"log_uniform": [0, 2]}, "a logarithm needs values above 0"),
        ({"integers": [3, 2]}, "is empty"),
        ({"normal": {"mean": 3, "sd": 0}}, "is no spread"),
        ({"normal": {"mean": 3, "sd": 1, "low": 5, "high": 4}}, "nothing is left"),
        ({"normal": {"mean": "23:59", "sd": "1 h"}}, "leaves its day"),
        ({"choice": [1, 2], "weights": [1]}, "2 choices have 1 weights"),
        ({"choice": [1, 2], "weights": [0, 0]}, "weights are no shares"),
    ],
)
def test_distributions_that_are_none(given, what):
    with pytest.raises(ValueError, match=what):
        draw(**given)


def test_values_in_steps():
    steps = Values(path="x", steps={"first": "1 ohm", "last": "0.5 kohm", "count": 3})
    assert listed(steps) == ["1.0 ohm", "250.5 ohm", "500.0 ohm"]
    times = Values(path="x", steps={"first": "18:00", "last": "18:00:20", "count": 3})
    assert listed(times) == ["18:00:00.000000", "18:00:10.000000", "18:00:20.000000"]
    assert listed(Values(path="x", range=[3, 5])) == [3, 4, 5]
