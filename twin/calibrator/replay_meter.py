"""A recording through a meter with registers: what it would have shown, counted and logged.

The meter hangs on transformers of its own. It is switched on before the recording begins, on what the
recording's first cycles do, so that nothing of its start is in what it reads.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.calibrator.replay import CHANNELS, ORDERS
from twin.contracts import NS_PER_SECOND, BadInputError, EventRecord, Finding, Instant, Mark, Segment, Signal
from twin.meters import Fleet, MeterConfig, build_fleet, check_config
from twin.meters.inputs import Inputs
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.quantities import COLUMN, display
from twin.meters.settings import MeterSettings
from twin.meters.window import ORDERS as WINDOW_ORDERS
from twin.metrology import half_cycle_rms, measure_window, quantities
from twin.recording.lattice import Lattice, lattice_of
from twin.recording.nominal import live_nominal_voltage
from twin.recording.recorded_signal import recorded_signal
from twin.recording.sampled_recording import SampledRecording
from twin.signals import theta_at

Float = NDArray[np.float64]
Row = dict[str, Any]

LEAD_IN_S: Final = 2.0
"""How long the meter has been on when the recording begins [s]."""
SAG_PERCENT, SWELL_PERCENT, SAG_HALF_CYCLES = 90, 110, 4
"""Thresholds that the meter is set to, and the fewest half cycles of a sag that it can be set to."""
_DEFAULT_NS: Final = 1_767_225_600 * NS_PER_SECOND
"""Begin of recordings that do not tell theirs, 2026-01-01 UTC [ns]."""
_TWO_PI: Final = 2.0 * math.pi
_CHUNK: Final = 8
"""Segments whose half cycles are looked at together."""
_METERS: Final = ("v1", "v2", "v3", "i1", "i2", "i3")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReplay:
    """The meter that a recording is replayed through."""

    profile: str
    """``kw320`` or ``kw320q``."""
    frequency: float
    """Nominal, 50 or 60 [Hz]."""
    nominal: float | None = None
    """Line to neutral, primary [V]; without it as the reference analyser finds it."""
    pt: tuple[float, float] | None = None
    """Rated primary and secondary voltage of the transformer [V]; None without one."""
    ct: tuple[float, float] | None = None
    """Rated primary and secondary current [A]; None without one: the 5 A input."""
    ideal: bool = False
    """Whether its inputs have no errors."""


def replay_meter(recording: SampledRecording, wanted: MeterReplay) -> Row:
    """Return what the meter reads of a recording; what it does not have is None.

    Raises
    ------
    BadInputError
        If the recording has no fundamental, or the meter cannot be set so.
    """
    lattice = lattice_of(recording, nominal_frequency=wanted.frequency)
    config = _config(lattice, recording, wanted)
    start_ns = recording.start_ns if recording.start_ns is not None else _DEFAULT_NS
    signal = recorded_signal(lattice, recording, start_ns=start_ns, lead_in_s=LEAD_IN_S)
    settings = Kw320Meter(config, start_ns=signal.segments[0].start_ns).settings
    terminals = _terminals(signal, settings, start_ns)
    rows = {name: row for row, name in enumerate(recording.channels)}
    energy, events = _lived(config, _tied(signal, rows), _marks(lattice, start_ns), rows)
    return {
        **_shown(terminals, settings, lattice, rows),
        "window_cycles": lattice.cycles,
        "flicker": {"pst": dict.fromkeys(CHANNELS[:3])},
        "energy": energy if _powers_known(rows) else dict.fromkeys(energy),
        "events": _event_rows(events, start_ns, signal.end_ns, rows) if settings.power_quality else None,
        "half_cycle_rms": _half_cycles(terminals, settings, rows, lattice.frequency),
    }


def _powers_known(rows: dict[str, int]) -> bool:
    return any(f"v{x}" in rows and f"i{x}" in rows for x in "abc")


def _config(lattice: Lattice, recording: SampledRecording, wanted: MeterReplay) -> MeterConfig:
    nominal = wanted.nominal or live_nominal_voltage(lattice, recording)
    pt1, pt2 = wanted.pt or (0.0, 0.0)
    rated = nominal if wanted.pt is None else nominal * pt2 / pt1
    if wanted.pt is None:
        pt1 = pt2 = rated
    ct1, ct2 = wanted.ct or (5.0, 5.0)
    if not 50.0 <= rated <= 400.0:
        mend = "give --pt PRIMARY:SECONDARY, or the --nominal voltage of the recording"
        what = f"the meter is rated for 50 to 400 V at its inputs, not for {rated:.4g} V"
        raise BadInputError(Finding(Mark("command line"), "--pt", what, mend))
    registers = {"rated_frequency": 1 if wanted.frequency == 60.0 else 0}
    if wanted.profile == "kw320q":
        registers |= {
            "sag_threshold_percent": SAG_PERCENT,
            "sag_half_cycles": SAG_HALF_CYCLES,
            "swell_threshold_percent": SWELL_PERCENT,
        }
    config = MeterConfig(
        name="replay",
        profile=wanted.profile,
        pt1=pt1,
        pt2=pt2,
        ct1=int(ct1) if ct1 == int(ct1) else ct1,  # type: ignore[arg-type]
        ct2=int(ct2) if ct2 == int(ct2) else ct2,  # type: ignore[arg-type]
        rated_voltage=rated,
        registers=registers,
        accuracy="ideal" if wanted.ideal else "class",
    )
    problems = check_config(config)
    if problems:
        raise BadInputError(*(_problem(problem) for problem in problems))
    return config


def _problem(problem: str) -> Finding:
    """Return a problem of a configuration as a finding of the option that it comes from."""
    field, _, rest = problem.partition(": ")
    what, _, mend = rest.partition("; ")
    option = {"pt": "--pt", "ct": "--ct", "ra": "--nominal"}.get(field[:2], "--meter")
    return Finding(Mark("command line"), option, what, mend or "give another value")


def _terminals(signal: Signal, settings: MeterSettings, start_ns: int) -> Signal:
    """Return the recording as the measuring part of the meter gets it, secondary."""
    inputs = Inputs([settings])
    stops = [*(segment.start_ns for segment in signal.segments[1:]), signal.end_ns]
    parts: list[Segment] = []
    for segment, stop_ns in zip(signal.segments, stops, strict=True):
        if segment.start_ns < start_ns:
            continue
        secondary = inputs.secondary(segment)
        sampler = inputs.sampler(secondary)
        parts.append(secondary if sampler is None else sampler.until(stop_ns))
    return replace(signal, segments=tuple(parts))


def _shown(terminals: Signal, settings: MeterSettings, lattice: Lattice, rows: dict[str, int]) -> Row:
    """Return what the meter measures over the whole cycles from the first sample, primary."""
    begin_ns = terminals.segments[0].start_ns
    length = float(lattice.time_s[lattice.cycles * lattice.per_cycle]) * NS_PER_SECOND
    whole = math.floor(length)
    end = min(Instant(begin_ns + whole, length - whole), Instant(terminals.end_ns))
    measure = measure_window(terminals, Instant(begin_ns), end, orders=WINDOW_ORDERS)
    inputs = Inputs([settings])
    diagonal = np.arange(len(CHANNELS))
    measure.gram[:, diagonal, diagonal] += inputs.noise**2
    taken = quantities(measure)
    values, _ = display(
        taken,
        fundamental=np.array([settings.energy_mode == "fundamental"]),
        general=np.array([settings.reactive_mode == "general"]),
        ieee=np.array([settings.convention == "ieee"]),
        starting_current=inputs.starting_current,
    )
    shown = dict(zip(COLUMN, values[0].tolist(), strict=True))
    volts, amperes = settings.pt_ratio, settings.ct_ratio
    channels = dict(zip(CHANNELS, zip(_METERS, [volts] * 3 + [amperes] * 3, strict=True), strict=True))
    have = {name: channels[name] for name in CHANNELS if name in rows}
    nothing: Row = dict.fromkeys(CHANNELS)
    # Noise in a fundamental is told by no order: only what the signal has is shown.
    highest = min(ORDERS, lattice.carried)
    harmonic = taken.harmonic[0]
    reading: Row = {
        "rms": nothing | {name: shown[own] * ratio for name, (own, ratio) in have.items()},
        **{key: _by_phase(shown, key, volts * amperes, rows) for key in ("p", "q", "s")},
        "pf": _by_phase(shown, "pf", 1.0, rows),
        "frequency": shown["frequency"] if shown["frequency"] > 0.0 else None,
        "thd": nothing | {name: 100.0 * shown[f"thd_{own}"] for name, (own, _) in have.items()},
        "harmonics": nothing
        | {
            name: {
                str(order): float(harmonic[CHANNELS.index(name), order]) * ratio if order <= highest else None
                for order in range(1, ORDERS + 1)
            }
            for name, (_, ratio) in have.items()
        },
    }
    positive, zero = abs(taken.sequence[0, 0]), abs(taken.sequence[0, 2])
    three = all(name in rows for name in CHANNELS[:3]) and positive > 0.0
    reading["unbalance"] = {
        "u2": 100.0 * shown["v_unbalance"] if three else None,
        "u0": float(100.0 * zero / positive) if three else None,
    }
    return reading


def _by_phase(shown: dict[str, float], key: str, ratio: float, rows: dict[str, int]) -> Row:
    """Return a quantity of each phase that has voltage and current, and its total."""
    phases = [x for x in "abc" if f"v{x}" in rows and f"i{x}" in rows]
    row: Row = {x: shown[f"{key}{'abc'.index(x) + 1}"] * ratio if x in phases else None for x in "abc"}
    total = shown["pf" if key == "pf" else f"{key}_sum"] * ratio
    return row | {"total": total if phases else None}


def _tied(signal: Signal, rows: dict[str, int]) -> Signal:
    """Return a signal whose missing voltages are those of the first one that is there.

    A meter with an input at 0 V would be in a sag all the time, and log no other beside it.
    """
    there = [channel for channel, name in enumerate(CHANNELS[:3]) if name in rows]
    source = [channel if channel in there else there[0] for channel in range(3)] + [3, 4, 5]
    if len(there) == 3:
        return signal
    parts: list[Segment] = []
    for segment in signal.segments:
        block = segment.block
        if block is not None:
            block = replace(block, samples=block.samples[source])
        # Steady segments of one stretch go on sharing their amplitudes.
        shared = parts and signal.segments[len(parts) - 1].amplitude is segment.amplitude
        amplitude = parts[-1].amplitude if shared else segment.amplitude[source]
        parts.append(replace(segment, amplitude=amplitude, block=block))
    return replace(signal, segments=tuple(parts))


def _marks(lattice: Lattice, start_ns: int) -> tuple[int, int, int]:
    """Return the first sample, and begin and end of the last whole cycle, UTC [ns]."""
    last = lattice.cycles * lattice.per_cycle
    begin, end = (round(float(lattice.time_s[at]) * NS_PER_SECOND) for at in (last - lattice.per_cycle, last))
    return start_ns, start_ns + begin, start_ns + end


def _lived(
    config: MeterConfig, signal: Signal, marks: tuple[int, int, int], rows: dict[str, int]
) -> tuple[Row, list[EventRecord]]:
    """Let the meter live through a signal; return what it counted, and its log.

    What is left after the last whole cycle counts as that cycle did: reactive power has no other
    definition there.
    """
    fleet: Fleet = build_fleet([config], start_ns=signal.segments[0].start_ns)
    stops = [*(segment.start_ns for segment in signal.segments[1:]), signal.end_ns]
    marks = marks[0], marks[1], min(marks[2], signal.end_ns)
    counted: dict[int, dict[str, float]] = {}
    events: dict[int, EventRecord] = {}
    for segment, stop_ns in zip(signal.segments, stops, strict=True):
        inside = {mark for mark in marks if segment.start_ns < mark < stop_ns}
        for until_ns in sorted(inside | {stop_ns}):
            for record in fleet.advance(segment, until_ns):
                if isinstance(record, EventRecord):
                    events[record.number] = record
            if until_ns in marks:
                counted[until_ns] = fleet.energies(0)
    before, begin, end = (counted[mark] for mark in marks)
    phases = [x for x in "abc" if f"v{x}" in rows and f"i{x}" in rows]
    names = {
        "p_imp_wh": "ep{}_imp",
        "p_exp_wh": "ep{}_exp",
        "q_imp_varh": "eq{}_imp",
        "q_exp_varh": "eq{}_exp",
    }
    left = (signal.end_ns - marks[2]) / (marks[2] - marks[1])
    energy: Row = {}
    for name, own in names.items():
        keys = [own.format(x) for x in phases]
        energy[name] = math.fsum(end[key] - before[key] + left * (end[key] - begin[key]) for key in keys)
    return energy, list(events.values())


def _event_rows(events: list[EventRecord], start_ns: int, end_ns: int, known: dict[str, int]) -> list[Row]:
    """Return sags and swells as a replay prints events; one that lasts has no duration."""
    rows: list[Row] = []
    for event in sorted(events, key=lambda event: event.start_ns):
        if event.type not in {"sag", "swell"} or event.start_ns > end_ns:
            continue
        start_s = max(0, event.start_ns - start_ns) / NS_PER_SECOND
        lasts = event.end_ns is None or event.end_ns > end_ns
        phases = [phase for phase in event.phases if f"v{phase}" in known]
        until_s = None if lasts or event.end_ns is None else (event.end_ns - start_ns) / NS_PER_SECOND
        rows += [
            {
                "type": "dip" if event.type == "sag" else "swell",
                "phase": phase,
                "start": start_s,
                "duration_s": None if until_s is None else until_s - start_s,
                "extreme_v": event.extreme,
            }
            for phase in (["all"] if len(phases) == 3 else phases)
        ]
    return rows


def _half_cycles(terminals: Signal, settings: MeterSettings, rows: dict[str, int], frequency: float) -> Row:
    """Return URMS(1/2) and IRMS(1/2) at the terminals of the meter, primary."""
    segments = terminals.segments
    thetas = [segments[0].theta]  # counted on from the first one, at the start of each segment and the end
    for one, two in pairwise(segments):
        thetas.append(thetas[-1] + theta_at(one, two.start_ns) - one.theta)
    stop = thetas[-1] + theta_at(segments[-1], terminals.end_ns) - segments[-1].theta
    first, last = math.ceil(thetas[0] / math.pi - 1e-9) + 2, math.floor(stop / math.pi + 1e-9)
    series: list[Float] = []
    ends: list[int] = []
    k = first
    while k <= last:
        at = max(0, bisect_right(thetas, (k - 2) * math.pi) - 1)
        after = min(len(segments), at + _CHUNK)
        reach = stop if after == len(segments) else thetas[after]
        turns = round((thetas[at] - segments[at].theta) / _TWO_PI)
        upto = min(last, math.floor(reach / math.pi - (0.0 if after == len(segments) else 1e-9)))
        if upto < k:
            break
        end_ns = terminals.end_ns if after == len(segments) else segments[after].start_ns
        part = Signal(terminals.channels, segments[at:after], end_ns)
        ns, rms = half_cycle_rms(part, k - 2 * turns, upto - k + 1)
        series.append(rms)
        ends += ns.tolist()
        k = upto + 1
    if not series:
        return {"t0_s": None, "step_s": None} | dict.fromkeys(CHANNELS)
    joined = np.concatenate(series, axis=1)
    joined[:3] *= settings.pt_ratio
    joined[3:] *= settings.ct_ratio
    return {
        "t0_s": (ends[0] - segments[0].start_ns) / NS_PER_SECOND,
        "step_s": 0.5 / frequency,
        **{name: joined[CHANNELS.index(name)].tolist() if name in rows else None for name in CHANNELS},
    }
