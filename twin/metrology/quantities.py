"""The quantities of a measuring window, made from its moments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Reading, WindowMeasure

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """The numbers of a reading in few arrays, as compiled code takes them."""

    frequency: Float
    """(meters,) [Hz]"""
    real: Float
    """(meters, 37), by the columns that `twin.metrology.kernels` names."""
    sequence: NDArray[np.complex128]
    """(meters, 6): positive, negative, zero of voltages, then of currents."""
    harmonic: Float
    """(meters, 6, orders)"""

    def reading(self) -> Reading:
        """Return the quantities by their names; the arrays are shared."""
        real, sequence = self.real, self.sequence
        return Reading(
            self.frequency,
            real[:, 0:3],
            real[:, 3:6],
            real[:, 6:9],
            real[:, 9],
            real[:, 10:13],
            real[:, 13:16],
            real[:, 16:19],
            real[:, 19:22],
            real[:, 22:25],
            sequence[:, 0],
            sequence[:, 1],
            sequence[:, 2],
            sequence[:, 3],
            sequence[:, 4],
            sequence[:, 5],
            self.harmonic,
            real[:, 25:31],
            real[:, 31:37],
        )


def reading(measure: WindowMeasure) -> Reading:
    """Return the quantities of a window by their names, as `quantities` makes them."""
    return quantities(measure).reading()


def quantities(measure: WindowMeasure) -> Quantities:
    """Return RMS values, powers, sequence components, harmonics and distortion of a window.

    Parameters
    ----------
    measure : WindowMeasure
        Moments of a bank of meters.

    Returns
    -------
    Quantities
        Angles and distortion are NaN where a fundamental is below 1e-9 V or A.

    Raises
    ------
    ValueError
        If the spectrum does not reach the fundamental.

    Notes
    -----
    ================== =================================================================
    ``v``, ``i``       RMS over the window, IEC 61000-4-30 5.2 and 5.13
    ``vll``, ``i_n``   RMS of va - vb, vb - vc, vc - va and of ia + ib + ic
    ``p``              mean of v i, IEEE 1459 3.1.2
    ``p_fundamental``  V1 I1 cos(phi1), IEEE 1459 3.1.2
    ``q_fundamental``  V1 I1 sin(phi1), IEEE 1459 3.1.2, IEC 62053-24 3
    ``q_budeanu``      sum of Vh Ih sin(phih), h >= 1, IEEE 1459 3.1.2 (listed there as history)
    ``s``              V I, IEEE 1459 3.1.2
    sequence           fundamental symmetrical components, IEC 61000-4-30 5.7
    ``thd``            root of the sum of squares of orders 2 .. orders - 1 over order 1, IEC 61000-4-7 3.3.1
    ================== =================================================================

    References
    ----------
    IEEE Std 1459-2010; IEC 61000-4-30:2015; IEC 61000-4-7:2002 + A1:2008; IEC 62053-24:2020.
    """
    from twin.metrology.kernels import REAL_COLUMNS, reduce_moments  # noqa: PLC0415

    meters, channels, orders = measure.spectrum.shape
    if orders < 2:
        raise ValueError(f"a spectrum of {orders} orders has no fundamental; measure at least two")
    real = np.empty((meters, REAL_COLUMNS))
    sequence = np.empty((meters, 6), np.complex128)
    harmonic = np.empty((meters, channels, orders))
    reduce_moments(measure.gram, measure.spectrum, real, sequence, harmonic)
    return Quantities(measure.frequency, real, sequence, harmonic)
