"""The byte stream: segments, pipelines, slow commands, garbage. TCP promises bytes, not requests."""

import socket
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.protocols.masters import Master, frame, octets, read, registers, write
from twin.contracts import Answer
from twin.protocols import Binding


def test_every_request_of_a_segment_is_answered(address):
    """The stock server answers the first one only."""
    requests = b"".join(frame(number, 1, read(0x4000 + number, 1)) for number in range(20))
    with Master(address) as master:
        master.send(requests)
        for number in range(20):
            assert master.answer() == frame(number, 1, registers(0x4000 + number))


def test_segments_over_264_bytes(address):
    """The stock server's buffer ends there; a long write is 259 bytes alone."""
    long_write = frame(1, 1, write(0x1000, *range(123)))
    assert len(long_write) == 259
    with Master(address) as master:
        master.send(5 * long_write + frame(2, 1, read(0x1000, 125)))
        for _ in range(5):
            assert master.answer() == frame(1, 1, octets("10 10 00 00 7B"))
        assert master.answer() == frame(2, 1, registers(*range(123), 123, 124))


def test_thousands_of_requests_at_once(address):
    count = 5000
    with Master(address) as master:
        master.socket.settimeout(30)
        requests = b"".join(frame(number, 1, read(0x4000, 1)) for number in range(count))
        master.send(requests)
        answers = master.receive(count * 11)
    assert answers == b"".join(frame(number, 1, registers(0x4000)) for number in range(count))


def test_a_request_in_pieces(address):
    with Master(address) as master:
        for byte in frame(0xABCD, 1, read(0x4000, 2)):
            master.send(bytes((byte,)))
            time.sleep(0.001)
        assert master.answer() == frame(0xABCD, 1, registers(0x4000, 0x4001))


@pytest.mark.parametrize("cut", range(1, 24))
def test_two_requests_cut_anywhere(address, cut):
    requests = frame(1, 1, read(0x4000, 1)) + frame(2, 1, read(0x4001, 1))
    with Master(address) as master:
        master.send(requests[:cut])
        time.sleep(0.002)
        master.send(requests[cut:])
        assert master.answer() == frame(1, 1, registers(0x4000))
        assert master.answer() == frame(2, 1, registers(0x4001))


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: meter\r\n\r\n",
        octets("00 01 00 01 00 06 01 03 40 00 00 01"),  # protocol 1
        octets("00 01 00 00 00 00 01 03 40 00 00 01"),  # length 0
        octets("00 01 00 00 00 01 01"),  # no function
        octets("00 01 00 00 01 07 01 03 40 00 00 01"),  # longer than any request
        octets("00 01 00 00 FF FF"),
        b"\xff" * 1000,
    ],
)
def test_garbage_closes_the_connection_after_what_came_before(address, garbage, caplog):
    with Master(address) as master, Master(address) as other:
        master.send(frame(1, 1, read(0x4000, 1)))
        assert master.answer() == frame(1, 1, registers(0x4000))
        master.send(garbage)
        assert master.is_closed_by_server()
        assert other.ask(2, 1, read(0x4000, 1)) == registers(0x4000)
    assert caplog.text == ""


def test_garbage_behind_a_request_in_the_same_segment(address):
    with Master(address) as master:
        master.send(frame(1, 1, read(0x4000, 1)) + b"nonsense")
        assert master.answer() == frame(1, 1, registers(0x4000))
        assert master.is_closed_by_server()


@pytest.mark.parametrize("size", [253, 261])
def test_a_long_request_is_not_garbage(address, size):
    """Too many registers in one write are refused as such, though the PDU is over 253 bytes then."""
    with Master(address) as master:
        assert master.ask(1, 1, bytes((100,)) + bytes(size - 1)) == octets("E4 01")
        assert master.ask(2, 1, read(0x4000, 1)) == registers(0x4000)


def test_slow_command_and_reads_behind_it_keep_their_transactions(address, simulation):
    """The stock server sends the command's answer under the second request's transaction."""
    simulation.hold()
    with Master(address) as master, Master(address) as other:
        master.send(frame(11, 1, write(0x1000, 5)))
        master.send(frame(12, 1, read(0x4000, 1)) + frame(13, 1, read(0x4001, 1)))
        simulation.wait_for(1)
        # Other connections are not kept waiting, this one keeps its order.
        for number in range(20):
            assert other.ask(number, 1, read(0x4002, 1)) == registers(0x4002)
        assert master.is_silent(0.05)
        simulation.futures[0].set_result(Answer(1))
        assert master.answer() == frame(11, 1, octets("10 10 00 00 01"))
        assert master.answer() == frame(12, 1, registers(0x4000))
        assert master.answer() == frame(13, 1, registers(0x4001))


def test_slow_commands_of_two_masters_are_answered_to_whom_they_belong(address, simulation):
    simulation.hold()
    with Master(address) as one, Master(address) as two:
        one.send(frame(1, 1, write(0x1000, 1)))
        simulation.wait_for(1)
        two.send(frame(1, 1, write(0x1001, 2)))
        simulation.wait_for(2)
        simulation.futures[1].set_result(Answer(1))
        assert two.answer() == frame(1, 1, octets("10 10 01 00 01"))
        simulation.futures[0].set_result(Answer(1))
        assert one.answer() == frame(1, 1, octets("10 10 00 00 01"))


def test_a_command_without_answer_is_busy_and_its_late_answer_is_dropped(serve, meter, simulation):
    server = serve(Binding("127.0.0.1", 0, {1: meter}), answer_timeout_s=0.2)
    simulation.hold()
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, write(0x1000, 5)) == octets("90 06")
        master.send(frame(2, 1, write(0x1000, 6)))
        simulation.wait_for(2)
        simulation.futures[0].set_result(Answer(1))  # late, while another write waits
        assert master.is_silent(0.05)
        simulation.futures[1].set_result(Answer(1))
        assert master.answer() == frame(2, 1, octets("10 10 00 00 01"))
        assert master.ask(3, 1, read(0x4000, 1)) == registers(0x4000)


def test_the_product_waits_one_second(address, simulation):
    simulation.hold()
    with Master(address) as master:
        before = time.monotonic()
        assert master.ask(1, 1, write(0x1000, 5)) == octets("90 06")
        assert time.monotonic() - before >= 0.99


def test_a_master_that_leaves_during_its_command(address, server, simulation):
    simulation.hold()
    master = Master(address)
    master.send(frame(1, 1, write(0x1000, 5)))
    simulation.wait_for(1)
    master.socket.close()
    with Master(address) as other:
        simulation.futures[0].set_result(Answer(1))
        assert other.ask(2, 1, read(0x4000, 1)) == registers(0x4000)


def test_a_master_that_shuts_its_side_gets_its_answers(address, simulation):
    simulation.hold()
    with Master(address) as master:
        requests = b"".join(frame(number, 1, read(0x4000, 1)) for number in range(200))
        master.send(requests + frame(200, 1, write(0x1000, 5)) + frame(201, 1, read(0x4001, 1)))
        master.socket.shutdown(socket.SHUT_WR)
        for number in range(200):
            assert master.answer() == frame(number, 1, registers(0x4000))
        simulation.wait_for(1)
        simulation.futures[0].set_result(Answer(1))
        assert master.answer() == frame(200, 1, octets("10 10 00 00 01"))
        assert master.answer() == frame(201, 1, registers(0x4001))
        assert master.is_closed_by_server()


def test_a_master_that_never_reads_does_not_fill_the_memory(address, server):
    """Its requests wait in its own TCP stack; the others go on, and it gets all answers in the end."""
    requests = b"".join(frame(number, 1, read(0x4000, 125)) for number in range(1000))
    with Master(address, buffer=4096) as greedy, Master(address) as other:
        greedy.socket.settimeout(0.5)
        sent = 0
        with suppress(TimeoutError):
            while sent < 100_000_000:
                sent += greedy.socket.send(requests[sent % len(requests) :])
        assert sent < 100_000_000
        assert server.statistics[0].requests < sent // 12
        assert other.ask(1, 1, read(0x4000, 1)) == registers(0x4000)
        greedy.socket.settimeout(30)
        for number in range(sent // 12):
            answer = greedy.answer()
            assert answer[:2] == (number % 1000).to_bytes(2)
            assert len(answer) == 259


def test_an_idle_connection_is_closed_only_if_that_is_wanted(serve, meter, address):
    impatient = serve(Binding("127.0.0.1", 0, {1: meter}), idle_timeout_s=0.3)
    with Master(address) as patient, Master(impatient.addresses[0]) as idle:
        for _ in range(4):
            time.sleep(0.15)
            assert idle.ask(1, 1, read(0x4000, 1)) == registers(0x4000)
        assert idle.is_closed_by_server()
        assert patient.ask(1, 1, read(0x4000, 1)) == registers(0x4000)


PDUS = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.builds(read, st.integers(0, 65535), st.integers(0, 65535)),
    st.builds(
        lambda address, words: write(address, *words),
        st.integers(0, 65535),
        st.lists(st.integers(0, 65535), max_size=20),
    ),
)
STREAMS = st.one_of(
    st.binary(max_size=600),
    st.lists(
        st.one_of(
            st.builds(frame, st.integers(0, 65535), st.integers(0, 255), PDUS),
            st.binary(max_size=12),
        ),
        max_size=8,
    ).map(b"".join),
)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 600), max_size=3))
@example(stream=b"", cuts=[])
@example(stream=octets("00 00 00 00 00 02 01"), cuts=[])
@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_arbitrary_bytes_never_hurt_the_others(address, server, stream, cuts):
    """No crash, no hang, no endless answer: the connection ends, a healthy one goes on."""
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    with Master(address) as hostile, Master(address) as healthy:
        try:
            for start, end in pairwise(bounds):
                hostile.send(stream[start:end])
            hostile.socket.shutdown(socket.SHUT_WR)
            answered = hostile.receive(100_000)
        except OSError:
            answered = b""  # closed by the server before all was sent
        assert len(answered) < 100_000
        assert healthy.ask(77, 1, read(0x4000, 1)) == registers(0x4000)
