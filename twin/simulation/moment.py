"""A scenario's network as it stands at one moment: what every load draws, what is switched."""

from dataclasses import replace

from twin.grid import Load, Network
from twin.scenario import SiteScenario
from twin.simulation.build import build_site


def network_at(scenario: SiteScenario, at_ns: int) -> Network:
    """Return the network of a scenario with the loads and switches of one moment.

    Parameters
    ----------
    scenario : SiteScenario
        Run without its meters, from its start.
    at_ns : int
        UTC [ns].
    """
    with build_site(replace(scenario, meters=())) as built:
        built.engine.advance_to(max(at_ns, scenario.start_ns))
        site = built.engine.site
        loads = tuple(
            Load(point.name, point.bus, point.phase, (float(p),), (float(q),))
            for point, p, q in zip(scenario.loads.points, site.p, site.q, strict=True)
        )
        network, switches = scenario.network, site.switches
    return replace(
        network,
        loads=loads,
        switches=tuple(replace(item, closed=switches[item.name]) for item in network.switches),
        capacitors=tuple(replace(item, closed=switches[item.name]) for item in network.capacitors),
    )
