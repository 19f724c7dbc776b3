"""A constructed three-phase signal, and everything that a meter should show of it, from the phasors alone.

Nothing here uses the product's metrology or codec: the quantities are sums over orders, written out.
"""

import cmath
import math

import numpy as np

from twin.contracts import Segment

START = 1_768_456_800_000_000_000
"""2026-01-15 06:00:00 UTC, a Thursday, on a whole minute."""
SECOND = 1_000_000_000
PT, CT = 20_000 / 100, 200 / 5
"""Ratios of the meter that the tests install."""


def polar(magnitude, degrees):
    return cmath.rect(magnitude, math.radians(degrees))


VOLTS = (
    {1: polar(11500, 0), 2: polar(60, 10), 3: polar(230, 40), 5: polar(345, -70), 7: polar(115, 20)},
    {1: polar(11400, -121), 2: polar(50, 80), 3: polar(150, 160), 5: polar(300, 60), 40: polar(40, 5)},
    {1: polar(11600, 119), 2: polar(40, 0), 3: polar(180, -100), 5: polar(310, 190), 63: polar(30, 77)},
)
"""RMS phasors of va, vb, vc by order, primary [V]."""
AMPERES = (
    {1: polar(150, -30), 2: polar(3, 15), 3: polar(12, 100), 5: polar(18, -150), 7: polar(9, 33)},
    {1: polar(140, -98), 3: polar(10, 10), 5: polar(15, 0), 40: polar(2, 30)},
    {1: polar(120, -76), 3: polar(8, 200), 5: polar(11, 75), 63: polar(1.5, -20)},
)
"""The same of ia, ib, ic [A]; phase b leads its voltage, phase c exports."""

# Psophometric weights of ITU-T O.41 table 1 [dB]; 150, 250, 350 Hz lie midway in dB, 2 kHz is in the table,
# 3150 Hz is 0.3 of the way from 3 to 3.5 kHz.
WEIGHT_DB_50 = {1: -63.0, 2: -41.0, 3: -31.0, 5: -15.8, 7: -8.45, 40: -3.0, 63: -5.6 - 0.3 * 2.9}


def segment(volts, amperes, *, start_ns, frequency=50.0, theta=0.0):
    """The signal of several meters; RMS phasors become peak amplitudes by sqrt 2."""
    channels = [*volts, *amperes]
    orders = sorted({order for channel in channels for order in channel})
    amplitude = np.array([[math.sqrt(2) * channel.get(order, 0) for order in orders] for channel in channels])
    return Segment(
        start_ns, frequency, theta, np.array(orders, float), np.zeros(len(orders), complex), amplitude
    )


def scaled(channels, factor):
    return tuple({order: factor * phasor for order, phasor in channel.items()} for channel in channels)


def rms(channel):
    return math.sqrt(sum(abs(phasor) ** 2 for phasor in channel.values()))


def difference(one, other):
    return {order: one.get(order, 0) - other.get(order, 0) for order in one.keys() | other.keys()}


def total(channels):
    return {order: sum(c.get(order, 0) for c in channels) for order in set().union(*channels)}


def sequence(channels):
    """Positive, negative and zero sequence of the fundamentals."""
    a = polar(1, 120)
    first, second, third = (channel[1] for channel in channels)
    return (
        (first + a * second + a * a * third) / 3,
        (first + a * a * second + a * third) / 3,
        (first + second + third) / 3,
    )


def root_of_squares(channel, keep):
    squares = sum(abs(phasor) ** 2 for order, phasor in channel.items() if order > 1 and keep(order))
    return math.sqrt(squares) / abs(channel[1])


def largest_sample(channel):
    """Largest magnitude of 64 samples a cycle, the first at theta = 0."""
    angles = [2 * math.pi * k / 64 for k in range(64)]
    return max(
        abs(
            sum(
                math.sqrt(2) * (phasor * cmath.exp(1j * order * angle)).real
                for order, phasor in channel.items()
            )
        )
        for angle in angles
    )


def k_factor(channel):
    return sum((order * abs(phasor)) ** 2 for order, phasor in channel.items()) / rms(channel) ** 2


def thff(channel):
    """Telephone harmonic form factor at 50 Hz."""
    weighted = [
        abs(phasor) * order * 50 / 800 * 10 ** (WEIGHT_DB_50[order] / 20) for order, phasor in channel.items()
    ]
    return math.sqrt(sum(value**2 for value in weighted)) / rms(channel)


def truth(volts=VOLTS, amperes=AMPERES, *, frequency=50.0):
    """Every displayed quantity of a steady signal by register name; primary SI, fractions, degrees."""
    shown = {"frequency": frequency}
    for k in range(3):
        v, i = volts[k], amperes[k]
        product = {order: v[order] * i[order].conjugate() for order in v.keys() & i.keys()}
        p, q, s = (
            sum(x.real for x in product.values()),
            sum(x.imag for x in product.values()),
            rms(v) * rms(i),
        )
        shown |= {f"v{k + 1}": rms(v), f"i{k + 1}": rms(i)}
        shown |= {f"p{k + 1}": p, f"q{k + 1}": q, f"s{k + 1}": s, f"pf{k + 1}": p / s}
        for name, channel in ((f"v{k + 1}", v), (f"i{k + 1}", i)):
            shown[f"thd_{name}"] = root_of_squares(channel, lambda order: True)
            shown[f"{name}_odd"] = root_of_squares(channel, lambda order: order % 2 == 1)
            shown[f"{name}_even"] = root_of_squares(channel, lambda order: order % 2 == 0)
            for order in range(2, 64):
                shown[f"{name}_h{order}"] = abs(channel.get(order, 0)) / abs(channel[1])
        shown[f"v{k + 1}_crest"] = largest_sample(v) / rms(v)
        shown[f"v{k + 1}_thff"] = thff(v) if frequency == 50.0 else None
        shown[f"i{k + 1}_k_factor"] = k_factor(i)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        shown[f"v{one + 1}{other + 1}"] = rms(difference(volts[one], volts[other]))
    shown["v_avg"] = (shown["v1"] + shown["v2"] + shown["v3"]) / 3
    shown["vll_avg"] = (shown["v12"] + shown["v23"] + shown["v31"]) / 3
    shown["i_avg"] = (shown["i1"] + shown["i2"] + shown["i3"]) / 3
    shown["i_n"] = rms(total(amperes))
    for letter in "pqs":
        shown[f"{letter}_sum"] = sum(shown[f"{letter}{k}"] for k in (1, 2, 3))
    shown["pf"] = shown["p_sum"] / shown["s_sum"]
    shown["load_type"] = float(ord("L" if shown["p_sum"] * shown["q_sum"] > 0 else "C"))
    for letter, channels in (("v", volts), ("i", amperes)):
        positive, negative, zero = sequence(channels)
        shown[f"{letter}_unbalance"] = abs(negative) / abs(positive)
        shown[f"thd_{letter}_avg"] = sum(shown[f"thd_{letter}{k}"] for k in (1, 2, 3)) / 3
        prefix = "ua" if letter == "v" else "ia"
        for name, component in (("positive", positive), ("negative", negative), ("zero", zero)):
            turned = component * cmath.exp(-1j * cmath.phase(volts[0][1]))
            shown[f"{prefix}_{name}_real"], shown[f"{prefix}_{name}_imag"] = turned.real, turned.imag
    for name, channel in (("v2", volts[1]), ("v3", volts[2]), *((f"i{k + 1}", amperes[k]) for k in range(3))):
        angle = math.degrees(cmath.phase(channel[1]) - cmath.phase(volts[0][1]))
        shown[f"angle_{name}_v1"] = angle % 360
    return shown
