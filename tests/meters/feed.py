"""Signals for meters: a chain of stationary segments, with any source of phasors."""

from dataclasses import replace

import numpy as np

from twin.contracts import Segment
from twin.meters.settings import MeterSettings
from twin.signals import amplitude_from_rms, carried_theta

MINUTE = 60_000_000_000
SECOND = 1_000_000_000
T0 = 1_700_000_040_000_000_000
"""A whole minute of UTC."""
assert T0 % MINUTE == 0

SETTINGS = MeterSettings(
    "m",
    pt1=230,
    pt2=230,
    rated_voltage=230,
    sag_threshold_percent=80,
    swell_threshold_percent=110,
    accuracy="ideal",
)
"""A directly connected meter without errors of its own."""


def phasors(v=230.0, i=4.0, lag=0.0, *, meters=1):
    """RMS phasors of balanced meters: rows va vb vc ia ib ic, one term of order 1."""
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))
    one = np.concatenate([v * turn, i * turn * np.exp(-1j * lag)])
    return np.tile(one, meters)[:, None]


class Feed:
    """Builds segments that follow one another, theta carried over."""

    def __init__(self, start_ns=T0, *, frequency=50.0, theta=0.0, orders=(1.0,)):
        self.now = start_ns
        self.frequency = frequency
        self._theta = theta
        self._orders = np.array(orders, float)
        self.segments = []

    def add(self, rms, *, frequency=None, rate=None):
        """Append a segment of these RMS phasors that starts where time stands."""
        self.frequency = frequency or self.frequency
        theta = carried_theta(self.segments[-1], self.now) if self.segments else self._theta
        rates = np.zeros(len(self._orders), complex) if rate is None else np.array(rate, complex)
        amplitude = amplitude_from_rms(np.asarray(rms, complex))
        self.segments.append(Segment(self.now, self.frequency, theta, self._orders, rates, amplitude))
        return self.segments[-1]

    def anchor_again(self):
        """Append a segment that merely re-anchors the last one."""
        last = self.segments[-1]
        again = replace(last, start_ns=self.now, theta=carried_theta(last, self.now))
        self.segments.append(again)
        return again

    def run(self, bank, duration_ns, *, cuts=()):
        """Live through the newest segment, in pieces that end at the given times too."""
        end = self.now + duration_ns
        records = []
        for until in [cut for cut in sorted(cuts) if self.now < cut < end] + [end]:
            records += bank.advance(self.segments[-1], until)
        self.now = end
        return records
