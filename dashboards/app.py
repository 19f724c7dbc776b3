"""The Dash app: the frame around every page, and the way from an address to a page."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, dcc, html

from dashboards import live, priority
from dashboards.compression import compress_responses
from dashboards.feed import Feed, FrameSource
from dashboards.history import History
from dashboards.live import Site
from dashboards.pages import alarms, events, overview, profile
from twin.contracts import Answer, Command
from twin.recording import Place

_PAGES: dict[str, tuple[str, Callable[[Site], Any]]] = {
    "/": ("Overview", overview.layout),
    "/alarms": ("Alarms", alarms.layout),
    "/profile": ("Load profile", profile.layout),
    "/events": ("Power quality", events.layout),
}
_NARROW = {"name": "viewport", "content": "width=device-width, initial-scale=1"}


def create_app(
    frames: FrameSource, recording_path: Place | str, submit: Callable[[Command], "Future[Answer]"]
) -> Dash:
    """Return the dashboard as an app that ``serve`` can run.

    Parameters
    ----------
    frames : FrameSource
        Where the live picture comes from.
    recording_path : str or Place
        The historian's recording; it may come into being later.
    submit : callable
        Puts a command into the site's queue and returns its future answer.
    """
    site = Site(Feed(frames, history := History(recording_path)), history, submit)
    app = Dash(
        "dashboards",
        title="Site twin",
        update_title="",
        assets_folder=str(Path(__file__).parent / "assets"),
        pages_folder="",
        suppress_callback_exceptions=True,
        enable_mcp=False,
        meta_tags=[_NARROW],
    )
    compress_responses(app.server)
    app.layout = _shell()
    live.register(app, site)
    for module in (overview, alarms, profile, events):
        module.register(app, site)

    @app.callback(Output("page", "children"), Output("nav", "children"), Input("url", "pathname"))
    def show(path: str | None) -> tuple[Any, Any]:
        at = (path or "/").rstrip("/") or "/"
        if at not in _PAGES:
            unknown = html.Div(
                ["There is no page at this address. ", dcc.Link("Overview", href="/")], className="empty"
            )
            return unknown, _navigation("")
        return _PAGES[at][1](site), _navigation(at)

    return app


def _navigation(at: str) -> list[Any]:
    return [
        dcc.Link(name, href=path, className="here" if path == at else "", id={"link": path})
        for path, (name, _) in _PAGES.items()
    ]


def _shell() -> Any:
    """Return what stays the same on every page; the script fills the banner in."""
    counts = [
        dcc.Link(
            [
                html.Span(priority.SHAPES[letter], className="shape"),
                f" {letter} ",
                html.B("–", id=f"count-{letter}"),
            ],
            href="/alarms",
            className=f"count priority-{letter} none",
            id=f"badge-{letter}",
            title=f"Active alarms of {priority.NAMES[letter]} priority",
        )
        for letter in priority.PRIORITIES
    ]
    banner = html.Header(
        [
            html.Div("Site twin", id="banner-title", className="title"),
            html.Div("–", id="banner-time", className="time", title="Simulated local time"),
            html.Div("–", id="banner-speed", className="speed", title="Simulated seconds per second"),
            html.Div("", id="banner-state", className="state", title="Whether simulated time runs"),
            html.Div(
                "", id="banner-late", className="late", title="How far the simulation is behind its schedule"
            ),
            html.Div(counts, className="counts"),
        ],
        className="banner",
        id="banner",
    )
    return html.Div(
        [
            dcc.Location(id="url"),
            banner,
            html.Div("", id="banner-stale", className="stale hidden", role="status"),
            html.Div("", id="banner-notice", className="stale hidden", role="status"),
            html.Nav([], id="nav", className="nav"),
            html.Main([], id="page"),
        ],
        className="shell",
    )
