"""A small site whose numbers fit together, for the pages to draw: frames on demand, and a recording."""

import math
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np

from twin.contracts import (
    NS_PER_SECOND,
    AlarmLine,
    Answer,
    BranchLine,
    BusLine,
    Command,
    Diagram,
    EventRecord,
    Frame,
    IntervalRecord,
    MeterInfo,
    MeterLine,
    Record,
    Refusal,
    SwitchLine,
    WaveformRecord,
)
from twin.recording import RecordingWriter

ZONE = "Europe/Berlin"
START_NS = 1_792_567_800 * NS_PER_SECOND
"""2026-10-21 05:30 UTC, 07:30 in Berlin."""
DAY_NS = 86_400 * NS_PER_SECOND
METERS = (
    ("head", "bus1", 11_000 / math.sqrt(3), 60.0),
    ("shop", "bus3", 230.0, 250.0),
    ("farm", "bus4", 230.0, 160.0),
)
"""Name, bus, rated line-to-neutral voltage [V], rated current [A]."""

DIAGRAM = Diagram(
    buses=(
        BusLine("grid", 0.0, 0.45, "source"),
        BusLine("bus1", 0.22, 0.45, "bus"),
        BusLine("bus2", 0.5, 0.45, "bus"),
        BusLine("bus3", 0.78, 0.12, "bus"),
        BusLine("bus4", 0.78, 0.78, "bus"),
        BusLine("shop", 1.0, 0.12, "customer"),
        BusLine("farm", 1.0, 0.66, "customer"),
        BusLine("roof", 1.0, 0.95, "photovoltaic"),
    ),
    branches=(
        BranchLine("feeder", "grid", "bus1", "line"),
        BranchLine("t1", "bus1", "bus2", "transformer"),
        BranchLine("line3", "bus2", "bus3", "line"),
        BranchLine("line4", "bus2", "bus4", "line"),
        BranchLine("drop_shop", "bus3", "shop", "line", ("cb_shop",)),
        BranchLine("drop_farm", "bus4", "farm", "line"),
        BranchLine("drop_roof", "bus4", "roof", "line"),
    ),
)


def meter_line(
    name: str, bus: str, rated_v: float, rated_i: float, *, load: float, energy_kwh: float
) -> MeterLine:
    """A balanced-ish load at cos phi 0.94: P, Q, S and PF follow from V, I and the angle."""
    v = tuple(rated_v * factor * (1 - 0.03 * load) for factor in (1.0, 1.002, 0.997))
    i = tuple(rated_i * load * factor for factor in (1.0, 0.9, 0.95))
    angle = math.acos(0.94)
    s = sum(a * b for a, b in zip(v, i, strict=True))
    p, q = s * math.cos(angle), s * math.sin(angle)
    return MeterLine(
        name=name, profile="kw320q", location=f"line at {bus}", bus=bus, endpoint="127.0.0.1:5021 unit 1",
        v=v, i=i, p=p, q=q, s=s, pf=p / s if s else float("nan"), frequency=50.0 + 0.01 * math.sin(7 * load),
        thd_v=(2.1, 2.2, 2.0), thd_i=(11.0, 12.4, float("nan")), v_unbalance=0.29, p_demand=0.9 * p,
        ep_imp=energy_kwh, ep_exp=0.0, rated_voltage=rated_v, rated_current=rated_i, in_event="",
    )  # fmt: skip


class SyntheticSite:
    """A frame source and command queue under the test's control."""

    def __init__(self) -> None:
        self.diagram = DIAGRAM
        self.commands: list[Command] = []
        self._lock = threading.Lock()
        self._closed = {"cb_shop": True, "cap1": False}
        self._energy = {name: 1000.0 * (at + 1) for at, (name, *_) in enumerate(METERS)}
        self._frame = Frame(
            sequence=0, sim_ns=START_NS, time_zone=ZONE, speed=1.0, paused=False, lateness_s=0.0,
            title="Village feeder", meters=(), switches=(), alarms=(), event_count=0, load_changes=0,
            solves=0,
        )  # fmt: skip
        self.advance()

    def latest(self) -> Frame | None:
        return self._frame

    def advance(self, seconds: float = 1.0) -> None:
        """Publish the next frame, ``seconds`` of simulated time later."""
        with self._lock:
            old = self._frame
            t = (old.sim_ns - START_NS) / NS_PER_SECOND + seconds
            meters = []
            for at, (name, bus, v, i) in enumerate(METERS):
                load = (
                    0.0
                    if name == "shop" and not self._closed["cb_shop"]
                    else 0.5 + 0.2 * math.sin(t / 20 + at)
                )
                line = meter_line(name, bus, v, i, load=load, energy_kwh=self._energy[name])
                self._energy[name] += line.p * seconds / 3.6e6
                meters.append(replace(line, ep_imp=self._energy[name]))
            self._frame = replace(
                old, sequence=old.sequence + 1, sim_ns=old.sim_ns + round(seconds * NS_PER_SECOND),
                meters=tuple(meters), switches=self._switches(), load_changes=old.load_changes + 3,
                solves=old.solves + 4,
            )  # fmt: skip

    def change(self, **fields: object) -> None:
        """Publish a frame with other fields."""
        with self._lock:
            self._frame = replace(self._frame, sequence=self._frame.sequence + 1, **fields)  # type: ignore[arg-type]

    def _switches(self) -> tuple[SwitchLine, ...]:
        return (
            SwitchLine("cb_shop", "bus3", self._closed["cb_shop"], "switch"),
            SwitchLine("cap1", "bus2", self._closed["cap1"], "capacitor"),
        )

    def submit(self, command: Command) -> "Future[Answer]":
        self.commands.append(command)
        answer: Future[Answer] = Future()
        now = self._frame.sim_ns
        if command.target in self._closed:
            self._closed[command.target] = command.verb == "close"
            self.change(switches=self._switches())
        elif command.verb in {"pause", "resume"}:
            self.change(paused=command.verb == "pause")
        elif command.verb == "set_speed":
            speed = float(command.arguments["speed"])  # type: ignore[arg-type]
            if speed > 1000:
                answer.set_result(Answer(now, Refusal.ILLEGAL_VALUE, "speed must be at most 1000"))
                return answer
            self.change(speed=speed)
        else:
            answer.set_result(Answer(now, Refusal.UNKNOWN_TARGET))
            return answer
        answer.set_result(Answer(now))
        return answer


def alarm(
    meter: str,
    channel: int,
    parameter: str,
    since_s: float,
    *,
    value: float,
    setpoint: float,
    returned_s: float | None = None,
) -> AlarmLine:
    since = START_NS + round(since_s * NS_PER_SECOND)
    returned = None if returned_s is None else START_NS + round(returned_s * NS_PER_SECOND)
    return AlarmLine(
        meter,
        channel,
        parameter,
        ">" if value > setpoint else "<",
        setpoint,
        value,
        returned is None,
        since,
        returned,
    )


def sag_capture(
    meter: str, number: int, trigger_ns: int, *, residual: float, rated_v: float, rated_i: float
) -> WaveformRecord:
    """Ten cycles before and ten after the trigger, 64 samples each; phase a sags for four cycles."""
    per_cycle, cycles = 64, 20
    n = per_cycle * cycles
    theta = 2 * math.pi * np.arange(n) / per_cycle
    depth = np.ones(n)
    depth[10 * per_cycle : 14 * per_cycle] = residual
    rows = []
    for at in range(3):
        level = depth if at == 0 else np.ones(n)
        rows.append(math.sqrt(2) * rated_v * level * np.sin(theta - at * 2 * math.pi / 3))
    for at in range(3):
        level = 1 / depth if at == 0 else np.ones(n)
        rows.append(math.sqrt(2) * 0.4 * rated_i * level * np.sin(theta - 0.35 - at * 2 * math.pi / 3))
    scale = tuple(2.2 * math.sqrt(2) * rated_v / 32767 for _ in range(3)) + tuple(
        4 * rated_i / 32767 for _ in range(3)
    )
    raw = np.round(np.array(rows) / np.array(scale)[:, None]).astype(np.int16)
    return WaveformRecord(
        meter,
        number,
        "sag",
        trigger_ns,
        10 * per_cycle,
        1 / (50 * per_cycle),
        ("va", "vb", "vc", "ia", "ib", "ic"),
        raw,
        scale,
    )


def intervals(days: int, minutes: int = 15) -> list[Record]:
    """A day's curve with a morning and an evening peak; energy and reactive energy of each interval."""
    found: list[Record] = []
    step = minutes * 60 * NS_PER_SECOND
    first = START_NS // DAY_NS * DAY_NS - (days - 1) * DAY_NS
    for at, (name, _, rated_v, rated_i) in enumerate(METERS):
        for k in range(days * 24 * 60 // minutes):
            end = first + (k + 1) * step
            hour = (end / NS_PER_SECOND / 3600) % 24
            load = (
                0.25
                + 0.3 * math.exp(-((hour - 7) ** 2) / 4)
                + 0.5 * math.exp(-((hour - 18.5 - 0.3 * at) ** 2) / 5)
            )
            v = rated_v * (1 - 0.03 * load)
            p = 3 * v * rated_i * load * 0.94
            hours = minutes / 60
            values = {
                "p_imp_wh": p * hours, "p_exp_wh": 0.0, "q_imp_varh": p * 0.363 * hours,
                "v1_avg": v, "v1_min": 0.985 * v, "v1_max": 1.01 * v, "i1_avg": rated_i * load,
                "pf_avg": 0.94, "thd_v1_max": 0.02 + 0.01 * load, "p_max": 1.2 * p,
            }  # fmt: skip
            found.append(IntervalRecord(name, end, minutes * 60.0, values))
    return found


EVENTS = (
    # meter, number, type, phases, start after START [s], duration [s], percent of rated
    ("shop", 1, "sag", "a", -7200.0, 0.08, 55.0),
    ("farm", 1, "sag", "abc", -5400.0, 1.2, 72.0),
    ("head", 1, "swell", "b", -3600.0, 0.3, 126.0),
    ("shop", 2, "sag", "a", -1800.0, 0.015, 30.0),
    ("farm", 2, "over_current", "c", -900.0, 2.0, 140.0),
)


def events() -> list[Record]:
    found: list[Record] = []
    rated = {name: (v, i) for name, _, v, i in METERS}
    for meter, number, kind, phases, after, duration, percent in EVENTS:
        start = START_NS + round(after * NS_PER_SECOND)
        base = rated[meter][1 if kind == "over_current" else 0]
        threshold = base * {"sag": 0.9, "swell": 1.1, "over_current": 1.2}[kind]
        end = start + round(duration * NS_PER_SECOND)
        found.append(
            EventRecord(
                meter,
                number,
                kind,
                phases,
                start,
                start + 40_000_000,
                end,
                base * percent / 100,
                threshold,
                base,
            )
        )
        if meter != "head":
            found.append(
                sag_capture(
                    meter,
                    number,
                    start + 40_000_000,
                    residual=min(percent, 100) / 100,
                    rated_v=rated[meter][0],
                    rated_i=rated[meter][1],
                )
            )
    return found


def write_recording(path: Path, *, days: int = 2) -> RecordingWriter:
    """A recording with load profile, events and captures; still open for more."""
    infos = [MeterInfo(name, "kw320q", f"line at {bus}", v, i) for name, bus, v, i in METERS]
    writer = RecordingWriter.create(path, scenario={"name": "Village feeder"}, meters=infos)
    writer.append(intervals(days))
    writer.append(events())
    writer.flush()
    return writer
