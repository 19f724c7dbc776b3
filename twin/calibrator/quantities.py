"""The quantities that a bench can ask a meter for: unit, how they are measured, how an error is stated."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Course(StrEnum):
    """What happens over time while a quantity is measured."""

    STEADY = "steady"
    """The source is steady; the display is read once."""
    ENERGY = "energy"
    """The source is steady; what a register counts within a time is read."""
    NO_LOAD = "no_load"
    """Voltage alone for the standard's time."""
    FREQUENCY = "frequency"
    """One 10 s interval of UTC."""
    THREE_SECONDS = "three_seconds"
    """One interval of 150 or 180 cycles after a ten-minute tick."""
    TEN_MINUTES = "ten_minutes"
    """One interval from ten-minute tick to ten-minute tick."""
    EVENT = "event"
    """A step of the voltage and back."""
    CHANGE = "change"
    """A step of the voltage that lasts."""
    SENSATION = "sensation"
    """Modulation until Pinst has settled, and a while more."""
    SEVERITY = "severity"
    """Modulation until the flickermeter classifies, and ten minutes more."""


class Basis(StrEnum):
    """What an error and its limit are a percentage of."""

    READING = "reading"
    """Of the applied value."""
    NOMINAL = "nominal"
    """Of the declared voltage or the rated current; the limit is given in percent."""
    POINT = "point"
    """Percentage points: the quantity is a percentage itself."""
    HERTZ = "Hz"
    """The limit is given in Hz; both are printed in percent of the nominal frequency."""
    CYCLE = "cycle"
    """The limit is given in cycles; both are printed in percent of a nominal cycle."""
    PULSE = "pulse"
    """The limit is given in pulses; both are printed in percent of one pulse."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity."""

    name: str
    unit: str
    """SI; % for ratios."""
    course: Course
    bases: tuple[Basis, ...]
    """How an error may be stated."""
    by_phase: bool = False
    """Each phase has one; a point without a phase asks for the phase with the largest error."""
    by_order: bool = False
    """A point must name an order."""
    current: bool = False
    """It is a current: the nominal value is the rated current."""
    meaning: str = ""
    """For people."""


_OF_VALUE = (Basis.READING, Basis.NOMINAL)
_READING = (Basis.READING,)
_POINT = (Basis.POINT, Basis.READING)
_NOMINAL = (Basis.NOMINAL, Basis.READING)

QUANTITIES: Final = {
    quantity.name: quantity
    for quantity in (
        Quantity("active_energy", "Wh", Course.ENERGY, _READING,
                 meaning="import or export register, whichever the applied direction fills"),
        Quantity("reactive_energy", "varh", Course.ENERGY, _READING,
                 meaning="import (inductive) or export (capacitive) register"),
        Quantity("no_load_pulses", "1", Course.NO_LOAD, (Basis.PULSE,),
                 meaning="active energy, both directions, as pulses of the meter constant"),
        Quantity("u_rms", "V", Course.STEADY, _OF_VALUE, by_phase=True, meaning="line to neutral"),
        Quantity("i_rms", "A", Course.STEADY, _OF_VALUE, by_phase=True, current=True),
        Quantity("active_power", "W", Course.STEADY, _READING, meaning="sum of the phases"),
        Quantity("reactive_power", "var", Course.STEADY, _READING, meaning="sum of the phases"),
        Quantity("u2", "%", Course.STEADY, _POINT, meaning="negative over positive sequence voltage"),
        Quantity("u0", "%", Course.STEADY, _POINT, meaning="zero over positive sequence voltage"),
        Quantity("u_harmonic", "V", Course.STEADY, _OF_VALUE, by_phase=True, by_order=True),
        Quantity("i_harmonic", "A", Course.STEADY, _OF_VALUE, by_phase=True, by_order=True, current=True),
        Quantity("u_interharmonic", "V", Course.STEADY, _OF_VALUE, by_phase=True, by_order=True,
                 meaning="centred subgroup between the order and the next"),
        Quantity("i_interharmonic", "A", Course.STEADY, _OF_VALUE, by_phase=True, by_order=True,
                 current=True, meaning="as u_interharmonic"),
        Quantity("underdeviation", "%", Course.THREE_SECONDS, _POINT, by_phase=True),
        Quantity("overdeviation", "%", Course.THREE_SECONDS, _POINT, by_phase=True),
        Quantity("frequency", "Hz", Course.FREQUENCY, (Basis.HERTZ, Basis.READING)),
        Quantity("u_rms_150_180", "V", Course.THREE_SECONDS, _OF_VALUE, by_phase=True),
        Quantity("u_rms_10min", "V", Course.TEN_MINUTES, _OF_VALUE, by_phase=True),
        Quantity("dip_residual", "V", Course.EVENT, _NOMINAL),
        Quantity("dip_duration", "s", Course.EVENT, (Basis.CYCLE, Basis.READING)),
        Quantity("swell_maximum", "V", Course.EVENT, _NOMINAL),
        Quantity("swell_duration", "s", Course.EVENT, (Basis.CYCLE, Basis.READING)),
        Quantity("interruption_residual", "V", Course.EVENT, (Basis.NOMINAL,)),
        Quantity("interruption_duration", "s", Course.EVENT, (Basis.CYCLE, Basis.READING)),
        Quantity("rvc_steady_change", "V", Course.CHANGE, _NOMINAL, meaning="delta Uss"),
        Quantity("rvc_largest_change", "V", Course.CHANGE, _NOMINAL, meaning="delta Umax"),
        Quantity("pinst", "1", Course.SENSATION, _READING, by_phase=True, meaning="largest settled Pinst"),
        Quantity("pst", "1", Course.SEVERITY, _READING, by_phase=True),
    )
}  # fmt: skip
"""By name."""
