"""Usual stores of heat and cold, for loads that keep a temperature."""

from dataclasses import replace

from twin.scenario.equipment_schema import Thermostatic
from twin.simulation.thermostatic import ThermostatSettings

DEVICES = {
    "water_heater": ThermostatSettings(
        "water heater", power=2000.0, capacity=4e5, resistance=0.05, low=55.0, high=60.0, ambient=18.0
    ),
    "space_heater": ThermostatSettings(
        "space heater", power=2000.0, capacity=2e6, resistance=0.02, low=20.0, high=21.0, ambient=5.0
    ),
    "heat_pump": ThermostatSettings(
        "heat pump",
        power=3000.0,
        capacity=1.2e7,
        resistance=4e-3,
        low=20.0,
        high=21.5,
        ambient=0.0,
        performance=3.0,
        power_factor=0.95,
        resistive=False,
        restart_delay=180.0,
    ),
    "refrigerator": ThermostatSettings(
        "refrigerator",
        power=100.0,
        capacity=4e4,
        resistance=0.25,
        low=4.0,
        high=7.0,
        ambient=20.0,
        performance=-2.0,
        power_factor=0.7,
        resistive=False,
        restart_delay=180.0,
    ),
    "cold_store": ThermostatSettings(
        "cold store",
        power=10e3,
        capacity=2e7,
        resistance=3.8e-3,
        low=-22.0,
        high=-19.0,
        ambient=25.0,
        performance=-2.5,
        power_factor=0.85,
        resistive=False,
        restart_delay=180.0,
    ),
    "air_conditioner": ThermostatSettings(
        "air conditioner",
        power=1500.0,
        capacity=1.5e6,
        resistance=3.7e-3,
        low=23.0,
        high=24.5,
        ambient=32.0,
        performance=-3.0,
        power_factor=0.95,
        resistive=False,
        restart_delay=180.0,
    ),
}
"""Engineering estimates: power and thresholds as on rating plates, capacity and resistance for cycles of half
an hour to two hours and a third to a half of the time on. A water heater's loss holds the water that is
drawn."""


def store_of(name: str, entry: Thermostatic) -> ThermostatSettings:
    """Return the store of an entry at the network load ``name``.

    Raises
    ------
    ThermostatError
        The entry's fields make no store.
    """
    given = ("power", "capacity", "resistance", "low", "high", "ambient")
    own = {key: value for key in given if (value := getattr(entry, key)) is not None}
    usual = DEVICES[entry.device]
    return replace(usual, name=f"{name} {usual.name}", **own)
