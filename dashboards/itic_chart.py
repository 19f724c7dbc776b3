"""The ITIC curve as a chart, with the voltage events on it."""

from typing import Any

from dashboards import itic
from dashboards.figures import INK, axis, layout
from twin.contracts import NS_PER_SECOND, EventRecord

_REGION_MARKS = {
    itic.INSIDE: ("inside: to be ridden through", "circle-open", "#565e65"),
    itic.UNDER: ("below: equipment may stop", "diamond", "#1f4e9c"),
    itic.OVER: ("above: equipment may be damaged", "x", "#8a1c8f"),
}


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
        type="log", range=[-4, 2], title={"text": "duration [s]"},
        tickvals=[1e-4, 1e-3, 0.01, 0.1, 1, 10, 100],
        ticktext=["100 µs", "1 ms", "10 ms", "0.1", "1", "10", "100"],
    )  # fmt: skip
    highest = max([250.0, *(1.1 * point[1] for found in points.values() for point in found)])
    layout_["yaxis"] = axis(range=[0, highest], title={"text": "voltage [% of rated]"})
    return {"data": [*curves, *marks], "layout": layout_}


def _curve(corners: tuple[tuple[float, float], ...], name: str) -> dict[str, Any]:
    x, y = zip(*corners, strict=True)
    return {
        "type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": name, "hoverinfo": "skip",
        "line": {"color": INK, "width": 1.8}, "showlegend": False,
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
