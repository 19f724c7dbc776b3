"""Which meters of a bank have a supply: one without measures, counts and records nothing."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Powered:
    """Supply of each meter of a bank."""

    def __init__(self, meters: int) -> None:
        self.on: Flags = np.ones(meters, np.bool_)
        """Which meters have one, shape (meters,)."""
        self._all = True

    def set(self, meter: int, *, on: bool) -> None:
        """Give a meter its supply, or take it away."""
        self.on[meter] = on
        self._all = bool(self.on.all())

    def counted(self, rows: Float) -> Float:
        """Return rows, one a meter, with zeros for what is not counted."""
        return rows if self._all else rows * self.on[:, None]

    def blank(self, rows: Float) -> None:
        """Put NaN, which fulfils no condition and is no extreme, into rows (.., meters, columns)."""
        if not self._all:
            rows[..., ~self.on, :] = np.nan
