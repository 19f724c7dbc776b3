"""A site that is lived with as a session does, for `test_warm_up`: which kernels compile on the way?"""

import importlib
import json
import sys
from pathlib import Path

import twin
from tests.sites import SCENARIO, write_site
from twin.contracts import Command
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.warm_up import kinds_of, warm_up_for

TICK = 100_000_000
METERS = """
  - {{name: other, profile: kw320, at: {{load: HOUSE1}}, {kind}}}
  - {{name: third, profile: kw320q, at: {{branch: CABLE2}}, pt: "400:100", ct: "50:5", {kind}}}
"""
WIRED = "".join(
    f"  - {{name: {wiring}, profile: kw320q, at: {{branch: CABLE1}}, "
    f"wiring: {wiring}, current_wiring: {currents}}}\n"
    for wiring, currents in (("2LL", "2CT"), ("3LL", "3CT"), ("1LL", "1CT"), ("1LN", "1CT"))
)
MOTOR = """
motors: [{name: PUMP, bus: MAIN, power: 4 kW, speed: 1440, inertia: 0.05, running: false, resolution: 10 %}]
"""
FAULT = {
    "event": "fault",
    "name": "F9",
    "bus": "MAIN",
    "type": "llg",
    "phases": "bc",
    "resistance": "80 mohm",
    "clear_after": "120 ms",
}


def kernels():
    from numba.core.dispatcher import Dispatcher

    found, root = {}, Path(twin.__file__).parent
    for path in sorted(root.rglob("*kernels.py")):
        name = ".".join(["twin", *path.relative_to(root).with_suffix("").parts])
        for key, item in vars(importlib.import_module(name)).items():
            if isinstance(item, Dispatcher) and item.py_func.__module__ == name:
                found[f"{name}.{key}"] = {str(one) for one in item.nopython_signatures}
    return found


def live(folder, kind):
    """A site of its own with load steps, switches, sags, a motor start and captures, as a session has it."""
    text = SCENARIO.replace(
        "constant, loads: all", "household, loads: [HOUSE1, HOUSE2]}\n  - {model: constant, loads: all"
    )
    text = (
        text.replace("18:02", "18:00:02")
        .replace("18:05:00", "18:00:03")
        .replace("events:", METERS.format(kind=kind) + (WIRED if "load_profile" in kind else "") + "events:")
    )
    loaded = load_scenario(write_site(folder, scenario=text + MOTOR))
    warm_up_for(kinds_of(loaded))
    before = kernels()
    with build_site(loaded) as site:
        session = site.live(speed=1.0)
        session.open()
        site.record_to(folder / "recording", overwrite=True)
        engine, publisher = site.engine, session._publisher
        inject = {"event": "motor", "motor": "PUMP", "to": "on"}
        for tick in range(1, 65):
            at = loaded.start_ns + tick * TICK
            if tick % 3:
                publisher.prepare(at)
            engine.advance_to(at)
            publisher.publish(at)
            if tick == 41:
                assert engine.apply(Command("t", "site", "inject", FAULT)).refusal is None
            if tick == 47:
                assert engine.apply(Command("t", "SW2", "open")).refusal is None
            if tick == 53:
                assert engine.apply(Command("t", "SW2", "close")).refusal is None
            if tick == 49:  # a master sets another wiring
                words = {"address": 0x1003, "words": [3, 2]}
                assert engine.apply(Command("t", "third", "write_registers", words)).refusal is None
            if tick == 55:
                assert engine.apply(Command("t", "site", "inject", inject)).refusal is None
            if tick % 10 == 5:
                session._draw()
        if "load_profile" in kind:  # its first interval
            engine.advance_to(loaded.start_ns + 61 * 10**9)
            publisher.publish(engine.now_ns)
        events = site.summary()["meters"][1]["events"]
    after = kernels()
    new = {name: sorted(after[name] - before[name]) for name in after if after[name] - before[name]}
    return {"new": new, "events": events, "kernels": sum(map(bool, after.values()))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(live(Path(sys.argv[1]), sys.argv[2])))
