"""Draw what a run costs over meters, buses and faults, for ``performance.md``.

``python -m docs.scale_curves`` takes some minutes: it runs ``benchmarks.scale.curve_points``. Processor
time is drawn, which other work on the machine changes less than the time by the clock.
"""

from pathlib import Path

from benchmarks.scale import CURVES, curve_points

Points = list[tuple[float, float]]

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 300, 240, 44, 44, 40
SHOWN = {"meters": "meters", "buses": "buses", "faults": "faults"}
TICKS = 4


def measure() -> dict[str, Points]:
    """Return processor time [s] over meters, buses and faults."""
    found: dict[str, Points] = {}
    for name, place, costs in curve_points():
        found.setdefault(name, []).append((place, costs["cpu_s"]))
    return found


def drawing(found: dict[str, Points]) -> str:
    """Return the curves as SVG, each in a panel of its own with a straight line to its last point."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(found)}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="11">'
    ]
    for panel, (name, points) in enumerate(found.items()):
        parts.append(f'<g transform="translate({panel * WIDTH},0)">')
        parts += [*_panel(name, points), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(name: str, points: Points) -> list[str]:
    right = max(place for place, _ in points)
    top = _round_up(max(cost for _, cost in points))
    shown = [(_x(place / right), _y(cost / top)) for place, cost in points]
    start = shown[0] if points[0][0] == 0 else (_x(0), _y(0))
    parts = [
        f'<text x="{LEFT}" y="16" font-size="12">processor time [s] over {SHOWN[name]}</text>',
        f'<text x="{LEFT}" y="31" fill="#555">{CURVES[name]}</text>',
    ]
    for tick in range(TICKS + 1):
        level, label = _y(tick / TICKS), f"{top * tick / TICKS:g}"
        parts.append(_line([(_x(0), level), (_x(1), level)], "#dddddd", 0.8))
        parts.append(f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{label}</text>')
        place = _x(tick / TICKS)
        label = f"{right * tick / TICKS:,.0f}"
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>')
    parts.append(_line([start, shown[-1]], "#bbbbbb", 1.0))
    parts.append(_line(shown, "#4477aa", 1.6))
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#4477aa"/>' for x, y in shown]
    return parts


def _round_up(value: float) -> float:
    """Return the least 1, 2, 4, 8, 12 or 20 times a power of ten that is not below a value."""
    scale = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(step * scale for step in (1, 2, 4, 8, 12, 20) if step * scale >= value)


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - 24) * share


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _line(points: Points, colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def table(found: dict[str, Points]) -> str:
    """Return the curves as tables."""
    return "\n\n".join(
        f"| {SHOWN[name]} | {' | '.join(f'{place:,.0f}' for place, _ in points)} |\n"
        f"|{'---|' * (len(points) + 1)}\n"
        f"| processor time [s] | {' | '.join(f'{cost:.1f}' for _, cost in points)} |"
        for name, points in found.items()
    )


if __name__ == "__main__":
    here = Path(__file__)
    measured = measure()
    (here.parent / "images" / "scale.svg").write_text(drawing(measured), encoding="utf-8")
    page = here.with_name("performance.md")
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- curves -->\n")
    _, _, after = rest.partition("<!-- end -->")
    page.write_text(f"{before}<!-- curves -->\n{table(measured)}\n<!-- end -->{after}", encoding="utf-8")
