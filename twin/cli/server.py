"""What ``twin serve`` keeps running: simulation, endpoints, pages; started and stopped in order."""

import gc
import os
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from twin.cli.control import ControlSettings, start_control
from twin.contracts import BadInputError, Finding
from twin.documents.validation import dotted
from twin.recording import Place
from twin.scenario import SiteScenario, utc_text
from twin.simulation import LiveSession, build_site
from twin.simulation.replaying import RecordedSession
from twin.simulation.site_endpoints import SiteEndpoints, place_of
from twin.simulation.warm_up import kinds_of, warm_up_for


class SiteServer:
    """A live site: enter it to start everything, leave it to stop everything.

    Nothing is recorded and no time passes unless every port could be bound.
    """

    def __init__(
        self,
        scenario: SiteScenario,
        out: Place,
        *,
        overwrite: bool,
        speed: float,
        paused: bool = False,
        bind: str,
        dashboard_port: int | None,
        with_dashboard: bool,
        from_ns: int | None,
        session: RecordedSession | None = None,
        control: ControlSettings | None = None,
    ) -> None:
        self._scenario = scenario
        self._out = out
        self._overwrite = overwrite
        self._from_ns = from_ns
        self._paused = paused
        self._resumed = () if session is None else session.commands
        self._described = None if session is None else session.described
        page = scenario.scenario.dashboard
        self._page = None if page is None or not with_dashboard else (page.host or bind, page.port)
        if self._page is not None and dashboard_port is not None:
            self._page = (self._page[0], dashboard_port)
        self._dashboard: Any = None
        self._control_settings = control
        self._control: Any = None
        self._undo = ExitStack()
        self._site = build_site(scenario)
        self._session: LiveSession = self._site.live(speed=speed)
        self._undo.callback(self._site.close)
        self._undo.callback(self._session.stop)
        try:
            meters = {meter.name: meter for meter in self._session.meters}
            self._endpoints = SiteEndpoints(scenario, meters, bind, self._session.submit)
        except BaseException:
            self._undo.close()
            raise

    def __enter__(self) -> Self:
        try:
            warm_up_for(kinds_of(self._scenario))  # no kernel compiles once time has started
            self._session.open()
            self._start_endpoints()
            if self._page is not None:
                self._start_dashboard(*self._page)
            if self._control_settings is not None:
                self._start_control(self._control_settings)
            self._site.record_to(self._out, overwrite=self._overwrite, described=self._described)
            if self._from_ns is not None:
                self._session.skip_to(self._from_ns, self._resumed)
            self._freeze()
            self._session.start(paused=self._paused)
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def _freeze(self) -> None:
        """Take what has been built, which lasts to the end, out of what is searched for garbage.

        With many meters a search of it all would keep a tick waiting.
        """
        gc.collect()
        gc.freeze()
        self._undo.callback(gc.unfreeze)

    def give_up(self) -> None:
        """End a start that is still running up to its first time; from a signal handler."""
        self._session.give_up()

    @property
    def session(self) -> LiveSession:
        """The simulation."""
        return self._session

    @property
    def endpoint_pid(self) -> int | None:
        """Number of the process that serves the endpoints now."""
        return self._endpoints.process.pid

    @property
    def running(self) -> bool:
        """Whether everything that was started still runs."""
        return self._session.running and (self._endpoints.process.running or not self._endpoints.any)

    @property
    def watched(self) -> bool:
        """Whether there are pages or an interface by which people see the site."""
        return self._dashboard is not None or self._control is not None

    @property
    def ended(self) -> bool:
        """Whether simulated time has come to the scenario's end."""
        frame = self._session.latest()
        return frame is not None and frame.sim_ns >= self._scenario.end_ns

    @property
    def failure(self) -> BaseException | None:
        """What ended the simulation, if it was not asked to."""
        return self._session.failure

    def ready(self) -> dict[str, Any]:
        """Return the content of the ready file."""
        return {
            "pid": os.getpid(),
            "sim_start_utc": utc_text(self._scenario.start_ns),
            "dashboard": self._dashboard.url if self._dashboard is not None else None,
            "endpoints": self._endpoints.entries(),
            **self._control_entries(),
        }

    def describe(self) -> str:
        """Return where everything listens, for people."""
        lines = [self._scenario.scenario.title]
        if self._dashboard is not None:
            lines.append(f"  dashboard  {self._dashboard.url}")
        if self._control is not None and self._control_settings is not None:
            shown = f"  token {self._control_settings.token}" if self._control_settings.generated else ""
            lines.append(f"  control    {self._control.url}{shown}")
        lines += [
            f"  {entry['protocol']}  {place_of(entry)}  unit {entry['unit']:<3}  {entry['meter']}"
            for entry in self._endpoints.entries()
        ]
        lines += [f"  recording  {self._out}", "  Ctrl-C stops", ""]
        return "\n".join(lines)

    def _start_endpoints(self) -> None:
        if not self._endpoints.any:
            return
        self._endpoints.start()
        self._undo.callback(self._endpoints.process.stop)
        self._endpoints.follow(self._site.communication)
        self._session.watch_endpoints(
            lambda: self._endpoints.process.trouble, self._endpoints.process.await_faults
        )
        self._session.name_endpoints(self._endpoints.named())

    def _bad(self, path: tuple[str | int, ...], what: str, mend: str) -> BadInputError:
        return BadInputError(Finding(self._scenario.document.mark(path), dotted(path), what, mend))

    def _control_entries(self) -> dict[str, Any]:
        """Return what the ready file says of the control interface; the token where there is one."""
        if self._control is None or self._control_settings is None:
            return {"api": None}
        return {"api": self._control.url, "api_token": self._control_settings.token}

    def _start_control(self, settings: ControlSettings) -> None:
        self._control = start_control(
            settings,
            self._scenario,
            self._site,
            self._session,
            self._out,
            endpoints=self._endpoints.entries,
            dashboard=lambda: None if self._dashboard is None else self._dashboard.url,
        )
        self._undo.callback(self._control.stop)

    def _start_dashboard(self, host: str, port: int) -> None:
        from dashboards import DashboardError, create_app, serve  # noqa: PLC0415

        app = create_app(self._session, self._out, self._session.submit)
        try:
            self._dashboard = serve(app, host, port)
        except DashboardError as error:
            what, _, mend = (error.strerror or str(error)).partition("; ")
            raise self._bad(("dashboard", "port"), what, mend) from error
        self._undo.callback(self._dashboard.stop)
