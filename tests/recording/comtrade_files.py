"""Small COMTRADE files made by hand, apart from the product's writer."""

import struct

CFG_1999 = """\
Station,Device,1999
3,2A,1D
1,Va,A,,V,0.5,10,0,-32767,32767,1000,10,S
2,Ia,A,,A,-0.25,0,0,-32767,32767,200,5,P
1,Trip,,,0
50
1
1000,4
04/12/2014,07:01:48.813000
04/12/2014,07:01:48.814500
BINARY
1
"""
COUNTS = ((100, -200), (0, 32767), (-32767, 1), (7, 8))
"""The counts of the two analog channels, sample by sample."""
STATES = (0, 1, 1, 0)
VALUES = ([60.0, 10.0, -16373.5, 13.5], [50.0, -8191.75, -0.25, -2.0])
"""What the counts mean: 0.5 x + 10 V, -0.25 x A."""

PACKED = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}


def stamps(step=1000, count=4):
    return [step * k for k in range(count)]


def binary(data_format="BINARY", *, counts=COUNTS, states=STATES, times=None, first=1):
    """Rows of number, stamp, analog values and one word of states."""
    times = stamps(count=len(counts)) if times is None else times
    code = "<II" + PACKED[data_format] * len(counts[0]) + "H"
    rows = zip(counts, times, states, strict=True)
    return b"".join(struct.pack(code, n, t, *row, state) for n, (row, t, state) in enumerate(rows, first))


def text(*, counts=COUNTS, states=STATES, times=None):
    times = stamps(count=len(counts)) if times is None else times
    rows = zip(times, counts, states, strict=True)
    return "".join(
        f"{n},{t},{','.join(map(str, row))},{s}\r\n" for n, (t, row, s) in enumerate(rows, 1)
    ).encode()


def combined(cfg, data, data_format, *, length=True):
    stated = f": {len(data)}" if length and data_format != "ASCII" else ""
    head = f"--- file type: CFG ---\r\n{cfg}--- file type: INF ---\r\n\r\n--- file type: HDR ---\r\nnone\r\n"
    return head.encode() + f"--- file type: DAT {data_format}{stated} ---\r\n".encode() + data


def write_pair(folder, cfg, data, *, name="fault", extensions=(".cfg", ".dat"), encoding="latin-1"):
    """Write a pair of files and return the path of the configuration."""
    path = folder / (name + extensions[0])
    path.write_bytes(cfg.replace("\n", "\r\n").encode(encoding))
    (folder / (name + extensions[1])).write_bytes(data)
    return path
