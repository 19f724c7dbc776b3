"""What a network is made of: buses, sources, lines, transformers, switches, capacitors, loads. SI units.

Every bus has three phases a, b, c and an implied, perfect earth. Names are unique within a kind; branches
(lines and transformers) share one set of names, and so do switches and switched capacitors, because both
are operated by name.
"""

from dataclasses import dataclass
from functools import cached_property

PHASES = "abc"
"""Order of the phases everywhere."""

VECTOR_GROUPS = ("Dyn1", "Dyn5", "Dyn7", "Dyn11", "YNyn0")
"""Transformer connections that the network model knows; the star points are solidly earthed."""


@dataclass(frozen=True, slots=True)
class Bus:
    """A node with three phases."""

    name: str
    u_rated: float
    """Line to line [V]."""
    x: float | None = None
    """Position to the east, in any unit; None when unknown."""
    y: float | None = None
    """Position to the north, in the unit of x."""


@dataclass(frozen=True, slots=True)
class Source:
    """The grid that feeds a bus: a balanced voltage behind an impedance, star point earthed."""

    name: str
    bus: str
    u_pu: float = 1.0
    """Voltage behind the impedance, of the bus's rated voltage."""
    angle_deg: float = 0.0
    """Angle of phase a [deg]."""
    r1: float = 0.0
    """Positive-sequence resistance [ohm]; all four impedances zero: an ideal source."""
    x1: float = 0.0
    """Positive-sequence reactance at rated frequency [ohm]."""
    r0: float = 0.0
    """Zero-sequence resistance [ohm]."""
    x0: float = 0.0
    """Zero-sequence reactance at rated frequency [ohm]."""

    @property
    def ideal(self) -> bool:
        """Whether the source holds its bus at a fixed voltage."""
        return not (self.r1 or self.x1 or self.r0 or self.x0)


@dataclass(frozen=True, slots=True)
class LineType:
    """What a kind of line has per metre."""

    name: str
    r1: float
    """Positive-sequence resistance [ohm/m]."""
    x1: float
    """Positive-sequence reactance at rated frequency [ohm/m]."""
    r0: float
    """Zero-sequence resistance [ohm/m]."""
    x0: float
    """Zero-sequence reactance at rated frequency [ohm/m]."""
    c1: float = 0.0
    """Positive-sequence capacitance [F/m]."""
    c0: float = 0.0
    """Zero-sequence capacitance [F/m]."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line or cable: a pi section whose self and mutual impedances follow from its sequence values.

    ``Zs = (Z0 + 2 Z1) / 3``, ``Zm = (Z0 - Z1) / 3``; likewise for C, half of it at each end.
    """

    name: str
    from_bus: str
    to_bus: str
    r1: float
    """Positive-sequence resistance, total [ohm]."""
    x1: float
    """Positive-sequence reactance at rated frequency, total [ohm]."""
    r0: float
    """Zero-sequence resistance, total [ohm]."""
    x0: float
    """Zero-sequence reactance at rated frequency, total [ohm]."""
    c1: float = 0.0
    """Positive-sequence capacitance, total [F]."""
    c0: float = 0.0
    """Zero-sequence capacitance, total [F]."""
    type: str = ""
    """Name of the `LineType` that the totals were made of; empty when given as totals."""
    length: float | None = None
    """[m]; None when the totals were given."""


def line_of_type(name: str, from_bus: str, to_bus: str, kind: LineType, length: float) -> Line:
    """Return a line of ``length`` [m] with the totals of its type."""
    return Line(
        name,
        from_bus,
        to_bus,
        r1=kind.r1 * length,
        x1=kind.x1 * length,
        r0=kind.r0 * length,
        x0=kind.x0 * length,
        c1=kind.c1 * length,
        c0=kind.c0 * length,
        type=kind.name,
        length=length,
    )


@dataclass(frozen=True, slots=True)
class Transformer:
    """Three equal single-phase units between two buses, star sides solidly earthed.

    The short-circuit impedance is that of the units, seen from the low-voltage side, in every sequence.
    The magnetising branch, if there is one, lies at the low-voltage terminals.
    """

    name: str
    hv_bus: str
    lv_bus: str
    s_rated: float
    """Three-phase rating [VA]."""
    u_hv: float
    """Rated line-to-line voltage of the high-voltage winding at the tap in use [V]."""
    u_lv: float
    """Rated line-to-line voltage of the low-voltage winding [V]."""
    vk_percent: float
    """Short-circuit voltage [%]."""
    vkr_percent: float
    """Its resistive part [%]."""
    vector_group: str
    """One of `VECTOR_GROUPS`."""
    p_iron: float = 0.0
    """No-load losses of the three units at rated voltage [W]."""
    i0_percent: float = 0.0
    """No-load current, of the rated current [%]."""

    @property
    def from_bus(self) -> str:
        """The high-voltage bus: the branch's ``from`` end."""
        return self.hv_bus

    @property
    def to_bus(self) -> str:
        """The low-voltage bus: the branch's ``to`` end."""
        return self.lv_bus


Branch = Line | Transformer


@dataclass(frozen=True, slots=True)
class Switch:
    """A three-pole switch in series with a branch: open, it takes the whole branch out of service."""

    name: str
    branch: str
    """Name of the line or transformer."""
    closed: bool = True
    """State at the start."""


@dataclass(frozen=True, slots=True)
class Capacitor:
    """A capacitor bank: three equal units in star, star point earthed, with its own three-pole switch."""

    name: str
    bus: str
    q_rated: float
    """Three-phase reactive power at the bus's rated voltage and frequency [var]."""
    closed: bool = True
    """State of its switch at the start."""


@dataclass(frozen=True, slots=True)
class HarmonicShare:
    """One order of a load's current spectrum."""

    order: int
    percent: float
    """Of the fundamental current [%]."""
    angle_deg: float
    """Beyond ``order`` times the angle of the fundamental current [deg]."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The harmonic currents that a non-linear load draws, relative to its fundamental current."""

    name: str
    shares: tuple[HarmonicShare, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """A load between one or all three phases and earth; a photovoltaic plant is a negative one."""

    name: str
    bus: str
    phases: str
    """``a``, ``b``, ``c`` or ``abc``."""
    p: tuple[float, ...]
    """Rated active power, one value for each letter of ``phases`` [W]."""
    q: tuple[float, ...]
    """Rated reactive power, one value for each letter of ``phases`` [var]."""
    spectrum: str = ""
    """Name of a `Spectrum`; empty for a linear load."""


@dataclass(frozen=True)
class Network:
    """A distribution network."""

    name: str
    buses: tuple[Bus, ...]
    sources: tuple[Source, ...]
    lines: tuple[Line, ...] = ()
    transformers: tuple[Transformer, ...] = ()
    switches: tuple[Switch, ...] = ()
    capacitors: tuple[Capacitor, ...] = ()
    loads: tuple[Load, ...] = ()
    line_types: tuple[LineType, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    frequency: float = 50.0
    """Rated frequency [Hz], to which every reactance belongs."""
    description: str = ""
    origin: str = ""
    """Where the data come from, for the reader of the file."""
    assumptions: tuple[str, ...] = ()
    """What a converter had to assume because its source does not say."""

    @cached_property
    def bus_index(self) -> dict[str, int]:
        """Position of each bus by name."""
        return {bus.name: at for at, bus in enumerate(self.buses)}

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """Lines, then transformers."""
        return (*self.lines, *self.transformers)

    @cached_property
    def branch_index(self) -> dict[str, int]:
        """Position of each branch in `branches` by name."""
        return {branch.name: at for at, branch in enumerate(self.branches)}


@dataclass(frozen=True, slots=True)
class Fault:
    """A short circuit at a bus."""

    name: str
    bus: str
    type: str
    """``slg`` (one phase to earth), ``ll`` (two phases together), ``llg`` (two phases to earth) or
    ``3ph`` (three phases to earth)."""
    phases: str = "abc"
    """Letters of the faulted phases."""
    resistance: float = 0.0
    """``slg``, ``llg``, ``3ph``: from each faulted phase to earth; ``ll``: between the two phases [ohm]."""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Where a changing single-phase load is connected between a phase and earth."""

    name: str
    bus: str
    phase: str
    """``a``, ``b`` or ``c``."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A metering point: the voltages at a bus and three currents."""

    name: str
    bus: str
    branch: str | None = None
    """Currents from the bus into this branch; None: what the named load points draw."""
    end: str = "from"
    """``from`` or ``to``: the end of the branch at which it is measured."""
    loads: tuple[str, ...] = ()
    """Names of load points, used without a branch."""
