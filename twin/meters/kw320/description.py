"""A meter as a recording describes it."""

from twin.contracts import MeterInfo
from twin.meters.kw320.meter import Kw320Meter


def describe(meter: Kw320Meter) -> MeterInfo:
    """Return name, place and primary ratings of a meter, as it is set now."""
    settings, scaling = meter.settings, meter.scaling
    rated_current = settings.rated_current * scaling.ct_ratio if settings.power_quality else settings.ct1
    return MeterInfo(
        name=meter.config.name,
        profile=meter.config.profile,
        location=meter.config.location,
        rated_voltage=settings.rated_voltage * scaling.pt_ratio,
        rated_current=rated_current,
    )
