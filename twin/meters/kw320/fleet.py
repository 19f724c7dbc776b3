"""All meters of a site: fed with the signal, read as register words, written by masters."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import (
    AlarmRecord,
    Answer,
    BitBlock,
    EventRecord,
    IntervalBlock,
    MeterInfo,
    Point,
    Record,
    Refusal,
    RegisterBlock,
    RetrievalWindow,
    Segment,
    SerialPort,
    TwinError,
    WaveformRecord,
)
from twin.meters.bank import MeterBank
from twin.meters.codec import Scaling
from twin.meters.kw320 import publication
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.config import MeterConfig
from twin.meters.kw320.description import describe
from twin.meters.kw320.effects import apply_effect
from twin.meters.kw320.image import ImageLayout, image_layout
from twin.meters.kw320.io_fleet import FleetIo
from twin.meters.kw320.io_modules import COILS, INPUT_BITS
from twin.meters.kw320.log_schedule import LogSchedule
from twin.meters.kw320.loggers import Loggers
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.points import register_points
from twin.meters.kw320.profile import FUNCTION_CODES, image_map
from twin.meters.kw320.published_log import LogPublisher
from twin.meters.kw320.serial_ports import SERIAL_PORTS
from twin.meters.kw320.settings_registers import scaling_of
from twin.meters.kw320.words import WordTable
from twin.meters.quantities import COLUMN, primary_factor

Words = NDArray[np.uint16]

_SCALING_REGISTERS = (
    *("pt1_high", "pt1_low", "pt2", "ct1", "ct2"),
    *("basic_parameter_mode", "energy_display"),
)


class NotNowError(TwinError, ValueError):
    """A write at another time than the one that the meters have reached."""


class Fleet:
    """The meters of a site, by number in the order of their configurations.

    Parameters
    ----------
    configs : Sequence of MeterConfig
        Without problems.
    start_ns : int
        When the meters are switched on, UTC [ns].
    """

    def __init__(self, configs: Sequence[MeterConfig], *, start_ns: int) -> None:
        self._meters = [Kw320Meter(config, start_ns=start_ns) for config in configs]
        self._loggers = Loggers(configs, start_ns)
        settings = [meter.settings for meter in self._meters]
        self._bank = MeterBank(settings, start_ns=start_ns, logged=self._loggers.meters)
        self._by_name = {config.name: meter for meter, config in enumerate(configs)}
        self._ended: list[Record] = []  # alarms and events that a write ended since the last advance
        self._logs: list[LogPublisher | None] = [None] * len(configs)
        self._unpublished: set[int] = set()
        self._tables: dict[str, WordTable] = {}
        self._points: dict[tuple[str, Scaling], tuple[Point, ...]] = {}
        self._row = [0] * len(configs)
        self._data_logs = LogSchedule([meter.data_logs for meter in self._meters])
        for profile in dict.fromkeys(config.profile for config in configs):
            places = [place for place, config in enumerate(configs) if config.profile == profile]
            meters = [self._meters[place] for place in places]
            self._tables[profile] = WordTable(image_layout(profile), meters, places)
            for row, place in enumerate(places):
                self._row[place] = row
        self.io = FleetIo(self._meters, self._bank, emit=self._ended.extend, changed=self._note)
        """The inputs and outputs of the meters' I/O modules."""

    # -- what never changes -------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._meters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the meters, in order."""
        return tuple(self._by_name)

    def index(self, name: str) -> int | None:
        """Return the number of a meter, or None when there is none of that name."""
        return self._by_name.get(name)

    def blocks(self, meter: int) -> tuple[RegisterBlock, ...]:
        """Return the runs of addresses of the meter's image."""
        return image_map(self._profile(meter)).blocks

    def points(self, meter: int) -> tuple[Point, ...]:
        """Return the meter's registers as a tag list, scaled to primary values as it is set now."""
        return register_points(self._meters[meter].registers, self._meters[meter].scaling)

    def points_in(self, meter: int, words: Words) -> tuple[Point, ...]:
        """Return the same, scaled as the meter was set when it published ``words``; from any thread."""
        profile = self._profile(meter)
        scaling = self._scaling_in(self._table(meter).layout, words)
        if (profile, scaling) not in self._points:
            self._points[profile, scaling] = register_points(image_map(profile), scaling)
        return self._points[profile, scaling]

    def write_regions(self, meter: int) -> tuple[tuple[RegisterBlock, ...], ...]:
        """Return the writable addresses by settings region."""
        return self._meters[meter].registers.write_regions

    def coils(self, meter: int) -> tuple[BitBlock, ...]:
        """Return the relay outputs; what is not connected reads 0."""
        del meter
        return (COILS,)

    def inputs(self, meter: int) -> tuple[BitBlock, ...]:
        """Return the digital inputs; what is not connected reads 0."""
        del meter
        return (INPUT_BITS,)

    def serial_ports(self, meter: int) -> tuple[SerialPort, ...]:
        """Return which registers set the meter's serial ports."""
        del meter
        return SERIAL_PORTS

    def function_codes(self, meter: int) -> frozenset[int]:
        """Return the Modbus functions that the meter knows."""
        return FUNCTION_CODES

    def windows(self, meter: int) -> tuple[RetrievalWindow, ...]:
        """Return the meter's retrieval windows."""
        return self._meters[meter].windows

    def info(self, meter: int) -> MeterInfo:
        """Return the meter as a recording describes it."""
        return describe(self._meters[meter])

    @property
    def now_ns(self) -> int:
        """How far the meters have lived, UTC [ns]."""
        return self._bank.cursor_ns

    @property
    def idle(self) -> bool:
        """Whether nothing looks at the waveform until the signal changes."""
        return self._bank.idle

    def energies(self, meter: int) -> dict[str, float]:
        """Return every energy as it stands now, by register name, unrounded; primary Wh, varh, VAh."""
        return self._bank.energies(meter)

    def extremes(self, meter: int) -> dict[str, float]:
        """Return the highest and lowest values since the last clear, by register name; primary SI."""
        scaling = self._meters[meter].scaling
        ratios = {"pt_ratio": scaling.pt_ratio, "ct_ratio": scaling.ct_ratio}
        return {
            name: extreme.value * primary_factor(COLUMN[name[4:]], **ratios)
            for name, extreme in self._bank.extremes(meter).items()
        }

    def in_event(self, meter: int) -> str:
        """Return the power-quality event that the meter is in: its type, or empty without."""
        return self._bank.in_event(meter)

    # -- what time and masters change ---------------------------------------------------------------

    def advance(self, segment: Segment, until_ns: int, *, halt: bool = False) -> list[Record]:
        """Let the meters measure a signal until an instant.

        Parameters
        ----------
        segment : Segment
            Six channels per meter, va, vb, vc, ia, ib, ic, primary. The same segment may come again with
            a later instant; a new one starts where the meters are.
        until_ns : int
            UTC [ns].
        halt : bool
            Stop, perhaps earlier, when an output moves that something outside listens to.

        Returns
        -------
        list of Record
            What the meters recorded meanwhile, in order of time.
        """
        io, records = self.io, self._keep(self._take_ended())
        while True:
            due = min(io.next_ns, self._data_logs.next_ns, self._loggers.next_ns)
            until = min(until_ns, max(due, self.now_ns))
            recorded = self._bank.advance(segment, until, halting=io.halting)
            io.take(recorded)
            records += self._keep([*recorded, *self._take_ended()])
            self._data_logs.record(self._bank, self._tables.values(), self.now_ns)
            records += self._close_loggers()
            if self.now_ns == until_ns or (halt and io.moved):
                io.moved = False
                return records

    def _close_loggers(self) -> list[IntervalBlock]:
        if self._loggers.next_ns > self.now_ns:
            return []
        scalings = [meter.scaling for meter in self._meters]
        ratios = [(scaling.pt_ratio, scaling.ct_ratio) for scaling in scalings]
        return self._loggers.close(self._bank, ratios, self.now_ns)

    def _take_ended(self) -> list[Record]:
        ended = self._ended.copy()
        self._ended.clear()
        return ended

    def _keep(self, records: list[Record]) -> list[Record]:
        """Keep records in the meters that made them."""
        for record in records:
            if not isinstance(record, EventRecord | AlarmRecord | WaveformRecord):
                continue
            meter = self._by_name[record.meter]
            phases = self._capture_phases(meter, record) if isinstance(record, WaveformRecord) else ""
            self._meters[meter].keep(record, phases=phases)
            self._note(meter)
        return records

    def _note(self, meter: int) -> None:
        """Have what a meter shows beside its measurements published again."""
        self._table(meter).note(self._row[meter])
        self._unpublished.add(meter)

    def _capture_phases(self, meter: int, record: WaveformRecord) -> str:
        """Return the letters of the phases that triggered a capture."""
        groups = zip(self._bank.captures(meter), self._bank.capture_phases(meter), strict=True)
        return next((phases for group, phases in groups if group.number == record.number), "")

    def write(self, meter: int, address: int, words: Sequence[int], now_ns: int) -> Answer:
        """Carry out a master's write as a whole, or refuse it and change nothing.

        Parameters
        ----------
        meter : int
        address : int
            First address, 0-based.
        words : Sequence of int
            0..65535 each.
        now_ns : int
            Where the meters are, UTC [ns].

        Returns
        -------
        Answer

        Raises
        ------
        NotNowError
            The meters have not been advanced to ``now_ns``.
        """
        if now_ns != self.now_ns:
            raise NotNowError(f"a write at {now_ns} ns needs meters advanced to it, not {self.now_ns}")
        if not self._meters[meter].powered:
            return Answer(now_ns, Refusal.NO_SUPPLY, f"{self.names[meter]} has no supply")
        before = self._meters[meter].raw
        try:
            effect = self._meters[meter].write(address, words, now_ns)
        except RefusedError as error:
            return Answer(now_ns, error.refusal, error.detail)
        self._ended += apply_effect(self._bank, meter, effect, now_ns)
        self.io.after_write(meter, before)
        self._data_logs.expect([meter])
        self._table(meter).expire(self._row[meter])
        self._unpublished.add(meter)
        return Answer(now_ns)

    def set_power(self, meter: int, *, on: bool, now_ns: int) -> None:
        """Give a meter its supply, or take it away, now; what it is already changes nothing."""
        if self.powered(meter) == on:
            return
        if not on:
            self._table(meter).refresh(self._bank, [self._row[meter]])  # what it shows last
        self._ended += self._bank.set_power(meter, on=on, now_ns=now_ns)
        self._meters[meter].set_power(on=on, now_ns=now_ns)
        self.io.set_power(meter, on=on)
        self._data_logs.expect([meter])
        self._table(meter).expire(self._row[meter])
        self._unpublished.add(meter)

    def powered(self, meter: int) -> bool:
        """Return whether a meter has its supply."""
        return self._meters[meter].powered

    # -- what is published --------------------------------------------------------------------------

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
        return words

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
        return table.words

    def prepare(self, tick_ns: int) -> None:
        """Do now what can be done already for the words of a tick to come; they do not depend on it."""
        self._bank.prepare_display(tick_ns)

    def group_values(self, group: int) -> dict[str, NDArray[np.float64]]:
        """Return what the words of all meters of a group meant when they were last asked for.

        By register name of the basic block and the energies, shape (meters,); in units as of ``decode``.
        """
        return list(self._tables.values())[group].decode(("basic", "energy"))

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
            publisher = self._logs[meter]
            if publisher is not None:
                publisher.update(self._meters[meter].log)
        self._unpublished.clear()

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

    @staticmethod
    def _scaling_in(layout: ImageLayout, words: Words) -> Scaling:
        """Return the scaling that the setting registers among the words give."""
        return scaling_of({name: layout.raw_word(words, name) for name in _SCALING_REGISTERS})

    def _profile(self, meter: int) -> str:
        return self._meters[meter].config.profile

    def _table(self, meter: int) -> WordTable:
        return self._tables[self._profile(meter)]
