"""What a scenario says of a meter, and whether the meter can be set so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import get_args
from zoneinfo import available_timezones

from twin.documents import nearest, suggestion
from twin.meters.accuracy import REFERENCE_TEMPERATURE, Accuracy
from twin.meters.codec import SI_PER_UNIT
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.kw320.alarm_formats import ALARM_FORMATS, PARAMETER_CODE, setpoint_word
from twin.meters.kw320.custom_read import custom_read_problems
from twin.meters.kw320.data_log_config import DataLogConfig, data_log_problems, data_log_registers
from twin.meters.kw320.data_log_settings import data_log_problem
from twin.meters.kw320.io_modules import MODULES, channels, module_of, setting_of
from twin.meters.kw320.logger_config import LoggerConfig, logger_problems
from twin.meters.kw320.profile import PROFILES, register_map
from twin.meters.kw320.settings_registers import (
    COMPARISONS,
    CURRENT_WIRINGS,
    DEMAND_MODES,
    WIRINGS,
    Identity,
    address_problem,
    meter_settings,
    scaling_of,
)
from twin.meters.settings import (
    CT2_CODES,
    RATED_FREQUENCIES,
    Comparison,
    CurrentWiring,
    DemandMode,
    Fidelity,
    SettingsError,
    Wiring,
)

DEFAULT_DEMAND_WINDOW = 15
"""Register 100DH [min]."""
MAX_DELAY_S = 30.0
"""3000 x 10 ms."""
_CONFIGURED = {"pt1_high", "pt1_low", "pt2", "ct1", "ct2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmConfig:
    """One alarm channel."""

    channel: int
    """1..16."""
    parameter: str
    """Monitored quantity, for example ``i1``, ``v_avg``, ``p_sum`` or ``thd_v1``."""
    comparison: Comparison = ">"
    setpoint: float = 0.0
    """Primary, SI; a fraction for unbalance and THD."""
    delay_s: float = 0.0
    """How long the condition must last, 0..30 s in steps of 10 ms [s]."""
    relay: int = 0
    """Relay that is on while the alarm is, 1..8; 0: none. It is set to alarm mode."""
    outputs: tuple[int, ...] = ()
    """Digital outputs that are on while the alarm is, 1..4. They are set to alarm mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One meter as it is installed and set at the start."""

    name: str
    profile: str = "kw320q"
    location: str = ""
    pt1: float = 400.0
    """Rated primary voltage of the voltage transformer; equal to ``pt2`` where there is none [V]."""
    pt2: float = 400.0
    """Rated secondary voltage [V]."""
    ct1: int = 5
    """Rated primary current of the current transformer [A]."""
    ct2: int = 5
    """Code of the current input: 1 and 5 A, 80, 100, 200 mA, 333 mV."""
    rogowski: bool = False
    """With ``ct2`` 100: a 100 mV Rogowski coil instead of a 100 mA transformer."""
    rated_voltage: float = 400.0
    """Line to neutral, secondary; line to line with 2LL and 3LL. Power quality refers to it, in whole volts,
    register 8004H [V]."""
    wiring: Wiring = "3LN"
    """How the voltage inputs are connected, and 1003H at the start unless ``registers`` says otherwise."""
    current_wiring: CurrentWiring = "3CT"
    """Which current inputs have a transformer, and 1004H at the start."""
    demand_mode: DemandMode | None = None
    """As the web page sets it; ``fixed`` and ``rolling`` have no register value. None: as of 100EH."""
    demand_sub_interval_minutes: int = 1
    """Of ``rolling``; a divisor of the demand window [min]."""
    registers: Mapping[str, int] = field(default_factory=dict)
    """Raw values of further setting registers, by name; the others keep their defaults."""
    modules: tuple[str, ...] = ()
    """I/O modules that are connected: ``io11``, ``io21``, ``io31``, ``io12``, ``io22``, ``io32``."""
    alarms: tuple[AlarmConfig, ...] = ()
    time_zone: str = "UTC"
    """IANA name of the zone whose time the meter's clock shows."""
    load_profile_minutes: int = 15
    """A divisor of a day [min]."""
    data_logs: tuple[DataLogConfig, ...] = ()
    """Data logs in the meter's memory."""
    custom_read: tuple[str, ...] = ()
    """Registers that the custom block 3200H shows, by name."""
    loggers: tuple[LoggerConfig, ...] = ()
    """Data loggers of the web module, at most three."""
    accuracy: Accuracy = "class"
    """``class``: wrong within class 0.2S, as the seed draws it; ``ideal``: no error of the inputs."""
    seed: int = 0
    """Together with the name it settles the errors of this device."""
    temperature: float = REFERENCE_TEMPERATURE
    """Of the meter's surroundings [degC]."""
    fidelity: Fidelity = "closed_form"
    """``sampled``: everything is measured on samples."""
    transformer: CurrentTransformer | None = None
    """A current transformer that may saturate; without one the secondary current is the primary's."""

    @property
    def identity(self) -> Identity:
        """What of the meter no register holds."""
        return Identity(
            name=self.name,
            profile=self.profile,
            location=self.location,
            rogowski=self.rogowski,
            rated_voltage=self.rated_voltage,
            wiring=self.wiring,
            current_wiring=self.current_wiring,
            demand_mode=self.demand_mode,
            demand_sub_interval_minutes=self.demand_sub_interval_minutes,
            load_profile_minutes=self.load_profile_minutes,
            accuracy=self.accuracy,
            seed=self.seed,
            temperature=self.temperature,
            fidelity=self.fidelity,
            transformer=self.transformer,
        )


@cache
def _time_zones() -> frozenset[str]:
    # Each look-up walks through a folder of hundreds of files: 16 ms, for every meter.
    return frozenset(available_timezones())


def check_config(config: MeterConfig) -> list[str]:
    """Return what is wrong with a configuration, each problem with its field and mend; [] when nothing.

    Parameters
    ----------
    config : MeterConfig

    Returns
    -------
    list of str
        ``field: what is wrong; what to do``.
    """
    if config.profile not in PROFILES:
        mend = suggestion(config.profile, PROFILES, "profiles")
        return [f"profile: {config.profile!r} is no known meter; {mend}"]
    problems = [
        *_wiring_problems(config),
        *_frequency_problems(config),
        *_demand_problems(config),
        *_ratio_problems(config),
        *_register_problems(config),
        *_alarm_problems(config),
        *_module_problems(config),
        *data_log_problems(config.data_logs, config.profile),
        *custom_read_problems(config.custom_read, config.profile),
        *logger_problems(config.loggers),
    ]
    if config.time_zone not in _time_zones():
        close = nearest(config.time_zone, _time_zones())
        mend = f"did you mean '{close}'?" if close else "give an IANA name such as Europe/London"
        problems.append(f"time_zone: {config.time_zone!r} is unknown; {mend}")
    if not 1 <= config.load_profile_minutes <= 1440 or 1440 % config.load_profile_minutes:
        problems.append(
            f"load_profile_minutes: {config.load_profile_minutes} does not divide a day; "
            "use a divisor of 1440, for example 15"
        )
    if not problems:
        raw = initial_registers(config)
        if (problem := address_problem(raw)) is not None:
            problems.append(f"registers.address_1: {problem}; choose one that is")
        try:
            meter_settings(config.identity, raw)
        except SettingsError as error:
            problems.append(f"registers: {error}; change the value")
        if (problem := data_log_problem(raw)) is not None:
            problems.append(f"registers.{problem}; give the logs less")
    return problems


@cache
def _setting_defaults(profile: str) -> Mapping[str, int]:
    """Return the defaults of the setting registers of a model by name; looked up once for all its meters."""
    return {r.name: r.default for r in register_map(profile).registers if r.source == "setting"}


def initial_registers(config: MeterConfig) -> dict[str, int]:
    """Return the raw value of every setting register at the start, by name.

    Without an own value, the rated current is that of the current transformer's secondary.

    Parameters
    ----------
    config : MeterConfig
        Without problems.
    """
    raw = {**_setting_defaults(config.profile)}
    raw |= _ratio_registers(config)
    raw["voltage_wiring"] = WIRINGS.index(config.wiring)
    raw["current_wiring"] = CURRENT_WIRINGS.index(config.current_wiring)
    if config.demand_mode in DEMAND_MODES:
        raw["demand_mode"] = DEMAND_MODES.index(config.demand_mode) + 1
    if "rated_current" in raw:
        raw["rated_voltage"] = round(config.rated_voltage)
        raw["rated_current"] = 5000 if config.ct2 == 5 else 1000
    for alarm in config.alarms:
        raw |= _alarm_registers(alarm, raw)
    if config.alarms:
        raw["alarm_enable"] = 1
    for alarm in config.alarms:
        raw |= {f"{module_of('relay', alarm.relay).name}_relay_mode": 1} if alarm.relay else {}
        raw |= {f"{module_of('do', output).name}_do_mode": 1 for output in alarm.outputs}
    return raw | data_log_registers(config.data_logs, config.profile) | dict(config.registers)


def _ratio_registers(config: MeterConfig) -> dict[str, int]:
    high, low = divmod(round(config.pt1 * 10), 0x10000)
    ratios = {"pt1_high": high, "pt1_low": low, "pt2": round(config.pt2 * 10)}
    return ratios | {"ct1": int(config.ct1), "ct2": int(config.ct2)}


def _alarm_registers(alarm: AlarmConfig, raw: Mapping[str, int]) -> dict[str, int]:
    parameter = PARAMETER_CODE[alarm.parameter]
    secondary = alarm.setpoint / scaling_of(raw).ratio(ALARM_FORMATS[parameter].unit)
    prefix = f"alarm{alarm.channel}_"
    return {
        prefix + "parameter": parameter,
        prefix + "comparison": COMPARISONS.index(alarm.comparison) + 1,
        prefix + "setpoint": setpoint_word(parameter, secondary),
        prefix + "delay": round(alarm.delay_s * 100),
        prefix + "relay": alarm.relay,
        "alarm_channels_enable": raw["alarm_channels_enable"] | 1 << (alarm.channel - 1),
    } | {
        f"alarm_to_do{output}": raw[f"alarm_to_do{output}"] | 1 << (alarm.channel - 1)
        for output in alarm.outputs
    }


def _wiring_problems(config: MeterConfig) -> list[str]:
    return [
        f"{field_name}: {value!r} is no wiring of this meter; use one of {', '.join(known)}"
        for field_name, value, known in (
            ("wiring", config.wiring, WIRINGS),
            ("current_wiring", config.current_wiring, CURRENT_WIRINGS),
        )
        if value not in known
    ]


def _frequency_problems(config: MeterConfig) -> list[str]:
    if config.registers.get("rated_frequency", 0) != RATED_FREQUENCIES.index(400.0):
        return []
    problems = []
    if "sag_threshold_percent" in register_map(config.profile).by_name:
        problems.append(f"profile: a {config.profile} is made for 50 or 60 Hz, not for 400 Hz; use a kw320")
    if config.registers.get("energy_mode", 1) != 1:
        problems.append("registers.energy_mode: a 400 Hz meter counts full-wave energy alone; use 1")
    return problems


def _demand_problems(config: MeterConfig) -> list[str]:
    problems = []
    if config.demand_mode not in {None, *get_args(DemandMode)}:
        known = ", ".join(get_args(DemandMode))
        problems.append(f"demand_mode: {config.demand_mode!r} is unknown; use one of {known}")
    elif config.demand_mode is not None and "demand_mode" in config.registers:
        problems.append("registers.demand_mode: contradicts demand_mode; leave one of them out")
    window = config.registers.get("demand_window_minutes", DEFAULT_DEMAND_WINDOW)
    sub_interval = config.demand_sub_interval_minutes
    if sub_interval < 1 or (config.demand_mode == "rolling" and window % sub_interval):
        problems.append(
            f"demand_sub_interval_minutes: {sub_interval} does not divide the window of {window} min; use a "
            "divisor, for example 5 of 15"
        )
    return problems


def _ratio_problems(config: MeterConfig) -> list[str]:
    problems = [
        f"{name}: {value:g} {unit} is out of range; use {low:g}..{high:g} {unit}"
        for name, value, unit, low, high in (
            ("pt1", config.pt1, "V", 50.0, 500_000.0),
            ("pt2", config.pt2, "V", 50.0, 400.0),
            ("ct1", config.ct1, "A", 1, 50_000),
            ("rated_voltage", config.rated_voltage, "V", 50.0, 690.0 if config.wiring == "3LL" else 400.0),
        )
        if not low <= value <= high
    ]
    if config.ct1 != int(config.ct1):
        problems.append(f"ct1: {config.ct1:g} A is no whole number; the register takes whole amperes")
    if config.ct2 not in CT2_CODES:
        codes = ", ".join(f"{code:g}" for code in CT2_CODES)
        problems.append(f"ct2: {config.ct2} is no current input of this meter; use one of {codes}")
    return problems


def _register_problems(config: MeterConfig) -> list[str]:
    known = register_map(config.profile).by_name
    settable = _setting_defaults(config.profile)
    problems = []
    for name, raw in config.registers.items():
        field_name = f"registers.{name}"
        if name in _CONFIGURED:
            problems.append(f"{field_name}: follows from the meter's ratios; set pt1, pt2, ct1, ct2 instead")
        elif name not in settable:
            mend = suggestion(name, settable, "setting registers")
            problems.append(f"{field_name}: is no setting register of a {config.profile}; {mend}")
        elif not known[name].allows(raw):
            problems.append(f"{field_name}: {raw} is out of range; use {known[name].range_text}")
    return problems


def _alarm_problems(config: MeterConfig) -> list[str]:
    problems = []
    channels = [alarm.channel for alarm in config.alarms]
    for place, alarm in enumerate(config.alarms):
        where = f"alarms[{place}]"
        if not 1 <= alarm.channel <= 16:
            problems.append(f"{where}.channel: {alarm.channel} is out of range; use 1..16")
        elif alarm.channel in channels[:place]:
            problems.append(f"{where}.channel: {alarm.channel} stands twice; give each alarm its own channel")
        if alarm.parameter not in PARAMETER_CODE:
            mend = suggestion(alarm.parameter, PARAMETER_CODE, "parameters")
            problems.append(f"{where}.parameter: {alarm.parameter!r} is no monitored quantity; {mend}")
        elif not _ratio_problems(config):
            problems += [f"{where}.setpoint: {problem}" for problem in _setpoint_problems(config, alarm)]
        if alarm.comparison not in COMPARISONS:
            problems.append(f"{where}.comparison: {alarm.comparison!r} is unknown; use '>', '=' or '<'")
        if not 0 <= alarm.delay_s <= MAX_DELAY_S:
            problems.append(f"{where}.delay_s: {alarm.delay_s:g} s is out of range; use 0..30 s")
        problems += _output_problems(config, alarm, where)
    return problems


def _output_problems(config: MeterConfig, alarm: AlarmConfig, where: str) -> list[str]:
    """Return what an alarm is to move, or to watch, that is on no connected module."""
    wanted = [("parameter", alarm.parameter)] if alarm.parameter[:2] in ("ai", "di") else []
    wanted += [("relay", f"relay{alarm.relay}")] if alarm.relay else []
    wanted += [("outputs", f"do{output}") for output in alarm.outputs]
    there = channels(config.modules, "di", "ai", "relay", "do")
    return [
        f"{where}.{field_name}: no connected module has {channel}; {suggestion(channel, there, 'channels')}"
        for field_name, channel in wanted
        if channel not in there
    ]


def _module_problems(config: MeterConfig) -> list[str]:
    problems = []
    for place, name in enumerate(config.modules):
        if name not in MODULES:
            mend = suggestion(name, MODULES, "modules")
            problems.append(f"modules[{place}]: {name!r} is no I/O module; {mend}")
        elif name in config.modules[:place]:
            problems.append(f"modules[{place}]: {name} stands twice; a second one is {name[:3]}2")
    for name in config.registers:
        module = setting_of(name)
        if module and module not in config.modules:
            problems.append(f"registers.{name}: module {module} is not connected; add it to the modules")
    return problems


def _setpoint_problems(config: MeterConfig, alarm: AlarmConfig) -> list[str]:
    """Return a problem where the setpoint does not fit the 16 bits of its register."""
    parameter = PARAMETER_CODE[alarm.parameter]
    form = ALARM_FORMATS[parameter]
    ratio = scaling_of(_ratio_registers(config)).ratio(form.unit)
    low, high = (limit * ratio for limit in form.limits)
    if low <= alarm.setpoint <= high:
        return []
    given, least, most = (value / SI_PER_UNIT[form.unit] for value in (alarm.setpoint, low, high))
    unit = f" {form.unit}" if form.unit else ""
    return [f"{given:g}{unit} does not fit the register; use {least:g}..{most:g}{unit}"]
