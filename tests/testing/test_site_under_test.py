"""The fixture: a site in virtual time, driven and watched by a test."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from tests.sites import SCENARIO, write_site
from twin.contracts import Answer, BadInputError, Command
from twin.simulation import warm_up
from twin.testing import SiteRefusedError, SiteUnderTest, site_under_test

QUIET = (
    SCENARIO.split("events:", maxsplit=1)[0].replace("port: 0", "port: 15502, unit: 1") + "dashboard: null\n"
)
RULES = """
version: 1
sources: [{name: home}, {name: head}]
alarms:
  - name: LOW
    source: home
    priority: high
    when: {limit: {tag: v1, below: 207 V, deadband: 3 V}}
    suppressed_when: {limit: {source: head, tag: i1, below: 1 A}}
  - {name: OVERLOAD, source: head, on_delay: 3 s, when: {limit: {tag: i1, above: 100 A}}}
"""
INPUT_RULES = """
version: 1
sources: [{name: head}]
alarms:
  - {name: OPEN, source: head, when: {state: {tag: di1, equals: 0}}}
  - {name: RELAY, source: head, when: {state: {tag: relay2, equals: 1}}}
  - {name: DEAD, source: head, when: {limit: {tag: v1, below: 1 V}}}
"""
Start = Callable[[Path], SiteUnderTest]


@pytest.fixture
def site(tmp_path: Path, twin_site: Start) -> SiteUnderTest:
    """The little site, on which nothing happens of itself; both meters want the same port."""
    meters = QUIET.replace("port: 15502, unit: 1", "port: 15502, unit: 2", 1)
    return twin_site(write_site(tmp_path, scenario=meters))


def rules(tmp_path: Path) -> Path:
    """Write the rules."""
    file = tmp_path / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return file


def test_time_stands_still_between_steps(site: SiteUnderTest) -> None:
    before = site.now_ns
    assert site.read("home", "v1") == pytest.approx(230.0, abs=3.0)
    assert site.now_ns == before
    site.step("2.5 s")
    site.step(0.5)
    assert site.now_ns == before + 3_000_000_000


def test_a_master_of_its_own_finds_the_meters(site: SiteUnderTest) -> None:
    """Two units behind one port that nobody else has; an independent client reads them."""
    head, home = site.endpoints["head"], site.endpoints["home"]
    assert (head.port, head.unit, home.unit) == (home.port, 2, 1)
    assert head.port != 15502
    client = ModbusTcpClient(home.host, port=home.port)
    assert client.connect()
    try:
        answer = client.read_holding_registers(0x4002, count=2, device_id=home.unit)
        value = client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32)
    finally:
        client.close()
    assert value == pytest.approx(site.read("home", "v1"))


def test_alarms_are_raised_by_what_the_test_does(site: SiteUnderTest, tmp_path: Path) -> None:
    alarms = site.watch(rules(tmp_path))
    site.step("3 s")
    alarms.assert_active()
    site.inject("fault", name="digger", bus="HOME", type="slg", phases="a", resistance="50 mohm")
    site.step("2 s")
    alarms.assert_active("LOW")
    alarms.acknowledge("LOW")
    site.step("3 s")
    alarms.assert_active("LOW", "OVERLOAD")
    site.inject("repair", of="digger")
    site.step_until_quiet(quiet="5 s", longest="1 min")
    alarms.assert_sequence(*("LOW active", "LOW ack", "OVERLOAD active", "LOW return", "OVERLOAD return"))
    alarms.assert_raised("LOW", "OVERLOAD", times=1)
    assert alarms.standing == ("OVERLOAD",)
    alarms.assert_shown("LOW active", "OVERLOAD active", "LOW return", "OVERLOAD return")
    with pytest.raises(AssertionError, match="shown is not nothing"):
        alarms.assert_shown()
    kinds = [entry.kind for entry in site.recording.truth() if entry.element == "digger"]
    assert kinds == ["fault_applied", "fault_cleared"]


def test_what_should_not_be_is_told_with_the_journal(site: SiteUnderTest, tmp_path: Path) -> None:
    alarms = site.watch(rules(tmp_path))
    site.operate("SW2", "open")
    site.step("2 s")
    with pytest.raises(AssertionError, match=r"LOW was raised\njournal:\n.*home  LOW  active"):
        alarms.assert_not_raised("LOW")
    with pytest.raises(AssertionError, match="OVERLOAD was raised 0 times, not 2"):
        alarms.assert_raised("OVERLOAD", times=2)
    with pytest.raises(AssertionError, match="active are LOW, not none"):
        alarms.assert_active()
    with pytest.raises(KeyError):
        alarms.assert_not_raised("LWO")


def test_a_breaker_is_watched_over_an_input(tmp_path: Path, twin_site: Start) -> None:
    """By function 02, beside registers of the same meter; relays by function 01."""
    wired = "io: {modules: [io11], inputs: [{input: di1, switch: SW2}]}"
    scenario = QUIET.replace("    ct: 100:5\n", f"    ct: 100:5\n    {wired}\n").replace(
        "unit: 1", "unit: 2", 1
    )
    site = twin_site(write_site(tmp_path, scenario=scenario))
    file = tmp_path / "rules.yaml"
    file.write_text(INPUT_RULES, encoding="utf-8")
    alarms = site.watch(file)
    site.step("2 s")
    alarms.assert_active()
    assert [site.read("head", name) for name in ("di1", "di2", "di28", "relay2")] == [1, 0, 0, 0]
    site.operate("SW2", "open")
    site.ask("head", "write_coil", address=1, on=True)
    site.step("2 s")
    alarms.assert_active("OPEN", "RELAY")
    assert [site.read("head", name) for name in ("di1", "relay2")] == [0, 1]
    with pytest.raises(SiteRefusedError, match="no register 'di29'"):
        site.read("head", "di29")


def test_a_window_is_read_as_a_new_master_sees_it(site: SiteUnderTest) -> None:
    assert site.read("home", "newest_event") == 0
    site.inject("fault", name="digger", bus="HOME", type="slg", phases="a", clear_after="200 ms")
    site.step("5 s")
    assert site.read("home", "newest_event") == len(site.recording.events(meter="home")) > 0


def test_a_span_longer_than_one_command_is_taken_in_several(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.now_ns
    monkeypatch.setattr(site_under_test, "_LONGEST_STEP_NS", 1_000_000_000)
    site.step("2.5 s")
    assert site.now_ns == before + 2_500_000_000


def test_a_recording_reaches_the_present_where_nothing_has_happened(site: SiteUnderTest) -> None:
    for _ in range(2):
        site.step("1 s")
        assert site.recording.info.reached_ns == site.now_ns


def test_who_watches_no_more_polls_no_more(site: SiteUnderTest, tmp_path: Path) -> None:
    alarms = site.watch(rules(tmp_path))
    site.unwatch()
    site.operate("SW2", "open")
    site.step("5 s")
    alarms.assert_not_raised("LOW")


def test_figures_of_merit_are_of_the_watch(site: SiteUnderTest, tmp_path: Path) -> None:
    site.step("1 min")
    alarms = site.watch(rules(tmp_path))
    for _ in range(3):
        site.operate("SW2", "open")
        site.step("4 s")
        site.operate("SW2", "close")
        site.step("4 s")
    site.step("36 s")
    kpis = alarms.kpis()
    assert (kpis.annunciations, kpis.per_ten_minutes, kpis.chattering) == (3, 30.0, {("home", "LOW"): 3})


def test_what_the_site_refuses_is_said(site: SiteUnderTest) -> None:
    with pytest.raises(SiteRefusedError, match="did you mean 'v1'"):
        site.read("home", "v_1")
    with pytest.raises(SiteRefusedError, match="no meter 'hoem'"):
        site.read("hoem", "v1")
    with pytest.raises(SiteRefusedError, match="NOWHERE"):
        site.inject("fault", name="F", bus="NOWHERE", type="slg", phases="a")


def test_a_bad_scenario_starts_nothing(tmp_path: Path, twin_site: Start) -> None:
    with pytest.raises(BadInputError, match="duration"):
        twin_site(write_site(tmp_path, scenario=QUIET.replace("duration: 10 min", "duration: soon")))


def test_a_slow_machine_is_no_busy_meter(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write may have to wait for kernels that compile: a test's master is answered all the same."""
    engine = site._session._engine
    real = engine.apply

    def slow(command: Command) -> Answer:
        time.sleep(1.3)  # over the second that masters wait for a site in real time
        return real(command)

    monkeypatch.setattr(engine, "apply", slow)
    address = site.endpoints["head"]
    client = ModbusTcpClient(address.host, port=address.port)
    assert client.connect()
    try:
        assert not client.write_registers(0x1003, [1], device_id=address.unit).isError()
    finally:
        client.close()


def test_kernels_are_warmed_up_once_in_a_process(
    site: SiteUnderTest, twin_site: Start, tmp_path: Path
) -> None:
    """The second site of a kind finds them loaded."""
    warmed = warm_up._live_once_with.cache_info
    before = warmed().misses
    assert before >= 1
    (tmp_path / "more").mkdir()
    twin_site(write_site(tmp_path / "more", scenario=QUIET.replace("unit: 1", "unit: 2", 1)))
    assert warmed().misses == before
    assert site.now_ns
