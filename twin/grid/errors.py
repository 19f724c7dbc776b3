"""What can go wrong with a network once its file has been read."""

from twin.contracts import TwinError


class GridError(TwinError, ValueError):
    """A request that does not fit the network: an unknown element, an impossible fault."""


class NotConvergedError(TwinError, ArithmeticError):
    """No voltage satisfies the loads: they ask for more than the network can carry."""


class MissingExtraError(TwinError, ImportError):
    """An optional library that a converter needs is not installed."""
