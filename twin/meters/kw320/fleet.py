"""All meters of a site: fed with the signal, written by masters, given and taken their supply."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from twin.contracts import (
    AlarmRecord,
    Answer,
    EventRecord,
    IntervalBlock,
    Record,
    Refusal,
    Segment,
    TwinError,
    WaveformRecord,
)
from twin.meters.bank import MeterBank
from twin.meters.connection import Connection
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.clock import ClockCourse
from twin.meters.kw320.config import MeterConfig
from twin.meters.kw320.configuration import configuration_problems, configuration_writes
from twin.meters.kw320.effects import apply_effect
from twin.meters.kw320.fleet_images import FleetImages
from twin.meters.kw320.io_fleet import FleetIo
from twin.meters.kw320.log_schedule import LogSchedule
from twin.meters.kw320.loggers import Loggers
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.month_schedule import MonthSchedule
from twin.meters.kw320.months import NAMES as MONTH_REGISTERS
from twin.meters.kw320.profile_clocks import ProfileClocks
from twin.meters.quantities import COLUMN, primary_factor


def _nobody(_: int) -> None:
    """Hear of a reset, and do nothing."""


class MeterFailedError(TwinError, RuntimeError):
    """A meter failed over what a master wants of it, by a defect of its own; it is as it was."""


class NotNowError(TwinError, ValueError):
    """A write at another time than the one that the meters have reached."""


class Fleet(FleetImages):
    """The meters of a site, by number in the order of their configurations.

    Parameters
    ----------
    configs : Sequence of MeterConfig
        Without problems.
    start_ns : int
        When the meters are switched on, UTC [ns].
    """

    def __init__(self, configs: Sequence[MeterConfig], *, start_ns: int) -> None:
        meters = [Kw320Meter(config, start_ns=start_ns) for config in configs]
        self._loggers = Loggers(configs, start_ns)
        settings = [meter.settings for meter in meters]
        super().__init__(meters, MeterBank(settings, start_ns=start_ns, logged=self._loggers.meters))
        self._ended: list[Record] = []  # alarms and events that a write ended since the last advance
        self._data_logs = LogSchedule([meter.data_logs for meter in meters])
        self._months = MonthSchedule(meters, self._bank)
        self._profile_clocks = ProfileClocks(meters, self._bank)
        self.io = FleetIo(meters, self._bank, emit=self._ended.extend, changed=self._note)
        """The inputs and outputs of the meters' I/O modules."""
        self.on_network_reset: Callable[[int], object] = _nobody
        """Called with the number of a meter that is told to reset its Ethernet module (101AH)."""

    # -- what is so now -----------------------------------------------------------------------------

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
        if io.watching:
            records += self._keep(self._bank.advance(segment, self.now_ns))
            io.look_ahead()
        while True:
            due = min(io.next_ns, self._data_logs.next_ns, self._loggers.next_ns, self._months.next_ns)
            due = min(due, self._profile_clocks.next_ns)
            until = min(until_ns, max(due, self.now_ns))
            recorded = self._bank.advance(segment, until, halting=io.halting)
            io.take(recorded)
            records += self._keep([*recorded, *self._take_ended()])
            for meter in self._months.close():
                self._note(meter)
            self._profile_clocks.look()
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
            cause = self._capture_cause(meter, record) if isinstance(record, WaveformRecord) else ""
            self._meters[meter].keep(record, cause=cause)
            self._note(meter)
        return records

    def _capture_cause(self, meter: int, record: WaveformRecord) -> str:
        """Return the letters of the phases that triggered a capture, or the input."""
        groups = zip(self._bank.captures(meter), self._bank.capture_causes(meter), strict=True)
        return next((cause for group, cause in groups if group.number == record.number), "")

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
        try:
            with self.undone_on_failure(meter, f"a write to {address:04X}H"):
                before = self._meters[meter].raw
                effect = self._meters[meter].write(address, words, now_ns)
                self._ended += apply_effect(self._bank, meter, effect, now_ns)
                if "clear_energy" in effect.actions:
                    self._months.clear(meter)
                if "ethernet_reset" in effect.actions:
                    self.on_network_reset(meter)
                self.io.after_write(meter, before)
        except RefusedError as error:
            return Answer(now_ns, error.refusal, error.detail)
        return Answer(now_ns)

    def import_configuration(self, meter: int, registers: Mapping[str, object], now_ns: int) -> Answer:
        """Set setting registers, raw values by name, to what they shall be: all of them, or none.

        Raises
        ------
        NotNowError
            The meters have not been advanced to ``now_ns``.
        """
        of = self._meters[meter]
        profile = of.config.profile
        if problems := configuration_problems(profile, of.raw, registers):
            detail = "; ".join(f"{field} {what}, {mend}" for field, what, mend in problems)
            return Answer(now_ns, Refusal.ILLEGAL_VALUE, detail)
        wanted = {name: value for name, value in registers.items() if isinstance(value, int)}
        writes = configuration_writes(profile, of.raw, wanted)
        try:
            of.rehearse(writes, now_ns)
        except RefusedError as error:
            return Answer(now_ns, error.refusal, error.detail)
        with self.undone_on_failure(meter, "a configuration"):
            for address, words in writes:
                answer = self.write(meter, address, words, now_ns)
                if answer.refusal is not None:
                    return answer  # it has no supply, so the first was refused
        return Answer(now_ns)

    @contextmanager
    def undone_on_failure(self, meter: int, order: str) -> Iterator[None]:
        """Carry out a master's order to a meter; should the meter fail over it, set the meter back.

        What the order has erased stays erased. It is carried out once the meter can show what came of it.

        Parameters
        ----------
        meter : int
        order : str
            For people.

        Raises
        ------
        MeterFailedError
            The order failed; the meter is as it was. A meter that fails even so raises what it does.
        """
        of, now_ns = self._meters[meter], self.now_ns
        set_back, settings = of.as_it_is(), of.settings
        try:
            yield
            self._show_again(meter)
        except RefusedError:
            raise
        except Exception as error:
            outputs, differs = self.io.outputs(meter), of.settings is not settings
            set_back(now_ns)
            if differs:
                self._ended += self._bank.configure(meter, settings, now_ns)
            self.io.went_back(meter, outputs)
            self._show_again(meter)
            what = f"{type(error).__name__}: {error}"
            raise MeterFailedError(
                f"{self.names[meter]} failed over {order}, and is as it was ({what})"
            ) from error

    def _show_again(self, meter: int) -> None:
        """Bring what a meter shows into line with what it has become, all of it."""
        self._months.expect([meter])
        self._profile_clocks.follow([meter])
        self._data_logs.expect([meter])
        self._expire(meter)
        self._show_now(meter)

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
        self._expire(meter)

    def powered(self, meter: int) -> bool:
        """Return whether a meter has its supply."""
        return self._meters[meter].powered

    # -- what is wrong with meters ------------------------------------------------------------------

    def connect(self, meter: int, connection: Connection, now_ns: int) -> None:
        """Let a meter's inputs be connected so from now on; the signal's next segment has to start now."""
        self._bank.connect(meter, connection, now_ns)

    def set_by_hand(self, meter: int, raw: Mapping[str, int], now_ns: int) -> None:
        """Set setting registers at the meter's own keys: no seal and no lost supply is in the way.

        Parameters
        ----------
        meter : int
        raw : mapping of str to int
            Values that the registers take, by name.
        now_ns : int
            UTC [ns].
        """
        with self.undone_on_failure(meter, "a setting at its keys"):
            before = self._meters[meter].raw
            effect = self._meters[meter].set_by_hand(raw, now_ns)
            self._ended += apply_effect(self._bank, meter, effect, now_ns)
            self.io.after_write(meter, before)

    def preset_energies(self, meter: int, values_wh: Mapping[str, float]) -> None:
        """Let some counters read values from now on, by register name [Wh, varh, VAh primary]."""
        past = {name: value for name, value in values_wh.items() if name in MONTH_REGISTERS}
        self._meters[meter].months.preset(past)
        for name, value in values_wh.items():
            if name not in past:
                self._bank.preset_energy(meter, name, value)
        self._note(meter)

    def settings_of(self, meter: int, names: Sequence[str]) -> dict[str, int]:
        """Return the raw values of some setting registers."""
        return {name: self._meters[meter].raw[name] for name in names}

    def disturb_clock(self, meter: int, now_ns: int, course: ClockCourse) -> None:
        """Let a meter's clock run otherwise from now on."""
        self._meters[meter].disturb_clock(now_ns, course)
        self._show_again(meter)
