"""A damaged file is read or refused with a finding; nothing else comes out of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recording.comtrade_files import CFG_1999, binary, combined, text
from twin.contracts import BadInputError
from twin.recording.sampled_recording import read_recording

CFG = CFG_1999.replace(",1999", ",2013").replace("\n", "\r\n") + "-5h30,0\r\nB,3\r\n"
CSV = b"time_s,va_v,ia_a\n0,1.5,2\n0.001,-1.5,3\n0.002,1.25,4\n0.003,-1,5\n"
FILES = {
    "binary.cff": combined(CFG, binary(), "BINARY"),
    "float.cff": combined(CFG.replace("BINARY", "FLOAT32"), binary("FLOAT32"), "FLOAT32"),
    "stamps.cff": combined(CFG.replace("1\r\n1000,4", "0\r\n0,4"), binary(), "BINARY"),
    "text.cff": combined(CFG.replace("BINARY", "ASCII"), text(), "ASCII"),
    "plain.csv": CSV,
}


@st.composite
def damaged(draw, whole):
    """Cut, overwrite, repeat or remove some bytes."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.integers(0, 12))
        new = draw(
            st.binary(max_size=4)
            | st.sampled_from([b",", b"\n", b"0", b"-1", b"nan", b"1e400", b"1e30", b"1e308", b"99999999999"])
        )
        content[at : at + length] = draw(st.sampled_from([new, bytes(content[at : at + length]) * 2, b""]))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def outcome(path):
    """The recording, or why it is refused."""
    try:
        return read_recording(path, frequency=50.0)
    except BadInputError as refusal:
        return refusal


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_damage_is_read_or_refused(tmp_path_factory, name, data):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data.draw(damaged(FILES[name])))
    found = outcome(path)
    if isinstance(found, BadInputError):
        assert found.findings
        assert all(finding.what and finding.mend and finding.where.file for finding in found.findings)
    else:
        assert found.samples.shape == (len(found.channels), found.time_s.size)
        assert np.isfinite(found.samples).all()
        assert found.samples.any()
        assert (np.diff(found.time_s) > 0).all()
        assert found.channels[0].startswith("v")


@pytest.mark.parametrize("name", FILES)
def test_the_whole_file_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name])
    assert outcome(tmp_path / name).channels == ("va", "ia")
