"""Variants of alarm settings side by side: as text, as plain data, and as a page."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from twin.alarming.grading.html_report import STYLE
from twin.alarming.grading.reports import kpis_json
from twin.alarming.kpis import AlarmKpis
from twin.alarming.what_if import VariantResult

Figure = tuple[str, Callable[[AlarmKpis], float], str]
FIGURES: Sequence[Figure] = (
    ("alarms", lambda kpis: kpis.annunciations, ".0f"),
    ("worst 10 min", lambda kpis: kpis.worst_ten_minutes, ".0f"),
    ("floods", lambda kpis: len(kpis.floods), ".0f"),
    ("chattering", lambda kpis: sum(kpis.chattering.values()), ".0f"),
    ("fleeting", lambda kpis: sum(kpis.fleeting.values()), ".0f"),
    ("stale", lambda kpis: len(kpis.stale), ".0f"),
)
"""What is compared: alarms that were raised, the most in ten minutes, and how many of them were of no use."""
_WIDTH, _BAR, _LEFT, _GAP = 320, 22, 130, 16


def what_if_json(results: Sequence[VariantResult]) -> list[dict[str, Any]]:
    """Return the figures of merit of each variant as plain data."""
    return [{"name": result.name, "kpis": kpis_json(result.kpis)} for result in results]


def what_if_text(results: Sequence[VariantResult]) -> str:
    """Return a table for a terminal."""
    width = max(len("variant"), *(len(result.name) for result in results))
    lines = ["  ".join(["variant".ljust(width), *(name.rjust(len(name)) for name, _, _ in FIGURES)])]
    for result in results:
        cells = [format(of(result.kpis), form).rjust(len(name)) for name, of, form in FIGURES]
        lines.append("  ".join([result.name.ljust(width), *cells]))
    return "\n".join(lines) + "\n"


def what_if_html(results: Sequence[VariantResult], *, title: str) -> str:
    """Return a page with a plot of each figure over the variants, and the table.

    Parameters
    ----------
    results : sequence of VariantResult
    title : str
        Of the run.
    """
    plots = "".join(_plot(results, figure) for figure in FIGURES)
    head = "".join(f'<th class="n">{escape(name)}</th>' for name, _, _ in FIGURES)
    rows = "".join(
        f"<tr><td>{escape(result.name)}</td>"
        + "".join(f'<td class="n">{of(result.kpis):{form}}</td>' for _, of, form in FIGURES)
        + "</tr>"
        for result in results
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: alarm settings</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>The same run with other alarm settings</p></header><main>"
        f'<section><h2>Figures of merit</h2><div class="plots">{plots}</div></section>'
        f"<section><h2>Table</h2><table><tr><th>Variant</th>{head}</tr>{rows}</table></section>"
        "</main></body></html>\n"
    )


def _plot(results: Sequence[VariantResult], figure: Figure) -> str:
    name, of, form = figure
    values = [of(result.kpis) for result in results]
    most = max(*values, 1.0)
    height = 24 + (_BAR + 6) * len(results)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><text x="0" y="14" font-weight="bold">{escape(name)}</text>'
    ]
    for row, (result, value) in enumerate(zip(results, values, strict=True)):
        top = 24 + (_BAR + 6) * row
        length = (_WIDTH - _LEFT - 40) * value / most
        label = result.name if len(result.name) <= _GAP + 2 else result.name[: _GAP + 1] + "…"
        parts.append(f'<text x="0" y="{top + 15}" fill="#565e65">{escape(label)}</text>')
        colour = "#9aa3aa" if row == 0 else "#3d5a73"
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + length + 6:.1f}" y="{top + 15}">{value:{form}}</text>')
    return "".join([*parts, "</svg>"])
