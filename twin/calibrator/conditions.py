"""What the source of the bench applies at a test point, in relative units, and how people write it."""

import math
from dataclasses import dataclass
from typing import Final, Literal

Triple = tuple[float, float, float]
Shape = Literal["sinusoidal", "rectangular"]

MAXIMUM: Final = "max"
"""What stands for the maximum current of a meter."""


@dataclass(frozen=True, slots=True)
class Component:
    """A harmonic or interharmonic of all three phases."""

    order: float
    """Multiple of the fundamental."""
    percent: float
    """Of the fundamental of its channel [%]."""
    angle_deg: float = 0.0
    """``sin(h x + angle)`` where the fundamental of the channel is ``sin x`` [deg]."""


@dataclass(frozen=True, slots=True)
class Modulation:
    """A periodic fluctuation of all voltages about their value."""

    shape: Shape
    hertz: float
    """[Hz]."""
    percent: float
    """Whole relative change dU/U, from the lowest to the highest value [%]."""


@dataclass(frozen=True, slots=True)
class VoltageStep:
    """Another voltage for a while, or from then on."""

    voltage: Triple
    """Phases a, b, c [% of the declared voltage]."""
    cycles: float | None
    """Cycles of the fundamental; None where it lasts."""
    angle_deg: float = 0.0
    """Angle of the voltage of phase a at the step, 0 at its upward zero crossing [deg]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Everything that the source applies."""

    voltage: Triple = (100.0, 100.0, 100.0)
    """Fundamentals of phases a, b, c, 120 degrees apart [% of the declared voltage]."""
    current: float | None = 100.0
    """Fundamental [% of the rated current]; None is the meter's maximum current."""
    load: str = "abc"
    """Phases that carry current."""
    lag_rad: float = 0.0
    """By which each current's fundamental lags its voltage [rad]."""
    frequency: float = 0.0
    """Off the nominal one [Hz]."""
    u_harmonics: tuple[Component, ...] = ()
    i_harmonics: tuple[Component, ...] = ()
    u_interharmonics: tuple[Component, ...] = ()
    i_interharmonics: tuple[Component, ...] = ()
    sequence: Literal["abc", "acb"] = "abc"
    modulation: Modulation | None = None
    step: VoltageStep | None = None
    lamp: Literal["230", "120"] | None = None
    """Reference lamp of the flickermeter; that of the nominal frequency without it."""
    nominal_frequency: int | None = None
    """50 or 60 where the point is for one of them alone [Hz]."""


def number(text: str) -> float:
    """Return a finite number.

    Raises
    ------
    ValueError
        With what is wrong and the mend.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is no number; give one such as 0.5")
    return value


def percentage(text: str, *, low: float = 0.0, high: float = 400.0) -> float:
    """Return a percentage within its range."""
    value = number(text)
    if not low <= value <= high:
        raise ValueError(f"{text} % is out of range; use {low:g} to {high:g} %")
    return value


def triple(text: str) -> Triple:
    """Return one percentage for all phases, or three by phase: ``73/80/87``."""
    values = [percentage(part) for part in text.split("/")]
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise ValueError(f"'{text}' is neither one value nor three; write 100 or 73/80/87")
    return (values[0], values[1], values[2])


def current(text: str) -> float | None:
    """Return percent of the rated current; None for ``max``."""
    return None if text == MAXIMUM else percentage(text, high=2000.0)


def load(text: str) -> str:
    """Return the phases that carry current."""
    if not text or set(text) - set("abc") or len(set(text)) != len(text):
        raise ValueError(f"'{text}' names no phases; write abc, a, b or c")
    return "".join(sorted(text))


def lag_of_cosine(text: str) -> float:
    """Return the lag of a power factor: ``1``, ``0.5 ind``, ``0.8 cap`` [rad]."""
    value, side = _factor(text)
    return side * math.acos(value)


def lag_of_sine(text: str) -> float:
    """Return the lag of a sin phi: ``1 ind``, ``0.5 cap``; active power is imported [rad]."""
    value, side = _factor(text)
    return side * math.asin(value)


def _factor(text: str) -> tuple[float, float]:
    """Return the value and the sign of the lag."""
    value_text, _, side = text.partition(" ")
    value = number(value_text)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{value_text} is out of range; use 0 to 1 and ind or cap")
    if side not in {"ind", "cap"} and not (side == "" and value == 1.0):
        raise ValueError(f"'{text}' says not on which side; write it as '{value:g} ind' or '{value:g} cap'")
    return value, -1.0 if side == "cap" else 1.0


def direction(text: str) -> float:
    """Return what export adds to the lag [rad]."""
    if text not in {"import", "export"}:
        raise ValueError(f"'{text}' is no direction; write import or export")
    return math.pi if text == "export" else 0.0


def frequency(text: str) -> float:
    """Return a difference from the nominal frequency [Hz]."""
    value = number(text)
    if not abs(value) <= 9.0:
        raise ValueError(f"{text} Hz is too far from the nominal frequency; use -9 to +9 Hz")
    return value


def harmonics(text: str) -> tuple[Component, ...]:
    """Return components of whole orders: ``5:10@0 7:3@180``, order, percent and angle."""
    found = interharmonics(text)
    for component in found:
        if component.order != int(component.order) or component.order < 2:
            raise ValueError(
                f"order {component.order:g} is no harmonic; use whole orders from 2, or *_interharmonics"
            )
    return found


def interharmonics(text: str) -> tuple[Component, ...]:
    """Return components of any order: ``7.5:1``."""
    found = []
    for word in text.split():
        order, colon, rest = word.partition(":")
        percent, _, angle = rest.partition("@")
        if not colon:
            raise ValueError(f"'{word}' is no component; write order:percent@angle, for example 5:10@0")
        component = Component(number(order), percentage(percent), number(angle or "0"))
        if not 0.0 < component.order <= 100.0:
            raise ValueError(f"order {order} is out of range; use orders up to 100")
        found.append(component)
    return tuple(found)


def modulation(text: str) -> Modulation:
    """Return ``rectangular 8.8 0.196`` or sinusoidal (Hz, %), or ``changes 39 0.894`` (1/min, %)."""
    words = text.split()
    if len(words) != 3 or words[0] not in {"sinusoidal", "rectangular", "changes"}:
        raise ValueError(
            f"'{text}' is no modulation; write sinusoidal or rectangular with Hz and %, "
            "or changes with their number a minute and %"
        )
    rate, percent = number(words[1]), percentage(words[2], high=100.0)
    # Two changes make one period of a rectangular fluctuation.
    hertz = rate / 120.0 if words[0] == "changes" else rate
    if not 0.0 < hertz <= 50.0:
        raise ValueError(f"{words[1]} is out of range; use up to 50 Hz or 6000 changes a minute")
    return Modulation("sinusoidal" if words[0] == "sinusoidal" else "rectangular", hertz, percent)


def cycles(text: str) -> float | None:
    """Return how many cycles a step lasts; None for ``lasting``."""
    if text == "lasting":
        return None
    value = number(text)
    if not 0.1 <= value <= 3000.0:
        raise ValueError(f"{text} cycles are out of range; use 0.1 to 3000, or lasting")
    return value
