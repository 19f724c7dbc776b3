"""One-off studies of a network: load flow, fault, harmonics, as the command line prints them."""

import cmath
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.grid.admittance import check_fault
from twin.grid.components import PHASES, Fault, Load, LoadPoint, Network
from twin.grid.errors import GridError
from twin.grid.nodal import Factors, NodalSystem, State, initial_state
from twin.grid.solver import GridSolver

Complex = NDArray[np.complex128]
Row = dict[str, Any]
_Point = tuple[int, int, Load]

V_MIN_PU = 0.7
"""Voltage below which a constant-power load turns to a constant impedance, of the rated one [pu]."""


def flow(network: Network, *, loads: str = "constant_power", v_min_pu: float = V_MIN_PU) -> list[Row]:
    """Return the voltages of a network with its rated loads.

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
        A load model of another name.
    NotConvergedError
        The network cannot carry the loads.
    """
    network = _referred(network)
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
    """Return voltages and fault current of a short circuit.

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
    if loads not in {"constant_impedance", "none"}:
        raise GridError(f"loads '{loads}' are unknown to a fault; give constant_impedance or none")
    short = Fault("fault", bus, type, phases, resistance)
    check_fault(short)
    at = network.bus_index.get(bus)
    if at is None:
        raise GridError(f"the network has no bus '{bus}'; {suggestion(bus, network.bus_index, 'buses')}")
    if any(source.ideal and source.bus == bus for source in network.sources):
        raise GridError(f"an ideal source holds bus '{bus}', which therefore cannot be faulted")
    network = _referred(network)
    state = initial_state(network)
    state = State(state.open_branches, state.capacitors, (short,))
    shunts = _impedances(network, 1.0, loads=network.loads) if loads == "constant_impedance" else {}
    system = NodalSystem(network, [1])
    factors = system.factorise(state, shunts={b: y[None] for b, y in shunts.items()})
    v = system.solve(factors, 0, system.source_injection)[system.pattern.row]
    block = factors.faults[0]
    current = [complex(sum(block[i, j] * v[at, j] for j in range(3))) for i in range(3)]
    return {
        "voltages": voltage_rows(network, v),
        "fault_current_a": {
            phase: _phasor(current[i] if phase in phases else 0j) for i, phase in enumerate(PHASES)
        },
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
        A damping outside 0 .. 1.
    NotConvergedError
        The network cannot carry the loads.
    """
    if damping is not None and not 0.0 <= damping <= 1.0:
        raise GridError(f"a damping of {damping:g} is no share; give 0 .. 1")
    network = _referred(network)
    state = initial_state(network)
    fundamental, current = solve_fundamental(network, state, v_min_pu=v_min_pu)
    rows = [{"h": 1, **row} for row in _harmonic_rows(network, fundamental, fundamental)]
    shares = {spectrum.name: spectrum.shares for spectrum in network.spectra}
    used = {load.spectrum for load in network.loads if load.spectrum}
    orders = sorted({share.order for name in used for share in shares[name]})
    if not orders:
        return rows
    system = NodalSystem(network, orders)
    shunts: dict[int, Complex] = {}
    if damping is not None:
        linear = [load for load in network.loads if not load.spectrum]
        by_order = [_impedances(network, float(h), loads=linear, series=damping) for h in orders]
        shunts = {bus: np.stack([blocks[bus] for blocks in by_order]) for bus in by_order[0]}
    factors = system.factorise(state, shunts=shunts)
    for n, h in enumerate(orders):
        injection = np.zeros((len(network.buses), 3), dtype=np.complex128)
        for (bus, phase, load), drawn in current:
            for share in shares[load.spectrum] if load.spectrum else ():
                if share.order == h and drawn != 0:
                    angle = h * cmath.phase(drawn) + math.radians(share.angle_deg)
                    injection[bus, phase] -= cmath.rect(share.percent / 100.0 * abs(drawn), angle)
        v = _solve(system, factors, n, injection)
        rows.extend({"h": h, **row} for row in _harmonic_rows(network, v, fundamental))
    return rows


def _referred(network: Network) -> Network:
    """Return the network with its angles counted from phase a of its first source."""
    turn = network.sources[0].angle_deg if network.sources else 0.0
    if turn == 0.0:
        return network
    turned = (replace(source, angle_deg=source.angle_deg - turn) for source in network.sources)
    return replace(network, sources=tuple(turned))


def _solve(system: NodalSystem, factors: Factors, n: int, injection: Complex) -> Complex:
    """Solve with right-hand side and result by bus number."""
    row = system.pattern.row
    rhs = np.empty_like(injection)
    rhs[row] = injection
    return system.solve(factors, n, rhs)[row]


def solve_fundamental(
    network: Network, state: State, *, loads: str = "constant_power", v_min_pu: float = V_MIN_PU
) -> tuple[Complex, list[tuple[_Point, complex]]]:
    """Return voltages c128[buses, 3] at order 1, and what each single-phase part of a load draws [A]."""
    if loads not in {"constant_power", "constant_impedance"}:
        raise GridError(f"loads '{loads}' are unknown; give constant_power or constant_impedance")
    system = NodalSystem(network, [1])
    row = system.pattern.row
    if loads == "constant_impedance":
        shunts = {bus: y[None] for bus, y in _impedances(network, 1.0, loads=network.loads).items()}
        factors = system.factorise(state, shunts=shunts)
        v = system.solve(factors, 0, system.source_injection)[row]
        return v, []
    points = list(_points(network))
    solver = GridSolver(
        network,
        probes=[],
        loads=[LoadPoint(load.name, load.bus, PHASES[phase]) for (_, phase, load), _, _ in points],
        orders=[1],
        v_min_pu=v_min_pu,
    )
    p = np.array([p for _, p, _ in points])
    q = np.array([q for _, _, q in points])
    solution = solver.solve(p, q, np.zeros((len(points), 1), dtype=np.complex128))
    injection = system.source_injection.copy()
    current = []
    for at, ((bus, phase, load), _, _) in enumerate(points):
        drawn = complex(solution.load_current[at])
        current.append(((bus, phase, load), drawn))
        injection[row[bus], phase] -= drawn
    return system.solve(system.factorise(state), 0, injection)[row], current


def _points(network: Network) -> Iterator[tuple[_Point, float, float]]:
    """Yield bus, phase and load of each single-phase part that has power, with its P and Q."""
    held = {source.bus for source in network.sources if source.ideal}
    for load in network.loads:
        for letter, p, q in zip(load.phases, load.p, load.q, strict=True):
            # A load at an ideal source changes no voltage.
            if (p or q) and load.bus not in held:
                yield (network.bus_index[load.bus], PHASES.index(letter), load), p, q


def _impedances(
    network: Network, h: float, *, loads: Sequence[Load], series: float | None = None
) -> dict[int, Complex]:
    """Return c128[3, 3] by bus: loads as admittances ``y = (P - jQ) / V^2`` at rated voltage [S].

    With ``series``, a share of each load at order h: ``Z = R + jhX``, the rest ``Y = G + jB/h``.
    """
    out: dict[int, Complex] = {}
    for load in loads:
        bus = network.bus_index[load.bus]
        block = out.setdefault(bus, np.zeros((3, 3), dtype=np.complex128))
        for letter, p, q in zip(load.phases, load.p, load.q, strict=True):
            at = PHASES.index(letter)
            y = complex(p, -q) / (network.buses[bus].u_rated ** 2 / 3.0)
            block[at, at] += y if series is None else _damped(y, h, series)
    return out


def _damped(y: complex, h: float, series: float) -> complex:
    """Return a load's admittance at order h, part of it in series and the rest in parallel [S]."""
    if y == 0 or y.real < 0:
        return 0j
    parallel = (1.0 - series) * y
    total = complex(parallel.real, parallel.imag / h)
    if series > 0:
        z = 1.0 / (series * y)
        total += 1.0 / complex(z.real, h * z.imag)
    return total


def _angle(value: complex) -> float | None:
    return math.degrees(cmath.phase(value)) if value != 0 else None


def _phasor(value: complex) -> Row:
    return {"magnitude": abs(value), "angle_deg": _angle(value)}


def voltage_rows(network: Network, v: Complex) -> list[Row]:
    """Return voltages c128[buses, 3] as rows by bus and phase."""
    rows = []
    for bus, values in zip(network.buses, v, strict=True):
        base = bus.u_rated / math.sqrt(3.0)
        for phase, value in zip(PHASES, map(complex, values), strict=True):
            size = abs(value)
            rows.append(
                {
                    "bus": bus.name,
                    "phase": phase,
                    "v_volt": size,
                    "v_pu": size / base,
                    "angle_deg": _angle(value),
                }
            )
    return rows


def _harmonic_rows(network: Network, v: Complex, fundamental: Complex) -> Iterator[Row]:
    for row, first in zip(voltage_rows(network, v), np.abs(fundamental).ravel(), strict=True):
        angle = row.pop("angle_deg")
        percent = 100.0 * row["v_volt"] / float(first) if first > 0 else None
        yield {**row, "percent_of_v1": percent, "angle_deg": angle}
