"""The inputs of a bank of meters: primary segments become secondary ones, with each device's errors.

Ratios are those of the transformers that are fitted (the settings that a bank is built with). A ratio that
is changed later in a meter changes what it shows as primary, not what its terminals receive.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment
from twin.meters.accuracy import CHANNELS, KW320, DeviceAccuracy, InputErrors, draw_errors, ideal_errors
from twin.meters.connection import Connection, input_map
from twin.meters.converter import COUNT_RANGE, clipped, counts, peak_bound
from twin.meters.current_transformer import LINEAR, flux_after, flux_bound
from twin.meters.sampling import Cores, Sampler
from twin.meters.settings import MeterSettings
from twin.meters.wiring import combined, terminals

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
InputMaps = tuple[tuple[int, Float], ...]
"""By meter, what its inputs receive of va, vb, vc, ia, ib, ic, shape (6, 6)."""

PICKUP_CURRENT: Final = 0.005
"""An ideal meter registers from here on [A] (KW320 manual, specifications: pickup current 5 mA)."""


def secondary_scale(settings: Sequence[MeterSettings]) -> Float:
    """Return what each primary channel is multiplied by, shape (meters x 6, 1)."""
    rows = [
        [1.0 / meter.pt_ratio] * 3
        + [(-1.0 if reversed_ else 1.0) / meter.ct_ratio for reversed_ in meter.current_direction]
        for meter in settings
    ]
    return np.array(rows, np.float64).reshape(-1, 1)


def errors_of(settings: MeterSettings, device: DeviceAccuracy) -> InputErrors:
    """Return the errors of one meter, from its own seed."""
    if settings.accuracy == "ideal":
        return ideal_errors(PICKUP_CURRENT)
    return draw_errors(
        device,
        seed=settings.seed,
        name=settings.name,
        rated_current=5.0 if settings.ct2 == 5.0 else 1.0,
        temperature=settings.temperature,
    )


def is_stationary(segment: Segment) -> bool:
    """Tell whether a segment is nothing but steady harmonics of theta, so that every whole cycle is alike."""
    if segment.block is not None or segment.rate.any():
        return False
    return bool(np.all(segment.order == np.floor(segment.order)))


class Inputs:
    """What stands between the site and the measuring part of all meters of a bank.

    Parameters
    ----------
    settings : sequence of MeterSettings
        As the meters are installed.
    device : DeviceAccuracy
        What their data sheet promises.
    """

    def __init__(self, settings: Sequence[MeterSettings], device: DeviceAccuracy = KW320) -> None:
        self._scale = secondary_scale(settings)
        self._installed = [(one.installed_wiring, one.installed_current_wiring) for one in settings]
        self.maps: InputMaps = tuple(
            (at, matrix)
            for at, installed in enumerate(self._installed)
            if (matrix := terminals(*installed)).tolist() != np.eye(CHANNELS).tolist()
        )
        """Meters whose inputs do not receive the six channels one by one, and what they receive."""
        drawn = [errors_of(setting, device) for setting in settings]
        self._curve = np.array([errors.curve for errors in drawn]).reshape(-1, 7)
        self._ideal = all(setting.accuracy == "ideal" for setting in settings)
        step = 1.0 / np.array([counts(setting) for setting in settings]).reshape(-1, CHANNELS)
        real = np.array([[setting.accuracy == "class"] for setting in settings]).reshape(-1, 1)
        self._full_scale = np.where(real, COUNT_RANGE[1] * step, np.inf).ravel()
        self.white_noise = np.array([errors.noise for errors in drawn]).reshape(-1, CHANNELS)
        """RMS of the noise before the converter, shape (meters, 6) [V or A]."""
        self.noise = np.where(real, np.hypot(self.white_noise, step / math.sqrt(12.0)), 0.0)
        """The same with that of rounding to a converter's steps, q^2/12 (Bennett 1948)."""
        self.starting_current = np.array([errors.starting_current for errors in drawn])
        """From which on each meter registers energy, shape (meters,) [A]."""
        keys = np.array([errors.noise_keys for errors in drawn], np.uint64).reshape(-1, 2, CHANNELS)
        self.display_keys, self.sample_keys = np.ascontiguousarray(keys.swapaxes(0, 1))
        """Of each channel's noise, in displayed windows and in samples, shape (meters, 6)."""
        self._terms: tuple[object, object] = (None, None)  # order and rate that the rest was made from
        self._sampled = np.repeat([setting.fidelity == "sampled" for setting in settings], CHANNELS)
        fitted = [(at, setting) for at, setting in enumerate(settings) if setting.transformer is not None]
        self._core_rows = np.array([6 * at + 3 + k for at, _ in fitted for k in range(3)], np.intp)
        self._core = np.repeat([_core(setting) for _, setting in fitted], 3, axis=0).reshape(-1, 6)
        self._flux = self._core[:, 5].copy()
        self._over = self._core_rows[:0]  # channels that saturate in the newest segment
        self.may_sample_steady = bool(self._sampled.any() or self._core_rows.size)
        """Whether a stationary segment may have to be sampled too."""
        self._order = self._sign = np.zeros(0)
        self._rate = np.zeros(0, np.complex128)
        self._constant = -1

    @property
    def rows(self) -> int:
        """Channels in all."""
        return len(self._scale)

    def connect(self, meter: int, connection: Connection) -> None:
        """Let a meter's inputs be connected otherwise from now on."""
        wired = self._installed[meter]
        faultless = connection == Connection()
        matrix = terminals(*wired) if faultless else input_map(connection, *wired)
        before = next((of for at, of in self.maps if at == meter), np.eye(CHANNELS))
        for row, place in enumerate(self._core_rows.tolist()):
            at, channel = divmod(place, CHANNELS)
            if at == meter and (matrix[channel] == -before[channel]).all():
                self._flux[row] *= -1.0  # its leads were exchanged, the core knows nothing of it
        rest = [one for one in self.maps if one[0] != meter]
        changed = [(meter, matrix)] if matrix.tolist() != np.eye(CHANNELS).tolist() else []
        self.maps = tuple(sorted([*rest, *changed], key=lambda one: one[0]))

    def turn(self, settings: Sequence[MeterSettings]) -> Float:
        """Take over the directions of the current inputs; return -1 for those that turned, else 1."""
        before, self._scale = self._scale, secondary_scale(settings)
        turned: Float = np.sign(self._scale / before).ravel()
        self._flux *= turned[self._core_rows]
        return turned

    def sampler(self, segment: Segment) -> Sampler | None:
        """Return what samples a secondary segment; None if its terms are all there is.

        The flux of transformers is that at the segment's start: call this once for each new segment, after
        `leave` for the one before.
        """
        rows = self._sampled.copy()
        cores = Cores(self._core_rows[:0], self._core[:0], self._flux[:0])
        if self._core_rows.size:
            reached = flux_bound(segment, self._core_rows, self._core, self._flux)
            over = reached > LINEAR * self._core[:, 1]
            if segment.block is not None:
                over[:] = True
            cores = Cores(self._core_rows[over], self._core[over], self._flux[over])
            rows[cores.rows] = True
        self._over = cores.rows
        if not is_stationary(segment):
            rows |= self._largest(segment) > self._full_scale
        chosen = np.flatnonzero(rows)
        return Sampler(segment, chosen, self._full_scale, cores) if chosen.size else None

    def leave(self, segment: Segment, sampler: Sampler | None, ns: int) -> None:
        """Carry the flux of transformers to the end of a segment."""
        if not self._core_rows.size:
            return
        duration_s = (ns - segment.start_ns) / NS_PER_SECOND
        self._flux = flux_after(segment, self._core_rows, self._core, self._flux, duration_s)
        if sampler is not None and self._over.size:
            self._flux[np.isin(self._core_rows, self._over)] = sampler.flux(ns)

    @staticmethod
    def _largest(segment: Segment) -> Float:
        bound = peak_bound(segment)
        if segment.block is not None:
            bound += np.abs(segment.block.samples).max(axis=1)
        return bound

    def secondary(self, segment: Segment, *, maps: InputMaps | None = None) -> Segment:
        """Return a primary segment as the measuring part sees it; as connected now, unless ``maps`` say."""
        maps = self.maps if maps is None else maps
        amplitude = _received(segment.amplitude, maps)
        if self._ideal:
            amplitude = np.ascontiguousarray(amplitude * self._scale)
            block = self._block(segment, None, maps)
            return replace(segment, amplitude=amplitude, block=block)
        from twin.meters.accuracy_kernels import distort  # noqa: PLC0415

        self._learn(segment)
        out = np.empty((self.rows, self._order.size), np.complex128)
        given = np.ascontiguousarray(amplitude)
        bound = np.empty(self.rows)
        distort(given, self._sign, self._constant, self._scale, self._curve, out, bound)
        passed = Segment(
            segment.start_ns,
            segment.frequency,
            segment.theta,
            self._order,
            self._rate,
            out,
            self._block(segment, self._curve, maps),
        )
        if np.count_nonzero(bound > self._full_scale) and is_stationary(passed):
            return clipped(passed, self._full_scale)
        return passed

    def _learn(self, segment: Segment) -> None:
        """Look at the terms of a segment, once for all that share them."""
        if self._terms[0] is segment.order and self._terms[1] is segment.rate:
            return
        self._terms = (segment.order, segment.rate)
        self._sign = np.sign(np.where(segment.order != 0.0, segment.order, segment.rate.imag))
        still = np.flatnonzero((segment.order == 0.0) & (segment.rate == 0.0))
        self._constant = int(still[0]) if still.size else -1
        lacking = [] if still.size else [0.0]
        self._order = np.concatenate([lacking, segment.order])
        self._rate = np.concatenate([np.array(lacking, np.complex128), segment.rate])

    def _block(self, segment: Segment, curve: Float | None, maps: InputMaps) -> SampledBlock | None:
        """Return the samples of a segment with the errors that its channels have at their level."""
        block = segment.block
        if block is None:
            return None
        samples = _received(block.samples, maps) * self._scale
        if curve is not None:
            samples = _distort_samples(samples, 2.0 * np.pi * segment.frequency * block.step_s, curve)
        return replace(block, samples=samples)


def _received(rows: NDArray[Any], maps: InputMaps) -> NDArray[Any]:
    """Return what reaches the inputs of what is at the metering points."""
    if not maps:
        return rows
    out = rows.copy()
    for meter, matrix in maps:
        of = slice(CHANNELS * meter, CHANNELS * (meter + 1))
        out[of] = combined(matrix, rows[of])
    return out


def _core(settings: MeterSettings) -> Float:
    """Return the numbers of a meter's current transformers, shape (6,)."""
    assert settings.transformer is not None
    rated = 5.0 if settings.ct2 == 5.0 else 1.0
    return settings.transformer.core(rated_current=rated, frequency=settings.rated_frequency)


def _distort_samples(samples: Float, step: float, curve: Float) -> Float:
    """Give samples a ratio error, and a phase displacement as the delay it is at the fundamental."""
    low = curve[:, 5] / (curve[:, 5] + np.sqrt(np.mean(samples**2, axis=1)) / curve[:, 0])
    ratio = 1.0 + (curve[:, 1] + curve[:, 2] * low)
    lead = (curve[:, 3] + curve[:, 4] * low) / step
    distorted: Float = samples * ratio[:, None]
    if samples.shape[1] > 1:
        distorted += np.gradient(samples, axis=1) * (ratio * lead)[:, None]
    return distorted
