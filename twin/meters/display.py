"""What meters show at the ticks of their refresh lattices: the measured window, with the noise of its inputs.

Noise fluctuates in what is displayed and captured alone. Energies, demands, extremes, alarms and the load
profile take the mean, which the noise biases but does not move: so a quiet stretch is computed once and
counted, whatever is looked at in between.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.meters.capture import SAMPLES_PER_CYCLE
from twin.meters.inputs import Inputs
from twin.meters.quantities import BASIC_NAMES, COLUMN, DEMAND_NAMES, FAST_NAMES
from twin.meters.wave_shape import peaks, wave_shape
from twin.meters.window import MeasuringWindow, WindowView

Float = NDArray[np.float64]

FAST_NS: Final = NS_PER_SECOND // 10
"""Refresh of the fast block, a lattice of UTC [ns]."""
BASIC_NS: Final = NS_PER_SECOND
"""Refresh of the basic block, a lattice of UTC [ns]."""
_BASIC_COLUMNS: Final = tuple((name, COLUMN[name]) for name in BASIC_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class _Noise:
    """The noise of one window of all meters."""

    view: WindowView
    """Of which window."""
    number: int
    whole: bool
    delta: NDArray[np.complex128]
    products: Float


class Display:
    """The displayed blocks of all meters of a bank.

    Parameters
    ----------
    window : MeasuringWindow
        Where the values come from.
    inputs : Inputs
        Whose noise it is.
    cycles : int
        Cycles in a window.
    """

    def __init__(self, window: MeasuringWindow, inputs: Inputs, *, cycles: int) -> None:
        self._window = window
        self._inputs = inputs
        self._cycles = cycles
        self._quiet = not inputs.noise.any()
        self._shown: dict[bool, tuple[int, WindowView, WindowView]] = {}  # tick, as measured, as shown
        self._drawn: _Noise | None = None
        self._ahead: tuple[int, WindowView, WindowView] | None = None  # the same, of a tick to come
        self._peaks: tuple[WindowView, Float] | None = None
        # As shown, as measured, and the wave's shape.
        self._shape: tuple[WindowView, WindowView, dict[str, Float]] | None = None

    def fast(self, now_ns: int) -> Float:
        """Return the fast blocks at the last 100 ms of UTC, secondary SI.

        Shape (meters, quantities), in the order of `FAST_NAMES`.
        """
        return self._at(now_ns - now_ns % FAST_NS).values[:, : len(FAST_NAMES)]

    def basic(self, now_ns: int, demands: Float) -> dict[str, Float]:
        """Return the basic blocks at the last second of UTC, secondary SI.

        Parameters
        ----------
        now_ns : int
            UTC [ns].
        demands : ndarray, shape (meters, 6)
            As they stand, in the order of their columns.

        Returns
        -------
        dict of str to ndarray
            By name, shape (meters,); harmonics (meters, 62), see `wave_shape`.
        """
        tick_ns = now_ns - now_ns % BASIC_NS
        view = self._at(tick_ns)
        measured = self._window.at(tick_ns)
        shown = {name: view.values[:, column] for name, column in _BASIC_COLUMNS}
        shown |= {name: demands[:, place] for place, name in enumerate(DEMAND_NAMES)}
        return shown | self._wave_shape(view, measured)

    def _wave_shape(self, view: WindowView, measured: WindowView) -> dict[str, Float]:
        """Return what depends on the wave's shape, of a window as it is shown and as it was measured."""
        if self._shape is None or self._shape[0] is not view or self._shape[1] is not measured:
            if self._peaks is None or self._peaks[0] is not measured:
                self._peaks = measured, peaks(measured, self._window.wirings, cycles=self._cycles)
            self._shape = view, measured, wave_shape(view, self._peaks[1], self._window.wirings)
        return self._shape[2]

    def _at(self, tick_ns: int) -> WindowView:
        """Return the window that ends at a tick, with its noise."""
        view = self._window.at(tick_ns)
        if self._quiet:
            return view
        whole = tick_ns % BASIC_NS == 0
        known = self._shown.get(whole)
        if known is None or known[0] != tick_ns or known[1] is not view:
            ahead = self._ahead
            if ahead is not None and ahead[0] == tick_ns and ahead[1] is view:
                known = ahead
            else:
                known = (tick_ns, view, self._disturbed(view, tick_ns // FAST_NS, whole))
            self._shown[whole] = known
        return known[2]

    def prepare(self, tick_ns: int) -> None:
        """Find what a tick that is still to come will show, should nothing change until then.

        What is shown is the same without; a site in real time does it while it waits.
        """
        view = self._window.steady
        if view is None or tick_ns < self._window.settled_ns:
            return
        whole, shown = tick_ns % BASIC_NS == 0, view
        if not self._quiet:
            shown = self._disturbed(view, tick_ns // FAST_NS, whole)
            self._ahead = (tick_ns, view, shown)
        if whole:
            self._wave_shape(shown, view)

    def _disturbed(self, view: WindowView, number: int, whole: bool) -> WindowView:
        """Return a window whose moments fluctuate; the same number fluctuates the same way.

        Unless it is looked at as a ``whole``, orders that are not in the signal are left as they are.
        """
        from twin.meters.noise_kernels import disturb  # noqa: PLC0415

        noise = self._drawn
        if noise is None or noise.view is not view or (noise.number, noise.whole) != (number, whole):
            noise = self._draw(view, number, whole)
        gram, spectrum = view.measure.gram.copy(), np.empty_like(view.measure.spectrum)
        disturb(gram, view.measure.spectrum, noise.delta, noise.products, spectrum)
        return self._window.with_moments(view, replace(view.measure, gram=gram, spectrum=spectrum))

    def _draw(self, view: WindowView, number: int, whole: bool) -> _Noise:
        from twin.meters.noise_kernels import draw  # noqa: PLC0415

        spectrum, samples = view.measure.spectrum, SAMPLES_PER_CYCLE * self._cycles
        if self._drawn is None or self._drawn.delta.shape != spectrum.shape:
            room = np.empty_like(spectrum), np.empty_like(view.measure.gram)
        else:
            room = self._drawn.delta, self._drawn.products
        noise = self._drawn = _Noise(view, number, whole, *room)
        keys = self._inputs.display_keys
        draw(spectrum, self._inputs.noise, keys, number, samples, whole, noise.delta, noise.products)
        return noise
