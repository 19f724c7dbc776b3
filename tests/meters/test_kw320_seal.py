"""What a sealed meter refuses: KW320 manual 4.7."""

import pytest

from tests.meters.test_kw320_write import START, meter, refused
from twin.contracts import Refusal

__all__ = ["meter"]


def seal(meter, selection=0):
    meter.write(0x101E, [selection], START)
    meter.write(0x101F, [0x0A], START)


# Manual 4.7, tables 4-2 and 4-3.
SEALED_ALWAYS = [
    *range(0x1003, 0x100C),
    *range(0x100D, 0x1010),
    *range(0x1012, 0x101A),
    *(0x101D, 0x101E),
    0x103E,  # clears the demand memory, as 100FH does
    *range(0x10A5, 0x10A9),  # table 4-4: DO1, DO2
    *range(0x10B7, 0x10BB),  # DO3, DO4
    *range(0x4048, 0x405A, 2),
    *range(0x4620, 0x463E, 2),
]


SEALED_WITH_PULSES = [
    *(0x101C, 0x109E, 0x109F, 0x10A3, 0x10A4, 0x10AA, 0x10AB),
    *(0x10B0, 0x10B1, 0x10B5, 0x10B6, 0x10BC, 0x10BD),
]
"""Bit 3 of 101EH: counters' clear, types and pulse constants."""


def harmless(meter, address):
    """The words that leave a register as it is."""
    register, _ = meter.registers.by_address[address]
    return [0] * (register.words - 1) + [meter.raw.get(register.name, register.default)]


@pytest.mark.parametrize("address", SEALED_ALWAYS, ids=lambda a: f"{a:04X}H")
def test_seal_protects(meter, address):
    meter.write(address, harmless(meter, address), START)
    seal(meter)
    assert refused(meter, address, harmless(meter, address)).refusal is Refusal.SEALED


@pytest.mark.parametrize(
    "address",
    [
        0x0FFD,
        0x0FFE,
        0x1000,
        0x100C,
        0x1010,
        0x1011,
        0x101C,
        0x1021,
        0x1046,
        0x104E,
        0x10A0,
        0x10A9,
        0x10C2,
        0x8004,
    ],
)
def test_seal_leaves_the_rest_open(meter, address):
    seal(meter)
    meter.write(address, harmless(meter, address), START)


@pytest.mark.parametrize(
    ("bit", "address"),
    [
        *((0, 0x0FFE), (0, 0x0FFF), (0, 0x1001), (0, 0x1002)),
        *((1, 0x102F), (1, 0x1030), (1, 0x1031), (2, 0x1011)),
        *((3, address) for address in SEALED_WITH_PULSES),
    ],
)
def test_seal_protects_more_by_selection(meter, bit, address):
    seal(meter, selection=1 << bit)
    assert refused(meter, address, harmless(meter, address)).refusal is Refusal.SEALED


def test_opened_seal_lets_all_be_written_again(meter):
    seal(meter, selection=0x1F)
    meter.write(0x101F, [0], START)
    meter.write(0x1008, [500, 5], START)


def test_one_sealed_register_stops_the_whole_write(meter):
    seal(meter)
    assert refused(meter, 0x100C, [2, 20]).refusal is Refusal.SEALED
    assert meter.raw["backlight_minutes"] == 1


def test_sealed_clock_takes_small_corrections(meter):
    seal(meter, selection=1 << 4)
    meter.write(0x1044, [5], START)  # 06:05, five minutes on
    assert refused(meter, 0x1044, [11]).refusal is Refusal.SEALED
    assert refused(meter, 0x1040, [2027]).refusal is Refusal.SEALED
    meter.write(0x1044, [0], START)
    assert meter.clock.registers(START)["minute"] == 0


def test_sealed_clock_keeps_its_day_of_the_week(meter):
    # Table of bit 4 of 101EH: 103FH with the rest. 2026-01-15 is a Thursday, 4.
    meter.write(0x1040, [2026, 1, 15, 23, 58, 0], START)
    seal(meter, selection=1 << 4)
    for week in (0, 3, 5):
        assert refused(meter, 0x103F, [week]).refusal is Refusal.SEALED
    meter.write(0x103F, [4], START)
    meter.write(0x103F, [5, 2026, 1, 16, 0, 2, 0], START)  # over midnight, within five minutes
    assert meter.clock.registers(START)["week"] == 5
    assert refused(meter, 0x103F, [6, 2026, 1, 16, 0, 3, 0]).refusal is Refusal.SEALED


def test_seal_without_the_clock_bit_leaves_the_clock_open(meter):
    seal(meter)
    meter.write(0x1040, [2027], START)
    assert meter.clock.registers(START)["year"] == 2027
