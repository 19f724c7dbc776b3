"""The measuring window: what a meter shows at a tick of its refresh lattice.

A window is ten cycles of theta (twelve at 60 Hz; IEC 61000-4-30, 4.4) that end at the tick. Windows that
no boundary touches are all alike: they are measured once per stretch. A window that a boundary touches is
measured piece by piece, exactly. What a tick shows depends on the signal alone, never on who looks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Instant, Reading, Signal, WindowMeasure
from twin.meters.accuracy import CHANNELS
from twin.meters.front_end import KEEP_NS, FrontEnd
from twin.meters.quantities import display
from twin.meters.settings import MeterSettings
from twin.meters.wiring import Wirings
from twin.metrology import (
    Quantities,
    SteadyPhasors,
    measure_phasors,
    measure_window,
    steady_phasors,
)

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
NS = 1e9
_DIAGONAL = np.arange(CHANNELS)
ORDERS = 64
"""Orders 0 .. 63 count in the distortion and are shown (KW320 manual 4.3)."""
WINDOWS = {50.0: (10, ORDERS), 60.0: (12, ORDERS), 400.0: (80, 16)}
"""Cycles of a window, 200 ms (IEC 61000-4-30, 4.4), and its orders, 0 .. 15 at 400 Hz (KW320 manual 4.3), by
rated frequency."""


@dataclass(slots=True)
class Conventions:
    """How the meters of a bank turn moments into quantities; arrays of shape (meters,)."""

    fundamental: Flags
    """Fundamental energy mode."""
    general: Flags
    """General reactive power."""
    ieee: Flags
    """IEEE sign of the power factor."""
    wirings: Wirings

    @classmethod
    def of(cls, settings: Sequence[MeterSettings]) -> "Conventions":
        """Return those of some meters."""
        fundamental, general, ieee = np.zeros((3, len(settings)), np.bool_)
        made = cls(fundamental, general, ieee, Wirings(settings))
        for meter, setting in enumerate(settings):
            made.configure(meter, setting)
        return made

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take a meter's settings."""
        self.fundamental[meter] = settings.energy_mode == "fundamental"
        self.general[meter] = settings.reactive_mode == "general"
        self.ieee[meter] = settings.convention == "ieee"
        self.wirings.configure(meter, settings)


@dataclass(frozen=True, slots=True, eq=False)
class WindowView:
    """One measured window of all meters, secondary."""

    measure: WindowMeasure
    """Of the inputs. Its orders, at most `ORDERS`, end with the last one that the signal has."""
    quantities: Quantities
    values: Float
    """Shape (meters, 52), by column of ``quantities.NAMES``; without demands."""
    registered: Float
    """Shape (meters, 12): powers that energy registers count [W, var, VA]."""
    reference: NDArray[np.complex128]
    """Shape (meters,): what angles refer to, va or vab [V]."""
    signal: Signal
    """What was measured, for its wave shape."""
    start: Instant
    """Start of the window; where it was steady, any time in the stretch."""
    end: Instant
    phasors: SteadyPhasors | None
    """What a steady window is made of; None where a boundary touched it."""

    @property
    def steady(self) -> bool:
        """Whether no boundary touched the window."""
        return self.phasors is not None

    @property
    def cycle_frequency(self) -> float:
        """Frequency of theta at the start [Hz]; of a dead phase as well."""
        return self.signal.segments[0].frequency

    @property
    def reading(self) -> Reading:
        """The quantities by their names."""
        return self.quantities.reading()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stationary or other stretch of the kept signal."""

    start_ns: int
    settled_ns: int
    """From when on windows lie wholly in it [ns]."""
    view: WindowView | None
    """None unless it is stationary."""


class MeasuringWindow:
    """Measures windows of the kept signal, and remembers the steady ones and the last tick."""

    def __init__(
        self, front_end: FrontEnd, conventions: Conventions, *, cycles: int, orders: int = ORDERS
    ) -> None:
        self._front_end = front_end
        self._conventions = conventions
        self._cycles = cycles
        self._orders = orders
        # White noise adds to mean squares and, being independent from channel to channel, to no power.
        self._noise_power = front_end.inputs.noise**2
        self._stretches: list[_Stretch] = []
        self._last_ns = -1
        self._last: WindowView | None = None

    def begin_stretch(self) -> WindowView | None:
        """Measure the stretch that begins with the newest segment; None unless it is stationary."""
        start_ns = self._front_end.stretch_start_ns
        length = math.ceil(self._cycles / self._front_end.newest.frequency * NS)
        view = self._steady_view() if self._front_end.stationary else None
        while len(self._stretches) > 1 and self._stretches[1].start_ns < start_ns - KEEP_NS:
            del self._stretches[0]
        self._stretches.append(_Stretch(start_ns, start_ns + length, view))
        return view

    def refresh(self) -> None:
        """Measure anew after conventions or the front end changed."""
        self._last = None
        if self._stretches:
            newest = self._stretches[-1]
            view = self._steady_view() if newest.view is not None else None
            self._stretches = [_Stretch(newest.start_ns, newest.settled_ns, view)]

    @property
    def wirings(self) -> Wirings:
        """How the meters read their inputs."""
        return self._conventions.wirings

    @property
    def steady(self) -> WindowView | None:
        """The view of the current stretch; None unless it is stationary."""
        return self._stretches[-1].view if self._stretches else None

    @property
    def settled_ns(self) -> int:
        """From when on windows lie wholly in the current stretch [ns]."""
        return self._stretches[-1].settled_ns

    def at(self, tick_ns: int) -> WindowView:
        """Return the view at a tick that is not later than now."""
        for stretch in reversed(self._stretches):
            if stretch.start_ns < tick_ns:
                if stretch.view is not None and tick_ns >= stretch.settled_ns:
                    return stretch.view
                break
        if self._last is None or self._last_ns != tick_ns:
            start = self._front_end.cycles_before(tick_ns, self._cycles)
            self._last = self.between(start, tick_ns)
            self._last_ns = tick_ns
        return self._last

    def between(self, start: Instant, end_ns: int) -> WindowView:
        """Return the view of any part of the kept signal."""
        end = Instant(end_ns)
        signal = self._front_end.signal(start, end_ns)
        return self._view(measure_window(signal, start, end, orders=self._orders), signal, start, end, None)

    def _steady_view(self) -> WindowView:
        segment = self._front_end.newest
        start = Instant(segment.start_ns)
        signal = self._front_end.signal(start, segment.start_ns)
        phasors = steady_phasors(segment)
        orders = min(self._orders, max(2, int(phasors.order[-1]) + 1))
        return self._view(measure_phasors(phasors, orders=orders), signal, start, start, phasors)

    def _view(
        self,
        measure: WindowMeasure,
        signal: Signal,
        start: Instant,
        end: Instant,
        phasors: SteadyPhasors | None,
    ) -> WindowView:
        measure.gram[:, _DIAGONAL, _DIAGONAL] += self._noise_power
        return WindowView(measure, *self._evaluated(measure), signal, start, end, phasors)

    def with_moments(self, view: WindowView, measure: WindowMeasure) -> WindowView:
        """Return a view of the same window, had its moments been others."""
        taken, values, registered, reference = self._evaluated(measure)
        return replace(
            view,
            measure=measure,
            quantities=taken,
            values=values,
            registered=registered,
            reference=reference,
        )

    def _evaluated(self, measure: WindowMeasure) -> tuple[Quantities, Float, Float, NDArray[np.complex128]]:
        conventions = self._conventions
        taken, reference = conventions.wirings.quantities(measure)
        values, registered = display(
            taken,
            fundamental=conventions.fundamental,
            general=conventions.general,
            ieee=conventions.ieee,
            starting_current=self._front_end.inputs.starting_current,
            wirings=conventions.wirings,
        )
        return taken, values, registered, reference
