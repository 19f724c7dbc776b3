"""The fates of requests: what a fault says of them holds of many, and a seed is one course."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.masters import read, write
from twin.contracts.transport import (
    Cut,
    Distribution,
    Ending,
    ForcedException,
    HowOften,
    Latency,
    Storm,
    TransportFaults,
)
from twin.protocols.fault_decisions import Fate, FaultedEndpoint, FaultStream
from twin.protocols.fault_shapes import shape_rtu, shape_tcp
from twin.protocols.rtu_framing import encode_frame

READ = read(0x4000, 4)
MANY = 20_000


def fates(faults: TransportFaults, count: int = MANY, *, seed: str = "7", request: bytes = READ):
    endpoint = FaultedEndpoint([FaultStream(faults, seed)])
    return [endpoint.decide(request, 1e6 * number) for number in range(count)]


def assert_share(hits: int, share: float, count: int = MANY) -> None:
    """Five standard deviations of a binomial distribution."""
    assert abs(hits - share * count) < 5.0 * math.sqrt(count * share * (1.0 - share))


@pytest.mark.parametrize(
    ("field", "hit"),
    [
        ("lost_requests", lambda fate: not fate.heard),
        ("lost_answers", lambda fate: not fate.answered),
        ("wrong_unit", lambda fate: fate.wrong_unit),
        ("wrong_transaction", lambda fate: fate.wrong_transaction),
        ("repeated_transaction", lambda fate: fate.repeated_transaction),
        ("duplicate", lambda fate: fate.copies == 2),
        ("wrong_crc", lambda fate: fate.wrong_crc),
        ("glitches", lambda fate: len(fate.stray) in range(1, 5)),
    ],
)
def test_a_share_of_requests_is_hit_or_each_nth(field, hit):
    by_chance = fates(TransportFaults(**{field: HowOften(0.05)}))
    assert_share(sum(map(hit, by_chance)), 0.05)
    each_third = fates(TransportFaults(**{field: HowOften(every=3)}), 9)
    assert [hit(fate) for fate in each_third] == 3 * [False, False, True]
    assert all(hit(fate) for fate in fates(TransportFaults(**{field: HowOften()}), 10))
    assert not any(hit(fate) for fate in fates(TransportFaults(), 10))


def test_one_seed_is_one_course():
    faults = TransportFaults(latency=Latency(0.02, 0.08), lost_answers=HowOften(0.3), glitches=HowOften(0.2))
    assert fates(faults, 500) == fates(faults, 500)
    assert fates(faults, 500) != fates(faults, 500, seed="8")


def test_another_fault_does_not_disturb_the_course():
    lossy = TransportFaults(lost_answers=HowOften(0.3))
    alone = [fate.answered for fate in fates(lossy, 200)]
    both = FaultedEndpoint(
        [FaultStream(TransportFaults(latency=Latency(0.0, 1.0)), "8"), FaultStream(lossy, "7")]
    )
    assert [both.decide(READ, 0.0).answered for _ in range(200)] == alone


def test_latencies_lie_as_they_should():
    """Closed forms: uniform's deviation, normal's clipped 95 %, the exponential's mean and 95 % point."""
    least, most = 0.02, 0.08

    def drawn(distribution):
        return [fate.delay_s for fate in fates(TransportFaults(latency=Latency(least, most, distribution)))]

    uniform = drawn(Distribution.UNIFORM)
    assert least <= min(uniform) < max(uniform) <= most
    assert sum(uniform) / MANY == pytest.approx(0.05, abs=5 * 0.06 / math.sqrt(12 * MANY))
    normal = drawn(Distribution.NORMAL)
    assert (min(normal), max(normal)) == (least, most)
    beyond = math.erfc(2.0 / math.sqrt(2.0))  # two standard deviations
    assert_share(sum(each in {least, most} for each in normal), beyond)
    tail = drawn(Distribution.LONG_TAIL)
    assert min(tail) >= least
    assert_share(sum(each > most for each in tail), 0.05)
    mean = (most - least) / math.log(20.0)
    assert sum(tail) / MANY - least == pytest.approx(mean, abs=5 * mean / math.sqrt(MANY))
    assert {fate.delay_s for fate in fates(TransportFaults(latency=Latency(0.3, 0.3)), 9)} == {0.3}


@pytest.mark.parametrize(
    ("request_pdu", "hit"),
    [
        (read(0x4000, 4), True),
        (read(0x3FFF, 1), False),
        (read(0x3FFF, 2), True),
        (read(0x4010, 1), True),
        (read(0x4011, 1), False),
        (write(0x4002, 1), False),
        (b"\x03\x40", False),
    ],
)
def test_an_exception_meets_the_functions_and_registers_that_it_is_for(request_pdu, hit):
    forced = ForcedException(4, functions=(3, 1), registers=(0x4000, 0x4010))
    (fate,) = fates(TransportFaults(exception=forced), 1, request=request_pdu)
    assert (fate.exception == 4) is hit


def test_each_nth_exception_counts_what_can_be_hit():
    stream = FaultStream(TransportFaults(exception=ForcedException(6, HowOften(every=2), (16,))), "")
    got = []
    for request in (READ, write(1, 1), READ, READ, write(1, 1), write(1, 1), write(1, 1)):
        fate = Fate()
        stream.decide(fate, request, 0.0)
        got.append(fate.exception)
    assert got == [None, None, None, None, 6, None, 6]


def test_bits_are_flipped_as_often_as_the_line_is_bad():
    faults = TransportFaults(bit_errors=1e-3)
    endpoint = FaultedEndpoint([FaultStream(faults, "7")])
    frame, count = bytes(250), 400
    wrong = sum(sum(byte.bit_count() for byte in endpoint.spoil(frame)) for _ in range(count))
    assert_share(wrong, 1e-3, 8 * 250 * count)
    unheard = sum(not fate.heard for fate in fates(faults))
    assert_share(unheard, 1.0 - (1.0 - 1e-3) ** 64)  # eight bytes of a read
    assert FaultedEndpoint([FaultStream(TransportFaults(bit_errors=1.0), "")]).spoil(b"\x0f") == b"\xf0"


def test_a_storm_takes_the_time_that_queueing_theory_says():
    """Mean wait of M/D/1 by Pollaczek and Khinchine: load x service / (2 (1 - load)); then one's service."""
    storm = Storm(rate=30.0, service_s=0.02, queue=1000)
    load = storm.rate * storm.service_s
    endpoint = FaultedEndpoint([FaultStream(TransportFaults(storm=storm), "7")])
    delays = [endpoint.decide(READ, 3.0 * number).delay_s for number in range(5000)]
    expected = load * storm.service_s / (2.0 * (1.0 - load)) + storm.service_s
    assert sum(delays) / len(delays) == pytest.approx(expected, rel=0.05)
    assert min(delays) == pytest.approx(storm.service_s)


@pytest.mark.parametrize("silent", [False, True])
def test_a_device_that_is_asked_too_much_is_busy(silent):
    storm = Storm(rate=1000.0, service_s=0.02, queue=2, silent=silent)
    endpoint = FaultedEndpoint([FaultStream(TransportFaults(storm=storm), "7")])
    met = [endpoint.decide(READ, float(number)) for number in range(200)]
    turned_away = [fate for fate in met if (not fate.heard if silent else fate.exception == 6)]
    # The queue is full but for the moment between an end of service and the next of a thousand a second.
    assert len(turned_away) > 180
    assert all(fate.delay_s <= 3 * 0.02 for fate in met)


@given(
    st.binary(min_size=1, max_size=250),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.integers(0, 255),
    st.integers(1, 2),
    st.none() | st.builds(Cut, after=st.integers(0, 600), ending=st.sampled_from(Ending)),
    st.sampled_from(["own", "next", "before"]),
    st.booleans(),
)
def test_what_is_sent_over_tcp(pdu, transaction, before, unit, copies, cut, which, wrong_unit):
    """Against the header as the guide draws it: transaction, protocol 0, length with the unit, unit."""
    fate = Fate(
        copies=copies,
        cut=cut,
        wrong_unit=wrong_unit,
        wrong_transaction=which == "next",
        repeated_transaction=which == "before",
    )
    shaped = shape_tcp(fate, transaction, before, unit, pdu)
    number = {"own": transaction, "next": (transaction + 1) % 65536, "before": before}[which]
    answering = unit % 247 + 1 if wrong_unit else unit
    header = number.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((answering,))
    expected = copies * (header + pdu)
    assert shaped.data == (expected if cut is None else expected[: cut.after])
    assert shaped.ending is (Ending.KEEP if cut is None else cut.ending)


def test_what_is_sent_on_a_line():
    endpoint = FaultedEndpoint([])
    frame = encode_frame(17, b"\x03\x02\x00\x11")
    assert shape_rtu(Fate(), endpoint, 17, b"\x03\x02\x00\x11") == [frame]
    assert shape_rtu(Fate(copies=2, stray=b"\xff"), endpoint, 17, b"\x03\x02\x00\x11") == [
        b"\xff" + frame,
        frame,
    ]
    (bad,) = shape_rtu(Fate(wrong_crc=True), endpoint, 17, b"\x03\x02\x00\x11")
    assert bad[:-1] == frame[:-1]
    assert bad[-1] != frame[-1]
    assert shape_rtu(Fate(cut=Cut(after=0)), endpoint, 17, b"\x03\x02\x00\x11") == []
    assert shape_rtu(Fate(wrong_unit=True), endpoint, 17, b"\x03") == [encode_frame(18, b"\x03")]
    assert shape_rtu(Fate(wrong_unit=True), endpoint, 247, b"\x03") == [encode_frame(1, b"\x03")]
