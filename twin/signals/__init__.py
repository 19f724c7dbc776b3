"""Signals: sums of damped exponentials over absolute time, sampled or integrated in closed form.

What a site's channels do between two events is a `twin.contracts.Segment`: terms, and samples where terms
fail. This room evaluates it: its samples (`synthesise`), its moments over any window (`window_gram`,
`window_spectrum`), its phase; and turns terms into samples (`sampled`). It also makes such signals: a
three-phase source (`source_signal`), and in `twin.signals.disturbances` what disturbs one.
"""

from twin.signals.amplitude import amplitude_from_rms, rms_from_amplitude
from twin.signals.blocks import LatticePiece, on_lattice
from twin.signals.phase import (
    Piece,
    SignalRangeError,
    WholeOrderError,
    carried_theta,
    instant_of_theta,
    pieces,
    require_cover,
    require_whole_orders,
    theta_at,
)
from twin.signals.sampled import sampled, sampled_segment
from twin.signals.source import Fluctuation, SourceError, SourceStep, Tone, source_segments, source_signal
from twin.signals.synthesis import synthesise, synthesise_cycles
from twin.signals.windows import window_gram, window_moments, window_spectrum

__all__ = [
    "Fluctuation",
    "LatticePiece",
    "Piece",
    "SignalRangeError",
    "SourceError",
    "SourceStep",
    "Tone",
    "WholeOrderError",
    "amplitude_from_rms",
    "carried_theta",
    "instant_of_theta",
    "on_lattice",
    "pieces",
    "require_cover",
    "require_whole_orders",
    "rms_from_amplitude",
    "sampled",
    "sampled_segment",
    "source_segments",
    "source_signal",
    "synthesise",
    "synthesise_cycles",
    "theta_at",
    "window_gram",
    "window_moments",
    "window_spectrum",
]
