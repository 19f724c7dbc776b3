"""A site in simulated time: customers, events, engine; live or as fast as possible."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.simulation.build import RunningSite, build_site
    from twin.simulation.engine import Engine
    from twin.simulation.live import LiveSession
    from twin.simulation.publishing import LiveMeter

_HOMES = {
    "Engine": "engine",
    "LiveMeter": "publishing",
    "LiveSession": "live",
    "RunningSite": "build",
    "build_site": "build",
}


def __getattr__(name: str) -> Any:
    """Import a name from its module when it is first asked for: the whole engine is heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["Engine", "LiveMeter", "LiveSession", "RunningSite", "build_site"]
