"""Who hears of changed voltages: those who notice, within the instant; without end, a little later."""

import numpy as np
import pytest
import simpy

from tests.simulation.equipment_site import NETWORK
from twin.grid import GridSolver, LoadPoint, read_network
from twin.simulation.site import Site
from twin.simulation.site_ports import Listeners, SitePort, SiteSupply

LOADS = [LoadPoint(f"M.{phase}", "MAIN", phase) for phase in "abc"] + [LoadPoint("far", "FAR", "a")]


class Bench:
    """A site with an environment, driven as the engine does."""

    def __init__(self, folder):
        (folder / "network.yaml").write_text(NETWORK, encoding="utf-8")
        network = read_network(folder / "network.yaml")
        self.env = simpy.Environment(initial_time=0)
        self.site = Site(
            GridSolver(network, probes=[], loads=LOADS, orders=[1]),
            orders=[1],
            frequency=50.0,
            start_ns=0,
            load_names=[load.name for load in LOADS],
            reversed_probes=[],
            switches={"Q1": True, "Q2": True},
            witness=lambda entry: None,
        )
        self.listeners = Listeners(self.site, self.call_at)

    def call_at(self, at_ns, function):
        self.env.timeout(at_ns - int(self.env.now)).callbacks.append(lambda _: function())

    def run(self, until_ns):
        while True:
            if self.env.peek() > self.site.time_ns:
                self.site.settle()
            if self.env.peek() > until_ns:
                break
            self.site.time_ns = int(self.env.peek())
            self.env.step()
        self.site.time_ns = until_ns

    def draw(self, load, watts):
        self.site.change(load, watts, 0.0, np.zeros(1, complex), cause="test")


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_only_those_hear_who_notice(bench):
    heard = []
    port = SitePort(bench.listeners, (0, 1, 2))
    port.watch(lambda: heard.append(("machine", bench.site.time_ns)))
    SiteSupply(bench.listeners).watch(3, lambda: heard.append(("far", bench.site.time_ns)))
    bench.draw(0, 500.0)  # a part in 5000
    bench.run(10)
    assert heard == []
    bench.draw(0, 2500.0)  # with the first one 0.12 %: changes add up until they are heard
    bench.run(20)
    assert heard == [("machine", 10)]
    bench.site.operate("Q2", closed=False, cause="test")
    bench.run(30)
    assert heard == [("machine", 10), ("far", 20)]
    assert SiteSupply(bench.listeners).voltage(3) == 0.0


def test_machines_hear_of_frequency_supplies_do_not(bench):
    heard = []
    port = SitePort(bench.listeners, (0, 1, 2))
    port.watch(lambda: heard.append("machine"))
    SiteSupply(bench.listeners).watch(3, lambda: heard.append("far"))
    bench.site.set_frequency(49.9)
    bench.run(10)
    assert heard == ["machine"]
    assert port.frequency() == 49.9


def test_an_answer_that_changes_nothing_ends_it(bench):
    heard = []
    port = SitePort(bench.listeners, (0, 1, 2))

    def answer():
        heard.append(bench.site.time_ns)
        port.set_admittance("M", np.diag([0.1 + 0j] * 3), cause="test")

    port.set_admittance("M", np.zeros((3, 3), complex), cause="test")
    port.connect("M", cause="test")
    port.watch(answer)
    bench.draw(0, 9000.0)
    bench.run(1000)
    assert heard == [0, 0]  # of the draw, and of its own answer


def test_answers_without_end_let_time_go_on(bench):
    heard = []
    port = SitePort(bench.listeners, (0, 1, 2))
    port.set_admittance("M", np.zeros((3, 3), complex), cause="test")
    port.connect("M", cause="test")

    def quarrel():
        heard.append(bench.site.time_ns)
        port.set_admittance("M", np.diag([0.5 * (len(heard) % 2) + 0j] * 3), cause="test")

    port.watch(quarrel)
    bench.draw(0, 9000.0)
    bench.run(1_000_000)
    assert 50 <= heard.count(0) <= 70
    assert heard[-1] > 900_000


def test_a_machine_is_its_admittance(bench):
    port = SitePort(bench.listeners, (0, 1, 2))
    y = np.diag([0.4 - 0.3j] * 3)
    port.set_admittance("M", y, cause="test")
    free = port.voltages()
    port.connect("M", cause="test")
    z = 0.02 + 0.04j
    assert port.voltages() == pytest.approx(free / (1 + z * (0.4 - 0.3j)), rel=1e-12)
    port.disconnect("M", cause="test")
    assert port.voltages() == pytest.approx(free, rel=1e-12)


def test_a_port_of_one_phase(bench):
    port = SitePort(bench.listeners, (3,), "a")
    volts = port.voltages()
    assert abs(volts[0]) == pytest.approx(230.94, abs=0.01)
    assert volts[1:].tolist() == [0, 0]
