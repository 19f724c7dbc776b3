"""The wires between a site and the I/O modules of its meters."""

from collections.abc import Callable
from functools import partial

import numpy as np

from twin.contracts import NS_PER_SECOND
from twin.meters import Fleet
from twin.meters.pulses import TablePulses
from twin.scenario import SiteScenario
from twin.scenario.io_schema import AnalogueInput, DigitalInput, SwitchOutput
from twin.scenario.times import parse_local
from twin.simulation.faults import CallAt
from twin.simulation.played_site import PlayedSite
from twin.simulation.site import Site

_LIVE_ZERO = 0.2
"""Share of a signal at which those with a live zero begin: 4 of 20 mA, 1 of 5 V."""


def start_io(site: Site | PlayedSite, fleet: Fleet, scenario: SiteScenario, *, call_at: CallAt) -> None:
    """Wire the inputs and outputs of all meters as the scenario says.

    Parameters
    ----------
    site : Site or PlayedSite
    fleet : Fleet
    scenario : SiteScenario
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """
    wiring = _Wiring(site, fleet, scenario, call_at)
    for meter, installed in enumerate(scenario.meters):
        io = scenario.scenario.meters[installed.field].io
        if io is None:
            continue
        for wire in io.inputs:
            wiring.digital(meter, wire)
        for transducer in io.analogue_inputs:
            wiring.analogue(meter, transducer)
        for output in io.outputs:
            wiring.output(meter, output)


class _Wiring:
    def __init__(
        self, site: Site | PlayedSite, fleet: Fleet, scenario: SiteScenario, call_at: CallAt
    ) -> None:
        self._site = site
        self._fleet = fleet
        self._scenario = scenario
        self._call_at = call_at

    def digital(self, meter: int, wire: DigitalInput) -> None:
        """Wire a digital input."""
        io, number = self._fleet.io, int(wire.input[2:])
        if wire.switch is not None:
            self._follow_switch(meter, number, wire.switch, on_when_closed=wire.on_when == "closed")
        elif wire.pulses:
            steps = [(self._instant(step.at), step.rate) for step in wire.pulses]
            io.feed(meter, number, TablePulses(steps, width_ns=round(wire.width * NS_PER_SECOND)))
        elif wire.output is not None:
            source = self._fleet.index(wire.output.meter)
            assert source is not None  # checked with the scenario
            io.link(source, wire.output.output, meter, number)
        else:
            io.preset_input(meter, number, on=wire.starts == "on")
            for step in wire.schedule:
                change = partial(io.set_input, meter, number, on=step.to == "on")
                self._call_at(self._instant(step.at), change)

    def analogue(self, meter: int, transducer: AnalogueInput) -> None:
        """Wire an analogue input to its transducer."""
        give = partial(self._give, meter, transducer)
        for point in transducer.profile:
            self._call_at(self._instant(point.at), partial(give, point.value))
        if transducer.quantity is not None:
            assert isinstance(self._site, Site)
            measure = _quantity(self._site, transducer)
            self._site.watch(lambda: give(measure()))
            give(measure())

    def output(self, meter: int, wire: SwitchOutput) -> None:
        """Wire an output to a switch, which it operates when it closes."""
        fleet, site = self._fleet, self._site
        delay_ns = round(wire.delay * NS_PER_SECOND)
        cause = f"{fleet.names[meter]} {wire.output}"

        def operate() -> None:
            site.operate(wire.switch, closed=wire.action == "close", cause=cause)

        def moved(on: bool) -> None:
            if on:
                self._call_at(fleet.now_ns + delay_ns, operate)

        fleet.io.listen(meter, wire.output, moved)

    def _follow_switch(self, meter: int, number: int, switch: str, *, on_when_closed: bool) -> None:
        io, site = self._fleet.io, self._site
        assert isinstance(site, Site)

        def operated(which: str, closed: bool, cause: str) -> None:
            del cause
            if which == switch:
                io.set_input(meter, number, on=closed is on_when_closed)

        io.preset_input(meter, number, on=site.switches[switch] is on_when_closed)
        site.on_operate(operated)

    def _give(self, meter: int, transducer: AnalogueInput, value: float) -> None:
        """Let a transducer send a value: between 0 and 120 % of its signal, as a real one can."""
        share = (value - transducer.low) / (transducer.high - transducer.low)
        if transducer.signal in ("4-20 mA", "1-5 V"):
            share = _LIVE_ZERO + (1.0 - _LIVE_ZERO) * share
        milliamperes = 20.0 * min(max(share, 0.0), 1.2)
        self._fleet.io.set_analogue(meter, int(transducer.input[2:]), milliamperes)

    def _instant(self, text: str) -> int:
        return parse_local(text, self._scenario.zone, after_ns=self._scenario.start_ns)


def _quantity(site: Site, transducer: AnalogueInput) -> Callable[[], float]:
    """Return what measures a transducer's quantity [Hz or V]."""
    if transducer.quantity == "frequency":
        return lambda: site.frequency
    bus = site.solver.network.bus_index[str(transducer.bus)]
    site.buses.watch()

    def voltage() -> float:
        sizes = np.abs(site.buses.at(bus))
        present = sizes[sizes > 0.0]
        return float(present.mean()) if present.size else 0.0

    return voltage
