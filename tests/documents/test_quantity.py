"""Quantities with units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.documents import parse_quantity


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        ("3.2 kW", "W", 3200.0),
        ("240 ms", "s", 0.24),
        ("1.5 h", "s", 5400.0),
        ("1 d", "s", 86400.0),
        ("50 mohm", "ohm", 0.05),
        ("50mΩ", "ohm", 0.05),
        ("-25 kvar", "var", -25e3),
        ("10 uF", "F", 10e-6),
        ("3400 kWh", "Wh", 3.4e6),
        ("90 %", "%", 90.0),
        ("35 deg", "deg", 35.0),
        (0, "W", 0.0),
    ],
)
def test_values_in_si(text, base, value):
    assert parse_quantity(text, base) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "base", "message"),
    [
        (5, "W", "5 has no unit; write it as '5 W'"),
        ("5", "V", "5 has no unit; write it in V"),
        ("5 kV", "W", "unit 'kV' does not fit here; write it in W"),
        ("five W", "W", "'five W' is not a quantity"),
        ("3 MILES", "m", "unit 'MILES' does not fit here"),
        (True, "W", "True is not a quantity"),
        (None, "s", "None is not a quantity"),
    ],
)
def test_what_is_refused_says_how_to_write_it(value, base, message):
    with pytest.raises(ValueError, match="^" + message):
        parse_quantity(value, base)


@given(st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from(["", "m", "k", "M"]))
def test_what_is_written_is_read(number, prefix):
    factor = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6}[prefix]
    assert parse_quantity(f"{number!r} {prefix}V", "V") == pytest.approx(number * factor, rel=1e-15)
