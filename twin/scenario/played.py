"""What a played site needs before it can run: its terminals as a network of one bus, and its steps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from twin.contracts import BadInputError, Finding
from twin.documents import Document
from twin.grid import Bus, Network, Source
from twin.scenario.played_recording import PlayedWaveform, read_waveform
from twin.scenario.played_schema import SourceStep as GivenStep
from twin.scenario.played_schema import SourceTone, ThreePhaseSource
from twin.scenario.schema import Scenario
from twin.signals.source import Fluctuation, SourceStep, Three, Tone

TERMINALS = "TERMINALS"
"""Name of the one bus of a played site."""


@dataclass(frozen=True, slots=True, eq=False)
class PlayedSignal:
    """What is played on the terminals of all meters."""

    terminals: Network
    """One bus, rated for the nominal voltage."""
    steps: tuple[SourceStep, ...] = ()
    """Of a source, complete: what a step of the file leaves out is that of the step before."""
    waveform: PlayedWaveform | None = None
    """The recording; there are no steps then."""


def read_played(document: Document, scenario: Scenario) -> PlayedSignal | None:
    """Return what a scenario plays, or None when it has a network.

    Raises
    ------
    BadInputError
        A step cannot be done, or a recording not be read.
    """
    if scenario.recording is not None:
        waveform = read_waveform(document, scenario, scenario.recording)
        terminals = _terminals("recording", waveform.voltage, waveform.frequency)
        return PlayedSignal(terminals, waveform=waveform)
    source = scenario.source
    if source is None:
        return None
    findings = list(_step_findings(document, source))
    if findings:
        raise BadInputError(*findings)
    return PlayedSignal(_terminals("source", source.voltage, source.frequency), _steps(source))


def _terminals(name: str, voltage: float, frequency: float) -> Network:
    """Return a network of one bus that an ideal source holds."""
    bus = Bus(TERMINALS, voltage * math.sqrt(3.0))
    return Network(name, (bus,), (Source("SOURCE", TERMINALS),), frequency=frequency)


def _step_findings(document: Document, source: ThreePhaseSource) -> Iterator[Finding]:
    for at, step in enumerate(source.steps):
        for field in ("voltage", "voltage_end", "current"):
            if min(getattr(step, field) or [0.0]) < 0.0:
                path = ("source", "steps", at, field)
                what = "a magnitude is negative"
                mend = "turn its angle by 180 deg instead"
                yield Finding(document.mark(path), f"source.steps[{at}].{field}", what, mend)


def _steps(source: ThreePhaseSource) -> tuple[SourceStep, ...]:
    """Return complete steps."""
    nominal = source.voltage
    now = SourceStep(duration_s=1.0, frequency=source.frequency, voltage=(nominal, nominal, nominal))
    steps = []
    for given in source.steps:
        now = _next(now, given)
        steps.append(now)
    return tuple(steps)


def _next(before: SourceStep, given: GivenStep) -> SourceStep:
    """Return a step: what it says, and else what the step before ended with."""
    angle = before.voltage_angle
    if given.voltage_angle is not None:
        angle = _three([math.radians(value) for value in given.voltage_angle])
    fluctuation = before.fluctuation
    if given.fluctuation == "none":
        fluctuation = None
    elif given.fluctuation is not None:
        wanted = given.fluctuation
        fluctuation = Fluctuation(shape=wanted.shape, rate=wanted.rate, depth=wanted.depth / 100.0)
    step = replace(
        before,
        duration_s=given.duration,
        frequency=given.frequency or before.frequency_end or before.frequency,
        frequency_end=given.frequency_end,
        voltage=_three(given.voltage) if given.voltage else before.voltage_end or before.voltage,
        voltage_end=_three(given.voltage_end) if given.voltage_end else None,
        voltage_angle=angle,
        fluctuation=fluctuation,
    )
    if given.current is not None:
        step = replace(step, current=_three(given.current))
    if given.current_lag is not None:
        step = replace(step, current_lag=(math.radians(given.current_lag),) * 3)
    if given.tones is not None:
        step = replace(step, tones=tuple(_tone(tone) for tone in given.tones))
    return step


def _tone(given: SourceTone) -> Tone:
    return Tone(
        multiple=given.multiple,
        voltage=given.voltage / 100.0,
        voltage_angle=math.radians(given.voltage_angle),
        current=given.current / 100.0,
        current_angle=math.radians(given.current_angle),
        phases=given.phases,
    )


def _three(values: list[float]) -> Three:
    return values[0], values[1], values[2]
