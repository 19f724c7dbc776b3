"""Commands on a site that does not run: check, schema, import, flow, fault, harmonics, export."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin.cli.command import finding_row, finding_rows
from twin.contracts import BadInputError, Finding, Mark, TwinError

COLLAPSED_PU = 0.5
"""Below it no network is run on purpose: its loads ask for more than it can carry [pu]."""


def check(options: argparse.Namespace) -> int:
    """Print every finding of a scenario or network file."""
    from twin.scenario import is_scenario, load_scenario  # noqa: PLC0415

    findings: tuple[Finding, ...] = ()
    lines: list[str] = []
    try:
        if is_scenario(options.site):
            scenario = load_scenario(options.site)
            network, played = scenario.network, scenario.played
            lines.append(_network_line(network) if played is None else f"played: {network.name}")
            lines.append(
                f"{len(scenario.loads.points)} load points, {len(scenario.meters)} meters, "
                f"{len(scenario.events)} events"
            )
        else:
            network = _network(options.site)
            lines.append(_network_line(network))
        if options.solve:
            if not (is_scenario(options.site) and scenario.played):
                lines.append(_solve_line(network, options.site))
            if is_scenario(options.site):
                _build(scenario)
    except BadInputError as error:
        findings = error.findings
    except TwinError as error:
        if not options.json:
            raise
        _write_json(finding_rows(error))
        return 2
    if options.json:
        _write_json([finding_row(finding) for finding in findings])
    elif findings:
        sys.stderr.write("".join(f"{finding}\n" for finding in findings))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in [*lines, "no findings"]))
    return 2 if findings else 0


def schema(options: argparse.Namespace) -> int:
    """Print the JSON Schema of scenario files."""
    from twin.scenario.schema import Scenario  # noqa: PLC0415

    del options
    _write_json(Scenario.model_json_schema(), indent=2)
    return 0


def import_network(options: argparse.Namespace) -> int:
    """Convert a network and say what was assumed."""
    if options.format == "simbench":
        from twin.grid.importers.simbench_net import import_simbench  # noqa: PLC0415

        assumptions = import_simbench(options.source, Path(options.out))
    else:
        from twin.grid.importers.files import import_file  # noqa: PLC0415

        assumptions = import_file(options.source, options.out, program=options.format)
    sys.stdout.write(f"written to {options.out}; assumed:\n")
    sys.stdout.write("".join(f"- {assumption}\n" for assumption in assumptions))
    return 0


def flow(options: argparse.Namespace) -> int:
    """Print the voltages of a solved network."""
    from twin import grid  # noqa: PLC0415

    if not 0.0 < options.v_min <= 1.0:
        what, mend = f"{options.v_min:g} is no limit of a voltage", "give more than 0, at most 1, in pu"
        raise BadInputError(Finding(Mark("command line"), "--v-min", what, mend))
    network, moment = _site(options)
    if moment is not None and options.loads == "constant_power":
        rows = moment.flow(v_min_pu=options.v_min)
    else:
        _refuse_faults(moment)
        rows = grid.flow(network, loads=options.loads, v_min_pu=options.v_min)
        _warn_of_collapse(network, rows)
    _print_voltages(rows, as_json=options.json)
    return 0


def _warn_of_collapse(network: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Say on stderr where a load no longer draws its power: what is printed is no operating state."""
    level = {(row["bus"], row["phase"]): row["v_pu"] for row in rows}
    for load in network.loads:
        lowest = min(level[load.bus, phase] for phase in load.phases)
        if 0 < lowest < COLLAPSED_PU and any(load.p):
            sys.stderr.write(
                f"warning: load '{load.name}' at bus '{load.bus}' has {lowest:.3f} pu and no longer draws "
                "its power; lower the loads, or strengthen the network\n"
            )


def fault(options: argparse.Namespace) -> int:
    """Print voltages and fault current of a short circuit."""
    from twin import grid  # noqa: PLC0415

    network, moment = _site(options)
    _refuse_faults(moment)
    result = grid.fault(
        network,
        bus=options.bus,
        type=options.type,
        phases=options.phases or {"slg": "a", "ll": "bc", "llg": "bc", "3ph": "abc"}[options.type],
        resistance=options.resistance,
        loads=options.loads,
    )
    if options.json:
        _write_json(result)
        return 0
    _print_voltages(result["voltages"], as_json=False)
    for phase, current in result["fault_current_a"].items():
        angle = "-" if current["angle_deg"] is None else f"{current['angle_deg']:.3f}"
        sys.stdout.write(f"I {phase} {current['magnitude']:12.3f} A {angle:>10} deg\n")
    return 0


def harmonics(options: argparse.Namespace) -> int:
    """Print the voltages of a network at each harmonic order."""
    from twin import grid  # noqa: PLC0415

    network, moment = _site(options)
    _refuse_faults(moment)
    rows = grid.harmonics(network, damping=options.damping)
    _warn_of_collapse(network, [row for row in rows if row["h"] == 1])
    if options.json:
        _write_json(rows)
        return 0
    sys.stdout.write(f"{'h':>3} {'bus':<16} ph {'V':>12} {'% of V1':>10} {'angle deg':>10}\n")
    for row in rows:
        percent = "-" if row["percent_of_v1"] is None else f"{row['percent_of_v1']:.4f}"
        sys.stdout.write(
            f"{row['h']:>3} {row['bus']:<16} {row['phase']:<2} {row['v_volt']:12.4f} {percent:>10} "
            f"{'-' if row['angle_deg'] is None else format(row['angle_deg'], '.3f'):>10}\n"
        )
    return 0


def export(options: argparse.Namespace) -> int:
    """Print a scenario's tag list as CSV."""
    from twin.meters import build_fleet  # noqa: PLC0415
    from twin.protocols import points_csv  # noqa: PLC0415
    from twin.scenario import load_scenario  # noqa: PLC0415

    scenario = load_scenario(options.scenario)
    fleet = build_fleet([meter.config for meter in scenario.meters], start_ns=scenario.start_ns)
    devices = [
        _Tagged(meter.config.name, fleet.points(at), fleet.coils(at), fleet.inputs(at))
        for at, meter in enumerate(scenario.meters)
    ]
    sys.stdout.write(points_csv(devices))
    return 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Tagged:
    """A meter as a tag list needs it."""

    name: str
    points: tuple[Any, ...]
    coils: tuple[Any, ...]
    inputs: tuple[Any, ...]


def _site(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return a network and None, or a scenario's network at the time asked for and that moment."""
    from twin.scenario import is_scenario, load_scenario  # noqa: PLC0415

    at = getattr(options, "at", None)
    if not is_scenario(options.site):
        if at is not None:
            what, mend = "a network file has no time", "give a scenario, or leave --at out"
            raise BadInputError(Finding(Mark("command line"), "--at", what, mend))
        return _network(options.site), None
    from twin.cli.options import parse_time  # noqa: PLC0415
    from twin.simulation.moment import moment_of  # noqa: PLC0415

    scenario = load_scenario(options.site)
    moment = moment_of(scenario, scenario.start_ns if at is None else parse_time(at, scenario, "--at"))
    return moment.network, moment


def _refuse_faults(moment: Any) -> None:
    """Refuse a study that would leave out a fault that the scenario has applied at that time."""
    if moment is not None and moment.faults:
        what = f"fault '{moment.faults[0].name}' is applied at that time"
        mend = "choose another time; flow with constant-power loads takes faults in"
        raise BadInputError(Finding(Mark("command line"), "--at", what, mend))


def _network(path: str) -> Any:
    from twin.grid import check_network, read_network  # noqa: PLC0415
    from twin.grid.importers.files import read_foreign  # noqa: PLC0415

    foreign = read_foreign(path)
    network = read_network(path) if foreign is None else foreign[0]
    findings = check_network(network)
    if findings:
        raise BadInputError(*findings)
    return network


def _network_line(network: Any) -> str:
    return (
        f"network {network.name}: {len(network.buses)} buses, {len(network.branches)} branches, "
        f"{len(network.loads)} loads"
    )


def _solve_line(network: Any, file: str) -> str:
    from twin import grid  # noqa: PLC0415

    rows = grid.flow(network)
    live = [row for row in rows if row["v_pu"] > 0]
    lowest = min(live, key=lambda row: row["v_pu"])
    if lowest["v_pu"] < COLLAPSED_PU:
        what = f"at rated loads the voltage collapses: {lowest['v_pu']:.3f} pu at bus '{lowest['bus']}'"
        raise BadInputError(Finding(Mark(file), "", what, "lower the loads, or strengthen the network"))
    return f"solved at rated loads: {lowest['v_pu']:.4f} .. {max(row['v_pu'] for row in live):.4f} pu"


def _build(scenario: Any) -> None:
    """Build and solve a scenario's site, which reads its profiles too."""
    from twin.simulation import build_site  # noqa: PLC0415

    with build_site(scenario) as site:
        site.begin()


def _print_voltages(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _write_json(list(rows))
        return
    sys.stdout.write(f"{'bus':<16} ph {'V':>12} {'pu':>10} {'angle deg':>10}\n")
    for row in rows:
        angle = "-" if row["angle_deg"] is None else f"{row['angle_deg']:.4f}"
        sys.stdout.write(
            f"{row['bus']:<16} {row['phase']:<2} {row['v_volt']:12.4f} {row['v_pu']:10.6f} {angle:>10}\n"
        )


def _write_json(value: Any, indent: int | None = None) -> None:
    sys.stdout.write(json.dumps(value, indent=indent, ensure_ascii=False) + "\n")
