"""COMTRADE recordings as primary values of va .. ic at common instants."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark
from twin.recording.channel_assignment import assign_channels, unit_scale
from twin.recording.comtrade import AnalogChannel, ComtradeConfiguration, ComtradeRecording, read_comtrade
from twin.recording.sample_checks import Float, check_times, check_values, sampling_rate, unit_of
from twin.recording.sampled_recording import SampledRecording


def comtrade_samples(
    path: Path,
    *,
    channels: Mapping[str, str] | None = None,
    frequency: float | None = None,
    time_zone: str | None = None,
) -> SampledRecording:
    """Return the recording of a COMTRADE file; see `read_recording`.

    Values whose flag says secondary are multiplied by the channel's transformer ratio; those of revision
    1991, which has no flag, are taken as they are.

    Raises
    ------
    BadInputError
        When the recording cannot be measured, naming channel and sample.
    """
    found = read_comtrade(path)
    configuration, file = found.configuration, found.source
    taken = assign_channels(configuration.analog, channels, file)
    chosen = [configuration.analog[index] for index in taken.values()]
    names = tuple(channel.name for channel in chosen)
    frequency = configuration.frequency if frequency is None else frequency
    check_times(file, found.time_s, frequency, line=lambda _: 0)
    factors = np.array([_primary_factor(channel, file) for channel in chosen])
    with np.errstate(over="ignore", invalid="ignore"):
        samples = found.values[list(taken.values())] * factors[:, np.newaxis]
    check_values(file, names, tuple(taken), samples, line=lambda _: 0)
    skews = np.array([channel.skew_us for channel in chosen]) * 1e-6
    start_ns = _start_ns(configuration, time_zone, file)
    return SampledRecording(
        channels=tuple(taken),
        units=tuple(unit_of(channel) for channel in taken),
        names=names,
        samples=_aligned(samples, found.time_s, skews, names, file),
        time_s=found.time_s,
        rate_hz=_rate(found),
        frequency=frequency,
        start_ns=None if start_ns is None else start_ns + round(float(skews[0]) * NS_PER_SECOND),
        trigger_s=_trigger_s(found, float(skews[0])),
        source=file,
    )


def _primary_factor(channel: AnalogChannel, file: str) -> float:
    """Return what one of the channel's unit is in primary V or A."""
    scale = unit_scale(channel.unit)
    if scale is None:  # assign_channels has refused it
        raise AssertionError(channel)
    if channel.factor == 0.0:
        what, mend = "the multiplier a is 0: every sample would be the same", "correct the configuration file"
        raise BadInputError(Finding(Mark(file), channel.name, what, mend))
    if channel.scaling != "S":
        return scale[1]
    if not (channel.primary > 0.0 and channel.secondary > 0.0):
        what = f"secondary values, but the ratio is {channel.primary:g} to {channel.secondary:g}"
        mend = "state the transformer ratio in the configuration file"
        raise BadInputError(Finding(Mark(file), channel.name, what, mend))
    return scale[1] * channel.primary / channel.secondary


def _rate(found: ComtradeRecording) -> float | None:
    rates = {section.rate_hz for section in found.configuration.rates}
    return rates.pop() if len(rates) == 1 else sampling_rate(found.time_s)


def _aligned(samples: Float, time_s: Float, skews: Float, names: tuple[str, ...], file: str) -> Float:
    """Return the channels at the instants of the first one.

    A recorder with one converter samples its channels one after another. A cubic spline through a
    channel's own instants is evaluated at those of the first. On a sine of n samples to a cycle it errs by
    less than 5/384 (2 pi / n)^4 of the amplitude (1e-3 for 12, 4e-6 for 48), more in the outermost interval.
    """
    if np.ptp(skews) == 0.0:
        return samples
    interval = float(np.diff(time_s).min())
    far = np.flatnonzero(np.abs(skews - skews[0]) > interval)
    if far.size:
        what = f"the skew of {skews[far[0]] * 1e6:g} us is more than a sampling interval from the others'"
        raise BadInputError(Finding(Mark(file), names[far[0]], what, "correct it in the configuration file"))
    from scipy.interpolate import CubicSpline  # noqa: PLC0415

    aligned = samples.copy()
    for row, shift in zip(aligned, skews - skews[0], strict=True):
        if shift:
            row[:] = CubicSpline(time_s + shift, row)(time_s)
    return aligned


def _start_ns(configuration: ComtradeConfiguration, time_zone: str | None, file: str) -> int | None:
    """Return UTC of the first sample by the file's own offset, or else by the zone that was given [ns]."""
    local_ns = configuration.start_local_ns
    if configuration.start_utc_ns is not None or local_ns is None or time_zone is None:
        return configuration.start_utc_ns
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        what, mend = f"unknown time zone '{time_zone}'", "give an IANA name, for example Europe/Berlin"
        raise BadInputError(Finding(Mark(file), "time_zone", what, mend)) from error
    seconds, rest = divmod(local_ns, NS_PER_SECOND)
    local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone)
    return round(local.timestamp()) * NS_PER_SECOND + rest


def _trigger_s(found: ComtradeRecording, skew_s: float) -> float | None:
    """Return the time of the trigger from the first sample [s]; None where it lies outside the recording."""
    start, trigger = found.configuration.start_local_ns, found.configuration.trigger_local_ns
    if start is None or trigger is None:
        return None
    after = (trigger - start) / NS_PER_SECOND - skew_s
    return after if 0.0 <= after <= found.time_s[-1] else None
