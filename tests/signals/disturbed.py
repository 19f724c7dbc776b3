"""A steady source and its samples, for tests of what disturbs them."""

import cmath
import math
from itertools import pairwise

import numpy as np

from twin.contracts import NS_PER_SECOND, Instant
from twin.signals import synthesise, theta_at
from twin.signals.source import SourceStep, source_signal

START = 1_767_225_600 * NS_PER_SECOND
PEAK = 230.0 * math.sqrt(2.0)
A = cmath.exp(2j * math.pi / 3)


def at(seconds):
    return START + round(seconds * NS_PER_SECOND)


def steady(duration_s=1.0, **given):
    given = {"frequency": 50.0, "voltage": (230.0,) * 3, "current": (10.0,) * 3} | given
    return source_signal([SourceStep(duration_s=duration_s, **given)], start_ns=START)


def wave(signal, start_s, duration_s, rate=100_000.0):
    count = round(duration_s * rate)
    t = start_s + np.arange(count) / rate
    return t, synthesise(signal, Instant(at(start_s)), step_s=1.0 / rate, count=count)


def gapless(signal):
    """Whether segments follow each other in time until the end."""
    starts = [part.start_ns for part in signal.segments]
    return starts == sorted(set(starts)) and starts[-1] < signal.end_ns


def continuous_theta(signal):
    """Whether theta goes on through all boundaries."""
    for one, two in pairwise(signal.segments):
        jump = (theta_at(one, two.start_ns) - two.theta) / (2 * math.pi)
        if abs(jump - round(jump)) > 1e-9:
            return False
    return True
