"""Settings: ranges of the manual, ratios of formulas."""

from dataclasses import replace

import pytest

from tests.meters.feed import SETTINGS
from twin.contracts import TwinError
from twin.meters.settings import AlarmChannel, MeterSettings, SettingsError


def test_each_current_input_has_its_formula_ratio():
    # Only a 5 A secondary counts as 5 (KW320 manual 6.3.7, note); 1 A, 333 mV and the like count as 1.
    ratio = {code: MeterSettings("m", ct1=200, ct2=code).ct_ratio for code in (1, 5, 80, 100, 200, 333)}
    assert ratio == {1: 200, 5: 40, 80: 200, 100: 200, 200: 200, 333: 200}
    assert MeterSettings("m", pt1=10000, pt2=100).pt_ratio == 100


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pt1", 49.9),
        ("pt2", 400.1),
        ("ct1", 0.5),
        ("ct2", 2.0),
        ("demand_window_minutes", 31),
        ("demand_sub_interval_minutes", 0),
        ("demand_mode", "block"),
        ("sag_half_cycles", 3),
        ("sag_threshold_percent", 19.0),
        ("swell_threshold_percent", 141.0),
        ("over_current_threshold_percent", float("nan")),
        ("rated_frequency", 55.0),
        ("load_profile_minutes", 7),
        ("wiring", "4LL"),
        ("current_wiring", "4CT"),
        ("installed_wiring", "2LN"),
    ],
)
def test_a_value_out_of_range_is_refused_and_named(field, value):
    with pytest.raises(SettingsError, match=field) as error:
        replace(SETTINGS, **{field: value})
    assert isinstance(error.value, TwinError)
    assert "m:" in str(error.value)


@pytest.mark.parametrize(
    "arguments", [{"parameter": -1}, {"parameter": 80}, {"delay_ns": 30_000_000_001}, {"comparison": "!"}]
)
def test_an_alarm_channel_out_of_range_is_refused(arguments):
    with pytest.raises(SettingsError):
        AlarmChannel(**arguments)


def test_sixteen_channels_at_most():
    with pytest.raises(SettingsError, match="16"):
        replace(SETTINGS, alarm_channels=(AlarmChannel(),) * 17)


def test_a_sub_interval_divides_the_window_of_rolling_demand_alone():
    replace(SETTINGS, demand_window_minutes=15, demand_sub_interval_minutes=4)
    with pytest.raises(SettingsError, match="must divide the demand window"):
        replace(SETTINGS, demand_mode="rolling", demand_window_minutes=15, demand_sub_interval_minutes=4)


def test_the_400_hertz_type_counts_full_wave_energy_and_has_no_power_quality():
    replace(SETTINGS, rated_frequency=400.0, power_quality=False)
    with pytest.raises(SettingsError, match="no power quality"):
        replace(SETTINGS, rated_frequency=400.0)
    with pytest.raises(SettingsError, match="energy_mode"):
        replace(SETTINGS, rated_frequency=400.0, power_quality=False, energy_mode="fundamental")
