"""Lines in a row: buses at which nothing but two lines meets can be passed over."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chain:
    """Lines in a row, from one kept bus to another."""

    members: tuple[tuple[int, bool], ...]
    """Line, and whether its ``from`` end comes first."""
    first: int
    last: int
    """Buses at the ends."""


def chains(
    lines: Sequence[tuple[int, int, int]], *, kept: Collection[int], mergeable: Callable[[int, int], bool]
) -> list[Chain]:
    """Join lines at buses where nothing but two of them meets."""
    at_bus: dict[int, list[int]] = {}
    ends = {at: (one, other) for at, one, other in lines}
    for at, one, other in lines:
        at_bus.setdefault(one, []).append(at)
        at_bus.setdefault(other, []).append(at)

    def through(bus: int) -> bool:
        here = at_bus[bus]
        return bus not in kept and len(here) == 2 and here[0] != here[1] and mergeable(here[0], here[1])

    out, used = [], set()
    for at, one, other in lines:
        if at in used:
            continue
        members = [(at, True)]
        used.add(at)
        first = _walk(at, one, members, used, at_bus, ends, through, front=True)
        last = _walk(at, other, members, used, at_bus, ends, through, front=False)
        out.append(Chain(tuple(members), first, last))
    return out


def _walk(
    at: int,
    bus: int,
    members: list[tuple[int, bool]],
    used: set[int],
    at_bus: Mapping[int, list[int]],
    ends: Mapping[int, tuple[int, int]],
    through: Callable[[int], bool],
    *,
    front: bool,
) -> int:
    """Go on from a line's end as far as lines merely follow each other; return the last bus."""
    while through(bus):
        one, other = at_bus[bus]
        following = other if one == at else one
        if following in used:
            break
        used.add(following)
        near, far = ends[following]
        forward = (far == bus) if front else (near == bus)
        members.insert(0, (following, forward)) if front else members.append((following, forward))
        bus = near if far == bus else far
        at = following
    return bus
