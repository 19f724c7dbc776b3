"""Machines, inverters, frequency and islands of a scenario: every finding with its line and mend."""

import pytest

from tests.sites import NETWORK, SCENARIO, write_site
from twin.contracts import BadInputError
from twin.scenario import load_scenario
from twin.scenario.islands import cut_off, lives_alone

GOOD = """motors:
  - {name: M1, bus: MAIN, power: 22 kW, speed: 1470, inertia: 0.4}
photovoltaics: [{name: PV, bus: HOME, phases: a, peak_power: 4 kW, volt_var: IEEE1547-B}]
batteries: [{name: B, bus: HOME, phases: a, capacity: 8 kWh, power: 3 kW, of: [HOUSE1, PV]}]
chargers: [{name: C, bus: HOME, power: 11 kW}]
welders: [{name: W, bus: MAIN, power: 40 kVA, phases: bc}]
arc_furnaces: [{name: F, bus: MAIN, short_circuit_power: 100 kVA}]
location: {latitude: 52 deg, longitude: 0 deg}
frequency: {offset: 0.1}
meters:
"""


def site_of(folder, old="", new="", *, network=NETWORK, events=""):
    text = SCENARIO.replace("meters:\n", GOOD)
    assert old in text
    text = text.replace(old, new, 1).replace("events:\n", f"events:\n{events}")
    return load_scenario(write_site(folder, scenario=text, network=network))


def test_points_of_equipment(tmp_path):
    site = site_of(tmp_path)
    names = [site.loads.points[at].name for at in site.loads.by_name["M1"]]
    assert names == ["M1.a", "M1.b", "M1.c"]
    assert len(site.loads.by_name["B"]) == 1
    (roof,) = (site.loads.points[at] for at in site.loads.by_name["PV"])
    assert (roof.bus, roof.phase, roof.v_min_pu) == ("HOME", "a", 0.2)


BAD = [
    (
        "bus: MAIN, power: 22",
        "bus: MIAN, power: 22",
        "motors[0].bus: there is no bus 'MIAN'; did you mean 'MAIN'?",
    ),
    ("speed: 1470", "speed: 1500.5", "motors[0]: 1500.5 1/min is no speed of a motor at 50 Hz"),
    ("inertia: 0.4}", "inertia: 0.4, starting_torque: 9}", "motors[0]: no motor has these data"),
    (
        "inertia: 0.4}",
        "inertia: 0.4, contactor: {drop_out: 90 %}}",
        "motors[0].contactor: it drops out at a higher voltage than it closes; give a pick_up above drop_out",
    ),
    ("name: M1,", "name: SHOP,", "motors[0].name: 'SHOP' is already the name of a load or generator"),
    (
        "volt_var: IEEE1547-B",
        "ride_through: IEEE1547-II",
        "photovoltaics[0].ride_through: the thresholds of IEEE 1547-2018 category II are not for 50 Hz; "
        "give EN50549-1",
    ),
    (
        "volt_var: IEEE1547-B",
        "volt_var: [[1.1, 0], [0.9, 0.4]]",
        "photovoltaics[0].volt_var: a curve needs points of rising voltage; sort or mend them",
    ),
    ("of: [HOUSE1, PV]", "of: [HOUSE9]", "batteries[0].of: there is no load 'HOUSE9'; did you mean"),
    (", of: [HOUSE1, PV]", "", "batteries[0].of: self-consumption of nothing; name the loads"),
    (
        ", of: [HOUSE1, PV]",
        ", mode: schedule, schedule: [{start: 1, end: 5, power: 1 kW}, {start: 4, end: 6, power: 1 kW}]",
        "batteries[0].schedule: 4 h lies in the hours before it; let hours follow each other",
    ),
    ("phases: bc}", "phases: bc, spots: [9, 3]}", "welders[0].spots: 9 to 3 is no range; give the least"),
    (
        "{model: constant, loads: all}",
        "{model: constant, loads: all, zip: residental}",
        "loads[0].zip: there is no class 'residental'; did you mean 'residential'?",
    ),
    (
        "{model: constant, loads: all}",
        "{model: thermostatic, loads: all, low: 60, high: 50}",
        "loads[0].high: the thresholds 60 and 50 do not rise; give a higher one",
    ),
    (
        "{offset: 0.1}",
        '{profile: [{at: "18:05", frequency: 50 Hz}, {at: "18:04", frequency: 49 Hz}]}',
        "frequency.profile: its times do not rise; sort them by time",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), BAD)
def test_what_is_wrong_is_told_with_its_mend(tmp_path, old, new, expected):
    with pytest.raises(BadInputError) as caught:
        site_of(tmp_path, old, new)
    found = [str(finding) for finding in caught.value.findings]
    assert any(expected in text for text in found), found
    assert all(finding.where.line for finding in caught.value.findings)


def test_events_name_motors_and_switches(tmp_path):
    events = (
        '  - {event: motor, at: "18:01", motor: M2, to: "on"}\n'
        '  - {event: island, at: "18:02", switch: SW3, frequency: 49 Hz}\n'
    )
    with pytest.raises(BadInputError) as caught:
        site_of(tmp_path, events=events)
    found = [f"{finding.field}: {finding.what}" for finding in caught.value.findings]
    assert found == ["events[0].motor: there is no motor 'M2'", "events[1].switch: there is no switch 'SW3'"]


def test_what_a_switch_cuts_off(tmp_path):
    network = site_of(tmp_path).network
    assert cut_off(network, {}) == frozenset()
    assert cut_off(network, {"SW2": False}) == {"HOME"}
    assert not lives_alone(network, {"SW2": False})


def test_meters_that_stay_with_the_grid_cannot_show_an_island(tmp_path):
    second = "{name: SET, bus: HOME, r1_ohm: 0.1, x1_ohm: 0.3, r0_ohm: 0.1, x0_ohm: 0.3}]"
    network = NETWORK.replace("x0_ohm: 0.03}]\nline_types", f"x0_ohm: 0.03}}, {second}\nline_types")
    events = '  - {event: island, at: "18:02", switch: SW2, frequency: 49 Hz}\n'
    with pytest.raises(BadInputError) as caught:
        site_of(tmp_path, network=network, events=events)
    (finding,) = caught.value.findings
    assert finding.field == "meters[0].at"
    assert finding.what == "stays with the grid when 'SW2' opens, but the site has one frequency"
