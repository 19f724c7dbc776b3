"""Faulty endpoints as a master sees them: frames made by hand over real sockets, and pymodbus."""

import socket
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from tests.protocols.fault_setting import Faults
from tests.protocols.masters import Master, Meter, Registers, frame, is_turned_away, read, registers, write
from twin.contracts import POWER_WORD
from twin.contracts.transport import (
    Cut,
    Ending,
    EndpointFault,
    ForcedException,
    HowOften,
    Latency,
    Storm,
    TransportFaults,
    WhenFull,
)
from twin.protocols import Binding, ModbusServer

TICK_S = 2e-3
"""Event loops keep time by the millisecond."""
ANSWER = registers(0x4000, 0x4001)


@pytest.fixture
def faults(server):
    return Faults(server)


@pytest.fixture
def master(address):
    with Master(address) as master:
        yield master


def ask(master, transaction=1):
    return master.ask(transaction, 1, read(0x4000, 2))


def test_answers_are_late_and_in_order(faults, master):
    faults.begin(latency=Latency(0.03, 0.05))
    began = time.monotonic()
    master.send(b"".join(frame(number, 1, read(0x4000 + number, 1)) for number in range(200)))
    for number in range(200):
        assert master.answer() == frame(number, 1, registers(0x4000 + number))
    # The path is long, not narrow: it takes them side by side, not 8 s for one after the other.
    assert 0.03 - TICK_S <= time.monotonic() - began < 5.0


def test_what_waits_goes_out_before_what_follows_the_end_of_the_fault(faults, master):
    faults.begin(latency=Latency(0.1, 0.1))
    master.send(frame(1, 1, read(0x4000, 2)))
    time.sleep(0.02)
    faults.end()
    master.send(frame(2, 1, read(0x4002, 1)))
    assert master.answer() == frame(1, 1, ANSWER)
    assert master.answer() == frame(2, 1, registers(0x4002))
    assert ask(master, 3) == ANSWER


def test_latency_that_comes_and_goes_keeps_the_order(faults, master, simulation):
    """Reads and writes, pipelined while the fault begins and ends: each is answered, in its turn."""
    for number in range(200):
        if number % 20 == 0:
            faults.begin(latency=Latency(0.0, 0.02))
        elif number % 20 == 10:
            faults.end()
        pdu = write(0x1000, number) if number % 7 == 0 else read(0x4000 + number, 1)
        master.send(frame(number, 1, pdu))
    for number in range(200):
        done = bytes((16,)) + struct.pack(">HH", 0x1000, 1)
        expected = done if number % 7 == 0 else registers(0x4000 + number)
        assert master.answer() == frame(number, 1, expected)
    assert [command.arguments["words"] for command in simulation.commands] == [(n,) for n in range(0, 200, 7)]


def test_lost_answers_and_lost_requests(faults, master, simulation):
    """A write whose answer is lost has been carried out, one that is lost itself has not."""
    faults.begin(lost_answers=HowOften(every=2))
    assert ask(master) == ANSWER
    master.send(frame(2, 1, write(0x1000, 5)))
    assert master.is_silent(0.1)
    assert len(simulation.commands) == 1
    faults.end()
    faults.begin(lost_requests=HowOften())
    master.send(frame(3, 1, write(0x1000, 6)))
    assert master.is_silent(0.1)
    faults.end()
    assert master.ask(4, 1, read(0x1000, 1)) == registers(5)
    assert len(simulation.commands) == 1


def test_an_exception_instead_of_an_answer(faults, master, simulation):
    faults.begin(exception=ForcedException(6, HowOften(every=2), (16,)))
    assert ask(master) == ANSWER
    assert master.ask(2, 1, write(0x1000, 5)) == bytes((16,)) + struct.pack(">HH", 0x1000, 1)
    assert master.ask(3, 1, write(0x1000, 6)) == b"\x90\x06"
    assert len(simulation.commands) == 1


@pytest.fixture
def pymodbus_client(address):
    """Return a function that connects a client, which waits for so long [s]."""
    clients = []

    def connect(timeout_s):
        host, port = address
        client = ModbusTcpClient(host, port=port, timeout=timeout_s, retries=0)
        clients.append(client)
        assert client.connect()
        return client

    yield connect
    for client in clients:
        client.close()


def test_pymodbus_sees_exceptions_and_time_outs(faults, pymodbus_client):
    patient = pymodbus_client(10)
    faults.begin(exception=ForcedException(11))
    assert patient.read_holding_registers(0x4000, count=2, device_id=1).exception_code == 11
    faults.end()
    faults.begin(lost_answers=HowOften())
    with pytest.raises(ModbusIOException):
        pymodbus_client(0.1).read_holding_registers(0x4000, count=2, device_id=1)
    faults.end()
    answer = patient.read_holding_registers(0x4000, count=2, device_id=1)
    assert answer.registers == [0x4000, 0x4001]


def test_pymodbus_refuses_an_answer_of_another_transaction(faults, pymodbus_client):
    faults.begin(wrong_transaction=HowOften())
    with pytest.raises(ModbusIOException):
        pymodbus_client(0.2).read_holding_registers(0x4000, count=2, device_id=1)


def test_wrong_identifiers_and_duplicates(faults, master):
    faults.begin(wrong_transaction=HowOften())
    master.send(frame(7, 1, read(0x4000, 2)))
    assert master.answer() == frame(8, 1, ANSWER)
    faults.end()
    faults.begin(repeated_transaction=HowOften(every=2))
    master.send(frame(20, 1, read(0x4000, 2)) + frame(21, 1, read(0x4002, 1)))
    assert master.answer() == frame(20, 1, ANSWER)
    assert master.answer() == frame(20, 1, registers(0x4002))
    faults.end()
    faults.begin(wrong_unit=HowOften())
    master.send(frame(9, 1, read(0x4000, 2)))
    assert master.answer() == frame(9, 2, ANSWER)
    faults.end()
    faults.begin(duplicate=HowOften())
    master.send(frame(10, 1, read(0x4000, 2)))
    assert master.receive(2 * 13) == 2 * frame(10, 1, ANSWER)


@pytest.mark.parametrize("ending", Ending)
def test_an_answer_that_ends_in_the_middle(faults, address, ending):
    faults.begin(cut=Cut(HowOften(), 5, ending))
    with Master(address) as master:
        master.send(frame(1, 1, read(0x4000, 2)) + frame(2, 1, read(0x4000, 2)))
        assert master.receive(5) == frame(1, 1, ANSWER)[:5]
        if ending is Ending.KEEP:
            assert master.receive(5) == frame(2, 1, ANSWER)[:5]
            assert master.is_silent(0.05)
        elif ending is Ending.CLOSE:
            assert master.socket.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                master.socket.recv(1)


def test_a_device_with_two_sessions(faults, address):
    faults.begin(connections=2)
    with Master(address) as first, Master(address) as second:
        assert ask(first) == ask(second) == ANSWER
        assert is_turned_away(address)
        first.socket.close()
        assert _served_soon(address)
        assert ask(second) == ANSWER


def _served_soon(address) -> bool:
    """Whether a new connection is served, once the end of another has been noticed."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            with Master(address) as master:
                return ask(master) == ANSWER
        except (AssertionError, OSError):
            time.sleep(0.005)
    return False


def test_a_session_too_many_waits_for_its_turn(faults, address):
    faults.begin(connections=1, when_full=WhenFull.WAIT)
    with Master(address) as first, Master(address) as second:
        assert ask(first) == ANSWER
        second.send(frame(1, 1, read(0x4000, 2)))
        assert second.is_silent(0.05)
        first.socket.close()
        assert second.answer() == frame(1, 1, ANSWER)


def test_a_session_too_many_ends_the_oldest(faults, address):
    faults.begin(connections=1, when_full=WhenFull.CLOSE_OLDEST)
    with Master(address) as first:
        assert ask(first) == ANSWER
        with Master(address) as second:
            assert ask(second) == ANSWER
            assert first.is_closed_by_server()


def test_fewer_sessions_from_now_on_end_the_newest(faults, address):
    with Master(address) as first, Master(address) as second:
        assert ask(first) == ask(second) == ANSWER
        faults.begin(connections=1)
        assert second.is_closed_by_server()
        assert ask(first) == ANSWER


def test_a_slow_accept(faults, address):
    faults.begin(accept_delay_s=0.1)
    began = time.monotonic()
    with Master(address) as master:
        assert ask(master) == ANSWER
        assert time.monotonic() - began >= 0.1 - TICK_S


def test_connections_are_refused_and_later_accepted_again(faults, address):
    with Master(address) as before:
        assert ask(before) == ANSWER
        faults.begin(refuse=True)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        assert ask(before) == ANSWER  # who is connected stays so
        faults.end()
        with Master(address) as after:
            assert ask(after) == ANSWER


def test_a_port_may_be_refused_by_two_faults(faults, address):
    """What is accepted after the second one has ended is heard, however long it waits before it asks."""
    for _ in range(2):
        faults.begin(refuse=True)
    faults.end()
    with Master(address) as after:
        time.sleep(0.05)
        assert ask(after) == ANSWER


def test_connections_die_when_the_fault_begins(faults, master, address):
    assert ask(master) == ANSWER
    faults.begin(close=True, latency=Latency(0.0, 0.0))
    assert master.is_closed_by_server()
    with Master(address) as after:
        assert ask(after) == ANSWER
        faults.begin(duplicate=HowOften(every=1000))  # another fault begins: the first is none the newer
        assert ask(after, 2) == ANSWER


def test_a_storm_of_somebody_elses_requests(faults, master):
    faults.begin(storm=Storm(rate=1e5, service_s=0.004, queue=3))
    answers = []
    for number in range(20):
        began = time.monotonic()
        answers.append((ask(master, number), time.monotonic() - began))
        time.sleep(0.001)
    assert b"\x83\x06" in {answer for answer, _ in answers}
    assert all(took >= 0.004 - TICK_S for answer, took in answers if answer == ANSWER)


def test_a_fault_is_of_its_meter_alone(serve, meter):
    other = Meter("tail", Registers({0x4000: 7}))
    server = serve(Binding("127.0.0.1", 0, {1: meter, 2: other}))
    Faults(server).begin(["tail"], lost_answers=HowOften())
    with Master(server.addresses[0]) as master:
        master.send(frame(1, 2, read(0x4000, 1)) + frame(2, 1, read(0x4000, 2)))
        assert master.answer() == frame(2, 1, ANSWER)
        assert master.ask(3, 9, read(0x4000, 2)) == b"\x83\x0b"


def test_what_a_port_always_has(serve, meter):
    standing = EndpointFault(-1, (), TransportFaults(exception=ForcedException(10)), "7")
    server = serve(Binding("127.0.0.1", 0, {1: meter, 2: meter}, standing={2: standing}))
    with Master(server.addresses[0]) as master:
        assert ask(master) == ANSWER
        assert master.ask(2, 2, read(0x4000, 2)) == b"\x83\x0a"
        faults = Faults(server)
        faults.begin(latency=Latency(0.0, 0.0))
        faults.end()
        assert master.ask(3, 2, read(0x4000, 2)) == b"\x83\x0a"


def test_a_fault_of_serial_lines_does_not_concern_tcp(faults, master):
    faults.begin(over="rtu", lost_answers=HowOften())
    faults.begin(bit_errors=0.5, wrong_crc=HowOften())
    assert ask(master) == ANSWER


def test_a_dead_meter_gives_no_exceptions(faults, meter, address):
    """Its port is closed, as without faults."""
    faults.begin(exception=ForcedException(4))
    meter.image.words[POWER_WORD] = 0
    assert is_turned_away(address)


@pytest.fixture(scope="module")
def lasting():
    meter = Meter(image=Registers({address: address for address in range(0x4000, 0x4100)}))
    with ModbusServer([Binding("127.0.0.1", 0, {1: meter})], lambda command: None) as server:
        yield server


OFTEN = st.builds(HowOften, share=st.floats(0.0, 1.0))
HARMLESS = st.builds(
    TransportFaults,
    latency=st.builds(lambda a, b: Latency(min(a, b), max(a, b)), *2 * [st.floats(0.0, 0.02)]),
    lost_requests=st.none() | OFTEN,
    lost_answers=st.none() | OFTEN,
    duplicate=st.none() | OFTEN,
    exception=st.none() | st.builds(ForcedException, code=st.integers(1, 11), often=OFTEN),
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    HARMLESS,
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0x4000, 0x40F0)), min_size=1, max_size=40),
    st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_no_answer_is_mixed_up_with_another(lasting, faults, requests, pieces):
    """However requests are pipelined and cut into segments: each answer is that of its own request."""
    Faults(lasting).begin(**{name: getattr(faults, name) for name in HARMLESS_FIELDS})
    stream = b"".join(frame(number, 1, read(at, 1)) for number, at in requests)
    with Master(lasting.addresses[0]) as master:
        at = 0
        for piece in [*pieces, len(stream)]:
            master.send(stream[at : at + piece])
            at += piece
        master.socket.shutdown(socket.SHUT_WR)  # it closes when all that is owed has been sent
        got = _frames(master.receive(100_000))
    expected = iter(requests)
    number, address = next(expected)
    last = b""
    for answer in got:
        if answer == last and faults.duplicate is not None:
            continue
        while not _is_answer(answer, number, address):
            number, address = next(expected)  # lost; running out of them would be an answer to nothing
        last = answer


HARMLESS_FIELDS = ("latency", "lost_requests", "lost_answers", "duplicate", "exception")


def _is_answer(answer: bytes, number: int, address: int) -> bool:
    header, pdu = answer[:7], answer[7:]
    right = header[:4] == struct.pack(">HH", number, 0) and header[6] == 1
    return right and (pdu == registers(address) or (pdu[0] == 0x83 and len(pdu) == 2))


def _frames(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        length = 6 + int.from_bytes(stream[4:6], "big")
        assert len(stream) >= length, "the stream ends within a frame"
        found.append(stream[:length])
        stream = stream[length:]
    return found
