"""Faults of communication in a scenario file: what can be said, and what is found wrong with it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sites import SCENARIO, write_site
from twin.contracts import BadInputError
from twin.contracts.transport import (
    Cut,
    Distribution,
    Ending,
    ForcedException,
    HowOften,
    Latency,
    Storm,
    TransportFaults,
    WhenFull,
)
from twin.documents.range_types import TimeRange, parse_often, parse_time_range
from twin.scenario import load_scenario
from twin.scenario.communication_checks import RTU_FIELDS, TCP_FIELDS
from twin.simulation.communication import transport_faults

HEAD = SCENARIO.split("events:", maxsplit=1)[0]
LINE = HEAD.replace("{port: 0}", "{protocol: modbus-rtu, device: pty}", 1)


def load(tmp_path, events: str, head: str = HEAD):
    return load_scenario(write_site(tmp_path, scenario=f"{head}events:\n{events}\n"))


def findings(tmp_path, event: str, head: str = HEAD) -> list[tuple[int, str, str]]:
    """Return line after that of ``events:``, field and text of what is wrong with an event."""
    text = f"  - {{event: communication_fault, at: '18:01', name: F, {event}}}"
    with pytest.raises(BadInputError) as caught:
        load(tmp_path, text, head)
    first = head.count("\n") + 2
    return [(one.where.line - first, one.field, one.what) for one in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 ms", (0.05, 0.05)),
        ("20..80 ms", (0.02, 0.08)),
        (" 0.5..1.5 s ", (0.5, 1.5)),
        ("1 min", (60.0, 60.0)),
        ("7us", (7e-6, 7e-6)),
    ],
)
def test_ranges_of_times(text, expected):
    assert parse_time_range(text) == TimeRange(*map(pytest.approx, expected))


@pytest.mark.parametrize("text", ["50", "20..80", "80..20 ms", "20-80 ms", "-5 ms", "5 A", "", 5, None, True])
def test_what_is_no_range_of_times(text):
    with pytest.raises(ValueError, match="write it as"):
        parse_time_range(text)


def test_how_often():
    assert parse_often("5 %") == HowOften(0.05)
    assert parse_often("100%") == HowOften(1.0)
    assert parse_often("0.25 %") == HowOften(0.0025)
    assert parse_often("every 10") == HowOften(0.0, 10)
    for wrong in ("101 %", "5", "every 0", "each 3", "-1 %", 5, None):
        with pytest.raises(ValueError, match=r"write it as|give at most"):
            parse_often(wrong)


@given(st.text() | st.from_regex(r"[0-9.]*( %|every|ms|\.\.)[0-9 ]*"))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_often, parse_time_range):
        with suppress(ValueError):
            parse(text)


def test_all_that_can_be_said_arrives(tmp_path):
    """Each field of the file in the data that endpoints are given."""
    event = """
  - event: communication_fault
    at: "18:01"
    name: everything
    latency: 20..80 ms
    distribution: long_tail
    lost_requests: 1 %
    lost_answers: every 7
    exception: {code: 6, often: 20 %, functions: [3, 4], registers: [16384, 16483]}
    cut: {often: every 5, after: 9, then: reset}
    wrong_unit: 2 %
    duplicate: 3 %
    storm: {rate: 40, service: 25 ms, queue: 2, when_full: silent}
    wrong_transaction: 4 %
    repeated_transaction: 5 %
    connections: 2
    when_full: wait
    accept_delay: 2 s
    wrong_crc: 6 %
    glitches: 7 %
    bit_errors: 1.0e-4
    refuse: true
    close: true
"""
    loaded = load(tmp_path, event, LINE)
    assert transport_faults(loaded.events[0].event) == TransportFaults(
        latency=Latency(0.02, 0.08, Distribution.LONG_TAIL),
        lost_requests=HowOften(0.01),
        lost_answers=HowOften(0.0, 7),
        exception=ForcedException(6, HowOften(0.2), (3, 4), (16384, 16483)),
        cut=Cut(HowOften(0.0, 5), 9, Ending.RESET),
        wrong_unit=HowOften(0.02),
        wrong_transaction=HowOften(0.04),
        repeated_transaction=HowOften(0.05),
        duplicate=HowOften(0.03),
        wrong_crc=HowOften(0.06),
        glitches=HowOften(0.07),
        bit_errors=1e-4,
        storm=Storm(40.0, 0.025, 2, silent=True),
        connections=2,
        when_full=WhenFull.WAIT,
        accept_delay_s=2.0,
        refuse=True,
        close=True,
    )


def test_what_endpoints_always_have(tmp_path):
    head = HEAD.replace(
        "{port: 0}", "{port: 15020, connections: 2, latency: 20..80 ms, exception: {code: 10}}", 1
    )
    endpoint = load(tmp_path, "  []", head).scenario.meters[0].endpoint
    assert transport_faults(endpoint) == TransportFaults(
        latency=Latency(0.02, 0.08), connections=2, exception=ForcedException(10)
    )
    line = LINE.replace("device: pty", "device: pty, wrong_crc: every 3")
    endpoint = load(tmp_path, "  []", line).scenario.meters[0].endpoint
    assert transport_faults(endpoint) == TransportFaults(wrong_crc=HowOften(0.0, 3))


@pytest.mark.parametrize(
    ("event", "field", "what"),
    [
        ("meters: [head]", "", "nothing goes wrong"),
        ("distribution: normal", "", "nothing goes wrong"),
        ("meters: [hed], refuse: true", ".meters[0]", "there is no meter 'hed'"),
        ("refuse: true, over: rtu", ".meters", "none of the meters has a serial endpoint"),
        ("wrong_crc: 5 %", ".wrong_crc", "none of the endpoints is a serial one"),
        ("exception: {code: 4, registers: [5]}", ".exception.registers", "are no range of addresses"),
        ("exception: {code: 4, registers: [5, 4]}", ".exception.registers", "are no range of addresses"),
        ("latency: 11 min", ".latency", "is more than 10 min"),
        ("reboot: 20 s, clear_after: 30 s", ".clear_after", "a reboot is over when the meters have booted"),
        ("refuse: true, clear_after: 9e10 s", ".clear_after", "9e+10 is more than 100 years"),
    ],
)
def test_what_cannot_be_is_found(tmp_path, event, field, what):
    assert findings(tmp_path, event) == [(0, f"events[0]{field}", what)]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("latency: 80..20 ms", "latency"),
        ("lost_answers: 5", "lost_answers"),
        ("exception: {code: 0}", "exception.code"),
        ("exception: {often: 5 %}", "exception.code"),
        ("bit_errors: 0.6", "bit_errors"),
        ("connections: 0", "connections"),
        ("storm: {rate: 0}", "storm.rate"),
        ("lost_answer: 5 %", "lost_answer"),
        ("cut: {then: hang}", "cut.then"),
    ],
)
def test_what_is_no_value_is_found(tmp_path, event, field):
    ((line, found, _),) = findings(tmp_path, event)
    assert (line, found) == (0, f"events[0].{field}")


def test_tcp_fields_need_a_tcp_endpoint(tmp_path):
    head = LINE.replace("{port: 0}", "{protocol: modbus-rtu, device: pty}")
    assert findings(tmp_path, "wrong_transaction: 5 %, over: any", head) == [
        (0, "events[0].wrong_transaction", "none of the endpoints is a TCP one")
    ]
    assert {"connections", "accept_delay", "refuse", "close"} < TCP_FIELDS
    assert {"wrong_crc", "glitches", "bit_errors"} == RTU_FIELDS


def test_names_stand_once_and_repairs_find_them(tmp_path):
    one = "  - {event: communication_fault, at: '18:01', name: wan, refuse: true}\n"
    repair = "  - {event: repair, at: '18:02', of: wan}"
    assert len(load(tmp_path, one + repair).events) == 2
    with pytest.raises(BadInputError, match="'wan' stands twice"):
        load(tmp_path, one + one)
    with pytest.raises(BadInputError, match="there is no fault, conductor or fuse 'van'"):
        load(tmp_path, one + repair.replace("wan", "van"))


def test_two_meters_of_one_port_agree_on_connections(tmp_path):
    head = HEAD.replace("{port: 0}", "{port: 15020, unit: 1, connections: 2}", 1)
    head = head.replace("{port: 0}", "{port: 15020, unit: 2}", 1)
    with pytest.raises(BadInputError, match="connections differs from that of meter 'head' on the same port"):
        load(tmp_path, "  []", head)


def test_gateways_answer_for_their_meters_alike(tmp_path):
    one = "{port: 15020, unit: 1, gateway: {timeout: 200 ms}}"
    head = HEAD.replace("{port: 0}", one, 1).replace("{port: 0}", "{port: 15020, unit: 2}", 1)
    with pytest.raises(BadInputError, match="gateway differs from that of meter 'head' on the same port"):
        load(tmp_path, "  []", head)
    silent = HEAD.replace("{port: 0}", "{port: 0, unit_check: silent, gateway: {}}", 1)
    with pytest.raises(BadInputError, match="unit_check has to be strict"):
        load(tmp_path, "  []", silent)
