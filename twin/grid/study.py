"""One-off studies of a network: load flow, fault, harmonics, as the command line prints them."""

import cmath
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.grid.components import PHASES, Fault, Load
from twin.grid.elements import Element
from twin.grid.errors import GridError
from twin.grid.loose_shapes import loose_shapes
from twin.grid.network import Network
from twin.grid.nodal import Factors, NodalSystem, initial_state
from twin.grid.nodes import EARTH, Nodes
from twin.grid.rated import V_MIN_PU, load_shunts, solve_fundamental
from twin.grid.regulation import regulated
from twin.grid.short_circuit import ShortCircuits

Complex = NDArray[np.complex128]

_LOST = 1e-6
"""Part of the harmonic currents of an unearthed part that may seem to leave it by rounding."""

Row = dict[str, Any]


def flow(network: Network, *, loads: str = "constant_power", v_min_pu: float = V_MIN_PU) -> list[Row]:
    """Return the voltages of a network with its rated loads, tap changers having moved.

    Parameters
    ----------
    network : Network
    loads : str
        ``constant_power``, or ``constant_impedance``: ``y = (P - jQ) / V^2`` at rated voltage.
    v_min_pu : float
        Below it constant power turns to ``P0 (V / Vmin)^2``.

    Returns
    -------
    list of dict
        ``bus``, ``phase``, ``v_volt`` (RMS, phase to earth), ``v_pu`` (of U_rated / sqrt 3), ``angle_deg``
        (None where there is no voltage).

    Raises
    ------
    GridError
        A load model of another name, or a ``v_min_pu`` that is not above 0 and up to 1.
    NotConvergedError
        The network cannot carry the loads.
    """
    _check_v_min(v_min_pu)
    network = regulated(_referred(network), loads=loads, v_min_pu=v_min_pu)
    voltages, _ = solve_fundamental(network, initial_state(network), loads=loads, v_min_pu=v_min_pu)
    return voltage_rows(network, voltages)


def fault(
    network: Network,
    *,
    bus: str,
    type: str,  # noqa: A002 - the field's own name, as in the network file and the command
    phases: str = "abc",
    resistance: float = 0.0,
    loads: str = "constant_impedance",
) -> Row:
    """Return voltages and fault current of a short circuit, taps where the load flow leaves them.

    Parameters
    ----------
    network : Network
    bus : str
    type : str
        ``slg``, ``ll``, ``llg`` or ``3ph``.
    phases : str
        Faulted phases.
    resistance : float
        From each faulted phase to earth; ``ll``: between the two phases [ohm].
    loads : str
        ``constant_impedance`` at rated voltage, or ``none``.

    Returns
    -------
    dict
        ``voltages`` as of `flow`; ``fault_current_a``: per phase ``magnitude`` (RMS, from the network into
        the fault [A]) and ``angle_deg`` (None at zero).

    Raises
    ------
    GridError
        An unknown bus, one that an ideal source holds, or an impossible fault.
    """
    if bus not in network.bus_index:
        raise GridError(f"the network has no bus '{bus}'; {suggestion(bus, network.bus_index, 'buses')}")
    network = regulated(_referred(network), loads="constant_power", v_min_pu=V_MIN_PU)
    result = ShortCircuits(network, loads=loads).fault(Fault("fault", bus, type, phases, resistance))
    return {
        "voltages": voltage_rows(network, result.voltage),
        "fault_current_a": {phase: _phasor(complex(result.current[at])) for at, phase in enumerate(PHASES)},
    }


def harmonics(
    network: Network,
    *,
    damping: float | None = None,
    v_min_pu: float = V_MIN_PU,
) -> list[Row]:
    """Return the harmonic voltages that the loads with a spectrum cause.

    The fundamental is the load flow at constant power. At each order h a load with a spectrum draws
    ``percent / 100 |I1| exp(j (h arg I1 + angle))``; R is constant, X and B grow with h, sources are shorted
    behind their impedance.

    Parameters
    ----------
    network : Network
    damping : float, optional
        None: loads without a spectrum are open above the fundamental. Otherwise the share of them that is
        R and L in series, the rest being R and L in parallel, from ``y = (P - jQ) / V^2`` at rated voltage;
        generators (negative P) stay open.
    v_min_pu : float
        As in `flow`.

    Returns
    -------
    list of dict
        ``h``, ``bus``, ``phase``, ``v_volt``, ``v_pu``, ``percent_of_v1`` and ``angle_deg`` (absolute, at
        order h); None where there is no voltage.

    Raises
    ------
    GridError
        A damping outside 0 .. 1, a ``v_min_pu`` that is not above 0 and up to 1, or harmonic current against
        earth where nothing is earthed.
    NotConvergedError
        The network cannot carry the loads.
    """
    if damping is not None and not 0.0 <= damping <= 1.0:
        raise GridError(f"a damping of {damping:g} is no share; give 0 .. 1")
    _check_v_min(v_min_pu)
    network = regulated(_referred(network), loads="constant_power", v_min_pu=v_min_pu)
    state = initial_state(network)
    fundamental, current = solve_fundamental(network, state, v_min_pu=v_min_pu)
    rows = [{"h": 1, **row} for row in _harmonic_rows(network, fundamental, fundamental)]
    shares = {spectrum.name: spectrum.shares for spectrum in network.spectra}
    used = {load.spectrum for load in network.loads if load.spectrum}
    orders = sorted({share.order for name in used for share in shares[name]})
    if not orders:
        return rows
    system = NodalSystem(network, orders)
    shunts: list[Element] = []
    if damping is not None:
        ratios = [float(order) for order in orders]
        shunts = load_shunts(network, system.nodes, ratios, series=damping)
    factors = system.factorise(state, shunts=shunts)
    for n, h in enumerate(orders):
        injection = np.zeros(system.nodes.count, dtype=np.complex128)
        for (plus, minus, load), drawn in current:
            for share in shares[load.spectrum] if load.spectrum else ():
                if share.order == h and drawn != 0:
                    angle = h * cmath.phase(drawn) + math.radians(share.angle_deg)
                    out = cmath.rect(share.percent / 100.0 * abs(drawn), angle)
                    injection[plus] -= out
                    if minus != EARTH:
                        injection[minus] += out
        rhs = np.empty_like(injection)
        rhs[system.pattern.row] = injection
        _check_return(system, factors, rhs, [side for side, _ in current], h)
        v = system.solve(factors, n, rhs)[system.pattern.row]
        rows.extend({"h": h, **row} for row in _harmonic_rows(network, v, fundamental))
    return rows


def _check_return(
    system: NodalSystem, factors: Factors, injection: Complex, sides: Sequence[tuple[int, int, Load]], h: int
) -> None:
    """Refuse currents (rows,) that leave a part that nothing earths: they have no way back."""
    row = np.append(system.pattern.row, EARTH)
    for shape in loose_shapes(system, factors, 0).volts:
        if not abs(np.sum(shape * injection)) > _LOST * np.sum(np.abs(shape * injection)):
            continue
        volts = np.append(shape, 0.0)
        for plus, minus, load in sides:
            if load.spectrum and abs(volts[row[plus]] - volts[row[minus]]) > _LOST:
                raise GridError(
                    f"load '{load.name}' at bus '{load.bus}' draws current against earth at order {h}, "
                    "where nothing earths the network; earth it by a row in groundings, or connect the load "
                    "in delta"
                )


def _check_v_min(v_min_pu: float) -> None:
    if not 0.0 < v_min_pu <= 1.0:
        raise GridError(f"loads cannot become impedances below {v_min_pu:g} pu; give more than 0, at most 1")


def _referred(network: Network) -> Network:
    """Return the network with its angles counted from phase a of its first source."""
    turn = network.sources[0].angle_deg if network.sources else 0.0
    if turn == 0.0:
        return network
    turned = (replace(source, angle_deg=source.angle_deg - turn) for source in network.sources)
    return replace(network, sources=tuple(turned))


def _angle(value: complex) -> float | None:
    return math.degrees(cmath.phase(value)) if value != 0 else None


def _phasor(value: complex) -> Row:
    return {"magnitude": abs(value), "angle_deg": _angle(value)}


def voltage_rows(network: Network, v: Complex) -> list[Row]:
    """Return voltages c128[nodes] as rows by bus and conductor."""
    nodes = Nodes(network)
    rows = []
    for bus, letter, value in zip(nodes.bus, nodes.letter, map(complex, v), strict=True):
        size = abs(value)
        rows.append(
            {
                "bus": network.buses[bus].name,
                "phase": letter,
                "v_volt": size,
                "v_pu": size / network.buses[bus].u_phase,
                "angle_deg": _angle(value),
            }
        )
    return rows


def _harmonic_rows(network: Network, v: Complex, fundamental: Complex) -> Iterator[Row]:
    for row, first in zip(voltage_rows(network, v), np.abs(fundamental).ravel(), strict=True):
        angle = row.pop("angle_deg")
        percent = 100.0 * row["v_volt"] / float(first) if first > 0 else None
        yield {**row, "percent_of_v1": percent, "angle_deg": angle}
