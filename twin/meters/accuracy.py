"""Error models of devices: how a meter of a class is wrong, drawn for each device from its seed.

Every input channel multiplies what it receives by a complex gain that depends on its load, as current
transformers and dividers do: a ratio error and a phase displacement, both a constant and a part that grows
towards low load, ``e(x) = full + low x_k / (x_k + x)`` with ``x`` the RMS value over the nominal one. The
curves are drawn freely and then scaled as a whole, so that the worst point of all limits of the class and
of the data sheet is used to a drawn share: no device exceeds a limit, and devices differ.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twin.meters.accuracy_limits import (
    STARTING_CURRENT,
    ActiveClass,
    ReactiveClass,
    active_limit,
    reactive_limit,
)

Float = NDArray[np.float64]
Accuracy = Literal["class", "ideal"]

CHANNELS: Final = 6
REFERENCE_TEMPERATURE: Final = 23.0
"""Reference temperature of the classes [degC] (IEC 62052-11, reference conditions)."""
LEAST_USE, MOST_USE = 0.35, 0.9
"""Share of the tightest limit that a device uses: drawn between the two."""
_CURRENT_KNEE: Final = 0.02
_VOLTAGE_KNEE: Final = 0.3
_MINUTE_OF_ARC: Final = math.pi / (180.0 * 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAccuracy:
    """What the data sheet of a device promises."""

    active_class: ActiveClass
    reactive_class: ReactiveClass
    rated_voltage: float
    """Full scale of the voltage inputs, line to neutral [V]."""
    voltage_range: tuple[float, float]
    """Over which the limits are kept, multiples of the rated voltage."""
    maximum_current: float
    """Multiple of the rated current of the input."""
    full_scale_error: float
    """Largest error of V and I readings, fraction of full scale."""
    temperature_coefficient: float
    """Largest drift of a power or a reading, fraction [1/K]."""
    noise: float
    """White noise at the inputs, RMS, fraction of the nominal value."""
    offset: float
    """Largest constant offset at the inputs, fraction of the nominal value."""


KW320: Final = DeviceAccuracy(
    active_class="0.2S",
    reactive_class="0.5S",
    rated_voltage=400.0,
    voltage_range=(0.1, 1.15),
    maximum_current=1.2,
    full_scale_error=0.002,
    temperature_coefficient=100e-6,
    noise=100e-6,
    offset=20e-6,
)
"""KW320 manual, appendix A: class 0.2S, V and I 0.2 % of full scale 400 V L-N, metering range 1.2 of nominal,
drift below 100 ppm/K. Reactive energy is stated as 0.2 % without a class: it is kept within 0.5 S. Noise and
offset are not stated; see docs/accuracy.md."""


@dataclass(frozen=True, slots=True, eq=False)
class InputErrors:
    """How one device is wrong."""

    curve: Float
    """Shape (6, 7): va, vb, vc, ia, ib, ic by the columns of `twin.meters.accuracy_kernels.distort`."""
    noise: Float
    """Shape (6,): RMS of the white noise at the inputs [V or A]."""
    starting_current: float
    """RMS current from which on energy is registered, secondary [A]."""
    noise_keys: NDArray[np.uint64]
    """Shape (2, 6): of the noise of displayed windows and of captured samples."""


def ideal_errors(pickup_current: float) -> InputErrors:
    """Return a device without errors that registers from its pickup current on [A]."""
    curve = np.zeros((CHANNELS, 7))
    curve[:, [0, 5]] = 1.0
    return InputErrors(curve, np.zeros(CHANNELS), pickup_current, np.zeros((2, CHANNELS), np.uint64))


def draw_errors(
    device: DeviceAccuracy,
    *,
    seed: int,
    name: str,
    rated_current: float,
    temperature: float = REFERENCE_TEMPERATURE,
) -> InputErrors:
    """Draw the errors of one device.

    Parameters
    ----------
    device : DeviceAccuracy
        What its data sheet promises.
    seed : int
        Not negative. Together with the name it settles everything drawn.
    name : str
        Name of the meter.
    rated_current : float
        In of the current inputs, secondary [A].
    temperature : float
        Of the meter's surroundings [degC].

    Returns
    -------
    InputErrors
        At the reference temperature within every limit of `active_limit` and `reactive_limit` and within
        the data sheet's error of V and I; at another, drifted by at most the device's coefficient.
    """
    sequence = np.random.SeedSequence([seed, *name.encode()])
    random = np.random.Generator(np.random.PCG64(sequence))
    nominal = np.repeat([device.rated_voltage, rated_current], 3)
    knee = np.repeat([_VOLTAGE_KNEE, _CURRENT_KNEE], 3)
    # A common part, from the reference and the type of transformer, and a part of each channel.
    common = random.uniform(-1.0, 1.0, 2)
    own = random.uniform(-1.0, 1.0, (CHANNELS, 4))
    ratio = 5e-4 * np.repeat(common, 3) + 5e-4 * own[:, 0]
    phase = _MINUTE_OF_ARC * 1.5 * own[:, 1]
    # Magnetising: at low load a current transformer loses ratio and gains phase.
    ratio_low = np.concatenate([1e-4 * own[:3, 2], -1e-3 * (1.0 + 0.8 * own[3:, 2])])
    phase_low = _MINUTE_OF_ARC * np.concatenate([0.3 * own[:3, 3], 3.0 * (1.0 + 0.8 * own[3:, 3])])
    curve = np.column_stack([nominal, ratio, ratio_low, phase, phase_low, knee, np.zeros(CHANNELS)])
    share = random.uniform(LEAST_USE, MOST_USE) / _worst_share(device, curve)
    curve[:, 1:5] *= share
    drift = 0.45 * device.temperature_coefficient * random.uniform(-1.0, 1.0, CHANNELS)
    curve[:, 1] += drift * (temperature - REFERENCE_TEMPERATURE)
    curve[:, 6] = device.offset * nominal * random.uniform(-1.0, 1.0, CHANNELS)
    starting = random.uniform(0.5, 0.9) * STARTING_CURRENT[device.active_class] * rated_current
    keys = sequence.spawn(1)[0].generate_state(2 * CHANNELS, np.uint64)
    return InputErrors(curve, device.noise * nominal, starting, keys.astype(np.uint64).reshape(2, CHANNELS))


def gains(curve: Float, load: Float) -> NDArray[np.complex128]:
    """Return the complex gain of channels at their load.

    Parameters
    ----------
    curve : ndarray, shape (channels, 7)
        As of `InputErrors`.
    load : ndarray, shape (..., channels)
        RMS value as a multiple of nominal.

    Returns
    -------
    ndarray, shape (..., channels)
        Measured over true; the plain twin of `twin.meters.accuracy_kernels.distort`.
    """
    low = curve[:, 5] / (curve[:, 5] + load)
    ratio = 1.0 + (curve[:, 1] + curve[:, 2] * low)
    gain: NDArray[np.complex128] = ratio * np.exp(1j * (curve[:, 3] + curve[:, 4] * low))
    return gain


@cache
def _test_points(device: DeviceAccuracy) -> tuple[Float, Float, Float]:
    """Return load, tan phi and limit of active errors, then of reactive ones as cot phi, shape (points,).

    Errors are monotonic over load and over tan phi: between the ends of a row nothing is worse. Each row
    counts at both of its ends, with the limit that holds inside.
    """
    ends = (0.01, 0.02, 0.05, 0.1, device.maximum_current)
    points = []
    for light, heavy in pairwise(ends):
        for pf, capacitive in ((1.0, False), (0.5, False), (0.8, True), (0.25, False), (0.5, True)):
            limit = active_limit(device.active_class, light, pf, capacitive=capacitive)
            tangent = math.tan(math.acos(pf)) * (-1.0 if capacitive else 1.0)
            points += [(load, tangent, limit) for load in (light, heavy) if limit]
        for sine in (1.0, 0.5, 0.25):
            limit = reactive_limit(device.reactive_class, light, sine)
            cotangent = math.sqrt(1.0 - sine * sine) / sine
            # Q ~ sin(phi + d): its error is d cot phi, that of P is -d tan phi.
            both = (cotangent, -cotangent)
            points += [(load, slope, limit) for load in (light, heavy) for slope in both if limit]
    load, tangent, limits = np.array(points).T
    return load, tangent, limits / 100.0


def _worst_share(device: DeviceAccuracy, curve: Float) -> float:
    """Return the largest of all errors over their limits."""
    load, tangent, limit = _test_points(device)
    worst = 0.0
    for end in device.voltage_range:
        low_v = curve[:3, 5] / (curve[:3, 5] + end)
        error_v, phase_v = curve[:3, 1] + curve[:3, 2] * low_v, curve[:3, 3] + curve[:3, 4] * low_v
        low_i = curve[3:, 5] / (curve[3:, 5] + load[:, None])
        error = error_v + curve[3:, 1] + curve[3:, 2] * low_i
        phase = phase_v - (curve[3:, 3] + curve[3:, 4] * low_i)
        active = np.abs(error - phase * tangent[:, None]) / limit[:, None]
        worst = max(worst, float(active.max()), float(np.abs(error_v).max()) / device.full_scale_error)
    for end in (0.1, 1.0, device.maximum_current):
        low_i = curve[3:, 5] / (curve[3:, 5] + end)
        reading = np.abs(curve[3:, 1] + curve[3:, 2] * low_i) * end
        worst = max(worst, float(reading.max()) / device.full_scale_error)
    return worst
