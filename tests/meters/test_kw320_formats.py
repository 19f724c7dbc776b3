"""Each format code by a register of a meter that lived through a known signal: manual 6.3, its own formulas.

Nothing here uses the codec: raw values are taken from the words and decoded as the manual's relationship
table prints it, Rx being the raw value.
"""

import pytest

from tests.meters.kw320_registers import (
    BRIGHT,
    CONFIG,
    ENERGIES,
    FADED,
    FADED_AMPERES,
    FADED_VOLTS,
    MINUTE,
    Registers,
    lived,
    steady,
)
from tests.meters.kw320_site import CT, PT, START, segment
from twin.meters import build_fleet
from twin.meters.kw320.alarm_formats import ALARM_FORMATS
from twin.meters.kw320.profile import register_map

KWH = 1000.0
# Format code: primary value of Rx, in the unit that the table prints; percentages as fractions.
RELATIONSHIP = {
    "F1": lambda r: r,
    "F2": lambda r: r / 100,
    "F3": lambda r: r,
    **dict.fromkeys(("F4", "F5", "F6"), lambda r: r / 10 * KWH),
    **dict.fromkeys(("F7", "F8", "F9"), lambda r: r / 1000 * KWH * PT * CT),
    "F10": lambda r: r / 100,
    "F11": lambda r: r * PT / 10,
    "F12": lambda r: r * CT / 1000,
    **dict.fromkeys(("F13", "F14", "F15"), lambda r: r * PT * CT),
    "F16": lambda r: r / 1000,
    "F17": lambda r: r / 1000,
    **dict.fromkeys(("F18", "F19", "F20", "F21"), lambda r: r / 10000),
    "F22": lambda r: r / 1000,
    "F23": lambda r: r / 10,
    "F24": lambda r: r / 10000,
    "F25": lambda r: r / 10,
}


def larger(name):
    return max(BRIGHT[name], FADED[name])


# Code, address, data type, primary value after two bright minutes and a faded one.
SHOWN = [
    ("F1", 0x1008, "word", 200),
    ("F2", 0x1034, "dword", 0.05),  # three minutes [h]
    *(("F3", 0x1040 + k, "word", value) for k, value in enumerate((2026, 1, 15, 6, 3, 0))),
    ("F4", 0x4048, "dword", ENERGIES[0x4048]),
    ("F4", 0x4622, "dword", ENERGIES[0x4622]),
    ("F5", 0x404C, "dword", ENERGIES[0x404C]),
    ("F5", 0x462C, "dword", ENERGIES[0x462C]),
    ("F6", 0x4058, "dword", ENERGIES[0x4058]),
    ("F6", 0x463C, "dword", ENERGIES[0x463C]),
    ("F10", 0x4191, "word", 50.5),
    ("F11", 0x4136, "int", larger("v1")),
    ("F11", 0x4294, "int", FADED["ua_positive_real"]),
    ("F12", 0x4160, "int", larger("i1")),
    ("F12", 0x429D, "int", FADED["ia_negative_imag"]),
    ("F13", 0x4175, "int", larger("p_sum")),
    ("F14", 0x417C, "int", larger("q_sum")),
    ("F15", 0x4183, "int", larger("s_sum")),
    ("F16", 0x418A, "int", larger("pf")),
    ("F17", 0x41AD, "int", larger("v_unbalance")),
    ("F18", 0x405A, "word", FADED["thd_v1"]),
    ("F18", 0x41BB, "int", larger("thd_v1")),
    ("F19", 0x4062, "word", FADED["v1_h2"]),
    ("F19", 0x45BF, "word", FADED["i3_h63"]),
    ("F20", 0x4080, "word", FADED["v1_odd"]),
    ("F21", 0x4081, "word", FADED["v1_even"]),
    ("F22", 0x4082, "word", FADED["v1_crest"]),
    ("F23", 0x40E8, "word", FADED["i1_k_factor"]),
    ("F25", 0x42A1, "word", FADED["angle_v3_v1"]),
]
AT_50_HZ = [("F24", 0x4083 + 34 * k, BRIGHT[f"v{k + 1}_thff"]) for k in range(3)]
SECONDARY = [
    ("F7", 0x4048), ("F7", 0x4620), ("F8", 0x404C), ("F8", 0x462C), ("F9", 0x4058), ("F9", 0x4638),
]  # fmt: skip


@pytest.fixture(scope="module")
def registers():
    return Registers(lived()[0])


def raw(registers, address, dtype):
    read = {"word": registers.unsigned, "int": registers.signed, "dword": registers.dword}[dtype]
    return read(address)


def printed(code):
    """The format codes of a cell of the table: F4/F7 is one by 1019H, primary and secondary."""
    return set(code.split("/"))


@pytest.mark.parametrize(
    ("code", "address", "dtype", "value"), SHOWN, ids=lambda v: v if isinstance(v, str) else None
)
def test_register_shows_the_signal_by_the_manuals_formula(registers, code, address, dtype, value):
    decode, shown = RELATIONSHIP[code], raw(registers, address, dtype)
    assert code in printed(register_map("kw320q").by_address[address][0].code)
    count = abs(decode(1))
    # Energies count what is complete; all else is rounded.
    slack = count if code in {"F4", "F5", "F6"} else count / 2
    assert decode(shown) == pytest.approx(value, abs=slack * (1 + 1e-6))


@pytest.mark.parametrize(("code", "address"), SECONDARY)
def test_energies_of_the_secondary(code, address):
    fleet = build_fleet([CONFIG], start_ns=START)
    assert fleet.write(0, 0x1019, [1], START).refusal is None
    fleet.advance(segment(FADED_VOLTS, FADED_AMPERES, start_ns=START, frequency=50.5), START + 10 * MINUTE)
    per_minute = {
        0x4048: sum(max(FADED[f"p{k}"], 0) for k in (1, 2, 3)),
        0x4620: FADED["p1"],
        0x404C: sum(max(FADED[f"q{k}"], 0) for k in (1, 2, 3)),
        0x462C: max(FADED["q1"], 0),
        0x4058: FADED["s_sum"],
        0x4638: FADED["s1"],
    }
    decode = RELATIONSHIP[code]
    assert code in printed(register_map("kw320q").by_address[address][0].code)
    shown = decode(Registers(fleet).dword(address))
    assert shown == pytest.approx(per_minute[address] / 6, abs=decode(1) * (1 + 1e-6))
    assert shown > 0


@pytest.mark.parametrize(("code", "address", "value"), AT_50_HZ)
def test_form_factor_by_the_weights_at_50_hz(code, address, value):
    registers = Registers(steady()[0])
    assert code in printed(register_map("kw320q").by_address[address][0].code)
    assert RELATIONSHIP[code](registers.unsigned(address)) == pytest.approx(value, abs=0.5e-4 * (1 + 1e-6))


def test_every_code_of_the_manual_is_shown_and_no_other():
    codes = {f"F{k}" for k in range(1, 26)}
    assert set(RELATIONSHIP) == codes
    assert {row[0] for row in (*SHOWN, *AT_50_HZ, *SECONDARY)} == codes
    used = {code for register in register_map("kw320q").registers for code in printed(register.code)}
    # Set points and records of alarms follow their parameter, F10 to F18 (6.3.4, 6.3.7).
    assert used - codes == {"parameter"}
    assert codes <= used
    assert {form.code for form in ALARM_FORMATS.values()} - {"F1", "F25"} == {f"F{k}" for k in range(10, 19)}


@pytest.mark.parametrize("secondary", [0, 1])
def test_every_registers_scale_is_that_of_its_code(secondary):
    """The tag list leads from each whole number to its primary value as the relationship table does."""
    fleet = build_fleet([CONFIG], start_ns=START)
    assert fleet.write(0, 0x1019, [secondary], START).refusal is None
    percent = {"F17", "F18", "F19", "F20", "F21", "F24"}
    for point in fleet.points(0):
        register = register_map("kw320q").by_name[point.name]
        if register.dtype == "float" or register.code == "parameter":
            continue
        code = sorted(printed(register.code), key=lambda each: int(each[1:]))[
            secondary if "/" in register.code else 0
        ]
        unit = KWH if "/" in register.code else 0.01 if code in percent else 1.0
        assert point.scale * unit == pytest.approx(RELATIONSHIP[code](1)), point.name
