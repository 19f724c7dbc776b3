"""A site that a test drives: it is served on free ports, and time passes only when the test says so."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from twin.alarming.rules import read_rules
from twin.alarming.running import Lockstep
from twin.api.meters import decoded
from twin.contracts import NS_PER_SECOND, Answer, Command, Point, RegisterBlock, TwinError
from twin.documents import parse_quantity, suggestion
from twin.protocols.bit_map import BitMap
from twin.protocols.points import points_csv
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import LiveMeter, build_site
from twin.simulation.site_endpoints import SiteEndpoints
from twin.simulation.warm_up import kinds_of, warm_up_for
from twin.testing.alarm_watch import AlarmWatch

_SOURCE = "test"
_PATIENCE_S = 120.0
_LONGEST_STEP_NS = 86400 * NS_PER_SECOND
"""What the site passes at most at one command."""


class SiteRefusedError(TwinError, ValueError):
    """The site does not do what the test asks of it."""


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where a meter answers by Modbus TCP."""

    host: str
    port: int
    unit: int


def _holds(block: RegisterBlock, point: Point) -> bool:
    return block.address <= point.address < block.address + block.count


class SiteUnderTest:
    """A served site in virtual time; use it as a context manager, or through the fixture ``twin_site``.

    Parameters
    ----------
    scenario : Path or str
        File.
    recording : Path
        Directory to create.
    """

    def __init__(self, scenario: Path | str, *, recording: Path) -> None:
        self._loaded = load_scenario(str(scenario))
        self._recording = recording
        self._undo = ExitStack()
        self._runner = asyncio.Runner()
        self._watches: list[Lockstep] = []
        self._undo.callback(self._runner.close)
        self._undo.callback(self.unwatch)
        try:
            self._site = build_site(self._loaded)
            self._undo.callback(self._site.close)
            self._session = self._site.live(speed=1.0)
            self._undo.callback(self._session.stop)
            meters = {meter.name: meter for meter in self._session.meters}
            self._endpoints = SiteEndpoints(
                self._loaded,
                meters,
                "127.0.0.1",
                self._session.submit,
                free_ports=True,
                answer_timeout_s=_PATIENCE_S,  # a machine that is slow is no meter that is busy
            )
        except BaseException:
            self._undo.close()
            raise

    def __enter__(self) -> Self:
        """Start everything; time stands still at the scenario's start.

        Kernels that its meters need are compiled and loaded before, once in a process.
        """
        try:
            warm_up_for(kinds_of(self._loaded))
            self._session.open()
            if self._endpoints.any:
                self._endpoints.start()
                self._undo.callback(self._endpoints.process.stop)
                process = self._endpoints.process
                self._endpoints.follow(self._site.communication)
                self._session.watch_endpoints(lambda: process.trouble, process.await_faults)
            self._site.record_to(self._recording, overwrite=False)
            self._session.start(paused=True)
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything; a simulation that has failed fails the test."""
        self._undo.close()
        if error is None and self._session.failure is not None:
            raise self._session.failure

    # -- time ---------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Simulated time, UTC [ns]."""
        return self._session.now_ns

    @property
    def ended(self) -> bool:
        """Whether simulated time has come to the scenario's end."""
        return self.now_ns >= self._loaded.end_ns

    def step(self, span: str | float) -> None:
        """Let simulated time pass; alarm servers that watch poll on their way.

        Parameters
        ----------
        span : str or float
            ``"5 s"``, ``"2 min"``, or seconds. It ends with the scenario at the latest.
        """
        seconds = parse_quantity(span, "s") if isinstance(span, str) else float(span)
        self._pass_until(min(self.now_ns + round(seconds * NS_PER_SECOND), self._loaded.end_ns))

    def step_until_quiet(self, *, quiet: str = "30 s", longest: str = "10 min") -> None:
        """Let time pass until no alarm has changed for some time.

        Raises
        ------
        SiteRefusedError
            It has not become quiet within ``longest``.
        """
        quiet_ns, longest_ns = (round(parse_quantity(text, "s") * NS_PER_SECOND) for text in (quiet, longest))
        until_ns = min(self.now_ns + longest_ns, self._loaded.end_ns)
        changed_ns = self.now_ns
        while self.now_ns < until_ns:
            before = sum(len(watch.server.journal) for watch in self._watches)
            self._pass_until(min(self.now_ns + NS_PER_SECOND, until_ns))
            if sum(len(watch.server.journal) for watch in self._watches) != before:
                changed_ns = self.now_ns
            if self.now_ns - changed_ns >= quiet_ns:
                return
        if self.now_ns - changed_ns < quiet_ns and not self.ended:
            raise SiteRefusedError(f"alarms still changed after {longest}; step by hand to see which")

    def _pass_until(self, until_ns: int) -> None:
        self._poll()
        while self.now_ns < until_ns:
            due = [watch.due_ns for watch in self._watches]
            target_ns = min([*due, until_ns, self.now_ns + _LONGEST_STEP_NS])
            self._ask("clock", "step", seconds=(target_ns - self.now_ns) / NS_PER_SECOND)
            self._poll()

    def _poll(self) -> None:
        for watch in self._watches:
            if watch.due_ns <= self.now_ns:
                self._runner.run(watch.poll(self.now_ns))

    # -- what a test does to the site ---------------------------------------------------------------

    def inject(self, event: str, **fields: object) -> None:
        """Have something happen now: the fields of an event of the scenario, without its time.

        For example ``site.inject("fault", name="digger", bus="B1", type="slg", phases="a")``.
        """
        self._ask("site", "inject", event=event, **fields)

    def communication_fault(
        self, name: str, *, meters: Sequence[str] | None = None, **faults: object
    ) -> None:
        """Have something go wrong between meters and their masters, now: for the next request already.

        For example ``site.communication_fault("wan", meters=["home"], lost_answers="5 %")``.

        Parameters
        ----------
        name : str
            To `clear` it by.
        meters : sequence of str, optional
            All that have an endpoint when absent.
        faults
            As of the scenario's event ``communication_fault``.
        """
        wanted: dict[str, object] = {} if meters is None else {"meters": tuple(meters)}
        self.inject("communication_fault", name=name, **wanted, **faults)

    def clear(self, name: str) -> None:
        """End a fault, of whatever kind, by its name."""
        self.inject("repair", of=name)

    def operate(self, switch: str, to: str) -> None:
        """Open or close a switch: ``site.operate("REC", "open")``."""
        self._ask(switch, to)

    def ask(self, target: str, verb: str, **arguments: object) -> None:
        """Give any command of the site, as masters and pages do."""
        self._ask(target, verb, **arguments)

    def _ask(self, target: str, verb: str, **arguments: object) -> Answer:
        future: Future[Answer] = self._session.submit(Command(_SOURCE, target, verb, arguments))
        answer = future.result(timeout=_PATIENCE_S)
        if answer.refusal is not None:
            why = answer.detail or answer.refusal.value
            raise SiteRefusedError(f"{verb} {target}: {why}")
        return answer

    # -- what a test sees of it ---------------------------------------------------------------------

    @property
    def endpoints(self) -> Mapping[str, EndpointAddress]:
        """Where each meter answers by Modbus TCP, by its name; the first where there are several."""
        found: dict[str, EndpointAddress] = {}
        for entry in self._endpoints.entries():
            if entry["protocol"] == "modbus-tcp":
                address = EndpointAddress(entry["host"], entry["port"], entry["unit"])
                found.setdefault(entry["meter"], address)
        return found

    def read(self, meter: str, name: str) -> float:
        """Return what a meter's register means now, in the unit of the tag list; of an input or relay 0 or 1.

        Of a window of retrieval it returns what a master sees that has written nothing yet.

        Raises
        ------
        SiteRefusedError
            There is no such meter, or it has no such register.
        """
        found = self._meter(meter)
        for block in (*found.inputs, *found.coils):
            number = name.removeprefix(block.name)
            if block.name and number.isdecimal() and 1 <= int(number) <= block.count:
                states = BitMap([block]).read(found.image, block.address + int(number) - 1, 1)
                return float(states[0])
        _, words = found.snapshot()
        points = {point.name: point for point in (*found.points, *found.points_in(words))}
        if name not in points:
            mend = suggestion(name, points, "registers")
            raise SiteRefusedError(f"{meter} has no register {name!r}; {mend}")
        point = points[name]
        held = found.image.read(point.address, point.words)
        if held is None:
            window = next(one for one in found.windows if any(_holds(block, point) for block in one.blocks))
            held, _ = window.read(window.initial(), point.address, point.words)
        return decoded(point, held)

    def _meter(self, name: str) -> LiveMeter:
        meters = {meter.name: meter for meter in self._session.meters}
        if name not in meters:
            raise SiteRefusedError(f"there is no meter {name!r}; {suggestion(name, meters, 'meters')}")
        return meters[name]

    @property
    def recording(self) -> Recording:
        """What is recorded up to now: truth, events, alarms, captures, load profiles."""
        recording = Recording.open(self._recording)
        deadline = time.monotonic() + _PATIENCE_S
        # A live site writes once a second of real time.
        while (recording.info.reached_ns or 0) < self.now_ns and time.monotonic() < deadline:
            time.sleep(0.02)
        return recording

    def tag_list(self) -> str:
        """Return the tag list that a SCADA imports, as CSV."""
        return points_csv(self._session.meters)

    def watch(
        self,
        rules: Path | str,
        *,
        settings: Mapping[str, Mapping[str, object]] | None = None,
        timeout: str | None = None,
    ) -> AlarmWatch:
        """Have an alarm server watch the site from now on; it polls as time passes.

        Parameters
        ----------
        rules : Path or str
            Rules file; without ``tags`` its tag list is the site's own.
        settings : Mapping, optional
            Other settings than the file's, by alarm or ``all``, as in a variant of ``twin what-if``: shows
            what a mistaken limit, deadband or delay does, or a missing suppression.
        timeout : str, optional
            How long an answer is waited for in real time, for sites whose communication fails; when absent so
            long that no busy computer makes a device seem lost, whatever the rules say.
        """
        endpoints = {name: asdict(address) for name, address in self.endpoints.items()}
        plan = read_rules(rules, endpoints=endpoints, tag_list=self.tag_list(), settings=settings)
        timeout_s = None if timeout is None else parse_quantity(timeout, "s")
        lockstep = Lockstep(plan, now_ns=self.now_ns, timeout_s=timeout_s)
        self._watches.append(lockstep)
        self._runner.run(lockstep.poll(self.now_ns))
        return AlarmWatch(lockstep.server, self)

    def unwatch(self) -> None:
        """Have no alarm server watch any more; what they hold can still be looked at."""
        while self._watches:
            self._runner.run(self._watches.pop().__aexit__())
