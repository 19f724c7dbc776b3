"""The register words of all meters of one model: encoded together, and only what its refresh has changed."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.meters.bank import MeterBank
from twin.meters.codec import Scaling
from twin.meters.energies import REGISTERS as ENERGIES
from twin.meters.extremes import REGISTERS as EXTREMES
from twin.meters.kw320.analogue import output_value
from twin.meters.kw320.clock import FIELDS
from twin.meters.kw320.custom_read import custom_sources
from twin.meters.kw320.image import CHANNELS, MEASURED, ORDERS, ImageLayout
from twin.meters.kw320.io_modules import ANALOGUE
from twin.meters.kw320.meter import MAX_RUN_TIME, RUN_TIME_COUNT_NS, Kw320Meter
from twin.meters.kw320.months import NAMES as PAST_ENERGIES
from twin.meters.quantities import FAST_NAMES

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Words = NDArray[np.uint16]

FAST_NS = 100_000_000
"""Refresh of the fast block 3000H (KW320 manual 6.3.6) [ns]."""
BASIC_NS = NS_PER_SECOND
"""Refresh of the blocks from 4000H [ns]."""
_NEVER = -(1 << 62)


class WordTable:
    """Words of the images of some meters of a bank, all of one model.

    Parameters
    ----------
    layout : ImageLayout
        Of their images.
    meters : sequence of Kw320Meter
        One for each row.
    places : sequence of int
        Which meter of the bank each row is.
    """

    def __init__(self, layout: ImageLayout, meters: Sequence[Kw320Meter], places: Sequence[int]) -> None:
        count = len(meters)
        self.layout = layout
        self.places = np.array(places, np.intp)
        """Which meter of the bank each row is."""
        self.words: Words = np.zeros((count, layout.size), np.uint16)
        """Shape (meters, words), as of the last refresh."""
        self._meters = tuple(meters)
        self._factor = {kind: np.empty((count, len(layout.keys[kind]))) for kind in MEASURED}
        self._column = {
            "fast": _columns(layout.keys["fast"], FAST_NAMES),
            "energy": _columns(layout.keys["energy"], ENERGIES),
            "past_energy": _columns(layout.keys["past_energy"], PAST_ENERGIES),
            "extreme": _columns(layout.keys["extreme"], EXTREMES),
            "basic": np.arange(len(layout.keys["basic"])),
            "harmonic": layout.harmonic_order,
        }
        self._fast_tick = np.full(count, _NEVER, np.int64)
        self._basic_tick = np.full(count, _NEVER, np.int64)
        self._extreme_ns = np.full((count, len(layout.keys["extreme"])), -1, np.int64)
        self._changed = set(range(count))
        self._scalings: list[Scaling | None] = [None] * count
        self._settings: list[object] = [None] * count
        self._alarms: list[object] = [None] * count
        self._soe: list[object] = [None] * count
        self._months: list[object] = [None] * count
        self._analogue = {
            row: outputs
            for row, of in enumerate(meters)
            if (outputs := [k for k in range(1, ANALOGUE + 1) if of.io.has("ao", k)])
        }
        self._custom = np.array([custom_sources(layout, of.config.custom_read) for of in meters])
        self._has_custom = np.array([bool(of.config.custom_read) for of in meters])
        self._run_since_ns = np.zeros(count, np.int64)
        self._run_time_before = np.zeros(count, np.int64)
        self._signatures: list[object] = [None] * count
        self._histories: dict[object, int] = {}
        self._history = np.zeros(count, np.intp)
        self._ratio_tables: dict[str, Float] = {}
        self._clocks: dict[object, tuple[NDArray[np.intp], tuple[int, ...]]] = {}
        for row in range(count):
            for kind in ("action", "zero", "extreme_time", "count", "analogue"):
                layout.put_raw(self.words[row], kind, {})

    def expire(self, row: int) -> None:
        """Let everything of a meter be encoded again at the next refresh: it was written to."""
        self._changed.add(row)
        self._fast_tick[row] = self._basic_tick[row] = _NEVER
        self._extreme_ns[row] = -1

    def note(self, row: int) -> None:
        """Let a meter's records be encoded again at the next refresh."""
        self._changed.add(row)

    def refresh(self, bank: MeterBank, rows: Sequence[int] | None = None) -> None:
        """Bring words up to now.

        Parameters
        ----------
        bank : MeterBank
            Where the quantities come from.
        rows : sequence of int, optional
            Which meters; all by default.
        """
        wanted = np.arange(len(self._meters)) if rows is None else np.array(rows, np.int64)
        wanted = wanted[bank.powered.on[self.places[wanted]]]  # the others keep what they showed last
        now_ns = bank.cursor_ns
        self._take_changes(now_ns, None if rows is None else set(rows))
        fast = wanted[self._fast_tick[wanted] != now_ns // FAST_NS]
        if fast.size:
            self._put("fast", bank.fast_table(), fast)
            self._put_analogue(bank.fast_table(), fast)
            self._fast_tick[fast] = now_ns // FAST_NS
        basic = wanted[self._basic_tick[wanted] != now_ns // BASIC_NS]
        if basic.size:
            self._put_basic(bank.basic_table(), basic)
            self._put_extremes(bank, basic)
            self._basic_tick[basic] = now_ns // BASIC_NS
        self._put("energy", bank.energy_table(), wanted)
        self._put_fed(wanted, now_ns)
        counts = self._run_time_before[wanted] + (now_ns - self._run_since_ns[wanted]) // RUN_TIME_COUNT_NS
        run_time = np.minimum(counts, MAX_RUN_TIME)
        first = self.layout.place("run_time")
        self.words[wanted, first] = run_time >> 16
        self.words[wanted, first + 1] = run_time & 0xFFFF
        self._put_clocks(wanted, now_ns)
        self._put_custom(wanted)

    def decode(self, words: Words, kinds: Sequence[str]) -> dict[str, Float]:
        """Return what words (meters, words) of all meters mean, by key, shape (meters,); primary SI."""
        values: dict[str, Float] = {}
        for kind in kinds:
            table = self.layout.codec(kind).decode_rows(words, self._factor[kind])
            if kind != "energy":
                table *= self._ratios(kind)
            values |= dict(zip(self.layout.keys[kind], table.T, strict=True))
        return values

    def _ratios(self, kind: str) -> Float:
        if kind not in self._ratio_tables:
            self._ratio_tables[kind] = self._find_ratios(kind)
        return self._ratio_tables[kind]

    def _find_ratios(self, kind: str) -> Float:
        known: dict[Scaling | None, Float] = {}
        units = [register.unit for register in self.layout.codec(kind).registers]
        for scaling in self._scalings:
            if scaling is not None and scaling not in known:
                known[scaling] = np.array([scaling.ratio(unit) for unit in units])
        return np.array([known[scaling] for scaling in self._scalings])

    # -- what seldom changes ------------------------------------------------------------------------

    def _take_changes(self, now_ns: int, only: set[int] | None) -> None:
        """Encode settings, alarms and states of meters that were written to or recorded something."""
        rows = self._changed if only is None else self._changed & only
        reset = False
        for row in sorted(rows):
            of, words = self._meters[row], self.words[row]
            if self._settings[row] is not of.raw:
                self._settings[row] = None  # until all is encoded
                self.layout.put_raw(words, "setting", of.raw)
                self._settings[row] = of.raw
                self._scale(row, of.scaling)
            alarms = (of.alarms, of.alarms.count)
            if self._alarms[row] != alarms:
                self._alarms[row] = None  # until all is encoded
                self.layout.put_raw(words, "alarm_record", of.alarms.words())
                self._alarms[row] = alarms
            soe = (of.io.soe, of.io.soe.count)
            if self._soe[row] != soe:
                self._soe[row] = None  # until all is encoded
                self.layout.put_raw(words, "soe_record", of.io.soe.words())
                self._soe[row] = soe
            months = (of.months.version, of.scaling)
            if self._months[row] != months:
                self._months[row] = None  # until all is encoded
                codec = self.layout.codec("past_energy")
                codec.encode(of.months.table()[self._column["past_energy"]], of.scaling, out=words)
                self._months[row] = months
            self.layout.put_raw(words, "state", of.state(now_ns))
            self.layout.put_raw(words, "input", of.io.registers(of.raw, now_ns))
            if of.io.modules:
                self.layout.put_raw(words, "count", of.io.counts(of.raw, now_ns))
            self._run_since_ns[row], self._run_time_before[row] = of.run_since_ns, of.run_time_before
            reset = reset or self._signatures[row] != of.clock.signature(now_ns)
            self._signatures[row] = of.clock.signature(now_ns)
            self._history[row] = self._histories.setdefault(of.clock.history, len(self._histories))
        self._changed = self._changed - rows
        if reset:
            self._find_clocks()

    def _scale(self, row: int, scaling: Scaling) -> None:
        if scaling != self._scalings[row]:
            self._scalings[row] = None  # until all factors are those of one scaling
            for kind, factor in self._factor.items():
                factor[row] = self.layout.codec(kind).factor(scaling)
            self._scalings[row] = scaling
            self._ratio_tables.clear()
        self._fast_tick[row] = self._basic_tick[row] = _NEVER

    # -- what is measured ---------------------------------------------------------------------------

    def _put(self, kind: str, values: Float, rows: Int) -> None:
        self.layout.codec(kind).encode_rows(
            values, self._factor[kind], rows, self.words, place=self.places, column=self._column[kind]
        )

    def _put_analogue(self, fast: Float, rows: Int) -> None:
        """Let analogue outputs follow the fast block, whose order is that of their parameters."""
        for row in rows.tolist() if self._analogue else ():
            raw = self._meters[row].raw
            shown = {
                f"ao{k}": output_value(raw, k, float(fast[self.places[row], raw[f"ao{k}_parameter"]]))
                for k in self._analogue.get(row, ())
            }
            if shown:
                bits = np.array(list(shown.values()), np.float32).view(np.uint32).tolist()
                raw_bits = dict(zip(shown, bits, strict=True))
                self.layout.put_raw(self.words[row], "analogue", raw_bits)

    def _put_fed(self, rows: Int, now_ns: int) -> None:
        """Encode the counters and inputs that pulses move by themselves."""
        for row in rows.tolist():
            of = self._meters[row]
            if of.io.fed:
                self.layout.put_raw(self.words[row], "count", of.io.counts(of.raw, now_ns))
                self.layout.put_raw(self.words[row], "input", of.io.registers(of.raw, now_ns))

    def _put_basic(self, basic: Mapping[str, Float], rows: Int) -> None:
        nothing = np.zeros(len(basic["frequency"]))
        columns = [basic.get(key, nothing) for key in self.layout.keys["basic"]]
        self._put("basic", np.stack(columns, axis=1), rows)
        # There are none before anything was measured.
        harmonics = basic.get("harmonics")
        if harmonics is None:
            harmonics = np.zeros((len(nothing), len(CHANNELS) * ORDERS))
        self._put("harmonic", harmonics, rows)

    def _put_extremes(self, bank: MeterBank, rows: Int) -> None:
        values, times = bank.extreme_table()
        self._put("extreme", values, rows)
        times = times[self.places][:, self._column["extreme"]]
        known = times[rows, 0] > 0
        moved = rows[known & (times[rows] != self._extreme_ns[rows]).any(axis=1)]
        stamps_at = self.layout.places("extreme_time").reshape(-1, len(FIELDS))
        # Where all load changes at once, all of a site's meters have new extremes: of few instants, though.
        for history in np.unique(self._history[moved]):
            own = moved[self._history[moved] == history]
            row, column = np.nonzero(times[own] != self._extreme_ns[own])
            instants, which = np.unique(times[own][row, column], return_inverse=True)
            clock = self._meters[own[0]].clock
            stamps = [clock.stamp(time_ns) for time_ns in instants.tolist()]
            shown = np.array([[stamp[name] for name in FIELDS] for stamp in stamps], np.uint16)
            self.words[own[row][:, np.newaxis], stamps_at[column]] = shown[which]
        self._extreme_ns[moved] = times[moved]

    def _put_custom(self, rows: Int) -> None:
        """Show again, in the custom blocks, what other registers show; after all of them."""
        chosen = rows[self._has_custom[rows]]
        if chosen.size:
            shown = np.take_along_axis(self.words[chosen], self._custom[chosen], axis=1)
            self.words[np.ix_(chosen, self.layout.places("custom"))] = shown

    # -- clocks -------------------------------------------------------------------------------------

    def _find_clocks(self) -> None:
        """Sort meters by what their clocks show: most of a site show the same."""
        rows: dict[object, list[int]] = {}
        for row, signature in enumerate(self._signatures):
            rows.setdefault(signature, []).append(row)
        self._clocks = {key: (np.array(members, np.intp), ()) for key, members in rows.items()}

    def _put_clocks(self, rows: Int, now_ns: int) -> None:
        places = self.layout.places("clock")
        for key, (members, before) in self._clocks.items():
            shown = self._meters[members[0]].clock.registers(now_ns)
            words = tuple(shown[name] for name in self.layout.keys["clock"])
            if words == before:
                continue
            if rows.size == len(self._meters):
                self._clocks[key] = (members, words)
                self.words[np.ix_(members, places)] = words
            else:
                self.words[np.ix_(np.intersect1d(members, rows), places)] = words


def _columns(keys: Sequence[str], names: Sequence[str]) -> NDArray[np.intp]:
    """Return where each key stands among names."""
    at = {name: place for place, name in enumerate(names)}
    return np.array([at[key] for key in keys], np.intp)
