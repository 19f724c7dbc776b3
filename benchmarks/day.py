"""A simulated day of the European feeder: changes, solves, seconds; and OpenDSS through the same steps.

Limit: 20 s for the day after the first compile, with at least 20,000 load changes. The peer is given
the first load steps of the same day: set the changed loads, solve, read what the meters measure.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.scenario import SiteScenario, load_scenario
from twin.simulation import build_site

SCENARIO = Path(__file__).parent.parent / "scenarios" / "european-lv-day.yaml"
STEPS = 2000


def run_day(scenario: SiteScenario) -> tuple[dict[str, Any], float]:
    """Return the summary and the wall time of the whole scenario, recorded [s]."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with build_site(scenario) as site:
            site.record_to(Path(folder) / "day", overwrite=False)
            site.engine.advance_to(scenario.end_ns)
            summary = site.summary()
        return summary, time.perf_counter() - started


@dataclass(frozen=True)
class Step:
    """What the loads draw in one step."""

    power: np.ndarray
    """[W + j var]"""
    emission: np.ndarray
    """Harmonics [VA]."""

    def solve(self, solver: Any) -> Any:
        return solver.solve(self.power.real.copy(), self.power.imag.copy(), self.emission)


def collect_steps(scenario: SiteScenario, count: int) -> tuple[list[Step], Any]:
    """Return the first solved steps, and the site's solver."""
    with build_site(scenario) as built:
        engine = built.engine
        site = engine.site
        steps: list[Step] = []
        while len(steps) < count:
            solves = site.solves
            engine.advance_to(engine.now_ns + 1_000_000_000)
            if site.solves > solves:
                steps.append(Step(site.p + 1j * site.q, site.emission.copy()))
        return steps, site.solver


def own_seconds(solver: Any, steps: list[Step]) -> float:
    """Return the seconds of one step of our own solver, fundamental and harmonics."""
    steps[0].solve(solver)
    started = time.perf_counter()
    for step in steps:
        step.solve(solver)
    return (time.perf_counter() - started) / len(steps)


def opendss_seconds(scenario: SiteScenario, steps: list[Step]) -> tuple[float, np.ndarray]:
    """Return the seconds of one step of OpenDSS, and the first probe's voltages at the last step [V]."""
    import opendssdirect as dss

    build_opendss(scenario, dss)
    names = [f"p{at}" for at in range(len(scenario.loads.points))]
    buses = sorted({meter.probe.bus for meter in scenario.meters})
    first = scenario.meters[0].probe.bus
    volts: dict[str, np.ndarray] = {}
    before = np.zeros_like(steps[0].power)
    started = time.perf_counter()
    for step in steps:
        power = step.power
        for at in np.flatnonzero(power != before):
            dss.Loads.Name(names[at])
            dss.Loads.kW(power[at].real / 1e3)
            dss.Loads.kvar(power[at].imag / 1e3)
        before = power
        dss.Solution.Solve()
        for bus in buses:
            dss.Circuit.SetActiveBus(f"b{bus}")
            volts[bus] = np.array(dss.Bus.Voltages())
    elapsed = (time.perf_counter() - started) / len(steps)
    return elapsed, volts[first][0::2] + 1j * volts[first][1::2]


def build_opendss(scenario: SiteScenario, dss: Any) -> None:
    """Enter the network into OpenDSS: sequence impedances, constant-power loads at any voltage."""
    network = scenario.network
    source = network.sources[0]
    u_source = network.buses[network.bus_index[source.bus]].u_rated
    dss.Text.Command("clear")
    dss.Text.Command(
        f"new circuit.site bus1=b{source.bus} basekv={u_source / 1e3} pu={source.u_pu} "
        f"frequency={network.frequency} angle={source.angle_deg} r1={source.r1 or 1e-6} "
        f"x1={source.x1 or 1e-6} r0={source.r0 or 1e-6} x0={source.x0 or 1e-6}"
    )
    dss.Text.Command(f"set defaultbasefrequency={network.frequency}")
    for at, line in enumerate(network.lines):
        dss.Text.Command(
            f"new line.l{at} bus1=b{line.from_bus} bus2=b{line.to_bus} length=1 units=none "
            f"r1={line.r1!r} x1={line.x1!r} r0={line.r0!r} x0={line.x0!r} "
            f"c1={line.c1 * 1e9!r} c0={line.c0 * 1e9!r}"
        )
    for at, item in enumerate(network.transformers):
        connection = ("delta", "wye") if item.vector_group.startswith("D") else ("wye", "wye")
        lead = "lead" if item.vector_group == "Dyn11" else "lag"
        reactance = (item.vk_percent**2 - item.vkr_percent**2) ** 0.5
        dss.Text.Command(
            f"new transformer.t{at} windings=2 buses=(b{item.hv_bus} b{item.lv_bus}) "
            f"conns=({connection[0]} {connection[1]}) kvs=({item.u_hv / 1e3} {item.u_lv / 1e3}) "
            f"kvas=({item.s_rated / 1e3} {item.s_rated / 1e3}) xhl={reactance} "
            f"%loadloss={item.vkr_percent} leadlag={lead}"
        )
    for at, point in enumerate(scenario.loads.points):
        u_rated = network.buses[network.bus_index[point.bus]].u_rated / 3**0.5
        dss.Text.Command(
            f"new load.p{at} phases=1 bus1=b{point.bus}.{'abc'.index(point.phase) + 1} "
            f"kv={u_rated / 1e3} kw=0 kvar=0 model=1 vminpu=0.7 vmaxpu=1.3"
        )
    dss.Text.Command("set tolerance=1e-8 maxiterations=100 controlmode=off")


def main() -> None:
    scenario = load_scenario(SCENARIO)
    run_day(load_scenario(SCENARIO, duration_s=600.0))
    summary, elapsed = run_day(scenario)
    print(f"load changes         {summary['load_changes']:8d}   at least 20000")
    print(f"network solutions    {summary['solves']:8d}")
    print(f"meters               {len(summary['meters']):8d}   at least 8")
    print(f"wall time            {elapsed:8.2f} s limit 20 s")
    steps, solver = collect_steps(scenario, STEPS)
    own = own_seconds(solver, steps)
    peer, volts = opendss_seconds(scenario, steps)
    ours = steps[-1].solve(solver).phasor[:3, solver.orders.index(1)]
    print(f"one load step        {1e3 * own:8.3f} ms with {len(solver.orders)} orders")
    print(f"OpenDSS, same step   {1e3 * peer:8.3f} ms fundamental alone, ratio {peer / own:.1f}")
    whole = peer * summary["solves"]
    print(f"OpenDSS, all steps   {whole:8.2f} s, solutions alone; our whole day {elapsed / whole:.1f} x")
    print(f"largest difference   {np.max(np.abs(np.abs(ours) - np.abs(volts))):8.2e} V at the first meter")


if __name__ == "__main__":
    main()
