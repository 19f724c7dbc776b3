"""The I/O modules of all meters of a fleet: what goes in and out of them, and when outputs move.

Relays and digital outputs that follow alarms move when the alarm does. What they are wired to, inputs of
meters or something of the site, hears of it through here.
"""

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Final

from twin.contracts import AlarmRecord, Answer, Record, Refusal, SoeRecord
from twin.meters.alarms import NEVER
from twin.meters.bank import MeterBank
from twin.meters.energy_pulses import PulseOutput
from twin.meters.kw320.analogue import input_counts
from twin.meters.kw320.io_modules import MODULES, module_of
from twin.meters.kw320.io_state import is_counter, triggers_capture
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.kw320.pulse_watch import PulseWatch
from twin.meters.kw320.settings_registers import pt1_tenths
from twin.meters.pulses import PulseSource

CONTACT_NS: Final = 10_000_000
"""From a relay's order until the input that it is wired to has seen its contact move [ns]."""
_MS: Final = 1_000_000
_COUNTED: Final = {1: "ep_imp", 2: "ep_exp", 3: "eq_imp", 4: "eq_exp"}
"""Energy of a pulse output by its setting (KW320 manual 6.3.5)."""

Listener = Callable[[bool], None]


class FleetIo:
    """Inputs and outputs of the modules of a fleet's meters; meters go by their number.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    bank : MeterBank
        Of the same meters.
    emit : callable
        Takes records that came to be.
    changed : callable
        Called with the number of a meter that shows something else now.
    """

    def __init__(
        self,
        meters: Sequence[Kw320Meter],
        bank: MeterBank,
        *,
        emit: Callable[[Sequence[Record]], None],
        changed: Callable[[int], None],
    ) -> None:
        self._meters = meters
        self._bank = bank
        self._emit = emit
        self._changed = changed
        self._listeners: dict[tuple[int, str], list[Listener]] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._orders: dict[tuple[int, int], int] = {}
        self._watch = PulseWatch(meters)
        self._pulse_outputs: dict[tuple[int, int], PulseOutput] = {}
        self.halting: frozenset[str] = frozenset()
        """Meters whose outputs are wired to something."""
        self.moved = False
        """Whether an output that something outside listens to has moved; who looks sets it back."""
        for meter in range(len(meters)):
            self._set_pulse_outputs(meter)

    # -- wiring -------------------------------------------------------------------------------------

    def listen(self, meter: int, output: str, listener: Listener) -> None:
        """Have a function called when an output, ``relay1`` or ``do1``, goes on or off."""
        self._wire(meter, output, partial(self._tell_outside, listener))

    def link(self, meter: int, output: str, to_meter: int, to_input: int) -> None:
        """Wire an output to a digital input, be it of the same meter; energy pulses go along."""
        if output.startswith("do"):
            self.feed(to_meter, to_input, _OutputPulses(self, meter, int(output[2:])))
        self._wire(meter, output, partial(self._pass_on, to_meter, to_input))

    def feed(self, meter: int, number: int, source: PulseSource) -> None:
        """Wire a source of pulses to a digital input."""
        self._meters[meter].io.feed(number, source, self._bank.cursor_ns)
        self._watch.expect(meter, self._bank.cursor_ns)
        self._changed(meter)

    def _wire(self, meter: int, output: str, listener: Listener) -> None:
        self._listeners.setdefault((meter, output), []).append(listener)
        self.halting |= {self._meters[meter].config.name}

    # -- inputs -------------------------------------------------------------------------------------

    def has(self, meter: int, kind: str, number: int) -> bool:
        """Return whether a channel (``di``, ``ai``, ``relay``, ..) is on a connected module of a meter."""
        return self._meters[meter].io.has(kind, number)

    def preset_input(self, meter: int, number: int, *, on: bool) -> None:
        """Say how a digital input has been for long: nothing is counted, recorded or alarmed."""
        self._meters[meter].io.levels[number - 1] = on
        self._changed(meter)

    def fed(self, meter: int, number: int) -> bool:
        """Return whether pulses are wired to a digital input."""
        return self._meters[meter].io.fed_by(number)

    def set_input(self, meter: int, number: int, *, on: bool) -> None:
        """Let a digital input, 1..28, go on or off now: it is counted, recorded and watched by alarms."""
        of, now_ns = self._meters[meter], self._bank.cursor_ns
        if not of.powered:
            of.io.levels[number - 1] = on
            return
        if not of.io.set_level(number, of.raw, on=on):
            return
        self._changed(meter)
        if is_counter(of.raw, number):
            return
        module = of.io.soe_module(of.raw)
        if module is not None and number in module.inputs:
            status = of.io.soe_status(module, of.raw)
            of.io.add_soe(status, of.clock.stamp(now_ns))
            self._emit([SoeRecord(of.config.name, module.name, now_ns, f"di{number}", on, status)])
        if triggers_capture(of.raw, number, on=on):
            self._bank.trigger_capture(
                meter, now_ns, reason="di", cause=f"di{number} {'on' if on else 'off'}"
            )
        alarms = self._bank.alarms.set_input(meter, number, now_ns, on=on)
        if alarms:
            self._emit(alarms)
            self._follow_alarms(meter)

    def set_analogue(self, meter: int, number: int, milliamperes: float) -> None:
        """Let an analogue input, 1..4, carry a signal from now on; one of 5 V counts 4 mA per volt."""
        of = self._meters[meter]
        counts = input_counts(milliamperes)
        if of.io.analogue[number - 1] != counts:
            of.io.analogue[number - 1] = counts
            self._bank.set_analogue(meter, number, counts, self._bank.cursor_ns)
            self._changed(meter)

    def set_power(self, meter: int, *, on: bool) -> None:
        """Let the modules follow the supply of their meter: without it relays drop, and nothing counts.

        With it an input is as it is: no record says when it changed, but an alarm that its state meets begins
        anew as any other does, and outputs come back with their alarms.
        """
        of, now_ns = self._meters[meter], self._bank.cursor_ns
        self._watch.expect(meter, now_ns)
        self.look_ahead()
        if on:
            of.io.skip(now_ns)
            self._find_input_alarms(meter)
            return
        of.io.settle(of.raw, now_ns)
        for name in of.io.modules:
            for relay in MODULES[name].relays:
                self._set_output(meter, "relay", relay, on=False)
            for output in MODULES[name].outputs:
                self._set_output(meter, "do", output, on=False)

    def _find_input_alarms(self, meter: int) -> None:
        of, now_ns = self._meters[meter], self._bank.cursor_ns
        alarms: list[AlarmRecord] = []
        for name in of.io.modules:
            for number in MODULES[name].inputs:
                if not is_counter(of.raw, number):
                    on = of.io.levels[number - 1]
                    alarms += self._bank.alarms.set_input(meter, number, now_ns, on=on)
        self._emit(alarms)
        self._follow_alarms(meter)

    # -- outputs ------------------------------------------------------------------------------------

    def write_coil(self, meter: int, address: int, *, on: bool) -> Answer:
        """Carry out a master's order to a relay, or refuse it.

        References
        ----------
        KW320 manual 6.2, part 4; 5.1.7.3.8: only a relay in control mode takes orders. MODBUS Application
        Protocol V1.1b3, section 7: exception 01 where a server is in the wrong state for a request.
        """
        of, now_ns, relay = self._meters[meter], self._bank.cursor_ns, address + 1
        if not of.powered:
            return Answer(now_ns, Refusal.NO_SUPPLY, f"{of.config.name} has no supply")
        if not of.io.has("relay", relay):
            return Answer(now_ns, Refusal.ILLEGAL_ADDRESS, f"no module with relay {relay} is connected")
        name = module_of("relay", relay).name
        if of.raw[f"{name}_relay_mode"]:
            detail = f"relay {relay} follows alarms ({name}_relay_mode is 1) and takes no orders"
            return Answer(now_ns, Refusal.ILLEGAL_FUNCTION, detail)
        order = self._orders[meter, relay] = self._orders.get((meter, relay), 0) + 1
        self._set_output(meter, "relay", relay, on=on)
        if on and of.raw[f"{name}_relay_output"]:
            end = now_ns + of.raw[f"{name}_relay_pulse_ms"] * _MS
            self._later(end, partial(self._end_pulse, meter, relay, order))
        return Answer(now_ns)

    def output(self, meter: int, name: str) -> bool:
        """Return whether an output, ``relay1`` or ``do1``, is closed now."""
        io, now_ns = self._meters[meter].io, self._bank.cursor_ns
        if name.startswith("relay"):
            return io.relays[int(name[5:]) - 1]
        number = int(name[2:])
        return io.outputs[number - 1] or self.pulse_lasts(meter, number, now_ns)

    def pulse_lasts(self, meter: int, output: int, now_ns: int) -> bool:
        """Return whether DO1..DO4 gives an energy pulse now; without supply it cannot."""
        train = self._bank.counting.pulse_train(meter, output, now_ns)
        return self._meters[meter].powered and train is not None and train.busy_until > now_ns

    def next_pulse_look_ns(self, meter: int, output: int, now_ns: int) -> int:
        """Return an instant after now before which ``pulse_lasts`` stays as it is."""
        return self._bank.counting.next_pulse_look_ns(meter, output, now_ns)

    def pulses(self, meter: int, output: int) -> int:
        """Return how many energy pulses DO1..DO4 has given."""
        train = self._bank.counting.pulse_train(meter, output, self._bank.cursor_ns)
        return 0 if train is None else train.count

    def after_write(self, meter: int, before: Mapping[str, int]) -> None:
        """Bring outputs into line with settings that a write has changed; ``before``: the raw ones."""
        of = self._meters[meter]
        if before is of.raw or not of.io.modules:
            return
        self._watch.expect(meter, self._bank.cursor_ns)
        for name in of.io.modules:
            if _relays_start_anew(name, of.raw, before):
                for relay in MODULES[name].relays:
                    self._orders[meter, relay] = self._orders.get((meter, relay), 0) + 1
                    self._set_output(meter, "relay", relay, on=False)
        self._set_pulse_outputs(meter)
        self._follow_alarms(meter)
        self.look_ahead()

    def outputs(self, meter: int) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        """Return the relays and the digital outputs of a meter as they are set."""
        io = self._meters[meter].io
        return tuple(io.relays), tuple(io.outputs)

    def went_back(self, meter: int, before: tuple[tuple[bool, ...], tuple[bool, ...]]) -> None:
        """Tell of outputs that were otherwise and are set back now; pulses follow the settings again."""
        for kind, was, on in zip(("relay", "do"), before, self.outputs(meter), strict=True):
            for number, (then, now) in enumerate(zip(was, on, strict=True), start=1):
                if then != now:
                    self._tell(meter, kind, number, on=now)
        self._set_pulse_outputs(meter)
        self._watch.expect(meter, self._bank.cursor_ns)
        self.look_ahead()

    # -- time ---------------------------------------------------------------------------------------

    @property
    def next_ns(self) -> int:
        """When an output or a wired input moves by itself next, UTC [ns]."""
        return min(self._due[0][0] if self._due else NEVER, self._watch.next_ns)

    @property
    def watching(self) -> bool:
        """Whether pulses are wired to an input in status mode, so that each has to be looked at."""
        return bool(self._watch.meters)

    def look_ahead(self) -> None:
        """Find out anew when pulses come: those of energy come otherwise with another power."""
        for meter in self._watch.meters:
            self._watch.expect(meter, self._bank.cursor_ns)

    def take(self, records: Sequence[Record]) -> None:
        """Let outputs follow what the meters have just recorded, and do what is due now."""
        names = {record.meter for record in records if isinstance(record, AlarmRecord)}
        for meter, of in enumerate(self._meters if names else ()):
            if of.config.name in names:
                self._follow_alarms(meter)
        while self._due and self._due[0][0] <= self._bank.cursor_ns:
            heapq.heappop(self._due)[2]()
        for meter, number, on in self._watch.due(self._bank.cursor_ns):
            self.set_input(meter, number, on=on)
            self._watch.expect(meter, self._bank.cursor_ns)

    def _later(self, at_ns: int, function: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at_ns, next(self._numbers), function))

    def _end_pulse(self, meter: int, relay: int, order: int) -> None:
        if self._orders[meter, relay] == order:
            self._set_output(meter, "relay", relay, on=False)

    def _follow_alarms(self, meter: int) -> None:
        """Set the relays and outputs in alarm mode: on while any of their alarms is active (4.4)."""
        of = self._meters[meter]
        if not of.io.modules:
            return
        active = [number for number, on in enumerate(self._bank.alarms.active(meter), start=1) if on]
        for name in of.io.modules:
            module = MODULES[name]
            if module.relays and of.raw[f"{name}_relay_mode"]:
                for relay in module.relays:
                    on = any(of.raw[f"alarm{channel}_relay"] == relay for channel in active)
                    self._set_output(meter, "relay", relay, on=on)
            for output in module.outputs:
                mask = of.raw[f"alarm_to_do{output}"] if of.raw[f"{name}_do_mode"] else 0
                on = any(mask >> channel - 1 & 1 for channel in active)
                self._set_output(meter, "do", output, on=on)

    def _set_output(self, meter: int, kind: str, number: int, *, on: bool) -> None:
        io = self._meters[meter].io
        states = io.relays if kind == "relay" else io.outputs
        if states[number - 1] == on:
            return
        states[number - 1] = on
        self._tell(meter, kind, number, on=on)

    def _tell(self, meter: int, kind: str, number: int, *, on: bool) -> None:
        self._changed(meter)
        for listener in self._listeners.get((meter, f"{kind}{number}"), ()):
            listener(on)

    def _tell_outside(self, listener: Listener, on: bool) -> None:
        self.moved = True
        listener(on)

    def _pass_on(self, to_meter: int, to_input: int, on: bool) -> None:
        at = self._bank.cursor_ns + CONTACT_NS
        self._later(at, partial(self.set_input, to_meter, to_input, on=on))

    def _set_pulse_outputs(self, meter: int) -> None:
        """Let digital outputs in pulse mode count what they are set to."""
        of = self._meters[meter]
        for name in of.io.modules:
            for output in MODULES[name].outputs:
                quantity = of.raw[f"{name}_do{output}_quantity"]
                wanted = None
                if quantity and not of.raw[f"{name}_do_mode"]:
                    wanted = _pulse_output(of, name, quantity)
                if self._pulse_outputs.get((meter, output)) != wanted:
                    self._bank.counting.set_pulse_output(meter, output, wanted, self._bank.cursor_ns)
                    if wanted is None:
                        self._pulse_outputs.pop((meter, output))
                    else:
                        self._pulse_outputs[meter, output] = wanted


class _OutputPulses:
    """The energy pulses of a digital output, as an input sees them."""

    def __init__(self, io: FleetIo, meter: int, output: int) -> None:
        self._io = io
        self._meter = meter
        self._output = output

    def count(self, now_ns: int) -> int:
        """Return how many pulses have begun; the fleet stands where it is asked about."""
        del now_ns
        return self._io.pulses(self._meter, self._output)

    def level(self, now_ns: int) -> bool:
        """Return whether a pulse lasts."""
        return self._io.pulse_lasts(self._meter, self._output, now_ns)

    def next_look_ns(self, now_ns: int) -> int:
        """Return an instant after another before which the level does not change; `NEVER` if it stays."""
        return self._io.next_pulse_look_ns(self._meter, self._output, now_ns)


def _relays_start_anew(module: str, raw: Mapping[str, int], before: Mapping[str, int]) -> bool:
    """Return whether the relays of a module open because they work in another way from now on.

    A relay of pulses is closed only while one lasts, so that it does not keep what was latched. One that
    follows alarms knows no pulses (KW320 manual 4.4).
    """
    mode, output = f"{module}_relay_mode", f"{module}_relay_output"
    if mode not in raw:
        return False
    return raw[mode] != before[mode] or (not raw[mode] and raw[output] != before[output])


def _pulse_output(of: Kw320Meter, module: str, quantity: int) -> PulseOutput:
    raw = of.raw
    ratio = Fraction(pt1_tenths(raw), raw["pt2"]) * Fraction(raw["ct1"], 5 if raw["ct2"] == 5 else 1)
    constant = raw["kwh_pulse_constant" if quantity <= 2 else "kvarh_pulse_constant"]
    return PulseOutput(_COUNTED[quantity], constant, ratio, raw[f"{module}_do_pulse_ms"] * _MS)
