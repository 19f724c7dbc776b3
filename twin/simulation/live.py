"""A live session: the engine paced to the wall clock, its meters published, commands answered.

The thread of the session is the only one that touches the engine. Others read published images and
frames, and submit commands.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from twin.contracts import (
    NS_PER_SECOND,
    Answer,
    Command,
    CommandRecord,
    Diagram,
    Frame,
    Refusal,
    TwinError,
)
from twin.scenario import utc_text
from twin.simulation.commands import CommandQueue, SimulationEndedError
from twin.simulation.engine import Engine, NoSolutionError
from twin.simulation.frames import FrameBuilder
from twin.simulation.pacing import Pacer, parse_speed
from twin.simulation.publishing import LiveMeter, Publisher
from twin.simulation.replaying import live_again

PUBLISH_NS = 100_000_000
"""The fastest refresh of any meter: images are published on this lattice of simulated time [ns]."""
_REMEMBERED_TICKS = 6000
_IDLE_S = 0.03
"""Wall time before a tick that is worth using, and that a picture needs at most [s]."""
_PICTURES_S = 1.0
_OVERDUE_S = 0.25
"""How long a picture waits at most for a pause between two ticks that has room for it [s]."""
LONGEST_STEP_S = 86400
"""Simulated time that a step takes at most [s]."""
_FASTEST_STEPS = 1000.0
"""Speed beyond which steps grow no longer."""
_SETTLE_S = 1.0
"""How long an answer waits at most for endpoints that are to follow what it did, wall time [s]."""
_TURN_S = 0.05
"""Wall time after which simulating gives way to commands, and answering commands to simulating [s]."""


_log = logging.getLogger(__name__)


class SimulationBrokenError(TwinError, RuntimeError):
    """The engine itself failed: what it simulates can no longer be relied on, so time has ended."""


class LiveSession:
    """Runs an engine against the wall clock in a thread of its own.

    Parameters
    ----------
    engine : Engine
        The site and its meters; belongs to the session from ``start`` on.
    end_ns : int
        Simulated time at which the scenario ends; the session then pauses, UTC [ns].
    speed : float
        Simulated seconds per wall second.
    frames : FrameBuilder
        Draws the picture for the pages.
    begin : callable
        Solves the site as it stands at the start.
    flush : callable
        Makes the recording durable; called about once a second.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        end_ns: int,
        speed: float,
        frames: FrameBuilder,
        meter_names: Sequence[str],
        begin: Callable[[], None],
        flush: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._end_ns = end_ns
        self._pacer = Pacer(engine.now_ns, speed=speed)
        self._frames = frames
        self._begin = begin
        self._flush = flush
        self._commands = CommandQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._latest: Frame | None = None
        self._lateness_s = 0.0
        self._prepared_ns = 0
        self.lateness: deque[float] = deque(maxlen=_REMEMBERED_TICKS)
        """How late the newest publications were, that of the oldest tick in each, wall time [s]."""
        self._frame_due = 0.0
        """When the next picture is due, monotonic wall time [s]."""
        self.failure: BaseException | None = None
        """What ended simulated time before its end."""
        self._step: tuple[int, Future[Answer]] | None = None
        """Where a step of simulated time ends, UTC [ns], and who waits for that."""
        self._publisher = Publisher(engine.fleet, meter_names)
        self._trouble: Callable[[], str] = lambda: ""
        self._settled: Callable[[float], object] = lambda _: None

    @property
    def meters(self) -> tuple[LiveMeter, ...]:
        """The meters as endpoints see them, in the order of the fleet."""
        return self._publisher.meters

    @property
    def diagram(self) -> Diagram:
        """The one-line diagram."""
        return self._frames.diagram

    def name_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Say where each meter answers, for the pages; before ``start``."""
        self._frames.name_endpoints(endpoints)

    def watch_endpoints(self, trouble: Callable[[], str], settled: Callable[[float], object]) -> None:
        """Have frames say what is wrong with the endpoints, and commands answered when they have followed.

        Parameters
        ----------
        trouble : callable
            Returns what is wrong, if anything.
        settled : callable
            Waits, for so long at most [s], until the endpoints are as the site wants them.
        """
        self._trouble, self._settled = trouble, settled

    def latest(self) -> Frame | None:
        """Return the newest frame."""
        return self._latest

    @property
    def now_ns(self) -> int:
        """Simulated time that is reached now, UTC [ns]; a tick behind the schedule when all is well."""
        return self._engine.now_ns

    def submit(self, command: Command) -> Future[Answer]:
        """Queue a command for the simulation."""
        return self._commands.submit(command)

    def open(self) -> None:
        """Publish the first images; time stands still until ``start``."""
        self._begin()
        self._show()

    def skip_to(self, at_ns: int, commands: Sequence[CommandRecord] = ()) -> None:
        """Run up to a simulated time as fast as possible; before ``start``. ``stop`` ends it early.

        Parameters
        ----------
        at_ns : int
            UTC [ns].
        commands : sequence of CommandRecord
            Of an earlier session, to be carried out at their times on the way.
        """
        live_again(self._engine, commands, at_ns // PUBLISH_NS * PUBLISH_NS, advance=self._skip)
        self._show()

    def _skip(self, to_ns: int) -> bool:
        while (now := self._engine.now_ns) < to_ns and not self._stop.is_set():
            self._engine.advance_to(min(now + 60 * NS_PER_SECOND, to_ns))
        return not self._stop.is_set()

    def start(self, *, paused: bool = False) -> None:
        """Let time run, or be ready to; commands are answered from now on."""
        if not paused:
            self._pacer.resume(self._engine.now_ns)
        self._draw()
        self._thread.start()

    def stop(self) -> None:
        """Stop, wait for the thread, tell waiting commands, and release the images."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._commands.close()
        self._publisher.close()

    def give_up(self) -> None:
        """Let ``skip_to`` and the session's thread end soon; from any thread."""
        self._stop.set()

    @property
    def running(self) -> bool:
        """Whether the session's thread is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._loop()
        except SimulationBrokenError as error:  # the main thread reports it
            self.failure = error
        except Exception as error:
            self.failure = self._broken(error, "time went on")
        except BaseException as error:
            self.failure = error
        finally:
            self._commands.close()
            if self._step is not None:
                self._step[1].set_exception(SimulationEndedError("the simulation ended within a step"))

    def _loop(self) -> None:
        while not self._stop.is_set():
            if self.failure is None:
                try:
                    self._advance()
                except NoSolutionError as error:
                    self._stand_still(error)
            if self._picture_is_due():
                self._draw()
                self._flush()
                self._frame_due = time.monotonic() + _PICTURES_S
            self._use_idle_time()
            self._answer_commands()

    def _stand_still(self, error: NoSolutionError) -> None:
        """Let the site be looked at as it was when it ended, and take no further commands."""
        self.failure = error
        self._pacer.pause(self._engine.now_ns)
        if self._step is not None:
            (_, future), self._step = self._step, None
            future.set_exception(SimulationEndedError(str(error)))
        self._publisher.publish(self._engine.now_ns)
        self._draw()

    def _advance(self) -> None:
        """Bring simulated time to the last lattice tick that is due, or as near as one turn allows."""
        engine, pacer = self._engine, self._pacer
        due = min(pacer.due_ns() if self._step is None else self._step[0], self._end_ns)
        exact = self._step is not None or due == self._end_ns
        target = due if exact else due // PUBLISH_NS * PUBLISH_NS
        if target <= engine.now_ns:
            return
        # Small steps, so that a site that is slower than asked for still looks at its commands.
        speed = min(pacer.speed, _FASTEST_STEPS)
        step = max(PUBLISH_NS, int(0.01 * speed * NS_PER_SECOND) // PUBLISH_NS * PUBLISH_NS)
        turn_ends = time.monotonic() + _TURN_S
        oldest = (engine.now_ns // PUBLISH_NS + 1) * PUBLISH_NS
        while engine.now_ns < target and time.monotonic() < turn_ends:
            engine.advance_to(min(engine.now_ns + step, target))
        self._publisher.publish(self._engine.now_ns)
        self._lateness_s = max(0.0, -pacer.wall_until(engine.now_ns))
        self.lateness.append(max(0.0, -pacer.wall_until(min(oldest, engine.now_ns))))
        if engine.now_ns >= self._end_ns:
            pacer.pause(engine.now_ns)
            self._frame_due = 0.0
        if self._step is not None and engine.now_ns >= target:
            self._end_step()

    @property
    def _next_tick_ns(self) -> int:
        return (self._engine.now_ns // PUBLISH_NS + 1) * PUBLISH_NS

    def _picture_is_due(self) -> bool:
        """Whether to draw now: about once a second, and so that the next tick does not have to wait."""
        late_s = time.monotonic() - self._frame_due
        return late_s >= 0 and (self._pacer.wall_until(self._next_tick_ns) > _IDLE_S or late_s > _OVERDUE_S)

    def _use_idle_time(self) -> None:
        """Prepare the next tick's publication, if there is time before it."""
        next_tick = self._next_tick_ns
        if next_tick != self._prepared_ns and _IDLE_S < self._pacer.wall_until(next_tick) < float("inf"):
            self._publisher.prepare(next_tick)
            self._prepared_ns = next_tick

    def _answer_commands(self) -> None:
        """Answer what is queued, for a turn at most; wait for more until the next tick or frame is due."""
        now = time.monotonic()
        tick_at = now + self._pacer.wall_until(self._next_tick_ns)
        # A picture that would be due shortly before a tick is drawn after it.
        waits_until = min(tick_at, self._frame_due if tick_at - self._frame_due > _IDLE_S else tick_at)
        turn_ends = now + _TURN_S
        while not self._stop.is_set():
            patience = 0.0 if self._step is not None else waits_until - time.monotonic()
            waiting = self._commands.next(patience)
            if waiting is None:
                return
            command, future = waiting
            if future.set_running_or_notify_cancel():
                self._answer(command, future)
            waits_until = min(waits_until, self._frame_due)
            if time.monotonic() >= max(waits_until, turn_ends):
                return

    def _answer(self, command: Command, future: Future[Answer]) -> None:
        if self.failure is not None:
            future.set_exception(SimulationEndedError(str(self.failure)))
            return
        if command.target == "clock" and command.verb == "step":
            self._begin_step(command, future)
            return
        try:
            answer = self._steer(command) if command.target == "clock" else self._engine.apply(command)
            if command.verb == "inject":  # what it concerns may be any meter
                self._publisher.publish(self._engine.now_ns)
            else:
                self._publisher.publish_one(command.target, self._engine.now_ns)
        except Exception as error:
            # What fails in a meter alone has been answered by the engine; here nothing can be relied on.
            broken = self._broken(error, f"'{command.verb}' of '{command.target}' was carried out")
            future.set_exception(broken)
            raise broken from error
        # Masters write registers in storms, and no picture shows them; the rest is people's doing.
        if command.verb != "write_registers":
            self._draw()
        self._settled(_SETTLE_S)
        future.set_result(answer)

    def _broken(self, error: Exception, meanwhile: str) -> SimulationBrokenError:
        """Log an error of the engine, and return what is told of it."""
        at = utc_text(self._engine.now_ns)
        _log.error("the simulation broke down at %s while %s", at, meanwhile, exc_info=error)
        text = (
            f"the simulation broke down at {at} while {meanwhile}: {type(error).__name__}: {error}; "
            "what was recorded up to then stays, the log says where it happened"
        )
        broken = SimulationBrokenError(text)
        broken.__cause__ = error
        return broken

    def _begin_step(self, command: Command, future: Future[Answer]) -> None:
        """Go on by some simulated time as fast as possible, then pause; answered when that is done."""
        self._end_step()
        now = self._engine.now_ns
        seconds = command.arguments.get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_STEP_S:
            text = f"a step takes over 0 and at most {LONGEST_STEP_S} seconds"
            future.set_result(Answer(now, Refusal.ILLEGAL_VALUE, text))
        elif now >= self._end_ns:
            future.set_result(Answer(now, Refusal.ILLEGAL_VALUE, "the scenario has ended"))
        else:
            self._pacer.pause(now)
            self._step = (min(now + max(round(seconds * NS_PER_SECOND), 1), self._end_ns), future)

    def _end_step(self) -> None:
        """Stand still from now on, and answer who asked for the step, if there is one."""
        if self._step is not None:
            (_, future), self._step = self._step, None
            self._pacer.pause(self._engine.now_ns)
            self._draw()
            self._settled(_SETTLE_S)
            future.set_result(Answer(self._engine.now_ns))

    def _steer(self, command: Command) -> Answer:
        """Carry out a command to the clock: it changes pacing, not simulated state."""
        self._end_step()
        now = self._engine.now_ns
        if command.verb == "pause":
            self._pacer.pause(now)
        elif command.verb == "resume":
            if now >= self._end_ns:
                return Answer(now, Refusal.ILLEGAL_VALUE, "the scenario has ended")
            self._pacer.resume(now)
        elif command.verb == "set_speed":
            try:
                self._pacer.set_speed(parse_speed(command.arguments.get("speed")), now)
            except ValueError as error:
                return Answer(now, Refusal.ILLEGAL_VALUE, str(error))
        else:
            return Answer(now, Refusal.ILLEGAL_FUNCTION, f"the clock has no '{command.verb}'")
        return Answer(now)

    def _show(self) -> None:
        self._publisher.publish(self._engine.now_ns)
        self._draw()

    def _draw(self) -> None:
        pacer = self._pacer
        self._latest = self._frames.build(
            self._engine,
            speed=pacer.speed,
            paused=pacer.paused,
            lateness_s=self._lateness_s,
            notice=self._trouble() if self.failure is None else str(self.failure),
        )
