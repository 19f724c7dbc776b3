"""From a scenario file to a checked, resolved scenario; all findings at once."""

from dataclasses import replace
from pathlib import Path

from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark
from twin.documents import Document, read_yaml, validate
from twin.grid import Network, check_network, read_network
from twin.scenario.checks import SITE_FIELDS, check_scenario
from twin.scenario.context import Context
from twin.scenario.loads import resolve_loads
from twin.scenario.metering import install_meters
from twin.scenario.played import read_played
from twin.scenario.schema import Scenario
from twin.scenario.site_scenario import ScheduledEvent, SiteScenario
from twin.scenario.times import parse_local, time_zone


def is_scenario(path: Path | str) -> bool:
    """Return whether a file is a scenario and not a network, of our own kind or another program's."""
    if Path(path).suffix.lower() in {".dss", ".json"}:
        return False
    data = read_yaml(path).data
    return isinstance(data, dict) and any(field in data for field in SITE_FIELDS) and "buses" not in data


def load_scenario(
    path: Path | str, *, seed: int | None = None, duration_s: float | None = None
) -> SiteScenario:
    """Read a scenario and everything that it names.

    Parameters
    ----------
    path : path
        Scenario file.
    seed : int, optional
        Used instead of the scenario's.
    duration_s : float, optional
        Used instead of the scenario's [s].

    Raises
    ------
    BadInputError
        With every finding of the scenario, or of its network file.
    """
    return resolve_scenario(read_yaml(path), seed=seed, duration_s=duration_s)


def resolve_scenario(
    document: Document,
    *,
    network: Network | None = None,
    seed: int | None = None,
    duration_s: float | None = None,
) -> SiteScenario:
    """Return the scenario of a document that has been read, with everything that it names.

    Parameters
    ----------
    document : Document
        Of a scenario; other files are looked for beside its file.
    network : Network, optional
        Checked; used instead of the network file.
    seed, duration_s : optional
        As of `load_scenario`.

    Raises
    ------
    BadInputError
        With every finding of the scenario, or of its network file.
    """
    scenario = validate(document, Scenario)
    if seed is not None:
        if not 0 <= seed < 2**63:
            what, mend = f"{seed} is out of range", "give a number from 0 to 9223372036854775807"
            raise BadInputError(Finding(Mark("command line"), "--seed", what, mend))
        scenario = scenario.model_copy(update={"seed": seed})
    _require_one_site(document, scenario)
    played = read_played(document, scenario)
    if played is not None:
        network = played.terminals
    elif network is None:
        network = _network(document, scenario)
    context = _context(document, scenario, network)
    findings = check_scenario(context)
    if findings:
        raise BadInputError(*findings)
    if duration_s is not None:
        # After the checks: a run that is cut short just does not get to its later events.
        scenario = scenario.model_copy(update={"duration": duration_s})
    loads = resolve_loads(scenario, network)
    meters, findings = install_meters(context, loads)
    if findings:
        raise BadInputError(*sorted(findings, key=lambda finding: finding.where))
    events = tuple(
        ScheduledEvent(parse_local(event.at, context.zone, after_ns=context.start_ns), event)
        for event in scenario.events
    )
    return SiteScenario(
        Path(document.file),
        document,
        scenario,
        network,
        context.zone,
        context.start_ns,
        loads,
        tuple(meters),
        events,
        played,
    )


def _require_one_site(document: Document, scenario: Scenario) -> None:
    given = [field for field in SITE_FIELDS if getattr(scenario, field) is not None]
    if len(given) != 1:
        what = f"{' and '.join(given)} exclude each other" if given else "there is no site"
        field = given[1] if given else "network"
        mend = "give one of network, source and recording"
        raise BadInputError(Finding(document.mark((field,) if given else ()), field, what, mend))


def _network(document: Document, scenario: Scenario) -> Network:
    assert scenario.network is not None
    path = Path(document.file).parent / scenario.network
    if not path.is_file():
        mend = "correct the path, or import it (twin import simbench CODE --out DIR)"
        what = f"network file '{scenario.network}' is not there"
        raise BadInputError(Finding(document.mark(("network",)), "network", what, mend))
    network = read_network(path)
    findings = check_network(network)
    if findings:
        raise BadInputError(*(_placed(finding, str(path)) for finding in findings))
    return network


def _placed(finding: Finding, file: str) -> Finding:
    where = finding.where
    return finding if where.file else replace(finding, where=replace(where, file=file))


def _context(document: Document, scenario: Scenario, network: Network) -> Context:
    try:
        zone = time_zone(scenario.time_zone)
    except ValueError as error:
        raise _bad(document, "time_zone", error) from None
    try:
        start_ns = parse_local(scenario.start, zone)
    except ValueError as error:
        raise _bad(document, "start", error) from None
    end_ns = start_ns + round(scenario.duration * NS_PER_SECOND)
    return Context(document, scenario, network, zone, start_ns, end_ns)


def _bad(document: Document, field: str, error: ValueError) -> BadInputError:
    what, _, mend = str(error).partition("; ")
    return BadInputError(Finding(document.mark((field,)), field, what, mend))
