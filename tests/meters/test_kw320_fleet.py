"""A fleet fed with a constructed signal shows, register by register, what its phasors say.

Addresses and formulas are typed here from the manual's tables 6.3.1 to 6.3.8; the decoder is the test's own.
"""

import math

import pytest

from tests.meters.kw320_registers import (
    BRIGHT,
    CONFIG,
    ENERGIES,
    FADED,
    MINUTE,
    P_EXPORT,
    P_IMPORT,
    SCALARS,
    Registers,
    lived,
    nearest,
    ratio,
    sliding,
)
from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, START, VOLTS, segment
from twin.contracts import AlarmRecord
from twin.meters import build_fleet


@pytest.fixture(scope="module")
def site():
    return lived()


@pytest.fixture(scope="module")
def registers(site):
    return Registers(site[0])


@pytest.mark.parametrize("start", [0x3000, 0x4000])
def test_instantaneous_values(registers, start):
    for place, name in enumerate(SCALARS):
        shown = registers.float(start + 2 * place) * ratio(name)
        assert shown == pytest.approx(FADED[name], rel=2e-7), name


def test_unbalance_and_load_type(registers):
    assert registers.float(0x403C) == pytest.approx(FADED["v_unbalance"], rel=1e-6)
    assert registers.float(0x403E) == pytest.approx(FADED["i_unbalance"], rel=1e-6)
    assert registers.float(0x4040) == FADED["load_type"]


@pytest.mark.parametrize(
    ("address", "name"),
    [(0x4042, "p_sum"), (0x4044, "q_sum"), (0x4046, "s_sum"), (0x4600, "i1"), (0x4602, "i2"), (0x4604, "i3")],
)
def test_demand(registers, address, name):
    # The window that straddles the two stretches mixes them for less than a fifth of a second.
    assert registers.float(address) * ratio(name) == pytest.approx(sliding(name, 3), rel=2e-3)


@pytest.mark.parametrize(("address", "watt_hours"), ENERGIES.items(), ids=[f"{a:04X}H" for a in ENERGIES])
def test_energy(registers, address, watt_hours):
    # F4..F6: 0.1 kWh; the change of the signal takes the windows up to 0.2 s to notice, 0.02 Wh per kW.
    counts = watt_hours / 100
    slack = abs(watt_hours) * 0.002 / 100
    assert math.floor(abs(counts) - slack) <= abs(registers.signed_dword(address)) <= abs(counts) + slack
    assert counts == 0 or registers.signed_dword(address) * counts > 0


def test_distortion_and_harmonics(registers):
    for place, name in enumerate(("v1", "v2", "v3", "v_avg", "i1", "i2", "i3", "i_avg")):
        assert nearest(registers.unsigned(0x405A + place), FADED[f"thd_{name}"], 1e-4), name
    low = {"v1": 0x4062, "v2": 0x4084, "v3": 0x40A6, "i1": 0x40C8, "i2": 0x40E9, "i3": 0x410A}
    high = {"v1": 0x4500, "v2": 0x4520, "v3": 0x4540, "i1": 0x4560, "i2": 0x4580, "i3": 0x45A0}
    for channel, first in low.items():
        for order in range(2, 64):
            address = first + order - 2 if order < 32 else high[channel] + order - 32
            assert nearest(registers.unsigned(address), FADED[f"{channel}_h{order}"], 1e-4), (channel, order)
        assert nearest(registers.unsigned(first + 30), FADED[f"{channel}_odd"], 1e-4)
        assert nearest(registers.unsigned(first + 31), FADED[f"{channel}_even"], 1e-4)
        if channel[0] == "v":
            assert nearest(registers.unsigned(first + 32), FADED[f"{channel}_crest"], 1e-3)
        else:
            assert nearest(registers.unsigned(first + 32), FADED[f"{channel}_k_factor"], 0.1)


def test_telephone_factor_at_fifty_hertz():
    fleet = build_fleet([CONFIG], start_ns=START)
    fleet.advance(segment(VOLTS, AMPERES, start_ns=START), START + 2 * SECOND)
    registers = Registers(fleet)
    for address, channel in ((0x4083, "v1"), (0x40A5, "v2"), (0x40C7, "v3")):
        assert nearest(registers.unsigned(address), BRIGHT[f"{channel}_thff"], 1e-4), channel


def test_sequence_and_angles(registers):
    at = 0x4294
    for prefix, resolution, factor in (("ua", 0.1, PT), ("ia", 0.001, CT)):
        for name in ("positive", "negative", "zero"):
            for part in ("real", "imag"):
                value = FADED[f"{prefix}_{name}_{part}"] / factor
                assert nearest(registers.signed(at), value, resolution), (prefix, name, part)
                at += 1
    for place, name in enumerate(("v2", "v3", "i1", "i2", "i3")):
        assert nearest(registers.unsigned(0x42A0 + place), FADED[f"angle_{name}_v1"], 0.1), name


EXTREMES = (
    *((name, 0.1) for name in ("v1", "v2", "v3", "v12", "v23", "v31")),
    *((name, 0.001) for name in ("i1", "i2", "i3")),
    *((name, 1.0) for name in ("p_sum", "q_sum", "s_sum")),
    ("pf", 0.001),
    ("frequency", 0.01),
    *((name, 1.0) for name in ("p_demand", "q_demand", "s_demand")),
    *((name, 0.001) for name in ("v_unbalance", "i_unbalance")),
    *((f"thd_{name}", 0.0001) for name in ("v1", "v2", "v3", "i1", "i2", "i3")),
)
"""Order and unit of a count of the maxima from 4136H and the minima from 41E5H, seven words each."""
FIRST_SECOND = [2026, 1, 15, 6, 0, 1]
DIMMED = [2026, 1, 15, 6, 2, 1]


def history(name):
    """The value of each minute's end, the beginning first, secondary."""
    if name.endswith("_demand"):
        source = {"p": "p_sum", "q": "q_sum", "s": "s_sum"}.get(name[0]) if name[1] == "_" else name[:2]
        return [sliding(source, minutes) / ratio(source) for minutes in range(4)]
    return [BRIGHT[name] / ratio(name), FADED[name] / ratio(name)]


@pytest.mark.parametrize(("start", "worst"), [(0x4136, max), (0x41E5, min)])
def test_extremes(registers, start, worst):
    for place, (name, resolution) in enumerate(EXTREMES):
        raw = registers.signed(start + 7 * place)
        expected = worst(history(name)) / resolution
        # The windows between the stretches may mix them beyond both; demands mix them as above.
        slack = (
            0.002 * abs(expected) if name.endswith("_demand") or "unbalance" in name or "thd" in name else 0.0
        )
        assert abs(raw - expected) <= 0.5 + 1e-6 + slack, name


def test_times_of_extremes(registers):
    for place, (name, _) in enumerate(EXTREMES):
        if name in {"v1", "v2", "v3", "v12", "v23", "v31", "i1", "i2", "i3", "s_sum"}:
            assert registers.row(0x4137 + 7 * place, 6) == FIRST_SECOND, name
            assert registers.row(0x41E6 + 7 * place, 6) == DIMMED, name
        elif name == "frequency":
            assert registers.row(0x4137 + 7 * place, 6) == DIMMED
            assert registers.row(0x41E6 + 7 * place, 6) == FIRST_SECOND
        elif name == "s_demand":
            assert registers.row(0x4137 + 7 * place, 6) == [2026, 1, 15, 6, 3, 0]
            assert registers.row(0x41E6 + 7 * place, 6) == FIRST_SECOND


def test_extremes_of_current_demand(registers):
    for place, name in enumerate(("i1", "i2", "i3")):
        raw = registers.signed(0x4606 + 7 * place)
        assert raw == pytest.approx(sliding(name, 3) / CT * 1000, rel=2e-3)
        assert registers.row(0x4607 + 7 * place, 6) == [2026, 1, 15, 6, 3, 0]


def test_alarm_records(site, registers):
    alarms = [record for record in site[1] if isinstance(record, AlarmRecord)]
    assert [(a.channel, a.parameter, a.transition) for a in alarms] == [
        (3, "i1", "active"),
        (3, "i1", "return"),
    ]
    first, second = registers.row(0x42A9, 10), registers.row(0x42B3, 10)
    assert first[0:2] == [9 << 8 | 1, 9]
    assert nearest(first[2], BRIGHT["i1"] / CT, 0.001)
    assert second[0:2] == [9 << 8, 9]
    # Five seconds after the first look at the signal; back when it fades.
    for words, alarm in zip((first, second), alarms, strict=True):
        since = (alarm.time_ns - START) // 1_000_000
        assert words[3:] == [2026, 1, 15, 6, since // 60_000, since // 1000 % 60, since % 1000]
    assert START + 5 * SECOND <= alarms[0].time_ns <= START + 6 * SECOND
    assert START + 2 * MINUTE <= alarms[1].time_ns <= START + 2 * MINUTE + SECOND
    assert set(registers.row(0x42BD, 140)) == {0}
    assert registers.unsigned(0x1032) == 2
    assert registers.unsigned(0x102E) == 1


def test_settings_and_clock(registers):
    assert registers.row(0x0FFD, 2) == [0, 0]
    assert registers.unsigned(0x1000) == 1234
    # 20000.0 V is 200000 = 3 x 65536 + 3392 tenths.
    assert registers.row(0x1003, 29) == [
        *(0, 0, 3, 3392, 1000, 200, 5, 1, 1, 1, 15, 1, 0, 0x55, 0),
        *(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    ]
    assert registers.unsigned(0x1021) == 0
    assert registers.row(0x1033, 4) == [0, 0, 5, 0]  # three minutes are 0.05 h
    assert registers.unsigned(0x1038) == 0
    assert registers.row(0x103F, 7) == [4, 2026, 1, 15, 6, 3, 0]
    assert registers.row(0x1046, 8) == [1, 0, 1 << 2, 0, 0, 0, 0, 0]
    # Channel 3: I1, greater, 3.5 A, 500 x 10 ms.
    assert registers.row(0x104E, 80) == [0, 1, 0, 0, 0] * 2 + [9, 1, 3500, 500, 0] + [0, 1, 0, 0, 0] * 13
    assert registers.row(0x8000, 10) == [0, 0, 0, 0, 58, 0, 80, 10, 0, 120]
    assert registers.row(0x800B, 5) == [5000, 0, 100, 0, 0]


ZEROS = (
    *(0x1020, *range(0x1022, 0x102E), 0x1037, 0x800A),  # reserved (6.3.2, 6.3.8)
    *(0x412B, *range(0x42A5, 0x42A9), *range(0x4381, 0x4385), *range(0x4391, 0x4399)),
    *(*range(0x45C0, 0x4600), 0x461B),
    *range(0x4F02, 0x4F15),  # there is no mesh module (6.3.7)
)


def test_addresses_without_a_quantity_read_zero(registers):
    for address in ZEROS:
        assert registers.unsigned(address) == 0


def test_these_tests_cover_every_readable_register(registers):
    covered = {
        *range(0x3000, 0x303C),
        *range(0x3200, 0x3220),
        *range(0x4000, 0x412C),  # floats, energies, distortion, harmonics of low order, a zero
        *range(0x4136, 0x42A9),  # extremes, sequence, angles, four zeros
        *range(0x42A9, 0x4349),  # alarm records
        *range(0x4391, 0x4399),
        *range(0x4500, 0x461C),
        *range(0x4F02, 0x4F15),
        *range(0x4620, 0x478E),  # those of past months: test_kw320_months.py
        *range(0x0FFD, 0x103F),
        *range(0x103F, 0x109E),
        *range(0x1100, 0x1340),
        *range(0x109E, 0x10C6),  # input and output modules: test_kw320_io.py
        *range(0x10D0, 0x10F4),
        *range(0x4349, 0x4391),
        *range(0x4399, 0x443A),
        *range(0x10100, 0x10103),  # relays and inputs
        0x10200,  # the supply
        *range(0x8000, 0x8010),
    }
    assert covered == set(registers.word)


def test_decoding_gives_primary_values(site):
    fleet, _ = site
    shown = fleet.decode(0, fleet.words(0))
    for name in (*SCALARS, "v_unbalance", "i_unbalance"):
        assert shown[name] == pytest.approx(FADED[name], rel=2e-7), name
    assert shown["thd_v1"] == pytest.approx(FADED["thd_v1"], abs=0.5e-4)
    assert shown["ep_imp"] == pytest.approx(sum(P_IMPORT), abs=100 + 0.002 * sum(P_IMPORT))
    assert shown["ep_exp"] == pytest.approx(sum(P_EXPORT), abs=100 + 0.002 * sum(P_EXPORT))
