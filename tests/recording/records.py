"""Made-up but plausible records, a pure function of their number, for tests in any process."""

import dataclasses

import numpy as np

from twin.contracts import (
    AlarmRecord,
    CommandRecord,
    EventRecord,
    IntervalRecord,
    MeterInfo,
    RegisterRecord,
    SoeRecord,
    TerminalRecord,
    TruthEntry,
    WaveformRecord,
)

NS = 1_000_000_000
HOUR_NS = 3_600 * NS
DAY_NS = 24 * HOUR_NS
START_NS = 1_772_323_200 * NS
"""2026-03-01T00:00:00Z."""

METERS = (
    MeterInfo("head", "kw320q", "transformer TR1 at 1", 230.94, 400.0),
    MeterInfo("feeder", "kw320s", "line LINE1 at 1", 230.94, 100.0),
)
SCENARIO = {"name": "european_lv", "seed": 7, "meters": ("head", "feeder"), "steps": ()}


def truth(number):
    return TruthEntry(
        time_ns=START_NS + number * 4 * NS,
        kind="load_switched",
        element=f"LOAD{number % 55}",
        cause=f"household_{number % 55}.kettle",
        detail={"phase": "abc"[number % 3], "delta_p_w": 2_000.0 * (-1) ** number, "steps": (1, 2, number)},
    )


def event(number, *, ended=True, meter="head"):
    start_ns = START_NS + number * 7_000 * NS + 123
    return EventRecord(
        meter=meter,
        number=number,
        type=("sag", "swell", "over_current")[number % 3],
        phases=("a", "bc", "abc")[number % 3],
        start_ns=start_ns,
        trigger_ns=start_ns + 20_000_000,
        end_ns=start_ns + 100_000_000 if ended else None,
        extreme=180.0 + number / 7,
        threshold=207.846,
        rated=230.94,
    )


def alarm(number, *, meter="head"):
    return AlarmRecord(
        meter=meter,
        channel=1 + number % 3,
        parameter="i1",
        transition=("active", "return")[number % 2],
        time_ns=START_NS + number * 600 * NS,
        value=100.0 + number / 3,
        setpoint=100.0,
        comparison=">",
    )


def soe(number, *, meter="head"):
    return SoeRecord(
        meter=meter,
        module="io11",
        time_ns=START_NS + number * 600 * NS + 7_000_000,
        input=f"di{1 + number % 6}",
        on=number % 2 == 0,
        status=number % 64,
    )


def terminal(number, *, meter="head"):
    return TerminalRecord(
        meter=meter,
        time_ns=START_NS + number * 500 * NS,
        v=(230.0 + number / 7, 229.5, 0.0),
        i=(10.0 * number, 3.25, number / 3),
    )


def command(sequence):
    return CommandRecord(
        sequence=sequence,
        applied_ns=START_NS + sequence * 60 * NS,
        source="modbus:head",
        target="head",
        verb="write_registers",
        arguments={"address": 4_000, "words": (1, 2, 65_535)},
        refusal=None if sequence % 2 else "illegal_value",
    )


def waveform(number, *, meter="head", samples=320):
    counts = np.arange(6 * samples).reshape(6, samples) * (number + 1)
    return WaveformRecord(
        meter=meter,
        number=number,
        reason="sag",
        trigger_ns=START_NS + number * 7_000 * NS + 20_000_123,
        trigger_index=samples // 4,
        sample_interval_s=1 / 1_600,
        channels=("va", "vb", "vc", "ia", "ib", "ic"),
        raw=counts.astype(np.int16),
        scale=(0.1, 0.1, 0.1, 1 / 3, 1 / 3, 1 / 3),
    )


def interval(number, *, meter="head", every_s=900.0, channels=("p_imp_wh", "q_imp_varh", "v1_avg")):
    """The interval that ends ``number`` times ``every_s`` after the start."""
    return IntervalRecord(
        meter=meter,
        end_ns=START_NS + int(number * every_s * NS),
        duration_s=every_s,
        values={channel: np.sin(number + column) * 1e3 for column, channel in enumerate(channels)},
    )


STEP_S = 21_600.0


def batch(number):
    """Records of one step of six hours, so that a day is sealed at every fourth step."""
    return [
        interval(number, every_s=STEP_S),
        interval(number, meter="feeder", every_s=STEP_S, channels=("v1_avg", "p_max")),
        event(number),
        alarm(number),
        command(number),
        truth(number),
        waveform(number, samples=8),
    ]


def register(number, *, meter="head", address=100):
    return RegisterRecord(
        meter=meter,
        address=address,
        time_ns=START_NS + number * 60 * NS,
        words=(number % 65_536, 65_535 - number % 65_536),
    )


def one_of_each():
    """A record of every kind that retention knows."""
    return [
        truth(1),
        terminal(1),
        alarm(1),
        soe(1),
        event(1),
        waveform(1, samples=8),
        register(1),
        interval(1, every_s=STEP_S),
    ]


def moved(record, time_ns, number):
    """The same record at another time, with another number where it has one."""
    fields = {
        TruthEntry: {"time_ns": time_ns},
        AlarmRecord: {"time_ns": time_ns},
        SoeRecord: {"time_ns": time_ns},
        TerminalRecord: {"time_ns": time_ns},
        EventRecord: {
            "number": number,
            "start_ns": time_ns - 2,
            "trigger_ns": time_ns - 1,
            "end_ns": time_ns,
        },
        WaveformRecord: {"number": number, "trigger_ns": time_ns},
        RegisterRecord: {"time_ns": time_ns},
        IntervalRecord: {"end_ns": time_ns},
    }
    return dataclasses.replace(record, **fields[type(record)])
