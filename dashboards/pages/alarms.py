"""The alarm list, active ones first, and the sequence of events; newest first, a shape with every colour."""

from typing import Any

from dash import Dash, Input, Output, dcc, html

from dashboards import grids, priority
from dashboards.feed import ALARM_COLUMNS, SOE_COLUMNS
from dashboards.live import Site, in_browser, live_page, records

_TEXT = {"filter": "agTextColumnFilter", "suppressHeaderMenuButton": True, "suppressHeaderFilterButton": True}
_STATES = {"all": "all", "active": "active", "returned": "returned"}

_COLUMNS = [
    grids.column(
        "priority", "Pr", 66, cellRenderer="AlarmMark", pinned="left",
        valueGetter=grids.drawn_from("priority", "state"),
    ),
    grids.column(
        "state", "State", 90, **_TEXT, sort="asc", sortIndex=0,
        cellClassRules={
            "state-active": "params.value === 'active'", "state-returned": "params.value !== 'active'",
        },
    ),
    grids.column("meter", "Meter", 130, flex=1, minWidth=130, **_TEXT),
    grids.column("parameter", "Parameter", 120, flex=1, minWidth=120),
    grids.column("comparison", "Is", 84),
    grids.number("setpoint", "Setpoint", 110, "quantity(params.value, params.data.parameter)"),
    grids.number("value", "Value", 110, "quantity(params.value, params.data.parameter)"),
    grids.column("since", "Since", 200, sort="desc", sortIndex=1),
    grids.column("returned", "Returned", 200),
    grids.column("channel", "Channel", 84, type="rightAligned"),
]  # fmt: skip

_SOE_COLUMNS = [
    grids.column("time", "Time", 172, sort="desc"),
    grids.column("meter", "Meter", 90, flex=2, minWidth=84, **_TEXT),
    grids.column("input", "Input", 62, flex=1, minWidth=58, **_TEXT),
    grids.column("state", "State", 62, flex=1, minWidth=58, **_TEXT),
    grids.column("module", "Module", 84, flex=1, minWidth=84),
]
"""The module last: an input's number tells it, and a narrow screen has no room for both."""


def layout(site: Site) -> Any:
    """Return the page."""
    frame = site.feed.frame()
    first = site.feed.delta("alarms", -1)
    names = [meter.name for meter in frame.meters] if frame else []
    choices = html.Div(
        [
            html.Div(
                [
                    html.Label("Meter"),
                    dcc.Dropdown(names, id="alarm-meters", multi=True, placeholder="all meters"),
                ],
                className="wide",
            ),
            html.Div(
                [
                    html.Div("State", className="label"),
                    dcc.RadioItems(_STATES, "all", id="alarm-state", inline=True, className="choices"),
                ]
            ),
            html.Div(_legend(), className="legend"),
        ],
        className="panel filters",
    )
    table = grids.table(
        "alarm-grid", _COLUMNS, key="key",
        empty="No alarm yet. An alarm appears here when a meter's alarm channel becomes active.",
        rows=records(first, "alarms", ALARM_COLUMNS),
    )  # fmt: skip
    sequence = grids.table(
        "soe-grid", _SOE_COLUMNS, key="key",
        empty="No change yet. Inputs of the I/O module that a meter records (register 101BH) appear here.",
        rows=records(first, "soe", SOE_COLUMNS),
    )  # fmt: skip
    return live_page(
        "alarms",
        first,
        choices,
        html.Section(html.Div(table, className="grid-host"), className="panel"),
        html.Section(
            [html.H2("Sequence of events"), html.Div(sequence, className="grid-host")], className="panel soe"
        ),
        columns={"alarms": ALARM_COLUMNS, "soe": SOE_COLUMNS},
    )


def _legend() -> list[Any]:
    meanings = {
        "H": "current, phase sequence",
        "M": "voltage, frequency, power",
        "L": "distortion, unbalance, inputs",
    }
    return [
        html.Span(f"{priority.SHAPES[letter]} {letter} {priority.NAMES[letter]}: {meaning}")
        for letter, meaning in meanings.items()
    ]


def register(app: Dash, site: Site) -> None:
    """Add the filter, which runs in the browser."""
    in_browser(
        app,
        "filterAlarms",
        Output("alarm-grid", "filterModel"),
        Output("soe-grid", "filterModel"),
        Input("alarm-meters", "value"),
        Input("alarm-state", "value"),
    )
