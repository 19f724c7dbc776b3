"""What can be drawn from a load profile: its channels, and the powers that its energies amount to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.recording import LoadProfile

_ENERGY_UNITS = {"wh": ("Wh", "W"), "varh": ("varh", "var"), "vah": ("VAh", "VA")}
_QUANTITIES = (
    # First match wins: name of the channel, quantity, unit.
    (r"thd_?v", "Voltage THD", "%"),
    (r"thd_?i", "Current THD", "%"),
    (r"(v|u)_?unb\w*|u2|unbalance_v", "Voltage unbalance", "%"),
    (r"i_?unb\w*", "Current unbalance", "%"),
    (r"pf", "Power factor", ""),
    (r"f(req\w*)?", "Frequency", "Hz"),
    (r"v", "Voltage", "V"),
    (r"i", "Current", "A"),
    (r"p", "Active power", "W"),
    (r"q", "Reactive power", "var"),
    (r"s", "Apparent power", "VA"),
)
_ENERGIES = {
    "p": "active",
    "q": "reactive",
    "s": "apparent",
    "ep": "active",
    "eq": "reactive",
    "es": "apparent",
}
_DIRECTIONS = {"imp": "import", "exp": "export"}
_STATISTICS = {"avg": "average", "min": "minimum", "max": "maximum", "demand": "demand"}


@dataclass(frozen=True, slots=True)
class Series:
    """One line that a chart can show of a meter."""

    key: str
    """Name in the choice: the channel, with ``@power`` where energy is shown as power."""
    channel: str
    """Channel of the load profile."""
    label: str
    """For people."""
    unit: str
    """SI; percent for what the recording holds as a fraction."""
    is_power: bool = False
    """Energy of an interval divided by its length."""

    def values(self, profile: LoadProfile) -> NDArray[np.float64]:
        """Return the series of a profile, shape (n,); NaN where there is no value."""
        values = profile.values.get(self.channel)
        if values is None:
            return np.full(profile.end_ns.size, np.nan)
        if self.is_power:
            return values * 3600.0 / profile.duration_s
        return 100.0 * values if self.unit == "%" else values


def series_of(channels: Iterable[str]) -> list[Series]:
    """Return what can be drawn of some channels: powers first, then as the meter orders them."""
    powers, others = [], []
    for channel in channels:
        name, _, last = channel.rpartition("_")
        if last in _ENERGY_UNITS:
            energy, power = _ENERGY_UNITS[last]
            what = _energy_words(name)
            powers.append(Series(f"{channel}@power", channel, f"{what} power".capitalize(), power, True))
            others.append(Series(channel, channel, f"{what} energy".capitalize(), energy))
        else:
            label, unit = _describe(channel)
            others.append(Series(channel, channel, label, unit))
    return powers + others


def _energy_words(name: str) -> str:
    parts = name.split("_")
    words = [_ENERGIES.get(parts[0], parts[0]), *(_DIRECTIONS.get(part, part) for part in parts[1:])]
    return " ".join(words)


def _describe(channel: str) -> tuple[str, str]:
    """Return label and unit of a channel that is no energy, by its name."""
    parts = channel.lower().split("_")
    statistic = " ".join(_STATISTICS[part] for part in parts if part in _STATISTICS)
    stem = "_".join(part for part in parts if part not in _STATISTICS)
    for pattern, quantity, unit in _QUANTITIES:
        found = re.fullmatch(rf"({pattern})(_?(?P<rest>[0-9abcn]+|tot\w*|sum))?", stem)
        if found:
            words = [quantity, found["rest"] or "", statistic]
            return " ".join(word for word in words if word), unit
    return channel, ""
