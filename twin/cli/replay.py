"""``twin replay``: a recorded waveform through a virtual meter."""

import argparse
import json
import math
import sys
from typing import Any

from twin.contracts import BadInputError, Finding, Mark

_CHANNELS = ("va", "vb", "vc", "ia", "ib", "ic")


def replay(options: argparse.Namespace) -> int:
    """Print what a meter reads of a recording."""
    from twin.calibrator.profiles import PROFILES, REFERENCE  # noqa: PLC0415
    from twin.calibrator.replay import ReplayOptions, replay_reference  # noqa: PLC0415
    from twin.documents import suggestion  # noqa: PLC0415
    from twin.metrology import Lamp  # noqa: PLC0415
    from twin.recording.nominal import nominal_frequency  # noqa: PLC0415
    from twin.recording.sampled_recording import read_recording  # noqa: PLC0415

    if options.frequency not in {None, 50.0, 60.0}:
        raise _bad("--frequency", f"{options.frequency:g} Hz is no nominal frequency", "give 50 or 60")
    if options.nominal is not None and not options.nominal > 0.0:
        raise _bad(
            "--nominal", f"{options.nominal:g} V is no voltage", "give volts, line to neutral, primary"
        )
    if options.meter not in PROFILES:
        mend = suggestion(options.meter, PROFILES, "meters")
        raise _bad("--meter", f"there is no meter '{options.meter}'", mend)
    pt, ct = _ratio("--pt", options.pt, "20000:100"), _ratio("--ct", options.ct, "200:5")
    recording = read_recording(
        options.file, channels=_channels(options.channels), frequency=options.frequency
    )
    frequency = options.frequency or nominal_frequency(recording)
    if options.meter == REFERENCE:
        wanted = ReplayOptions(
            frequency=frequency,
            nominal=options.nominal,
            lamp={None: None, 120: Lamp.V120, 230: Lamp.V230}[options.lamp],
        )
        readings = replay_reference(recording, wanted)
    else:
        from twin.calibrator.replay_meter import MeterReplay, replay_meter  # noqa: PLC0415

        meter = MeterReplay(
            profile=options.meter,
            frequency=frequency,
            nominal=options.nominal,
            pt=pt,
            ct=ct,
            ideal=options.ideal,
        )
        readings = replay_meter(recording, meter)
    if options.json:
        sys.stdout.write(json.dumps(readings, allow_nan=False) + "\n")
    else:
        _print(readings, title=f"{options.file}, {options.meter}")
    return 0


def _bad(field: str, what: str, mend: str) -> BadInputError:
    return BadInputError(Finding(Mark("command line"), field, what, mend))


def _ratio(option: str, text: str | None, example: str) -> tuple[float, float] | None:
    """Return rated primary and secondary of a transformer from ``P:S``."""
    if text is None:
        return None
    primary, _, secondary = text.partition(":")
    try:
        ratio = float(primary), float(secondary)
    except ValueError:
        ratio = 0.0, 0.0
    if not all(math.isfinite(value) and value > 0.0 for value in ratio):
        raise _bad(option, f"'{text}' is no ratio", f"write PRIMARY:SECONDARY, for example {example}")
    return ratio


def _channels(text: str | None) -> dict[str, str] | None:
    """Return channels by name from ``va=NAME,vb=..``."""
    if text is None:
        return None
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, given = part.partition("=")
        if not equals or name.strip() not in _CHANNELS or not given.strip():
            raise _bad("--channels", f"'{part}' assigns nothing", "write va=NAME,vb=NAME or va=#7")
        found[name.strip()] = given.strip()
    return found


def _print(readings: dict[str, Any], *, title: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 110)
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("a", "b", "c", "total"):
        table.add_column(name, justify="right")
    for label, unit, row in _lines(readings):
        cells = ["-" if value is None else f"{value + 0.0:.5g}" for value in row]
        table.add_row(
            escape(f"{label} [{unit}]" if unit else label),
            *cells,
            *[""] * (4 - len(cells)),
            end_section=False,
        )
    console.print(table)
    unbalance = readings["unbalance"]
    for label, value, unit in (
        ("frequency", readings["frequency"], "Hz"),
        ("unbalance u2", unbalance["u2"], "%"),
        ("unbalance u0", unbalance["u0"], "%"),
        *((name, value, name.rpartition("_")[2]) for name, value in readings["energy"].items()),
    ):
        if value is not None:
            console.print(f"{label}: {value:.6g} {unit}", highlight=False)
    for event in readings["events"] or []:
        lasts = "lasts" if event["duration_s"] is None else f"{event['duration_s'] * 1e3:.1f} ms"
        where = f"{event['type']} on {event['phase']} at {event['start']:.4f} s"
        console.print(f"{where}, {lasts}, {event['extreme_v']:.2f} V", highlight=False)


def _lines(readings: dict[str, Any]) -> list[tuple[str, str, list[float | None]]]:
    rms, thd = readings["rms"], readings["thd"]
    lines = [
        ("voltage", "V", [rms[f"v{x}"] for x in "abc"]),
        ("voltage THD", "%", [thd[f"v{x}"] for x in "abc"]),
        ("current", "A", [rms[f"i{x}"] for x in "abc"]),
        ("current THD", "%", [thd[f"i{x}"] for x in "abc"]),
    ]
    for label, unit, key in (
        ("P", "W", "p"),
        ("Q", "var", "q"),
        ("S", "VA", "s"),
        ("power factor", "", "pf"),
    ):
        lines.append((label, unit, [readings[key][x] for x in ("a", "b", "c", "total")]))
    lines.append(("Pst", "", [readings["flicker"]["pst"][f"v{x}"] for x in "abc"]))
    return [line for line in lines if any(value is not None for value in line[2])]
