"""The registers of one meter: settings, clock, run time and logs, and what a write does to them."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from twin.contracts import (
    NS_PER_SECOND,
    AlarmRecord,
    EventRecord,
    Record,
    Refusal,
    RetrievalWindow,
    WaveformRecord,
)
from twin.meters.codec import counts_per_si
from twin.meters.kw320.access import (
    RefusedError,
    check_seal,
    check_settings,
    is_sealed,
    label,
    raw_values,
)
from twin.meters.kw320.alarm_formats import ALARM_FORMATS, PARAMETER_CODE, setpoint_word
from twin.meters.kw320.analogue import written_problems
from twin.meters.kw320.clock import ClockCourse, MeterClock, weekday
from twin.meters.kw320.config import MeterConfig, initial_registers
from twin.meters.kw320.data_log_settings import touched_logs
from twin.meters.kw320.data_log_window import DataLogWindow
from twin.meters.kw320.data_logs import DataLogs
from twin.meters.kw320.io_modules import BY_NUMBER, setting_of
from twin.meters.kw320.io_state import IoState
from twin.meters.kw320.logs import (
    ALARM_RECORDS,
    MAX_EVENTS,
    MAX_WAVEFORMS,
    PowerQualityLog,
    RecordRing,
    event_words,
    waveform_words,
)
from twin.meters.kw320.months import MonthlyEnergies
from twin.meters.kw320.profile import POWERED, register_map
from twin.meters.kw320.settings_registers import meter_settings, scaling_of
from twin.meters.kw320.windows import EventWindow, WaveformWindow
from twin.meters.register_map import Register
from twin.meters.settings import MeterSettings, SettingsError

SEALED_CLOCK_STEP_NS = 300 * NS_PER_SECOND
"""A sealed clock takes corrections of five minutes at most (KW320 manual 4.7)."""
MAX_RUN_TIME = 999_999_999
"""Register 1034H [0.01 h]."""
RUN_TIME_COUNT_NS = 36 * NS_PER_SECOND
"""One count of it [ns]."""
_NEW_ALARM, _NEW_SOE = 1, 2


@dataclass(frozen=True, slots=True)
class Effect:
    """What a write asks of the measuring part of the meter, beside the registers themselves."""

    settings: MeterSettings | None = None
    """New settings, or None when they stay."""
    presets_wh: Mapping[str, float] | None = None
    """Energies to preset by name, primary [Wh, varh or VAh]."""
    actions: tuple[str, ...] = ()
    """Names of the action registers that were set off."""


class Kw320Meter:
    """One meter's registers, without its measurements.

    Parameters
    ----------
    config : MeterConfig
        Without problems.
    start_ns : int
        When the meter is switched on, UTC [ns].
    """

    def __init__(self, config: MeterConfig, *, start_ns: int) -> None:
        self.config = config
        self.registers = register_map(config.profile)
        self.raw = initial_registers(config)
        """Raw value of every setting register."""
        self._identity = config.identity
        self.settings = meter_settings(self._identity, self.raw)
        self.scaling = scaling_of(self.raw)
        self.clock = MeterClock(config.time_zone)
        self.log = PowerQualityLog()
        self.alarms = RecordRing(ALARM_RECORDS)
        self.io = IoState(config.modules)
        self.data_logs = DataLogs(self.raw, self.clock, start_ns)
        self.months = MonthlyEnergies(self.clock, start_ns)
        self.windows: tuple[RetrievalWindow, ...] = (DataLogWindow(lambda: self.data_logs.memory),)
        if self.settings.power_quality:
            quality = EventWindow(lambda: self.log), WaveformWindow(lambda: self.log)
            self.windows = (*quality, *self.windows)
        self._new_alarm = 0
        self.run_since_ns = start_ns
        """Since when the run time counts, UTC [ns]."""
        self.run_time_before = 0
        """The run time then; 999,999,999 are more nanoseconds than 64 bits hold [0.01 h]."""
        self.powered = True
        """Whether the meter has its supply."""
        self._off_since_ns = start_ns
        self._last_event = 0  # number of the newest event that was kept

    # -- state that changes by itself ---------------------------------------------------------------

    def state(self, now_ns: int) -> dict[str, int]:
        """Return the raw values of the registers that follow the meter's state, by name."""
        counted_ns = (now_ns if self.powered else self._off_since_ns) - self.run_since_ns
        return {
            POWERED: int(self.powered),
            "system_status": self._new_alarm | self.io.new_soe << 1,
            "alarm_record_number": self.alarms.newest,
            "soe_group_number": self.io.soe.newest,
            "io_modules_connected": self.io.connected,
            "run_time": min(self.run_time_before + counted_ns // RUN_TIME_COUNT_NS, MAX_RUN_TIME),
        }

    def keep(self, record: Record, *, cause: str = "") -> None:
        """Keep what the measuring part recorded, in the form that registers show.

        Stamps are made with the clock as it is set now.

        Parameters
        ----------
        record : Record
            An event, a waveform or an alarm; anything else is passed over.
        cause : str
            Letters of the phases that triggered a waveform, or the input: ``di7 on``.
        """
        if isinstance(record, EventRecord):
            self._keep_event(record)
        elif isinstance(record, WaveformRecord) and len(self.log.waveforms) < MAX_WAVEFORMS:
            stamp = self.clock.stamp(record.trigger_ns)
            self.log.waveforms.append(waveform_words(record, stamp, cause))
        elif isinstance(record, AlarmRecord):
            self._keep_alarm(record)

    def _keep_event(self, record: EventRecord) -> None:
        if record.number <= self._last_event:
            return  # its end: the log holds when and why an event was recorded, not how long it lasted
        self._last_event = record.number
        if record.type != "over_current":
            if len(self.log.events) >= MAX_EVENTS:
                self.log = self.log.without_oldest_event()
            stamp = self.clock.stamp(record.trigger_ns)
            self.log.events.append(event_words(record, stamp, self.raw))

    def _keep_alarm(self, record: AlarmRecord) -> None:
        parameter = PARAMETER_CODE[record.parameter]
        pair = (record.channel - 1) // 2
        paired = self.raw["alarm_and_pairs"] >> pair & 1
        occurred = record.transition == "active"
        value = record.value / self.scaling.ratio(ALARM_FORMATS[parameter].unit)
        self.alarms.add(
            {
                "status": parameter << 8 | paired << 1 | occurred,
                "parameter": parameter,
                "value": setpoint_word(parameter, value),
                **self.clock.stamp(record.time_ns),
            }
        )
        self._new_alarm = _NEW_ALARM

    def set_power(self, *, on: bool, now_ns: int) -> None:
        """Give the meter its supply, or take it away: the run time stands still without it.

        All else is kept in memory that needs none, and the clock by its battery (KW320 manual 3.2 D, 3.7,
        4.2, 4.4).
        """
        if on:
            self.run_since_ns += now_ns - self._off_since_ns
            self.data_logs.reschedule(now_ns)
        self._off_since_ns = now_ns
        self.powered = on

    def as_it_is(self) -> Callable[[int], None]:
        """Return what sets the registers back to what they are now, at an instant UTC [ns].

        A data log that has been set otherwise meanwhile is erased by both.
        """
        before = copy(self)
        before.io, before.clock, before.months = self.io.copy(), copy(self.clock), copy(self.months)

        def set_back(now_ns: int) -> None:
            clock = self.clock
            vars(self).update(vars(before))
            self.clock = clock  # the data logs have it too
            self.clock.set_like(before.clock)
            self.data_logs.set_back(self.raw, now_ns)

        return set_back

    # -- writing ------------------------------------------------------------------------------------

    def write(self, address: int, words: Sequence[int], now_ns: int) -> Effect:
        """Carry out a write as a whole, or refuse it and change nothing.

        Parameters
        ----------
        address : int
            First address.
        words : Sequence of int
            0..65535 each.
        now_ns : int
            UTC [ns].

        Returns
        -------
        Effect
            What remains to be done outside the registers.

        Raises
        ------
        RefusedError
            Unknown or read-only register, value out of range, seal.
        """
        values = raw_values(self.registers, address, words)
        check_seal(values, self.raw)
        kinds = {register.source.partition(".")[0] for register in values}
        named = {register.name: raw for register, raw in values.items()}
        if "window" in kinds:
            detail = f"{label(next(iter(values)))} belongs to a master's own session"
            raise RefusedError(Refusal.ILLEGAL_ADDRESS, detail)
        if "clock" in kinds:
            self._set_clock(values, named, now_ns)
            return Effect()
        if kinds & {"energy", "past_energy"}:
            presets = self._presets(values)
            past = {name: value for name, value in presets.items() if name.startswith("last")}
            self.months.preset(past)
            return Effect(presets_wh={name: presets[name] for name in presets if name not in past})
        return self._set(values, named, now_ns)

    def set_by_hand(self, raw: Mapping[str, int], now_ns: int) -> Effect:
        """Set setting registers, by name, at the meter's own keys; no seal is in the way."""
        return self._set({self.registers.by_name[name]: value for name, value in raw.items()}, raw, now_ns)

    def disturb_clock(self, now_ns: int, course: ClockCourse) -> None:
        """Let the clock run otherwise from now on."""
        self.clock.disturb(now_ns, course)
        self.data_logs.reschedule(now_ns)

    def rehearse(self, writes: Sequence[tuple[int, Sequence[int]]], now_ns: int) -> None:
        """Find whether the meter would carry out several writes to settings, one after the other.

        Raises
        ------
        RefusedError
            It would refuse one of them; nothing has changed.
        """
        double = Kw320Meter(self.config, start_ns=now_ns)
        double.raw, double._identity = self.raw, self._identity
        for address, words in writes:
            double.write(address, words, now_ns)

    def _set(self, values: Mapping[Register, int], named: Mapping[str, int], now_ns: int) -> Effect:
        """Set settings and states, then name the actions."""
        changed = {
            register.name: raw
            for register, raw in values.items()
            # Settings of a module that is not connected stay as they are (manual 6.3.5).
            if register.source == "setting" and setting_of(register.name) in ("", *self.io.modules)
        }
        raw = self.raw | changed
        check_settings(raw, self.raw)
        identity = self._identity
        if "demand_mode" in changed:
            identity = replace(identity, demand_mode=None)
        if problems := written_problems(changed, raw, self.raw):
            named_by = self.registers.by_name
            detail = "; ".join(f"{label(named_by[name])}: {what}" for name, what in problems.items())
            raise RefusedError(Refusal.ILLEGAL_VALUE, detail)
        try:
            settings = meter_settings(identity, raw)
        except SettingsError as error:
            raise RefusedError(Refusal.ILLEGAL_VALUE, str(error)) from error
        actions = [name for name, value in ACTIONS.items() if named.get(name) == value]
        if named.get("ethernet_reset"):
            actions.append("ethernet_reset")  # 1, or 2 with default addresses, which are the scenario's here
        if raw["energy_display"] != self.raw["energy_display"] and "clear_energy" not in actions:
            actions.append("clear_energy")  # the web page's note: changing the reading resets the energy
        logs = touched_logs(name for name, value in changed.items() if value != self.raw[name])
        self.io.settle(self.raw, now_ns)
        if raw["soe_enable"] != self.raw["soe_enable"]:
            self.io.clear_soe()  # the records belong to the inputs of another module
        before, self.settings = self.settings, settings
        self.raw, self.scaling, self._identity = raw, scaling_of(raw), identity
        if logs:
            self.data_logs.configure(raw, logs, now_ns)
        if "system_status" in named:
            self._new_alarm &= named["system_status"]
            self.io.new_soe &= bool(named["system_status"] & _NEW_SOE)
        if "soe_group_number" in named:
            self.io.clear_soe()
        if "alarm_record_number" in named:
            self._act("clear_alarm_records", now_ns)
        if named.get("clear_pulse_counter"):
            self.io.clear_counters(BY_NUMBER[named["clear_pulse_counter"]], raw, now_ns)
        if "run_time" in named:
            self.run_since_ns, self.run_time_before = now_ns, named["run_time"]
        for action in actions:
            self._act(action, now_ns)
        return Effect(settings=settings if settings != before else None, actions=tuple(actions))

    def _act(self, action: str, now_ns: int) -> None:
        """Do what an action does to the registers themselves."""
        if action == "clear_run_time":
            self.run_since_ns, self.run_time_before = now_ns, 0
        elif action == "clear_alarm_records":
            self.alarms = RecordRing(ALARM_RECORDS)
            self._new_alarm = 0
        elif action == "clear_pq_events":
            self.log = self.log.without_events()
        elif action == "clear_waveforms":
            self.log = self.log.without_waveforms()

    def _set_clock(self, values: Mapping[Register, int], fields: Mapping[str, int], now_ns: int) -> None:
        try:
            wall_ns = self.clock.wall_ns({k: v for k, v in fields.items() if k != "week"}, now_ns)
        except ValueError as error:
            raise RefusedError(Refusal.ILLEGAL_VALUE, f"the clock (1040H..1045H): {error}") from error
        step = abs(wall_ns - self.clock.local_ns(now_ns))
        week = self.clock.registers(now_ns)["week"]
        other_day = fields.get("week", week) not in (week, weekday(wall_ns))
        corrects = step <= SEALED_CLOCK_STEP_NS and not other_day
        if not corrects and any(is_sealed(register, self.raw) for register in values):
            detail = "the clock is sealed; it takes corrections of five minutes at most"
            raise RefusedError(Refusal.SEALED, detail)
        self.clock.set(fields, now_ns)
        self.data_logs.reschedule(now_ns)

    def _presets(self, values: Mapping[Register, int]) -> dict[str, float]:
        """Return the energies that a write presets, primary [Wh]."""
        return {
            register.name: raw / counts_per_si(register, self.scaling) for register, raw in values.items()
        }


ACTIONS: Mapping[str, int] = {
    "clear_demand": 1,
    "clear_sharp_demand": 0x0A,
    "clear_peak_demand": 0x0A,
    "clear_valley_demand": 0x0A,
    "clear_normal_demand": 0x0A,
    "clear_total_demand": 0x0A,
    "clear_max_min": 0x0A,
    "clear_run_time": 1,
    "clear_energy": 1,
    "clear_alarm_records": 0x0A,
    "manual_waveform_trigger": 0xAA,
    "clear_waveforms": 0x55,
    "clear_pq_events": 0x55,
}
"""Value that sets an action register off; any other value that it takes does nothing."""
