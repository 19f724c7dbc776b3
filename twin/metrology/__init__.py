"""Metrology: the quantities that a meter shows, each as its standard defines it.

A window of a signal becomes moments (`measure_steady`, `measure_window`, `measure_samples`), moments become
a `twin.contracts.Reading`; half-cycle values become events; power over time becomes energy.
"""

from twin.metrology.aggregation import (
    Aggregate,
    BasicWindows,
    aggregate_150_180,
    aggregate_ten_minutes,
    aggregate_two_hours,
    basic_windows,
    flag,
    limited_above,
    limited_below,
    overdeviation,
    underdeviation,
)
from twin.metrology.bounds import phasor_step_bound, step_bound
from twin.metrology.distortion import crest_factor, even_thd, k_factor, odd_thd, thd
from twin.metrology.energy import EnergyAccumulator, EnergyError
from twin.metrology.events import EventDetector, EventKind, VoltageEvent, detect_events
from twin.metrology.flicker import FlickerMeter, long_term_severity
from twin.metrology.flicker_design import Lamp
from twin.metrology.frequency import cycle_frequency, ten_second_frequency
from twin.metrology.half_cycle import (
    half_cycle_instants,
    half_cycle_number,
    half_cycle_rms,
    half_cycle_rms_samples,
)
from twin.metrology.harmonic_groups import (
    HarmonicGroups,
    harmonic_groups,
    partial_weighted_distortion,
    total_demand_distortion,
    total_distortion,
    window_bins,
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
from twin.metrology.phase_faults import lost_phases, phase_rotation, rotation_error
from twin.metrology.quantities import Quantities, quantities, reading
from twin.metrology.rapid_voltage_change import RapidVoltageChange, RapidVoltageChangeDetector
from twin.metrology.synchronisation import GridLock, NoLockError, lock, resample
from twin.metrology.transients import Transient, TransientDetector
from twin.metrology.unbalance import (
    current_unbalance,
    maximum_deviation,
    symmetrical_components,
    unbalance_of_line_voltages,
    voltage_unbalance,
)

__all__ = [
    "Aggregate",
    "BasicWindows",
    "EnergyAccumulator",
    "EnergyError",
    "EventDetector",
    "EventKind",
    "FlickerMeter",
    "GridLock",
    "HarmonicGroups",
    "Lamp",
    "NoLockError",
    "NotStationaryError",
    "Quantities",
    "RapidVoltageChange",
    "RapidVoltageChangeDetector",
    "SteadyPhasors",
    "Transient",
    "TransientDetector",
    "VoltageEvent",
    "aggregate_150_180",
    "aggregate_ten_minutes",
    "aggregate_two_hours",
    "basic_windows",
    "crest_factor",
    "current_unbalance",
    "cycle_frequency",
    "detect_events",
    "even_thd",
    "flag",
    "half_cycle_instants",
    "half_cycle_number",
    "half_cycle_rms",
    "half_cycle_rms_samples",
    "harmonic_groups",
    "k_factor",
    "limited_above",
    "limited_below",
    "lock",
    "long_term_severity",
    "lost_phases",
    "maximum_deviation",
    "measure_phasors",
    "measure_samples",
    "measure_steady",
    "measure_window",
    "odd_thd",
    "overdeviation",
    "partial_weighted_distortion",
    "phase_rotation",
    "phasor_step_bound",
    "quantities",
    "reading",
    "resample",
    "rotation_error",
    "steady_phasors",
    "step_bound",
    "symmetrical_components",
    "ten_second_frequency",
    "thd",
    "total_demand_distortion",
    "total_distortion",
    "unbalance_of_line_voltages",
    "underdeviation",
    "voltage_unbalance",
    "window_bins",
]
