"""Endpoints in a scenario: what they set, and what is wrong with them."""

import pytest

from tests.scenario.test_loader import findings
from tests.sites import SCENARIO, write_site
from twin.meters.kw320.config import initial_registers
from twin.scenario import load_scenario

HEAD = "endpoint: {port: 0}\n  - name: home"
HOME = "endpoint: {port: 0}\nevents"


def with_endpoints(head: str, home: str) -> str:
    text = SCENARIO.replace(HEAD, f"endpoint: {head}\n  - name: home")
    return text.replace(HOME, f"endpoint: {home}\nevents")


def load(folder, head, home="{port: 0}"):
    return load_scenario(write_site(folder, scenario=with_endpoints(head, home)))


def test_a_serial_endpoint_sets_the_registers_of_its_port(tmp_path):
    site = load(
        tmp_path,
        "[{port: 5020}, {protocol: modbus-rtu, device: pty, unit: 17, baud_rate: 9600, parity: even}]",
        "{protocol: modbus-rtu, device: 'pty:b', unit: 2, serial_port: 2, stop_bits: 2}",
    )
    head, home = (initial_registers(meter.config) for meter in site.meters)
    assert [head[name] for name in ("address_1", "baud_1", "parity_1", "protocol_1")] == [17, 9600, 0, 0]
    assert [head[name] for name in ("address_2", "baud_2", "parity_2")] == [1, 38400, 3]
    assert [home[name] for name in ("address_2", "baud_2", "parity_2")] == [2, 38400, 2]
    assert [home[name] for name in ("address_1", "baud_1", "parity_1")] == [1, 19200, 3]


def test_registers_that_are_named_go_before(tmp_path):
    """A meter that somebody has set wrongly: it stays silent on its line."""
    text = with_endpoints("{protocol: modbus-rtu, device: pty}\n    registers: {baud_1: 9600}", "{port: 0}")
    site = load_scenario(write_site(tmp_path, scenario=text))
    assert initial_registers(site.meters[0].config)["baud_1"] == 9600


@pytest.mark.parametrize(
    ("head", "finding"),
    [
        ("{protocol: modbus-rtu}", "meters[0].endpoint.device: is missing; add 'device'"),
        (
            "{protocol: modbus-udp, port: 5020}",
            "meters[0].endpoint: is of no known kind; give one of 'modbus-tcp', 'modbus-rtu'",
        ),
        ("{device: pty, port: 0}", "meters[0].endpoint.device: unknown field"),
        ("[{port: 5020}, {protocl: x, port: 0}]", "meters[0].endpoint[1].protocl: unknown field; did you"),
        ("{protocol: modbus-rtu, device: COM3}", "meters[0].endpoint.device: string should match pattern"),
        ("{protocol: modbus-rtu, device: pty, unit: 248}", "meters[0].endpoint.unit: input should be less"),
        ("{protocol: modbus-rtu, device: pty, baud_rate: 600}", "meters[0].endpoint.baud_rate: input should"),
        (
            "{protocol: modbus-rtu, device: pty, baud_rate: 2400, serial_port: 2}",
            "meters[0].endpoint.baud_rate: 2400 Bd is no speed of serial port 2; use 4800..38400",
        ),
        (
            "{protocol: modbus-rtu, device: pty, parity: odd, stop_bits: 2}",
            "meters[0].endpoint.stop_bits: a kw320q has no 8O2; use one of 8E1, 8O1, 8N2, 8N1",
        ),
        (
            "[{protocol: modbus-rtu, device: pty}, {protocol: modbus-rtu, device: pty}]",
            "meters[0].endpoint[1].serial_port: serial port 1 is connected twice; use the other port",
        ),
        (
            "[{port: 5020}, {port: 5020}]",
            "meters[0].endpoint[1].port: port 5020 unit 1 is already that of meter 'head'; "
            "give it another port or another unit",
        ),
    ],
)
def test_what_is_wrong_is_found_where_it_stands(tmp_path, head, finding):
    (found,) = findings(tmp_path, HEAD, f"endpoint: {head}\n  - name: home")
    assert found.removeprefix("scenario.yaml:16: ").startswith(finding)


@pytest.mark.parametrize(
    ("home", "finding"),
    [
        (
            "{protocol: modbus-rtu, device: /dev/ttyS7}",
            "unit: unit 1 on '/dev/ttyS7' is already that of meter 'head'; "
            "give it another unit or another device",
        ),
        (
            "{protocol: modbus-rtu, device: /dev/ttyS7, unit: 2, parity: odd}",
            "device: 19200 Bd 8O1 differs from 19200 Bd 8N1 of meter 'head' on the line; set both alike",
        ),
    ],
)
def test_meters_of_one_line_must_agree(tmp_path, home, finding):
    text = with_endpoints("{protocol: modbus-rtu, device: /dev/ttyS7}", "HERE")
    (found,) = findings(tmp_path, "endpoint: HERE", f"endpoint: {home}", scenario=text)
    assert found.partition("meters[1].endpoint.")[2] == finding
