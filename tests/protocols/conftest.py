"""Servers on free ports of the loopback, on every event loop that is installed."""

import asyncio
import importlib
import importlib.util

import pytest

from tests.protocols.masters import Meter, RecordWindow, Registers, Simulation
from twin.contracts import RegisterBlock
from twin.protocols import Binding, ModbusServer

LOOPS = ["asyncio", "uvloop"] if importlib.util.find_spec("uvloop") else ["asyncio"]


@pytest.fixture(params=LOOPS)
def loop_factory(request):
    if request.param == "asyncio":
        return asyncio.new_event_loop
    return importlib.import_module("uvloop").new_event_loop


@pytest.fixture
def meter():
    words = {0x1000 + offset: offset for offset in range(200)}
    words |= {0x4000 + offset: 0x4000 + offset for offset in range(300)}
    return Meter(
        image=Registers(words),
        windows=(RecordWindow(),),
        write_regions=(
            (RegisterBlock(0x1000, 10), RegisterBlock(0x100A, 130)),
            (RegisterBlock(0x108C, 10),),
            (RegisterBlock(0x4048, 2),),
        ),
    )


@pytest.fixture
def simulation(meter):
    return Simulation(meter)


@pytest.fixture
def serve(loop_factory, simulation):
    """Return a function that starts a server; all are stopped after the test."""
    servers = []

    def start(*bindings, **options):
        server = ModbusServer(bindings, simulation.submit, loop_factory=loop_factory, **options)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve, meter):
    """One port with one meter at unit 1."""
    return serve(Binding("127.0.0.1", 0, {1: meter}))


@pytest.fixture
def address(server):
    return server.addresses[0]
