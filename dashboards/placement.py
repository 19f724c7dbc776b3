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
        self._branches = [branch for branch in diagram.branches if self.has(branch)]
        self._taken: list[Box] = [_box(place, reach, reach) for place in self.places.values()]
        if self.direction is not Direction.MAP:
            self._taken += [box for branch in self._branches for box in self._runs(branch)]

    def has(self, branch: BranchLine) -> bool:
        """Return whether both ends of a branch are drawn."""
        return branch.from_bus in self.places and branch.to_bus in self.places

    def own_run(self, branch: BranchLine) -> tuple[Point, Point]:
        """Return the ends of a straight run of a branch that it shares with no other branch of a tree."""
        start, end = self.places[branch.from_bus], self.places[branch.to_bus]
        if self.direction is Direction.MAP:
            return start, end
        if self.direction is Direction.DOWN:
            (y1, x1), (y2, x2) = self._bend(branch, start[::-1], end[::-1])
            return (x1, y1), (x2, y2)
        return self._bend(branch, start, end)

    def _bend(self, branch: BranchLine, start: Point, end: Point) -> tuple[Point, Point]:
        """Return the own run of a branch that leaves and arrives along the first axis."""
        ahead = end[0] - start[0]
        if abs(ahead) <= 1:
            return start, end
        # A run from half-way on ends before the symbol of its bus.
        rest = math.copysign(max(abs(ahead) / 2 - 18 * self.size, 8.0), ahead)
        middle = (start[0] + end[0]) / 2
        if abs(end[1] - start[1]) > 1:
            return (middle, end[1]), (middle + rest, end[1])
        axis = 1 if self.direction is Direction.DOWN else 0
        for other in self._branches:
            ends = (other.from_bus, other.to_bus)
            if other is branch or branch.from_bus not in ends:
                continue
            far = self.places[ends[1] if ends[0] == branch.from_bus else ends[0]]
            turns = abs(far[1 - axis] - start[1]) > 1
            if turns and (far[axis] - start[0]) * ahead > 1:
                return (middle, start[1]), (middle + rest, end[1])  # up to there it is the other's too
        return start, end

    def on_branch(self, branch: BranchLine, share: float) -> Point:
        """Return the point of a branch's own run at a share of its length."""
        (x1, y1), (x2, y2) = self.own_run(branch)
        return x1 + share * (x2 - x1), y1 + share * (y2 - y1)

    def reserve(self, spot: Point, dx: float, dy: float) -> None:
        """Take the room of a symbol, whatever is there."""
        self._taken.append(_box(spot, dx, dy))

    def beside(self, bus: str, dx: float, dy: float) -> list[Point]:
        """Return spots right at a bus for a box of half width ``dx`` and half height ``dy``."""
        x, y = self.places[bus]
        off_x, off_y = 25 * self.size + dx, 22 * self.size + dy
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
