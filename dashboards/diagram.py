"""The one-line diagram as SVG text; values and switch positions are filled in by the browser.

Elements carry ``data-meter`` and ``data-switch`` so that the script finds them by name.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Literal

from dashboards.placement import HEIGHT, WIDTH, Direction, Placement, Point
from dashboards.quantity import engineering
from twin.contracts import BranchLine, BusLine, Diagram, MeterLine, SwitchLine

_LABEL_W, _LABEL_H = 118.0, 36.0
_NAMED = 40
"""Bus names are written in diagrams of up to so many buses; pointing at a bus tells its name always."""


def render(diagram: Diagram, switches: Sequence[SwitchLine], meters: Sequence[MeterLine]) -> str:
    """Return the diagram as one ``<svg>`` element.

    Parameters
    ----------
    diagram : Diagram
        Buses and branches.
    switches : sequence of SwitchLine
        Drawn on the branch that they are in series with, or hung on their buses; they can be clicked.
    meters : sequence of MeterLine
        Each drawn with a label beside its bus.
    """
    placement = Placement(diagram)
    parts = [_branch(branch, placement) for branch in diagram.branches if placement.has(branch)]
    parts += [_bus(bus, placement) for bus in diagram.buses]
    on_branches = _on_branches(diagram, placement)
    for switch in switches:
        if switch.name in on_branches:
            x, y, aside = on_branches[switch.name]
            parts.append(_switch(switch, x, y, label="aside" if aside else "below"))
        elif switch.bus in placement.places:
            parts.append(_hung_switch(switch, placement))
    parts += [_meter(meter, placement) for meter in meters if meter.bus in placement.places]
    if len(diagram.buses) <= _NAMED:
        parts += [_bus_name(bus, placement) for bus in diagram.buses]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'class="one-line" role="img" aria-label="One-line diagram">{"".join(parts)}</svg>'
    )


def _branch(branch: BranchLine, placement: Placement) -> str:
    (x1, y1), (x2, y2) = placement.places[branch.from_bus], placement.places[branch.to_bus]
    if placement.direction is Direction.ACROSS:
        path = f"M{x1:.1f} {y1:.1f}H{(x1 + x2) / 2:.1f}V{y2:.1f}H{x2:.1f}"
    elif placement.direction is Direction.DOWN:
        path = f"M{x1:.1f} {y1:.1f}V{(y1 + y2) / 2:.1f}H{x2:.1f}V{y2:.1f}"
    else:
        path = f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"
    title = f"<title>{escape(branch.kind)} {escape(branch.name)}</title>"
    text = f'<path class="branch" d="{path}">{title}</path>'
    if branch.kind != "transformer":
        return text
    (ax, ay), (bx, by) = placement.own_run(branch)
    symbols = len(branch.switches) + 1
    x, y = placement.on_branch(branch, symbols / (symbols + 1))
    size = max(placement.size, 0.7)
    length = math.hypot(bx - ax, by - ay) or 1.0
    along = 7.0 * size * (bx - ax) / length, 7.0 * size * (by - ay) / length
    placement.reserve((x, y), 20 * size, 20 * size)
    circles = "".join(
        f'<circle cx="{x + sign * along[0]:.1f}" cy="{y + sign * along[1]:.1f}" r="{11 * size:.1f}"/>'
        for sign in (-1, 1)
    )
    return f'{text}<g class="transformer">{title}{circles}</g>'


def _on_branches(diagram: Diagram, placement: Placement) -> dict[str, tuple[float, float, bool]]:
    """Return where switches in series with branches go, and whether their names stand aside of them."""
    found = {}
    for branch in diagram.branches:
        if not placement.has(branch):
            continue
        (ax, ay), (bx, by) = placement.own_run(branch)
        aside = abs(by - ay) > abs(bx - ax)  # below it, the name would lie on the line
        symbols = len(branch.switches) + (branch.kind == "transformer")
        for number, name in enumerate(branch.switches, start=1):
            spot = placement.on_branch(branch, number / (symbols + 1))
            half = max(26.0, 3.6 * len(name))
            if aside:
                placement.reserve((spot[0] + half, spot[1]), half + 16, 14)
            else:
                placement.reserve((spot[0], spot[1] + 8), half, 22)
            found[name] = (*spot, aside)
    return found


def _bus(bus: BusLine, placement: Placement) -> str:
    x, y = placement.places[bus.name]
    return (
        f'<g class="node {escape(bus.kind)}" transform="translate({x:.1f} {y:.1f}) '
        f'scale({placement.size:.2f})"><title>{escape(bus.kind)} {escape(bus.name)}</title>'
        f"{_symbol(bus.kind, placement.direction)}</g>"
    )


def _symbol(kind: str, direction: Direction) -> str:
    """Return the symbol of a kind of bus, drawn about the origin."""
    if kind == "source":
        return '<circle r="15"/><path d="M-9 0q4.5 -9 9 0t9 0" class="glyph"/>'
    if kind == "customer":
        return '<path d="M-9 9V-2L0 -11L9 -2V9Z"/>'
    if kind == "photovoltaic":
        rays = "".join(
            f"M{8 * math.cos(a):.1f} {8 * math.sin(a):.1f}L{12 * math.cos(a):.1f} {12 * math.sin(a):.1f}"
            for a in (math.pi / 4 * k for k in range(8))
        )
        return f'<circle r="5.5"/><path d="{rays}" class="glyph"/>'
    if direction is Direction.MAP:
        return '<circle r="3.5" class="bar"/>'
    half = 20 if kind == "bus" else 14
    if direction is Direction.DOWN:
        return f'<rect x="{-half}" y="-2.5" width="{2 * half}" height="5" class="bar"/>'
    return f'<rect x="-2.5" y="{-half}" width="5" height="{2 * half}" class="bar"/>'


def _bus_name(bus: BusLine, placement: Placement) -> str:
    width = 7.2 * len(bus.name) + 4
    spot = placement.claim(placement.beside(bus.name, width / 2, 8), width / 2, 8)
    if spot is None:
        return ""
    return f'<text x="{spot[0]:.1f}" y="{spot[1] + 4:.1f}" class="bus-name">{escape(bus.name)}</text>'


def _hung_switch(switch: SwitchLine, placement: Placement) -> str:
    """Draw a switch at the end of a short line from its bus, its name at the far side."""
    bx, by = placement.places[switch.bus]
    half = max(28.0, 3.6 * len(switch.name))
    depth = 27.0 if switch.kind == "capacitor" else 22.0
    # The room that it takes reaches further to the side of the name: its middle is not that of the symbol.
    aside = depth - 14
    spots: list[Point] = []
    for reach in (44.0, 80.0, 120.0):
        below = [(bx, by + reach + aside)]
        sides = [(bx + reach, by + aside), (bx - reach, by + aside)]
        spots += sides + below if placement.direction is Direction.DOWN else below + sides
    spots += [(bx, by - reach - aside) for reach in (44.0, 80.0, 120.0)]
    spot = placement.claim(spots, half, depth)
    if spot is None:
        spot = spots[0]
        placement.reserve(spot, half, depth)
    x, y = spot[0], spot[1] + (aside if spot[1] < by else -aside)
    placement.block((bx, by), (x, y))
    label: Literal["below", "above"] = "above" if y < by else "below"
    return (
        f'<path class="branch" d="M{bx:.1f} {by:.1f}L{x:.1f} {y:.1f}"/>{_switch(switch, x, y, label=label)}'
    )


_NAME_AT = {"below": 'y="25"', "above": 'y="-16"', "aside": 'x="16" y="4" class="aside"'}
"""Where the name stands, by its side."""


def _switch(switch: SwitchLine, x: float, y: float, *, label: Literal["below", "above", "aside"]) -> str:
    name, kind = escape(switch.name), escape(switch.kind)
    state = "closed" if switch.closed else "open"
    plates, place = "", _NAME_AT[label]
    if switch.kind == "capacitor":
        sign = -1 if label == "above" else 1
        plates = f'<path d="M-9 {15 * sign}h18M-9 {20 * sign}h18" class="plates"/>'
        place = f'y="{-26 if label == "above" else 34}"'
    return (
        f'<g class="switch {state}" transform="translate({x:.1f} {y:.1f})" data-switch="{name}" '
        f'data-kind="{kind}" data-bus="{escape(switch.bus)}" tabindex="0" role="button" '
        f'aria-label="{kind} {name}, {state}"><title>{kind} {name}</title>'
        f'<rect x="-26" y="{-30 if label == "above" else -16}" width="52" height="46" class="hit"/>'
        '<rect x="-10" y="-10" width="20" height="20" class="body"/>'
        '<path d="M0 -7V7" class="blade-closed"/><path d="M-7 0H7" class="blade-open"/>'
        f"{plates}<text {place}>{name}</text></g>"
    )


def _meter(meter: MeterLine, placement: Placement) -> str:
    x, y = placement.places[meter.bus]
    dx, dy = _LABEL_W / 2, _LABEL_H / 2
    name = escape(meter.name)
    title = (
        f"<title>{name}: {escape(meter.profile)}, {escape(meter.location)}, {escape(meter.endpoint)}, "
        f"rated {engineering(meter.rated_voltage, 'V')}</title>"
    )
    spot = placement.claim(placement.around(meter.bus, dx, dy), dx, dy)
    if spot is None:
        # No room for a label: a ring, which still shows an alarm.
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{20 * placement.size:.1f}"/>'
        return f'<g class="meter small" data-meter="{name}">{title}{ring}</g>'
    cx, cy = spot
    left, right, top = cx - dx, cx + dx, cy - dy
    return (
        f'<g class="meter" data-meter="{name}">{title}'
        f'<path class="leader" d="M{x:.1f} {y:.1f}L{cx:.1f} {cy:.1f}"/>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{_LABEL_W:g}" height="{_LABEL_H:g}" rx="2"/>'
        f'<text x="{left + 6:.1f}" y="{top + 14:.1f}" class="meter-name">{name}</text>'
        f'<text x="{right - 6:.1f}" y="{top + 14:.1f}" class="meter-alarm"></text>'
        f'<text x="{left + 6:.1f}" y="{top + 29:.1f}" class="meter-v">–</text>'
        f'<text x="{right - 6:.1f}" y="{top + 29:.1f}" class="meter-p">–</text></g>'
    )
