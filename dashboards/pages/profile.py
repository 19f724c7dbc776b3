"""The load profile: meters, channels and days to choose, zoom that asks again, CSV."""

import csv
import io
from typing import Any

from dash import Dash, Input, Output, State, callback_context, dcc, html, no_update

from dashboards import clock, figures
from dashboards.channels import series_of
from dashboards.live import Site, in_browser, live_page
from dashboards.profile_chart import PANELS, Line, profile_figure

_REFRESH_MS = 10_000
_AWAITED = (
    "No interval recorded yet. The first appears at the end of the meters' first load-profile interval."
)
_NOTE = (
    "Times are local; a value stands for the interval that ends at its stamp. "
    "Drag to zoom, double-click to see all."
)
_NOTHING = "Choose at least one meter and one quantity."
_NOTHING_THERE = "Nothing was recorded there; double-click the chart to see all."
_OUTSIDE = "No interval was recorded in the days chosen."


def layout(site: Site) -> Any:
    """Return the page."""
    meters, choices = _offers(site)
    first = [choice["value"] for choice in choices[:1]]
    which_meters = dcc.Dropdown(meters, meters[:1], id="profile-meters", multi=True, placeholder="none")
    which_series = dcc.Dropdown(choices, first, id="profile-series", multi=True, placeholder="none")
    which_days = dcc.DatePickerRange(
        id="profile-days",
        display_format="YYYY-MM-DD",
        clearable=True,
        number_of_months_shown=1,
        first_day_of_week=1,
        initial_visible_month=_today(site),
        start_date_placeholder_text="first",
        end_date_placeholder_text="last",
    )
    panel = html.Div(
        [
            html.Div([html.Label("Meters"), which_meters], className="wide"),
            html.Div([html.Label("Quantities"), which_series], className="wider"),
            html.Div([html.Label("Days"), which_days]),
            html.Div(html.Button("Download CSV", id="profile-csv", n_clicks=0)),
        ],
        className="panel filters",
    )
    chart = figures.graph("profile-chart", figures.empty(_AWAITED, height=420))
    return live_page(
        "profile",
        site.feed.delta("profile", -1),
        panel,
        html.Section([chart, html.P("", id="profile-note", className="hint")], className="panel"),
        dcc.Store(id="profile-zoom"),
        dcc.Store(id="profile-newest"),
        dcc.Interval(id="profile-refresh", interval=_REFRESH_MS),
        dcc.Download(id="profile-file"),
    )


def _today(site: Site) -> str | None:
    """Return the simulated date, which the choice of days opens at."""
    frame = site.feed.frame()
    return clock.stamp(frame.sim_ns, frame.time_zone)[:10] if frame else None


def _offers(site: Site) -> tuple[list[str], list[dict[str, str]]]:
    """Return the meters and the quantities to choose from."""
    meters = [meter.name for meter in site.history.meters()]
    channels = dict.fromkeys(channel for meter in meters for channel in site.history.channels(meter))
    offered = series_of(channels)
    return meters, [{"label": f"{one.label} [{one.unit or '1'}]", "value": one.key} for one in offered]


def _lines(
    site: Site, meters: list[str], keys: list[str], start_ns: int | None, end_ns: int | None
) -> list[Line]:
    """Return the chosen lines that have at least one interval in the range."""
    lines = []
    for meter in meters:
        wanted = [one for one in series_of(site.history.channels(meter)) if one.key in keys]
        needed = tuple(dict.fromkeys(one.channel for one in wanted))
        profile = (
            site.history.load_profile(meter, needed, start_ns=start_ns, end_ns=end_ns) if needed else None
        )
        if profile is not None and profile.end_ns.size:
            lines += [Line(meter, one, profile) for one in wanted]
    return lines


def _range(site: Site, first: str | None, last: str | None) -> tuple[int | None, int | None]:
    """Return the instants of the chosen days' outer midnights."""
    zone = site.time_zone
    start = clock.from_axis(first[:10], zone) if first else None
    return start, clock.next_midnight(last[:10], zone) if last else None


def _narrowed(
    site: Site, zoom: list[str] | None, days: tuple[int | None, int | None]
) -> tuple[int | None, int | None]:
    """Return the part of the chosen days that is zoomed into, with half its width more on either side."""
    if not zoom:
        return days
    start = clock.from_axis(zoom[0], site.time_zone)
    end = clock.from_axis(zoom[1], site.time_zone, end=True)
    margin = (end - start) // 2
    low = start - margin if days[0] is None else max(start - margin, days[0])
    return low, end + margin if days[1] is None else min(end + margin, days[1])


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the chart and of the download."""
    zoomed = Output("profile-zoom", "data"), Input("profile-chart", "relayoutData")
    in_browser(app, "zoomed", *zoomed, prevent_initial_call=True)

    @app.callback(
        Output("profile-meters", "options"),
        Output("profile-meters", "value"),
        Output("profile-series", "options"),
        Output("profile-series", "value"),
        Input("profile-refresh", "n_intervals"),
        State("profile-meters", "options"),
        State("profile-series", "options"),
        prevent_initial_call=True,
    )
    def offer(_ticks: int, had_meters: list[Any] | None, had_series: list[Any] | None) -> tuple[Any, ...]:
        """Offer what the recording has got since the page was opened."""
        meters, choices = _offers(site)
        keep: tuple[Any, ...] = (no_update, no_update)
        first = [choice["value"] for choice in choices[:1]]
        new_meters = keep if had_meters else (meters, meters[:1])
        if len(choices) <= len(had_series or []):
            return (*new_meters, *keep)
        return (*new_meters, choices, no_update if had_series else first)

    @app.callback(
        Output("profile-chart", "figure"),
        Output("profile-note", "children"),
        Output("profile-newest", "data"),
        Input("profile-meters", "value"),
        Input("profile-series", "value"),
        Input("profile-days", "start_date"),
        Input("profile-days", "end_date"),
        Input("profile-zoom", "data"),
        Input("profile-refresh", "n_intervals"),
        State("profile-newest", "data"),
    )
    def draw(
        meters: list[str] | None,
        keys: list[str] | None,
        first: str | None,
        last: str | None,
        zoom: list[str] | None,
        _ticks: int | None,
        had: str | None,
    ) -> tuple[Any, Any, Any]:
        same = no_update, no_update, no_update
        refresh = callback_context.triggered_id == "profile-refresh"
        if refresh and zoom:
            return same
        if callback_context.triggered_id == "profile-days":
            zoom = None
        lines = _lines(site, meters or [], keys or [], *_narrowed(site, zoom, _range(site, first, last)))
        newest = str(max((line.profile.end_ns[-1] for line in lines), default=0))
        if refresh and newest == had:
            return same
        if not lines:
            if zoom:
                return no_update, _NOTHING_THERE, no_update
            return figures.empty(_missing(site, meters, keys), height=420), "", newest
        units = dict.fromkeys(line.series.unit for line in lines)
        note = _NOTE
        if len(units) > PANELS:
            note = f"Only quantities of the first {PANELS} units are drawn. {note}"
        revision = f"{first}/{last}"
        chart = profile_figure(lines, time_zone=site.time_zone, revision=revision, zoom=zoom)
        return chart, note, newest

    @app.callback(
        Output("profile-file", "data"),
        Input("profile-csv", "n_clicks"),
        State("profile-meters", "value"),
        State("profile-series", "value"),
        State("profile-days", "start_date"),
        State("profile-days", "end_date"),
        prevent_initial_call=True,
    )
    def download(
        clicks: int, meters: list[str] | None, keys: list[str] | None, first: str | None, last: str | None
    ) -> Any:
        lines = _lines(site, meters or [], keys or [], *_range(site, first, last)) if clicks else []
        if not lines:
            return no_update
        return {
            "content": profile_csv(lines, site.time_zone),
            "filename": "load_profile.csv",
            "type": "text/csv",
        }


def _missing(site: Site, meters: list[str] | None, keys: list[str] | None) -> str:
    if not any(site.history.channels(meter.name) for meter in site.history.meters()):
        return _AWAITED
    return _OUTSIDE if meters and keys else _NOTHING


def profile_csv(lines: list[Line], time_zone: str) -> str:
    """Return the lines as CSV, one row per meter and interval, all of them; empty where there is no value."""
    series = list(dict.fromkeys((line.series.key, line.series.unit) for line in lines))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [key.replace("@", "_") + (f" [{unit}]" if unit else "") for key, unit in series]
    writer.writerow(["meter", "end_utc", "end_local", "duration_s", *names])
    for meter in dict.fromkeys(line.meter for line in lines):
        own = {line.series.key: line for line in lines if line.meter == meter}
        profile = next(iter(own.values())).profile
        columns = [own[key].series.values(profile) if key in own else None for key, _ in series]
        for at, end_ns in enumerate(profile.end_ns.tolist()):
            values = [
                "" if column is None or column[at] != column[at] else repr(float(column[at]))
                for column in columns
            ]
            utc, wall = clock.stamp(end_ns, "UTC"), clock.stamp(end_ns, time_zone)
            writer.writerow([meter, utc, wall, f"{profile.duration_s[at]:g}", *values])
    return text.getvalue()
