"""What can go wrong with a switched circuit."""

from twin.grid.errors import GridError


class CircuitError(GridError):
    """A circuit that no physical network can be: a negative resistance, two fixed nodes tied together."""


class FloatingError(CircuitError):
    """Nodes whose voltage nothing determines, because no element ties them to earth or to a source."""


class ImpulseError(CircuitError):
    """A change that would make an inductor's current or a capacitor's voltage jump."""
