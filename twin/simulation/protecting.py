"""Protection of a site: where its devices measure, and who hears of a new steady state.

A steady state comes with every change of load, many thousand times a day. One comparison over all devices
finds those that could start; the others are not asked.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid import Network, Probe
from twin.grid.protection import Fuse, Measured, OvercurrentRelay
from twin.grid.protection_devices import Installed, InstalledFuse, InstalledRecloser, InstalledRelay
from twin.grid.protection_settings import (
    end_bus,
    fuse_state,
    recloser_state,
    relay_elements,
    sectionaliser_state,
)
from twin.simulation.device_hosts import (
    ElementHost,
    FuseHost,
    OvercurrentHost,
    RecloserHost,
    SectionaliserHost,
)
from twin.simulation.protection_hosts import Bounds, CallAt, Host, Post, SwitchHost
from twin.simulation.site import Site

LIVE = 0.1
"""A line is live when one of its voltages is at least this share of the rated one."""


def installed(network: Network) -> tuple[Installed, ...]:
    """Return all protective devices of a network, each of which measures somewhere."""
    return (*network.relays, *network.reclosers, *network.fuses, *network.sectionalisers)


def protection_probes(network: Network) -> list[Probe]:
    """Return where the devices of `installed` measure."""
    branch_of = {switch.name: switch.branch for switch in network.switches}
    out = []
    for device in installed(network):
        branch = device.branch if isinstance(device, InstalledFuse) else branch_of[device.switch]
        bus = end_bus(network, branch, device.end)
        out.append(Probe(f"protection {device.name}", bus, branch, device.end))
    return out


class Protection:
    """The protective devices of a site in simulated time.

    Parameters
    ----------
    site : Site
        Its solver's probes from ``first`` on are those of `protection_probes`.
    first : int
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """

    def __init__(self, site: Site, *, first: int, call_at: CallAt) -> None:
        self._site = site
        self._first = first
        self._call_at = call_at
        self.hosts: list[Host] = []
        self._rows: list[int] = []
        self._fuses: dict[str, FuseHost] = {}
        self._ordering = False
        network = site.solver.network
        for row, device in enumerate(installed(network)):
            for host in self._hosts_of(network, device):
                self.hosts.append(host)
                self._rows.append(row)
        buses = [network.buses[network.bus_index[probe.bus]] for probe in protection_probes(network)]
        self._live = [LIVE * buses[row].u_phase for row in self._rows]
        self._low, self._high = _limits([host.bounds for host in self.hosts])
        self._awake = np.ones(len(self.hosts), dtype=np.bool_)
        self._anyone_awake = True
        alike = self._rows == list(range(len(self._rows)))  # a slice costs less than a choice of rows
        self._select = slice(len(self._rows)) if alike else self._rows
        self._size = np.empty((len(self.hosts), 7))
        self._has_low = bool(self._low.any())
        self._heeding = np.array([host.heeds_frequency for host in self.hosts], dtype=np.bool_)
        self._hertz = math.nan
        if self.hosts:
            site.watch(self.look)
            site.on_operate(self._hear)

    def fuse(self, name: str) -> Fuse:
        """Return the state of a fuse."""
        return self._fuses[name].fuse

    def replace_fuse(self, name: str) -> None:
        """Put new links into a fuse.

        Raises
        ------
        KeyError
            There is no such fuse.
        """
        self._fuses[name].replace()

    def _hosts_of(self, network: Network, device: Installed) -> list[Host]:
        site, call_at = self._site, self._call_at
        if isinstance(device, InstalledFuse):
            at = network.branch_index[device.branch]
            end = int(device.end == "to")
            link = fuse_state(device, network)
            fuse = FuseHost(site, call_at, link, branch=at, branch_name=device.branch, end=end)
            self._fuses[device.name] = fuse
            return [fuse]
        opening = device.opening_time if isinstance(device, InstalledRelay | InstalledRecloser) else 0.0
        post = Post(site, call_at, device.switch, opening, self._order)
        if isinstance(device, InstalledRecloser):
            return [RecloserHost(post, recloser_state(device))]
        if isinstance(device, InstalledRelay):
            return [
                OvercurrentHost(post, element)
                if isinstance(element, OvercurrentRelay)
                else ElementHost(post, element)
                for element in relay_elements(device)
            ]
        return [SectionaliserHost(post, sectionaliser_state(device))]

    def look(self) -> None:
        """After a new steady state: tell those whom it concerns what they measure now."""
        seen = self._site.fundamentals(self._first)[self._select]
        size = self._size
        np.abs(seen, out=size[:, :6])
        np.abs(seen[:, 3] + seen[:, 4] + seen[:, 5], out=size[:, 6])
        hertz = self._site.frequency
        calm = not (size >= self._high).any() and not (self._has_low and (size < self._low).any())
        if not calm or self._anyone_awake or hertz != self._hertz:
            self._ask(size.copy(), hertz)

    def _ask(self, size: NDArray[np.float64], hertz: float) -> None:
        """Ask the devices that are awake, or that what they measure may start."""
        alert = np.asarray(((size < self._low) | (size >= self._high)).any(axis=1))
        asked = self._awake | alert
        if hertz != self._hertz:
            self._hertz = hertz
            asked |= self._heeding
        off = hertz != self._site.solver.network.frequency
        for at in map(int, np.flatnonzero(asked)):
            host = self.hosts[at]
            host.measure(_measured(size[at], hertz, self._live[at]))
            heeding = off and host.heeds_frequency
            self._awake[at] = alert[at] or heeding or host.waiting or not host.at_rest
        self._anyone_awake = bool(self._awake.any())

    def _hear(self, switch: str, closed: bool, cause: str) -> None:
        """Hear of an order to a switch; what is not a device's own comes from an operator."""
        if self._ordering:
            return
        for at, host in enumerate(self.hosts):
            if isinstance(host, SwitchHost) and host.switch == switch:
                host.by_hand(closed=closed)
                self._awake[at] = self._anyone_awake = True

    def _order(self, switch: str, closed: bool, cause: str) -> None:
        self._ordering = True
        try:
            self._site.operate(switch, closed=closed, cause=cause)
        finally:
            self._ordering = False


def _limits(bounds: Sequence[Bounds]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper limits of va vb vc ia ib ic and the residual current of each device."""
    low = np.array([[one.undervoltage] * 3 + [0.0] * 4 for one in bounds]).reshape(-1, 7)
    high = [[one.overvoltage] * 3 + [one.current] * 3 + [one.residual] for one in bounds]
    return low, np.array(high, dtype=np.float64).reshape(-1, 7)


def _measured(size: NDArray[np.float64], hertz: float, live: float) -> Measured:
    va, vb, vc, ia, ib, ic, residual = map(float, size)
    highest = max(va, vb, vc)
    return Measured(
        (ia, ib, ic),
        residual,
        (va, vb, vc),
        frequency=hertz if highest > 0.0 else 0.0,
        energised=highest >= live,
    )
