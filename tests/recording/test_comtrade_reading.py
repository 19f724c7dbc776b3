"""COMTRADE files of every revision and format are read, and so are the ways in which real ones stray."""

from pathlib import Path

import comtrade
import numpy as np
import pytest

from tests.recording.comtrade_files import (
    CFG_1999,
    COUNTS,
    STATES,
    VALUES,
    binary,
    combined,
    stamps,
    text,
    write_pair,
)
from twin.contracts import BadInputError
from twin.recording.comtrade import DataFormat, SampleRate, read_comtrade

CFG_2013 = CFG_1999.replace(",1999", ",2013") + "-5h30,0\nB,3\n"
CFG_1991 = """\
Station,Device
3,2A,1D
1,Va,A,,V,0.5,10,0,-32767,32767
2,Ia,A,,A,-0.25,0,0,-32767,32767
1,Trip,0
60
1
1000,4
12/04/94,07:01:48.813000
12/04/94,07:01:48.814500
ASCII
"""
START_NS = 1_417_676_508_813_000_000
"""2014-12-04T07:01:48.813."""

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
REAL_FILES = sorted(RECORDINGS.glob("*.cfg"))

if REAL_FILES:  # files of others that are not part of the project: no test without them, rather than a skip

    @pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
    def test_real_files_agree_with_another_reader(path):
        mine = read_comtrade(path)
        other = comtrade.load(
            str(path),
            encoding="latin-1",
            ignore_warnings=True,
            use_double_precision=True,
            use_numpy_arrays=True,
        )
        count = other.total_samples
        assert mine.time_s.size - count in {0, 1}
        np.testing.assert_array_equal(mine.values[:, :count], np.array(other.analog))
        np.testing.assert_array_equal(mine.digital[:, :count], np.array(other.status))
        np.testing.assert_allclose(mine.time_s[:count], other.time - other.time[0], rtol=0, atol=1e-12)
        assert [channel.name for channel in mine.configuration.analog] == other.analog_channel_ids
        assert mine.configuration.frequency == other.frequency


def check(recording):
    np.testing.assert_array_equal(recording.values, VALUES)
    np.testing.assert_array_equal(recording.digital, [STATES])
    np.testing.assert_allclose(recording.time_s, [0, 1e-3, 2e-3, 3e-3], rtol=0, atol=1e-15)


def test_a_1999_pair(tmp_path):
    recording = read_comtrade(write_pair(tmp_path, CFG_1999, binary()))
    check(recording)
    found = recording.configuration
    assert (found.station, found.device, found.revision) == ("Station", "Device", 1999)
    voltage, current = found.analog
    assert (voltage.name, voltage.unit, voltage.phase, voltage.scaling) == ("Va", "V", "A", "S")
    assert (current.primary, current.secondary, current.scaling) == (200.0, 5.0, "P")
    assert found.digital[0].name == "Trip"
    assert found.frequency == 50.0
    assert found.rates == (SampleRate(1000.0, 4),)
    assert (found.start_local_ns, found.trigger_local_ns) == (START_NS, START_NS + 1_500_000)
    assert found.start_utc_ns is None  # 1999 does not tell the clock's zone


@pytest.mark.parametrize("data_format", DataFormat)
@pytest.mark.parametrize("single", [False, True])
def test_every_format_of_2013_in_two_files_and_in_one(tmp_path, data_format, single):
    cfg = CFG_2013.replace("BINARY", data_format)
    data = text() if data_format == "ASCII" else binary(data_format)
    if single:
        path = tmp_path / "fault.cff"
        path.write_bytes(combined(cfg.replace("\n", "\r\n"), data, data_format))
    else:
        path = write_pair(tmp_path, cfg, data)
    recording = read_comtrade(path)
    check(recording)
    found = recording.configuration
    assert found.data_format == data_format
    assert found.utc_offset_s == -19_800
    assert found.start_utc_ns == START_NS + 19_800_000_000_000
    assert (found.local_offset_s, found.time_quality, found.leap_second) == (0, "B", "3")


def test_binary_data_in_one_file_may_lack_its_length_and_look_like_a_separator(tmp_path):
    path = tmp_path / "fault.CFF"
    data = binary(counts=((0x2D2D, 0x0A2D), *COUNTS[1:]))
    path.write_bytes(combined(CFG_2013, data, "BINARY", length=False))
    assert read_comtrade(path).values[0, 0] == 0x2D2D * 0.5 + 10


def test_a_separator_may_call_any_binary_format_binary(tmp_path):
    path = tmp_path / "fault.cff"
    cfg = CFG_2013.replace("BINARY", "FLOAT32")
    path.write_bytes(combined(cfg, binary("FLOAT32"), "BINARY"))
    check(read_comtrade(path))


def test_a_1991_pair_has_short_channels_and_the_month_first(tmp_path):
    recording = read_comtrade(write_pair(tmp_path, CFG_1991, text()))
    check(recording)
    found = recording.configuration
    assert found.revision == 1991
    assert found.analog[0].scaling is None
    assert found.start_local_ns == 786_524_508_813_000_000  # 1994-12-04T07:01:48.813


def test_several_rates(tmp_path):
    cfg = CFG_1999.replace("\n1\n1000,4", "\n2\n1000,2\n100,4")
    times = read_comtrade(write_pair(tmp_path, cfg, binary())).time_s
    np.testing.assert_allclose(times, [0, 0.001, 0.011, 0.021], rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "rates", ["0\n0,4", "0", "1\n0,4"], ids=["nrates 0", "no line for it", "one rate of 0"]
)
def test_without_a_rate_the_time_stamps_count(tmp_path, rates):
    cfg = CFG_1999.replace("1\n1000,4", rates).replace("BINARY\n1\n", "BINARY\n2.5\n")
    data = binary(times=[40, 440, 1240, 1640])
    times = read_comtrade(write_pair(tmp_path, cfg, data)).time_s
    np.testing.assert_allclose(times, np.array([0, 400, 1200, 1600]) * 2.5e-6, rtol=0, atol=1e-15)


def test_nine_digits_of_the_second_make_the_stamps_nanoseconds(tmp_path):
    cfg = CFG_2013.replace("1\n1000,4", "0\n0,4").replace("48.813000", "48.813000001")
    recording = read_comtrade(write_pair(tmp_path, cfg, binary()))
    np.testing.assert_allclose(recording.time_s, [0, 1e-6, 2e-6, 3e-6], rtol=0, atol=1e-18)
    assert recording.configuration.start_local_ns == START_NS + 1


MISSING = {
    "BINARY": -32768,
    "BINARY32": -(2**31),
    "FLOAT32": -3.4028234663852886e38,
}


@pytest.mark.parametrize("data_format", MISSING)
def test_a_marked_value_is_missing_not_a_number(tmp_path, data_format):
    counts = (COUNTS[0], (0, MISSING[data_format]), *COUNTS[2:])
    cfg = CFG_2013.replace("BINARY", data_format)
    values = read_comtrade(write_pair(tmp_path, cfg, binary(data_format, counts=counts))).values
    np.testing.assert_array_equal(np.isnan(values), [[False] * 4, [False, True, False, False]])


@pytest.mark.parametrize("mark", ["99999", "", "  "])
def test_a_marked_value_of_text_is_missing(tmp_path, mark):
    counts = (COUNTS[0], (0, mark), *COUNTS[2:])
    cfg = CFG_1999.replace("BINARY", "ASCII")
    values = read_comtrade(write_pair(tmp_path, cfg, text(counts=counts))).values
    np.testing.assert_array_equal(np.isnan(values), [[False] * 4, [False, True, False, False]])


def test_99999_is_a_value_where_the_limits_hold_it(tmp_path):
    cfg = CFG_2013.replace("BINARY", "ASCII").replace("-32767,32767", "-200000,200000")
    values = read_comtrade(write_pair(tmp_path, cfg, text(counts=((0, 99999), *COUNTS[1:])))).values
    assert values[1, 0] == -0.25 * 99999


def test_1991_fills_a_missing_sample_with_ones(tmp_path):
    cfg = CFG_1991.replace("ASCII", "BINARY")
    data = binary(counts=((-1, -1), *COUNTS[1:]))
    assert not np.isnan(read_comtrade(write_pair(tmp_path, cfg, data)).values).any()
    positive = cfg.replace("-32767,32767", "0,4095", 1)
    values = read_comtrade(write_pair(tmp_path, positive, data)).values
    np.testing.assert_array_equal(np.argwhere(np.isnan(values)), [[0, 0]])
    third = cfg.replace("3,2A", "4,3A").replace("1,Trip", "3,Ib,B,,A,1,0,0,-32767,32767\n1,Trip")
    data = binary(counts=((1, -1, -1), (-1, -1, -1), (-1, 2, 3), (4, 5, 6)))
    values = read_comtrade(write_pair(tmp_path, third, data)).values
    np.testing.assert_array_equal(np.isnan(values).any(axis=0), [False, True, False, False])


LENIENT = {
    "0x1A at the end": CFG_1999 + "\x1a\x1a",
    "0x1A behind the last field": CFG_1999.rstrip() + " \x1a",
    "no time multiplier": CFG_1999.removesuffix("1\n"),
    "blank lines": "\n" + CFG_1999.replace("\n", "\n\n"),
    "empty skew": CFG_1999.replace(",10,0,-32767", ",10,,-32767"),
    "empty limits": CFG_1999.replace(",-32767,32767,1000", ",,,1000"),
    "blanks about fields": CFG_1999.replace(",", " , "),
    "lower-case letters": CFG_1999.replace("2A,1D", "2a,1d").replace("BINARY", "binary").replace(",S", ",s"),
    "no station names": CFG_1999.replace("Station,Device", ","),
    "no first line": CFG_1999.removeprefix("Station,Device,1999\n"),
    "another year": CFG_1999.replace(",1999", ",1997"),
    "a comma in the device": CFG_1999.replace("Device", "De,vice"),
    "no line frequency": CFG_1999.replace("50\n1\n", "1\n"),
    "an empty line frequency": CFG_1999.replace("50\n1\n", "\n1\n"),
    "one sample too many": CFG_1999.replace("1000,4", "1000,3"),
    "one sample too few": CFG_1999.replace("1000,4", "1000,5"),
    "Latin-1": CFG_1999.replace("Station", "Köln").replace("Trip", "Auslösung"),
    "no count of samples": CFG_1999.replace("1000,4", "1000,0"),
    "an impossible time": CFG_1999.replace("04/12/2014", "00/00/0000"),
    "no times": "".join(line for line in CFG_1999.splitlines(keepends=True) if "/" not in line),
}


@pytest.mark.parametrize("cfg", LENIENT.values(), ids=LENIENT)
def test_leniency(tmp_path, cfg):
    check(read_comtrade(write_pair(tmp_path, cfg, binary())))


@pytest.mark.parametrize("name", ["Latin-1", "no station names", "no line frequency", "an impossible time"])
def test_what_is_not_stated_is_empty(tmp_path, name):
    found = read_comtrade(write_pair(tmp_path, LENIENT[name], binary())).configuration
    seen = {
        "Latin-1": (found.station, "Köln"),
        "no station names": (found.station + found.device, ""),
        "no line frequency": (found.frequency, None),
        "an impossible time": (found.start_local_ns, None),
    }
    assert seen[name][0] == seen[name][1]


def test_utf_8_with_a_byte_order_mark(tmp_path):
    path = write_pair(tmp_path, "\ufeff" + LENIENT["Latin-1"], binary(), encoding="utf-8")
    assert read_comtrade(path).configuration.station == "Köln"


@pytest.mark.parametrize(
    "data",
    [
        binary() + b"\x1a",
        binary() + b"\x1a\x1a",
        binary() + b"ab",
        binary(first=0),
        binary(times=[2**32 - 1] * 4),
    ],
    ids=["0x1A", "two of them", "two bytes more", "numbers from 0", "no time stamps"],
)
def test_lenient_data(tmp_path, data):
    check(read_comtrade(write_pair(tmp_path, CFG_1999, data)))


@pytest.mark.parametrize(
    "data",
    [text() + b"\x1a", b"\r\n" + text().replace(b"\r\n", b"\r\n\r\n"), text().replace(b"\r\n", b",\n"),
     text(times=[""] * 4), text(times=stamps(step=7))],
    ids=["0x1A", "blank lines", "trailing commas", "no time stamps", "time stamps that the rate overrules"],
)  # fmt: skip
def test_lenient_text(tmp_path, data):
    check(read_comtrade(write_pair(tmp_path, CFG_1999.replace("BINARY", "ASCII"), data)))


@pytest.mark.parametrize("extensions", [(".CFG", ".DAT"), (".cfg", ".DAT"), (".Cfg", ".dat")])
@pytest.mark.parametrize("which", [0, 1])
def test_extensions_in_any_case_by_either_file(tmp_path, extensions, which):
    path = write_pair(tmp_path, CFG_1999, binary(), extensions=extensions)
    check(read_comtrade(path.with_suffix(extensions[which])))


def test_an_impossible_day_month_order_is_turned(tmp_path):
    cfg = CFG_1999.replace("04/12/2014", "12/24/2014")
    found = read_comtrade(write_pair(tmp_path, cfg, binary())).configuration
    assert found.start_local_ns == START_NS + 20 * 86_400 * 10**9


BAD = {
    "truncated": (CFG_1999, binary()[:-28], "is truncated: 2 samples where 4"),
    "cut within a sample": (CFG_1999, binary()[:-3], "ends within sample 4, after 11 of its 14 bytes"),
    "far too many": (CFG_1999.replace("1000,4", "1000,2"), binary(), "holds 4 samples where 2"),
    "empty": (CFG_1999, b"", "holds no sample"),
    "a gap": (CFG_1999, binary()[:28] + binary(first=4)[28:], "sample number 2 is followed by 6"),
    "wrong channel count": (
        CFG_1999.replace("3,2A", "4,3A")
        .replace("1,Trip", "3,X,,,V,1,0,0,-9,9,1,1,P\n1,Trip")
        .replace("1000,4", "1000,28"),
        binary(counts=COUNTS * 8, states=STATES * 8),
        "sample number",
    ),
    "no stamp, no rate": (
        CFG_1999.replace("1\n1000,4", "0\n0,4"),
        binary(times=[0, 1000, 2**32 - 1, 3000]),
        "sample 3 has no time stamp",
    ),
    "time stands": (
        CFG_1999.replace("1\n1000,4", "0\n0,4"),
        binary(times=[0, 1000, 1000, 3000]),
        "time does not grow from sample 2 to 3",
    ),
    "no multiplier": (CFG_1999.replace(",V,0.5,", ",V,,"), binary(), "fault.cfg:3: Va: the multiplier a"),
    "comma as decimal point": (CFG_1999.replace("0.5,10", "x,10"), binary(), "'x' is no number"),
    "too few fields": (CFG_1999.replace("Ia,A,,A,-0.25,0,0,", "Ia,"), binary(), "fault.cfg:4"),
    "no such format": (CFG_1999.replace("BINARY", "BINARY64"), binary(), "unknown file type 'BINARY64'"),
    "ends early": (CFG_1999[:90], binary(), "fault.cfg"),
    "multiplier of time": (CFG_1999.replace("BINARY\n1\n", "BINARY\n0\n"), binary(), "time multiplier is 0"),
    "no counts": (CFG_1999.replace("3,2A,1D", "3,two,one"), binary(), "'3,two,one' is no number of channels"),
    "rates out of order": (
        CFG_1999.replace("\n1\n1000,4", "\n2\n1000,4\n100,4"),
        binary(),
        "the last sample 4 is not after 4",
    ),
    "text": (CFG_1999.replace("BINARY", "ASCII"), text().replace(b"32767", b"bad"), "fault.dat:2: Ia: 'bad'"),
    "text cut": (CFG_1999.replace("BINARY", "ASCII"), text()[:-5], "fault.dat:4: sample 4 has"),
    "text gap": (CFG_1999.replace("BINARY", "ASCII"), text().replace(b"\n3,", b"\n7,"), "fault.dat:3"),
    "text state": (CFG_1999.replace("BINARY", "ASCII"), text(states=(0, 1, 2, 0)), "fault.dat:3: Trip"),
    "text unnumbered": (CFG_1999.replace("BINARY", "ASCII"), text().replace(b"\n3,", b"\n,"), "no number"),
}


@pytest.mark.parametrize(("cfg", "data", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_understood_is_named(tmp_path, cfg, data, message):
    path = write_pair(tmp_path, cfg, data)
    with pytest.raises(BadInputError) as refusal:
        read_comtrade(path)
    assert message in str(refusal.value)
    assert refusal.value.findings[0].mend


def test_missing_files(tmp_path):
    with pytest.raises(BadInputError, match=r"there is no \.cfg file"):
        read_comtrade(tmp_path / "fault.cfg")
    write_pair(tmp_path, CFG_1999, binary())
    (tmp_path / "fault.dat").unlink()
    with pytest.raises(BadInputError, match=r"put fault\.dat beside fault\.cfg"):
        read_comtrade(tmp_path / "fault.cfg")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_comtrade(tmp_path / "none.cff")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (combined(CFG_2013, binary(), "BINARY")[:-1], "is truncated: 55 bytes of data where 56"),
        (
            combined(CFG_2013, binary(), "ASCII"),
            "the data section is ASCII but the configuration says BINARY",
        ),
        (combined(CFG_2013, binary(), "BINARY").replace(b"type: DAT", b"type: XXX"), "holds no data section"),
        (combined(CFG_2013, binary(), "BINARY").replace(b"type: CFG", b"type: XXX"), "no configuration"),
        (b"nothing", "holds no configuration section"),
        (combined(CFG_2013.replace("0.5,", "x,"), binary(), "BINARY"), "fault.cff:4: Va"),
    ],
)
def test_a_single_file_that_is_broken(tmp_path, content, message):
    path = tmp_path / "fault.cff"
    path.write_bytes(content)
    with pytest.raises(BadInputError) as refusal:
        read_comtrade(path)
    assert message in str(refusal.value)
