"""A waveform capture as a chart: voltages, currents and their half-cycle RMS."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards import series
from dashboards.figures import INK, POINTS, SOFT, axis, layout, numbers, stacked_axes
from dashboards.quantity import engineering
from twin.contracts import EventRecord, WaveformRecord

Float = NDArray[np.float64]

PHASE_COLOURS = {"a": "#8a5a2b", "b": "#24292e", "c": "#7d868d"}
"""Brown, black, grey: the conductor colours of IEC 60445."""


def waveform_figure(
    wave: WaveformRecord, *, phases: list[str], rms: bool, event: EventRecord | None, height: int = 500
) -> dict[str, Any]:
    """Return voltages and currents of a capture over the time from its trigger, and their half-cycle RMS.

    A dotted line in its phase's colour is the RMS.

    Parameters
    ----------
    wave : WaveformRecord
        With samples.
    phases : list of str
        ``a``, ``b``, ``c``: those to draw.
    rms : bool
        Draw the one-cycle RMS too, each value at the end of its cycle.
    event : EventRecord
        Its threshold is drawn where it has one.
    """
    shapes, notes = [_TRIGGER], [_TRIGGER_NOTE]
    if event is not None and rms:
        shape, note = _threshold(event)
        shapes.append(shape)
        notes.append(note)
    chosen = layout(revision=f"{wave.meter}#{wave.number}", height=height, shapes=shapes, annotations=notes)
    chosen |= stacked_axes(["voltage [V]", "current [A]"])
    chosen["xaxis"] = axis(title={"text": "time from trigger [ms]"}, anchor="y2", hoverformat=".2f")
    return {"data": _traces(wave, phases, rms=rms), "layout": chosen}


def _traces(wave: WaveformRecord, phases: list[str], *, rms: bool) -> list[dict[str, Any]]:
    samples = physical(wave)
    after_trigger = np.arange(samples.shape[1], dtype=np.float64) - wave.trigger_index
    time_ms: Float = after_trigger * (1e3 * wave.sample_interval_s)
    voltages = samples[[at for at, name in enumerate(wave.channels) if name.startswith("v")]]
    cycle = series.samples_per_cycle(voltages, wave.sample_interval_s)
    last, levels = series.half_cycle_rms(samples, cycle)
    traces = []
    for at, name in enumerate(wave.channels):
        if name[-1] not in phases:
            continue
        keep = series.min_max(samples[at], POINTS + 200)
        line = {"color": PHASE_COLOURS.get(name[-1], SOFT), "width": 1.1}
        traces.append(_trace(time_ms[keep], samples[at][keep], name, line))
        if rms:
            thick = {**line, "width": 2.4, "dash": "dot"}
            traces.append({**_trace(time_ms[last], levels[at], f"{name} rms", thick), "showlegend": False})
    return traces


_TRIGGER = {
    "type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
    "line": {"color": INK, "width": 1.5, "dash": "dash"},
}  # fmt: skip
_TRIGGER_NOTE = {
    "text": "trigger", "x": 0, "y": 1, "xref": "x", "yref": "paper", "showarrow": False,
    "xanchor": "left", "yanchor": "top", "font": {"size": 11, "color": SOFT},
        "bgcolor": "rgba(243,244,244,0.8)",
}  # fmt: skip


def _threshold(event: EventRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the line of an event's threshold and its text."""
    panel, unit = ("y2", "A") if event.type == "over_current" else ("y", "V")
    level = event.threshold
    shape = {
        "type": "line", "xref": "paper", "yref": panel, "x0": 0, "x1": 1, "y0": level, "y1": level,
        "line": {"color": SOFT, "width": 1, "dash": "dashdot"},
    }  # fmt: skip
    note = {
        "text": f"threshold {engineering(level, unit)}", "xref": "paper", "yref": panel, "x": 1, "y": level,
        "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"size": 11, "color": SOFT},
        "bgcolor": "rgba(243,244,244,0.8)",
    }  # fmt: skip
    return shape, note


def physical(wave: WaveformRecord) -> Float:
    """Return a capture's samples in volts and amperes, shape (channels, samples)."""
    scaled: Float = wave.raw * np.asarray(wave.scale, dtype=np.float64)[:, None]
    return scaled


def _trace(x: Float, y: Float, name: str, line: dict[str, Any]) -> dict[str, Any]:
    unit, panel = ("V", "y") if name.startswith("v") else ("A", "y2")
    return {
        "type": "scatter", "mode": "lines", "name": name, "yaxis": panel, "line": line,
        "x": numbers(x, 3), "y": [float(f"{value:.5g}") for value in y],
        "hovertemplate": f"%{{y:.4s}}{unit}",
    }  # fmt: skip
