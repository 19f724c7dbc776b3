"""What is on the meter's terminals: two stretches of a test bench, as a scenario and as phasors."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]

START = (2026, 1, 31, 23, 59)
"""A Saturday, 23:59 UTC and in London: the month ends with the first minute."""
SECONDS = 180
"""Two minutes of the first stretch, one of the second; then the meter is read."""
CHANGE_S = 120
MONTH_END_S = 60
PT1, PT2, CT1, CT2 = 20_000, 100, 200, 5
PT, CT = PT1 / PT2, CT1 / CT2
RATED_VOLTAGE = 58
"""11,547 V behind 200:1, in whole volts."""
ALARM_ABOVE_A, ALARM_DELAY_S = 130.0, 5
MODULES = {"io11": 0, "io12": 1, "io21": 2, "io22": 3, "io31": 4, "io32": 5}
"""All of them, and their bits in 1036H; nothing is wired to their inputs."""
ORDERS = 63


@dataclass(frozen=True, slots=True)
class Tone:
    """A harmonic: shares of the fundamentals and angles by cosine [%, deg]."""

    order: int
    volts: float
    volts_deg: float
    amperes: float
    amperes_deg: float
    phases: str = "abc"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the source does for a time: RMS values and angles of the fundamentals [V, A, deg]."""

    seconds: int
    volts: tuple[float, float, float]
    angles: tuple[float, float, float]
    amperes: tuple[float, float, float]
    lag: float
    tones: tuple[Tone, ...]

    def phasors(self) -> Complex:
        """Return RMS phasors, rows va vb vc ia ib ic, column h of order h [V and A]."""
        table = np.zeros((6, ORDERS + 1), complex)
        for k in range(3):
            volt, ampere = math.radians(self.angles[k]), math.radians(self.angles[k] - self.lag)
            table[k, 1] = self.volts[k] * np.exp(1j * volt)
            table[3 + k, 1] = self.amperes[k] * np.exp(1j * ampere)
            for tone in self.tones:
                if "abc"[k] in tone.phases:
                    turn = tone.order * volt + math.radians(tone.volts_deg)
                    table[k, tone.order] = self.volts[k] * tone.volts / 100 * np.exp(1j * turn)
                    turn = tone.order * ampere + math.radians(tone.amperes_deg)
                    table[3 + k, tone.order] = self.amperes[k] * tone.amperes / 100 * np.exp(1j * turn)
        return table

    def yaml(self) -> str:
        """Return it as a step of a scenario's source."""
        tones = [
            f"{{multiple: {t.order}, phases: {t.phases}, voltage: {t.volts} %, "
            f"voltage_angle: {t.volts_deg} deg, current: {t.amperes} %, current_angle: {t.amperes_deg} deg}}"
            for t in self.tones
        ]
        return (
            f"{{duration: {self.seconds} s, voltage: [{', '.join(f'{v} V' for v in self.volts)}], "
            f"voltage_angle: [{', '.join(f'{a} deg' for a in self.angles)}], "
            f"current: [{', '.join(f'{i} A' for i in self.amperes)}], "
            f"current_lag: {self.lag} deg, tones: [{', '.join(tones)}]}}"
        )


IMPORT = Stretch(
    CHANGE_S,
    (11_500.0, 11_400.0, 11_600.0),
    (0.0, -121.0, 119.0),
    (150.0, 140.0, 120.0),
    35.0,
    (Tone(2, 0.5, 10.0, 2.0, 15.0), Tone(5, 3.0, -70.0, 12.0, -150.0), Tone(40, 0.4, 5.0, 1.5, 30.0, "b")),
)
"""Inductive, from the bus into the feeder."""
EXPORT = Stretch(
    600 - CHANGE_S,
    (11_000.0, 11_250.0, 11_300.0),
    (0.0, -119.5, 121.5),
    (80.0, 95.0, 90.0),
    -160.0,
    (Tone(2, 0.3, 40.0, 1.0, 80.0), Tone(5, 2.0, 60.0, 8.0, 20.0), Tone(63, 0.25, 77.0, 1.2, -20.0, "ac")),
)
"""Back into the bus, with other harmonics."""

SCENARIO = f"""version: 1
title: A test bench for a walk through all registers
start: {START[0]}-{START[1]:02d}-{START[2]:02d} {START[3]:02d}:{START[4]:02d}
time_zone: Europe/London
duration: 10 min
dashboard: null
source:
  frequency: 50 Hz
  voltage: 11547 V
  steps:
    - {IMPORT.yaml()}
    - {EXPORT.yaml()}
meters:
  - name: walked
    profile: kw320q
    pt: "{PT1}:{PT2}"
    ct: "{CT1}:{CT2}"
    accuracy: ideal
    sag: null
    swell: null
    custom_read: [v2, p_sum]
    io: {{modules: [{", ".join(MODULES)}]}}
    alarms:
      - {{channel: 3, parameter: i1, comparison: ">", setpoint: {ALARM_ABOVE_A} A, delay: {ALARM_DELAY_S} s}}
    endpoint: {{port: 0, unit: 17}}
"""
METER = "walked"
