"""Over/under limit alarms: 16 channels with delays, 8 AND pairs, a ring of 16 records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import AlarmRecord
from twin.meters.quantities import COLUMN, NAMES, primary_factor
from twin.meters.settings import ALARM_CHANNELS, AlarmChannel, MeterSettings

Float = NDArray[np.float64]

RING = 16
"""Records that a meter keeps (KW320 manual 4.4)."""
NEVER: Final = np.iinfo(np.int64).max
REVERSED_SEQUENCE: Final = COLUMN["angle_v2_v1"]
"""Code 51, the alarm that watches the angle of Ub to Ua instead of a limit."""
PARAMETERS: Final = (*NAMES[:REVERSED_SEQUENCE], "reversed_phase_sequence")
"""Name of each alarm parameter by code (KW320 manual 6.3.4)."""


def _resolution(name: str) -> float:
    """Return one count of the parameter's register code (KW320 manual 6.3, F10 to F18)."""
    if name == "frequency":
        return 0.01
    if name.startswith("thd"):
        return 0.0001
    if name.endswith("unbalance") or name.startswith("pf"):
        return 0.001
    if name[0] == "v":
        return 0.1
    return 0.001 if name[0] == "i" else 1.0


_RESOLUTION: Final = np.array([_resolution(name) for name in NAMES])


@dataclass(frozen=True, slots=True)
class AlarmEntry:
    """One record of the meter's own alarm ring."""

    channel: int
    """1-based."""
    parameter: int
    """Code."""
    anded: bool
    """Whether the channel belonged to an AND pair."""
    occurred: bool
    """True at the occurrence, False at the recovery."""
    value: float
    """Secondary SI, at the transition."""
    time_ns: int
    """UTC [ns]."""


@dataclass(slots=True)
class AlarmRing:
    """The last 16 records of one meter; the newest overwrites the oldest."""

    newest: int = 0
    """Position of the newest record, 1..16; 0 without any."""
    entries: list[AlarmEntry | None] = field(default_factory=lambda: [None] * RING)

    def append(self, entry: AlarmEntry) -> None:
        """Write a record after the newest one."""
        self.newest = self.newest % RING + 1
        self.entries[self.newest - 1] = entry


class AlarmEngine:
    """Alarm channels of all meters of a bank, evaluated on a lattice of ticks with exact delays.

    A channel is *met* once its condition has held on every tick of its delay; the delay itself runs in
    exact time. An alarm is given when its channel is met or, in an AND pair, when both are, and returns
    at the first tick at which a condition fails (KW320 manual 4.4). Between ticks the value of the last
    tick counts. ``=`` compares in counts of the parameter's register.
    """

    def __init__(self, settings: Sequence[MeterSettings]) -> None:
        shape = (len(settings), ALARM_CHANNELS)
        self._settings = list(settings)
        self._parameter = np.zeros(shape, np.intp)
        self._comparison = np.zeros(shape, "U1")
        self._setpoint = np.zeros(shape)
        self._delay_ns = np.zeros(shape, np.int64)
        self._enabled = np.zeros(shape, np.bool_)
        self._condition = np.zeros(shape, np.bool_)
        self._deadline_ns = np.full(shape, NEVER, np.int64)
        self._met = np.zeros(shape, np.bool_)
        self._active = np.zeros(shape, np.bool_)
        self._value = np.zeros(shape)
        self._rows = np.arange(len(settings))[:, None]
        self._rings = [AlarmRing() for _ in settings]
        self.watching = False
        """Whether any channel of any meter is enabled."""
        self.next_deadline_ns: int = NEVER
        """When the next delay ends [ns]."""
        for meter, setting in enumerate(settings):
            self._load(meter, setting)

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take new settings; if they concern alarms, the meter's channels start anew without a record."""
        old = self._settings[meter]
        same = (old.alarm_enable, old.alarm_channels, old.and_pairs) == (
            settings.alarm_enable,
            settings.alarm_channels,
            settings.and_pairs,
        )
        self._settings[meter] = settings
        if not same:
            self._load(meter, settings)

    def ring(self, meter: int) -> AlarmRing:
        """Return the alarm records of a meter."""
        return self._rings[meter]

    def clear(self, meter: int) -> None:
        """Forget the alarm records of a meter; alarms that are active stay so."""
        self._rings[meter] = AlarmRing()

    def active(self, meter: int) -> tuple[bool, ...]:
        """Return which channels are in alarm."""
        return tuple(bool(flag) for flag in self._active[meter])

    def evaluate(self, ns: int, values: Float) -> list[AlarmRecord]:
        """Compare the displayed values (meters, 52) of a tick; return returns and undelayed alarms."""
        self._value = values[self._rows, self._parameter]
        condition = self._holds(self._value) & self._enabled
        changed = condition != self._condition
        if not changed.any():
            return self.expire(ns) if self.next_deadline_ns <= ns else []
        self._condition = condition
        rising = changed & condition
        self._deadline_ns[rising] = ns + self._delay_ns[rising]
        falling = changed & ~condition
        self._deadline_ns[falling] = NEVER
        self._met[falling] = False
        records = []
        for meter, channel in zip(*np.nonzero(falling & self._active), strict=True):
            if self._active[meter, channel]:
                records += self._return(int(meter), int(channel), ns)
        self._find_deadline()
        return records + self.expire(ns)

    def unmoved(self, lowest: Float, highest: Float) -> bool:
        """Tell whether no value between two bounds (meters, 52) could change any condition."""
        low = lowest[self._rows, self._parameter]
        high = highest[self._rows, self._parameter]
        same = (self._holds(low) == self._condition) & (self._holds(high) == self._condition)
        # Between the bounds a limit or an angle cannot change and change back; equality can.
        count = _RESOLUTION[self._parameter]
        same &= (self._comparison != "=") | (low > self._setpoint + count) | (high < self._setpoint - count)
        return bool((same | ~self._enabled).all())

    def expire(self, ns: int) -> list[AlarmRecord]:
        """Give the alarms whose delay ends at a time or before."""
        records: list[AlarmRecord] = []
        while self.next_deadline_ns <= ns:
            at = self.next_deadline_ns
            for meter, channel in zip(*np.nonzero(self._deadline_ns == at), strict=True):
                self._deadline_ns[meter, channel] = NEVER
                self._met[meter, channel] = True
                records += self._occur(int(meter), int(channel), at)
            self._find_deadline()
        return records

    def _holds(self, values: Float) -> NDArray[np.bool_]:
        step = _RESOLUTION[self._parameter]
        equal = np.rint(values / step) == np.rint(self._setpoint / step)
        limit = np.where(
            self._comparison == ">",
            values > self._setpoint,
            np.where(self._comparison == "<", values < self._setpoint, equal),
        )
        # In the right order Ub lags Ua by about 120 degrees and stands near 240 (manual 6.3.4, note 1).
        turned = (values > 0.0) & (values < 180.0)
        return np.where(self._parameter == REVERSED_SEQUENCE, turned, limit)

    def _partners(self, meter: int, channel: int) -> tuple[int, ...]:
        if self._settings[meter].and_pairs[channel // 2]:
            return channel - channel % 2, channel - channel % 2 + 1
        return (channel,)

    def _occur(self, meter: int, channel: int, ns: int) -> list[AlarmRecord]:
        partners = self._partners(meter, channel)
        if not all(self._met[meter, k] for k in partners):
            return []
        self._active[meter, list(partners)] = True
        return [self._record(meter, k, ns, occurred=True) for k in partners]

    def _return(self, meter: int, channel: int, ns: int) -> list[AlarmRecord]:
        partners = self._partners(meter, channel)
        self._active[meter, list(partners)] = False
        return [self._record(meter, k, ns, occurred=False) for k in partners]

    def _record(self, meter: int, channel: int, ns: int, *, occurred: bool) -> AlarmRecord:
        settings = self._settings[meter]
        code = int(self._parameter[meter, channel])
        value = float(self._value[meter, channel])
        anded = settings.and_pairs[channel // 2]
        self._rings[meter].append(AlarmEntry(channel + 1, code, anded, occurred, value, ns))
        factor = primary_factor(code, pt_ratio=settings.pt_ratio, ct_ratio=settings.ct_ratio)
        return AlarmRecord(
            settings.name,
            channel + 1,
            PARAMETERS[code],
            "active" if occurred else "return",
            ns,
            value * factor,
            float(self._setpoint[meter, channel]) * factor,
            str(self._comparison[meter, channel]),
        )

    def _load(self, meter: int, settings: MeterSettings) -> None:
        channels = settings.alarm_channels + (AlarmChannel(),) * (
            ALARM_CHANNELS - len(settings.alarm_channels)
        )
        self._parameter[meter] = [channel.parameter for channel in channels]
        self._comparison[meter] = [channel.comparison for channel in channels]
        self._setpoint[meter] = [channel.setpoint for channel in channels]
        self._delay_ns[meter] = [channel.delay_ns for channel in channels]
        self._enabled[meter] = [settings.alarm_enable and channel.enabled for channel in channels]
        for state in (self._condition, self._met, self._active):
            state[meter] = False
        self._deadline_ns[meter] = NEVER
        self._find_deadline()
        self.watching = bool(self._enabled.any())

    def _find_deadline(self) -> None:
        self.next_deadline_ns = int(self._deadline_ns.min())
