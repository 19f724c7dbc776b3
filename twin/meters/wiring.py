"""What is connected to a meter's inputs, and what the meter makes of it by its wiring settings.

Two things that agree in a meter that is installed well:

- the installation: which conductors and transformers feed the six inputs (`terminals`);
- the settings 1003H and 1004H: how the inputs are read (`Wirings`).

========  ====================================  =================================================
wiring    the inputs receive                    the meter has
========  ====================================  =================================================
3LN       va, vb, vc to neutral                 three phases
1LL       va, vb to neutral                     phases A and B, V12
1LN       va to neutral                         phase A
2LL       va - vb, nothing, vc - vb             line voltages; V2 and VN are one terminal
3LL       va, vb, vc to their common star       line voltages
========  ====================================  =================================================

Three current transformers feed all inputs; two leave out I2, or I3 of a single-phase system, and one feeds
I1 alone. Of a current without transformer the meter reckons what it can: with two of three phases
``i2 = -(i1 + i3)``; with one it supposes balance, so that each order lags its neighbour by a third of
its own cycle, or stands opposite in a single-phase system of three wires.

References
----------
KW320 manual 2.3.2..2.3.5 (wiring), 3.2 A..C and 4.3 (what there is in each), 6.3.7 (line voltages).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import WindowMeasure
from twin.meters.accuracy import CHANNELS
from twin.meters.settings import CurrentWiring, MeterSettings, Wiring
from twin.metrology import Quantities, SteadyPhasors, quantities

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Rows = NDArray[np.intp]

LINE_TO_LINE: Final = frozenset({"2LL", "3LL"})
"""Wirings without phase voltages."""
PHASES: Final[dict[Wiring, int]] = {"3LN": 3, "1LN": 1, "1LL": 2, "2LL": 3, "3LL": 3}
"""Phases, or pairs of them, that a wiring has."""
SLOTS: Final = (0, 2, 1)
"""Line voltages in the order in which 6.3.7 lists harmonics: V12, V31, V23."""
LINE_NAMES: Final = ("v12", "v31", "v23")
"""Their names."""
_STAR: Final = np.eye(3) - 1.0 / 3.0
_OPEN_DELTA: Final = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0], [0.0, -1.0, 1.0]])
_PAIRS: Final = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])


def terminals(wiring: Wiring, current_wiring: CurrentWiring) -> Float:
    """Return what the inputs receive of va, vb, vc, ia, ib, ic, shape (6, 6)."""
    out = np.zeros((CHANNELS, CHANNELS))
    out[:3, :3] = _STAR if wiring == "3LL" else _OPEN_DELTA if wiring == "2LL" else _first(PHASES[wiring])
    out[3:, 3:] = np.diag(fitted_currents(wiring, current_wiring))
    return out


def elements(wiring: Wiring, current_wiring: CurrentWiring) -> Float:
    """Return the measuring elements' voltages and currents by the inputs, shape (6, 6).

    Currents that a supposed balance gives are still zero for three phases: they need every order's phasor.
    """
    out = np.zeros((CHANNELS, CHANNELS))
    phases = PHASES[wiring]
    out[:3, :3] = np.diag([1.0, 0.0, 1.0]) if wiring == "2LL" else _first(phases)
    if phases == 3:
        out[3:, 3:] = np.diag(fitted_currents(wiring, current_wiring))
        if current_wiring == "2CT":
            out[4, 3:] = [-1.0, 0.0, -1.0]
    else:
        out[3:, 3:] = _first(phases)
        if phases == 2 and current_wiring == "1CT":
            out[4, 3:] = [-1.0, 0.0, 0.0]
    return out


def watched(wiring: Wiring, current_wiring: CurrentWiring) -> Float:
    """Return what rated voltage and current are compared with, by the inputs, shape (6, 6).

    Line voltages V12, V23, V31 where there are no phase voltages (KW320 manual 6.3.8, note).
    """
    out = elements(wiring, current_wiring)
    if wiring in LINE_TO_LINE:
        out[:3, :3] = combined(_PAIRS, out[:3, :3])
    return out


def absent(settings: MeterSettings) -> list[int]:
    """Return the channels, of six, that a meter has no voltage or current in."""
    phases = PHASES[settings.wiring]
    return [row for row in range(CHANNELS) if row % 3 >= phases]


def _first(count: int) -> Float:
    return np.diag(np.arange(3) < count).astype(np.float64)


def fitted_currents(wiring: Wiring, current_wiring: CurrentWiring) -> list[float]:
    """Return 1 for each current input that has a transformer."""
    if current_wiring == "2CT":
        return [1.0, 0.0, 1.0] if PHASES[wiring] == 3 else [1.0, 1.0, 0.0]
    return [1.0, 1.0, 1.0] if current_wiring == "3CT" else [1.0, 0.0, 0.0]


def combined(matrix: Float, rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return combinations of rows, added in their order whatever computes it."""
    out = np.zeros((len(matrix), *rows.shape[1:]), rows.dtype)
    for at, weights in enumerate(matrix.tolist()):
        for weight, row in zip(weights, rows, strict=True):
            if weight:
                out[at] += weight * row
    return out


class Wirings:
    """How the meters of a bank read their inputs."""

    def __init__(self, settings: Sequence[MeterSettings]) -> None:
        self._elements = np.zeros((len(settings), CHANNELS, CHANNELS))
        self._watched = np.zeros_like(self._elements)
        self._turned = np.zeros(len(settings), np.bool_)
        self.phases = np.zeros(len(settings), np.int64)
        """Phases that each meter has, 0 where it has line voltages."""
        self.special: Rows = np.zeros(0, np.intp)
        """Meters that are not 3LN with 3CT."""
        self.line: Rows = np.zeros(0, np.intp)
        """Meters with line voltages alone."""
        self.partial: Rows = np.zeros(0, np.intp)
        """Meters that have not three phases to neutral."""
        for meter, setting in enumerate(settings):
            self._configure(meter, setting)
        self._sort()

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take a meter's settings."""
        self._configure(meter, settings)
        self._sort()

    def _configure(self, meter: int, settings: MeterSettings) -> None:
        wiring, currents = settings.wiring, settings.current_wiring
        self._elements[meter] = elements(wiring, currents)
        self._watched[meter] = watched(wiring, currents)
        self.phases[meter] = 0 if wiring in LINE_TO_LINE else PHASES[wiring]
        self._turned[meter] = currents == "1CT" and PHASES[wiring] == 3

    def _sort(self) -> None:
        plain = (self._elements == np.eye(CHANNELS)).all(axis=(1, 2))
        self.special = np.flatnonzero(~plain | (self.phases != 3))
        self.line = np.flatnonzero(self.phases == 0)
        self.partial = np.flatnonzero(self.phases != 3)

    def quantities(self, measure: WindowMeasure) -> tuple[Quantities, Complex]:
        """Return the quantities of a window, and the phasor that angles refer to, shape (meters,).

        Where there are no phase voltages the voltages, their harmonics, distortion and sequence are those of
        V12, V31, V23, in this order, their angles those of V12, V23, V31; ``vll`` and the powers of the
        elements are as ever.
        """
        if not self.special.size:
            return quantities(measure), measure.spectrum[:, 0, 1]
        seen = self._reckoned(measure)
        taken = quantities(seen)
        reference = seen.spectrum[:, 0, 1].copy()
        if self.line.size:
            self._take_lines(seen, taken, reference)
        return taken, reference

    def _reckoned(self, measure: WindowMeasure) -> WindowMeasure:
        from twin.meters.wiring_kernels import combine_moments  # noqa: PLC0415

        gram, spectrum = measure.gram.copy(), measure.spectrum.copy()
        combine_moments(self.special, self._elements, self._turned, gram, spectrum)
        return WindowMeasure(measure.frequency, gram, spectrum)

    def _take_lines(self, seen: WindowMeasure, taken: Quantities, reference: Complex) -> None:
        """Put line voltages in the places of phase voltages."""
        from twin.meters.wiring_kernels import combine_moments  # noqa: PLC0415

        lines = self.line
        gram, spectrum = seen.gram[lines], seen.spectrum[lines]
        pairs = np.eye(CHANNELS)
        pairs[:3, :3] = _PAIRS
        every = np.arange(lines.size)
        matrices = np.repeat(pairs[None], lines.size, axis=0)
        combine_moments(every, matrices, np.zeros(lines.size, np.bool_), gram, spectrum)
        of = quantities(WindowMeasure(seen.frequency[lines], gram, spectrum))
        from twin.metrology.kernels import ANGLE, THD, V_RMS  # noqa: PLC0415

        slots = np.array(SLOTS)
        taken.real[lines, ANGLE : ANGLE + CHANNELS] = of.real[:, ANGLE : ANGLE + CHANNELS]
        for slot, pair in enumerate(SLOTS):
            taken.real[lines, THD + slot] = of.real[:, THD + pair]
            taken.real[lines, V_RMS + slot] = of.real[:, V_RMS + pair]
        taken.sequence[lines] = of.sequence
        taken.harmonic[lines, :3] = of.harmonic[:, slots]
        reference[lines] = spectrum[:, 0, 1]

    def watched_squares(self, gram: Float, meters: Rows) -> Float:
        """Return mean squares of what events are watched on, shape (meters, 6).

        Parameters
        ----------
        gram : ndarray, shape (meters, 6, 6)
            Mean products of the inputs, of the ``meters`` alone.
        meters : ndarray of int
        """
        squares = np.diagonal(gram, axis1=1, axis2=2)
        if not self.special.size:
            return np.maximum(squares, 0.0)
        squares = squares.copy()
        for row in np.flatnonzero(np.isin(meters, self.special)).tolist():
            matrix = self._watched[meters[row]]
            once = combined(matrix, gram[row])
            squares[row] = np.diagonal(combined(matrix, np.ascontiguousarray(once.T)))
        return np.maximum(squares, 0.0)

    def watched_noise(self, power: Float) -> Float:
        """Return mean squares of noise, (meters, 6), as it is in what events are watched on."""
        out = power.copy()
        for meter in self.special.tolist():
            out[meter] = combined(self._watched[meter] ** 2, power[meter])
        return out

    def watched_phasors(self, steady: SteadyPhasors) -> SteadyPhasors:
        """Return the phasors of what events are watched on."""
        if not self.special.size:
            return steady
        phasor = steady.phasor.copy()
        for meter in self.special.tolist():
            rows = slice(CHANNELS * meter, CHANNELS * (meter + 1))
            phasor[rows] = combined(self._watched[meter], steady.phasor[rows])
        return SteadyPhasors(steady.order, phasor, steady.frequency)

    def slots(self, samples: Float) -> Float:
        """Return the samples of the voltages whose shape is shown, (meters x 6, n) from the inputs'."""
        if not self.special.size:
            return samples
        out = samples.copy()
        for meter in self.special.tolist():
            first = CHANNELS * meter
            order = [*SLOTS, 3, 4, 5] if self.phases[meter] == 0 else list(range(CHANNELS))
            rows = samples[first : first + CHANNELS]
            out[first : first + CHANNELS] = combined(self._watched[meter][order], rows)
        return out
