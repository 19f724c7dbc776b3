"""What a technician sets in a meter: ratios, conventions, demand, power quality, alarms, load profile."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from twin.contracts import TwinError
from twin.meters.accuracy import REFERENCE_TEMPERATURE, Accuracy
from twin.meters.current_transformer import CurrentTransformer

Fidelity = Literal["closed_form", "sampled"]
Wiring = Literal["3LN", "1LN", "2LL", "3LL", "1LL"]
CurrentWiring = Literal["3CT", "1CT", "2CT"]
DemandMode = Literal["sliding", "thermal", "fixed", "rolling"]
EnergyMode = Literal["fundamental", "full_wave"]
ReactiveMode = Literal["budeanu", "general"]
Convention = Literal["iec", "ieee"]
Comparison = Literal[">", "=", "<"]

RATED_FREQUENCIES = (50.0, 60.0, 400.0)
"""Of the three types (KW320 manual 6.3.1, 0FFDH) [Hz]."""
ALARM_CHANNELS = 16
"""Alarm channels of a meter (KW320 manual 4.4)."""
ALARM_PAIRS = 8
"""Pairs of neighbouring channels that may be combined by AND (KW320 manual 4.4)."""
ALARM_PARAMETERS = 80
"""Codes of what an alarm can watch: 52 quantities, then DI1..DI28 (KW320 manual 6.3.4)."""
MAX_ALARM_DELAY_NS = 30_000_000_000
"""3000 x 10 ms (KW320 manual 6.3.4, register 1051H)."""
CT2_CODES = (1.0, 5.0, 80.0, 100.0, 200.0, 333.0)
"""Rated secondary: 1 A, 5 A, then 80, 100, 200 mA and 333 mV inputs, and 100 mV Rogowski coils."""


class SettingsError(TwinError, ValueError):
    """A meter setting outside the range that its manual gives."""


@dataclass(frozen=True, slots=True)
class AlarmChannel:
    """One over/under limit alarm (KW320 manual 4.4 and 6.3.4)."""

    parameter: int = 0
    """Code 0..79 of the manual's alarming parameter code table; see ``twin.meters.alarms``."""
    comparison: Comparison = ">"
    setpoint: float = 0.0
    """In secondary SI units; fractions for unbalance and THD; unused by code 51; 1, 2 or 3 with an input."""
    delay_ns: int = 0
    """How long the condition must last before the alarm is given, 0..30 s [ns]."""
    enabled: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.parameter < ALARM_PARAMETERS:
            raise SettingsError(f"alarm parameter code {self.parameter} is unknown; use 0..79")
        if self.comparison not in get_args(Comparison):
            raise SettingsError(f"alarm comparison {self.comparison!r} is unknown; use '>', '=' or '<'")
        if not 0 <= self.delay_ns <= MAX_ALARM_DELAY_NS:
            raise SettingsError(f"alarm delay {self.delay_ns} ns is out of range; use 0..30 s")


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """All settings of one meter; a change makes a new object (``dataclasses.replace``)."""

    name: str
    profile: str = "kw320q"
    location: str = ""
    pt1: float = 400.0
    """Rated primary voltage of the voltage transformer [V]."""
    pt2: float = 400.0
    """Rated secondary voltage [V]."""
    ct1: float = 5.0
    """Rated primary current of the current transformer [A]."""
    ct2: float = 5.0
    """Code of the current input, one of ``CT2_CODES``: 1 and 5 are ampere, the others count as 1 A in
    every formula (KW320 manual 6.3, notes 1 to 4)."""
    rogowski: bool = False
    """With ``ct2`` 100: a 100 mV Rogowski coil instead of a 100 mA transformer."""
    current_direction: tuple[bool, bool, bool] = (False, False, False)
    """True where the current input of phase a, b, c is reversed (KW320 manual 4.1)."""
    wiring: Wiring = "3LN"
    """How the voltage inputs are read (KW320 manual 2.3.2)."""
    current_wiring: CurrentWiring = "3CT"
    """How the current inputs are read."""
    installed_wiring: Wiring = "3LN"
    """How the voltage inputs are connected; it stays when ``wiring`` is set anew."""
    installed_current_wiring: CurrentWiring = "3CT"
    """Which current inputs have a transformer."""
    rated_frequency: float = 50.0
    """50, 60 or, without power quality, 400 [Hz]."""
    accuracy: Accuracy = "class"
    """``class``: wrong within its class, as its seed draws it; ``ideal``: without any error of its inputs."""
    seed: int = 0
    """Together with the name it settles the errors of this device."""
    temperature: float = REFERENCE_TEMPERATURE
    """Of the meter's surroundings [degC]."""
    fidelity: Fidelity = "closed_form"
    """``sampled``: everything is measured on samples, 512 to the cycle, at the cost that this takes."""
    transformer: CurrentTransformer | None = None
    """A current transformer that may saturate; without one the secondary current is the primary's."""

    demand_window_minutes: int = 15
    """1..30 [min]."""
    demand_mode: DemandMode = "sliding"
    demand_sub_interval_minutes: int = 1
    """Divides the window; used by ``rolling`` alone [min]."""
    energy_mode: EnergyMode = "full_wave"
    reactive_mode: ReactiveMode = "budeanu"
    convention: Convention = "iec"
    """Sign of reactive power and power factor (KW320 manual 5.1.7.6.1.1)."""

    power_quality: bool = True
    """Whether the meter logs power-quality events and captures waveforms at all (the ``q`` models)."""
    rated_voltage: float = 400.0
    """Secondary, line to neutral; of a wiring without phase voltages line to line [V]."""
    sag_threshold_percent: float = 20.0
    sag_half_cycles: int = 10
    """4..200 half cycles below the threshold make a sag."""
    sag_waveform: bool = False
    swell_threshold_percent: float = 100.0
    swell_waveform: bool = False
    rated_current: float = 5.0
    """Secondary [A]."""
    over_current_threshold_percent: float = 100.0
    over_current_waveform: bool = False
    """Over-current is watched for the sake of its capture alone; without it there is no such event."""

    alarm_enable: bool = False
    alarm_channels: tuple[AlarmChannel, ...] = ()
    """At most 16; a channel that is left out is disabled."""
    and_pairs: tuple[bool, ...] = (False,) * ALARM_PAIRS
    """Whether channels 1 and 2, 3 and 4 .. only alarm together."""
    load_profile_minutes: int = 15
    """Length of a load-profile interval, a divisor of a day [min]."""

    def __post_init__(self) -> None:
        for field, value, allowed in (
            ("wiring", self.wiring, get_args(Wiring)),
            ("current_wiring", self.current_wiring, get_args(CurrentWiring)),
            ("installed_wiring", self.installed_wiring, get_args(Wiring)),
            ("installed_current_wiring", self.installed_current_wiring, get_args(CurrentWiring)),
            ("demand_mode", self.demand_mode, get_args(DemandMode)),
            ("energy_mode", self.energy_mode, get_args(EnergyMode)),
            ("reactive_mode", self.reactive_mode, get_args(ReactiveMode)),
            ("convention", self.convention, get_args(Convention)),
            ("rated_frequency", self.rated_frequency, RATED_FREQUENCIES),
            ("ct2", self.ct2, CT2_CODES),
            ("accuracy", self.accuracy, get_args(Accuracy)),
            ("fidelity", self.fidelity, get_args(Fidelity)),
        ):
            if value not in allowed:
                raise SettingsError(f"{self.name}: {field} {value!r} is unknown; use one of {allowed}")
        for field, number, low, high in (
            ("pt1", self.pt1, 50.0, 500_000.0),
            ("pt2", self.pt2, 50.0, 400.0),
            ("ct1", self.ct1, 1.0, 50_000.0),
            ("demand_window_minutes", self.demand_window_minutes, 1, 30),
            ("sag_half_cycles", self.sag_half_cycles, 4, 200),
            ("sag_threshold_percent", self.sag_threshold_percent, 20.0, 100.0),
            ("swell_threshold_percent", self.swell_threshold_percent, 50.0, 140.0),
            ("over_current_threshold_percent", self.over_current_threshold_percent, 50.0, 150.0),
            ("rated_voltage", self.rated_voltage, 1.0, 690.0),
            ("rated_current", self.rated_current, 0.001, 10.0),
            ("load_profile_minutes", self.load_profile_minutes, 1, 1440),
            ("seed", self.seed, 0, 2**63 - 1),
            ("temperature", self.temperature, -40.0, 85.0),
        ):
            if not low <= number <= high:
                raise SettingsError(f"{self.name}: {field} {number} is out of range; use {low}..{high}")
        sub_interval = self.demand_sub_interval_minutes
        rolling = self.demand_mode == "rolling"
        if sub_interval < 1 or (rolling and self.demand_window_minutes % sub_interval):
            raise SettingsError(f"{self.name}: demand_sub_interval_minutes must divide the demand window")
        if self.rated_frequency == RATED_FREQUENCIES[2]:
            if self.power_quality:
                raise SettingsError(f"{self.name}: a 400 Hz meter has no power quality; use a kw320")
            if self.energy_mode != "full_wave":
                raise SettingsError(f"{self.name}: energy_mode of a 400 Hz meter is full_wave alone")
        if 1440 % self.load_profile_minutes:
            raise SettingsError(f"{self.name}: load_profile_minutes must divide a day (1440 minutes)")
        if len(self.alarm_channels) > ALARM_CHANNELS or len(self.and_pairs) != ALARM_PAIRS:
            raise SettingsError(f"{self.name}: at most 16 alarm channels and just 8 AND pairs")

    @property
    def pt_ratio(self) -> float:
        """Primary volts per secondary volt."""
        return self.pt1 / self.pt2

    @property
    def ct_ratio(self) -> float:
        """Primary amperes per secondary ampere; only a 5 A secondary counts as 5."""
        return self.ct1 / (5.0 if self.ct2 == 5.0 else 1.0)


def differ(old: MeterSettings, new: MeterSettings, *prefixes: str) -> bool:
    """Tell whether a setting whose name begins with one of the prefixes has changed."""
    names = [field.name for field in fields(old) if field.name.startswith(prefixes)]
    return any(getattr(old, name) != getattr(new, name) for name in names)
