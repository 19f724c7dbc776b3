"""A meter with registers on the bench: fed as in a site, read as a master reads it.

Energy is taken from the meter's counters before they are rounded to register counts, as a bench does that
counts the pulses of the test output; everything else is decoded from the words of the register image.
"""

import math
import struct
from collections.abc import Mapping
from typing import Final

from twin.calibrator.bench import CalibrationError, Taken, calm_second
from twin.calibrator.quantities import Course, Quantity
from twin.calibrator.stimulus import TICK_NS, Rating, Stimulus
from twin.contracts import NS_PER_SECOND, EventRecord, Instant, Point, Record
from twin.meters import Fleet, MeterConfig, build_fleet
from twin.meters.accuracy import KW320
from twin.meters.accuracy_limits import ActiveClass, ReactiveClass

PULSES_PER_KWH: Final = 5000.0
"""Meter constant that the bench sets; 0.1 s a pulse at three times 400 V and 6 A."""
_ALWAYS: Final = frozenset(
    {"active_energy", "reactive_energy", "no_load_pulses", "frequency", "u_rms", "i_rms"}
    | {"active_power", "reactive_power", "u2", "u0", "u_harmonic", "i_harmonic"}
)
_EVENTS: Final = frozenset({"dip_residual", "dip_duration", "swell_maximum", "swell_duration"})
_PHASES: Final = (1, 2, 3)


class RegisterBench:
    """A kw320 or kw320q, directly connected, with the 5 A input.

    Parameters
    ----------
    profile : str
        ``kw320`` or ``kw320q``.
    frequency : int
        Nominal [Hz].
    voltage : float, optional
        Declared voltage, line to neutral; the meter's rated 400 V without it [V].
    current : float, optional
        Rated current; 5 A without it, 1 A the meter has as well [A].
    seed : int
        Settles the errors of the device.
    ideal : bool
        No errors of its inputs.
    registers : Mapping of str to int
        Raw values of further setting registers.

    Raises
    ------
    CalibrationError
        The meter has no such input.
    MeterConfigError
        A register cannot be set like that.
    """

    def __init__(
        self,
        profile: str,
        *,
        frequency: int,
        voltage: float | None = None,
        current: float | None = None,
        seed: int = 0,
        ideal: bool = False,
        registers: Mapping[str, int] | None = None,
    ) -> None:
        volt = KW320.rated_voltage if voltage is None else voltage
        ampere = 5.0 if current is None else current
        if ampere not in {1.0, 5.0}:
            raise CalibrationError(
                f"{profile} has current inputs of 1 A and 5 A, not {ampere:g} A; use one of them"
            )
        if not 50.0 <= volt <= 400.0:
            raise CalibrationError(f"{profile} measures 50 to 400 V, not {volt:g} V; use a voltage within")
        self.rating = Rating(
            voltage=volt,
            current=ampere,
            maximum_current=ampere * KW320.maximum_current,
            frequency=frequency,
        )
        self.active_class: ActiveClass = KW320.active_class
        self.reactive_class: ReactiveClass = KW320.reactive_class
        self._quantities = _ALWAYS | (_EVENTS if profile == "kw320q" else frozenset())
        self.pulses_per_kwh = PULSES_PER_KWH
        settings = {"rated_frequency": 1 if frequency == 60 else 0, "kwh_pulse_constant": int(PULSES_PER_KWH)}
        if profile == "kw320q":
            settings |= {"sag_threshold_percent": 90, "sag_half_cycles": 4, "swell_threshold_percent": 110}
        self._config = MeterConfig(
            name="bench",
            profile=profile,
            pt1=volt,
            pt2=volt,
            ct1=int(ampere),
            ct2=int(ampere),
            rated_voltage=volt,
            registers=settings | dict(registers or {}),
            accuracy="ideal" if ideal else "class",
            seed=seed,
        )
        build_fleet([self._config], start_ns=TICK_NS)  # raises with every problem of the settings

    def has(self, quantity: Quantity, order: int | None) -> bool:
        """Tell whether the meter has a quantity; harmonics go from 2 to 63."""
        return quantity.name in self._quantities and (order is None or order >= 2)

    def run(self, stimulus: Stimulus, course: Course) -> Taken:
        """Apply a stimulus and return what the meter showed."""
        fleet = build_fleet([self._config], start_ns=stimulus.start_ns)
        if course is Course.STEADY:
            return self._steady(fleet, stimulus)
        if course is Course.FREQUENCY:
            ns = TICK_NS + 10 * NS_PER_SECOND
            _advance(fleet, stimulus, ns)
            return Taken(
                Instant(TICK_NS), Instant(ns), {("frequency", None, None): _words(fleet)["frequency"]}
            )
        if course in {Course.ENERGY, Course.NO_LOAD}:
            return self._energy(fleet, stimulus)
        if course is Course.EVENT:
            return _events(_advance(fleet, stimulus, stimulus.end_ns), stimulus)
        return Taken(Instant(stimulus.start_ns), Instant(stimulus.end_ns))

    def _steady(self, fleet: Fleet, stimulus: Stimulus) -> Taken:
        ns = calm_second(stimulus, window_s=(self.rating.cycles + 1) / stimulus.frequency)
        _advance(fleet, stimulus, ns)
        shown = _words(fleet)
        taken = Taken(
            Instant(ns - round(self.rating.cycles / stimulus.frequency * NS_PER_SECOND)), Instant(ns)
        )
        values = taken.values
        values["active_power", None, None] = shown["p_sum"]
        values["reactive_power", None, None] = shown["q_sum"]
        values["u2", None, None] = 100.0 * shown["v_unbalance"]
        positive, zero = (
            math.hypot(shown[f"ua_{k}_real"], shown[f"ua_{k}_imag"]) for k in ("positive", "zero")
        )
        values["u0", None, None] = 100.0 * zero / positive if positive else None
        for phase, k in enumerate(_PHASES):
            for letter, channel in (("u", f"v{k}"), ("i", f"i{k}")):
                values[f"{letter}_rms", phase, None] = shown[channel]
                # Harmonics are shown as percent of a fundamental that is not shown itself.
                fundamental = shown[channel] / math.sqrt(1.0 + shown[f"thd_{channel}"] ** 2)
                for order in range(2, 64):
                    value = fundamental * shown[f"{channel}_h{order}"]
                    values[f"{letter}_harmonic", phase, order] = value
        return taken

    def _energy(self, fleet: Fleet, stimulus: Stimulus) -> Taken:
        _advance(fleet, stimulus, TICK_NS)
        before = fleet.energies(0)
        _advance(fleet, stimulus, stimulus.end_ns)
        after = fleet.energies(0)
        counted = {name: after[name] - before[name] for name in ("ep_imp", "ep_exp", "eq_imp", "eq_exp")}
        active, reactive = stimulus.powers()
        return Taken(
            Instant(TICK_NS),
            Instant(stimulus.end_ns),
            {
                ("active_energy", None, None): counted["ep_exp" if active < 0.0 else "ep_imp"],
                ("reactive_energy", None, None): counted["eq_exp" if reactive < 0.0 else "eq_imp"],
                ("no_load_pulses", None, None): (counted["ep_imp"] + counted["ep_exp"])
                * 1e-3
                * self.pulses_per_kwh,
            },
        )


def _advance(fleet: Fleet, stimulus: Stimulus, until_ns: int) -> list[Record]:
    """Let the meter live through the stimulus from where it is."""
    records: list[Record] = []
    signal = stimulus.signal(fleet.now_ns, until_ns)
    for index, segment in enumerate(signal.segments):
        last = index + 1 == len(signal.segments)
        records += fleet.advance(segment, until_ns if last else signal.segments[index + 1].start_ns)
    return records


def _events(records: list[Record], stimulus: Stimulus) -> Taken:
    """Return the event that the meter logged, of each type the one that lasted longest."""
    taken = Taken(Instant(stimulus.start_ns), Instant(stimulus.end_ns))
    ended = [
        (record, (record.end_ns - record.start_ns) / NS_PER_SECOND)
        for record in records
        if isinstance(record, EventRecord) and record.end_ns is not None
    ]
    for type_, extreme, duration in (
        ("sag", "dip_residual", "dip_duration"),
        ("swell", "swell_maximum", "swell_duration"),
    ):
        of_type = [pair for pair in ended if pair[0].type == type_]
        if of_type:
            record, seconds = max(of_type, key=lambda pair: pair[1])
            taken.values[extreme, None, None] = record.extreme
            taken.values[duration, None, None] = seconds
    return taken


def _words(fleet: Fleet) -> dict[str, float]:
    """Return every register as a master decodes it; SI, fractions."""
    words = fleet.words(0).tolist()
    image: dict[int, int] = {}
    at = 0
    for block in fleet.blocks(0):
        image.update(zip(range(block.address, block.address + block.count), words[at:], strict=False))
        at += block.count
    points = [point for point in fleet.points(0) if point.address in image]
    return {point.name: _value(point, image) for point in points}


def _value(point: Point, image: Mapping[int, int]) -> float:
    """Return one register's value by its entry in the tag list."""
    raw = b"".join(struct.pack(">H", image[point.address + k]) for k in range(point.words))
    form = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f"}[point.type]
    (value,) = struct.unpack(form, raw)
    return float(value) * point.scale * (0.01 if point.unit == "%" else 1.0)
