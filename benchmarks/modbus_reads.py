"""Modbus TCP reads of 72 registers: the twin's server beside pymodbus' own, in the same run.

Each server runs in a process of its own; this process is the master: eight connections, each asking
again as soon as it is answered. What counts is the server's processor time per answered request,
since the master needs a core as well. pymodbus' own server answers one request per TCP segment, so
nothing is pipelined.
"""

import asyncio
import importlib
import importlib.util
import multiprocessing
import select
import socket
import struct
import time
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection

ADDRESS, COUNT = 0x4000, 72
CONNECTIONS = 8
SECONDS = 3.0
BLOCKS = ((0x1000, 400), (0x3000, 200), (0x4000, 1600))
REQUEST = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, ADDRESS, COUNT)
ANSWER_BYTES = 9 + 2 * COUNT


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    reads: int
    wall_s: float
    server_cpu_s: float
    latencies_s: list[float]

    @property
    def per_core(self) -> float:
        """Reads per second of the server's processor time."""
        return self.reads / self.server_cpu_s

    def percentile(self, share: float) -> float:
        """Latency that this share of the reads did not exceed [us]."""
        return 1e6 * sorted(self.latencies_s)[int(share * (len(self.latencies_s) - 1))]


def loop_factory(name: str):
    return importlib.import_module("uvloop").new_event_loop if name == "uvloop" else asyncio.new_event_loop


def serve_twin(pipe: Connection, loop: str) -> None:
    import numpy as np

    from twin.contracts import RegisterBlock
    from twin.protocols import Binding, ModbusServer, RegisterImage

    blocks = [RegisterBlock(address, count) for address, count in BLOCKS]

    class Meter:
        name = "head"
        windows = write_regions = coils = inputs = serial_ports = ()
        function_codes = frozenset({1, 2, 3, 5, 16})

    with RegisterImage(blocks) as image:
        image.publish(np.arange(sum(block.count for block in blocks), dtype=np.uint16), 1)
        meter = Meter()
        meter.image = image
        binding = Binding("127.0.0.1", 0, {1: meter})
        with ModbusServer([binding], lambda command: Future(), loop_factory=loop_factory(loop)) as server:
            pipe.send(server.addresses[0][1])
            answer_processor_time(pipe)


def serve_stock(pipe: Connection, loop: str) -> None:
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    data = [
        SimData(address, values=list(range(count)), datatype=DataType.REGISTERS) for address, count in BLOCKS
    ]

    async def run() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = ModbusTcpServer(SimDevice(1, simdata=data), address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        pipe.send(port)
        await asyncio.to_thread(answer_processor_time, pipe)
        await server.shutdown()

    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        runner.run(run())


def answer_processor_time(pipe: Connection) -> None:
    """Tell this process's processor time whenever asked, until told to end."""
    while pipe.recv():
        pipe.send(time.process_time())


def measure(name: str, serve, loop: str, seconds: float) -> Result:
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, loop))
    process.start()
    theirs.close()
    try:
        port = pipe.recv()
        ask_for(0.3, port)  # warms both sides
        pipe.send(True)
        before = pipe.recv()
        reads, wall_s, latencies = ask_for(seconds, port)
        pipe.send(True)
        cpu_s = pipe.recv() - before
        pipe.send(False)
    finally:
        pipe.close()
        process.join(10)
    return Result(name, reads, wall_s, cpu_s, latencies)


def ask_for(seconds: float, port: int) -> tuple[int, float, list[float]]:
    """Keep every connection asking; return reads, wall time and the latency of each read [s]."""
    poll = select.epoll()
    connections, asked = {}, {}
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    latencies: list[float] = []
    clock = time.perf_counter
    start = clock()
    for number, connection in connections.items():
        connection.send(REQUEST)
        asked[number] = clock()
    while (now := clock()) < start + seconds:
        for number, _ in poll.poll(1.0):
            connection = connections[number]
            answer = connection.recv(512)
            now = clock()
            if len(answer) != ANSWER_BYTES:
                raise RuntimeError(f"unexpected answer {answer.hex(' ')}")
            latencies.append(now - asked[number])
            connection.send(REQUEST)
            asked[number] = now
    wall_s = now - start
    poll.close()
    for connection in connections.values():
        connection.recv(512)  # the answer that is under way: pymodbus logs every one it cannot send
        connection.close()
    return len(latencies), wall_s, latencies


def main() -> None:
    loops = ["asyncio", "uvloop"] if importlib.util.find_spec("uvloop") else ["asyncio"]
    results = []
    for loop in loops:
        for name, serve in (("pymodbus 3.16.1", serve_stock), ("twin", serve_twin)):
            results.append(measure(f"{name}, {loop}", serve, loop, SECONDS))
    print(f"{COUNT} registers a read, {CONNECTIONS} connections, {SECONDS:g} s each")
    print(f"{'server':<26}{'reads/s per core':>18}{'reads/s':>10}{'p50 us':>9}{'p99 us':>9}{'ratio':>7}")
    for result in results:
        print(
            f"{result.name:<26}{result.per_core:>18,.0f}{result.reads / result.wall_s:>10,.0f}"
            f"{result.percentile(0.5):>9,.0f}{result.percentile(0.99):>9,.0f}"
            f"{result.per_core / results[0].per_core:>7.1f}"
        )


if __name__ == "__main__":
    main()
