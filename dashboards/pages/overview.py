"""The overview: one-line diagram, switches, the clock's controls and the live table of all meters."""

from typing import Any

from dash import ALL, Dash, Input, Output, State, callback_context, dcc, html, no_update

from dashboards import commands, diagram, grids
from dashboards.feed import METER_COLUMNS
from dashboards.live import Site, in_browser, live_page, records
from twin.contracts import MeterLine

_SPEEDS = {1: "1×", 10: "10×", 60: "60×", 600: "600×", "max": "max"}


_RIGHT = {"type": "rightAligned"}

_COLUMNS = [
    grids.column(
        "name",
        "Meter",
        118,
        pinned="left",
        tooltipField="about",
        cellRenderer="MeterName",
        valueGetter=grids.drawn_from("name", "event"),
    ),
    *(grids.column(f"v{n}", f"V{n}", 82, cellRenderer="VoltageBand", **_RIGHT) for n in (1, 2, 3)),
    *(grids.column(f"i{n}", f"I{n}", 78, cellRenderer="CurrentBar", **_RIGHT) for n in (1, 2, 3)),
    grids.column("p", "P", 110, cellRenderer="Tendency", **_RIGHT),
    grids.number("q", "Q", 84, "si(params.value, 'var')"),
    grids.number("pf", "PF", 56, "fixed(params.value, 3)"),
    grids.number("f", "f", 80, "fixed(params.value, 3, 'Hz')"),
    grids.number("thd_v", "THD V", 64, "fixed(params.value, 2, '%')", headerTooltip="Largest of the phases"),
    grids.number("thd_i", "THD I", 60, "fixed(params.value, 1, '%')", headerTooltip="Largest of the phases"),
    grids.number("demand", "Demand", 82, "si(params.value, 'W')"),
    grids.number("imp", "Import", 92, "energy(params.value)"),
    grids.number("exp", "Export", 88, "energy(params.value)"),
    grids.number("unbalance", "Unb. V", 66, "fixed(params.value, 2, '%')"),
]


def _static(meter: MeterLine) -> dict[str, Any]:
    """Return what of a meter's row never changes; the first tick brings the rest."""
    return {
        "name": meter.name,
        "rated_v": meter.rated_voltage,
        "rated_i": meter.rated_current,
        "about": f"{meter.profile}, {meter.location}, {meter.endpoint}",
    }


def layout(site: Site) -> Any:
    """Return the page."""
    frame = site.feed.frame()
    if frame is None:
        return live_page("overview", None)
    first = site.feed.delta("overview", -1)
    live_rows = {row["name"]: row for row in records(first, "meters", METER_COLUMNS)}
    svg = diagram.render(site.feed.diagram, frame.switches, frame.meters)
    table = grids.table(
        "meter-grid", _COLUMNS, key="name", empty="The site has no meter.",
        rows=[_static(meter) | live_rows.get(meter.name, {}) for meter in frame.meters],
    )  # fmt: skip
    return live_page(
        "overview",
        first,
        html.Div(
            [
                html.Section([html.Div(id="diagram", className="diagram-host")], className="panel diagram"),
                html.Section(_controls(), className="panel controls"),
            ],
            className="top",
        ),
        html.Section(
            html.Div(table, className="grid-host", style=_height(len(frame.meters))), className="panel"
        ),
        _confirmation(),
        columns={"meters": METER_COLUMNS},
        svg=svg,
    )


def _height(rows: int) -> dict[str, str]:
    """Return the table's height: no more than its rows need, no more than the window leaves."""
    return {"height": f"min({31 * rows + 52}px, max(230px, calc(100vh - 530px)))"}


def _controls() -> list[Any]:
    presets = [html.Button(text, id={"speed": speed}, n_clicks=0) for speed, text in _SPEEDS.items()]
    return [
        html.H2("Simulated time"),
        html.Div(
            [html.Button("Pause", id="pause", n_clicks=0), html.Button("Resume", id="resume", n_clicks=0)],
            className="row",
        ),
        html.Label("Speed, simulated seconds per second", htmlFor="speed"),
        html.Div(presets, className="row"),
        html.Div(
            [
                dcc.Input(id="speed", type="number", min=0.01, step="any", placeholder="other"),
                html.Button("Set", id="set-speed", n_clicks=0),
            ],
            className="row",
        ),
        html.Div("", id="command-answer", className="answer", role="status"),
        html.H2("Activity"),
        html.Dl(
            [
                html.Dt("PQ events"), html.Dd("–", id="activity-0"),
                html.Dt("Load changes"), html.Dd("–", id="activity-1"),
                html.Dt("Network solutions"), html.Dd("–", id="activity-2"),
            ]
        ),
        html.P("Click a switch to operate it. Filled: closed, hollow: open.", className="hint"),
    ]  # fmt: skip


def _confirmation() -> Any:
    veil = html.Div(
        html.Div(
            [
                html.P("", id="confirm-text"),
                html.Div(
                    [
                        html.Button("Operate", id="confirm-yes", n_clicks=0, className="primary"),
                        html.Button("Cancel", id="confirm-no", n_clicks=0),
                    ],
                    className="row",
                ),
            ],
            className="dialog",
            role="dialog",
        ),
        id="confirm",
        className="veil hidden",
    )
    return html.Div([veil, dcc.Store(id="switch-ask")])


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the controls."""
    in_browser(
        app,
        "ask",
        Output("confirm", "className"),
        Output("confirm-text", "children"),
        Output("confirm-yes", "children"),
        Input("switch-ask", "data"),
    )
    in_browser(
        app,
        "cancel",
        Output("switch-ask", "data", allow_duplicate=True),
        Input("confirm-no", "n_clicks"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("command-answer", "children"),
        Output("command-answer", "className"),
        Output("switch-ask", "data", allow_duplicate=True),
        Input("confirm-yes", "n_clicks"),
        State("switch-ask", "data"),
        prevent_initial_call=True,
    )
    def operate(clicks: int, asked: dict[str, Any] | None) -> tuple[Any, Any, Any]:
        if not clicks or not asked:
            return no_update, no_update, no_update
        done, text = commands.order(site.submit, str(asked["name"]), "open" if asked["closed"] else "close")
        return text, _answer_class(done), None

    @app.callback(
        Output("command-answer", "children", allow_duplicate=True),
        Output("command-answer", "className", allow_duplicate=True),
        Input("pause", "n_clicks"),
        Input("resume", "n_clicks"),
        Input("set-speed", "n_clicks"),
        Input({"speed": ALL}, "n_clicks"),
        State("speed", "value"),
        prevent_initial_call=True,
    )
    def steer(
        _pause: int, _resume: int, _set: int, _presets: list[int], typed: float | None
    ) -> tuple[Any, Any]:
        if not any(item["value"] for item in callback_context.triggered):
            return no_update, no_update
        asked = callback_context.triggered_id
        if asked in ("pause", "resume"):
            done, text = commands.order(site.submit, "clock", asked)
            return text, _answer_class(done)
        speed = typed if asked == "set-speed" else asked["speed"]
        if speed is None:
            return "Give a speed above 0, for example 60.", _answer_class(False)
        wanted = speed if speed == "max" else float(speed)
        done, text = commands.order(site.submit, "clock", "set_speed", {"speed": wanted})
        return text, _answer_class(done)


def _answer_class(done: bool) -> str:
    return "answer done" if done else "answer refused"
