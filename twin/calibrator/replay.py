"""A recording through the reference analyser: its readings, as IEC 61000-4-30 class A defines them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.calibrator.replay_events import event_rows, find_events, half_cycle_starts, one_cycle_rms
from twin.metrology import FlickerMeter, Lamp, harmonic_groups, symmetrical_components, window_bins
from twin.recording.lattice import Lattice, lattice_of
from twin.recording.nominal import nominal_voltage
from twin.recording.sampled_recording import SampledRecording

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Row = dict[str, Any]

CHANNELS: Final = ("va", "vb", "vc", "ia", "ib", "ic")
ORDERS: Final = 50
TEN_MINUTES_S: Final = 600.0
_NEGLIGIBLE: Final = 1e-9
_FLICKER_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What a replay is told beyond its recording."""

    frequency: float
    """Nominal, 50 or 60 [Hz]."""
    nominal: float | None = None
    """Line to neutral, primary [V]; without it `nominal_voltage` tells."""
    lamp: Lamp | None = None
    """Of the flickermeter; the 230 V one at 50 Hz and the 120 V one at 60 Hz without it."""


def replay_reference(recording: SampledRecording, options: ReplayOptions) -> Row:
    """Return the readings of the reference analyser; what does not exist is None.

    Raises
    ------
    BadInputError
        If the recording has no fundamental, or is too short.
    """
    lattice = lattice_of(recording, nominal_frequency=options.frequency)
    rows = {name: row for row, name in enumerate(recording.channels)}
    voltages = [name for name in CHANNELS[:3] if name in rows]
    starts = half_cycle_starts(lattice)
    sliding = one_cycle_rms(lattice.samples, lattice.per_cycle)[:, starts]
    volts = sliding[[rows[name] for name in voltages]]
    nominal = options.nominal or nominal_voltage(
        _live(volts if starts.size else _over_all(lattice, rows, voltages))
    )
    cycles = 12 if options.frequency == 60.0 else 10
    total = _whole_bins(lattice)
    powers = _powers(lattice, total, rows)
    harmonics, window = _harmonics(lattice, total, cycles)
    phases = "".join(name[1] for name in voltages)
    events = find_events(
        lattice.samples[[rows[name] for name in voltages]],
        lattice,
        nominal=nominal,
        nominal_frequency=round(options.frequency),
    )
    return {
        "rms": _by_channel(rows, np.sqrt((lattice.whole**2).mean(axis=1))),
        **powers,
        "frequency": lattice.frequency,
        "thd": _by_channel(rows, _distortion(harmonics)),
        "harmonics": {name: _orders(harmonics[rows[name]]) if name in rows else None for name in CHANNELS},
        "window_cycles": window,
        "unbalance": _unbalance(total, rows),
        "flicker": {"pst": _severity(recording, rows, options)},
        "energy": _energy(lattice, rows, recording),
        "events": event_rows(events, phases),
        "half_cycle_rms": _half_cycles(lattice, starts, sliding, rows),
    }


def _by_channel(rows: dict[str, int], values: Float) -> Row:
    return {name: _number(values[rows[name]]) if name in rows else None for name in CHANNELS}


def _number(value: float | np.floating[Any]) -> float | None:
    return float(value) if math.isfinite(value) else None


def _live(volts: Float) -> Float:
    """Return the half-cycle values of the voltages that are there at all."""
    levels = np.median(volts, axis=1)
    return volts[levels > 0.2 * levels.max()] if levels.max() > 0.0 else volts


def _over_all(lattice: Lattice, rows: dict[str, int], voltages: Sequence[str]) -> Float:
    """Return the RMS of each voltage over all whole cycles, (voltages, 1)."""
    whole = lattice.whole[[rows[name] for name in voltages]]
    rms: Float = np.sqrt((whole**2).mean(axis=1, keepdims=True))
    return rms


def _whole_bins(lattice: Lattice) -> Complex:
    """Return the RMS phasors of orders 0 to 50 over all whole cycles, zero beyond what the rate carries."""
    whole = lattice.whole
    bins = np.fft.rfft(whole, axis=1) / whole.shape[1]
    out = np.zeros((whole.shape[0], ORDERS + 1), np.complex128)
    highest = min(ORDERS, lattice.carried)
    out[:, : highest + 1] = bins[:, : (highest + 1) * lattice.cycles : lattice.cycles][:, : highest + 1]
    out[:, 1:] *= math.sqrt(2.0)
    return out


def _powers(lattice: Lattice, total: Complex, rows: dict[str, int]) -> Row:
    """Return P, Q of the fundamental, S and power factor by phase, and their totals."""
    p: Row = {}
    q: Row = {}
    s: Row = {}
    whole = lattice.whole
    for phase in "abc":
        v, i = rows.get(f"v{phase}"), rows.get(f"i{phase}")
        if v is None or i is None:
            p[phase] = q[phase] = s[phase] = None
            continue
        p[phase] = float((whole[v] * whole[i]).mean())
        q[phase] = float((total[v, 1] * total[i, 1].conjugate()).imag)
        s[phase] = math.sqrt(float((whole[v] ** 2).mean()) * float((whole[i] ** 2).mean()))
    known = [phase for phase in "abc" if p[phase] is not None]
    for table in (p, q):
        table["total"] = math.fsum(table[phase] for phase in known) if known else None
    # The vectorial apparent power of IEEE 1459, annex A, of the totals.
    s["total"] = math.hypot(p["total"], q["total"]) if known else None
    factor = {
        key: p[key] / s[key] if s[key] is not None and s[key] > _NEGLIGIBLE else None
        for key in [*"abc", "total"]
    }
    return {"p": p, "q": q, "s": s, "pf": factor}


def _harmonics(lattice: Lattice, total: Complex, cycles: int) -> tuple[Float, int]:
    """Return RMS by channel and order, NaN beyond what the rate carries, and the cycles of their window.

    The quadratic mean of the subgroups of all full 10/12-cycle windows (IEC 61000-4-30:2015, 5.8); of a
    shorter recording the orders of its whole cycles.
    """
    highest = min(ORDERS, lattice.carried)
    out = np.full((lattice.samples.shape[0], ORDERS + 1), np.nan)
    size = cycles * lattice.per_cycle
    windows = lattice.samples.shape[1] // size
    # The next order's neighbours must be there too, or the subgroups would lack them.
    orders = min(highest, (lattice.per_cycle - 1) // 2 - 1) + 1
    if windows == 0 or orders < 2:
        out[:, : highest + 1] = np.abs(total[:, : highest + 1])
        return out, lattice.cycles
    squares = np.zeros((lattice.samples.shape[0], highest + 1))
    for window in range(windows):
        part = lattice.samples[:, window * size : (window + 1) * size]
        groups = harmonic_groups(window_bins(part, cycles=cycles, orders=max(2, orders)), cycles=cycles)
        squares[:, :orders] += groups.subgroup[:, :orders] ** 2
        if orders <= highest:
            bins = np.abs(np.fft.rfft(part, axis=1)[:, highest * cycles] / size) * math.sqrt(2.0)
            squares[:, highest] += bins**2
    out[:, : highest + 1] = np.sqrt(squares / windows)
    return out, cycles


def _distortion(harmonics: Float) -> Float:
    """Return THD to order 50, as far as the rate carries, in percent; NaN without a fundamental."""
    content = np.sqrt(np.nansum(harmonics[:, 2:] ** 2, axis=1))
    base = harmonics[:, 1]
    out = np.full(base.shape, np.nan)
    np.divide(100.0 * content, base, out=out, where=base > _NEGLIGIBLE)
    return out


def _orders(values: Float) -> Row:
    return {str(order): _number(values[order]) for order in range(1, ORDERS + 1)}


def _unbalance(total: Complex, rows: dict[str, int]) -> Row:
    """Return u2 and u0 in percent of the positive sequence (5.7)."""
    if not all(name in rows for name in CHANNELS[:3]):
        return {"u2": None, "u0": None}
    phasors = total[[rows[name] for name in CHANNELS[:3]], 1]
    positive, negative, zero = (abs(complex(one)) for one in symmetrical_components(phasors))
    if positive <= _NEGLIGIBLE:
        return {"u2": None, "u0": None}
    return {"u2": 100.0 * negative / positive, "u0": 100.0 * zero / positive}


def _severity(recording: SampledRecording, rows: dict[str, int], options: ReplayOptions) -> Row:
    """Return Pst of the first ten minutes of each voltage; None below ten minutes (IEC 61000-4-15, 5.7.2)."""
    nothing: Row = dict.fromkeys(CHANNELS[:3])
    rate = recording.rate_hz
    if rate is None or recording.samples.shape[1] / rate < TEN_MINUTES_S - 1e-6:
        return nothing
    names = [name for name in CHANNELS[:3] if name in rows]
    hertz = round(options.frequency)
    lamp = options.lamp or (Lamp.V120 if hertz == 60 else Lamp.V230)
    meter = FlickerMeter(len(names), sample_rate=rate, lamp=lamp, nominal_frequency=hertz)
    samples = recording.samples[[rows[name] for name in names]]
    for begin in range(0, round(TEN_MINUTES_S * rate), _FLICKER_CHUNK):
        end = min(begin + _FLICKER_CHUNK, round(TEN_MINUTES_S * rate))
        meter.feed(samples[:, begin:end])
    return nothing | {name: _number(value) for name, value in zip(names, meter.pst(), strict=True)}


def _energy(lattice: Lattice, rows: dict[str, int], recording: SampledRecording) -> Row:
    """Return energies of all phases from the first sample to the end of the last one.

    Cycle by cycle by the sign of the sum of phases; what is left after the last whole cycle goes on as that
    cycle did.
    """
    names = ("p_imp_wh", "p_exp_wh", "q_imp_varh", "q_exp_varh")
    pairs = [(rows[f"v{x}"], rows[f"i{x}"]) for x in "abc" if f"v{x}" in rows and f"i{x}" in rows]
    if not pairs:
        return dict.fromkeys(names)
    shape = (lattice.cycles, lattice.per_cycle)
    turn = np.exp(-2j * math.pi * np.arange(lattice.per_cycle) / lattice.per_cycle)
    p, q = np.zeros(lattice.cycles), np.zeros(lattice.cycles)
    for v, i in pairs:
        volts, amperes = lattice.whole[v].reshape(shape), lattice.whole[i].reshape(shape)
        p += (volts * amperes).mean(axis=1)
        scale = math.sqrt(2.0) / lattice.per_cycle
        q += ((volts @ turn * scale) * (amperes @ turn * scale).conj()).imag
    hours = np.diff(lattice.time_s[:: lattice.per_cycle][: lattice.cycles + 1]) / 3600.0
    length = recording.samples.shape[1] / recording.rate_hz if recording.rate_hz else lattice.time_s[-1]
    hours[-1] += (length - float(lattice.time_s[lattice.cycles * lattice.per_cycle])) / 3600.0
    values = (np.maximum(p, 0.0), np.maximum(-p, 0.0), np.maximum(q, 0.0), np.maximum(-q, 0.0))
    return {name: math.fsum((one * hours).tolist()) for name, one in zip(names, values, strict=True)}


def _half_cycles(lattice: Lattice, starts: NDArray[np.int64], sliding: Float, rows: dict[str, int]) -> Row:
    """Return the half-cycle values: the end of the first window, the step, and the series."""
    if not starts.size:
        return {"t0_s": None, "step_s": None} | dict.fromkeys(CHANNELS)
    series = {name: sliding[rows[name]].tolist() if name in rows else None for name in CHANNELS}
    first = float(lattice.time_s[starts[0] + lattice.per_cycle])
    return {"t0_s": first, "step_s": 0.5 / lattice.frequency, **series}
