"""What endpoints and pages see of the meters: images, logs and values, published together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import BitBlock, Point, RegisterBlock, RetrievalWindow, SerialPort
from twin.meters import Fleet
from twin.protocols import RegisterImage, RegisterImageBank, WindowFactory

Words = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class LiveMeter:
    """A meter as endpoints see it."""

    name: str
    bank: RegisterImageBank
    row: int
    """Which image of the bank it is."""
    window_factory: WindowFactory | None
    windows: tuple[RetrievalWindow, ...]
    write_regions: tuple[tuple[RegisterBlock, ...], ...]
    coils: tuple[BitBlock, ...]
    inputs: tuple[BitBlock, ...]
    serial_ports: tuple[SerialPort, ...]
    function_codes: frozenset[int]
    points: tuple[Point, ...]
    points_in: Callable[[Words], tuple[Point, ...]]
    """Returns the same, scaled as some published words say that the meter is set."""

    @property
    def image(self) -> RegisterImage:
        """Published holding registers."""
        return self.bank.images[self.row]

    def snapshot(self) -> tuple[int, Words]:
        """Return all published words, block after block, and their simulated time, UTC [ns]."""
        image = self.image
        while True:
            published_ns = image.published_ns
            parts = [image.read(block.address, block.count) for block in image.blocks]
            if image.published_ns == published_ns:
                return published_ns, np.concatenate([part for part in parts if part is not None])


class Publisher:
    """Publishes the meters of a fleet in memory that other processes can attach to.

    Parameters
    ----------
    fleet : Fleet
    meter_names : sequence of str
        In the order of the fleet.
    """

    def __init__(self, fleet: Fleet, meter_names: Sequence[str]) -> None:
        self._fleet = fleet
        self._names = {name: at for at, name in enumerate(meter_names)}
        self._banks = [
            RegisterImageBank(fleet.blocks(members[0]), len(members), log_bytes=fleet.log_bytes(group))
            for group, members in enumerate(fleet.groups)
        ]
        meters: dict[int, LiveMeter] = {}
        for bank, members in zip(self._banks, fleet.groups, strict=True):
            for row, at in enumerate(members):
                meters[at] = self._meter(bank, row, at, meter_names[at])
        self.meters = tuple(meters[at] for at in range(len(meter_names)))
        """In the order of the fleet."""

    def publish(self, now_ns: int) -> None:
        """Publish all meters as they are now."""
        self._fleet.publish_logs()
        for group, bank in enumerate(self._banks):
            bank.publish(self._fleet.group_words(group), now_ns)

    def prepare(self, tick_ns: int) -> None:
        """Use idle time for the publication of a tick to come."""
        self._fleet.prepare(tick_ns)

    def publish_one(self, name: str, now_ns: int) -> None:
        """Publish a meter as it is now; any other name is passed over."""
        at = self._names.get(name)
        if at is not None:
            self._fleet.publish_logs()
            self.meters[at].image.publish(self._fleet.words(at), now_ns)

    def close(self) -> None:
        """Let go of the memory; what still reads it may go on."""
        for bank in self._banks:
            bank.close()

    def _meter(self, bank: RegisterImageBank, row: int, at: int, name: str) -> LiveMeter:
        fleet = self._fleet
        factory = fleet.window_factory(at)
        if factory is not None:
            fleet.publish_log_in(at, bank.log(row))
        return LiveMeter(
            name,
            bank,
            row,
            factory,
            () if factory is None else factory(bank.log(row)),
            fleet.write_regions(at),
            fleet.coils(at),
            fleet.inputs(at),
            fleet.serial_ports(at),
            fleet.function_codes(at),
            fleet.points(at),
            partial(fleet.points_in, at),
        )
