"""RTU frames: the manual's worked ones, and any stream of frames, noise and pauses.

Frames of pymodbus' own framer are the independent reference of the CRC.
"""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from tests.protocols.masters import octets, read, write
from twin.protocols.rtu_framing import LONGEST, FrameSplitter, crc16, encode_frame

MANUAL = {
    "explanation": "06 03 00 00 00 21 84 65",
    "relays": "11 01 00 00 00 02 BF 5B",
    "relays answered": "11 01 01 02 D4 89",
    "inputs": "11 02 00 00 00 04 7B 59",
    "registers": "11 03 40 00 00 06 D2 98",
    "registers answered": "11 03 0C 42 48 00 00 42 C7 CC CD 42 C8 33 33 CA 7F",
    "switch a relay": "11 05 00 00 FF 00 8E AA",
    "preset an energy": "11 10 40 48 00 02 04 0A 9D 40 89 F1 6A",
    "preset answered": "11 10 40 48 00 02 D6 8E",
}
"""KW320 manual 6.2, every printed frame."""


@pytest.mark.parametrize("text", MANUAL.values(), ids=MANUAL)
def test_manual_frames(text):
    frame = octets(text)
    assert encode_frame(frame[0], frame[1:-2]) == frame
    assert list(FrameSplitter().feed(frame)) == [frame[:-2]]


@given(st.binary(max_size=300))
def test_crc_is_that_of_an_independent_implementation(message):
    assert crc16(message).to_bytes(2, "little") == FramerRTU.compute_CRC(message).to_bytes(2, "big")


UNITS = st.integers(0, 247)
WORDS = st.lists(st.integers(0, 65535), min_size=1, max_size=123)
REQUESTS = st.one_of(
    st.builds(read, st.integers(0, 65535), st.integers(0, 65535)),
    st.builds(lambda address, words: write(address, *words), st.integers(0, 65535), WORDS),
    st.builds(
        lambda function, rest: bytes((function,)) + rest,
        st.sampled_from([1, 2, 4, 5, 6]),
        st.binary(min_size=4, max_size=4),
    ),
)
ANSWERS = st.one_of(
    st.builds(lambda words: bytes((3, 2 * len(words))) + b"\1" * 2 * len(words), WORDS),
    st.builds(lambda function, code: bytes((0x80 | function, code)), st.integers(1, 127), st.integers(1, 11)),
)
FRAMES = st.lists(st.tuples(UNITS, st.one_of(REQUESTS, ANSWERS)), max_size=6)


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_frames_that_are_joined_or_cut_anywhere_come_out_whole(frames, cuts):
    # The CRC of a frame with its CRC is 0: an answer of seven bytes and a 00 are also a request of eight.
    for (_, answer), (unit, _) in pairwise(frames):
        assume(not (len(answer) == 4 and answer[0] == 3 and unit == 0))
    stream = b"".join(encode_frame(unit, pdu) for unit, pdu in frames)
    bounds = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    splitter = FrameSplitter()
    found = [frame for start, end in pairwise(bounds) for frame in splitter.feed(stream[start:end])]
    assert found == [bytes((unit,)) + pdu for unit, pdu in frames]
    assert not splitter.pending


@given(UNITS, st.integers(0x20, 0x7F), st.binary(max_size=200))
def test_a_function_of_unknown_length_ends_with_the_silence(unit, function, data):
    pdu = bytes((function,)) + data
    splitter = FrameSplitter()
    assert list(splitter.feed(encode_frame(unit, pdu))) == []
    assert splitter.pending
    assert splitter.silence() == bytes((unit,)) + pdu
    assert not splitter.pending


@given(st.tuples(UNITS, REQUESTS), st.data())
def test_a_wrong_bit_spoils_the_frame_and_only_it(frame, data):
    """Each single bit: a CRC finds all errors of one bit."""
    good = encode_frame(*frame)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    splitter = FrameSplitter()
    assert list(splitter.feed(bytes(bad))) == []
    assert splitter.silence() is None
    assert splitter.dropped == 1
    assert list(splitter.feed(good)) == [good[:-2]]


@given(st.tuples(UNITS, REQUESTS), st.binary(min_size=1, max_size=5))
def test_noise_before_a_frame_takes_the_frame_with_it(frame, noise):
    """As on a real line: what is not apart by a silence is one burst."""
    splitter = FrameSplitter()
    burst = noise + encode_frame(*frame)
    if list(splitter.feed(burst)) or (splitter.silence() is not None):
        return  # noise that is a frame by itself: one in 65,536
    assert splitter.dropped == 1


def test_a_frame_inside_another_one_is_data():
    inner = encode_frame(17, read(0x4000, 1))
    outer = encode_frame(9, write(0x1000, *(int.from_bytes(inner[at : at + 2]) for at in range(0, 8, 2))))
    assert list(FrameSplitter().feed(outer)) == [outer[:-2]]


def test_half_a_frame_is_forgotten_in_the_silence():
    splitter = FrameSplitter()
    assert list(splitter.feed(octets("11 03 40 00"))) == []
    assert splitter.silence() is None
    assert list(splitter.feed(octets(MANUAL["registers"]))) == [octets("11 03 40 00 00 06")]


def test_a_burst_without_end_is_dropped_and_takes_no_memory():
    splitter = FrameSplitter()
    for _ in range(1000):
        assert list(splitter.feed(b"\x55" * 100)) == []
        assert len(splitter._buffer) <= LONGEST + 100
    assert splitter.silence() is None
    assert splitter.dropped == 1
    assert list(splitter.feed(octets(MANUAL["relays"]))) == [octets("11 01 00 00 00 02")]


def test_silence_on_an_idle_line_is_nothing():
    splitter = FrameSplitter()
    assert splitter.silence() is None
    assert splitter.dropped == 0
