"""Alarm logic over a real socket while a meter is read or wired wrongly."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sites import SCENARIO, write_site
from twin.testing import SiteUnderTest

QUIET = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"
RULES = """
version: 1
sources: [{name: home}]
alarms:
  - {name: LOW, source: home, when: {limit: {tag: v1, below: 207 V, deadband: 3 V}}}
  - {name: STALE, source: home, when: {stale: {tag: second, unchanged: 10 s}}}
  - {name: LOST, source: home, when: {communication: {failures: 2}}}
"""


@pytest.fixture
def site(tmp_path: Path, twin_site: Callable[[Path], SiteUnderTest]) -> SiteUnderTest:
    return twin_site(write_site(tmp_path, scenario=QUIET))


def test_an_alarm_server_meets_every_kind_of_wrong_register(site: SiteUnderTest, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    alarms = site.watch(tmp_path / "rules.yaml")
    site.step("5 s")
    alarms.assert_active()
    # Frozen: the device answers, a fault of the network goes unseen, the clock gives it away.
    site.inject("measurement_fault", meter="home", kind="frozen")
    site.inject("fault", name="digger", bus="HOME", type="slg", phases="a", resistance="50 mohm")
    site.step("8 s")
    alarms.assert_active()
    site.step("5 s")
    alarms.assert_active("STALE")
    site.inject("repair", of="home frozen")
    site.step("2 s")
    alarms.assert_active("LOW")
    # A value that is none leaves the alarm as it is, and so it comes back with the next one that is.
    site.inject("measurement_fault", meter="home", kind="not_a_number", registers=["v1"])
    site.inject("repair", of="digger")
    site.step("3 s")
    assert math.isnan(site.read("home", "v1"))
    alarms.assert_active("LOW")
    site.inject("repair", of="home not_a_number")
    site.step("2 s")
    alarms.assert_active()
    # A blown fuse is a low voltage to whoever believes the meter.
    site.inject("measurement_fault", meter="home", kind="fuse_blown", phases="a", clear_after="4 s")
    site.step("3 s")
    assert site.read("home", "v1") == pytest.approx(0.0, abs=0.1)
    alarms.assert_active("LOW")
    site.step("4 s")
    alarms.assert_active()
    alarms.assert_not_raised("LOST")
