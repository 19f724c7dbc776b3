"""Recordings of known content, written by plain numpy and hand-made text."""

import json
import math

import numpy as np

from twin.cli import main

NAMES = ("va_v", "vb_v", "vc_v", "ia_a", "ib_a", "ic_a")
ROOT2 = math.sqrt(2.0)


def times(rate, seconds):
    return np.arange(round(rate * seconds)) / rate


def three_phases(t, *, f=50.0, volts=230.0, amps=10.0, lag=30.0, v_tones=None, i_tones=None, angle=17.0):
    """Return six channels: cosines by ``angle`` degrees, tones {multiple: (share, degrees)}."""
    volts = np.broadcast_to(volts, 3)
    channels = {}
    for k, phase in enumerate("abc"):
        x = 2 * np.pi * f * t + math.radians(angle - 120 * k)
        y = x - math.radians(lag)
        v = np.cos(x) + sum(s * np.cos(h * x + math.radians(a)) for h, (s, a) in (v_tones or {}).items())
        i = np.cos(y) + sum(s * np.cos(h * y + math.radians(a)) for h, (s, a) in (i_tones or {}).items())
        channels[f"v{phase}_v"] = volts[k] * ROOT2 * v
        channels[f"i{phase}_a"] = amps * ROOT2 * i
    return {name: channels[name] for name in NAMES}


def write_csv(path, t, channels):
    head = ",".join(["time_s", *channels])
    np.savetxt(
        path, np.column_stack([t, *channels.values()]), fmt="%.15g", delimiter=",", header=head, comments=""
    )
    return path


def write_comtrade(path, t, channels, *, line_frequency, rate):
    """Write a 1999 ASCII pair by hand: counts of 16 bits, primary values."""
    scale = {name: np.abs(x).max() / 32000 or 1.0 for name, x in channels.items()}
    lines = ["SITE,RECORDER,1999", f"{len(channels)},{len(channels)}A,0D"]
    for number, name in enumerate(channels, start=1):
        unit = name[-1].upper()
        label = f"{name[:2].upper()},{name[1].upper()}"
        lines.append(f"{number},{label},,{unit},{scale[name]:.15g},0,0,-32767,32767,1,1,P")
    lines += [
        str(line_frequency),
        "1",
        f"{rate},{t.size}",
        *["01/01/2026,00:00:00.000000"] * 2,
        "ASCII",
        "1",
        "",
    ]
    path.write_text("\r\n".join(lines))
    counts = np.rint(np.column_stack([x / scale[name] for name, x in channels.items()])).astype(int)
    rows = [f"{n + 1},{round(t[n] * 1e6)}," + ",".join(map(str, counts[n].tolist())) for n in range(t.size)]
    path.with_suffix(".dat").write_text("\r\n".join([*rows, ""]))
    return path


def replay(capsys, path, *options):
    """Return what ``twin replay --json`` prints."""
    code = main(["replay", str(path), "--meter", "reference", "--json", *map(str, options)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return json.loads(shown.out)
