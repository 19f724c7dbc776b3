"""The live picture that pages draw: computed once per refresh, sliced by every page."""

from dataclasses import dataclass

from twin.contracts.record import SoeRecord


@dataclass(frozen=True, slots=True)
class MeterLine:
    """What a meter shows now: decoded from its published register image, primary values, SI."""

    name: str
    profile: str
    location: str
    bus: str
    """Bus at which it measures voltage."""
    endpoint: str
    """Where a master finds it, for example ``127.0.0.1:5021 unit 1``."""
    v: tuple[float, float, float]
    """[V]."""
    i: tuple[float, float, float]
    """[A]."""
    p: float
    """[W]."""
    q: float
    """[var]."""
    s: float
    """[VA]."""
    pf: float
    frequency: float
    """[Hz]."""
    thd_v: tuple[float, float, float]
    """Percent of order 1."""
    thd_i: tuple[float, float, float]
    """Percent of order 1."""
    v_unbalance: float
    """Percent."""
    p_demand: float
    """[W]."""
    ep_imp: float
    """[kWh]."""
    ep_exp: float
    """[kWh]."""
    rated_voltage: float
    """Line to neutral, primary [V]."""
    rated_current: float
    """Primary [A]."""
    in_event: str
    """``sag``, ``swell``, ``over_current``, ``no_supply`` or empty."""


@dataclass(frozen=True, slots=True)
class BusLine:
    """A bus of the one-line diagram."""

    name: str
    x: float
    """Position in the diagram, 0..1 from left to right."""
    y: float
    """0..1 from top to bottom."""
    kind: str
    """``source``, ``transformer``, ``bus``, ``customer`` or ``photovoltaic``."""


@dataclass(frozen=True, slots=True)
class BranchLine:
    """A branch of the one-line diagram."""

    name: str
    from_bus: str
    to_bus: str
    kind: str
    """``line`` or ``transformer``."""
    switches: tuple[str, ...] = ()
    """In series with it, in their order from ``from_bus`` on."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """The one-line diagram, drawn once: a large network is shown reduced to its branching points."""

    buses: tuple[BusLine, ...]
    branches: tuple[BranchLine, ...]


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """A switch, breaker or capacitor switch that an operator may operate."""

    name: str
    bus: str
    closed: bool
    kind: str
    """``switch`` or ``capacitor``."""


@dataclass(frozen=True, slots=True)
class TapLine:
    """A tap changer that an operator may move."""

    name: str
    transformer: str
    position: int
    """Present tap."""
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm that is active, or returned since the pages last started."""

    meter: str
    channel: int
    parameter: str
    comparison: str
    setpoint: float
    value: float
    active: bool
    since_ns: int
    """When it became active, UTC [ns]."""
    returned_ns: int | None
    """When it returned, UTC [ns]."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One immutable picture of the running site."""

    sequence: int
    """Grows by one with each frame."""
    sim_ns: int
    """Simulated time, UTC [ns]."""
    time_zone: str
    """IANA name, for showing local time."""
    speed: float
    """Simulated seconds per wall second."""
    paused: bool
    lateness_s: float
    """How far the simulation is behind its schedule, wall time [s]."""
    title: str
    meters: tuple[MeterLine, ...]
    switches: tuple[SwitchLine, ...]
    alarms: tuple[AlarmLine, ...]
    """Newest first."""
    event_count: int
    """Power-quality events so far."""
    load_changes: int
    """Load changes so far."""
    solves: int
    """Network solutions so far."""
    notice: str = ""
    """What is wrong with the serving of the site, for people; empty when all is well."""
    taps: tuple[TapLine, ...] = ()
    soe: tuple[SoeRecord, ...] = ()
    """Latest changes of digital inputs that meters recorded, newest first."""
