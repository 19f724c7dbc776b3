"""Registers that a scenario wants kept: looked at in step with simulated time, recorded when they changed."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Access, Point, Record, RegisterRecord
from twin.meters import Fleet
from twin.scenario import SiteScenario

Words = NDArray[np.uint16]


def start_register_history(
    environment: simpy.Environment,
    fleet: Fleet,
    scenario: SiteScenario,
    *,
    keep: Callable[[Sequence[Record]], None],
) -> dict[int, tuple[Point, ...]]:
    """Have a scenario's registers looked at and their changes kept; return which, by meter.

    They are looked at when UTC is a multiple of the interval, whatever the speed and whoever else reads:
    what is recorded is part of what a run repeats.

    Parameters
    ----------
    environment : simpy.Environment
        Its time is UTC [ns]; the meters have measured up to it whenever an event happens.
    fleet : Fleet
    scenario : SiteScenario
    keep : callable
        Called with the changes of an instant, if there are any.
    """
    watched = _watched(fleet, scenario)
    if watched:
        every_ns = round(scenario.scenario.history.every * NS_PER_SECOND)
        environment.process(_look(environment, _Watch(fleet, watched), every_ns, keep))
    return watched


def _watched(fleet: Fleet, scenario: SiteScenario) -> dict[int, tuple[Point, ...]]:
    wanted = scenario.scenario.history.registers
    found = {}
    for meter, name in enumerate(fleet.names):
        names = wanted.get(name, ())
        image = _image_starts(fleet, meter)
        points = tuple(
            point
            for point in fleet.points(meter)
            if (names == "all" or point.name in names)
            and point.access is not Access.WRITE
            and point.address in image
        )
        if points:
            found[meter] = points
    return found


def _look(
    environment: simpy.Environment,
    watch: "_Watch",
    every_ns: int,
    keep: Callable[[Sequence[Record]], None],
) -> Generator[simpy.Event, Any, None]:
    """Look at all meters again and again, at first at the next multiple of the interval."""
    yield environment.timeout(-int(environment.now) % every_ns)
    while True:
        if changes := watch.changes(int(environment.now)):
            keep(changes)
        yield environment.timeout(every_ns)


class _Watch:
    """All watched registers of a site; meters of one model are encoded together."""

    def __init__(self, fleet: Fleet, watched: Mapping[int, Sequence[Point]]) -> None:
        self._fleet = fleet
        self._histories = [
            (group, [(row, _MeterHistory(fleet, meter, watched[meter])) for row, meter in rows])
            for group, meters in enumerate(fleet.groups)
            if (rows := [(row, meter) for row, meter in enumerate(meters) if meter in watched])
        ]

    def changes(self, now_ns: int) -> list[RegisterRecord]:
        """Return the registers of all meters that hold something else than last time."""
        found = []
        for group, histories in self._histories:
            words = self._fleet.group_words(group)
            for row, history in histories:
                found += history.changes(words[row], now_ns)
        return found


class _MeterHistory:
    """Some registers of a meter, and what they held when they were last looked at."""

    def __init__(self, fleet: Fleet, meter: int, points: Sequence[Point]) -> None:
        self._points = points
        self._name = fleet.names[meter]
        starts = _image_starts(fleet, meter)
        runs = [np.arange(point.words) + starts[point.address] for point in points]
        self._at = np.concatenate(runs)
        self._bounds = np.cumsum([0, *(point.words for point in points)]).tolist()
        self._held: Words | None = None

    def changes(self, image: Words, now_ns: int) -> list[RegisterRecord]:
        """Return the registers that hold something else than last time; at first all."""
        words = image[self._at]
        differs = np.ones(words.size, dtype=bool) if self._held is None else words != self._held
        self._held = words
        if not differs.any():
            return []
        changed = np.flatnonzero(np.logical_or.reduceat(differs, self._bounds[:-1]))
        now = words.tolist()
        return [
            RegisterRecord(
                self._name,
                self._points[at].address,
                now_ns,
                tuple(now[self._bounds[at] : self._bounds[at + 1]]),
            )
            for at in changed.tolist()
        ]


def _image_starts(fleet: Fleet, meter: int) -> Mapping[int, int]:
    """Return where each address of a meter's image is among its words."""
    addresses = [block.address + k for block in fleet.blocks(meter) for k in range(block.count)]
    return {address: at for at, address in enumerate(addresses)}
