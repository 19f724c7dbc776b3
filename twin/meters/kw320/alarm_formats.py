"""How the alarm registers hold a quantity: the format code follows the monitored parameter.

References
----------
KW320 manual 6.3.4, alarming parameter code table and single channel alarming settings (F10..F18).
"""

import math
from typing import NamedTuple

from twin.meters.codec import RESOLUTION, SI_PER_UNIT


class AlarmFormat(NamedTuple):
    """Format of one parameter's setpoint and recorded value."""

    code: str
    unit: str
    signed: bool
    """Whether the word is in two's complement."""

    @property
    def resolution(self) -> float:
        """Secondary SI value of one count."""
        return RESOLUTION[self.code] * SI_PER_UNIT[self.unit]

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value that the word holds, secondary SI."""
        low, high = (-0x8000, 0x7FFF) if self.signed else (0, 0xFFFF)
        return low * self.resolution, high * self.resolution


_RUNS: tuple[tuple[int, int, AlarmFormat], ...] = (
    (0, 0, AlarmFormat("F10", "Hz", False)),
    (1, 8, AlarmFormat("F11", "V", False)),
    (9, 13, AlarmFormat("F12", "A", False)),
    (14, 17, AlarmFormat("F13", "W", True)),
    (18, 21, AlarmFormat("F14", "var", True)),
    (22, 25, AlarmFormat("F15", "VA", True)),
    (26, 29, AlarmFormat("F16", "", True)),
    (30, 31, AlarmFormat("F17", "%", False)),
    (32, 32, AlarmFormat("F1", "", False)),
    (33, 40, AlarmFormat("F18", "%", False)),
    (45, 45, AlarmFormat("F13", "W", True)),
    (46, 46, AlarmFormat("F14", "var", True)),
    (47, 47, AlarmFormat("F15", "VA", True)),
    (48, 50, AlarmFormat("F12", "A", False)),
    (51, 51, AlarmFormat("F25", "deg", False)),
)
ALARM_FORMATS: dict[int, AlarmFormat] = {
    code: form for first, last, form in _RUNS for code in range(first, last + 1)
}
"""Format by parameter code; 41..44 and 52..79 need input modules, which are not modelled."""


def setpoint_value(parameter: int, word: int) -> float:
    """Return the quantity that a setpoint or record word stands for.

    Parameters
    ----------
    parameter : int
        Alarming parameter code.
    word : int
        0..65535.

    Returns
    -------
    float
        Secondary, SI; a fraction for unbalance and THD, degrees for the angle of code 51.
    """
    form = ALARM_FORMATS[parameter]
    raw = word - 0x10000 if form.signed and word > 0x7FFF else word
    return raw * form.resolution


def setpoint_word(parameter: int, value: float) -> int:
    """Return the word of a quantity: rounded to the nearest, clamped to the word, 0 for NaN.

    Parameters
    ----------
    parameter : int
        Alarming parameter code.
    value : float
        Secondary, SI.
    """
    form = ALARM_FORMATS[parameter]
    low, high = form.limits
    clamped = 0.0 if math.isnan(value) else min(max(value, low), high)
    return round(clamped / form.resolution) & 0xFFFF
