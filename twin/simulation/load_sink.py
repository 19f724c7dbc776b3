"""What every customer shares: the sink that hears of each change of load, exact states, random streams."""

import cmath
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_GRAIN = 2.0**-20
"""Powers are whole multiples of this [W, var, VA]: sums below 8 GW are then exact in float64."""


class LoadSink(Protocol):
    """Whoever keeps the total of each load point, as a rule the engine that solves the network."""

    def change(
        self,
        load: int,
        delta_p: float,
        delta_q: float,
        delta_emission: NDArray[np.complex128],
        *,
        cause: str,
    ) -> None:
        """Take a change of a load's active power [W], reactive power [var] and emission [VA].

        ``delta_emission`` has shape (orders,) and is shared by later calls: read it, never write to it.
        ``cause`` names what happened, for example ``house 7: kettle on``.
        """


class TableSink(LoadSink, Protocol):
    """A sink that also takes the steps of a table, all loads at once."""

    def shift(
        self, loads: NDArray[np.intp], delta_p: Float, delta_q: Float, delta_emission: Complex | None
    ) -> None:
        """Take changes of what some load points draw, each named once.

        Active [W] and reactive [var] power, and emission [VA] of shape (loads, orders), None where none
        emits. A table says what loads draw, not what anybody switched: nothing is told of it.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What something draws from the network in one of its states."""

    p: float
    """Active power of the fundamental [W]; negative when it feeds in."""
    q: float
    """Reactive power of the fundamental [var]; positive when the current lags."""
    emission: NDArray[np.complex128]
    """Shape (orders,): harmonic emission [VA], 0 at order 1."""


def make_draw(p: float, q: float, ratio: NDArray[np.complex128], orders: Sequence[int]) -> Draw:
    """Return the draw of a device with a given power and harmonic spectrum.

    The emission of order h is ``ratio[h] |S| exp(-j h phi)`` with S = p + jq and phi = arg S, so that
    at a voltage V the device draws ``I_h = emission[h] exp(j h arg V) / |V|``.

    Parameters
    ----------
    p, q : float
        Active [W] and reactive [var] power of the fundamental.
    ratio : ndarray of complex128, shape (orders,)
        Harmonic over fundamental current; its angle is that of the harmonic when the fundamental
        current is at its crest. The entry of order 1 is ignored.
    orders : sequence of int
        Harmonic orders of ``ratio`` and of the emission.

    Returns
    -------
    Draw
        Rounded to 2**-20 VA, so that sums and differences of draws are exact.
    """
    apparent, angle = cmath.polar(complex(p, q))
    order = np.asarray(orders, dtype=np.float64)
    emission = np.where(order == 1.0, 0.0, ratio * apparent * np.exp(-1j * order * angle))
    grains = np.rint(emission.real / _GRAIN) + 1j * np.rint(emission.imag / _GRAIN)
    emission = np.asarray(grains * _GRAIN, dtype=np.complex128)
    emission.setflags(write=False)
    return Draw(round(p / _GRAIN) * _GRAIN, round(q / _GRAIN) * _GRAIN, emission)


def in_grains(power: Float) -> Float:
    """Return powers rounded to 2**-20 W, as `make_draw` rounds them."""
    return np.asarray(np.rint(power / _GRAIN) * _GRAIN)


def emissions(p: Float, q: Float, ratio: Complex, orders: Sequence[int] | NDArray[np.int64]) -> Complex:
    """Return what `make_draw` has as emission, of several devices at once.

    Parameters
    ----------
    p, q : f64[devices]
        [W], [var].
    ratio : c128[devices, orders]
    orders : sequence of int
    """
    order = np.asarray(orders, dtype=np.float64)
    turned = np.exp(-1j * np.arctan2(q, p)[:, None] * order)
    emission = np.where(order == 1.0, 0.0, ratio * np.hypot(p, q)[:, None] * turned)
    grains = np.rint(emission.real / _GRAIN) + 1j * np.rint(emission.imag / _GRAIN)
    return np.asarray(grains * _GRAIN)


def add_draws(draws: Sequence[Draw]) -> Draw:
    """Return the sum of draws of one place, exact."""
    emission = np.sum([draw.emission for draw in draws], axis=0)
    emission.setflags(write=False)
    return Draw(sum(draw.p for draw in draws), sum(draw.q for draw in draws), emission)


def reactive_power(p: float, power_factor: float, *, leading: bool = False) -> float:
    """Return the reactive power [var] at active power ``p`` [W] and displacement power factor."""
    q = abs(p) * math.sqrt(1.0 - power_factor * power_factor) / power_factor
    return -q if leading else q


class Contribution:
    """The present draw of one device at one load; reports differences to the sink.

    The state moves through given draws, never by adding: what a device leaves behind after switching
    off is exactly nothing.
    """

    __slots__ = ("_differences", "_load", "_now", "_sink")

    def __init__(self, sink: LoadSink, load: int, orders: int) -> None:
        self._sink = sink
        self._load = load
        self._now = Draw(0.0, 0.0, np.zeros(orders, dtype=np.complex128))
        self._differences: dict[tuple[int, int], tuple[Draw, Draw, NDArray[np.complex128]]] = {}

    @property
    def now(self) -> Draw:
        """The present draw."""
        return self._now

    def move(self, draw: Draw, *, cause: str, remember: bool = False) -> None:
        """Go to another draw and tell the sink; nothing is told when it is the present one.

        ``remember`` keeps the difference for the next time; for devices with a handful of states.
        """
        before = self._now
        if draw is before or _equal(draw, before):
            return
        known = self._differences.get((id(before), id(draw)))
        if known is None:
            difference = draw.emission - before.emission
            difference.setflags(write=False)
            if remember:
                # The draws are kept too, so that their identities stay theirs.
                self._differences[(id(before), id(draw))] = (before, draw, difference)
        else:
            difference = known[2]
        self._now = draw
        self._sink.change(self._load, draw.p - before.p, draw.q - before.q, difference, cause=cause)


def _equal(one: Draw, other: Draw) -> bool:
    return one.p == other.p and one.q == other.q and bool((one.emission == other.emission).all())


def random_stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of one entity.

    The Philox key is the first 16 bytes, little-endian, of the SHA-256 of ``seed/name`` in UTF-8 with
    the seed in decimal. Streams of different names are independent, whoever asks first.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
