"""A live session: the engine paced to the wall clock, its meters published, commands answered.

The thread of the session is the only one that touches the engine. Others read published images and
frames, and submit commands.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from twin.contracts import (
    NS_PER_SECOND,
    Answer,
    Command,
    Diagram,
    Frame,
    Point,
    Refusal,
    RegisterBlock,
    RetrievalWindow,
)
from twin.protocols import RegisterImage
from twin.simulation.commands import CommandQueue
from twin.simulation.engine import Engine
from twin.simulation.frames import FrameBuilder
from twin.simulation.pacing import Pacer

PUBLISH_NS = 100_000_000
"""The fastest refresh of any meter: images are published on this lattice of simulated time [ns]."""
_MOST_AHEAD_S = 0.2
"""Longest stretch of wall time that is simulated before commands are looked at again [s]."""


@dataclass(frozen=True, slots=True)
class LiveMeter:
    """A meter as endpoints see it."""

    name: str
    image: RegisterImage
    windows: tuple[RetrievalWindow, ...]
    write_regions: tuple[tuple[RegisterBlock, ...], ...]
    function_codes: frozenset[int]
    points: tuple[Point, ...]


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
        flush: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._end_ns = end_ns
        self._pacer = Pacer(engine.now_ns, speed=speed)
        self._frames = frames
        self._flush = flush
        self._commands = CommandQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._latest: Frame | None = None
        self._lateness_s = 0.0
        self.failure: BaseException | None = None
        fleet = engine.fleet
        self.meters = tuple(
            LiveMeter(
                name,
                RegisterImage(fleet.blocks(at)),
                fleet.windows(at),
                fleet.write_regions(at),
                fleet.function_codes(at),
                fleet.points(at),
            )
            for at, name in enumerate(meter_names)
        )

    @property
    def diagram(self) -> Diagram:
        """The one-line diagram."""
        return self._frames.diagram

    def name_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Say where each meter answers, for the pages; before ``start``."""
        self._frames.name_endpoints(endpoints)

    def latest(self) -> Frame | None:
        """Return the newest frame."""
        return self._latest

    def submit(self, command: Command) -> Future[Answer]:
        """Queue a command for the simulation."""
        return self._commands.submit(command)

    def open(self) -> None:
        """Publish the first images; time stands still until ``start``."""
        self._engine.begin()
        self._publish()
        self._draw()

    def skip_to(self, at_ns: int) -> None:
        """Run up to a simulated time as fast as possible; before ``start``."""
        self._engine.advance_to(at_ns // PUBLISH_NS * PUBLISH_NS)
        self._publish()
        self._draw()

    def start(self) -> None:
        """Let time run."""
        self._pacer.resume(self._engine.now_ns)
        self._thread.start()

    def stop(self) -> None:
        """Stop, wait for the thread, and release the images."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for meter in self.meters:
            meter.image.close()
            meter.image.unlink()

    @property
    def running(self) -> bool:
        """Whether the session's thread is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # the main thread reports it
            self.failure = error

    def _loop(self) -> None:
        next_frame = time.monotonic()
        while not self._stop.is_set():
            self._advance()
            if time.monotonic() >= next_frame:
                self._draw()
                self._flush()
                next_frame = max(next_frame + 1.0, time.monotonic())
            self._answer_commands(next_frame)

    def _advance(self) -> None:
        """Bring simulated time to the last lattice tick that is due, a bounded stretch at a time."""
        now = self._engine.now_ns
        most = now + max(int(_MOST_AHEAD_S * self._pacer.speed * NS_PER_SECOND), PUBLISH_NS)
        due = min(self._pacer.due_ns(), most, self._end_ns)
        target = due // PUBLISH_NS * PUBLISH_NS
        if target > now:
            self._engine.advance_to(target)
            self._publish()
            self._lateness_s = max(0.0, -self._pacer.wall_until(target))
        if self._engine.now_ns >= self._end_ns // PUBLISH_NS * PUBLISH_NS and not self._pacer.paused:
            self._pacer.pause(self._engine.now_ns)

    def _answer_commands(self, next_frame: float) -> None:
        """Answer what is queued; wait for more until the next tick or frame is due."""
        next_tick = (self._engine.now_ns // PUBLISH_NS + 1) * PUBLISH_NS
        wait = min(self._pacer.wall_until(next_tick), next_frame - time.monotonic())
        while (waiting := self._commands.next(max(0.0, min(wait, 1.0)))) is not None:
            command, future = waiting
            if future.set_running_or_notify_cancel():
                self._answer(command, future)
            wait = 0.0

    def _answer(self, command: Command, future: Future[Answer]) -> None:
        answer = self._steer(command) if command.target == "clock" else self._engine.apply(command)
        self._publish()
        self._draw()
        future.set_result(answer)

    def _steer(self, command: Command) -> Answer:
        """Carry out a command to the clock: it changes pacing, not simulated state."""
        now = self._engine.now_ns
        if command.verb == "pause":
            self._pacer.pause(now)
        elif command.verb == "resume":
            if now < self._end_ns // PUBLISH_NS * PUBLISH_NS:
                self._pacer.resume(now)
            else:
                return Answer(now, Refusal.ILLEGAL_VALUE, "the scenario has ended")
        elif command.verb == "set_speed":
            try:
                self._pacer.set_speed(float(str(command.arguments.get("speed"))), now)
            except ValueError as error:
                return Answer(now, Refusal.ILLEGAL_VALUE, str(error))
        else:
            return Answer(now, Refusal.ILLEGAL_FUNCTION, f"the clock has no '{command.verb}'")
        return Answer(now)

    def _publish(self) -> None:
        fleet, now = self._engine.fleet, self._engine.now_ns
        for at, meter in enumerate(self.meters):
            meter.image.publish(fleet.words(at), now)

    def _draw(self) -> None:
        pacer = self._pacer
        self._latest = self._frames.build(
            self._engine, speed=pacer.speed, paused=pacer.paused, lateness_s=self._lateness_s
        )
