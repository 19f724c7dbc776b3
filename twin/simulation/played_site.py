"""A site whose voltages and currents are given: those of a three-phase source, or of a recording.

All meters hang on the same terminals. There is nothing to solve and nothing to switch.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment, TruthEntry
from twin.recording.recorded_signal import (
    recorded_end_ns,
    recorded_segments,
    steady_after,
    steady_before,
)
from twin.scenario import SiteScenario
from twin.scenario.played_recording import PlayedWaveform
from twin.signals import carried_theta
from twin.signals.source import SourceStep, source_segments

Float = NDArray[np.float64]


class PlayedSite:
    """Terminals on which a signal is played, and the segment that is true now.

    Parameters
    ----------
    first : Segment
        Six channels, va vb vc ia ib ic; begins when the site does.
    reversed_meters : sequence of bool
        Whether the current transformers of each meter are turned.
    witness : callable
        Called with each truth entry.
    """

    def __init__(
        self, first: Segment, *, reversed_meters: Sequence[bool], witness: Callable[[TruthEntry], None]
    ) -> None:
        self.time_ns = first.start_ns
        self.load_changes = 0
        self.solves = 0
        self.switches: Mapping[str, bool] = MappingProxyType({})
        self.collapsed: list[str] = []
        self._witness = witness
        self._sign = np.array([[1.0] * 3 + [-1.0 if turned else 1.0] * 3 for turned in reversed_meters])
        self._played = first
        self._segment = self._at_meters(first, None)

    @property
    def calm_ns(self) -> int | None:
        """Nothing is excited here: what decays is in the recording or source itself."""
        return None

    @property
    def steady(self) -> bool:
        """Never: each anchor goes on from the one before it."""
        return False

    @property
    def segment(self) -> Segment:
        """The segment that is true at ``time_ns``, six channels per meter."""
        return self._segment

    def take(self, segment: Segment) -> None:
        """Play another segment from now on; its own start says when."""
        before = (self._played, self._segment)
        self._played = segment
        self._segment = self._at_meters(segment, before)

    def tell(self, kind: str, element: str, cause: str, **detail: object) -> None:
        """Put an entry into the truth ledger."""
        self._witness(TruthEntry(self.time_ns, kind, element, cause, detail))

    def objection(self, switch: str, *, closed: bool) -> str:
        """Raise KeyError: there is no switch."""
        del closed
        raise KeyError(switch)

    def operate(self, switch: str, *, closed: bool, cause: str) -> bool:
        """Raise KeyError: there is no switch."""
        del closed, cause
        raise KeyError(switch)

    def settle(self) -> None:
        """Do nothing: what is played is what is true."""

    def reanchor(self) -> None:
        """Start a new segment at ``time_ns`` that goes on with the same terms."""
        old = self._played
        passed_s = (self.time_ns - old.start_ns) * 1e-9
        decaying = bool(old.rate.any())
        self.take(
            replace(
                old,
                start_ns=self.time_ns,
                theta=carried_theta(old, self.time_ns),
                amplitude=old.amplitude * np.exp(old.rate * passed_s) if decaying else old.amplitude,
            )
        )

    def _at_meters(self, segment: Segment, before: tuple[Segment, Segment] | None) -> Segment:
        """Return a segment of the terminals as the meters have it; what is the same stays the same object."""
        if before is not None and before[0].amplitude is segment.amplitude:
            amplitude = before[1].amplitude
        else:
            amplitude = self._tiled(segment.amplitude)
        block = segment.block
        if block is not None and before is not None and before[0].block is block:
            block = before[1].block
        elif block is not None:
            block = SampledBlock(
                block.start_ns, block.start_fraction, block.step_s, self._tiled(block.samples)
            )
        return replace(segment, amplitude=amplitude, block=block)

    def _tiled(self, channels: NDArray[Any]) -> NDArray[Any]:
        """Return the six channels of the terminals for each meter, (meters x 6, ..)."""
        tiled: NDArray[Any] = self._sign[:, :, np.newaxis] * channels[np.newaxis]
        return tiled.reshape(tiled.shape[0] * tiled.shape[1], channels.shape[1])


def start_played_site(
    environment: simpy.Environment, scenario: SiteScenario, *, witness: Callable[[TruthEntry], None]
) -> PlayedSite:
    """Return the terminals of a scenario that plays a signal, with the signal on its way."""
    assert scenario.played is not None
    waveform = scenario.played.waveform
    if waveform is not None:
        return _start_recording(environment, scenario, waveform, witness=witness)
    steps = scenario.played.steps
    segments = source_segments(steps, start_ns=scenario.start_ns)
    site = PlayedSite(
        next(segments), reversed_meters=[meter.reverse for meter in scenario.meters], witness=witness
    )
    environment.process(_play(environment, site, segments))
    environment.process(_tell_steps(environment, site, steps))
    return site


def _start_recording(
    environment: simpy.Environment,
    scenario: SiteScenario,
    waveform: PlayedWaveform,
    *,
    witness: Callable[[TruthEntry], None],
) -> PlayedSite:
    """Return terminals on which a recording is played, and before and after it its steady ends."""
    end_ns = recorded_end_ns(waveform.recording, start_ns=waveform.at_ns)
    recorded = recorded_segments(waveform.lattice, waveform.recording, start_ns=waveform.at_ns)
    before = steady_before(waveform.lattice, waveform.recording, recorded[0])
    after = steady_after(waveform.lattice, waveform.recording, recorded[-1], end_ns)
    segments = [*recorded, after]
    if scenario.start_ns < waveform.at_ns:
        theta = carried_theta(before, scenario.start_ns)
        segments.insert(0, replace(before, start_ns=scenario.start_ns, theta=theta))
    site = PlayedSite(
        segments[0], reversed_meters=[meter.reverse for meter in scenario.meters], witness=witness
    )
    environment.process(_play(environment, site, iter(segments[1:])))
    environment.process(_tell_recording(environment, site, waveform, end_ns))
    return site


def _tell_recording(
    environment: simpy.Environment, site: PlayedSite, waveform: PlayedWaveform, end_ns: int
) -> Generator[Any, Any, None]:
    """Write down when the recording begins and ends."""
    yield environment.timeout(waveform.at_ns - int(environment.now))
    site.tell("recording_begins", waveform.file, "scenario", ends_ns=end_ns)
    yield environment.timeout(end_ns - int(environment.now))
    site.tell("recording_ends", waveform.file, "scenario")


def _tell_steps(
    environment: simpy.Environment, site: PlayedSite, steps: Sequence[SourceStep]
) -> Generator[Any, Any, None]:
    """Write down which step begins when."""
    start_ns, passed = int(environment.now), Fraction(0)
    for number, step in enumerate(steps):
        at_ns = start_ns + round(passed * NS_PER_SECOND)
        yield environment.timeout(at_ns - int(environment.now))
        site.tell("source_step", f"step {number}", "scenario", duration_s=step.duration_s)
        passed += Fraction(step.duration_s)


def _play(
    environment: simpy.Environment, site: PlayedSite, segments: Iterator[Segment]
) -> Generator[Any, Any, None]:
    """Play segments, each from its start on; the last one lasts."""
    for segment in segments:
        yield environment.timeout(segment.start_ns - int(environment.now))
        site.take(segment)
