"""Scenarios: what a good one becomes, and every finding of a bad one with line and mend."""

import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import BadInputError
from twin.meters import CurrentTransformer
from twin.scenario import is_scenario, load_scenario


def findings(folder, old, new, *, scenario=SCENARIO):
    assert old in scenario
    path = write_site(folder, scenario=scenario.replace(old, new))
    with pytest.raises(BadInputError) as caught:
        load_scenario(path)
    return [str(finding).replace(f"{folder}/", "") for finding in caught.value.findings]


def test_a_good_scenario(tmp_path):
    site = load_scenario(write_site(tmp_path))
    assert (site.end_ns - site.start_ns) == 600 * 10**9
    assert [point.name for point in site.loads.points] == ["SHOP.a", "SHOP.b", "SHOP.c", "HOUSE1", "HOUSE2"]
    assert site.loads.by_name == {"SHOP": (0, 1, 2), "HOUSE1": (3,), "HOUSE2": (4,)}
    head, home = site.meters
    assert (head.probe.bus, head.probe.branch, head.probe.end) == ("GRID", "CABLE1", "from")
    assert (home.probe.bus, home.probe.branch, home.probe.loads) == ("HOME", None, ("HOUSE1", "HOUSE2"))
    assert head.config.rated_voltage == pytest.approx(230.94, abs=0.01)
    assert (head.config.ct1, head.config.ct2) == (100, 5)
    assert [event.at_ns - site.start_ns for event in site.events] == [120 * 10**9, 300_003_000_000]


def test_meters_are_of_their_class_and_take_the_seed_of_the_scenario(tmp_path):
    given = "profile: kw320q\n    accuracy: ideal\n    temperature: -5\n    at: {branch"
    path = write_site(tmp_path, scenario=SCENARIO.replace("profile: kw320q\n    at: {branch", given))
    head, home = (meter.config for meter in load_scenario(path).meters)
    assert (head.accuracy, head.temperature, head.seed) == ("ideal", -5.0, 7)
    assert (home.accuracy, home.temperature, home.seed) == ("class", 23.0, 7)
    assert load_scenario(path, seed=9).meters[1].config.seed == 9


def test_a_transformer_that_saturates_and_samples(tmp_path):
    given = (
        "profile: kw320q\n    fidelity: sampled\n"
        "    current_transformer: {accuracy_class: 10P10, burden: 15 VA, remanence: 40 %}\n    at: {branch"
    )
    path = write_site(tmp_path, scenario=SCENARIO.replace("profile: kw320q\n    at: {branch", given))
    head, home = (meter.config for meter in load_scenario(path).meters)
    assert (head.fidelity, home.fidelity) == ("sampled", "closed_form")
    assert head.transformer == CurrentTransformer(accuracy_class="10P10", burden=15.0, remanence=0.4)
    assert home.transformer is None


def test_a_shorter_run_does_not_make_later_events_wrong(tmp_path):
    site = load_scenario(write_site(tmp_path), duration_s=60.0, seed=9)
    assert (site.end_ns - site.start_ns, site.scenario.seed) == (60 * 10**9, 9)


def test_networks_are_told_from_scenarios(tmp_path):
    path = write_site(tmp_path)
    assert is_scenario(path)
    assert not is_scenario(tmp_path / "network.yaml")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed: 7", "sede: 7", "scenario.yaml:4: sede: unknown field; did you mean 'seed'?"),
        (
            "duration: 10 min",
            "duration: 10 kW",
            "scenario.yaml:7: duration: unit 'kW' does not fit here; write it in s, for example '5 s'",
        ),
        (
            "bus: HOME",
            "bus: HOMR",
            "scenario.yaml:28: events[1].bus: there is no bus 'HOMR'; did you mean 'HOME'?",
        ),
        (
            "branch: CABLE1",
            "branch: CABEL1",
            "scenario.yaml:14: meters[0].at.branch: there is no branch 'CABEL1'; did you mean 'CABLE1'?",
        ),
        (
            "[HOUSE1, HOUSE2]",
            "[HOUSE1, HOUSE3]",
            "scenario.yaml:19: meters[1].at.loads: there is no load 'HOUSE3'; did you mean 'HOUSE2'?",
        ),
        (
            "switch: CAP",
            "switch: CAB",
            "scenario.yaml:24: events[0].switch: there is no switch 'CAB'; did you mean 'CAP'?",
        ),
        (
            "phases: a",
            "phases: ab",
            "scenario.yaml:30: events[1].phases: a fault of type slg has 1 phases, not 'ab'; "
            "name the faulted phases",
        ),
        (
            'at: "18:02"',
            'at: "17:02"',
            "scenario.yaml:24: events[0].at: '17:02' is outside the scenario's time; "
            "move it, or make the duration longer",
        ),
        (
            "ct: 100:5",
            "ct: 100/5",
            "scenario.yaml:15: meters[0].ct: '100/5' is no ratio; write primary:secondary, as in 200:5",
        ),
        (
            "setpoint: 200 V",
            "setpoint: 200 A",
            "scenario.yaml:21: meters[1].alarms[0].setpoint: unit 'A' does not fit here; write it in V, "
            "for example '5 V'",
        ),
        (
            "name: home",
            "name: CAP",
            "scenario.yaml:17: meters[1].name: 'CAP' is already the name of a capacitor; choose another",
        ),
        (
            "time_zone: Europe/London",
            "time_zone: Europe/Londres",
            "scenario.yaml:6: time_zone: 'Europe/Londres' is no time zone; "
            "give an IANA name such as Europe/London",
        ),
        (
            "network: network.yaml",
            "network: netwerk.yaml",
            "scenario.yaml:8: network: network file 'netwerk.yaml' is not there; "
            "correct the path, or import it (twin import simbench CODE --out DIR)",
        ),
        (
            "{model: constant, loads: all}",
            "{model: profile, loads: all, file: p.parquet}",
            "scenario.yaml:10: loads[0].file: profile file 'p.parquet' is not there; "
            "import it first (twin import simbench CODE --out DIR) or correct the path",
        ),
        (
            "{model: constant, loads: all}",
            "{model: constat, loads: all}",
            "scenario.yaml:10: loads[0]: is of no known kind; give one of 'household', 'profile', 'constant'",
        ),
        (
            "{branch: CABLE1}",
            "{branch: CABLE1, bus: HOME}",
            "scenario.yaml:14: meters[0].at.bus: the from end of 'CABLE1' is at bus 'GRID', not at 'HOME'; "
            "leave bus out, or change end",
        ),
        (
            "[HOUSE1, HOUSE2]",
            "[HOUSE1, SHOP]",
            "scenario.yaml:19: meters[1].at.loads: the loads are at different buses (HOME, MAIN); "
            "meter each bus by itself, or a branch",
        ),
        (
            "ct: 100:5",
            "ct: 100.4:5",
            "scenario.yaml:15: meters[0].ct: '100.4:5' is not in whole amperes; give whole numbers",
        ),
        (
            "ct: 100:5",
            "ct: 100:7",
            "scenario.yaml:15: meters[0].ct: ",
        ),
        (
            "ct: 100:5",
            "load_profile: 100 s",
            "scenario.yaml:15: meters[0].load_profile: 100 s are no whole minutes; "
            "give minutes, as in 15 min",
        ),
        (
            "ct: 100:5",
            "sag: {threshold: 87.5 %}",
            "scenario.yaml:15: meters[0].sag.threshold: 87.5 % is no whole percentage; give a whole number",
        ),
        (
            "{model: constant, loads: all}",
            "{model: household, annual_energy: 100 kWh}",
            "scenario.yaml:10: loads[0].annual_energy: input should be greater than or equal to 700000",
        ),
        (
            "duration: 10 min",
            "duration: 1e400 s",
            "scenario.yaml:7: duration: 1e400 s is too large; give a number that can be",
        ),
        (
            "start: 2026-01-15 18:00",
            "start: 1600-01-15 18:00",
            "scenario.yaml:5: start: '1600-01-15 18:00' is out of range; give a year from 1970 to 2150",
        ),
        (
            "{branch: CABLE1}",
            "{branch: CABLE1, load: SHOP}",
            "scenario.yaml:14: meters[0].at: needs one of branch, load or loads; give one of them",
        ),
    ],
)
def test_one_finding(tmp_path, old, new, expected):
    (finding,) = findings(tmp_path, old, new)
    assert finding.startswith(expected)


def test_two_meters_on_one_port(tmp_path):
    text = SCENARIO.replace("port: 0}\n  - name", "port: 5020}\n  - name")
    (finding,) = findings(
        tmp_path, "endpoint: {port: 0}\nevents", "endpoint: {port: 5020}\nevents", scenario=text
    )
    assert finding == (
        "scenario.yaml:22: meters[1].endpoint.port: port 5020 unit 1 is already that of meter 'head'; "
        "give it another port or another unit"
    )


def test_a_meter_on_the_dashboards_port(tmp_path):
    text = SCENARIO.replace("dashboard: {port: 0}", "dashboard: {port: 8050}")
    (finding,) = findings(
        tmp_path, "endpoint: {port: 0}\nevents", "endpoint: {port: 8050}\nevents", scenario=text
    )
    assert "meters[1].endpoint.port: port 8050 is the dashboard's; choose another" in finding


def test_several_findings_come_at_once_in_order_of_lines(tmp_path):
    text = SCENARIO.replace("branch: CABLE1", "branch: X9").replace("switch: CAP", "switch: Y9")
    lines = findings(tmp_path, "bus: HOME", "bus: Z9", scenario=text)
    assert [line.split(":")[1] for line in lines] == ["14", "24", "28"]


def test_findings_of_the_network_name_its_file(tmp_path):
    path = write_site(tmp_path)
    network = tmp_path / "network.yaml"
    network.write_text(network.read_text().replace("[CABLE2, MAIN, HOME", "[CABLE2, MAIN, HOMM"))
    with pytest.raises(BadInputError, match=r"network.yaml:\d+: .*HOMM.*did you mean 'HOME'"):
        load_scenario(path)


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="command line: --seed: -3 is out of range; give a number from 0"):
        load_scenario(write_site(tmp_path), seed=-3)


def test_meters_need_a_frequency_that_they_are_made_for(tmp_path):
    path = write_site(tmp_path)
    network = tmp_path / "network.yaml"
    network.write_text(network.read_text().replace("frequency_hz: 50", "frequency_hz: 16.7"))
    with pytest.raises(
        BadInputError, match=r"the meters are made for 50, 60 or 400 Hz, the site has 16\.7 Hz"
    ):
        load_scenario(path)


def test_detection_that_is_not_wanted_is_as_insensitive_as_the_device_allows(tmp_path):
    scenario = SCENARIO.replace("ct: 100:5", "ct: 100:5\n    sag: null\n    swell: null", 1)
    registers = load_scenario(write_site(tmp_path, scenario=scenario)).meters[0].config.registers
    assert (registers["sag_threshold_percent"], registers["sag_half_cycles"]) == (20, 200)
    assert (registers["swell_threshold_percent"], registers["swell_waveform_enable"]) == (140, 0)
