"""A verdict as one page that needs nothing else: timeline, what is wrong, figures of merit, causal chains."""

from collections.abc import Iterable
from html import escape

from twin.alarming.grading.reports import latency_percentiles, problems, times
from twin.alarming.grading.timeline import timeline_svg
from twin.alarming.grading.verdict import AlarmVerdict, Verdict
from twin.alarming.journal import utc_text
from twin.alarming.kpis import AlarmKpis
from twin.recording.ledger import Link

STYLE = """
:root { --ink: #24292e; --soft: #565e65; --line: #b4b9bd; --bad: #c8102e; --good: #3d5a73; } * { box-sizing:
border-box; } body { margin: 0; background: #dcdee0; color: var(--ink); font: 14px/1.45 "Liberation Sans",
Arial, sans-serif; } header { background: #c9cdd0; border-bottom: 1px solid var(--line); padding: 10px 18px;
} h1 { font-size: 18px; margin: 0; } header p { margin: 2px 0 0; color: var(--soft); } main { padding: 14px
18px; max-width: 1400px; } section { background: #eceded; border: 1px solid var(--line); padding: 10px 14px;
margin-bottom: 12px; overflow-x: auto; } h2 { font-size: 14px; margin: 0 0 8px; } table { border-collapse:
collapse; width: 100%; } th, td { text-align: left; padding: 4px 10px 4px 0; border-top: 1px solid #cfd3d6;
vertical-align: top; } th { border-top: 0; color: var(--soft); font-weight: normal; } td.n { text-align:
right; font-variant-numeric: tabular-nums; } th.n { text-align: right; } .verdict { font-weight: bold; }
.fail { color: var(--bad); } .pass { color: var(--good); } ul { margin: 0; padding-left: 18px; min-width:
260px; } li.why { font-weight: bold; } details { margin: 4px 0; } summary { cursor: pointer; } .stage {
color: var(--soft); } svg { display: block; } .plots { display: flex; flex-wrap: wrap; gap: 24px 32px; }
"""


def verdict_html(verdict: Verdict, *, title: str) -> str:
    """Return a verdict as an HTML page.

    Parameters
    ----------
    verdict : Verdict
    title : str
        Of the run.
    """
    passed = sum(alarm.passed for alarm in verdict.alarms)
    word = "passed" if verdict.passed else "failed"
    mark = "✓" if verdict.passed else "✗"
    body = [
        f'<header><h1>{escape(title)}: <span class="verdict {word[:4]}">{mark} {word}</span></h1>'
        f"<p>{passed} of {len(verdict.alarms)} alarms pass · {utc_text(verdict.start_ns)} to "
        f"{utc_text(verdict.end_ns)}</p></header><main>",
        f"<section><h2>Expected and raised</h2>{timeline_svg(verdict)}</section>",
        _alarm_table(verdict),
        _kpi_table(verdict),
        _chains(verdict),
        "</main>",
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: {word}</title><style>{STYLE}</style></head><body>"
    )
    return head + "\n".join(body) + "</body></html>\n"


def _alarm_table(verdict: Verdict) -> str:
    rows = [_alarm_row(alarm) for alarm in verdict.alarms]
    rows += [
        f'<tr><td class="fail">✗ fail</td><td>{escape(source)}</td><td>{escape(condition)}</td>'
        f'<td class="n">0</td><td class="n">0</td><td>not in the map, raised {times(count)}</td></tr>'
        for source, condition, count in verdict.unknown
    ]
    notes = "".join(
        f"<p>{escape(' '.join(one.second))} came before {escape(' '.join(one.first))}, which happened "
        f"earlier ({utc_text(one.time_ns)}).</p>"
        for one in verdict.inversions
    )
    notes += "".join(f"<p>{escape(note)}</p>" for note in verdict.notes)
    return (
        "<section><h2>Alarms</h2><table><tr><th>Verdict</th><th>Source</th><th>Alarm</th>"
        '<th class="n">Expected</th><th class="n">Found</th><th>What is wrong</th></tr>'
        f"{''.join(rows)}</table>{notes}</section>"
    )


def _alarm_row(alarm: AlarmVerdict) -> str:
    mark = '<td class="pass">✓ pass</td>' if alarm.passed else '<td class="fail">✗ fail</td>'
    lines = "".join(
        f'<li class="why">{escape(line)}</li>'
        if line.startswith("looks as if")
        else f"<li>{escape(line)}</li>"
        for line in _shortened(problems(alarm))
    )
    return (
        f"<tr>{mark}<td>{escape(alarm.source)}</td><td>{escape(alarm.condition)}</td>"
        f'<td class="n">{len(alarm.matches) + len(alarm.missed)}</td><td class="n">{len(alarm.matches)}</td>'
        f"<td>{f'<ul>{lines}</ul>' if lines else ''}</td></tr>"
    )


def _shortened(lines: list[str], most: int = 8) -> list[str]:
    """Return the first lines and every explanation."""
    why = [line for line in lines if line.startswith("looks as if")]
    other = [line for line in lines if not line.startswith("looks as if")]
    more = [f"and {len(other) - most} more"] if len(other) > most else []
    return [*other[:most], *more, *why]


def _kpi_table(verdict: Verdict) -> str:
    latency = latency_percentiles(verdict)
    shown = " · ".join(f"{name} {value:.1f} s" for name, value in latency.items() if value is not None)
    rows = [
        f'<tr><td>{name}</td><td class="n">{raised}</td><td class="n">{expected}</td></tr>'
        for (name, raised), (_, expected) in zip(
            _figures(verdict.kpis), _figures(verdict.expected_kpis), strict=True
        )
    ]
    return (
        f"<section><h2>Figures of merit</h2><p>Latency from the earliest possible time: {shown or 'none'}</p>"
        '<table><tr><th></th><th class="n">Raised</th><th class="n">Expected</th></tr>'
        f"{''.join(rows)}</table></section>"
    )


def _figures(kpis: AlarmKpis) -> Iterable[tuple[str, str]]:
    yield "Alarms", f"{kpis.annunciations}"
    yield "Average per 10 minutes", f"{kpis.per_ten_minutes:.2f}"
    yield "Worst 10 minutes", f"{kpis.worst_ten_minutes}"
    yield "Floods (more than 10 in 10 minutes)", f"{len(kpis.floods)}"
    yield "Time in floods", f"{100 * kpis.flood_share:.1f} %"
    yield "Chattering alarms (3 within a minute)", f"{len(kpis.chattering)}"
    yield "Fleeting alarms (shorter than 10 s)", f"{sum(kpis.fleeting.values())}"
    yield "Stale alarms (longer than a day)", f"{len(kpis.stale)}"


def _chains(verdict: Verdict) -> str:
    items = [
        f"<details><summary>{utc_text(start_ns)} {escape(source)} {escape(condition)}</summary>"
        f"<table>{''.join(_link(link) for link in links)}</table></details>"
        for (source, condition, start_ns), links in sorted(
            verdict.chains.items(), key=lambda item: (item[0][2], item[0][:2])
        )
    ]
    return (
        f"<section><h2>From cause to alarm</h2>{''.join(items) or '<p>Nothing was expected.</p>'}</section>"
    )


def _link(link: Link) -> str:
    stage = link.stage.replace("_", " ")
    return (
        f'<tr><td class="n">{utc_text(link.time_ns)}</td><td class="stage">{stage}</td>'
        f"<td>{escape(link.text)}</td></tr>"
    )
