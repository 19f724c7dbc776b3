"""Ferroresonance on the site: told to the truth ledger when its condition holds.

The site's waveforms stay those of a network that does not saturate: what is told is that the real ones
would not be sure to look so.
"""

import math
from collections.abc import Sequence

import numpy as np

from twin.grid.magnetising import core_of, saturates, winding_base, winding_connection
from twin.grid.nodal import State
from twin.grid.open_phases import OpenPhases, OpenSupply
from twin.grid.transients.ferroresonance import Ferroresonance, ferroresonance, open_phase_circuit
from twin.simulation.site import Site


class FerroresonanceWatch:
    """Follows which transformers with open phases could lock into ferroresonance.

    Parameters
    ----------
    site : Site
    """

    def __init__(self, site: Site) -> None:
        network = site.solver.network
        units = [unit.name for unit in network.transformers if saturates(unit)]
        self._site = site
        self._phases = OpenPhases(network, site.solver.loads, units) if units else None
        self._state: State | None = None
        self._able: tuple[tuple[OpenSupply, Ferroresonance], ...] = ()
        self._told: set[tuple[str, str, str]] = set()

    def look(self) -> None:
        """After a new steady state: tell of transformers for which the condition holds now."""
        if self._phases is None:
            return
        site = self._site
        state = site.solver.state
        if not (state.open_poles or self._told):
            return
        if state != self._state:
            if any(not closed and not site.parted(name) for name, closed in site.switches.items()):
                return  # poles of one switch part one after the other: no state that lasts
            self._state = state
            self._able = self._assess(self._phases.of(state))
            self._told &= {(supply.unit.name, supply.side, supply.fed) for supply, _ in self._able}
        for supply, found in self._able:
            key = (supply.unit.name, supply.side, supply.fed)
            if key not in self._told and self._conductance(supply) < found.quenched_by:
                self._told.add(key)
                self._tell(supply, found)

    def _assess(self, supplies: Sequence[OpenSupply]) -> tuple[tuple[OpenSupply, Ferroresonance], ...]:
        network = self._site.solver.network
        out = []
        for supply in supplies:
            unit, side = supply.unit, supply.side
            connection = _independent_connection(supply)
            if connection is None or not supply.C_earth + supply.C_between:
                continue
            bus = network.bus_index[unit.hv_bus if side == "hv" else unit.lv_bus]
            found = ferroresonance(
                core_of(unit, side, network.frequency),
                frequency=self._site.frequency,
                connection=connection,
                energised=len(supply.fed),
                phase_voltage=math.sqrt(2.0) * network.buses[bus].u_phase,
                C_earth=supply.C_earth,
                C_between=supply.C_between,
            )
            if found.flagged:
                out.append((supply, found))
        return tuple(out)

    def _conductance(self, supply: OpenSupply) -> float:
        """Return what losses and loads are across the windings in series [S].

        Loads count by what they would draw at rated voltage; those that feed in damp nothing.
        """
        unit = supply.unit
        power = unit.p_iron / unit.s_rated + self._load(supply) / supply.rating
        shares = open_phase_circuit(
            connection=winding_connection(unit, supply.side),
            energised=len(supply.fed),
            phase_voltage=1.0,
            C_earth=1.0,
        ).shares
        return power / winding_base(unit, supply.side) / sum(shares)

    def _load(self, supply: OpenSupply) -> float:
        site = self._site
        at = np.array(supply.loads, dtype=np.int64)
        voltage = np.abs(site.load_voltage(at))
        drawn = site.load_power(supply.loads).real
        rated = np.divide(
            drawn * site.solver.load_base[at] ** 2, voltage**2, out=np.zeros(at.size), where=voltage > 0
        )
        # Machines are admittances at their load points, which have no power of their own.
        return float(np.maximum(np.where(site.p[at] == 0.0, rated, site.p[at]), 0.0).sum())

    def _tell(self, supply: OpenSupply, found: Ferroresonance) -> None:
        self._site.tell(
            "ferroresonance_condition",
            supply.unit.name,
            "open phases",
            side=supply.side,
            fed=supply.fed,
            verdict=found.verdict.value,
            x_c_ohm=found.X_C,
            x_m_ohm=found.X_m,
            load_w=self._load(supply) * supply.unit.s_rated / supply.rating,
        )


def _independent_connection(supply: OpenSupply) -> str | None:
    """Return the connection of the side with open phases; nothing when another side ties the cores.

    A delta behind a star gives the open phase the voltage that the others lack: no capacitance is needed.
    """
    unit, side = supply.unit, supply.side
    other = winding_connection(unit, "lv" if side == "hv" else "hv")
    connection = winding_connection(unit, side)
    if connection == "zigzag" or (connection != "delta" and other == "delta"):
        return None
    return connection


def watch_ferroresonance(site: Site) -> FerroresonanceWatch:
    """Have a site tell when the condition for ferroresonance holds."""
    watch = FerroresonanceWatch(site)
    site.watch(watch.look)
    return watch
