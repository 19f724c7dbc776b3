"""What stands at the ends of the network, as pure physics: motors, inverters, voltage dependence, spectra."""

from twin.grid.machines.drive import Drive, MechanicalLoad
from twin.grid.machines.induction_motor import Cage, EquivalentCircuit, MotorError, OperatingPoint
from twin.grid.machines.inverter import Curve, Inverter, InverterError
from twin.grid.machines.motor_fit import FittedMotor, Nameplate, drive_of, fit_motor
from twin.grid.machines.ride_through import EN_50549_1, IEEE_1547_II, RideThrough, RideThroughError
from twin.grid.machines.zip_model import ZIP_CLASSES, Zip, ZipClass, ZipError

__all__ = [
    "EN_50549_1",
    "IEEE_1547_II",
    "ZIP_CLASSES",
    "Cage",
    "Curve",
    "Drive",
    "EquivalentCircuit",
    "FittedMotor",
    "Inverter",
    "InverterError",
    "MechanicalLoad",
    "MotorError",
    "Nameplate",
    "OperatingPoint",
    "RideThrough",
    "RideThroughError",
    "Zip",
    "ZipClass",
    "ZipError",
    "drive_of",
    "fit_motor",
]
