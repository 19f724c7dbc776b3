"""Sums of damped exponentials with common rates, as a `Segment` carries them."""

from dataclasses import dataclass, replace
from math import tau as two_pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Rows ``x_r(t) = sum_m Re{amplitude[r, m] exp(rate[m] t + j order[m] (theta + 2 pi frequency t))}``.

    Time counts from the instant that the terms start at. The fields are those of a `Segment`.
    """

    frequency: float
    """Of the fundamental [Hz]."""
    theta: float
    """Phase of the fundamental at the start [rad]."""
    order: Float
    """Shape (m,): multiple of theta; 0 for natural modes."""
    rate: Complex
    """Shape (m,): own damping and angular frequency [1/s]."""
    amplitude: Complex
    """Shape (rows, m): complex peak amplitudes [V or A]."""

    @property
    def s(self) -> Complex:
        """Complex frequency of each term [1/s]."""
        return self.rate + 1j * two_pi * self.frequency * self.order

    @property
    def start(self) -> Complex:
        """Amplitudes with the phase that the terms start at: ``x(t) = sum Re{start exp(s t)}``."""
        return np.asarray(self.amplitude * np.exp(1j * self.order * self.theta))

    def at(self, times: ArrayLike) -> Float:
        """Evaluate all rows.

        Parameters
        ----------
        times
            Times since the start [s], any shape.

        Returns
        -------
        NDArray
            Shape (rows, *times.shape) [V or A].
        """
        when = np.asarray(times, dtype=float)
        value = self.start @ np.exp(np.multiply.outer(self.s, when.ravel()))
        return np.asarray(value.real.reshape(len(self.amplitude), *when.shape))

    def later(self, delay: float) -> "Terms":
        """Return the same waveforms, starting ``delay`` seconds later."""
        return replace(
            self,
            theta=self.theta + two_pi * self.frequency * delay,
            amplitude=self.amplitude * np.exp(self.rate * delay),
        )

    def row(self, index: int) -> "Terms":
        """Return one row alone, still with a leading axis of one."""
        return replace(self, amplitude=self.amplitude[index : index + 1])


def joined(first: Terms, second: Terms) -> Terms:
    """Add two sums of the same rows, frequency and start."""
    return replace(
        first,
        order=np.concatenate([first.order, second.order]),
        rate=np.concatenate([first.rate, second.rate]),
        amplitude=np.concatenate([first.amplitude, second.amplitude], axis=1),
    )
