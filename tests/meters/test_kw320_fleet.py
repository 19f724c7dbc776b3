"""A fleet fed with a constructed signal shows, register by register, what its phasors say.

Addresses and formulas are typed here from the manual's tables 6.3.1 to 6.3.8; the decoder is the test's own.
"""

import math
import struct

import numpy as np
import pytest

from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, START, VOLTS, scaled, segment, truth
from twin.contracts import AlarmRecord, Refusal
from twin.meters import AlarmConfig, MeterConfig, MeterConfigError, build_fleet
from twin.meters.kw320.fleet import NotNowError

MINUTE = 60 * SECOND
FADED_VOLTS, FADED_AMPERES = scaled(VOLTS, 0.95), scaled(AMPERES, 0.8)
"""The third minute: less of all, at 50.5 Hz."""
BRIGHT = truth()
FADED = truth(FADED_VOLTS, FADED_AMPERES, frequency=50.5)
CONFIG = MeterConfig(
    name="head",
    location="feeder 1",
    pt1=20_000,
    pt2=100,
    ct1=200,
    ct2=5,
    rated_voltage=58,
    registers={"sag_threshold_percent": 80, "swell_threshold_percent": 120, "password": 1234},
    alarms=(AlarmConfig(channel=3, parameter="i1", comparison=">", setpoint=140.0, delay_s=5.0),),
)


class Registers:
    """The words of a meter by address."""

    def __init__(self, fleet, meter=0):
        self.word = {}
        words = fleet.words(meter).tolist()
        for block in fleet.blocks(meter):
            for offset in range(block.count):
                self.word[block.address + offset] = words[len(self.word)]
        assert len(self.word) == len(words)

    def unsigned(self, address):
        return self.word[address]

    def signed(self, address):
        return self.word[address] - 0x10000 * (self.word[address] > 0x7FFF)

    def dword(self, address):
        return self.word[address] << 16 | self.word[address + 1]

    def signed_dword(self, address):
        return self.dword(address) - 0x1_0000_0000 * (self.dword(address) > 0x7FFF_FFFF)

    def float(self, address):
        return struct.unpack(">f", struct.pack(">2H", self.word[address], self.word[address + 1]))[0]

    def row(self, address, count):
        return [self.word[address + k] for k in range(count)]


def lived(*, config=CONFIG, until=3 * MINUTE):
    """A meter through two bright minutes and a faded one, ten seconds at a time."""
    fleet = build_fleet([config], start_ns=START)
    records = []
    for feed, begin, end in (
        (segment(VOLTS, AMPERES, start_ns=START), 0, 2 * MINUTE),
        (segment(FADED_VOLTS, FADED_AMPERES, start_ns=START + 2 * MINUTE, frequency=50.5), 2 * MINUTE, until),
    ):
        for now in range(begin + 10 * SECOND, end + 1, 10 * SECOND):
            records += fleet.advance(feed, START + now)
    return fleet, records


@pytest.fixture(scope="module")
def site():
    return lived()


@pytest.fixture(scope="module")
def registers(site):
    return Registers(site[0])


SCALARS = (
    *("frequency", "v1", "v2", "v3", "v_avg", "v12", "v23", "v31", "vll_avg", "i1", "i2", "i3", "i_avg"),
    *("i_n", "p1", "p2", "p3", "p_sum", "q1", "q2", "q3", "q_sum", "s1", "s2", "s3", "s_sum"),
    *("pf1", "pf2", "pf3", "pf"),
)
"""Floats from 3000H and 4000H on, two words each (6.3.6, 6.3.7)."""


def ratio(name):
    """Primary over secondary of a quantity (6.3)."""
    if name.startswith(("pf", "thd", "frequency", "v_unb", "i_unb", "load")):
        return 1.0
    if name[0] == "v":
        return PT
    return CT if name[0] == "i" else PT * CT


@pytest.mark.parametrize("start", [0x3000, 0x4000])
def test_instantaneous_values(registers, start):
    for place, name in enumerate(SCALARS):
        shown = registers.float(start + 2 * place) * ratio(name)
        assert shown == pytest.approx(FADED[name], rel=2e-7), name


def test_unbalance_and_load_type(registers):
    assert registers.float(0x403C) == pytest.approx(FADED["v_unbalance"], rel=1e-6)
    assert registers.float(0x403E) == pytest.approx(FADED["i_unbalance"], rel=1e-6)
    assert registers.float(0x4040) == FADED["load_type"]


def sliding(name, minutes):
    """Demand of the default window, 15 minutes that began with zeros (4.1)."""
    return (min(minutes, 2) * BRIGHT[name] + max(minutes - 2, 0) * FADED[name]) / 15


@pytest.mark.parametrize(
    ("address", "name"),
    [(0x4042, "p_sum"), (0x4044, "q_sum"), (0x4046, "s_sum"), (0x4600, "i1"), (0x4602, "i2"), (0x4604, "i3")],
)
def test_demand(registers, address, name):
    # The window that straddles the two stretches mixes them for less than a fifth of a second.
    assert registers.float(address) * ratio(name) == pytest.approx(sliding(name, 3), rel=2e-3)


def energy(name):
    """Watt hours of three minutes (or varh, VAh) [primary]."""
    return (2 * BRIGHT[name] + FADED[name]) / 60


def split(kind):
    """Import and export by phase."""
    each = [energy(f"{kind}{k}") for k in (1, 2, 3)]
    return [max(x, 0) for x in each], [max(-x, 0) for x in each]


P_IMPORT, P_EXPORT = split("p")
Q_IMPORT, Q_EXPORT = split("q")
ENERGIES = {
    0x4048: sum(P_IMPORT),
    0x404A: sum(P_EXPORT),
    0x404C: sum(Q_IMPORT),
    0x404E: sum(Q_EXPORT),
    0x4050: sum(P_IMPORT) + sum(P_EXPORT),
    0x4052: sum(P_IMPORT) - sum(P_EXPORT),
    0x4054: sum(Q_IMPORT) + sum(Q_EXPORT),
    0x4056: sum(Q_IMPORT) - sum(Q_EXPORT),
    0x4058: energy("s_sum"),
    **{0x4620 + 4 * k: P_IMPORT[k] for k in range(3)},
    **{0x4622 + 4 * k: P_EXPORT[k] for k in range(3)},
    **{0x462C + 4 * k: Q_IMPORT[k] for k in range(3)},
    **{0x462E + 4 * k: Q_EXPORT[k] for k in range(3)},
    **{0x4638 + 2 * k: energy(f"s{k + 1}") for k in range(3)},
}


@pytest.mark.parametrize(("address", "watt_hours"), ENERGIES.items(), ids=[f"{a:04X}H" for a in ENERGIES])
def test_energy(registers, address, watt_hours):
    # F4..F6: 0.1 kWh; the change of the signal takes the windows up to 0.2 s to notice, 0.02 Wh per kW.
    counts = watt_hours / 100
    slack = abs(watt_hours) * 0.002 / 100
    assert math.floor(abs(counts) - slack) <= abs(registers.signed_dword(address)) <= abs(counts) + slack
    assert counts == 0 or registers.signed_dword(address) * counts > 0


def nearest(raw, value, resolution):
    return abs(raw - value / resolution) <= 0.5 + 1e-6


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


def test_loggable_addresses_without_a_quantity_read_zero(registers):
    for address in (0x412B, *range(0x4381, 0x4385), *range(0x4391, 0x4399), *range(0x45C0, 0x4600), 0x461B):
        assert registers.unsigned(address) == 0


def test_these_tests_cover_every_readable_register(registers):
    covered = {
        *range(0x3000, 0x303C),
        *range(0x4000, 0x412C),  # floats, energies, distortion, harmonics of low order, a zero
        *range(0x4136, 0x42A5),  # extremes, sequence, angles
        *range(0x42A9, 0x4349),  # alarm records
        *range(0x4381, 0x4385),
        *range(0x4391, 0x4399),
        *range(0x4500, 0x461C),
        *range(0x4620, 0x463E),
        *(0x0FFD, 0x0FFE, 0x1000, *range(0x1003, 0x1020), 0x1021, 0x102E, *range(0x1032, 0x1037), 0x1038),
        *range(0x103F, 0x109E),
        *range(0x8000, 0x800A),
        *range(0x800B, 0x8010),
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


# -- what settings do to the words ----------------------------------------------------------------------


def steady(*, config=CONFIG, seconds=2):
    fleet = build_fleet([config], start_ns=START)
    feed = segment(VOLTS, AMPERES, start_ns=START)
    fleet.advance(feed, START + seconds * SECOND)
    return fleet, feed


def write(fleet, address, *words, seconds=2):
    return fleet.write(0, address, words, START + seconds * SECOND)


def test_primary_mode_shows_primary_floats():
    fleet, _ = steady()
    assert write(fleet, 0x101D, 1).refusal is None
    registers = Registers(fleet)
    for place, name in enumerate(SCALARS):
        assert registers.float(0x4000 + 2 * place) == pytest.approx(BRIGHT[name], rel=2e-7), name
    assert fleet.decode(0, fleet.words(0))["v1"] == pytest.approx(BRIGHT["v1"], rel=2e-7)
    # Whole numbers keep their formulas.
    assert nearest(registers.signed(0x4136), BRIGHT["v1"] / PT, 0.1)


def test_energy_preset_shows_at_once_and_counts_on():
    fleet, feed = steady()
    assert write(fleet, 0x4048, 0x0A9D, 0x4089).refusal is None
    assert Registers(fleet).row(0x4048, 2) == [0x0A9D, 0x4089]
    fleet.advance(feed, START + 62 * SECOND)
    counted = sum(max(BRIGHT[f"p{k}"], 0) for k in (1, 2, 3)) / 60 / 100
    assert Registers(fleet).dword(0x4048) == pytest.approx(178_077_833 + counted, abs=1)


def test_preset_of_one_energy_leaves_the_others():
    fleet, _ = steady(seconds=60)
    before = {address: Registers(fleet).dword(address) for address in ENERGIES}
    assert write(fleet, 0x4050, 0, 5000, seconds=60).refusal is None
    after = {address: Registers(fleet).dword(address) for address in ENERGIES}
    assert after == before | {0x4050: 5000}


@pytest.mark.parametrize("address", ENERGIES, ids=[f"{a:04X}H" for a in ENERGIES])
def test_every_energy_reads_back_its_preset(address):
    fleet, _ = steady()
    assert write(fleet, address, 0x0001, 0x86A1).refusal is None
    assert Registers(fleet).row(address, 2) == [0x0001, 0x86A1]


def test_secondary_energies_start_at_zero():
    fleet, feed = steady(seconds=60)
    assert Registers(fleet).dword(0x4048) > 0
    assert write(fleet, 0x1019, 1, seconds=60).refusal is None
    assert all(Registers(fleet).dword(address) == 0 for address in ENERGIES)
    fleet.advance(feed, START + 120 * SECOND)
    secondary = sum(max(BRIGHT[f"p{k}"], 0) for k in (1, 2, 3)) / 60 / PT / CT
    assert Registers(fleet).dword(0x4048) == pytest.approx(secondary, abs=1)  # counts of 0.001 kWh


def test_clearing_energy_demand_extremes_and_alarms():
    fleet, records = lived()
    now = START + 3 * MINUTE

    def clear(address, word):
        assert fleet.write(0, address, [word], now).refusal is None

    clear(0x1016, 1)
    assert all(Registers(fleet).dword(address) == 0 for address in ENERGIES)
    clear(0x100F, 1)
    assert [Registers(fleet).float(0x4042 + 2 * k) for k in range(3)] == [0.0, 0.0, 0.0]
    clear(0x1010, 0x0A)
    registers = Registers(fleet)
    assert nearest(registers.signed(0x4136), FADED["v1"] / PT, 0.1)
    assert registers.row(0x4137, 6) == [2026, 1, 15, 6, 3, 0]
    assert registers.unsigned(0x1010) == 0x55
    clear(0x1021, 0x0A)
    registers = Registers(fleet)
    assert set(registers.row(0x42A9, 160)) == {0}
    assert (registers.unsigned(0x1032), registers.unsigned(0x102E)) == (0, 0)
    assert records


def test_new_alarm_bit_is_cleared_by_command_and_never_set():
    fleet, _ = lived()
    now = START + 3 * MINUTE
    assert fleet.write(0, 0x102E, [0], now).refusal is None
    assert Registers(fleet).unsigned(0x102E) == 0
    fleet.write(0, 0x102E, [1], now)
    assert Registers(fleet).unsigned(0x102E) == 0
    assert Registers(fleet).unsigned(0x1032) == 2


def test_current_direction_turns_power():
    fleet, feed = steady()
    assert write(fleet, 0x1012, 1).refusal is None
    fleet.advance(feed, START + 4 * SECOND)
    assert Registers(fleet).float(0x401C) * PT * CT == pytest.approx(-BRIGHT["p1"], rel=1e-6)
    assert Registers(fleet).float(0x401E) * PT * CT == pytest.approx(BRIGHT["p2"], rel=1e-6)


def test_fast_block_refreshes_ten_times_a_second():
    fleet, _ = steady()
    change = segment(FADED_VOLTS, FADED_AMPERES, start_ns=START + 2 * SECOND)
    fleet.advance(change, START + 2 * SECOND + 450_000_000)
    registers = Registers(fleet)
    assert registers.float(0x3002) * PT == pytest.approx(FADED["v1"], rel=1e-6)
    assert registers.float(0x4002) * PT == pytest.approx(BRIGHT["v1"], rel=1e-6)
    fleet.advance(change, START + 3 * SECOND)
    assert Registers(fleet).float(0x4002) * PT == pytest.approx(FADED["v1"], rel=1e-6)


def test_words_do_not_depend_on_who_looks_when():
    watched, feed = steady()
    for tenth in range(1, 31):
        watched.advance(feed, START + 2 * SECOND + tenth * SECOND // 10)
        watched.words(0)
    alone, _ = steady(seconds=5)
    assert np.array_equal(watched.words(0), alone.words(0))


def test_words_are_a_copy():
    fleet, _ = steady()
    fleet.words(0)[:] = 7
    assert Registers(fleet).float(0x4000) == 50.0


# -- the fleet itself -----------------------------------------------------------------------------------


def test_meters_of_a_fleet_are_told_apart():
    plain = MeterConfig(name="plain", profile="kw320")
    fleet = build_fleet([CONFIG, plain], start_ns=START)
    both = segment(VOLTS, (*AMPERES, *scaled(VOLTS, 0.02), *scaled(AMPERES, 0.01)), start_ns=START)
    fleet.advance(both, START + 2 * SECOND)
    assert (len(fleet), fleet.names, fleet.index("plain"), fleet.index("other")) == (
        2,
        ("head", "plain"),
        1,
        None,
    )
    assert fleet.decode(0, fleet.words(0))["v1"] == pytest.approx(BRIGHT["v1"], rel=2e-7)
    assert fleet.decode(1, fleet.words(1))["v1"] == pytest.approx(0.02 * BRIGHT["v1"], rel=2e-7)
    assert fleet.write(1, 0x1008, [500, 5], START + 2 * SECOND).refusal is None
    assert (Registers(fleet, 0).unsigned(0x1008), Registers(fleet, 1).unsigned(0x1008)) == (200, 500)
    assert len(fleet.windows(0)) == 2
    assert fleet.windows(1) == ()
    assert fleet.function_codes(1) == {1, 2, 3, 5, 16}
    assert max(block.address for block in fleet.blocks(1)) < 0x8000
    assert len(fleet.write_regions(0)) == len(fleet.write_regions(1)) + 3


def test_meter_info():
    info = build_fleet([CONFIG], start_ns=START).info(0)
    assert (info.name, info.profile, info.location) == ("head", "kw320q", "feeder 1")
    assert (info.rated_voltage, info.rated_current) == (58 * PT, 200.0)


def test_points_lead_to_primary_values():
    fleet, _ = steady()
    registers, points = Registers(fleet), {point.name: point for point in fleet.points(0)}
    v1 = points["v1"]
    assert (v1.address, v1.words, v1.type, v1.word_order, v1.unit) == (
        0x4002,
        2,
        "float32",
        "high first",
        "V",
    )
    assert registers.float(v1.address) * v1.scale == pytest.approx(BRIGHT["v1"], rel=2e-7)
    p_max = points["max_p_sum"]
    assert p_max.type == "int16"
    assert registers.signed(p_max.address) * p_max.scale == pytest.approx(BRIGHT["p_sum"], abs=0.5 * PT * CT)
    thd = points["thd_v1"]
    assert registers.unsigned(thd.address) * thd.scale == pytest.approx(100 * BRIGHT["thd_v1"], abs=0.005)
    assert (points["ep_imp"].type, points["ep_imp"].scale, points["ep_imp"].unit) == ("uint32", 0.1, "kWh")
    assert points["ep_net"].type == "int32"
    assert points["run_time"].scale == 0.01
    assert points["alarm1_setpoint"].scale == 1.0
    assert len(points) == len(fleet.points(0))


def test_refused_write_answers_why():
    fleet, _ = steady()
    before = fleet.words(0)
    answer = write(fleet, 0x1008, 0, 5)
    assert answer.refusal is Refusal.ILLEGAL_VALUE
    assert answer.detail == "ct1 (1008H): 0 is out of range 1..50000"
    assert answer.applied_ns == START + 2 * SECOND
    assert np.array_equal(fleet.words(0), before)


def test_write_needs_meters_that_are_there():
    fleet, _ = steady()
    with pytest.raises(NotNowError):
        fleet.write(0, 0x1008, [500, 5], START + 3 * SECOND)
    assert Registers(fleet).unsigned(0x1008) == 200


def test_all_problems_of_all_meters_come_at_once():
    configs = [
        MeterConfig(name="a", ct1=0, registers={"sag_treshold_percent": 90}),
        MeterConfig(name="a", profile="kw32"),
    ]
    with pytest.raises(MeterConfigError) as error:
        build_fleet(configs, start_ns=START)
    assert str(error.value).splitlines() == [
        "a: ct1: 0 A is out of range; use 1..50000 A",
        "a: registers.sag_treshold_percent: is no setting register of a kw320q; "
        "did you mean 'sag_threshold_percent'?",
        "a: profile: 'kw32' is no known meter; did you mean 'kw320'?",
        "a: stands twice; give each meter its own name",
    ]
