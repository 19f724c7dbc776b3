"""Protection: relays, fuses, reclosers, sectionalisers; states that answer exactly when they will act.

Nothing here knows a clock or a network. `twin.grid.protection.measured` says how a simulation hosts a device.
"""

from twin.grid.protection.coordination import Coordination, clears_before_melt, trips_before_melt
from twin.grid.protection.curves import (
    CURVES,
    InverseCurve,
    PointCurve,
    TimeCurve,
    definite_time,
    reset_time,
    trip_time,
)
from twin.grid.protection.fuse_links import gg_link, k_link, t_link
from twin.grid.protection.fuses import Fuse, FuseSettings
from twin.grid.protection.measured import Action, Measured, Operation, ProtectiveDevice, measured_from_phasors
from twin.grid.protection.overcurrent import OvercurrentRelay, OvercurrentSettings
from twin.grid.protection.recloser import Recloser, RecloserSettings, RecloserState, Shot, fast_and_slow
from twin.grid.protection.sectionaliser import Sectionaliser, SectionaliserSettings
from twin.grid.protection.timers import DefiniteTime, InverseTime
from twin.grid.protection.voltage_frequency import (
    FrequencyRelay,
    FrequencySettings,
    VoltageRelay,
    VoltageSettings,
)

__all__ = [
    "CURVES",
    "Action",
    "Coordination",
    "DefiniteTime",
    "FrequencyRelay",
    "FrequencySettings",
    "Fuse",
    "FuseSettings",
    "InverseCurve",
    "InverseTime",
    "Measured",
    "Operation",
    "OvercurrentRelay",
    "OvercurrentSettings",
    "PointCurve",
    "ProtectiveDevice",
    "Recloser",
    "RecloserSettings",
    "RecloserState",
    "Sectionaliser",
    "SectionaliserSettings",
    "Shot",
    "TimeCurve",
    "VoltageRelay",
    "VoltageSettings",
    "clears_before_melt",
    "definite_time",
    "fast_and_slow",
    "gg_link",
    "k_link",
    "measured_from_phasors",
    "reset_time",
    "t_link",
    "trip_time",
    "trips_before_melt",
]
