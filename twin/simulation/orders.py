"""Which harmonic orders a site solves."""

from twin.scenario import SiteScenario
from twin.simulation.arc_furnace import STAGES

HOUSEHOLD = tuple(range(1, 40, 2))
"""The odd ones that household appliances emit (IEC 61000-3-2)."""

HIGHEST = 50
"""Up to which order networks are assessed (IEC 61000-4-7 with IEC 61000-4-30)."""


def site_orders(scenario: SiteScenario) -> tuple[int, ...]:
    """Return the orders of households, of the network's spectra and of furnaces, ascending."""
    orders = set(HOUSEHOLD)
    used = {load.spectrum for load in scenario.network.loads}
    for spectrum in scenario.network.spectra:
        if spectrum.name in used:
            orders |= {share.order for share in spectrum.shares}
    if scenario.scenario.arc_furnaces:
        orders |= {order for stage in STAGES for order in stage.harmonics}
    return tuple(sorted(order for order in orders if order <= HIGHEST))
