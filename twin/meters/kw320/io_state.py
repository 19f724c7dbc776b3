"""What the I/O modules of one meter hold: levels, pulse counters, relays, SOE records."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from twin.meters.kw320.io_modules import (
    ANALOGUE,
    BY_NUMBER,
    COILS,
    DIGITAL_OUTPUTS,
    INPUT_BITS,
    INPUTS,
    MODULES,
    RELAYS,
    SOE_RECORDS,
    Module,
    connected_word,
    module_of,
)
from twin.meters.kw320.logs import RecordRing
from twin.meters.pulses import PulseSource

_COUNTER_ROLLOVER: Final = 1 << 32
"""A pulse counter is a double word (KW320 manual 6.3.7)."""


@dataclass(slots=True)
class _Counter:
    """One pulse counter: it goes one further with each so many pulses."""

    count: int = 0
    rest: int = 0
    """Pulses since the last count."""

    def add(self, pulses: int, constant: int) -> None:
        """Count pulses."""
        steps, self.rest = divmod(self.rest + pulses, max(constant, 1))
        self.count = (self.count + steps) % _COUNTER_ROLLOVER


class IoState:
    """The channels of the modules that are connected to one meter.

    Parameters
    ----------
    modules : sequence of str
        Which are connected.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = tuple(name for name in MODULES if name in modules)
        self.levels = [False] * INPUTS
        """DI1..DI28, as they are set; pulses have a level of their own, which is looked at in status mode."""
        self.relays = [False] * RELAYS
        self.outputs = [False] * DIGITAL_OUTPUTS
        """DO1..DO4, as alarms set them; an output of energy pulses has a level of its own."""
        self.analogue = [0] * ANALOGUE
        """AI1..AI4 [counts]."""
        self.soe = RecordRing(SOE_RECORDS)
        self.new_soe = False
        self._counters = [_Counter() for _ in range(INPUTS)]
        self.sources: dict[int, PulseSource] = {}
        """What gives pulses to an input, by its number."""
        self._taken: dict[int, int] = {}  # pulses of a source that have been looked at

    def copy(self) -> "IoState":
        """Return the same channels, wired alike, that go their own way from now on."""
        other = copy(self)
        other.levels, other.relays = self.levels.copy(), self.relays.copy()
        other.outputs, other.analogue = self.outputs.copy(), self.analogue.copy()
        other._counters = [copy(counter) for counter in self._counters]
        other.sources, other._taken = self.sources.copy(), self._taken.copy()
        return other

    @property
    def fed(self) -> bool:
        """Whether a source of pulses is wired to any input, so that counters move by themselves."""
        return bool(self.sources)

    def fed_by(self, number: int) -> bool:
        """Return whether a source of pulses is wired to an input."""
        return number in self.sources

    @property
    def connected(self) -> int:
        """Register 1036H."""
        return connected_word(self.modules)

    def has(self, kind: str, number: int) -> bool:
        """Return whether a channel is on a connected module."""
        try:
            return module_of(kind, number).name in self.modules
        except KeyError:
            return False

    # -- inputs -------------------------------------------------------------------------------------

    def set_level(self, number: int, raw: Mapping[str, int], *, on: bool) -> bool:
        """Let an input go on or off; return whether it has changed. A counter counts when it goes on."""
        if self.levels[number - 1] == on:
            return False
        self.levels[number - 1] = on
        if on and is_counter(raw, number):
            self._counters[number - 1].add(1, _constant(raw, number))
        return True

    def feed(self, number: int, source: PulseSource, now_ns: int) -> None:
        """Wire a source of pulses to an input."""
        self.sources[number] = source
        self._taken[number] = source.count(now_ns)

    def skip(self, now_ns: int) -> None:
        """Let the pulses of all sources up to now pass uncounted."""
        for number, source in self.sources.items():
            self._taken[number] = source.count(now_ns)

    def settle(self, raw: Mapping[str, int], now_ns: int) -> None:
        """Count the pulses of all sources up to now, as the inputs are set."""
        for number, source in self.sources.items():
            pulses = source.count(now_ns)
            if is_counter(raw, number):
                self._counters[number - 1].add(pulses - self._taken[number], _constant(raw, number))
            self._taken[number] = pulses

    def level(self, number: int, now_ns: int) -> bool:
        """Return whether an input is on."""
        source = self.sources.get(number)
        return self.levels[number - 1] or (source is not None and source.level(now_ns))

    def clear_counters(self, module: Module, raw: Mapping[str, int], now_ns: int) -> None:
        """Set the counters of a module to zero."""
        self.settle(raw, now_ns)
        for number in module.inputs:
            self._counters[number - 1] = _Counter()

    # -- SOE ----------------------------------------------------------------------------------------

    def soe_module(self, raw: Mapping[str, int]) -> Module | None:
        """Return the module whose inputs are recorded; None when none is, or it is not connected."""
        module = BY_NUMBER.get(raw["soe_enable"])
        return module if module is not None and module.name in self.modules else None

    def soe_status(self, module: Module, raw: Mapping[str, int]) -> int:
        """Return the states of a module's inputs, the first in bit 0; a counter's is 0."""
        return sum(
            1 << place
            for place, number in enumerate(module.inputs)
            if self.levels[number - 1] and not is_counter(raw, number)
        )

    def add_soe(self, status: int, stamp: Mapping[str, int]) -> None:
        """Put a record into the ring."""
        self.soe.add({**stamp, "di_status": status})
        self.new_soe = True

    def clear_soe(self) -> None:
        """Empty the ring."""
        self.soe = RecordRing(SOE_RECORDS)
        self.new_soe = False

    # -- registers ----------------------------------------------------------------------------------

    def registers(self, raw: Mapping[str, int], now_ns: int) -> dict[str, int]:
        """Return what inputs and relays show, by register."""
        module = self.soe_module(raw)
        shown = {f"ai{k + 1}": counts for k, counts in enumerate(self.analogue)}
        shown["soe_module"] = 0 if module is None else module.number
        levels = sum(
            1 << number - 1
            for name in self.modules
            for number in MODULES[name].inputs
            if self.level(number, now_ns)
        )
        relays = sum(1 << place for place, on in enumerate(self.relays) if on)
        for name, bits, block in (("input_bits", levels, INPUT_BITS), ("relay_bits", relays, COILS)):
            shown |= {f"{name}_{k}": bits >> 16 * k & 0xFFFF for k in range(-(-block.count // 16))}
        return shown

    def counts(self, raw: Mapping[str, int], now_ns: int) -> dict[str, int]:
        """Return the pulse counters of connected modules, by register."""
        self.settle(raw, now_ns)
        return {
            f"di{number}_count": self._counters[number - 1].count
            for name in self.modules
            for number in MODULES[name].inputs
        }


def is_counter(raw: Mapping[str, int], number: int) -> bool:
    """Return whether an input is set to count pulses."""
    module = module_of("di", number)
    return bool(raw[f"{module.name}_di_type"] >> module.inputs.index(number) & 1)


def triggers_capture(raw: Mapping[str, int], number: int, *, on: bool) -> bool:
    """Return whether an input in status mode triggers a waveform capture when it goes on or off.

    Parameters
    ----------
    raw : Mapping of str to int
        Raw value of every setting register by name; 8001H..8003H have two bits for each input: 1 from off to
        on, 2 from on to off, 3 both.
    number : int
    on : bool
        Which of them.

    References
    ----------
    KW320 manual 4.6, DI triggering: modules with the logical address 1 alone.
    """
    module = module_of("di", number)
    bits = raw.get(f"di_trigger_{module.name}", 0) >> 2 * module.inputs.index(number)
    return bool(bits & (1 if on else 2))


def _constant(raw: Mapping[str, int], number: int) -> int:
    return raw[f"{module_of('di', number).name}_di_pulse_constant"]
