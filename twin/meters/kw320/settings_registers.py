"""What the setting registers mean for the meter: from raw values to its settings.

References
----------
KW320 manual 6.3.1 (system), 6.3.4 (alarms), 6.3.8 (power quality).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.meters.accuracy import Accuracy
from twin.meters.codec import Scaling
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.kw320.alarm_formats import setpoint_value
from twin.meters.settings import (
    ALARM_CHANNELS,
    ALARM_PAIRS,
    RATED_FREQUENCIES,
    AlarmChannel,
    Comparison,
    CurrentWiring,
    DemandMode,
    Fidelity,
    MeterSettings,
    Wiring,
)

COMPARISONS: tuple[Comparison, ...] = (">", "=", "<")
"""By register value less 1 (KW320 manual 6.3.4)."""
DEMAND_MODES: tuple[DemandMode, ...] = ("sliding", "thermal")
"""By value of 100EH less 1."""
WIRINGS: tuple[Wiring, ...] = ("3LN", "1LN", "2LL", "3LL", "1LL")
"""By value of 1003H. The code list prints 1 as 2LN and 4 as 4LL, names that the text has no wiring for; the
text's five wirings (KW320 manual 2.3.2) and the list's five codes leave 1LN and 1LL for them."""
CURRENT_WIRINGS: tuple[CurrentWiring, ...] = ("3CT", "1CT", "2CT")
"""By value of 1004H."""
_DELAY_STEP_NS = 10_000_000
MIN_PT1, MAX_PT1 = 500, 5_000_000
"""50.0..500000.0 V in tenths."""
_MODBUS, _MAX_MODBUS_ADDRESS = 0, 247


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What of a meter no register holds."""

    name: str
    profile: str
    location: str
    rogowski: bool
    load_profile_minutes: int
    rated_voltage: float
    """Line to neutral, secondary; of a wiring without phase voltages line to line [V]."""
    wiring: Wiring
    """How the voltage inputs are connected."""
    current_wiring: CurrentWiring
    """Which current inputs have a transformer."""
    demand_mode: DemandMode | None
    """As the web page set it last; None when register 100EH did."""
    demand_sub_interval_minutes: int
    """Of ``rolling`` [min]."""
    accuracy: Accuracy
    seed: int
    temperature: float
    fidelity: Fidelity
    transformer: CurrentTransformer | None


def pt1_tenths(raw: Mapping[str, int]) -> int:
    """Return PT1 of its two registers [0.1 V]."""
    return raw["pt1_high"] << 16 | raw["pt1_low"]


def address_problem(raw: Mapping[str, int]) -> str | None:
    """Return what is wrong with the first port's address; DNP3 alone has 0 and those over 247 (6.3.1)."""
    address = raw["address_1"]
    if raw["protocol_1"] != _MODBUS or 1 <= address <= _MAX_MODBUS_ADDRESS:
        return None
    return f"{address} is out of range 1..{_MAX_MODBUS_ADDRESS} of Modbus"


def scaling_of(raw: Mapping[str, int]) -> Scaling:
    """Return what the setting registers say of the scaling of others."""
    return Scaling(
        pt_ratio=pt1_tenths(raw) / raw["pt2"],
        ct_ratio=raw["ct1"] / (5 if raw["ct2"] == 5 else 1),
        float_primary=raw.get("basic_parameter_mode") == 1,
        energy_secondary=raw.get("energy_display") == 1,
    )


def meter_settings(identity: Identity, raw: Mapping[str, int]) -> MeterSettings:
    """Return the settings that the setting registers stand for.

    Parameters
    ----------
    identity : Identity
    raw : Mapping of str to int
        Raw value of every setting register by name.

    Raises
    ------
    SettingsError
        The values contradict each other.
    """
    settings = MeterSettings(
        name=identity.name,
        profile=identity.profile,
        location=identity.location,
        rogowski=identity.rogowski,
        load_profile_minutes=identity.load_profile_minutes,
        rated_voltage=identity.rated_voltage,
        accuracy=identity.accuracy,
        seed=identity.seed,
        temperature=identity.temperature,
        fidelity=identity.fidelity,
        transformer=identity.transformer,
        pt1=pt1_tenths(raw) / 10,
        pt2=raw["pt2"] / 10,
        ct1=float(raw["ct1"]),
        ct2=float(raw["ct2"]),
        current_direction=(raw["i1_direction"] == 1, raw["i2_direction"] == 1, raw["i3_direction"] == 1),
        wiring=WIRINGS[raw["voltage_wiring"]],
        current_wiring=CURRENT_WIRINGS[raw["current_wiring"]],
        installed_wiring=identity.wiring,
        installed_current_wiring=identity.current_wiring,
        rated_frequency=RATED_FREQUENCIES[raw["rated_frequency"]],
        demand_window_minutes=raw["demand_window_minutes"],
        demand_mode=identity.demand_mode or DEMAND_MODES[raw["demand_mode"] - 1],
        demand_sub_interval_minutes=identity.demand_sub_interval_minutes,
        energy_mode="full_wave" if raw["energy_mode"] else "fundamental",
        reactive_mode="general" if raw["reactive_mode"] else "budeanu",
        convention="ieee" if raw["var_pf_convention"] else "iec",
        power_quality=identity.profile == "kw320q",
        alarm_enable=raw["alarm_enable"] == 1,
        alarm_channels=tuple(_alarm_channel(raw, channel) for channel in range(1, ALARM_CHANNELS + 1)),
        and_pairs=tuple(bool(raw["alarm_and_pairs"] >> pair & 1) for pair in range(ALARM_PAIRS)),
    )
    return _with_power_quality(settings, raw) if settings.power_quality else settings


def _with_power_quality(settings: MeterSettings, raw: Mapping[str, int]) -> MeterSettings:
    return replace(
        settings,
        rated_voltage=float(raw["rated_voltage"]),
        sag_threshold_percent=float(raw["sag_threshold_percent"]),
        sag_half_cycles=raw["sag_half_cycles"],
        sag_waveform=raw["sag_waveform_enable"] == 1,
        swell_threshold_percent=float(raw["swell_threshold_percent"]),
        swell_waveform=raw["swell_waveform_enable"] == 1,
        rated_current=raw["rated_current"] / 1000,
        over_current_threshold_percent=float(raw["overcurrent_threshold_percent"]),
        over_current_waveform=raw["overcurrent_waveform_enable"] == 1,
    )


def _alarm_channel(raw: Mapping[str, int], channel: int) -> AlarmChannel:
    prefix = f"alarm{channel}_"
    parameter = raw[prefix + "parameter"]
    return AlarmChannel(
        parameter=parameter,
        comparison=COMPARISONS[raw[prefix + "comparison"] - 1],
        setpoint=setpoint_value(parameter, raw[prefix + "setpoint"]),
        delay_ns=raw[prefix + "delay"] * _DELAY_STEP_NS,
        enabled=bool(raw["alarm_channels_enable"] >> (channel - 1) & 1),
    )
