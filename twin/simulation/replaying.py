"""A recorded session, lived again: the same scenario, the same commands at the same simulated times."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from twin.contracts import BadInputError, Command, CommandRecord, Finding, Mark
from twin.recording import Recording
from twin.scenario import SiteScenario, load_scenario
from twin.scenario.sources import SourceFile, lay_out
from twin.simulation.engine import Engine, NoSolutionError


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """What a recording knows of how it came about."""

    scenario: SiteScenario
    commands: tuple[CommandRecord, ...]
    """In the order in which they were applied."""
    reached_ns: int
    """Up to when the recording holds all that happened, UTC [ns]."""
    complete: bool
    """Whether its writer closed it."""
    described: Mapping[str, object]
    """What the recording says of its scenario."""


@contextmanager
def recorded_session(recording: Recording) -> Iterator[RecordedSession]:
    """Give the session of a recording; the scenario's files are laid out until the end of the block.

    Raises
    ------
    BadInputError
        The recording does not know its scenario or how far it came, or a data file has changed.
    """
    info = recording.info
    files, where = info.scenario.get("files"), Mark(str(recording.path))
    if not files or info.reached_ns is None:
        what = "does not hold its scenario" if not files else "does not say how far it came"
        raise BadInputError(Finding(where, "", what, "record the scenario again"))
    assert isinstance(files, Sequence)
    with TemporaryDirectory(prefix="twin-session-") as folder:
        path = lay_out([SourceFile.of(file) for file in files], Path(folder))
        seed, start_ns, end_ns = (info.scenario[key] for key in ("seed", "start_ns", "end_ns"))
        assert isinstance(seed, int)
        assert isinstance(start_ns, int)
        assert isinstance(end_ns, int)
        scenario = load_scenario(path, seed=seed, duration_s=(end_ns - start_ns) / 1e9)
        commands = tuple(recording.commands())
        yield RecordedSession(scenario, commands, info.reached_ns, info.complete, info.scenario)


def live_again(
    engine: Engine,
    commands: Sequence[CommandRecord],
    until_ns: int,
    *,
    advance: Callable[[int], bool],
) -> list[str]:
    """Carry out recorded commands at their times, up to and including one.

    Parameters
    ----------
    engine : Engine
        At the start, begun.
    commands : sequence of CommandRecord
    until_ns : int
        UTC [ns].
    advance : callable
        Brings the engine to an instant, UTC [ns]; returns whether to go on.

    Returns
    -------
    list of str
        Commands that were answered otherwise than they were then.
    """
    otherwise = []
    for command in commands:
        if command.applied_ns > until_ns or not _advanced(engine, command.applied_ns, until_ns, advance):
            break
        answer = engine.apply(Command(command.source, command.target, command.verb, command.arguments))
        refusal = None if answer.refusal is None else answer.refusal.value
        if refusal != command.refusal:
            otherwise.append(
                f"command {command.sequence}, {command.verb} of {command.target}: "
                f"{command.refusal or 'done'} then, {refusal or 'done'} now"
            )
    _advanced(engine, until_ns, until_ns, advance)
    return otherwise


def _advanced(engine: Engine, to_ns: int, until_ns: int, advance: Callable[[int], bool]) -> bool:
    """Bring the engine to an instant; return whether to go on: not where the recorded site ended as well."""
    try:
        return advance(to_ns)
    except NoSolutionError:
        if engine.now_ns < until_ns:
            raise
        return False
