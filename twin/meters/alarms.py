"""Over/under limit alarms: 16 channels with delays, 8 AND pairs. A device keeps their records as it does."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import AlarmRecord
from twin.meters.quantities import COLUMN, NAMES, primary_factor
from twin.meters.settings import ALARM_CHANNELS, AlarmChannel, MeterSettings

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER: Final = np.iinfo(np.int64).max
REVERSED_SEQUENCE: Final = COLUMN["angle_v2_v1"]
"""Code 51, the alarm that watches the angle of Ub to Ua instead of a limit."""
FIRST_INPUT: Final = len(NAMES)
"""Code 52, digital input 1; the others follow."""
INPUTS: Final = 28
PARAMETERS: Final = (
    *NAMES[:REVERSED_SEQUENCE],
    "reversed_phase_sequence",
    *(f"di{number}" for number in range(1, INPUTS + 1)),
)
"""Name of each alarm parameter by code (KW320 manual 6.3.4)."""

_INPUT_STATES: Final = {1.0: True, 2.0: False, 3.0: False}
"""State of an input that meets its alarm, by setpoint."""
_STATUS_RECORDED: Final = 3.0


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


class _Watched:
    """The enabled channels of all meters, one after the other, and what they compare."""

    def __init__(self, settings: Sequence[MeterSettings]) -> None:
        enabled = [
            (meter, number, channel)
            for meter, setting in enumerate(settings)
            for number, channel in enumerate(setting.alarm_channels)
            if setting.alarm_enable and channel.enabled and channel.parameter < FIRST_INPUT
        ]
        channels = [channel for _, _, channel in enabled]
        parameter = np.array([channel.parameter for channel in channels], np.intp)
        self.state = np.array([meter * ALARM_CHANNELS + number for meter, number, _ in enabled], np.intp)
        """Where the channel is among all channels of all meters, flat."""
        self.value = np.array([meter * len(NAMES) + one.parameter for meter, _, one in enabled], np.intp)
        """Where its parameter is among the displayed values, flat."""
        self.delay_ns = [channel.delay_ns for channel in channels]
        self._setpoint = np.array([channel.setpoint for channel in channels], np.float64)
        self._count = _RESOLUTION[parameter]
        self._above = np.array([channel.comparison == ">" for channel in channels], np.bool_)
        self._angle = parameter == REVERSED_SEQUENCE
        self._band = self._angle | np.array([channel.comparison == "=" for channel in channels], np.bool_)
        self._limits_alone = not self._band.any()

    def conditions(self, values: Float) -> Flags:
        """Tell of each channel whether a value of its parameter fulfils its condition."""
        setpoint = self._setpoint
        holds = np.where(self._above, values > setpoint, values < setpoint)
        if self._limits_alone:
            return holds
        equal = np.rint(values / self._count) == np.rint(setpoint / self._count)
        # In the right order Ub lags Ua by about 120 degrees and stands near 240 (manual 6.3.4, note 1).
        turned = (values > 0.0) & (values < 180.0)
        return np.where(self._band, np.where(self._angle, turned, equal), holds)

    def keep(self, bounds: Float, conditions: Flags) -> bool:
        """Tell whether all conditions stay with any values between two bounds, shape (2, channels)."""
        same = self.conditions(bounds) == conditions
        if not self._limits_alone:
            # Between its bounds a value may enter a band and leave it again, but not pass a limit twice.
            low, high = bounds
            beside = np.where(
                self._angle,
                (low >= 180.0) | (high <= 0.0) | conditions,
                (low > self._setpoint + self._count) | (high < self._setpoint - self._count),
            )
            same &= ~self._band | beside
        return bool(np.count_nonzero(same) == same.size)


class AlarmEngine:
    """Alarm channels of all meters of a bank, evaluated on a lattice of ticks with exact delays.

    A channel is *met* once its condition has held on every tick of its delay; the delay itself runs in
    exact time. An alarm is given when its channel is met or, in an AND pair, when both are, and returns
    at the first tick at which a condition fails (KW320 manual 4.4). Between ticks the value of the last
    tick counts. ``=`` compares in counts of the parameter's register. A digital input is no value of a
    tick: its changes meet and clear conditions at their own time (manual 6.3.4, note 2).
    """

    def __init__(self, settings: Sequence[MeterSettings]) -> None:
        shape = (len(settings), ALARM_CHANNELS)
        self._settings = list(settings)
        self._condition = np.zeros(shape, np.bool_)
        self._deadline_ns = np.full(shape, NEVER, np.int64)
        self._met = np.zeros(shape, np.bool_)
        self._active = np.zeros(shape, np.bool_)
        self._values = np.zeros((len(settings), len(NAMES)))  # of the last tick
        self._inputs = np.zeros((len(settings), INPUTS), np.bool_)
        self._watched = _Watched(settings)
        self.next_deadline_ns: int = NEVER
        """When the next delay ends [ns]."""

    @property
    def watching(self) -> bool:
        """Whether any channel of any meter is enabled."""
        return self._watched.state.size > 0

    def watches(self, columns: slice) -> bool:
        """Whether any enabled channel of any meter watches one of a run of displayed values."""
        watched = self._watched.value % len(NAMES)
        return bool(np.count_nonzero((watched >= columns.start) & (watched < columns.stop)))

    def configure(self, meter: int, settings: MeterSettings, now_ns: int) -> list[AlarmRecord]:
        """Take new settings; channels that they concern start anew, and what is active of them returns."""
        new = _changed_channels(self._settings[meter], settings)
        ended = [channel for channel in new if self._active[meter, channel]]
        records = [self._record(meter, channel, now_ns, occurred=False) for channel in ended]
        self._settings[meter] = settings
        if new:
            self._forget(meter, new)
            self._watched = _Watched(self._settings)
        return records

    def forget(self, meter: int) -> None:
        """Let all channels of a meter start anew, without a record."""
        self._forget(meter, range(ALARM_CHANNELS))

    def _forget(self, meter: int, channels: Sequence[int]) -> None:
        for state in (self._condition, self._met, self._active):
            state[meter, channels] = False
        self._deadline_ns[meter, channels] = NEVER
        self._find_deadline()

    def active(self, meter: int) -> tuple[bool, ...]:
        """Return which channels are in alarm."""
        return tuple(bool(flag) for flag in self._active[meter])

    def evaluate(self, ns: int, values: Float) -> list[AlarmRecord]:
        """Compare the displayed values (meters, 52) of a tick; return returns and undelayed alarms.

        The values are kept until the next tick, and must not change.
        """
        watched = self._watched
        self._values = values
        holds = watched.conditions(values.take(watched.value))
        changed = holds != self._condition.take(watched.state)
        if not np.count_nonzero(changed):
            return self.expire(ns) if self.next_deadline_ns <= ns else []
        records = []
        falling = np.zeros_like(self._condition)
        for k in np.flatnonzero(changed).tolist():
            at = divmod(int(watched.state[k]), ALARM_CHANNELS)
            self._change(at, ns, watched.delay_ns[k], holds=bool(holds[k]))
            falling[at] = not holds[k]
        for meter, channel in zip(*np.nonzero(falling & self._active), strict=True):
            if self._active[meter, channel]:
                records += self._return(int(meter), int(channel), ns)
        self._find_deadline()
        return records + self.expire(ns)

    def set_input(self, meter: int, number: int, ns: int, *, on: bool) -> list[AlarmRecord]:
        """Take a change of a digital input, 1..28; return undelayed alarms and returns.

        With a setpoint of 1 an alarm is met when the input goes on, with 2 or 3 when it goes off; any
        other setpoint gives none.
        """
        self._inputs[meter, number - 1] = on
        settings = self._settings[meter]
        if not settings.alarm_enable:
            return []
        records: list[AlarmRecord] = []
        for place, channel in enumerate(settings.alarm_channels):
            wanted = _INPUT_STATES.get(channel.setpoint)
            if channel.enabled and channel.parameter == FIRST_INPUT + number - 1 and wanted is not None:
                at, holds = (meter, place), on == wanted
                if self._condition[at] != holds:
                    self._change(at, ns, channel.delay_ns, holds=holds)
                    if not holds and self._active[at]:
                        records += self._return(meter, place, ns)
        self._find_deadline()
        return records + self.expire(ns)

    def unmoved(self, bounds: Float) -> bool:
        """Tell whether no values between two bounds, shape (2, meters, 52), could change any condition."""
        watched = self._watched
        between = bounds.reshape(2, -1).take(watched.value, axis=1)
        return watched.keep(between, self._condition.take(watched.state))

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

    def _change(self, at: tuple[int, int], ns: int, delay_ns: int, *, holds: bool) -> None:
        """Note that the condition of a channel begins or ends to hold."""
        self._condition[at] = holds
        self._deadline_ns[at] = ns + delay_ns if holds else NEVER
        self._met[at] &= holds

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
        watched = settings.alarm_channels[channel]
        code = watched.parameter
        if code >= FIRST_INPUT:
            shown = watched.setpoint == _STATUS_RECORDED and self._inputs[meter, code - FIRST_INPUT]
            value, factor = float(shown), 1.0
        else:
            value = float(self._values[meter, code])
            factor = primary_factor(code, pt_ratio=settings.pt_ratio, ct_ratio=settings.ct_ratio)
        return AlarmRecord(
            settings.name,
            channel + 1,
            PARAMETERS[code],
            "active" if occurred else "return",
            ns,
            value * factor,
            watched.setpoint * factor,
            watched.comparison,
        )

    def _find_deadline(self) -> None:
        self.next_deadline_ns = int(self._deadline_ns.min())


def _changed_channels(old: MeterSettings, new: MeterSettings) -> list[int]:
    """Return the channels, from 0, whose alarms new settings concern; both of an AND pair, which is one."""
    changed = []
    for pair in range(ALARM_CHANNELS // 2):
        both = [2 * pair, 2 * pair + 1]
        differ = [channel for channel in both if _alarm(old, channel) != _alarm(new, channel)]
        if old.and_pairs[pair] != new.and_pairs[pair] or (differ and new.and_pairs[pair]):
            differ = both
        changed += differ
    return changed


def _alarm(settings: MeterSettings, channel: int) -> AlarmChannel | None:
    """Return what a channel watches; None when it is off."""
    if not settings.alarm_enable or channel >= len(settings.alarm_channels):
        return None
    watched = settings.alarm_channels[channel]
    return watched if watched.enabled else None
