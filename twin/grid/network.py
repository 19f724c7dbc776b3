"""The network: its components together, and where each is found by name."""

from dataclasses import dataclass
from functools import cached_property

from twin.grid.components import (
    Bus,
    Capacitor,
    Grounding,
    Line,
    LineType,
    Load,
    Source,
    Spectrum,
    Switch,
)
from twin.grid.protection_devices import (
    InstalledFuse,
    InstalledRecloser,
    InstalledRelay,
    InstalledSectionaliser,
)
from twin.grid.transformers import TapChanger, Transformer

Branch = Line | Transformer


@dataclass(frozen=True)
class Network:
    """A distribution network."""

    name: str
    buses: tuple[Bus, ...]
    sources: tuple[Source, ...]
    lines: tuple[Line, ...] = ()
    transformers: tuple[Transformer, ...] = ()
    tap_changers: tuple[TapChanger, ...] = ()
    groundings: tuple[Grounding, ...] = ()
    switches: tuple[Switch, ...] = ()
    capacitors: tuple[Capacitor, ...] = ()
    loads: tuple[Load, ...] = ()
    line_types: tuple[LineType, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    relays: tuple[InstalledRelay, ...] = ()
    reclosers: tuple[InstalledRecloser, ...] = ()
    fuses: tuple[InstalledFuse, ...] = ()
    sectionalisers: tuple[InstalledSectionaliser, ...] = ()
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
