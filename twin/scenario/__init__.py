"""Scenarios: the schema, the loader, the findings."""

from twin.scenario.loader import is_scenario, load_scenario, resolve_scenario
from twin.scenario.schema import Scenario
from twin.scenario.site_scenario import (
    LoadPoints,
    MeterInstallation,
    ScheduledEvent,
    SiteScenario,
)
from twin.scenario.times import local_datetime, local_text, parse_local, utc_text

__all__ = [
    "LoadPoints",
    "MeterInstallation",
    "Scenario",
    "ScheduledEvent",
    "SiteScenario",
    "is_scenario",
    "load_scenario",
    "local_datetime",
    "local_text",
    "parse_local",
    "resolve_scenario",
    "utc_text",
]
