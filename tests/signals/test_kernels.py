from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.signals.kernels import cycles_fraction, mean_exponential


@settings(deadline=None)
@given(st.floats(1.0, 500.0), st.integers(0, 600 * 10**9), st.floats(0.0, 1.0))
def test_cycles_keep_their_fraction_over_ten_minutes(frequency, ns, fraction):
    exact = Fraction(frequency) * (ns + Fraction(fraction)) / 10**9
    found = cycles_fraction(frequency, ns, fraction)
    assert 0.0 <= found < 1.0 + 1e-15
    off = Fraction(found) - exact
    assert abs(off - round(off)) < Fraction(1e-15)


def test_cycles_run_backwards_too():
    assert cycles_fraction(50.0, -5_000_000, 0.0) == 0.75


@settings(deadline=None)
@given(st.floats(-50.0, 1.0), st.floats(-4000.0, 4000.0))
def test_mean_exponential_is_expm1_over_its_argument(real, imaginary):
    for z in (complex(real, imaginary), complex(real, imaginary) * 1e-4, complex(real * 1e-12, 0.0)):
        wide = np.clongdouble(z)
        grown = np.exp(wide)
        found = mean_exponential(z.real, z.imag, float(grown.real), float(grown.imag))
        # Twenty terms of the series near zero, where exp(z) - 1 cancels.
        exact = (grown - 1) / wide if abs(z) > 0.3 else sum_series(wide)
        assert abs(found - complex(exact)) < 4e-15


def sum_series(z):
    total, term = np.clongdouble(0), np.clongdouble(1)
    for n in range(1, 21):
        total += term
        term = term * z / (n + 1)
    return total
