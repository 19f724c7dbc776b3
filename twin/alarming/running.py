"""An alarm server at work: beside a live site in its own time, or in lockstep with simulated time."""

import asyncio
import heapq
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial

from twin.alarming.alarm_server import AlarmServer
from twin.alarming.journal import JournalEntry
from twin.alarming.polling import Poller, poll_for_ever
from twin.alarming.rules import AlarmPlan
from twin.alarming.scans import Scan
from twin.alarming.site_control import SiteClock, SiteControl, SiteEndedError

Tell = Callable[[JournalEntry], None]
_LOOK_S = 1.0
_TIMEOUT_S = 0.5
_LOCKSTEP_TIMEOUT_S = 10.0
"""While time stands still a busy computer must not make a device seem lost [s]."""


def wall_clock() -> int:
    """Return this computer's time, UTC [ns]."""
    return time.time_ns()


def _nobody(_: JournalEntry) -> None:
    """Tell nobody."""


async def watch(
    plan: AlarmPlan,
    *,
    control: SiteControl | None = None,
    duration_s: float | None = None,
    tell: Tell = _nobody,
) -> AlarmServer:
    """Poll in real time until the site ends, or for some time; or until cancelled.

    Parameters
    ----------
    plan : AlarmPlan
    control : SiteControl, optional
        The journal is kept in the site's simulated time; without, in this computer's.
    duration_s : float, optional
        Real time [s].
    tell : callable
        Is told each entry as it is made.

    Returns
    -------
    AlarmServer
        With its journal.
    """
    server = AlarmServer(plan.rules)
    clock = wall_clock if control is None else SiteClock(control)
    async with AsyncExitStack() as stack:
        pollers = [
            await stack.enter_async_context(Poller(source, timeout_s=plan.timeout_s or _TIMEOUT_S))
            for source in plan.sources
        ]

        def take(scan: Scan) -> None:
            for entry in server.take(scan):
                tell(entry)

        tasks = [asyncio.create_task(poll_for_ever(poller, take, clock=clock)) for poller in pollers]
        try:
            await _until_end(clock, duration_s, tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return server


async def _until_end(
    clock: Callable[[], int], duration_s: float | None, tasks: list["asyncio.Task[None]"]
) -> None:
    """Return when the site has ended or the time is over; raise what a poller raises."""
    until = None if duration_s is None else time.monotonic() + duration_s
    while until is None or time.monotonic() < until:
        wait_s = _LOOK_S if until is None else min(_LOOK_S, until - time.monotonic())
        done, _ = await asyncio.wait(tasks, timeout=max(0.0, wait_s))
        for task in done:
            task.result()
        if isinstance(clock, SiteClock):
            await asyncio.to_thread(clock.look)
            if clock.ended:
                return


class Lockstep:
    """An alarm server that polls when it is told what time it is; use it as an asynchronous context manager.

    Sources that are due together are polled at once; what they bring is taken in the order of the rules file.

    Parameters
    ----------
    plan : AlarmPlan
    now_ns : int
        Simulated time at which every source is due first, UTC [ns].
    timeout_s : float, optional
        How long an answer is waited for; when absent so long that no busy computer makes a device seem lost,
        whatever the rules say [s].
    tell : callable
        Is told each entry as it is made.
    """

    def __init__(
        self, plan: AlarmPlan, *, now_ns: int, timeout_s: float | None = None, tell: Tell = _nobody
    ) -> None:
        self.server = AlarmServer(plan.rules)
        self._plan = plan
        self._tell = tell
        self._due = [(now_ns, place) for place in range(len(plan.sources))]
        timeout_s = timeout_s or max(plan.timeout_s or 0.0, _LOCKSTEP_TIMEOUT_S)
        self._pollers = [Poller(source, timeout_s=timeout_s) for source in plan.sources]

    async def __aenter__(self) -> "Lockstep":
        """Return the server; it connects at its first poll."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close all connections."""
        for poller in self._pollers:
            await poller.__aexit__(*error)

    @property
    def due_ns(self) -> int:
        """When the next poll is due, UTC [ns]."""
        return self._due[0][0]

    async def poll(self, now_ns: int) -> None:
        """Poll whatever is due at a simulated time, which stands still meanwhile."""
        places = []
        while self._due[0][0] <= now_ns:
            place = heapq.heappop(self._due)[1]
            places.append(place)
            heapq.heappush(self._due, (now_ns + self._plan.sources[place].poll_ns, place))
        clock = partial(int, now_ns)
        for scan in await asyncio.gather(*(self._pollers[place].scan(clock) for place in sorted(places))):
            for entry in self.server.take(scan):
                self._tell(entry)


async def watch_in_lockstep(
    plan: AlarmPlan, control: SiteControl, *, duration_s: float | None = None, tell: Tell = _nobody
) -> AlarmServer:
    """Let simulated time pass from poll to poll: it goes on only when each poll that is due has finished.

    So a run gives the same journal on any machine that answers within the ``timeout`` of the rules; without
    one in the rules no busy computer makes a device seem lost.

    Parameters
    ----------
    plan : AlarmPlan
    control : SiteControl
        It pauses the site's own clock.
    duration_s : float, optional
        Simulated time; until the scenario's end by default [s].
    tell : callable
        Is told each entry as it is made.
    """
    now_ns = await asyncio.to_thread(control.pause)
    end_ns = None if duration_s is None else now_ns + round(duration_s * 1e9)
    # Who says how long to wait has devices in mind that fall silent: each of their polls costs as much.
    async with Lockstep(plan, now_ns=now_ns, timeout_s=plan.timeout_s, tell=tell) as lockstep:
        while end_ns is None or lockstep.due_ns <= end_ns:
            at_ns = lockstep.due_ns
            if at_ns > now_ns:
                with suppress(SiteEndedError):
                    now_ns = await asyncio.to_thread(control.step, (at_ns - now_ns) * 1e-9)
                if now_ns < at_ns:
                    break  # the scenario has ended
            await lockstep.poll(at_ns)
    return lockstep.server
