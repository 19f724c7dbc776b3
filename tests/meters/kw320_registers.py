"""A kw320q that lived through the constructed signal, its registers by address, and what they should show.

Addresses and formulas are typed here from the manual's tables 6.3.1 to 6.3.8; the decoder is the tests' own.
"""

import struct

from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, START, VOLTS, scaled, segment, truth
from twin.meters import AlarmConfig, MeterConfig, build_fleet

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
    accuracy="ideal",
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


def sliding(name, minutes):
    """Demand of the default window, 15 minutes that began with zeros (4.1)."""
    return (min(minutes, 2) * BRIGHT[name] + max(minutes - 2, 0) * FADED[name]) / 15


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


def nearest(raw, value, resolution):
    return abs(raw - value / resolution) <= 0.5 + 1e-6


def steady(*, config=CONFIG, seconds=2):
    fleet = build_fleet([config], start_ns=START)
    feed = segment(VOLTS, AMPERES, start_ns=START)
    fleet.advance(feed, START + seconds * SECOND)
    return fleet, feed
