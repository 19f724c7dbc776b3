"""A hand-built master agrees with every register of a served meter: readable, writable, sealed."""

import pytest

from examples.register_walk import Report, __main__, walk
from examples.register_walk.expected import exact, floating, nearest
from twin.meters.kw320.profile import register_map


@pytest.fixture(scope="module")
def report():
    return walk()


def test_meter_and_truth_agree(report):
    assert report.problems == []


def test_every_register_has_an_expectation(report):
    assert report.unexpected == []
    assert report.total.read == len(register_map("kw320q").by_address)


def test_every_register_is_written_or_refused(report):
    registers = [r for r in register_map("kw320q").registers if r.source != "window"]
    assert report.total.written == sum(r.writable for r in registers)
    assert report.total.read_only == sum(not r.writable for r in registers)


def test_ranges_and_seal_are_walked(report):
    # KW320 manual tables 4-2 to 4-4: 27 system, 4 of the ports, 20 of the modules, 24 energies; 103EH.
    assert report.total.sealed == 76
    assert {name for name, tally in report.tallies.items() if tally.sealed} == {
        *("system", "status", "io", "energy")
    }
    # What takes every word has nothing out of range: set points, seal, clears, lists and times of the logs.
    free = [
        r
        for r in register_map("kw320q").registers
        if r.writable
        and r.source != "window"
        and r.words == 1
        and r.allowed in {((0, 65535),), ((-32768, 32767),)}
    ]
    # But the sectors of three logs have a range by byte, and 16 points of curves that of what they follow.
    assert report.total.out_of_range == report.total.written - len(free) + 3 + 16


@pytest.mark.parametrize(
    ("unexpected", "problems", "code"), [([], [], 0), (["4000H"], [], 1), ([], ["1003H reads 2"], 1)]
)
def test_exit_code_tells_of_disagreements(monkeypatch, capsys, unexpected, problems, code):
    monkeypatch.setattr(__main__, "walk", lambda: Report({}, unexpected, problems))
    assert __main__.main() == code
    said = capsys.readouterr().out
    assert all(line in said for line in unexpected + problems)


def test_disagreement_is_seen():
    (one,) = exact(0x1003, 1, what="wiring")
    assert one.problem({0x1003: 1}) == ""
    assert one.problem({0x1003: 2}) == "1003H wiring: reads 2, expected 1..1"
    (two,) = nearest(0x4294, "int", -12.34, 0.1, "real part")
    assert two.problem({0x4294: 0x10000 - 123}) == ""
    assert two.problem({0x4294: 0x10000 - 124}) != ""
    (three,) = floating(0x4000, 50.0, "frequency")
    assert three.problem({0x4000: 0x4248, 0x4001: 0}) == ""
    assert three.problem({0x4000: 0x4248, 0x4001: 0x0080}) != ""
    assert three.problem({0x4000: 0, 0x4001: 0x4248}) != ""  # low word first
