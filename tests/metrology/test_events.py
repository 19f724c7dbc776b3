"""Traces: half-cycle values in, events out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, following, segment, signal
from twin.metrology import EventDetector, EventKind, VoltageEvent, detect_events, half_cycle_rms

DIP = {"threshold": 90.0, "hysteresis": 2.0}
SWELL = {"threshold": 110.0, "hysteresis": 2.0}
INTERRUPTION = {"threshold": 5.0, "hysteresis": 2.0}


def run(kind, rows, **limits):
    rms = np.array(rows, float)
    return detect_events(np.arange(rms.shape[1]) * 10, rms, kind, **limits)


def test_a_dip_ends_above_threshold_plus_hysteresis():
    rows = [[100, 89, 70, 91, 91.9, 92, 100]]
    assert run(EventKind.DIP, rows, **DIP) == [VoltageEvent(EventKind.DIP, 10, 50, 70.0, (True,))]


def test_a_value_on_the_threshold_is_no_dip():
    assert run(EventKind.DIP, [[100, 90, 100]], **DIP) == []


def test_a_polyphase_dip_runs_from_the_first_channel_to_the_last():
    rows = [[100, 80, 95, 95, 95], [100, 100, 60, 91, 92], [100, 100, 100, 100, 100]]
    assert run(EventKind.DIP, rows, **DIP) == [VoltageEvent(EventKind.DIP, 10, 40, 60.0, (True, True, False))]


def test_two_dips_with_a_recovery_between():
    rows = [[80, 100, 80, 100]]
    assert [(e.start_ns, e.end_ns) for e in run(EventKind.DIP, rows, **DIP)] == [(0, 10), (20, 30)]


def test_a_dip_that_goes_on_has_no_end():
    (event,) = run(EventKind.DIP, [[100, 80, 75]], **DIP)
    assert event == VoltageEvent(EventKind.DIP, 10, None, 75.0, (True,))


def test_a_swell_keeps_its_highest_value():
    rows = [[100, 111, 125, 109, 108, 100], [100, 100, 100, 100, 100, 100]]
    assert run(EventKind.SWELL, rows, **SWELL) == [
        VoltageEvent(EventKind.SWELL, 10, 40, 125.0, (True, False))
    ]


def test_an_interruption_needs_all_channels_and_ends_with_one():
    rows = [[100, 1, 1, 1, 100], [100, 100, 2, 6.9, 100], [100, 1, 0.5, 7.0, 100]]
    assert run(EventKind.INTERRUPTION, rows, **INTERRUPTION) == [
        VoltageEvent(EventKind.INTERRUPTION, 20, 30, 0.5, (True, True, True))
    ]


def test_one_dead_channel_of_three_is_a_dip_but_no_interruption():
    rows = [[100, 0, 0, 100], [100] * 4, [100] * 4]
    assert run(EventKind.INTERRUPTION, rows, **INTERRUPTION) == []
    assert len(run(EventKind.DIP, rows, **DIP)) == 1


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(0.0, 130.0)] * 3), min_size=1, max_size=40), st.data())
def test_values_may_come_in_any_portions(values, data):
    rms = np.array(values).T
    ends = np.arange(rms.shape[1])
    for kind, limits in zip(EventKind, (DIP, SWELL, INTERRUPTION), strict=True):
        detector = EventDetector(kind, **limits)
        found = []
        at = 0
        while at < rms.shape[1]:
            step = data.draw(st.integers(1, rms.shape[1] - at))
            found += detector.update(ends[at : at + step], rms[:, at : at + step])
            at += step
        if detector.current:
            found.append(detector.current)
        assert found == detect_events(ends, rms, kind, **limits) == plain(kind, ends, rms, **limits)


def plain(kind, ends, rms, *, threshold, hysteresis):
    """The three definitions, value by value."""
    events, start, extreme, channels = [], None, 0.0, []
    for n, values in enumerate(rms.T.tolist()):
        if kind is EventKind.SWELL:
            beyond = [v > threshold for v in values]
            over = all(v <= threshold - hysteresis for v in values)
            begins, worst, pick = any(beyond), max(values), max
        else:
            beyond = [v < threshold for v in values]
            back = [v >= threshold + hysteresis for v in values]
            both = kind is EventKind.INTERRUPTION
            begins, over = (all(beyond), any(back)) if both else (any(beyond), all(back))
            worst, pick = min(values), min
        if start is None:
            if not begins:
                continue
            start, extreme, channels = int(ends[n]), worst, [False] * len(values)
        elif over:
            events.append(VoltageEvent(kind, start, int(ends[n]), extreme, tuple(channels)))
            start = None
            continue
        extreme = pick(extreme, worst)
        channels = [a or b for a, b in zip(channels, beyond, strict=True)]
    if start is not None:
        events.append(VoltageEvent(kind, start, None, extreme, tuple(channels)))
    return events


def test_a_dip_of_a_signal_lasts_as_long_as_the_standard_allows():
    """IEC 61000-4-30 5.4.2: residual voltage exact, duration within one cycle of the true 150 ms."""
    amplitude = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None] * 230 * np.sqrt(2)
    low = amplitude.copy()
    low[1] *= 0.7
    one = segment(amplitude=amplitude, order=[1])
    two = following(one, 203_700_000, amplitude=low)
    three = following(two, 150_000_000, amplitude=amplitude)
    ends, rms = half_cycle_rms(signal(one, two, three, duration_s=1), 2, 90)
    (event,) = detect_events(ends, rms, EventKind.DIP, threshold=207.0, hysteresis=4.6)
    assert event.extreme == pytest.approx(161.0, rel=1e-12)
    assert event.channels == (False, True, False)
    assert abs(event.end_ns - event.start_ns - 150_000_000) <= 20_000_000
    assert 0 <= event.start_ns - (EPOCH + 203_700_000) <= 20_000_000


def test_limits_that_detect_nothing_are_refused():
    for limits in ({"threshold": 0.0, "hysteresis": 1.0}, {"threshold": 1.0, "hysteresis": -1.0}):
        with pytest.raises(ValueError, match="detect nothing"):
            EventDetector(EventKind.DIP, **limits)
