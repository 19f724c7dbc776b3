"""Names of IEEE Std 1159 for what an RMS value did, by how far and how long."""

from typing import Final

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

    References
    ----------
    IEEE Std 1159-2019, table 2: instantaneous 0.5 to 30 cycles, momentary to 3 s, temporary to 1 min,
    sustained above. An interruption, below 0.1, has no instantaneous range: it is momentary from half a
    cycle on.
    """
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
