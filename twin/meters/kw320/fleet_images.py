"""What the meters of a fleet publish: their register images, what these mean, and their logs."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Point, RetrievalWindow
from twin.meters.bank import MeterBank
from twin.meters.codec import Scaling
from twin.meters.kw320 import publication
from twin.meters.kw320.fleet_facts import FleetFacts
from twin.meters.kw320.image import ImageLayout, image_layout
from twin.meters.kw320.image_faults import ImageFault, ImageFaults
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.points import register_points
from twin.meters.kw320.profile import image_map
from twin.meters.kw320.published_log import LogPublisher
from twin.meters.kw320.settings_registers import scaling_of
from twin.meters.kw320.words import WordTable

Words = NDArray[np.uint16]

_SCALING_REGISTERS = (
    *("pt1_high", "pt1_low", "pt2", "ct1", "ct2"),
    *("basic_parameter_mode", "energy_display"),
)


class FleetImages(FleetFacts):
    """The published side of some meters; meters of one model have their words in one table.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    bank : MeterBank
        Of the same meters.
    """

    def __init__(self, meters: Sequence[Kw320Meter], bank: MeterBank) -> None:
        super().__init__(meters)
        self._bank = bank
        self._logs: list[LogPublisher | None] = [None] * len(meters)
        self._unpublished: set[int] = set()
        self._tables: dict[str, WordTable] = {}
        self._points: dict[tuple[str, Scaling], tuple[Point, ...]] = {}
        self._row = [0] * len(meters)
        self._image_faults = ImageFaults()
        for profile in dict.fromkeys(meter.config.profile for meter in meters):
            places = [place for place in range(len(meters)) if self._profile(place) == profile]
            of = [meters[place] for place in places]
            self._tables[profile] = WordTable(image_layout(profile), of, places)
            for row, place in enumerate(places):
                self._row[place] = row

    def words(self, meter: int) -> Words:
        """Return the meter's register words as they are now, in the order of ``blocks``.

        Parameters
        ----------
        meter : int

        Returns
        -------
        uint16[words]
            A copy.
        """
        table, row = self._table(meter), self._row[meter]
        table.refresh(self._bank, [row])
        words: Words = table.words[row].copy()
        return self._image_faults.read(meter, words)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Meters whose images are laid out alike, in the order of their rows."""
        return tuple(tuple(table.places.tolist()) for table in self._tables.values())

    def group_words(self, group: int) -> Words:
        """Return the words of all meters of a group as they are now, shape (meters, words).

        They are those of the next call too: copy what has to stay.
        """
        table = list(self._tables.values())[group]
        table.refresh(self._bank)
        return self._image_faults.read_rows(table.places, table.words)

    def begin_image_fault(self, meter: int, name: str, fault: ImageFault) -> None:
        """Let masters read something else than the meter holds, from now on."""
        self._image_faults.begin(meter, name, fault, self._table(meter).layout, self.words(meter))

    def end_image_fault(self, meter: int, name: str) -> None:
        """End such a fault."""
        self._image_faults.end(meter, name)

    def prepare(self, tick_ns: int) -> None:
        """Do now what can be done already for the words of a tick to come; they do not depend on it."""
        self._bank.prepare_display(tick_ns)

    def group_values(self, group: int) -> dict[str, NDArray[np.float64]]:
        """Return what the words of all meters of a group meant when they were last asked for.

        By register name of the basic block and the energies, shape (meters,); in units as of ``decode``.
        """
        table = list(self._tables.values())[group]
        words = self._image_faults.read_rows(table.places, table.words)
        return table.decode(words, ("basic", "energy"))

    def decode(self, meter: int, words: Words) -> dict[str, float]:
        """Return what published words of the basic block and the energies mean.

        Parameters
        ----------
        meter : int
        words : uint16[words]
            As ``words`` returned them, at any time.

        Returns
        -------
        dict of str to float
            By register name; primary SI: V, A, W, var, VA, Hz, Wh; fractions; degrees.
        """
        layout = self._table(meter).layout
        scaling = self._scaling_in(layout, words)
        basic = layout.primary("basic", layout.get_quantities(words, "basic", scaling), scaling)
        return basic | layout.get_quantities(words, "energy", scaling)

    def points_in(self, meter: int, words: Words) -> tuple[Point, ...]:
        """Return the same, scaled as the meter was set when it published ``words``; from any thread."""
        profile = self._profile(meter)
        scaling = self._scaling_in(self._table(meter).layout, words)
        if (profile, scaling) not in self._points:
            self._points[profile, scaling] = register_points(image_map(profile), scaling)
        return self._points[profile, scaling]

    def log_bytes(self, group: int) -> int:
        """Return how much memory each meter of a group needs to publish its logs [bytes]."""
        settings = self._meters[self.groups[group][0]].settings
        return publication.log_bytes(power_quality=settings.power_quality)

    def window_factory(self, meter: int) -> Callable[[memoryview], tuple[RetrievalWindow, ...]] | None:
        """Return what makes the meter's retrieval windows from the memory of its logs, in any process."""
        if self._meters[meter].settings.power_quality:
            return publication.windows_with_quality
        return publication.windows

    def publish_log_in(self, meter: int, memory: memoryview) -> None:
        """Give a meter the memory in which it publishes its logs from now on."""
        of = self._meters[meter]
        of.data_logs.memory = of.data_logs.memory.copy_to(publication.data_log_part(memory))
        if of.settings.power_quality:
            self._logs[meter] = LogPublisher(publication.quality_part(memory))
            self._unpublished.add(meter)

    def publish_logs(self) -> None:
        """Publish what logs have got since the last time."""
        for meter in sorted(self._unpublished):
            self._publish_log(meter)
        self._unpublished.clear()

    def _publish_log(self, meter: int) -> None:
        publisher = self._logs[meter]
        if publisher is not None:
            publisher.update(self._meters[meter].log)

    @staticmethod
    def _scaling_in(layout: ImageLayout, words: Words) -> Scaling:
        """Return the scaling that the setting registers among the words give."""
        return scaling_of({name: layout.raw_word(words, name) for name in _SCALING_REGISTERS})

    def _table(self, meter: int) -> WordTable:
        return self._tables[self._profile(meter)]

    def _note(self, meter: int) -> None:
        """Have what a meter shows beside its measurements published again."""
        self._table(meter).note(self._row[meter])
        self._unpublished.add(meter)

    def _show_now(self, meter: int) -> None:
        """Encode what a meter shows, and publish its log: what cannot be shown fails here."""
        self._table(meter).refresh(self._bank, [self._row[meter]])
        self._publish_log(meter)

    def _expire(self, meter: int) -> None:
        """Have all that a meter shows published again."""
        self._table(meter).expire(self._row[meter])
        self._unpublished.add(meter)
