"""What is physically at the meters' places, for the truth ledger: recorded whenever the network is disturbed.

Loads move voltages all day, and load profiles tell of it. What meters could have known of a fault, a
switch or a tap is the steady state behind it, whatever their profile, wiring and settings make of it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from twin.contracts import TerminalRecord
from twin.simulation.site import Site

_NOTICEABLE = 0.01
"""Change of a voltage or a current, relative to the larger one, from which on a new state is told."""
_NOTHING = 1e-3
"""Smaller changes are none [V, A]."""


class TerminalWitness:
    """Records the voltages and currents at the places of all meters that a disturbance has changed.

    Parameters
    ----------
    site : Site
    meters : sequence of str
        Names of the meters, which are the first probes of the site.
    keep : callable
        Called with the records of one instant.
    """

    def __init__(
        self, site: Site, meters: Sequence[str], keep: Callable[[Sequence[TerminalRecord]], None]
    ) -> None:
        self._site = site
        self._meters = tuple(meters)
        self._keep = keep
        self._told = np.full((len(meters), 6), np.nan)

    def look(self) -> None:
        """Look at a new steady state."""
        site = self._site
        if not site.disturbed:
            return
        site.disturbed = False
        phasors = np.array([site.phasors(meter) for meter in range(len(self._meters))])
        rms = np.sqrt((phasors.real**2 + phasors.imag**2).sum(axis=2))
        alike = np.abs(rms - self._told) <= np.maximum(_NOTICEABLE * np.maximum(rms, self._told), _NOTHING)
        records = []
        for meter in np.flatnonzero(~alike.all(axis=1)).tolist():
            self._told[meter] = rms[meter]
            va, vb, vc, ia, ib, ic = rms[meter].tolist()
            records.append(TerminalRecord(self._meters[meter], site.time_ns, (va, vb, vc), (ia, ib, ic)))
        if records:
            self._keep(records)


def watch_terminals(
    site: Site, meters: Sequence[str], keep: Callable[[Sequence[TerminalRecord]], None]
) -> None:
    """Have a site record what its disturbances lead to at the places of meters."""
    if meters:
        site.watch(TerminalWitness(site, meters, keep).look)
