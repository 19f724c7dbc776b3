"""Charts as plain dictionaries, in the look of the pages."""

from typing import Any

import numpy as np
from dash import dcc
from numpy.typing import NDArray

POINTS = 1200
"""So many points of a trace are sent at most."""
INK, SOFT, _GRID, _PANEL = "#24292e", "#565e65", "#cfd3d6", "#f3f4f4"
SERIES_COLOURS = ("#2f5d8a", "#3f8f8b", "#6b5b95", "#24292e", "#7a8b99", "#5c7f4f", "#9b6b9e", "#4aa3c7")
"""Calm colours for series; none of them a priority's."""


def graph(name: str, figure: dict[str, Any], *, height: int | None = None, tools: bool = True) -> Any:
    """Return a chart component.

    Parameters
    ----------
    name : str
        Id of the component.
    figure : dict
        What it shows first.
    height : int
        [px]; as the figure says by default.
    tools : bool
        Show the bar with zoom and picture buttons when pointed at.
    """
    config: Any = {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["lasso2d", "select2d"],
        "doubleClick": "autosize",
    }
    if not tools:
        config["displayModeBar"] = False
    style = {"height": f"{height}px"} if height else {}
    return dcc.Graph(id=name, figure=figure, config=config, style=style, className="chart")


def layout(*, revision: str, height: int, **more: Any) -> dict[str, Any]:
    """Return a chart's layout; ``revision`` stays the same as long as the user's zoom is to stay."""
    return {
        "font": {"family": "Liberation Sans, Arial, sans-serif", "size": 12, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": _PANEL,
        "margin": {"l": 64, "r": 16, "t": 14, "b": 40},
        "height": height,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        "uirevision": revision,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": SOFT, "activecolor": INK},
        "xaxis": axis(),
        **more,
    }


def axis(**more: Any) -> dict[str, Any]:
    """Return an axis in the look of the pages."""
    return {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": SOFT, "showline": True, **more}


def empty(text: str, *, height: int) -> dict[str, Any]:
    """Return a chart that says what it waits for."""
    note = {"text": text, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    hidden = {"visible": False}
    return {
        "data": [],
        "layout": layout(
            revision="empty", height=height, annotations=[note | {"font": {"color": SOFT}}]
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


def numbers(values: NDArray[np.float64], places: int) -> list[float]:
    """Return an array as a plain list, rounded."""
    rounded: list[float] = np.round(values, places).tolist()
    return rounded
