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
from twin.metrology.analysed import AnalysedWindow, Measured
from twin.metrology.analyser import Analyser, AnalyserError
from twin.metrology.bounds import phasor_step_bound, step_bound
from twin.metrology.distortion import crest_factor, even_thd, k_factor, odd_thd, thd
from twin.metrology.energy import EnergyAccumulator, EnergyError, IntegralAccumulator, QuadrantAccumulator
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
from twin.metrology.power import (
    TotalPowers,
    budeanu_distortion,
    fryze_power,
    nonactive_power,
    q_power,
    quarter_cycle_power,
    total_of_phases,
    total_powers,
    vectorial_apparent_power,
    with_total,
)
from twin.metrology.power_1459 import (
    EffectivePowers,
    SinglePhasePowers,
    SplitPowers,
    effective_powers,
    single_phase_powers,
)
from twin.metrology.power_factor import (
    PowerFactorSign,
    displacement_power_factor,
    lags,
    leads,
    power_factor,
    quadrant,
    signed_power_factor,
)
from twin.metrology.power_samples import DisplacementError, quarter_cycle_power_samples
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
from twin.metrology.wave_shape import (
    c_message_weight,
    harmonic_angles,
    psophometric_weight,
    telephone_harmonic_form_factor,
    telephone_influence_factor,
)

__all__ = [
    "Aggregate",
    "AnalysedWindow",
    "Analyser",
    "AnalyserError",
    "BasicWindows",
    "DisplacementError",
    "EffectivePowers",
    "EnergyAccumulator",
    "EnergyError",
    "EventDetector",
    "EventKind",
    "FlickerMeter",
    "GridLock",
    "HarmonicGroups",
    "IntegralAccumulator",
    "Lamp",
    "Measured",
    "NoLockError",
    "NotStationaryError",
    "PowerFactorSign",
    "QuadrantAccumulator",
    "Quantities",
    "RapidVoltageChange",
    "RapidVoltageChangeDetector",
    "SinglePhasePowers",
    "SplitPowers",
    "SteadyPhasors",
    "TotalPowers",
    "Transient",
    "TransientDetector",
    "VoltageEvent",
    "aggregate_150_180",
    "aggregate_ten_minutes",
    "aggregate_two_hours",
    "basic_windows",
    "budeanu_distortion",
    "c_message_weight",
    "crest_factor",
    "current_unbalance",
    "cycle_frequency",
    "detect_events",
    "displacement_power_factor",
    "effective_powers",
    "even_thd",
    "flag",
    "fryze_power",
    "half_cycle_instants",
    "half_cycle_number",
    "half_cycle_rms",
    "half_cycle_rms_samples",
    "harmonic_angles",
    "harmonic_groups",
    "k_factor",
    "lags",
    "leads",
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
    "nonactive_power",
    "odd_thd",
    "overdeviation",
    "partial_weighted_distortion",
    "phase_rotation",
    "phasor_step_bound",
    "power_factor",
    "psophometric_weight",
    "q_power",
    "quadrant",
    "quantities",
    "quarter_cycle_power",
    "quarter_cycle_power_samples",
    "reading",
    "resample",
    "rotation_error",
    "signed_power_factor",
    "single_phase_powers",
    "steady_phasors",
    "step_bound",
    "symmetrical_components",
    "telephone_harmonic_form_factor",
    "telephone_influence_factor",
    "ten_second_frequency",
    "thd",
    "total_demand_distortion",
    "total_distortion",
    "total_of_phases",
    "total_powers",
    "unbalance_of_line_voltages",
    "underdeviation",
    "vectorial_apparent_power",
    "voltage_unbalance",
    "window_bins",
    "with_total",
]
