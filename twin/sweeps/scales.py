"""Numbers, quantities and times of day on one footing: to a number and back, so that both can be drawn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from twin.documents import parse_quantity
from twin.sweeps.schema import Scalar

UNITS = ("V", "A", "W", "var", "VA", "Wh", "s", "Hz", "ohm", "F", "m", "deg", "%")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}[ T])?\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?\Z")
_DAY = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of one parameter become numbers and numbers its values."""

    kind: Literal["number", "quantity", "time", "dated time"]
    unit: str = ""
    """Of a quantity: the SI unit in which it is written."""

    def number(self, value: Scalar) -> float:
        """Return a value as a number: SI, or seconds of a time.

        Raises
        ------
        ValueError
            It is of another kind.
        """
        if self.kind == "quantity":
            return parse_quantity(value, self.unit)
        if self.kind == "number" and isinstance(value, int | float):
            return float(value)
        if self.kind == "number" or not isinstance(value, str):
            raise ValueError(f"{value!r} is of another kind; give all of them alike")
        text = value if self.kind == "dated time" else f"1970-01-01 {value.rjust(5, '0')}"
        text = re.sub(r"[ T](\d):", r" 0\1:", text)
        return (datetime.fromisoformat(text) - _DAY) / timedelta(seconds=1)

    def value(self, number: float) -> Scalar:
        """Return the value of a number; times to the microsecond.

        Raises
        ------
        ValueError
            A time without a date would leave its day.
        """
        if self.kind == "number":
            return number
        if self.kind == "quantity":
            return f"{number!r} {self.unit}"
        local = _DAY + timedelta(seconds=number)
        if self.kind == "dated time":
            return local.isoformat(sep=" ", timespec="microseconds")
        if local.date() != _DAY.date():
            raise ValueError("a time without a date leaves its day; give low and high, or dates")
        return local.time().isoformat(timespec="microseconds")


def scale_of(values: Sequence[Scalar]) -> Scale | None:
    """Return the scale that all values have in common, or None."""
    given = [value for value in values if value is not None]
    if not given or any(isinstance(value, bool) for value in given):
        return None
    if all(isinstance(value, int | float) for value in given):
        return Scale("number")
    if all(isinstance(value, str) and _TIME.match(value) for value in given):
        dated = {"-" in str(value) for value in given}
        return None if len(dated) > 1 else Scale("dated time" if dated == {True} else "time")
    for unit in UNITS:
        try:
            for value in given:
                parse_quantity(value, unit)
        except ValueError:
            continue
        return Scale("quantity", unit)
    return None
