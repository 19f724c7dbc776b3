"""Metrology: the quantities that a meter shows, each as its standard defines it.

A window of a signal becomes moments (`measure_steady`, `measure_window`, `measure_samples`), moments become
a `twin.contracts.Reading`; half-cycle values become events; power over time becomes energy.
"""

from twin.metrology.bounds import step_bound
from twin.metrology.energy import EnergyAccumulator, EnergyError
from twin.metrology.half_cycle import (
    half_cycle_instants,
    half_cycle_number,
    half_cycle_rms,
    half_cycle_rms_samples,
)
from twin.metrology.measure import NotStationaryError, measure_samples, measure_steady, measure_window
from twin.metrology.quantities import reading

__all__ = [
    "EnergyAccumulator",
    "EnergyError",
    "NotStationaryError",
    "half_cycle_instants",
    "half_cycle_number",
    "half_cycle_rms",
    "half_cycle_rms_samples",
    "measure_samples",
    "measure_steady",
    "measure_window",
    "reading",
    "step_bound",
]
