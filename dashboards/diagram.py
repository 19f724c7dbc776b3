"""The one-line diagram as SVG text; values and switch positions are filled in by the browser.

Elements carry ``data-meter`` and ``data-switch`` so that the script finds them by name.
"""

from collections.abc import Sequence
from html import escape

from dashboards.quantity import engineering
from twin.contracts import BranchLine, BusLine, Diagram, MeterLine, SwitchLine

WIDTH, HEIGHT = 1120.0, 400.0
"""Size of the drawing in its own units."""
_MARGIN_X, _MARGIN_Y = 70.0, 56.0
_LABEL_W, _LABEL_H = 118.0, 36.0
_SWITCH_GAP = 30.0

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def render(diagram: Diagram, switches: Sequence[SwitchLine], meters: Sequence[MeterLine]) -> str:
    """Return the diagram as one ``<svg>`` element.

    Parameters
    ----------
    diagram : Diagram
        Buses and branches.
    switches : sequence of SwitchLine
        Drawn at their buses, or on the branch that has their name; they can be clicked.
    meters : sequence of MeterLine
        Each drawn with a label beside its bus.
    """
    places = {bus.name: _place(bus) for bus in diagram.buses}
    on_branch = {switch.name for switch in switches} & {branch.name for branch in diagram.branches}
    parts = [_branch(branch, places) for branch in diagram.branches]
    parts += [_bus(bus, places[bus.name]) for bus in diagram.buses]
    taken = [_around(x, y, 16, 20) for x, y in places.values()]
    parts += _switches(diagram, switches, places, on_branch, taken)
    for bus in diagram.buses:
        parts.append(_bus_name(bus, places[bus.name], taken))
    for meter in meters:
        if meter.bus in places:
            parts.append(_meter(meter, places[meter.bus], taken))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'class="one-line" role="img" aria-label="One-line diagram">{"".join(parts)}</svg>'
    )


def _place(bus: BusLine) -> tuple[float, float]:
    x = _MARGIN_X + bus.x * (WIDTH - 2 * _MARGIN_X)
    return x, _MARGIN_Y + bus.y * (HEIGHT - 2 * _MARGIN_Y)


def _around(x: float, y: float, dx: float, dy: float) -> Box:
    return x - dx, y - dy, x + dx, y + dy


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _fits(box: Box, taken: Sequence[Box]) -> bool:
    inside = box[0] >= 2 and box[1] >= 2 and box[2] <= WIDTH - 2 and box[3] <= HEIGHT - 2
    return inside and not any(_overlap(box, other) for other in taken)


def _middle(branch: BranchLine, places: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Return the point of a branch where a transformer or a switch is drawn."""
    (x1, y1), (x2, y2) = places[branch.from_bus], places[branch.to_bus]
    if abs(x2 - x1) < 1:
        return x1, (y1 + y2) / 2
    return (x1 + 3 * x2) / 4 if abs(y2 - y1) >= 1 else (x1 + x2) / 2, y2


def _branch(branch: BranchLine, places: dict[str, tuple[float, float]]) -> str:
    if branch.from_bus not in places or branch.to_bus not in places:
        return ""
    (x1, y1), (x2, y2) = places[branch.from_bus], places[branch.to_bus]
    xm = (x1 + x2) / 2
    path = f"M{x1:.1f} {y1:.1f}H{xm:.1f}V{y2:.1f}H{x2:.1f}"
    text = (
        f'<path class="branch" d="{path}"><title>{escape(branch.kind)} {escape(branch.name)}</title></path>'
    )
    if branch.kind == "transformer":
        x, y = _middle(branch, places)
        text += f'<g class="transformer"><title>transformer {escape(branch.name)}</title>'
        text += "".join(f'<circle cx="{x + dx:.1f}" cy="{y:.1f}" r="11"/>' for dx in (-7, 7)) + "</g>"
    return text


def _bus(bus: BusLine, place: tuple[float, float]) -> str:
    x, y = place
    title = f"<title>{escape(bus.kind)} {escape(bus.name)}</title>"
    if bus.kind == "source":
        wave = f'<path d="M{x - 9:.1f} {y:.1f}q4.5 -9 9 0t9 0" class="glyph"/>'
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="15"/>{wave}'
    elif bus.kind == "customer":
        house = (
            f"M{x - 9:.1f} {y + 9:.1f}V{y - 2:.1f}L{x:.1f} {y - 11:.1f}L{x + 9:.1f} {y - 2:.1f}V{y + 9:.1f}Z"
        )
        shape = f'<path d="{house}"/>'
    elif bus.kind == "photovoltaic":
        shape = (
            f'<rect x="{x - 12:.1f}" y="{y - 9:.1f}" width="24" height="18"/>'
            f'<path d="M{x - 12:.1f} {y - 9:.1f}L{x:.1f} {y:.1f}L{x + 12:.1f} {y - 9:.1f}" class="glyph"/>'
        )
    else:
        half = 20 if bus.kind == "bus" else 14
        shape = f'<rect x="{x - 2.5:.1f}" y="{y - half:.1f}" width="5" height="{2 * half}" class="bar"/>'
    return f'<g class="node {escape(bus.kind)}">{title}{shape}</g>'


def _bus_name(bus: BusLine, place: tuple[float, float], taken: list[Box]) -> str:
    x, y = place
    width = 7.2 * len(bus.name) + 4
    for cx, cy in ((x, y + 30), (x, y - 28), (x + 14 + width / 2, y + 14), (x - 14 - width / 2, y + 14)):
        box = _around(cx, cy, width / 2, 8)
        if _fits(box, taken):
            taken.append(box)
            return f'<text x="{cx:.1f}" y="{cy + 4:.1f}" class="bus-name">{escape(bus.name)}</text>'
    return ""


def _switches(
    diagram: Diagram,
    switches: Sequence[SwitchLine],
    places: dict[str, tuple[float, float]],
    on_branch: set[str],
    taken: list[Box],
) -> list[str]:
    branches = {branch.name: branch for branch in diagram.branches}
    parts = []
    for switch in switches:
        if switch.name in on_branch:
            x, y = _middle(branches[switch.name], places)
            stub = ""
        elif switch.bus in places:
            bx, by = places[switch.bus]
            spots = [(bx, by + s * k) for k in (44.0, 44.0 + 2 * _SWITCH_GAP) for s in (1.0, -1.0)]
            spots += [(bx + s * 44.0, by) for s in (1.0, -1.0)]
            x, y = next((spot for spot in spots if _fits(_around(*spot, 30, 20), taken)), spots[0])
            stub = f'<path class="branch" d="M{bx:.1f} {by:.1f}L{x:.1f} {y:.1f}"/>'
        else:
            continue
        taken.append(_around(x, y, 30, 20))
        parts.append(stub + _switch(switch, x, y))
    return parts


def _switch(switch: SwitchLine, x: float, y: float) -> str:
    name = escape(switch.name)
    state = "closed" if switch.closed else "open"
    plates = ""
    if switch.kind == "capacitor":
        plates = f'<path d="M{x - 9:.1f} {y + 15:.1f}h18M{x - 9:.1f} {y + 20:.1f}h18" class="plates"/>'
    label_y = y + (34 if plates else 25)
    return (
        f'<g class="switch {state}" data-switch="{name}" data-kind="{escape(switch.kind)}" '
        f'data-bus="{escape(switch.bus)}" tabindex="0" role="button" '
        f'aria-label="{escape(switch.kind)} {name}, {state}">'
        f'<rect x="{x - 26:.1f}" y="{y - 16:.1f}" width="52" height="46" class="hit"/>'
        f'<rect x="{x - 10:.1f}" y="{y - 10:.1f}" width="20" height="20" class="body"/>'
        f'<path d="M{x:.1f} {y - 7:.1f}V{y + 7:.1f}" class="blade-closed"/>'
        f'<path d="M{x - 7:.1f} {y:.1f}H{x + 7:.1f}" class="blade-open"/>'
        f'{plates}<text x="{x:.1f}" y="{label_y:.1f}">{name}</text></g>'
    )


def _meter(meter: MeterLine, place: tuple[float, float], taken: list[Box]) -> str:
    x, y = place
    dx, dy = _LABEL_W / 2, _LABEL_H / 2
    spots = [(x, y - 46), (x, y + 62), (x + dx + 18, y - 30), (x - dx - 18, y - 30)]
    spots += [(x + dx + 18, y + 34), (x - dx - 18, y + 34), (x, y - 88), (x, y + 104)]
    name = escape(meter.name)
    title = (
        f"<title>{name}: {escape(meter.profile)}, {escape(meter.location)}, {escape(meter.endpoint)}, "
        f"rated {engineering(meter.rated_voltage, 'V')}</title>"
    )
    spot = next((spot for spot in spots if _fits(_around(*spot, dx, dy), taken)), None)
    if spot is None:
        # No room for a label: a ring that tells its values when pointed at.
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="20"/>'
        return f'<g class="meter small" data-meter="{name}">{title}{ring}</g>'
    cx, cy = spot
    taken.append(_around(cx, cy, dx, dy))
    left, top = cx - dx, cy - dy
    return (
        f'<g class="meter" data-meter="{name}">{title}'
        f'<path class="leader" d="M{x:.1f} {y:.1f}L{cx:.1f} {cy:.1f}"/>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{_LABEL_W:g}" height="{_LABEL_H:g}" rx="2"/>'
        f'<text x="{left + 6:.1f}" y="{top + 14:.1f}" class="meter-name">{name}</text>'
        f'<text x="{left + _LABEL_W - 6:.1f}" y="{top + 14:.1f}" class="meter-alarm"></text>'
        f'<text x="{left + 6:.1f}" y="{top + 29:.1f}" class="meter-v">–</text>'
        f'<text x="{left + _LABEL_W - 6:.1f}" y="{top + 29:.1f}" class="meter-p">–</text></g>'
    )
