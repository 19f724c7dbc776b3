"""The European feeder (906 low-voltage buses) solved again and again, beside OpenDSS and power-grid-model.

Every peer sets the same 55 loads, solves from a cold start as far as it can, and reads all bus voltages.
"""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from twin.grid import Fault, GridSolver, Load, Network, Transformer, read_network
from twin.grid.admittance import line_matrices
from twin.grid.components import PHASES
from twin.grid.nodes import Nodes
from twin.grid.rated import load_points
from twin.grid.short_circuit import ShortCircuits

NETWORK = Path(__file__).parent.parent / "scenarios" / "networks" / "european-lv.yaml"
STEPS = 300
ORDERS = tuple(range(1, 52, 2))
QUARTERS, MINUTES = 35_040, 525_600


def per_call(work: Callable[[int], object], count: int) -> float:
    """Return the seconds of one call, the best of three rounds."""
    work(0)
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        for step in range(count):
            work(step)
        best = min(best, (time.perf_counter() - begin) / count)
    return best


def load_steps(p: np.ndarray, count: int) -> np.ndarray:
    """Return powers (count, loads): each load anywhere between nothing and its rated power."""
    return p * np.random.default_rng(11).uniform(0.0, 1.0, (count, p.size))


class OwnFlow:
    """The twin's solver: set loads, solve, recover all buses."""

    def __init__(self, network: Network) -> None:
        points, self.p, self.q, _ = load_points(network)
        self.solver = GridSolver(network, probes=[], loads=points, orders=[1])
        self.nothing = np.zeros((len(points), 1), dtype=np.complex128)

    def step(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return self.solver.node_voltages(self.solver.solve(p, q, self.nothing))


class OpenDss:
    """OpenDSS with the same network: sequence lines, constant power at any voltage."""

    def __init__(self, network: Network) -> None:
        import opendssdirect as dss

        self.dss = dss
        self.faulted = False
        source = network.sources[0]
        u = network.buses[network.bus_index[source.bus]].u_rated
        say = dss.Text.Command
        say("clear")
        say(
            f"new circuit.c bus1={source.bus} basekv={u / 1e3} pu={source.u_pu} angle={source.angle_deg} "
            f"frequency={network.frequency} "
            f"r1={source.r1} x1={source.x1} r0={source.r0} x0={source.x0}"
        )
        say(f"set defaultbasefrequency={network.frequency}")
        for line in network.lines:
            r, x, _ = line_matrices(line)
            say(
                f"new line.{line.name} bus1={line.from_bus} bus2={line.to_bus} phases=3 "
                f"rmatrix={_matrix(r)} xmatrix={_matrix(x)} cmatrix=[0|0 0|0 0 0] "
                f"basefreq={network.frequency}"
            )
        for unit in network.transformers:
            self._transformer(unit)
        for at, (load, p, q) in enumerate(_single(network)):
            phase = PHASES.index(load.phases) + 1
            say(
                f"new load.p{at} bus1={load.bus}.{phase} phases=1 kv={416 / 3**0.5 / 1e3} kw={p / 1e3} "
                f"kvar={q / 1e3} model=1 vminpu=0.1 vmaxpu=2"
            )
        say("set tolerance=1e-8 maxiterations=100 controlmode=off")
        dss.Solution.Solve()

    def _transformer(self, unit: Transformer) -> None:
        x = (unit.vk_percent**2 - unit.vkr_percent**2) ** 0.5
        self.dss.Text.Command(
            f"new transformer.{unit.name} phases=3 windings=2 buses=[{unit.hv_bus} {unit.lv_bus}] "
            f"conns=[delta wye] kvs=[{unit.u_hv / 1e3} {unit.u_lv / 1e3}] "
            f"kvas=[{unit.s_rated / 1e3} {unit.s_rated / 1e3}] xhl={x} %loadloss={unit.vkr_percent} "
            f"ppm_antifloat=0 leadlag=lag"
        )

    def step(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        loads = self.dss.Loads
        for at, (active, reactive) in enumerate(zip(p, q, strict=True), start=1):
            loads.Idx(at)
            loads.kW(active / 1e3)
            loads.kvar(reactive / 1e3)
        self.dss.Solution.Solve()
        volts = np.array(self.dss.Circuit.AllBusVolts())
        return volts[::2] + 1j * volts[1::2]

    def fault(self, bus: str) -> np.ndarray:
        verb = "edit" if self.faulted else "new"
        self.faulted = True
        self.dss.Text.Command(f"{verb} fault.f bus1={bus}.1 phases=1 r=1e-6")
        self.dss.Solution.Solve()
        return np.array(self.dss.Circuit.AllBusVolts())

    def harmonics(self) -> None:
        """Solve the fundamental and the harmonics."""
        self.dss.Text.Command("solve mode=snapshot")
        self.dss.Text.Command("solve mode=harmonics")


def _matrix(values: np.ndarray) -> str:
    rows = (" ".join(f"{values[i][j]!r}" for j in range(i + 1)) for i in range(3))
    return "[" + " | ".join(str(row).replace("np.float64(", "").replace(")", "") for row in rows) + "]"


def _single(network: Network) -> list[tuple[Load, float, float]]:
    return [(load, p, q) for load in network.loads for p, q in zip(load.p, load.q, strict=True)]


class PowerGridModel:
    """power-grid-model's Newton method with the same impedances."""

    def __init__(self, network: Network) -> None:
        import power_grid_model as pgm

        self.pgm = pgm
        omega_f = network.frequency
        node = pgm.initialize_array(pgm.DatasetType.input, pgm.ComponentType.node, len(network.buses))
        node["id"] = np.arange(len(network.buses))
        node["u_rated"] = [bus.u_rated for bus in network.buses]
        first = len(network.buses)
        line = pgm.initialize_array(pgm.DatasetType.input, pgm.ComponentType.line, len(network.lines))
        line["id"] = first + np.arange(len(network.lines))
        for key, value in (("from_node", "from_bus"), ("to_node", "to_bus")):
            line[key] = [network.bus_index[getattr(one, value)] for one in network.lines]
        for key in ("r1", "x1", "r0", "x0"):
            line[key] = [getattr(one, key) for one in network.lines]
        line["from_status"] = line["to_status"] = 1
        line["c1"] = line["c0"] = 1e-15
        line["tan1"] = line["tan0"] = 0.0
        first += len(network.lines)
        unit = network.transformers[0]
        transformer = pgm.initialize_array(pgm.DatasetType.input, pgm.ComponentType.transformer, 1)
        values = {
            "id": first,
            "from_node": network.bus_index[unit.hv_bus],
            "to_node": network.bus_index[unit.lv_bus],
            "from_status": 1,
            "to_status": 1,
            "u1": unit.u_hv,
            "u2": unit.u_lv,
            "sn": unit.s_rated,
            "uk": unit.vk_percent / 100,
            "pk": unit.vkr_percent / 100 * unit.s_rated,
            "i0": 0.0,
            "p0": 0.0,
            "winding_from": 2,
            "winding_to": 1,
            "clock": 1,
            "tap_side": 0,
            "tap_pos": 0,
            "tap_min": 0,
            "tap_max": 0,
            "tap_nom": 0,
            "tap_size": 0.0,
        }
        for key, value in values.items():
            transformer[key] = value
        source = pgm.initialize_array(pgm.DatasetType.input, pgm.ComponentType.source, 1)
        grid = network.sources[0]
        z1, z0 = complex(grid.r1, grid.x1), complex(grid.r0, grid.x0)
        rated = network.buses[network.bus_index[grid.bus]].u_rated
        source["id"], source["node"], source["status"] = first + 1, network.bus_index[grid.bus], 1
        source["u_ref"], source["sk"] = grid.u_pu, rated**2 / abs(z1)
        source["rx_ratio"], source["z01_ratio"] = grid.r1 / grid.x1, abs(z0) / abs(z1)
        singles = _single(network)
        load = pgm.initialize_array(pgm.DatasetType.input, pgm.ComponentType.asym_load, len(singles))
        load["id"] = first + 2 + np.arange(len(singles))
        load["node"] = [network.bus_index[one.bus] for one, _, _ in singles]
        load["status"], load["type"] = 1, 0
        load["p_specified"] = load["q_specified"] = 0.0
        self.phase = np.array([PHASES.index(one.phases) for one, _, _ in singles])
        data = {
            pgm.ComponentType.node: node,
            pgm.ComponentType.line: line,
            pgm.ComponentType.transformer: transformer,
            pgm.ComponentType.source: source,
            pgm.ComponentType.asym_load: load,
        }
        self.model = pgm.PowerGridModel(data, system_frequency=omega_f)
        self.update = pgm.initialize_array(pgm.DatasetType.update, pgm.ComponentType.asym_load, len(singles))
        self.update["id"] = load["id"]
        self.update["p_specified"] = self.update["q_specified"] = 0.0

    def step(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        pgm, at = self.pgm, np.arange(p.size)
        self.update["p_specified"][at, self.phase] = p
        self.update["q_specified"][at, self.phase] = q
        self.model.update(update_data={pgm.ComponentType.asym_load: self.update})
        result = self.model.calculate_power_flow(
            symmetric=False,
            error_tolerance=1e-8,
            calculation_method=pgm.CalculationMethod.newton_raphson,
            output_component_types=[pgm.ComponentType.node],
        )
        node = result[pgm.ComponentType.node]
        return np.asarray(node["u"] * np.exp(1j * node["u_angle"]))


def has(module: str) -> bool:
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"{module} is not installed: pip install 'site-twin[bench]' to compare with it")
    return found


def main() -> None:
    network = read_network(NETWORK)
    own = OwnFlow(network)
    powers = load_steps(own.p, STEPS)
    ratio = own.q / own.p
    mine = per_call(lambda k: own.step(powers[k], powers[k] * ratio), STEPS)
    print(f"flow, one step, all {Nodes(network).count} voltages  twin {1e6 * mine:7.0f} us", flush=True)
    expected = own.step(powers[0], powers[0] * ratio)
    dss = OpenDss(network) if has("opendssdirect") else None
    if dss is not None:
        their = per_call(lambda k: dss.step(powers[k], powers[k] * ratio), STEPS)
        names = [name.lower() for name in dss.dss.Circuit.AllBusNames()]
        volts = dss.step(powers[0], powers[0] * ratio).reshape(-1, 3)
        order = [names.index(bus.name.lower()) for bus in network.buses]
        apart = np.abs(np.abs(volts[order].ravel()) - np.abs(expected)) / np.abs(expected)
        print(f"  OpenDSS {1e6 * their:7.0f} us  {their / mine:5.1f} x (10)   apart {apart.max():.1e} pu")
    if has("power_grid_model"):
        peer = PowerGridModel(network)
        their = per_call(lambda k: peer.step(powers[k], powers[k] * ratio), STEPS // 3)
        volts = np.abs(peer.step(powers[0], powers[0] * ratio)).ravel()
        apart = np.abs(volts - np.abs(expected)) / np.abs(expected)
        print(
            f"  power-grid-model {1e6 * their:7.0f} us  {their / mine:5.1f} x (25)   apart {apart.max():.1e}"
        )

    faults = ShortCircuits(network)
    buses = [network.buses[at].name for at in range(5, 905, 9)]
    mine = per_call(lambda k: faults.fault(Fault("f", buses[k % 100], "slg", "a")), 100)
    print(f"fault, all retained voltages  twin {1e6 * mine:7.0f} us")
    if dss is not None:
        their = per_call(lambda k: dss.fault(buses[k % 100]), 50)
        dss.dss.Text.Command("disable fault.f")
        print(f"  OpenDSS {1e6 * their:7.0f} us  {their / mine:5.1f} x (5)")
    _harmonics(network, dss)
    _topology(network)
    for name, count, limit in (("15 min", QUARTERS, 15), ("1 min", MINUTES, 240)):
        begin = time.perf_counter()
        for k in range(count):
            own.step(powers[k % STEPS], powers[k % STEPS] * ratio)
        print(f"a year of {name} steps: {time.perf_counter() - begin:.1f} s (limit {limit})", flush=True)


def _harmonics(network: Network, dss: OpenDss | None) -> None:
    points, p, q, _ = load_points(network)
    solver = GridSolver(network, probes=[], loads=points, orders=ORDERS)
    emission = np.zeros((len(points), len(ORDERS)), dtype=np.complex128)
    emission[:, 1:] = 0.05 * p[:, None]

    def all_orders(_: int) -> None:
        solution = solver.solve(p, q, emission)
        for order in ORDERS:
            solver.node_voltages(solution, order)

    mine = per_call(all_orders, 50)
    print(f"{len(ORDERS) - 1} harmonic orders and the fundamental, all voltages  twin {1e6 * mine:7.0f} us")
    if dss is not None:
        say = dss.dss.Text.Command
        shares = " ".join("5" for _ in ORDERS[1:])
        orders = " ".join(map(str, ORDERS[1:]))
        say(f"new spectrum.s numharm={len(ORDERS)} harmonic=[1 {orders}] %mag=[100 {shares}]")
        for at in range(1, len(points) + 1):
            dss.dss.Loads.Idx(at)
            say(f"edit load.p{at - 1} spectrum=s")
        their = per_call(lambda _: dss.harmonics(), 3)
        print(f"  OpenDSS {1e6 * their:7.0f} us  {their / mine:5.1f} x (20)")


def _topology(network: Network) -> None:
    points, p, q, _ = load_points(network)
    nothing = np.zeros((len(points), 1), dtype=np.complex128)
    best = float("inf")
    for name in ("LINE300", "LINE500", "LINE700"):
        solver = GridSolver(network, probes=[], loads=points, orders=[1])
        solver.solve(p, q, nothing)
        at = network.branch_index[name]
        begin = time.perf_counter()
        solver.set_poles({(at, 0, letter) for letter in "abc"})
        solver.node_voltages(solver.solve(p, q, nothing))
        best = min(best, time.perf_counter() - begin)
    print(f"a topology change, factorised and solved anew: {1e3 * best:.1f} ms (limit 5)")


if __name__ == "__main__":
    main()
