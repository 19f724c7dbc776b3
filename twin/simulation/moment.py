"""A scenario's network as it stands at one moment: what every load draws, what is switched or faulted."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from twin.contracts import BadInputError, Finding, Mark
from twin.grid import Fault, GridSolver, HarmonicShare, Load, LoadPoint, Network, Spectrum
from twin.grid.study import voltage_rows
from twin.scenario import SiteScenario
from twin.scenario.equipment import equipment
from twin.simulation.build import build_site
from twin.simulation.orders import site_orders
from twin.simulation.site import Site


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a site."""

    network: Network
    """Loads and switches as they are; each load point is a load of its own."""
    faults: tuple[Fault, ...]
    """Faults that are applied."""

    def flow(self, *, v_min_pu: float) -> list[dict[str, Any]]:
        """Return the voltages of all buses, faults included, with constant-power loads.

        Raises
        ------
        NotConvergedError
            The network cannot carry the loads.
        """
        network = self.network
        solver = GridSolver(
            network,
            probes=[],
            loads=[LoadPoint(load.name, load.bus, load.phases, *load.zip_shares) for load in network.loads],
            orders=[1],
            v_min_pu=v_min_pu,
        )
        for fault in self.faults:
            solver.apply_fault(fault)
        p = np.array([load.p[0] for load in network.loads])
        q = np.array([load.q[0] for load in network.loads])
        solution = solver.solve(p, q, np.zeros((len(p), 1), dtype=np.complex128))
        return voltage_rows(network, solver.node_voltages(solution))


def moment_of(scenario: SiteScenario, at_ns: int) -> Moment:
    """Return a scenario's site at one moment.

    Parameters
    ----------
    scenario : SiteScenario
        Run without its meters, from its start.
    at_ns : int
        UTC [ns].

    Raises
    ------
    BadInputError
        The site is played, so that there is no network.
    """
    if scenario.played is not None:
        what, mend = "its voltages are played: there is nothing to solve", "give a scenario with a network"
        raise BadInputError(Finding(Mark(str(scenario.path)), "", what, mend))
    with build_site(replace(scenario, meters=())) as built:
        built.engine.advance_to(max(at_ns, scenario.start_ns))
        site = built.engine.site
        assert isinstance(site, Site)
        network, switches = scenario.network, site.switches
        loads, spectra = _loads(scenario, site)
        faults = site.solver.faults
    return Moment(
        replace(
            network,
            loads=loads,
            spectra=spectra,
            switches=tuple(replace(item, closed=switches[item.name]) for item in network.switches),
            transformers=tuple(
                replace(unit, tap=site.solver.taps[unit.name]) for unit in network.transformers
            ),
            capacitors=tuple(replace(item, closed=switches[item.name]) for item in network.capacitors),
        ),
        faults,
    )


def _loads(scenario: SiteScenario, site: Site) -> tuple[tuple[Load, ...], tuple[Spectrum, ...]]:
    """Return each load point as a load with the spectrum of its present emission."""
    loads, spectra = [], []
    orders = site_orders(scenario)
    machines = {
        point
        for field, _, item in equipment(scenario.scenario)
        if field in {"motors", "arc_furnaces", "welders"}
        for point in scenario.loads.by_name[item.name]
    }
    for at, point in enumerate(scenario.loads.points):
        # A machine is an admittance: what it draws now stands for it.
        power = complex(site.load_power([at])[0]) if at in machines else complex(site.p[at], site.q[at])
        shares = _shares(power, site.emission[at], orders)
        name = f"of {point.name}" if shares else ""
        if shares:
            spectra.append(Spectrum(name, shares))
        loads.append(
            Load(
                point.name,
                point.bus,
                point.phase,
                (power.real,),
                (power.imag,),
                name,
                connection="delta" if len(point.phase) == 2 else "star",
                z_percent=100.0 * point.z_share,
                i_percent=100.0 * point.i_share,
            )
        )
    return tuple(loads), tuple(spectra)


def _shares(power: complex, emission: Sequence[complex], orders: Sequence[int]) -> tuple[HarmonicShare, ...]:
    """Return an emission relative to the fundamental: ``emission = r |S| exp(-j h phi)``."""
    if power == 0:
        return ()  # a customer that draws nothing emits nothing
    ratio = [complex(value) / abs(power) for value in emission]
    return tuple(
        HarmonicShare(order, 100 * abs(value), math.degrees(cmath.phase(value) + order * cmath.phase(power)))
        for order, value in zip(orders, ratio, strict=True)
        if value != 0
    )
