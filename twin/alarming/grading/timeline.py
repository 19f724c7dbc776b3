"""Expected and raised alarms over time, as SVG."""

from datetime import UTC, datetime
from html import escape

from twin.alarming.grading.verdict import AlarmVerdict, Verdict
from twin.contracts import NS_PER_SECOND

_WIDTH, _LEFT, _ROW, _TOP, _BOTTOM = 1300, 300, 34, 10, 26
_LEAST = 3.0
"""Width of an occurrence that is too short to be seen."""
_EXPECTED, _GOOD, _BAD, _LATE = "#9aa3aa", "#3d5a73", "#c8102e", "#e07b00"
_STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 604800, 2592000)
_LEGEND = (
    ("expected", _EXPECTED),
    ("raised", _GOOD),
    ("late or wrong return", _LATE),
    ("missed, false or repeated", _BAD),
)


def timeline_svg(verdict: Verdict) -> str:
    """Return a row for each alarm: above what is expected, below what was raised."""
    height = _TOP + _ROW * len(verdict.alarms) + _BOTTOM + 22
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" font-family="sans-serif" font-size="12" role="img" '
        'aria-label="expected and raised alarms over time">'
    ]
    parts += _axis(verdict, _TOP + _ROW * len(verdict.alarms))
    for row, alarm in enumerate(verdict.alarms):
        parts += _row(verdict, alarm, _TOP + _ROW * row)
    x = float(_LEFT)
    for text, colour in _LEGEND:
        parts.append(f'<rect x="{x:.0f}" y="{height - 14}" width="14" height="8" fill="{colour}"/>')
        parts.append(f'<text x="{x + 19:.0f}" y="{height - 6}" fill="#565e65">{text}</text>')
        x += 34 + 6.6 * len(text)
    return "\n".join([*parts, "</svg>"])


def _row(verdict: Verdict, alarm: AlarmVerdict, top: float) -> list[str]:
    name = f"{alarm.source}  {alarm.condition}"
    name = name if len(name) <= 44 else name[:43] + "…"
    colour = "#24292e" if alarm.passed else _BAD
    parts = [
        f'<text x="0" y="{top + 17}" fill="{colour}">{"✓" if alarm.passed else "✗"} {escape(name)}</text>'
    ]
    for match in alarm.matches:
        expected, raised = match.expected, match.raised
        good = _LATE if match.late or match.return_problem else _GOOD
        parts.append(_bar(verdict, expected.start_ns, expected.end_ns, top + 5, _EXPECTED, expected.about))
        parts.append(_bar(verdict, raised.start_ns, raised.end_ns, top + 16, good, match.return_problem))
    for missed in alarm.missed:
        text = f"missed: {missed.about}"
        parts.append(_bar(verdict, missed.start_ns, missed.end_ns, top + 5, _BAD, text))
    wrong = [(one, "false") for one in alarm.false] + [(one, "raised again") for one in alarm.repeated]
    parts += [_bar(verdict, one.start_ns, one.end_ns, top + 16, _BAD, text) for one, text in wrong]
    return parts


def _bar(verdict: Verdict, start_ns: int, end_ns: int | None, y: float, colour: str, text: str) -> str:
    left = _x(verdict, start_ns)
    width = max(_LEAST, _x(verdict, verdict.end_ns if end_ns is None else end_ns) - left)
    title = f"<title>{escape(_clock(start_ns, seconds=True))} {escape(text)}</title>"
    return f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="9" fill="{colour}">{title}</rect>'


def _axis(verdict: Verdict, bottom: float) -> list[str]:
    span_s = max(1, (verdict.end_ns - verdict.start_ns) // NS_PER_SECOND)
    step_s = next((step for step in _STEPS_S if span_s / step <= 10), _STEPS_S[-1])
    at_s = -(-verdict.start_ns // NS_PER_SECOND // step_s) * step_s
    parts = []
    while at_s * NS_PER_SECOND <= verdict.end_ns:
        x = _x(verdict, at_s * NS_PER_SECOND)
        text = _clock(at_s * NS_PER_SECOND, seconds=step_s < 60)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#cfd3d6"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" fill="#565e65" text-anchor="middle">{text}</text>')
        at_s += step_s
    return parts


def _x(verdict: Verdict, time_ns: int) -> float:
    share = (time_ns - verdict.start_ns) / max(1, verdict.end_ns - verdict.start_ns)
    return _LEFT + (_WIDTH - _LEFT - 20) * min(max(share, 0.0), 1.0)


def _clock(time_ns: int, *, seconds: bool) -> str:
    time = datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC)
    return f"{time:%H:%M:%S}" if seconds else f"{time:%H:%M}"
