"""The one callback of each page: every second it answers with what changed since the frame last seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboards.commands import Submit
from dashboards.feed import Feed
from dashboards.history import History

TICK_MS = 1000


@dataclass(frozen=True, slots=True)
class Site:
    """What every page draws from."""

    feed: Feed
    history: History
    submit: Submit

    @property
    def time_zone(self) -> str:
        """Time zone of the newest frame, UTC before the first."""
        frame = self.feed.frame()
        return frame.time_zone if frame else "UTC"


def records(first: dict[str, Any] | None, part: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a payload's part as records, for a table to start with."""
    return [dict(zip(columns, row, strict=True)) for row in first[part]] if first else []


def live_page(
    page: str,
    first: dict[str, Any] | None,
    *content: Any,
    columns: dict[str, Any] | None = None,
    **data: Any,
) -> Any:
    """Return a page's layout together with its timer and its stores.

    Parameters
    ----------
    page : str
        Name of the page, as ``Feed.delta`` knows it.
    first : dict
        Whole payload that the page starts with; None before the first frame.
    content
        Components of the page.
    columns : dict
        Names of row fields by part of the payload; the script makes records of rows with them.
    data
        What the page's script needs once, for example the diagram's SVG text.
    """
    seen = first["sequence"] if first else -1
    return html.Div(
        [
            dcc.Interval(id="tick", interval=TICK_MS),
            dcc.Store(id="page-name", data=page),
            dcc.Store(id="page-data", data={"page": page, "columns": columns or {}, **data}),
            dcc.Store(id="seen", data=seen),
            dcc.Store(id="live", data=first),
            dcc.Store(id="drawn"),
            *(content if first else (waiting(),)),
        ],
        className=f"page page-{page}",
    )


def waiting() -> Any:
    """Return what is shown before the first frame."""
    return html.Div(
        "Waiting for the simulation's first picture of the site.", id="waiting", className="empty"
    )


def register(app: Dash, site: Site) -> None:
    """Add the callback that feeds every page, and the script that draws what it answers."""

    @app.callback(
        Output("live", "data"),
        Output("seen", "data"),
        Input("tick", "n_intervals"),
        State("seen", "data"),
        State("page-name", "data"),
        prevent_initial_call=True,
    )
    def tick(_ticks: int, seen: int, page: str) -> tuple[Any, Any]:
        answer = site.feed.delta(page, seen)
        return (no_update, no_update) if answer is None else (answer, answer["sequence"])

    # The output makes Dash call the script for a page's first payload too.
    in_browser(app, "apply", Output("drawn", "data"), Input("live", "data"), State("page-data", "data"))
    in_browser(app, "watch", Input("tick", "n_intervals"), prevent_initial_call=True)


def in_browser(app: Any, function: str, *dependencies: Any, **options: Any) -> None:
    """Add a callback that a function of the script carries out."""
    app.clientside_callback(ClientsideFunction("twin", function), *dependencies, **options)
