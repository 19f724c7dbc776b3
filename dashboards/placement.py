"""Where things go in the one-line diagram: the direction it runs in, and labels that do not overlap."""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

from twin.contracts import BranchLine, Diagram

WIDTH, HEIGHT = 1120.0, 440.0
"""Size of the drawing in its own units."""
_MARGIN_X, _MARGIN_Y = 66.0, 50.0
_FULL_SIZE_BUSES = 30
_SMALLEST = 0.4

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Direction(StrEnum):
    """How branches are drawn."""

    ACROSS = "across"
    """Rectangular, the source on the left."""
    DOWN = "down"
    """Rectangular, the source on top."""
    MAP = "map"
    """Straight, as the network lies in the land."""


class Placement:
    """Places of a diagram's buses, and the room that is taken."""

    def __init__(self, diagram: Diagram) -> None:
        self.places: dict[str, Point] = {
            bus.name: (
                _MARGIN_X + bus.x * (WIDTH - 2 * _MARGIN_X),
                _MARGIN_Y + bus.y * (HEIGHT - 2 * _MARGIN_Y),
            )
            for bus in diagram.buses
        }
        """Of each bus, in units of the drawing."""
        self.direction = direction_of(diagram)
        """How branches are drawn."""
        crowd = max(len(diagram.buses), _FULL_SIZE_BUSES)
        self.size = max(_SMALLEST, math.sqrt(_FULL_SIZE_BUSES / crowd))
        """Factor to the size of symbols: smaller in a crowd."""
        reach = 18 * self.size
        self._taken: list[Box] = [_box(place, reach, reach) for place in self.places.values()]
        if self.direction is not Direction.MAP:
            self._taken += [
                box for branch in diagram.branches if self.has(branch) for box in self._runs(branch)
            ]

    def has(self, branch: BranchLine) -> bool:
        """Return whether both ends of a branch are drawn."""
        return branch.from_bus in self.places and branch.to_bus in self.places

    def on_branch(self, branch: BranchLine) -> Point:
        """Return the point of a branch where a transformer or a switch is drawn."""
        (x1, y1), (x2, y2) = self.places[branch.from_bus], self.places[branch.to_bus]
        if self.direction is Direction.ACROSS and abs(y2 - y1) > 1:
            return (x1 + 3 * x2) / 4, y2
        if self.direction is Direction.DOWN and abs(x2 - x1) > 1:
            return x2, (y1 + 3 * y2) / 4
        return (x1 + x2) / 2, (y1 + y2) / 2

    def beside(self, bus: str, dx: float, dy: float) -> list[Point]:
        """Return spots right at a bus for a box of half width ``dx`` and half height ``dy``."""
        x, y = self.places[bus]
        off_x, off_y = 22 * self.size + dx, 22 * self.size + dy
        corners = [(x + sx * off_x, y + sy * off_y * 0.7) for sx in (1, -1) for sy in (1, -1)]
        sides = [(x, y + off_y), (x, y - off_y), (x + off_x, y), (x - off_x, y)]
        return sides + corners if self.direction is Direction.ACROSS else sides[2:] + corners + sides[:2]

    def around(self, bus: str, dx: float, dy: float) -> list[Point]:
        """Return spots for a label of half width ``dx`` and half height ``dy``, the nearest first."""
        x, y = self.places[bus]
        spots = []
        for gap in (25.0, 40.0, 62.0, 95.0, 140.0, 200.0):
            off_x, off_y = gap + dx, gap + dy
            spots += [(x, y - off_y), (x + off_x, y - dy - 4), (x - off_x, y - dy - 4), (x, y + off_y)]
            spots += [(x + off_x, y + dy + 4), (x - off_x, y + dy + 4), (x + off_x, y - off_y)]
            spots += [(x - off_x, y - off_y), (x + off_x, y + off_y), (x - off_x, y + off_y)]
        return spots

    def claim(self, spots: Iterable[Point], dx: float, dy: float) -> Point | None:
        """Take the first spot whose box is free and inside the drawing; None when there is none."""
        for spot in spots:
            box = _box(spot, dx, dy)
            if _inside(box) and not any(_overlap(box, other) for other in self._taken):
                self._taken.append(box)
                return spot
        return None

    def block(self, start: Point, end: Point) -> None:
        """Take the room of an upright or level line."""
        (x1, y1), (x2, y2) = start, end
        self._taken.append((min(x1, x2) - 2, min(y1, y2) - 2, max(x1, x2) + 2, max(y1, y2) + 2))

    def _runs(self, branch: BranchLine) -> Sequence[Box]:
        """Return the room that the straight runs of a rectangular branch take."""
        (x1, y1), (x2, y2) = self.places[branch.from_bus], self.places[branch.to_bus]
        if self.direction is Direction.ACROSS:
            corners = [(x1, y1), ((x1 + x2) / 2, y1), ((x1 + x2) / 2, y2), (x2, y2)]
        else:
            corners = [(x1, y1), (x1, (y1 + y2) / 2), (x2, (y1 + y2) / 2), (x2, y2)]
        return [
            (min(a[0], b[0]) - 2, min(a[1], b[1]) - 2, max(a[0], b[0]) + 2, max(a[1], b[1]) + 2)
            for a, b in pairwise(corners)
        ]


def direction_of(diagram: Diagram) -> Direction:
    """Return how a diagram runs.

    A network that lies as it does in the land has hardly two buses at one height or one distance. A tree
    that runs down has no branch between buses of one height.
    """
    count = len(diagram.buses)
    columns = len({round(bus.x, 3) for bus in diagram.buses})
    levels = len({round(bus.y, 3) for bus in diagram.buses})
    if count > 12 and min(columns, levels) > count / 3:
        return Direction.MAP
    height = {bus.name: bus.y for bus in diagram.buses}
    ends = [(branch.from_bus, branch.to_bus) for branch in diagram.branches]
    known = [(a, b) for a, b in ends if a in height and b in height]
    down = all(abs(height[a] - height[b]) > 1e-3 for a, b in known)
    return Direction.DOWN if known and down else Direction.ACROSS


def _box(place: Point, dx: float, dy: float) -> Box:
    return place[0] - dx, place[1] - dy, place[0] + dx, place[1] + dy


def _inside(box: Box) -> bool:
    return box[0] >= 2 and box[1] >= 2 and box[2] <= WIDTH - 2 and box[3] <= HEIGHT - 2


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
