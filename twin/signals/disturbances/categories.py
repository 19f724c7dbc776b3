"""Names of IEEE Std 1159: of an RMS variation by how far and how long, of a transient by how fast."""

from typing import Final

from twin.signals.disturbances.editing import DisturbanceError, require_positive

INSTANTANEOUS_CYCLES: Final = 30.0
MOMENTARY_S: Final = 3.0
TEMPORARY_S: Final = 60.0


def category(magnitude_pu: float, duration_s: float, *, frequency: float = 50.0) -> str:
    """Return the category of a short- or long-duration RMS variation.

    Parameters
    ----------
    magnitude_pu : float
        Residual voltage of a sag, highest of a swell; per unit of nominal.
    duration_s : float
        [s]
    frequency : float
        Nominal, for what is counted in cycles [Hz].

    Returns
    -------
    str
        For example ``instantaneous sag``, ``momentary interruption``, ``temporary swell``,
        ``sustained interruption``, ``undervoltage``, ``overvoltage``; ``none`` between 0.9 and 1.1 or
        below half a cycle.

    Raises
    ------
    DisturbanceError
        If there is no such magnitude, duration or frequency.

    References
    ----------
    IEEE Std 1159-2019, table 2: instantaneous 0.5 to 30 cycles, momentary to 3 s, temporary to 1 min,
    sustained above. An interruption, below 0.1, has no instantaneous range: it is momentary from half a
    cycle on.
    """
    require_positive(frequency=frequency)
    if not (magnitude_pu >= 0.0 and duration_s >= 0.0):
        raise DisturbanceError(
            f"magnitude {magnitude_pu} and duration {duration_s} s are no event; give values of 0 or more"
        )
    if duration_s < 0.5 / frequency or 0.9 <= magnitude_pu <= 1.1:
        return "none"
    sustained = duration_s > TEMPORARY_S
    if magnitude_pu < 0.1:
        if sustained:
            return "sustained interruption"
        return "momentary interruption" if duration_s <= MOMENTARY_S else "temporary interruption"
    if sustained:
        return "undervoltage" if magnitude_pu < 1.0 else "overvoltage"
    kind = "sag" if magnitude_pu < 1.0 else "swell"
    if duration_s <= INSTANTANEOUS_CYCLES / frequency:
        return f"instantaneous {kind}"
    return f"momentary {kind}" if duration_s <= MOMENTARY_S else f"temporary {kind}"


def impulse_category(duration_s: float) -> str:
    """Return the category of an impulsive transient, for example ``microsecond impulsive transient``.

    Parameters
    ----------
    duration_s : float
        Its typical duration, such as the time to half value [s].

    References
    ----------
    IEEE Std 1159-2019, table 2: nanosecond below 50 ns, microsecond to 1 ms, millisecond above.
    """
    require_positive(duration_s=duration_s)
    if duration_s < 50e-9:
        return "nanosecond impulsive transient"
    return f"{'microsecond' if duration_s <= 1e-3 else 'millisecond'} impulsive transient"


def oscillation_category(frequency: float) -> str:
    """Return the category of an oscillatory transient, for example ``low-frequency oscillatory transient``.

    Parameters
    ----------
    frequency : float
        Of its main component [Hz].

    References
    ----------
    IEEE Std 1159-2019, table 2: low frequency below 5 kHz (0.3 to 50 ms, up to 4 pu), medium to 500 kHz
    (20 us, up to 8 pu), high above, in the table to 5 MHz (5 us, up to 4 pu).
    """
    require_positive(frequency=frequency)
    if frequency < 5e3:
        return "low-frequency oscillatory transient"
    return f"{'medium' if frequency <= 500e3 else 'high'}-frequency oscillatory transient"
