"""The control interface of a served site: where it listens, and with which token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.contracts import BadInputError, Finding, Mark
from twin.documents.validation import dotted
from twin.recording import Place
from twin.scenario import SiteScenario

if TYPE_CHECKING:
    from twin.api import ControlServer
    from twin.simulation import LiveSession, RunningSite

TOKEN_VARIABLE = "TWIN_API_TOKEN"
"""Environment variable with the token; a process list shows command lines, but not this."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Where the interface listens, and what clients must show."""

    host: str
    port: int
    token: str
    generated: bool
    """Nobody has chosen the token, so nobody knows it yet."""


def control_settings(
    scenario: SiteScenario, *, bind: str, port: int | None, token: str | None
) -> ControlSettings | None:
    """Return how to serve the interface, or None where nobody wants it.

    Parameters
    ----------
    scenario : SiteScenario
    bind : str
        Address to listen on where the scenario names none.
    port : int or None
        Port of the command line.
    token : str or None
        Token of the environment.

    Raises
    ------
    BadInputError
        The token is none, or missing on an address that others can reach.
    """
    given = scenario.scenario.api
    if given is None and port is None:
        return None
    from twin.api import TokenError, token_of  # noqa: PLC0415

    host = (given.host if given is not None else None) or bind
    chosen = token or (given.token if given is not None else None)
    try:
        used = token_of(chosen, host=host)
    except TokenError as error:
        if token or given is None:
            what, _, mend = str(error).partition("; ")
            raise BadInputError(Finding(Mark("environment"), TOKEN_VARIABLE, what, mend)) from error
        raise _bad(scenario, "token", str(error)) from error
    wanted = port if port is not None else given.port if given is not None else 0
    return ControlSettings(host, wanted, used, generated=chosen is None)


def start_control(
    settings: ControlSettings,
    scenario: SiteScenario,
    site: "RunningSite",
    session: "LiveSession",
    recording: Place,
    *,
    endpoints: Callable[[], Sequence[Mapping[str, Any]]],
    dashboard: Callable[[], str | None],
) -> "ControlServer":
    """Start serving the interface of a site.

    Raises
    ------
    BadInputError
        Its port cannot be had.
    """
    from twin.api import ControlledSite, ListenError, serve  # noqa: PLC0415

    controlled = ControlledSite(
        session=session,
        recording=recording,
        end_ns=scenario.end_ns,
        endpoints=endpoints,
        dashboard=dashboard,
        findings=site.injector.findings,
    )
    try:
        return serve(controlled, settings.token, host=settings.host, port=settings.port)
    except ListenError as error:
        raise _bad(scenario, "port", error.strerror or str(error)) from error


def _bad(scenario: SiteScenario, field: str, text: str) -> BadInputError:
    path = ("api", field)
    what, _, mend = text.partition("; ")
    return BadInputError(Finding(scenario.document.mark(path), dotted(path), what, mend))
