"""Registers that a scenario wants kept: looked at in step with simulated time, recorded when they changed."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import simpy

from twin.contracts import NS_PER_SECOND, Access, Point, Record, RegisterRecord
from twin.meters import Fleet
from twin.scenario import SiteScenario


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
        histories = [_MeterHistory(fleet, meter, points) for meter, points in watched.items()]
        every_ns = round(scenario.scenario.history.every * NS_PER_SECOND)
        environment.process(_look(environment, histories, every_ns, keep))
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
    histories: Sequence["_MeterHistory"],
    every_ns: int,
    keep: Callable[[Sequence[Record]], None],
) -> Generator[simpy.Event, Any, None]:
    """Look at all meters again and again, at first at the next multiple of the interval."""
    yield environment.timeout(-int(environment.now) % every_ns)
    while True:
        changes = [change for history in histories for change in history.changes(int(environment.now))]
        if changes:
            keep(changes)
        yield environment.timeout(every_ns)


class _MeterHistory:
    """Some registers of a meter, and what they held when they were last looked at."""

    def __init__(self, fleet: Fleet, meter: int, points: Sequence[Point]) -> None:
        self._fleet, self._meter, self._points = fleet, meter, points
        self._name = fleet.names[meter]
        starts = _image_starts(fleet, meter)
        self._first = [starts[point.address] for point in points]
        counts = [point.words for point in points]
        self._words = np.concatenate(
            [np.arange(count) + at for at, count in zip(self._first, counts, strict=True)]
        )
        self._bounds = np.concatenate([[0], np.cumsum(counts)])
        self._held: np.ndarray[Any, np.dtype[np.uint16]] | None = None

    def changes(self, now_ns: int) -> list[RegisterRecord]:
        """Return the registers that hold something else than last time; at first all."""
        words = self._fleet.words(self._meter)[self._words]
        differs = np.ones(words.size, dtype=bool) if self._held is None else words != self._held
        self._held = words
        if not differs.any():
            return []
        changed = np.flatnonzero(np.logical_or.reduceat(differs, self._bounds[:-1]))
        return [
            RegisterRecord(
                self._name,
                self._points[at].address,
                now_ns,
                tuple(words[self._bounds[at] : self._bounds[at + 1]].tolist()),
            )
            for at in changed.tolist()
        ]


def _image_starts(fleet: Fleet, meter: int) -> Mapping[int, int]:
    """Return where each address of a meter's image is among its words."""
    addresses = [block.address + k for block in fleet.blocks(meter) for k in range(block.count)]
    return {address: at for at, address in enumerate(addresses)}
