"""Current zeros: the first one, and none missed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from twin.grid.transients import Terms, next_zero


def row(*terms, frequency=50.0, theta=0.0):
    order, rate, amplitude = (np.array(x) for x in zip(*terms, strict=True))
    return Terms(frequency, theta, order.astype(float), rate.astype(complex), amplitude[None].astype(complex))


def test_a_sine_crosses_where_it_does():
    sine = row((1, 0, -1j))
    assert next_zero(sine, 0, 0.001) == pytest.approx(0.01, abs=1e-14)
    assert next_zero(sine, 0, 0.0101) == pytest.approx(0.02, abs=1e-14)
    assert next_zero(sine, 0, 0.0) == 0.0


def test_a_fully_offset_current_has_no_early_zero():
    """1 + cos touches zero at the half cycle; with 1.2 there is none until the offset has decayed."""
    assert next_zero(row((1, 0, 1.0), (0, -10.0, 1.2)), 0, 0.0) == pytest.approx(
        brentq(lambda t: np.cos(100 * np.pi * t) + 1.2 * np.exp(-10 * t), 0.025, 0.03), abs=1e-12
    )
    assert next_zero(row((1, 0, 1.0), (0, 0, 1.2)), 0, 0.0, until=0.2) is None
    assert next_zero(row((0, 0, 1.2), (0, -5.0, 1.0)), 0, 0.0) is None


def test_nothing_flows_is_zero_at_once_and_a_decay_in_the_end():
    assert next_zero(row((1, 0, 0.0)), 0, 0.3) == 0.3
    assert next_zero(row((0, -10.0, 5.0)), 0, 0.0) == pytest.approx(np.log(1e12) / 10.0, rel=0.05)


parts = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1, 3, 5]),
        st.tuples(st.floats(-3000, 0), st.sampled_from([0.0, 800.0, 9000.0])),
        st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(parts, st.floats(0.0, 0.02))
def test_no_zero_is_missed(drawn, after):
    terms = row(
        (1, 0, 0.5 + 0.2j),
        *((h, complex(a, 0 if h else b), complex(*x)) for h, (a, b), x in drawn),
        theta=0.8,
    )
    zero = next_zero(terms, 0, after, until=after + 0.05)
    end = after + 0.05 if zero is None else zero
    grid = np.linspace(after, end, 40001)[:-2]
    values = terms.at(grid)[0]
    level = np.abs(terms.amplitude).sum()
    flips = np.flatnonzero(
        (values[1:] * values[:-1] < 0) & (np.minimum(abs(values[1:]), abs(values[:-1])) > 1e-11 * level)
    )
    assert not len(flips)
    if zero is not None:
        assert abs(terms.at(zero)[0]) <= 1e-11 * level
