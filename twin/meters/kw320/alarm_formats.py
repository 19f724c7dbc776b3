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


_TABLE: tuple[tuple[int, str, AlarmFormat], ...] = (
    (0, "frequency", AlarmFormat("F10", "Hz", False)),
    (1, "v1 v2 v3 v_avg v12 v23 v31 vll_avg", AlarmFormat("F11", "V", False)),
    (9, "i1 i2 i3 i_avg i_n", AlarmFormat("F12", "A", False)),
    (14, "p1 p2 p3 p_sum", AlarmFormat("F13", "W", True)),
    (18, "q1 q2 q3 q_sum", AlarmFormat("F14", "var", True)),
    (22, "s1 s2 s3 s_sum", AlarmFormat("F15", "VA", True)),
    (26, "pf1 pf2 pf3 pf", AlarmFormat("F16", "", True)),
    (30, "v_unbalance i_unbalance", AlarmFormat("F17", "%", False)),
    (32, "load_type", AlarmFormat("F1", "", False)),
    (33, "thd_v1 thd_v2 thd_v3 thd_v_avg", AlarmFormat("F18", "%", False)),
    (37, "thd_i1 thd_i2 thd_i3 thd_i_avg", AlarmFormat("F18", "%", False)),
    (41, "ai1 ai2 ai3 ai4", AlarmFormat("F1", "", False)),
    (45, "p_demand", AlarmFormat("F13", "W", True)),
    (46, "q_demand", AlarmFormat("F14", "var", True)),
    (47, "s_demand", AlarmFormat("F15", "VA", True)),
    (48, "i1_demand i2_demand i3_demand", AlarmFormat("F12", "A", False)),
    (51, "reversed_phase_sequence", AlarmFormat("F25", "deg", False)),
    (52, " ".join(f"di{number}" for number in range(1, 29)), AlarmFormat("F1", "", False)),
)
"""First code, names of the parameters from it on, and their format."""
PARAMETER_CODE: dict[str, int] = {
    name: first + place for first, names, _ in _TABLE for place, name in enumerate(names.split())
}
"""Code by name."""
ALARM_FORMATS: dict[int, AlarmFormat] = {
    PARAMETER_CODE[name]: form for _, names, form in _TABLE for name in names.split()
}
"""Format by code."""


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
