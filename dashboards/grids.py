"""Tables: the options that all of them share, and the form of their columns."""

from typing import Any

import dash_ag_grid as dag

_THEME = {
    "function": "themeQuartz.withParams({spacing: 4, fontSize: 13, headerFontSize: 12, rowHeight: 30, "
    "headerHeight: 30, borderRadius: 2, wrapperBorderRadius: 2, backgroundColor: '#f3f4f4', "
    "foregroundColor: '#24292e', headerBackgroundColor: '#d5d8da', oddRowBackgroundColor: '#ebedee', "
    "borderColor: '#b9bec2', selectedRowBackgroundColor: '#c9d3dc', accentColor: '#3d5a73'})"
}


def column(field: str, name: str, width: int, **more: Any) -> dict[str, Any]:
    """Return a column as AG Grid takes it."""
    return {"field": field, "headerName": name, "width": width, **more}


def drawn_from(*fields: str) -> dict[str, str]:
    """Return the value of a cell that is drawn from several fields: redrawn when any of them changes."""
    return {"function": " + '|' + ".join(f"params.data.{field}" for field in fields)}


def number(field: str, name: str, width: int, form: str, **more: Any) -> dict[str, Any]:
    """Return a right-aligned column whose text the function ``form`` of the script makes."""
    return column(field, name, width, type="rightAligned", valueFormatter={"function": form}, **more)


def table(
    name: str, columns: list[dict[str, Any]], *, key: str, empty: str, rows: list[dict[str, Any]],
    **options: Any,
) -> Any:  # fmt: skip
    """Return a table whose rows the script adds and changes.

    Parameters
    ----------
    name : str
        Id of the component.
    columns : list of dict
        From ``column`` and ``number``.
    key : str
        Field that tells rows apart.
    empty : str
        What is awaited while there is no row.
    rows : list of dict
        Rows to start with.
    options
        Further grid options.
    """
    return dag.AgGrid(
        id=name,
        columnDefs=columns,
        rowData=rows,
        getRowId=f"params.data.{key}",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        dashGridOptions={
            "theme": _THEME,
            "animateRows": False,
            "localeText": {"noRowsToShow": empty},
            "suppressCellFocus": True,
            "tooltipShowDelay": 300,
            **options,
        },
        style={"height": "100%", "width": "100%"},
    )
