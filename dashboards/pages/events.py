"""Power-quality events: the list, the ITIC curve and the waveform of the event that is selected."""

from typing import Any

from dash import Dash, Input, Output, State, callback_context, dcc, html, no_update

from dashboards import clock, figures, grids
from dashboards.history import EVENT_COLUMNS, EVENT_LIMIT
from dashboards.itic_chart import itic_figure
from dashboards.live import Site, live_page, records
from dashboards.waveform_chart import waveform_figure
from twin.contracts import EventRecord
from twin.recording import WaveformSummary, export_waveform_csv

_AWAITED = "Select an event to see its waveform."

_COLUMNS = [
    grids.column("start", "Start", 176, sort="desc"),
    grids.column("meter", "Meter", 96, flex=1, minWidth=96),
    grids.column("type", "Type", 92),
    grids.column("phases", "Phases", 64),
    grids.column("duration", "Duration", 92, type="rightAligned", comparator={"function": "byDuration"}),
    grids.number("residual", "Residual", 80, "fixed(params.value, 1, '%')",
                 headerTooltip="Lowest or highest RMS in percent of rated"),
    grids.column("region", "ITIC", 86, cellRenderer="RegionMark"),
    grids.column("number", "No.", 52, type="rightAligned"),
]  # fmt: skip


def layout(site: Site) -> Any:
    """Return the page."""
    first = site.feed.delta("events", -1)
    table = grids.table(
        "event-grid", _COLUMNS, key="key",
        empty="No event yet. Sags, swells and over-currents that a meter records appear here.",
        rows=records(first, "events", EVENT_COLUMNS),
        rowSelection={"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    )  # fmt: skip
    curve = figures.graph("itic", itic_figure([], None), height=330, tools=False)
    return live_page(
        "events",
        first,
        html.Div(
            [
                html.Section(
                    [html.H2(f"Events, newest {EVENT_LIMIT}"), html.Div(table, className="grid-host")],
                    className="panel",
                ),
                html.Section([html.H2("ITIC (CBEMA) curve, 2000"), curve], className="panel"),
            ],
            className="split",
        ),
        html.Section(_viewer(), className="panel"),
        dcc.Store(id="events-changed"),
        dcc.Store(id="captures-changed"),
        dcc.Download(id="waveform-file"),
        columns={"events": EVENT_COLUMNS},
    )


def _viewer() -> list[Any]:
    captures = dcc.Dropdown([], id="capture", placeholder="no capture chosen")
    phases = dcc.Checklist(["a", "b", "c"], ["a", "b", "c"], id="phases", inline=True, className="choices")
    show = dcc.Checklist(
        {"rms": "half-cycle RMS (dotted)"}, ["rms"], id="show-rms", inline=True, className="choices"
    )  # fmt: skip
    return [
        html.H2("Waveform"),
        html.Div(
            [
                html.Div([html.Label("Capture"), captures], className="wider"),
                html.Div([html.Div("Phases", className="label"), phases]),
                html.Div([html.Div("Show", className="label"), show]),
                html.Div(html.Button("Download CSV", id="waveform-csv", n_clicks=0)),
            ],
            className="filters",
        ),
        html.P("", id="waveform-note", className="hint"),
        figures.graph("waveform", figures.empty(_AWAITED, height=500), height=500),
    ]


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of curve, viewer and download."""

    @app.callback(
        Output("itic", "figure"), Input("events-changed", "data"), Input("event-grid", "selectedRows"),
        prevent_initial_call=True,
    )  # fmt: skip
    def curve(_sequence: int | None, rows: Any) -> Any:
        return itic_figure(site.history.events(), _selected_key(rows))

    @app.callback(Output("event-grid", "selectedRows"), Input("itic", "clickData"), prevent_initial_call=True)
    def pick(click: dict[str, Any] | None) -> Any:
        key = click["points"][0].get("customdata") if click else None
        return {"ids": [key]} if key else no_update

    @app.callback(
        Output("capture", "options"),
        Output("capture", "value"),
        Input("captures-changed", "data"),
        Input("event-grid", "selectedRows"),
    )
    def captures(_count: int | None, rows: Any) -> tuple[Any, Any]:
        event = _selected(site, rows)
        nearest = site.history.nearest_capture(event.meter, event.trigger_ns) if event else None
        offered = site.history.captures()
        if nearest is not None and nearest not in offered:
            offered = [*offered, nearest]
        options = [_option(wave, site.time_zone) for wave in offered]
        if callback_context.triggered_id != "event-grid":
            return options, no_update
        return options, f"{nearest.meter}#{nearest.number}" if nearest else None

    @app.callback(
        Output("waveform", "figure"),
        Output("waveform-note", "children"),
        Input("capture", "value"),
        Input("phases", "value"),
        Input("show-rms", "value"),
        Input("event-grid", "selectedRows"),
    )
    def draw(capture: str | None, phases: list[str], show: list[str], rows: Any) -> tuple[Any, Any]:
        event = _selected(site, rows)
        wave = site.history.capture(*_split(capture)) if capture else None
        if wave is None:
            text = f"Meter {event.meter} has no waveform capture." if event else _AWAITED
            return figures.empty(text, height=500), ""
        belongs = event if event is not None and event.meter == wave.meter else None
        chart = waveform_figure(wave, phases=phases, rms="rms" in show, event=belongs)
        return chart, _note(wave.trigger_ns, wave.reason, wave.meter, belongs, site.time_zone)

    @app.callback(
        Output("waveform-file", "data"),
        Input("waveform-csv", "n_clicks"),
        State("capture", "value"),
        prevent_initial_call=True,
    )
    def download(clicks: int, capture: str | None) -> Any:
        wave = site.history.capture(*_split(capture)) if clicks and capture else None
        if wave is None:
            return no_update
        name = f"{wave.meter}_{wave.number}_{wave.reason}.csv"
        return {"content": export_waveform_csv(wave), "filename": name, "type": "text/csv"}


def _option(wave: WaveformSummary, time_zone: str) -> dict[str, str]:
    when = clock.stamp(wave.trigger_ns, time_zone)
    label = f"{when}  {wave.meter}  {wave.reason.replace('_', ' ')}"
    return {"label": label, "value": f"{wave.meter}#{wave.number}"}


def _split(key: str) -> tuple[str, int]:
    meter, _, number = key.rpartition("#")
    return meter, int(number)


def _selected(site: Site, rows: Any) -> EventRecord | None:
    key = _selected_key(rows)
    return site.history.event(*_split(key)) if key else None


def _selected_key(rows: Any) -> str | None:
    """Return the key of the selected row: the table tells the row, a click on the curve its id."""
    if isinstance(rows, dict):
        return str(rows["ids"][0]) if rows.get("ids") else None
    return str(rows[0]["key"]) if rows else None


def _note(trigger_ns: int, reason: str, meter: str, event: EventRecord | None, time_zone: str) -> str:
    text = f"{meter}: captured {clock.stamp(trigger_ns, time_zone)}, reason {reason.replace('_', ' ')}"
    if event is None:
        return text + "."
    which = f"the trigger of {event.type.replace('_', ' ')} {event.number}"
    apart = clock.seconds_between(event.trigger_ns, trigger_ns)
    if abs(apart) < 1e-3:
        return f"{text}, at {which}."
    return f"{text}, {clock.duration_text(abs(apart))} {'after' if apart > 0 else 'before'} {which}."
