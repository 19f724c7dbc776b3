"""All meters of a site: fed with the signal, read as register words, written by masters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.contracts import (
    AlarmRecord,
    Answer,
    EventRecord,
    MeterInfo,
    Point,
    Record,
    RegisterBlock,
    RetrievalWindow,
    Segment,
    TwinError,
    WaveformRecord,
)
from twin.meters.bank import MeterBank
from twin.meters.codec import Scaling
from twin.meters.extremes import Extreme
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.config import MeterConfig, check_config
from twin.meters.kw320.image import CHANNELS, ORDERS, ImageLayout, image_layout
from twin.meters.kw320.meter import Effect, Kw320Meter
from twin.meters.kw320.points import register_points
from twin.meters.kw320.profile import FUNCTION_CODES, image_map
from twin.meters.kw320.settings_registers import scaling_of
from twin.meters.quantities import COLUMN, primary_factor

Words = NDArray[np.uint16]

FAST_NS = 100_000_000
"""Refresh of the fast block 3000H (KW320 manual 6.3.6) [ns]."""
BASIC_NS = 1_000_000_000
"""Refresh of the blocks from 4000H [ns]."""
_SCALING_REGISTERS = (
    *("pt1_high", "pt1_low", "pt2", "ct1", "ct2"),
    *("basic_parameter_mode", "energy_display"),
)


class MeterConfigError(TwinError, ValueError):
    """A meter that cannot be set as it is configured."""


class NotNowError(TwinError, ValueError):
    """A write at another time than the one that the meters have reached."""


class _Published:
    """The words of one meter, and what they were last encoded from."""

    def __init__(self, layout: ImageLayout) -> None:
        self.layout = layout
        self.words: Words = np.zeros(layout.size, dtype=np.uint16)
        self.settings: object = None
        self.alarms: object = None
        self.fast_tick: int | None = None
        self.basic_tick: int | None = None
        self.extreme_times: tuple[int, ...] = ()
        for kind in ("action", "zero", "extreme_time"):
            layout.put_raw(self.words, kind, {})

    def expire(self) -> None:
        """Let everything that is measured be encoded again."""
        self.fast_tick = self.basic_tick = None


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
        self._bank = MeterBank([meter.settings for meter in self._meters], start_ns=start_ns)
        self._by_name = {config.name: meter for meter, config in enumerate(configs)}
        self._ended: list[Record] = []  # alarms and events that a write ended since the last advance
        self._published = [_Published(image_layout(config.profile)) for config in configs]

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

    def write_regions(self, meter: int) -> tuple[tuple[RegisterBlock, ...], ...]:
        """Return the writable addresses by settings region."""
        return self._meters[meter].registers.write_regions

    def function_codes(self, meter: int) -> frozenset[int]:
        """Return the Modbus functions that the meter knows."""
        return FUNCTION_CODES

    def windows(self, meter: int) -> tuple[RetrievalWindow, ...]:
        """Return the meter's retrieval windows."""
        return self._meters[meter].windows

    def info(self, meter: int) -> MeterInfo:
        """Return the meter as a recording describes it."""
        of = self._meters[meter]
        settings, scaling = of.settings, of.scaling
        rated_current = settings.rated_current * scaling.ct_ratio if settings.power_quality else settings.ct1
        return MeterInfo(
            name=of.config.name,
            profile=of.config.profile,
            location=of.config.location,
            rated_voltage=settings.rated_voltage * scaling.pt_ratio,
            rated_current=rated_current,
        )

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

    def advance(self, segment: Segment, until_ns: int) -> list[Record]:
        """Let the meters measure a signal until an instant.

        Parameters
        ----------
        segment : Segment
            Six channels per meter, va, vb, vc, ia, ib, ic, primary. The same segment may come again with
            a later instant; a new one starts where the meters are.
        until_ns : int
            UTC [ns].

        Returns
        -------
        list of Record
            What the meters recorded meanwhile, in order of time.
        """
        records = [*self._ended, *self._bank.advance(segment, until_ns)]
        self._ended.clear()
        for record in records:
            if isinstance(record, EventRecord | AlarmRecord):
                self._meters[self._by_name[record.meter]].keep(record)
            elif isinstance(record, WaveformRecord):
                meter = self._by_name[record.meter]
                self._meters[meter].keep(record, phases=self._capture_phases(meter, record))
        return records

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
        if now_ns != self._bank.cursor_ns:
            raise NotNowError(
                f"a write at {now_ns} ns needs meters advanced to it, not {self._bank.cursor_ns}"
            )
        try:
            effect = self._meters[meter].write(address, words, now_ns)
        except RefusedError as error:
            return Answer(now_ns, error.refusal, error.detail)
        self._apply(meter, effect, now_ns)
        self._published[meter].expire()
        return Answer(now_ns)

    def _apply(self, meter: int, effect: Effect, now_ns: int) -> None:
        bank = self._bank
        if effect.settings is not None:
            self._ended += bank.configure(meter, effect.settings, now_ns)
        for name, value in (effect.presets_wh or {}).items():
            bank.preset_energy(meter, name, value)
        for action in effect.actions:
            if action == "clear_demand":
                bank.clear_demand(meter)
            elif action == "clear_max_min":
                bank.clear_extremes(meter)
            elif action == "clear_energy":
                bank.clear_energy(meter)
            elif action == "manual_waveform_trigger":
                bank.trigger_capture(meter, now_ns)
            elif action == "clear_waveforms":
                bank.clear_captures(meter)
            elif action == "clear_pq_events":
                bank.clear_events(meter)

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
        of, published = self._meters[meter], self._published[meter]
        if published.settings is not of.raw:
            published.layout.put_raw(published.words, "setting", of.raw)
            published.settings = of.raw
            published.expire()
        if published.alarms != (id(of.alarms), of.alarms.count):
            published.layout.put_raw(published.words, "alarm_record", of.alarms.words())
            published.alarms = (id(of.alarms), of.alarms.count)
        now_ns = self._bank.cursor_ns
        if published.fast_tick != now_ns // FAST_NS:
            published.fast_tick = now_ns // FAST_NS
            self._put(published, "fast", self._bank.fast(meter), of.scaling)
        if published.basic_tick != now_ns // BASIC_NS:
            published.basic_tick = now_ns // BASIC_NS
            basic = self._bank.basic(meter)
            self._put(published, "basic", basic, of.scaling)
            published.layout.put_harmonics(published.words, _harmonics(basic), of.scaling)
            self._put_extremes(published, self._bank.extremes(meter), of)
        self._put(published, "energy", self._bank.energies(meter), of.scaling)
        published.layout.put_raw(published.words, "clock", of.clock.registers(now_ns))
        published.layout.put_raw(published.words, "state", of.state(now_ns))
        return published.words.copy()

    @staticmethod
    def _put(published: _Published, kind: str, values: Mapping[str, Any], scaling: Scaling) -> None:
        published.layout.put_quantities(published.words, kind, values, scaling)

    def _put_extremes(self, published: _Published, extremes: Mapping[str, Extreme], of: Kw320Meter) -> None:
        values = {name: extreme.value for name, extreme in extremes.items()}
        self._put(published, "extreme", values, of.scaling)
        times = tuple(extreme.time_ns for extreme in extremes.values())
        if times != published.extreme_times:
            stamps = {ns: of.clock.stamp(ns) for ns in set(times)}
            raw = {
                f"{name}.{part}": value
                for name, extreme in extremes.items()
                for part, value in stamps[extreme.time_ns].items()
            }
            published.layout.put_raw(published.words, "extreme_time", raw)
            published.extreme_times = times

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
        layout = self._published[meter].layout
        scaling = self._scaling_in(layout, words)
        basic = layout.primary("basic", layout.get_quantities(words, "basic", scaling), scaling)
        return basic | layout.get_quantities(words, "energy", scaling)

    @staticmethod
    def _scaling_in(layout: ImageLayout, words: Words) -> Scaling:
        """Return the scaling that the setting registers among the words give."""
        return scaling_of({name: layout.raw_word(words, name) for name in _SCALING_REGISTERS})

    def _profile(self, meter: int) -> str:
        return self._meters[meter].config.profile


def build_fleet(configs: Sequence[MeterConfig], *, start_ns: int) -> Fleet:
    """Install meters and switch them on.

    Parameters
    ----------
    configs : Sequence of MeterConfig
    start_ns : int
        UTC [ns].

    Returns
    -------
    Fleet

    Raises
    ------
    MeterConfigError
        With all problems of all meters.
    """
    problems = [f"{config.name}: {problem}" for config in configs for problem in check_config(config)]
    names = [config.name for config in configs]
    if len({config.registers.get("rated_frequency", 0) for config in configs}) > 1:
        problems.append("registers.rated_frequency: differs between meters; a site has one frequency")
    problems += [f"{name}: stands twice; give each meter its own name" for name in _repeated(names)]
    if problems:
        raise MeterConfigError("\n".join(problems))
    return Fleet(configs, start_ns=start_ns)


def _harmonics(basic: Mapping[str, Any]) -> list[NDArray[np.float64]]:
    """Return orders 2 to 63 of the six channels; zeros before anything was measured."""
    return [basic.get(f"{channel}_harmonics", np.zeros(ORDERS)) for channel in CHANNELS]


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for place, name in enumerate(names) if name in names[:place]]
