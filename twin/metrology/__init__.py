"""Metrology: the quantities that a meter shows, each as its standard defines it.

A window of a signal becomes moments (`measure_steady`, `measure_window`, `measure_samples`), moments become
a `twin.contracts.Reading`; half-cycle values become events; power over time becomes energy.
"""

from twin.metrology.bounds import phasor_step_bound, step_bound
from twin.metrology.distortion import crest_factor, even_thd, k_factor, odd_thd, thd
from twin.metrology.energy import EnergyAccumulator, EnergyError
from twin.metrology.events import EventDetector, EventKind, VoltageEvent, detect_events
from twin.metrology.frequency import cycle_frequency, ten_second_frequency
from twin.metrology.half_cycle import (
    half_cycle_instants,
    half_cycle_number,
    half_cycle_rms,
    half_cycle_rms_samples,
)
from twin.metrology.measure import (
    NotStationaryError,
    SteadyPhasors,
    measure_phasors,
    measure_samples,
    measure_steady,
    measure_window,
    steady_phasors,
)
from twin.metrology.quantities import Quantities, quantities, reading
from twin.metrology.unbalance import (
    current_unbalance,
    maximum_deviation,
    symmetrical_components,
    unbalance_of_line_voltages,
    voltage_unbalance,
)

__all__ = [
    "EnergyAccumulator",
    "EnergyError",
    "EventDetector",
    "EventKind",
    "NotStationaryError",
    "Quantities",
    "SteadyPhasors",
    "VoltageEvent",
    "crest_factor",
    "current_unbalance",
    "cycle_frequency",
    "detect_events",
    "even_thd",
    "half_cycle_instants",
    "half_cycle_number",
    "half_cycle_rms",
    "half_cycle_rms_samples",
    "k_factor",
    "maximum_deviation",
    "measure_phasors",
    "measure_samples",
    "measure_steady",
    "measure_window",
    "odd_thd",
    "phasor_step_bound",
    "quantities",
    "reading",
    "steady_phasors",
    "step_bound",
    "symmetrical_components",
    "ten_second_frequency",
    "thd",
    "unbalance_of_line_voltages",
    "voltage_unbalance",
]
