"""Draw the errors of a population of devices: ``python docs/accuracy_curves.py`` (see ``accuracy.md``)."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.meters.accuracy import KW320, draw_errors, gains
from twin.meters.accuracy_limits import active_limit

DEVICES = 400
DRAWN = 60
FACTORS = (1.0, 0.5)
LOADS = (0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 1.2)
WIDTH, HEIGHT, LEFT, TOP = 420, 260, 48, 30
RANGE = 0.55
"""Half the height of a panel [%]."""


def population() -> list[NDArray[np.float64]]:
    """Return the curves of devices ``m0``, ``m1`` .. of seed 1, rated for 5 A."""
    return [draw_errors(KW320, seed=1, name=f"m{k}", rated_current=5.0).curve for k in range(DEVICES)]


def energy_error(curve: NDArray[np.float64], load: float, pf: float) -> float:
    """Return the error of active energy with balanced load at 230 V, inductive [%]."""
    gain = gains(curve, np.repeat([230.0 / 400.0, load], 3))
    shown = gain[:3] * np.conj(gain[3:] * np.exp(-1j * math.acos(pf)))
    return 100.0 * (float(shown.real.mean()) / pf - 1.0)


def table() -> str:
    """Return the spread of the population as a table."""
    lines = ["| I / In | pf | limit % | lowest | 5 % | median | 95 % | highest |", "|" + "---|" * 8]
    curves = population()
    for pf in FACTORS:
        for load in LOADS:
            limit = active_limit("0.2S", load, pf)
            if limit is None:
                continue
            errors = [energy_error(curve, load, pf) for curve in curves]
            shown = " | ".join(f"{value:+.3f}" for value in np.quantile(errors, [0, 0.05, 0.5, 0.95, 1]))
            lines.append(f"| {load:g} | {pf:g} | {limit:g} | {shown} |")
    return "\n".join(lines)


def drawing() -> str:
    """Return the curves and the limits of the class, as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT + 40}" '
        'font-family="sans-serif" font-size="11">'
    ]
    curves = population()[:DRAWN]
    for panel, pf in enumerate(FACTORS):
        parts.append(f'<g transform="translate({panel * WIDTH},0)">')
        parts.append(f'<text x="{LEFT}" y="18">active energy error [%], pf {pf:g}, class 0.2S</text>')
        loads = np.geomspace(0.005, 1.2, 40)
        for curve in curves:
            line = [(load, energy_error(curve, float(load), pf)) for load in loads]
            parts.append(_line(line, "#4477aa", 0.6))
        steps = [(load, active_limit("0.2S", float(load), pf)) for load in np.geomspace(0.01, 1.2, 400)]
        bands = [[(load, sign * limit) for load, limit in steps if limit] for sign in (-1.0, 1.0)]
        parts += [_line(band, "#cc3311", 1.6) for band in bands]
        parts += [
            f'<text x="{_x(load) - 8:.1f}" y="{TOP + HEIGHT - 10}">{load:g} In</text>'
            for load in (0.01, 0.1, 1.0)
        ]
        parts += [
            f'<text x="4" y="{_y(level) + 4:.1f}">{level:+.1f}</text>'
            for level in (-0.4, -0.2, 0.0, 0.2, 0.4)
        ]
        parts.append(_line([(0.005, 0.0), (1.2, 0.0)], "#888888", 0.8) + "</g>")
    return "\n".join([*parts, "</svg>", ""])


def _x(load: float) -> float:
    return LEFT + (WIDTH - LEFT - 16) * math.log(load / 0.005) / math.log(1.2 / 0.005)


def _y(error: float) -> float:
    return TOP + (HEIGHT - 50) * (0.5 - error / (2 * RANGE))


def _line(points: list[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{_x(load):.1f},{_y(error):.1f}" for load, error in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


if __name__ == "__main__":
    here = Path(__file__)
    (here.parent / "images" / "accuracy.svg").write_text(drawing(), encoding="utf-8")
    page = here.with_name("accuracy.md")
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- population -->\n")
    _, _, after = rest.partition("<!-- end -->")
    page.write_text(f"{before}<!-- population -->\n{table()}\n<!-- end -->{after}", encoding="utf-8")
