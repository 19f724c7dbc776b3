"""What a network is made of: buses, sources, lines, switches, capacitors, loads. SI units.

Earth is perfect and everywhere. A bus has some of the conductors a, b, c and n; without n, what is connected
between phase and neutral lies between phase and earth. Names are unique within a kind; branches (lines and
transformers) share one set of names, and so do switches and switched capacitors, because both are operated
by name.
"""

import math
from dataclasses import dataclass

PHASES = "abc"
"""Order of the phases everywhere."""

CONDUCTORS = "abcn"
"""Order of the conductors of a bus."""

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Bus:
    """A place where conductors end."""

    name: str
    u_rated: float
    """Line to line; of a bus with one phase: phase to earth or neutral [V]."""
    x: float | None = None
    """Position to the east, in any unit; None when unknown."""
    y: float | None = None
    """Position to the north, in the unit of x."""
    phases: str = "abc"
    """Its conductors, of a, b, c and n."""

    @property
    def u_phase(self) -> float:
        """Rated voltage of a phase to earth or neutral [V]."""
        single = len(self.phases.replace("n", "")) == 1
        return self.u_rated if single else self.u_rated / math.sqrt(3.0)


@dataclass(frozen=True, slots=True)
class Source:
    """The grid that feeds a bus: a balanced voltage behind an impedance."""

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
    star_point: str = "earthed"
    """``earthed``, or ``isolated``: no path for zero-sequence current."""
    r_star: float = 0.0
    """Resistance between star point and earth [ohm]."""
    x_star: float = 0.0
    """Reactance between star point and earth at rated frequency [ohm]."""

    @property
    def ideal(self) -> bool:
        """Whether the source holds its bus at a fixed voltage."""
        return not (self.r1 or self.x1 or self.r0 or self.x0)


@dataclass(frozen=True, slots=True)
class LineType:
    """What a kind of line has per metre: sequence values, or a matrix over its conductors."""

    name: str
    r1: float | None = None
    """Positive-sequence resistance [ohm/m]."""
    x1: float | None = None
    """Positive-sequence reactance at rated frequency [ohm/m]."""
    r0: float | None = None
    """Zero-sequence resistance [ohm/m]."""
    x0: float | None = None
    """Zero-sequence reactance at rated frequency [ohm/m]."""
    c1: float = 0.0
    """Positive-sequence capacitance [F/m]."""
    c0: float = 0.0
    """Zero-sequence capacitance [F/m]."""
    r: Matrix | None = None
    """Resistance matrix with the return through earth, conductor by conductor [ohm/m]."""
    x: Matrix | None = None
    """Reactance matrix at rated frequency [ohm/m]."""
    c: Matrix | None = None
    """Nodal capacitance matrix: off its diagonal zero or negative [F/m]."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line or cable: a pi section, half of its capacitance at each end.

    Its impedance is a matrix over its conductors, or follows from sequence values: ``Zs = (Z0 + 2 Z1) / 3``
    on the diagonal, ``Zm = (Z0 - Z1) / 3`` beside it, likewise for C.
    """

    name: str
    from_bus: str
    to_bus: str
    r1: float | None = None
    """Positive-sequence resistance, total [ohm]."""
    x1: float | None = None
    """Positive-sequence reactance at rated frequency, total [ohm]."""
    r0: float | None = None
    """Zero-sequence resistance, total [ohm]."""
    x0: float | None = None
    """Zero-sequence reactance at rated frequency, total [ohm]."""
    c1: float = 0.0
    """Positive-sequence capacitance, total [F]."""
    c0: float = 0.0
    """Zero-sequence capacitance, total [F]."""
    type: str = ""
    """Name of the `LineType` that the totals were made of; empty when given as totals."""
    length: float | None = None
    """[m]; None when the totals were given."""
    phases: str = "abc"
    """Its conductors, in the order of the rows of its matrices."""
    r: Matrix | None = None
    """Resistance matrix, total [ohm]."""
    x: Matrix | None = None
    """Reactance matrix at rated frequency, total [ohm]."""
    c: Matrix | None = None
    """Nodal capacitance matrix, total [F]."""


def line_of_type(
    name: str, from_bus: str, to_bus: str, kind: LineType, length: float, phases: str = "abc"
) -> Line:
    """Return a line of ``length`` [m] with the totals of its type."""
    return Line(
        name,
        from_bus,
        to_bus,
        r1=None if kind.r1 is None else kind.r1 * length,
        x1=None if kind.x1 is None else kind.x1 * length,
        r0=None if kind.r0 is None else kind.r0 * length,
        x0=None if kind.x0 is None else kind.x0 * length,
        c1=kind.c1 * length,
        c0=kind.c0 * length,
        type=kind.name,
        length=length,
        phases=phases,
        r=_scaled(kind.r, length),
        x=_scaled(kind.x, length),
        c=_scaled(kind.c, length),
    )


def _scaled(matrix: Matrix | None, factor: float) -> Matrix | None:
    return None if matrix is None else tuple(tuple(value * factor for value in row) for row in matrix)


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
    """A capacitor bank of equal units with its own switch; with a reactor in series it is a filter."""

    name: str
    bus: str
    q_rated: float
    """Reactive power of all units together at ``u_rated`` and rated frequency, reactors aside [var]."""
    closed: bool = True
    """State of its switch at the start."""
    phases: str = "abc"
    """Phases with a unit."""
    connection: str = "star"
    """``star`` (to neutral or earth), ``isolated_star`` or ``delta`` (between phases)."""
    u_rated: float | None = None
    """Rated voltage line to line (of one phase: to earth); the bus's when None [V]."""
    reactor_percent: float = 0.0
    """Reactance of the reactor in series, of the capacitor's at rated frequency: 7 resonates at 3.78 [%]."""
    quality: float = 0.0
    """Reactance over resistance of the reactor at rated frequency; 0: without losses."""


@dataclass(frozen=True, slots=True)
class Grounding:
    """An impedance between a conductor of a bus and earth."""

    name: str
    bus: str
    r: float = 0.0
    """Resistance [ohm]."""
    x: float = 0.0
    """Reactance at rated frequency [ohm]."""
    conductor: str = "n"
    """``n``, or a phase."""


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
    """A load between phases and neutral (or earth), or between phases; a generator is a negative one."""

    name: str
    bus: str
    phases: str
    """``a`` .. ``abc``; of a delta ``ab``, ``bc``, ``ca``, or ``abc`` for all three sides."""
    p: tuple[float, ...]
    """Rated active power, one value for each of `sides` [W]."""
    q: tuple[float, ...]
    """Rated reactive power, one value for each of `sides` [var]."""
    spectrum: str = ""
    """Name of a `Spectrum`; empty for a linear load."""
    connection: str = "star"
    """``star`` or ``delta``."""
    z_percent: float = 0.0
    """Share of constant impedance at rated voltage [%]."""
    i_percent: float = 0.0
    """Share of constant current [%]; what is left is constant power."""

    @property
    def sides(self) -> tuple[str, ...]:
        """What each value of ``p`` lies between: phases, or pairs of them."""
        if self.connection == "star":
            return tuple(self.phases)
        return ("ab", "bc", "ca") if len(self.phases) == 3 else (self.phases,)

    @property
    def zip_shares(self) -> tuple[float, float]:
        """Shares of constant impedance and of constant current, of one."""
        return self.z_percent / 100.0, self.i_percent / 100.0


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
    """Where a changing load of one phase is connected."""

    name: str
    bus: str
    phase: str
    """``a``, ``b`` or ``c``: between phase and neutral (or earth); ``ab``, ``bc``, ``ca``: between phases."""
    z_share: float = 0.0
    """Share of its power that is a constant impedance at rated voltage, 0 .. 1."""
    i_share: float = 0.0
    """Share that is a constant current."""
    q_z_share: float | None = None
    """Likewise of the reactive power; as of the active power when None."""
    q_i_share: float | None = None
    v_min_pu: float | None = None
    """Voltage below which it turns to a constant impedance, of the rated one; the solver's when None."""

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Constant impedance and constant current of the active, then of the reactive power."""
        z = self.z_share if self.q_z_share is None else self.q_z_share
        i = self.i_share if self.q_i_share is None else self.q_i_share
        return self.z_share, self.i_share, z, i


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
