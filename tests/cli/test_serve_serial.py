"""``twin serve`` with meters on serial lines: independent masters find them by the ready file."""

import os
import shutil
import subprocess

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from tests.cli.test_serve import served
from tests.scenario.test_endpoints import with_endpoints
from tests.sites import write_site
from twin.cli.server import SiteServer
from twin.contracts import BadInputError
from twin.recording import Recording
from twin.scenario import load_scenario

MBPOLL = shutil.which("mbpoll")
LINE = "{protocol: modbus-rtu, device: 'pty:line', unit: %d}"


def read_serial(path, unit, address=0x4000, count=2, **options):
    with ModbusSerialClient(path, **({"baudrate": 19200, "timeout": 5} | options)) as master:
        return master.read_holding_registers(address, count=count, device_id=unit).registers


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")
def test_two_meters_on_a_line_and_one_of_them_on_tcp(tmp_path):
    scenario = with_endpoints(f"[{{port: 0}}, {LINE % 17}]", LINE % 18)
    with served(write_site(tmp_path, scenario=scenario), tmp_path, "--no-dashboard") as (ready, _):
        tcp, head, home = ready["endpoints"]
        assert [entry["meter"] for entry in ready["endpoints"]] == ["head", "head", "home"]
        assert (tcp["protocol"], tcp["host"], tcp["device"]) == ("modbus-tcp", "127.0.0.1", None)
        assert (head["protocol"], head["host"], head["port"], head["unit"]) == ("modbus-rtu", None, None, 17)
        path = head["device"]
        assert (home["device"], home["unit"]) == (path, 18)
        for unit in (17, 18):
            frequency, v1 = mbpoll(unit, path)
            assert (frequency, v1) == (50.0, pytest.approx(230, abs=3))
        check_that_settings_take_effect(path, tcp)
    commands = Recording.open(tmp_path / "recording").commands()
    assert [(entry.verb, entry.refusal) for entry in commands] == [("write_registers", None)] * 3


def mbpoll(unit, path):
    """Return frequency and the first voltage."""
    line = ["-m", "rtu", "-b", "19200", "-P", "none", "-a", str(unit)]
    wanted = ["-0", "-1", "-t", "4:float", "-B", "-r", "16384", "-c", "2"]
    done = subprocess.run(
        [str(MBPOLL), *line, *wanted, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return [float(shown.split("\t")[1]) for shown in done.stdout.splitlines() if shown.startswith("[")]


def check_that_settings_take_effect(path, tcp):
    with ModbusSerialClient(path, baudrate=19200, timeout=5) as master:
        assert not master.write_registers(0x1001, [21, 9600], device_id=17).isError()
    assert read_serial(path, 21, 0x1001, baudrate=9600) == [21, 9600]
    assert len(read_serial(path, 18)) == 2
    with ModbusSerialClient(path, baudrate=9600, timeout=5) as master:
        assert not master.write_registers(0x0FFE, [1], device_id=21).isError()
    with pytest.raises(ModbusIOException):  # it speaks DNP3 now
        read_serial(path, 21, baudrate=9600, timeout=0.3, retries=0)
    with ModbusTcpClient(tcp["host"], port=tcp["port"]) as master:
        assert not master.write_registers(0x0FFE, [0], device_id=1).isError()
    assert len(read_serial(path, 21, baudrate=9600)) == 2


def test_a_second_port_with_the_protocol_of_another_module_is_silent(tmp_path):
    """BACnet and mesh: KW320 manual 6.3.2, 1038H."""
    second = "{protocol: modbus-rtu, device: 'pty:line', unit: 5, serial_port: 2}"
    scenario = with_endpoints(f"[{{port: 0}}, {second}]", "null")
    with served(write_site(tmp_path, scenario=scenario), tmp_path, "--no-dashboard") as (ready, _):
        tcp, line = ready["endpoints"]
        speed = {"baudrate": 38400}
        assert len(read_serial(line["device"], 5, **speed)) == 2
        with ModbusTcpClient(tcp["host"], port=tcp["port"]) as master:
            for protocol in (1, 2):
                assert not master.write_registers(0x1038, [protocol], device_id=1).isError()
                with pytest.raises(ModbusIOException):
                    read_serial(line["device"], 5, timeout=0.3, retries=0, **speed)
                assert not master.write_registers(0x1038, [0], device_id=1).isError()
                assert len(read_serial(line["device"], 5, **speed)) == 2


def test_a_site_with_serial_lines_alone(tmp_path):
    link = tmp_path / "ttyMETER"
    scenario = with_endpoints(f"{{protocol: modbus-rtu, device: 'pty:{link}'}}", "null")
    with served(write_site(tmp_path, scenario=scenario), tmp_path, "--no-dashboard") as (ready, _):
        (entry,) = ready["endpoints"]
        assert os.readlink(link) == entry["device"]  # noqa: PTH115 - text is wanted
        assert len(read_serial(str(link), 1)) == 2
    assert not link.is_symlink()


def test_a_device_that_is_not_there_stops_the_start(tmp_path):
    scenario = with_endpoints("{port: 0}", "[{port: 0}, {protocol: modbus-rtu, device: /dev/ttyNONE}]")
    site = load_scenario(write_site(tmp_path, scenario=scenario))
    server = SiteServer(
        site,
        tmp_path / "recording",
        overwrite=False,
        speed=1.0,
        bind="127.0.0.1",
        dashboard_port=None,
        with_dashboard=False,
        from_ns=None,
    )
    with pytest.raises(BadInputError) as caught, server:
        pytest.fail("it must not start")
    (finding,) = caught.value.findings
    assert finding.field == "meters[1].endpoint[1].device"
    assert "cannot serve on '/dev/ttyNONE': No such file or directory" in finding.what
    assert not (tmp_path / "recording").exists()
