"""A scenario that has been read, checked and resolved against its network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from twin.contracts import NS_PER_SECOND
from twin.documents import Document
from twin.grid import LoadPoint, Network, Probe
from twin.meters import MeterConfig
from twin.scenario.equipment_schema import Thermostatic
from twin.scenario.played import PlayedSignal
from twin.scenario.schema import Event, Household, Photovoltaic, Profile, Scenario


@dataclass(frozen=True, slots=True)
class LoadPoints:
    """The single-phase points at which loads and generators draw, and who drives each."""

    points: tuple[LoadPoint, ...]
    rated_p: tuple[float, ...]
    """Rated active power of each point [W]; zero for a generator."""
    rated_q: tuple[float, ...]
    """Rated reactive power of each point [var]."""
    by_name: Mapping[str, tuple[int, ...]]
    """Indices of the points of a network load, a generator or a machine: one, or one per phase."""
    households: tuple[tuple[str, Household], ...]
    """Network loads that are lived in."""
    profiles: tuple[tuple[str, Profile], ...]
    """Network loads that follow a table."""
    constants: tuple[tuple[str, float], ...]
    """Network loads that draw a fixed share of their rating."""
    photovoltaics: tuple[Photovoltaic, ...]
    thermostatics: tuple[tuple[str, Thermostatic], ...] = ()
    """Network loads that keep temperatures."""


@dataclass(frozen=True, slots=True)
class MeterInstallation:
    """A meter, what it is connected to, and where it is served."""

    config: MeterConfig
    probe: Probe
    reverse: bool
    """Whether the CTs are turned."""
    field: int
    """Position in the scenario's list of meters."""
    supply: Literal["always", "bus"] = "always"
    """Where its auxiliary supply comes from."""


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """An event of the scenario with its time in UTC."""

    at_ns: int
    event: Event


@dataclass(frozen=True, slots=True)
class SiteScenario:
    """Everything that is needed to build a site."""

    path: Path
    document: Document
    scenario: Scenario
    network: Network
    zone: ZoneInfo
    start_ns: int
    """UTC [ns]."""
    loads: LoadPoints
    meters: tuple[MeterInstallation, ...]
    events: tuple[ScheduledEvent, ...]
    played: PlayedSignal | None = None
    """What is played instead of solved; the network is then its terminals alone."""

    @property
    def end_ns(self) -> int:
        """End of the scenario, UTC [ns]."""
        return self.start_ns + round(self.scenario.duration * NS_PER_SECOND)

    def file(self, name: str) -> Path:
        """Return a path that the scenario gives relative to itself."""
        return self.path.parent / name
