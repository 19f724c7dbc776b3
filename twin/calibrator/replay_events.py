"""Events of a recording, as a class A analyser finds them: dips, swells, interruptions, changes, transients.

Whether there is an event, and how far it went, is told by URMS(1/2). Its edges are looked for in the same
one-cycle RMS refreshed with every sample, which keeps a duration within a cycle of the truth wherever on
the wave an event begins.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.metrology import RapidVoltageChangeDetector, TransientDetector
from twin.recording.lattice import Lattice

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]

DIP, SWELL, INTERRUPTION, HYSTERESIS = 0.90, 1.10, 0.10, 0.02
"""Thresholds and hysteresis, shares of the nominal voltage (IEC 61000-4-30:2015, 5.4 and 5.5)."""
CHANGE: Final = 0.03
"""Threshold of rapid voltage changes, half of it the hysteresis (5.11)."""
TRANSIENT: Final = 0.25
"""Threshold of transients, share of the nominal peak."""
_MERGED_CYCLES: Final = 1.6
"""A dip whose edges are no further than this from an interruption's is that interruption."""
_BESIDE_CYCLES: Final = 1.5
"""What lies so close to the edge of an event is part of the edge."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; times from the first sample."""

    type: str
    channels: tuple[int, ...]
    """Which voltages took part, by their position among the recording's voltages."""
    start_s: float
    end_s: float | None
    """None where the recording ends before it."""
    extreme: float
    """[V]"""


def half_cycle_starts(lattice: Lattice) -> NDArray[np.int64]:
    """Return the first sample of each one-cycle window that begins at a zero crossing of the reference."""
    last = lattice.samples.shape[1] - lattice.per_cycle
    count = max(0, int((last - lattice.crossing) * 2 // lattice.per_cycle) + 1)
    starts = lattice.crossing + np.rint(np.arange(count) * (lattice.per_cycle / 2.0)).astype(np.int64)
    inside: NDArray[np.int64] = starts[starts <= last]
    return inside


def one_cycle_rms(samples: Float, per_cycle: int) -> Float:
    """Return the RMS over one cycle from each sample on, (channels, m - per_cycle + 1)."""
    total = np.concatenate((np.zeros((samples.shape[0], 1)), np.cumsum(samples**2, axis=1)), axis=1)
    # Sums over a long recording leave rounding where there is nothing.
    squares = np.maximum(total[:, per_cycle:] - total[:, :-per_cycle], 0.0) / per_cycle
    squares[squares < 1e-12 * total[:, -1:] / max(1, samples.shape[1])] = 0.0
    rms: Float = np.sqrt(squares)
    return rms


def find_events(volts: Float, lattice: Lattice, *, nominal: float, nominal_frequency: int) -> list[Event]:
    """Return all events of the voltages of one measuring point, in order of time.

    Parameters
    ----------
    volts : ndarray, shape (voltages, m)
        Rows of the lattice [V].
    lattice : Lattice
        Of the recording.
    nominal : float
        Line to neutral [V].
    nominal_frequency : int
        50 or 60 [Hz].
    """
    if volts.shape[1] < lattice.per_cycle:
        return []
    sliding = one_cycle_rms(volts, lattice.per_cycle)
    starts = half_cycle_starts(lattice)
    rms = sliding[:, starts]
    events = _dips_and_swells(sliding, rms, lattice, nominal)
    edges = [edge for event in events for edge in (event.start_s, event.end_s) if edge is not None]
    changes = _changes(rms, starts, lattice, nominal, nominal_frequency)
    edges += [edge for event in changes for edge in (event.start_s, event.end_s) if edge is not None]
    events += changes + _transients(volts, lattice, nominal, edges)
    return sorted(events, key=lambda event: (event.start_s, event.type))


def _dips_and_swells(sliding: Float, rms: Float, lattice: Lattice, nominal: float) -> list[Event]:
    found = _interruptions(sliding, rms, lattice, nominal)
    for kind in ("dip", "swell"):
        for event in _excursions(kind, sliding, rms, lattice, nominal):
            if not any(_is_same(event, other, lattice) for other in found if other.type == "interruption"):
                found.append(event)
    return found


def _is_same(dip: Event, interruption: Event, lattice: Lattice) -> bool:
    """Tell whether a dip is nothing but an interruption's two edges."""
    reach = _MERGED_CYCLES / lattice.frequency
    if dip.type != "dip" or abs(dip.start_s - interruption.start_s) > reach:
        return False
    if dip.end_s is None or interruption.end_s is None:
        return dip.end_s is interruption.end_s
    return abs(dip.end_s - interruption.end_s) <= reach


def _excursions(kind: str, sliding: Float, rms: Float, lattice: Lattice, nominal: float) -> list[Event]:
    """Return dips or swells: from one channel outside to all of them back inside the hysteresis (5.4)."""
    if kind == "dip":
        outside, inside = sliding < DIP * nominal, sliding >= (DIP + HYSTERESIS) * nominal
        seen = rms < DIP * nominal
    else:
        outside, inside = sliding > SWELL * nominal, sliding <= (SWELL - HYSTERESIS) * nominal
        seen = rms > SWELL * nominal
    events = []
    starts = half_cycle_starts(lattice)
    for begin, end in _stretches(np.logical_or.reduce(outside), np.logical_and.reduce(inside)):
        stop = sliding.shape[1] if end is None else end
        here = (starts >= begin) & (starts < stop)
        took = np.flatnonzero((seen & here).any(axis=1))
        if not took.size:
            continue
        if took.size == sliding.shape[0]:
            values = rms[:, here]
            extreme = float(values.min() if kind == "dip" else values.max())
            events.append(_event(kind, tuple(took.tolist()), begin, end, extreme, lattice))
            continue
        for row in took.tolist():
            own = _stretches(outside[row, begin:stop], inside[row, begin:stop])
            first = begin + own[0][0]
            last = None if end is None else begin + own[-1][1] if own[-1][1] is not None else end
            values = rms[row, here]
            extreme = float(values.min() if kind == "dip" else values.max())
            events.append(_event(kind, (row,), first, last, extreme, lattice))
    return events


def _interruptions(sliding: Float, rms: Float, lattice: Lattice, nominal: float) -> list[Event]:
    """Return interruptions: all channels below, from the first dead cycle to the end of the last (5.5)."""
    dead: Flags = np.logical_and.reduce(sliding < INTERRUPTION * nominal)
    back: Flags = np.logical_or.reduce(sliding >= (INTERRUPTION + HYSTERESIS) * nominal)
    starts = half_cycle_starts(lattice)
    seen = (rms < INTERRUPTION * nominal).all(axis=0)
    everyone = tuple(range(sliding.shape[0]))
    events = []
    for begin, end in _stretches(dead, back):
        stop = sliding.shape[1] if end is None else end
        here = seen & (starts >= begin) & (starts < stop)
        if not here.any():
            continue
        extreme = float(rms[:, here].min())
        start_s = float(lattice.time_s[begin])
        end_s = None if end is None else float(lattice.time_s[end + lattice.per_cycle - 1])
        events.append(Event("interruption", everyone, start_s, end_s, extreme))
    return events


def _stretches(begins: Flags, ends: Flags) -> list[tuple[int, int | None]]:
    """Return where something begins and where it ends; None for one that lasts."""
    found: list[tuple[int, int | None]] = []
    at = 0
    while True:
        ahead = np.flatnonzero(begins[at:])
        if not ahead.size:
            return found
        begin = at + int(ahead[0])
        after = np.flatnonzero(ends[begin:])
        if not after.size:
            return [*found, (begin, None)]
        at = begin + int(after[0])
        found.append((begin, at))


def _event(
    kind: str, channels: tuple[int, ...], begin: int, end: int | None, extreme: float, lattice: Lattice
) -> Event:
    """Return an event whose edges are the ends of the one-cycle windows that show them."""
    last = lattice.per_cycle
    start_s = float(lattice.time_s[begin + last])
    # An event that is there from the first cycle on has begun before the recording.
    start_s = 0.0 if begin == 0 else start_s
    end_s = None if end is None else float(lattice.time_s[end + last])
    return Event(kind, channels, start_s, end_s, extreme)


def _changes(
    rms: Float, starts: NDArray[np.int64], lattice: Lattice, nominal: float, nominal_frequency: int
) -> list[Event]:
    """Return rapid voltage changes (5.11)."""
    detector = RapidVoltageChangeDetector(
        rms.shape[0],
        threshold=CHANGE * nominal,
        dip=DIP * nominal,
        swell=SWELL * nominal,
        nominal_frequency=nominal_frequency,
    )
    ends = lattice.time_s[starts + lattice.per_cycle]
    ends_ns = np.rint(ends * 1e9).astype(np.int64)
    found = []
    for change in detector.update(ends_ns, rms):
        took = tuple(row for row, left in enumerate(change.channels) if left)
        # Until it was found steady again: 100 or 120 half cycles after its end.
        first, last = np.searchsorted(ends_ns, [change.start_ns, change.end_ns])
        here = slice(int(first), int(last) + detector.count)
        before = rms[:, max(0, int(np.searchsorted(ends_ns, change.start_ns)) - 1)]
        away = np.abs(rms[:, here] - before[:, np.newaxis])
        row, column = np.unravel_index(int(away.argmax()), away.shape)
        extreme = float(rms[:, here][row, column])
        found.append(Event("rvc", took, change.start_ns * 1e-9, change.end_ns * 1e-9, extreme))
    return found


def _transients(volts: Float, lattice: Lattice, nominal: float, edges: list[float]) -> list[Event]:
    """Return what differs from the cycle before for less than half a cycle, apart from events' edges."""
    detector = TransientDetector(
        volts.shape[0],
        samples_per_cycle=lattice.per_cycle,
        threshold=TRANSIENT * np.sqrt(2.0) * nominal,
        consecutive=1,
    )
    found = [*detector.update(volts), *([detector.current] if detector.current else [])]
    reach = _BESIDE_CYCLES / lattice.frequency
    events = []
    for transient in found:
        start_s = float(lattice.time_s[transient.first])
        end_s = float(lattice.time_s[transient.last + 1])
        if transient.last - transient.first > lattice.per_cycle // 2:
            continue
        if any(start_s - reach <= edge <= end_s + reach for edge in edges):
            continue
        took = tuple(row for row, seen in enumerate(transient.channels) if seen)
        part = volts[list(took), transient.first : transient.last + 1]
        extreme = float(part.ravel()[int(np.abs(part).argmax())])
        events.append(Event("transient", took, start_s, end_s, extreme))
    return events


def event_rows(events: list[Event], phases: str) -> list[dict[str, Any]]:
    """Return events as they are printed: one entry per phase, or ``all`` where three took part.

    Parameters
    ----------
    events : list of Event
    phases : str
        Phase of each voltage of the recording, for example ``"abc"``.
    """
    rows: list[dict[str, Any]] = []
    for event in events:
        names = [phases[channel] for channel in event.channels]
        duration = None if event.end_s is None else event.end_s - event.start_s
        rows += [
            {
                "type": event.type,
                "phase": phase,
                "start": event.start_s,
                "duration_s": duration,
                "extreme_v": event.extreme,
            }
            for phase in (["all"] if len(names) == 3 else names)
        ]
    return rows
