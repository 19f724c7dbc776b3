"""The example of docs/signals.md is run, and its table of errors measured again."""

import re
from pathlib import Path

import numpy as np

from tests.signals.waves import at, following, segment, signal
from twin.signals import instant_of_theta, sampled, theta_at, window_moments

TEXT = (Path(__file__).parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")
RATES = (128, 256, 512)


def test_the_example_prints_what_the_page_shows(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == shown


def shown_errors():
    """Return the rows of the table of errors: RMS and orders of four windows, three rates each."""
    rows = re.findall(r"^\|[^|\n]*\| (?:RMS|orders) \|(.*)\|$", TEXT, re.MULTILINE)
    return np.array([[float(cell) for cell in row.split("|")] for row in rows]).reshape(4, 2, 3)


def windows():
    """Return the signals of the table, in its order."""
    order = [1, 3, 5, 7, 11, 13]
    crest = 230 * np.sqrt(2)
    healthy = np.repeat(crest * np.array([[1, 0.05, 0.05, 0.05, 0.03, 0.03]]), 6, axis=0)
    one = segment(amplitude=healthy, order=order, frequency=49.3, theta=0.4)
    two = following(one, 43_210_000, amplitude=0.4 * one.amplitude)
    yield signal(one, duration_s=1)
    yield signal(one, two, following(two, 71_000_000, amplitude=one.amplitude), duration_s=1)
    for size, rate in ((200.0, -25.0), (100.0, -300.0 + 2j * np.pi * 900.0)):
        other = following(
            one,
            43_210_000,
            order=np.append(one.order, 0.0),
            rate=np.append(one.rate, rate),
            amplitude=np.hstack([one.amplitude, np.full((6, 1), size + 0j)]),
        )
        yield signal(one, other, duration_s=1)


def test_the_errors_are_those_of_the_table():
    """No more than shown, and where they are above rounding no less than a half of it."""
    measured = np.empty((4, 2, 3))
    for n, whole in enumerate(windows()):
        start = at(0.0102)
        part = whole.segments[0]
        end = instant_of_theta(part, theta_at(part, start.ns) + 20 * np.pi)
        gram, spectrum, _ = window_moments(whole, start, end, orders=51)
        for k, per_cycle in enumerate(RATES):
            turned = sampled(whole, samples_per_cycle=per_cycle)
            found, bins, _ = window_moments(turned, start, end, orders=51)
            measured[n, 0, k] = abs(np.sqrt(found[0, 0, 0] / gram[0, 0, 0]) - 1)
            measured[n, 1, k] = np.abs(bins - spectrum).max() / 230
    shown = shown_errors()
    assert (measured <= shown).all()
    above = shown > 2e-13
    assert (measured[above] >= 0.5 * shown[above]).all()


def test_every_name_that_the_page_mentions_exists():
    from twin import contracts, metrology, signals

    words = {word.split("(")[0] for word in re.findall(r"`([A-Za-z_]+(?:\([^`]*\))?)`", TEXT)}
    known = {name for room in (contracts, metrology, signals) for name in room.__all__}
    assert words <= known | {"tau", "theta", "b", "t exp", "exp"}
