"""The profile `reference` on the bench: an ideal class A analyser, 512 samples a cycle, no front-end error.

Every quantity is measured on samples that are locked to theta, by the metrology that meters share, and read
without rounding. It is what every other profile is compared with; that it is right is shown by the closed
forms of what the bench applies.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.calibrator.bench import HYSTERESIS, THRESHOLDS, Taken, calm_second
from twin.calibrator.quantities import Course, Quantity
from twin.calibrator.stimulus import TICK_NS, Rating, Stimulus
from twin.contracts import NS_PER_SECOND, Instant
from twin.meters.accuracy_limits import ActiveClass, ReactiveClass
from twin.metrology import (
    EnergyAccumulator,
    EventDetector,
    EventKind,
    FlickerMeter,
    Lamp,
    NoLockError,
    RapidVoltageChangeDetector,
    VoltageEvent,
    half_cycle_rms_samples,
    harmonic_groups,
    limited_above,
    limited_below,
    lock,
    measure_samples,
    overdeviation,
    reading,
    underdeviation,
    voltage_unbalance,
    window_bins,
)
from twin.signals import synthesise, synthesise_cycles

Float = NDArray[np.float64]

PER_CYCLE: Final = 512
FREE_RATE: Final = 12_800.0
"""Rate of the free-running samples whose cycles are counted for the frequency [Hz]."""
RVC_THRESHOLD: Final = 0.05
"""Of rapid voltage changes, share of the declared voltage; hysteresis half of it."""
_WINDOWS_150_180: Final = 15
_ALL: Final = slice(0, 6)
_VOLTAGES: Final = slice(0, 3)
_SECOND: Final = 50
"""Cycles that a flickermeter is fed with at a time."""
_NAMES: Final = {
    EventKind.DIP: ("dip_residual", "dip_duration"),
    EventKind.SWELL: ("swell_maximum", "swell_duration"),
    EventKind.INTERRUPTION: ("interruption_residual", "interruption_duration"),
}


class AnalyserBench:
    """The reference analyser on the source.

    Parameters
    ----------
    frequency : int
        Nominal, 50 or 60 [Hz].
    voltage : float, optional
        Declared voltage, line to neutral; 230 V without it [V].
    current : float, optional
        Rated current; 5 A without it [A].
    """

    active_class: ActiveClass = "0.2S"
    reactive_class: ReactiveClass = "0.5S"
    pulses_per_kwh = 100_000.0

    def __init__(self, *, frequency: int, voltage: float | None = None, current: float | None = None) -> None:
        ampere = 5.0 if current is None else current
        self.rating = Rating(
            voltage=230.0 if voltage is None else voltage,
            current=ampere,
            maximum_current=1.2 * ampere,
            frequency=frequency,
        )

    def has(self, quantity: Quantity, order: int | None) -> bool:
        """Tell whether it has a quantity: each, to order 50."""
        del quantity
        return order is None or order <= 50

    def run(self, stimulus: Stimulus, course: Course) -> Taken:
        """Apply a stimulus and return what the analyser read."""
        measure = {
            Course.STEADY: self._steady,
            Course.ENERGY: self._energy,
            Course.NO_LOAD: self._energy,
            Course.FREQUENCY: _frequency,
            Course.THREE_SECONDS: self._three_seconds,
            Course.TEN_MINUTES: self._ten_minutes,
            Course.EVENT: self._events,
            Course.CHANGE: self._changes,
            Course.SENSATION: self._sensation,
            Course.SEVERITY: self._severity,
        }[course]
        return measure(stimulus)

    def _steady(self, stimulus: Stimulus) -> Taken:
        """Read the last basic window that ends before a calm second."""
        cycles = self.rating.cycles
        calm_ns = calm_second(stimulus, window_s=2.0 * cycles / stimulus.frequency)
        number = int((calm_ns - stimulus.start_ns) * 1e-9 * stimulus.frequency / cycles) - 1
        start = _cycle(stimulus, stimulus.start_ns, number * cycles)
        end = _cycle(stimulus, stimulus.start_ns, (number + 1) * cycles)
        samples = _samples(stimulus, start, cycles)
        read = reading(
            measure_samples(samples, samples_per_cycle=PER_CYCLE, cycles=cycles, frequency=stimulus.frequency)
        )
        groups = harmonic_groups(window_bins(samples, cycles=cycles), cycles=cycles)
        u2, u0 = voltage_unbalance(read)
        taken = Taken(start, end)
        values = taken.values
        values["active_power", None, None] = float(read.p.sum())
        values["reactive_power", None, None] = float(read.q_fundamental.sum())
        values["u2", None, None], values["u0", None, None] = 100.0 * float(u2[0]), 100.0 * float(u0[0])
        for phase in range(3):
            values["u_rms", phase, None] = float(read.v[0, phase])
            values["i_rms", phase, None] = float(read.i[0, phase])
            for letter, channel in (("u", phase), ("i", phase + 3)):
                for order in range(51):
                    values[f"{letter}_harmonic", phase, order] = float(groups.subgroup[channel, order])
                    between = float(groups.interharmonic_subgroup[channel, order])
                    values[f"{letter}_interharmonic", phase, order] = between
        return taken

    def _energy(self, stimulus: Stimulus) -> Taken:
        """Count the powers of basic windows from the tick on."""
        cycles = self.rating.cycles
        counter = EnergyAccumulator(1)
        start = end = Instant(TICK_NS)
        for number, (_, samples) in enumerate(_windows(stimulus, TICK_NS, stimulus.end_ns, cycles)):
            read = reading(
                measure_samples(
                    samples, samples_per_cycle=PER_CYCLE, cycles=cycles, frequency=stimulus.frequency
                )
            )
            before, end = end, _cycle(stimulus, TICK_NS, (number + 1) * cycles)
            counter.add(read.p, read.q_fundamental, read.s, end.ns - before.ns)
        imported, exported, inductive, capacitive = (
            float(counter.watt_hours(name).sum()) for name in ("p_imp", "p_exp", "q_imp", "q_exp")
        )
        active, reactive = stimulus.powers()
        return Taken(
            start,
            end,
            {
                ("active_energy", None, None): exported if active < 0.0 else imported,
                ("reactive_energy", None, None): capacitive if reactive < 0.0 else inductive,
                ("no_load_pulses", None, None): (imported + exported) * 1e-3 * self.pulses_per_kwh,
            },
        )

    def _rms(self, stimulus: Stimulus, until_ns: int) -> tuple[Float, Instant]:
        """Return the RMS voltages of the basic windows that begin from the tick on, (3, n), and their end."""
        cycles = self.rating.cycles
        rows = [
            np.sqrt((samples**2).mean(axis=1))
            for _, samples in _windows(stimulus, TICK_NS, until_ns, cycles, channels=_VOLTAGES)
        ]
        return np.array(rows).T, _cycle(stimulus, TICK_NS, len(rows) * cycles)

    def _three_seconds(self, stimulus: Stimulus) -> Taken:
        declared, cycles = self.rating.voltage, self.rating.cycles
        rms, _ = self._rms(stimulus, stimulus.end_ns)
        rms = rms[:, :_WINDOWS_150_180]
        taken = Taken(Instant(TICK_NS), _cycle(stimulus, TICK_NS, _WINDOWS_150_180 * cycles))
        under = underdeviation(_quadratic(limited_below(rms, declared=declared)), declared=declared)
        over = overdeviation(_quadratic(limited_above(rms, declared=declared)), declared=declared)
        for name, values in (
            ("u_rms_150_180", _quadratic(rms)),
            ("underdeviation", 100.0 * under),
            ("overdeviation", 100.0 * over),
        ):
            taken.values.update({(name, phase, None): float(values[phase]) for phase in range(3)})
        return taken

    def _ten_minutes(self, stimulus: Stimulus) -> Taken:
        rms, end = self._rms(stimulus, TICK_NS + 600 * NS_PER_SECOND)
        taken = Taken(Instant(TICK_NS), end)
        means = _quadratic(rms)
        taken.values.update({("u_rms_10min", phase, None): float(means[phase]) for phase in range(3)})
        return taken

    def _severity(self, stimulus: Stimulus) -> Taken:
        """Read Pst of the ten minutes from the tick on; the time before settles the flickermeter."""
        meter = self._flickermeter(stimulus)
        until_ns = TICK_NS + 600 * NS_PER_SECOND
        waiting = True
        for start, samples in _windows(stimulus, stimulus.start_ns, until_ns, _SECOND, channels=_VOLTAGES):
            if waiting and start.ns >= TICK_NS - 1:
                meter.pst()
                waiting = False
            meter.feed(samples)
        pst = meter.pst()
        taken = Taken(Instant(TICK_NS), Instant(until_ns))
        taken.values.update({("pst", phase, None): float(pst[phase]) for phase in range(3)})
        return taken

    def _sensation(self, stimulus: Stimulus) -> Taken:
        meter = self._flickermeter(stimulus)
        largest = np.zeros(3)
        begin_ns, end_ns = stimulus.start_ns, stimulus.end_ns
        for _, samples in _windows(stimulus, begin_ns, end_ns, _SECOND, channels=_VOLTAGES):
            settled = meter.settled
            pinst = meter.feed(samples)
            if settled:
                largest = np.maximum(largest, pinst.max(axis=1))
        taken = Taken(Instant(begin_ns), Instant(end_ns))
        taken.values.update({("pinst", phase, None): float(largest[phase]) for phase in range(3)})
        return taken

    def _flickermeter(self, stimulus: Stimulus) -> FlickerMeter:
        lamp = stimulus.conditions.lamp or ("120" if self.rating.frequency == 60 else "230")
        return FlickerMeter(
            3,
            sample_rate=PER_CYCLE * stimulus.frequency,
            lamp=Lamp.V120 if lamp == "120" else Lamp.V230,
            nominal_frequency=self.rating.frequency,
        )

    def _events(self, stimulus: Stimulus) -> Taken:
        declared = self.rating.voltage
        taken = Taken(Instant(stimulus.start_ns), Instant(stimulus.end_ns))
        for kind, threshold in THRESHOLDS.items():
            detector = EventDetector(kind, threshold=threshold * declared, hysteresis=HYSTERESIS * declared)
            found: list[VoltageEvent] = []
            for ends_ns, rms in _half_cycles(stimulus, self.rating.cycles):
                found += detector.update(ends_ns, rms)
            if found:
                event = max(found, key=lambda one: (one.end_ns or 0) - one.start_ns)
                extreme, duration = _NAMES[kind]
                taken.values[extreme, None, None] = event.extreme
                taken.values[duration, None, None] = ((event.end_ns or 0) - event.start_ns) * 1e-9
        return taken

    def _changes(self, stimulus: Stimulus) -> Taken:
        declared = self.rating.voltage
        detector = RapidVoltageChangeDetector(
            3,
            threshold=RVC_THRESHOLD * declared,
            dip=THRESHOLDS[EventKind.DIP] * declared,
            swell=THRESHOLDS[EventKind.SWELL] * declared,
            nominal_frequency=self.rating.frequency,
        )
        taken = Taken(Instant(stimulus.start_ns), Instant(stimulus.end_ns))
        for ends_ns, rms in _half_cycles(stimulus, self.rating.cycles):
            for change in detector.update(ends_ns, rms):
                taken.values["rvc_steady_change", None, None] = change.steady_change
                taken.values["rvc_largest_change", None, None] = change.largest_change
        return taken


def _quadratic(rms: Float) -> Float:
    mean: Float = np.sqrt((rms**2).mean(axis=1))
    return mean


def _cycle(stimulus: Stimulus, origin_ns: int, cycles: int) -> Instant:
    """Return when some cycles have passed since a time; the frequency of a stimulus is constant."""
    passed = cycles / stimulus.frequency * NS_PER_SECOND
    whole = int(passed)
    return Instant(origin_ns + whole, passed - whole)


def _samples(stimulus: Stimulus, start: Instant, cycles: int, *, channels: slice = _ALL) -> Float:
    end_ns = start.ns + round(cycles / stimulus.frequency * NS_PER_SECOND) + 2
    signal = stimulus.signal(start.ns, end_ns)
    return synthesise_cycles(
        signal, start, samples_per_cycle=PER_CYCLE, count=PER_CYCLE * cycles, channels=channels
    )


def _windows(
    stimulus: Stimulus, from_ns: int, until_ns: int, cycles: int, *, channels: slice = _ALL
) -> Iterator[tuple[Instant, Float]]:
    """Yield start and samples of consecutive windows that begin before a time and end in the signal."""
    number = 0
    while True:
        start = _cycle(stimulus, from_ns, number * cycles)
        end = _cycle(stimulus, from_ns, (number + 1) * cycles)
        if start.ns >= until_ns - 1 or end.ns > stimulus.end_ns:
            return
        yield start, _samples(stimulus, start, cycles, channels=channels)
        number += 1


def _half_cycles(stimulus: Stimulus, cycles: int) -> Iterator[tuple[NDArray[np.int64], Float]]:
    """Yield ends [ns] and URMS(1/2) of the voltages, (3, n); half cycles begin at theta 0."""
    carried = np.zeros((3, 0))
    halves = 2
    begin_ns, end_ns = stimulus.start_ns, stimulus.end_ns
    for _, samples in _windows(stimulus, begin_ns, end_ns, cycles, channels=_VOLTAGES):
        joined = np.concatenate([carried, samples], axis=1)
        rms = half_cycle_rms_samples(joined, samples_per_cycle=PER_CYCLE)
        numbers = halves + np.arange(rms.shape[1])
        ends = stimulus.start_ns + np.rint(numbers / (2.0 * stimulus.frequency) * NS_PER_SECOND)
        yield ends.astype(np.int64), rms
        halves += rms.shape[1]
        carried = samples[:, -PER_CYCLE // 2 :]


def _frequency(stimulus: Stimulus) -> Taken:
    """Count the cycles of ten seconds on free-running samples of the largest voltage."""
    start, end = Instant(TICK_NS), Instant(TICK_NS + 10 * NS_PER_SECOND)
    count = round(10 * FREE_RATE) + 1
    signal = stimulus.signal(TICK_NS, stimulus.end_ns)
    samples = synthesise(signal, start, step_s=1.0 / FREE_RATE, count=count, channels=_VOLTAGES)
    reference = samples[int(np.argmax((samples**2).sum(axis=1)))]
    taken = Taken(start, end)
    try:
        found = lock(reference, sample_rate=FREE_RATE, nominal_frequency=stimulus.rating.frequency)
    except NoLockError:
        return taken
    taken.values["frequency", None, None] = found.cycle_frequency(0.0, count - 1.0)
    return taken
