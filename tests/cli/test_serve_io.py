"""A served site whose meter trips a breaker: over real Modbus TCP, asked by pymodbus's own client."""

import time

from pymodbus.client import ModbusTcpClient

from tests.cli.test_serve import served
from tests.sites import SCENARIO, write_site
from twin.recording import Recording

IO = """    ct: 100:5
    registers: {soe_enable: 1}
    io:
      modules: [io11]
      inputs:
        - {input: di1, switch: SW2}
        - {input: di2, switch: SW2, on_when: open}
      outputs: [{output: relay1, switch: SW2}]
"""
QUIET = SCENARIO[: SCENARIO.index("events:")].replace("    ct: 100:5\n", IO, 1) + "dashboard: null\n"


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_master_trips_a_breaker_and_sees_it_open(tmp_path):
    with served(write_site(tmp_path, scenario=QUIET), tmp_path) as (ready, _):
        endpoint = ready["endpoints"][0]
        with ModbusTcpClient(endpoint["host"], port=endpoint["port"]) as client:

            def inputs():
                return client.read_discrete_inputs(0, count=28, device_id=1).bits[:28]

            assert inputs() == [True] + [False] * 27
            assert client.read_holding_registers(0x1036, count=1, device_id=1).registers == [1]
            assert not client.write_coil(0, True, device_id=1).isError()
            assert client.read_coils(0, count=8, device_id=1).bits == [True] + [False] * 7
            wait_until(lambda: inputs() == [False, True] + [False] * 26)
            wait_until(lambda: client.read_holding_registers(0x1033, count=1, device_id=1).registers == [2])
            assert client.read_holding_registers(0x102E, count=1, device_id=1).registers == [2]
            # One write brings both relays into alarm mode: relay 1 opens and takes no orders any more.
            assert not client.write_registers(0x10A0, [1, 0, 50], device_id=1).isError()
            assert client.read_coils(0, count=2, device_id=1).bits[:2] == [False, False]
            assert client.write_coil(0, True, device_id=1).exception_code == 1
            assert client.write_coil(2, True, device_id=1).exception_code == 2  # no such module
            assert client.read_discrete_inputs(0, count=29, device_id=1).exception_code == 2
    recording = Recording.open(tmp_path / "recording")
    (trip,) = recording.truth(kind="switch_operated")
    assert (trip.element, trip.cause, trip.detail["closed"]) == ("SW2", "head relay1", False)
    ordered = next(one for one in recording.commands() if one.verb == "write_coil")
    assert trip.time_ns - ordered.applied_ns == 50_000_000
    assert [(one.input, one.on, one.time_ns) for one in recording.soe()] == [
        ("di1", False, trip.time_ns),
        ("di2", True, trip.time_ns),
    ]
