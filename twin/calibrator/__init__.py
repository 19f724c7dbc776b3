"""The virtual test bench: recordings and a three-phase source measured by any meter.

A meter on the bench (`bench_for`) runs a point list (`point_set`, `read_points`) by `calibrate`.
"""

from twin.calibrator.bench import Bench, CalibrationError
from twin.calibrator.calibration import PointResult, calibrate
from twin.calibrator.point_list import CalibrationPoint, read_points
from twin.calibrator.point_sets import point_set, set_names
from twin.calibrator.profiles import PROFILES, bench_for

__all__ = [
    "PROFILES",
    "Bench",
    "CalibrationError",
    "CalibrationPoint",
    "PointResult",
    "bench_for",
    "calibrate",
    "point_set",
    "read_points",
    "set_names",
]
