"""Charts as plain dictionaries, in the look of the pages."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards import itic, series
from dashboards.quantity import engineering
from twin.contracts import NS_PER_SECOND, EventRecord, WaveformRecord

POINTS = 1200
"""So many points of a trace are sent at most."""
_INK, _SOFT, _GRID, _PANEL = "#24292e", "#565e65", "#cfd3d6", "#f3f4f4"
SERIES_COLOURS = ("#2f5d8a", "#3f8f8b", "#6b5b95", "#24292e", "#7a8b99", "#5c7f4f", "#9b6b9e", "#4aa3c7")
"""Calm colours for series; none of them a priority's."""
PHASE_COLOURS = {"a": "#8a5a2b", "b": "#24292e", "c": "#7d868d"}
"""Brown, black, grey: the conductor colours of IEC 60445."""
_REGION_MARKS = {
    itic.INSIDE: ("inside: to be ridden through", "circle-open", "#565e65"),
    itic.UNDER: ("below: equipment may stop", "diamond", "#1f4e9c"),
    itic.OVER: ("above: equipment may be damaged", "x", "#8a1c8f"),
}


def layout(*, revision: str, height: int, **more: Any) -> dict[str, Any]:
    """Return a chart's layout; ``revision`` stays the same as long as the user's zoom is to stay."""
    return {
        "font": {"family": "Liberation Sans, Arial, sans-serif", "size": 12, "color": _INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": _PANEL,
        "margin": {"l": 64, "r": 16, "t": 14, "b": 40},
        "height": height,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        "uirevision": revision,
        "xaxis": axis(),
        **more,
    }


def axis(**more: Any) -> dict[str, Any]:
    """Return an axis in the look of the pages."""
    return {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": _SOFT, "showline": True, **more}


def empty(text: str, *, height: int) -> dict[str, Any]:
    """Return a chart that says what it waits for."""
    note = {"text": text, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    hidden = {"visible": False}
    return {
        "data": [],
        "layout": layout(
            revision="empty", height=height, annotations=[note | {"font": {"color": _SOFT}}]
        ) | {"xaxis": hidden, "yaxis": hidden},
    }  # fmt: skip


def stacked_axes(titles: list[str]) -> dict[str, Any]:
    """Return the y axes of panels above each other, the first on top; x belongs to the lowest."""
    share = 1.0 / len(titles)
    gap = 0.06 if len(titles) > 1 else 0.0
    axes = {}
    for at, title in enumerate(titles):
        top = 1.0 - at * share
        axes[f"yaxis{at + 1 if at else ''}"] = axis(
            title={"text": title, "font": {"size": 12}},
            domain=[max(0.0, top - share + gap), top],
            automargin=True,
        )
    return axes


def itic_figure(events: list[EventRecord], selected: str | None, *, height: int = 330) -> dict[str, Any]:
    """Return the ITIC curve with every voltage event that has ended.

    Parameters
    ----------
    events : list of EventRecord
        Of any type; currents are left out.
    selected : str
        ``meter#number`` of the event to emphasise.
    """
    curves = [_curve(itic.UPPER, "upper limit"), _curve(itic.LOWER, "lower limit")]
    points: dict[str, list[tuple[float, float, str]]] = {name: [] for name in _REGION_MARKS}
    for event in events:
        if event.end_ns is None or event.type == "over_current" or not event.rated:
            continue
        duration = (event.end_ns - event.start_ns) / NS_PER_SECOND
        percent = 100 * event.extreme / event.rated
        points[itic.region(duration, percent)].append((duration, percent, f"{event.meter}#{event.number}"))
    marks = [_points(found, name, selected) for name, found in points.items() if found]
    layout_ = layout(revision="itic", height=height, hovermode="closest", clickmode="event")
    layout_["xaxis"] = axis(
        type="log", range=[-4, 2], title={"text": "duration [s]"}, tickvals=[1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100],
        ticktext=["100 µs", "1 ms", "10 ms", "0.1", "1", "10", "100"],
    )  # fmt: skip
    highest = max([250.0, *(1.1 * point[1] for found in points.values() for point in found)])
    layout_["yaxis"] = axis(range=[0, highest], title={"text": "voltage [% of rated]"})
    return {"data": [*curves, *marks], "layout": layout_}


def _curve(corners: tuple[tuple[float, float], ...], name: str) -> dict[str, Any]:
    x, y = zip(*corners, strict=True)
    return {
        "type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": name, "hoverinfo": "skip",
        "line": {"color": _INK, "width": 1.8}, "showlegend": False,
    }  # fmt: skip


def _points(found: list[tuple[float, float, str]], region: str, selected: str | None) -> dict[str, Any]:
    name, symbol, colour = _REGION_MARKS[region]
    sizes = [15 if key == selected else 9 for _, _, key in found]
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [round(duration, 6) for duration, _, _ in found],
        "y": [round(percent, 2) for _, percent, _ in found],
        "customdata": [key for _, _, key in found],
        "marker": {"symbol": symbol, "size": sizes, "color": colour, "line": {"width": 1.5, "color": colour}},
        "hovertemplate": "%{customdata}<br>%{x:.4g} s, %{y:.1f} %<extra></extra>",
    }  # fmt: skip


def waveform_figure(
    wave: WaveformRecord, *, phases: list[str], rms: bool, event: EventRecord | None, height: int = 430
) -> dict[str, Any]:
    """Return voltages and currents of a capture over the time from its trigger, and their half-cycle RMS.

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
    samples = physical(wave)
    time_ms = 1e3 * wave.sample_interval_s * (np.arange(samples.shape[1]) - wave.trigger_index)
    voltages = samples[[at for at, name in enumerate(wave.channels) if name.startswith("v")]]
    cycle = series.samples_per_cycle(voltages, wave.sample_interval_s)
    last, levels = series.half_cycle_rms(samples, cycle)
    data = []
    for at, name in enumerate(wave.channels):
        if name[-1] not in phases:
            continue
        unit, panel = ("V", "y") if name.startswith("v") else ("A", "y2")
        keep = series.min_max(samples[at], POINTS + 200)
        line = {"color": PHASE_COLOURS.get(name[-1], _SOFT), "width": 1.1}
        data.append(_trace(time_ms[keep], samples[at][keep], name, unit, panel, line))
        if rms:
            thick = {**line, "width": 2.4, "dash": "dot"}
            data.append(_trace(time_ms[last], levels[at], f"{name} rms", unit, panel, thick))
    shapes = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
         "line": {"color": _INK, "width": 1.5, "dash": "dash"}}
    ]  # fmt: skip
    notes = [
        {"text": "trigger", "x": 0, "y": 1, "xref": "x", "yref": "paper", "showarrow": False, "xanchor": "left",
         "yanchor": "top", "font": {"size": 11, "color": _SOFT}}
    ]  # fmt: skip
    if event is not None and rms:
        panel, unit = ("y2", "A") if event.type == "over_current" else ("y", "V")
        shapes.append(
            {"type": "line", "xref": "paper", "yref": panel, "x0": 0, "x1": 1, "y0": event.threshold,
             "y1": event.threshold, "line": {"color": _SOFT, "width": 1, "dash": "dashdot"}}
        )  # fmt: skip
        notes.append(
            {"text": f"threshold {engineering(event.threshold, unit)}", "xref": "paper", "yref": panel, "x": 1,
             "y": event.threshold, "showarrow": False, "xanchor": "right", "yanchor": "bottom",
             "font": {"size": 11, "color": _SOFT}}
        )  # fmt: skip
    chosen = layout(revision=f"{wave.meter}#{wave.number}", height=height, shapes=shapes, annotations=notes)
    chosen |= stacked_axes(["voltage [V]", "current [A]"])
    chosen["xaxis"] = axis(title={"text": "time from trigger [ms]"}, anchor="y2", hoverformat=".2f")
    return {"data": data, "layout": chosen}


def physical(wave: WaveformRecord) -> NDArray[np.float64]:
    """Return a capture's samples in volts and amperes, shape (channels, samples)."""
    scaled: NDArray[np.float64] = wave.raw * np.asarray(wave.scale, dtype=np.float64)[:, None]
    return scaled


def _trace(
    x: NDArray[np.float64], y: NDArray[np.float64], name: str, unit: str, panel: str, line: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "yaxis": panel, "line": line,
        "x": numbers(x, 3), "y": [float(f"{value:.5g}") for value in y],
        "hovertemplate": f"%{{y:.4s}}{unit}",
    }  # fmt: skip


def numbers(values: NDArray[np.float64], places: int) -> list[float]:
    """Return an array as a plain list, rounded."""
    rounded: list[float] = np.round(values, places).tolist()
    return rounded
