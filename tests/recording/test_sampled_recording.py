"""Waveform files become primary values of va .. ic, or an error that says what is wrong and where."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.recording import records
from tests.recording.comtrade_files import write_pair
from twin.contracts import BadInputError
from twin.recording import export_waveform_csv
from twin.recording.comtrade import (
    AnalogChannel,
    ComtradeConfiguration,
    ComtradeRecording,
    DataFormat,
    SampleRate,
    write_comtrade,
)
from twin.recording.sample_checks import sampling_rate
from twin.recording.sampled_recording import read_recording

START_NS = 1_565_975_761_362_000_000
"""2019-08-16T17:16:01.362."""
NAMES = ("va", "vb", "vc", "ia", "ib", "ic")
RATE = 3200.0


def waves(time_s, *, skew_s=0.0):
    """Three voltages of 325 V and three currents of 14.1 A at 50 Hz."""
    angle = 2 * np.pi * (50.0 * (time_s + skew_s) + np.array([[0.0], [-1 / 3], [1 / 3]]))
    return np.vstack([325.0 * np.cos(angle), 14.1 * np.cos(angle - 0.4)])


def comtrade(path, *, samples=128, rate=RATE, values=None, channels=None, **fields):
    """Write six channels, by default primary ones in V and A, as float32."""
    time_s = np.arange(samples) / rate
    values = waves(time_s) if values is None else values
    default = [
        AnalogChannel(number=k + 1, name=name.capitalize(), unit="VA"[k // 3], scaling="P")
        for k, name in enumerate(NAMES)
    ]
    configuration = ComtradeConfiguration(
        revision=2013,
        analog=tuple(channels or default),
        frequency=50.0,
        rates=(SampleRate(rate, samples),),
        start_local_ns=START_NS,
        trigger_local_ns=START_NS + 10_000_000,
        data_format=DataFormat.FLOAT32,
        utc_offset_s=-14_400,
    )
    configuration = replace(configuration, **fields)
    digital = np.zeros((0, samples), dtype=np.uint8)
    write_comtrade(ComtradeRecording(configuration, time_s, values, digital), path)
    return path


def csv(path, *, header="time_s,va_v,vb_v,vc_v,ia_a,ib_a,ic_a", rows=None):
    if rows is None:
        time_s = np.arange(128) / RATE
        rows = [",".join(map(repr, row)) for row in np.vstack([time_s, waves(time_s)]).T.tolist()]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def refusal(path, **options):
    with pytest.raises(BadInputError) as raised:
        read_recording(path, **options)
    for finding in raised.value.findings:
        assert finding.where.file
        assert finding.mend
    return str(raised.value)


def test_comtrade(tmp_path):
    path = comtrade(tmp_path / "one.cfg")
    found = read_recording(path)
    assert found.channels == NAMES
    assert found.names == ("Va", "Vb", "Vc", "Ia", "Ib", "Ic")
    assert found.units == ("V", "V", "V", "A", "A", "A")
    np.testing.assert_allclose(found.samples, waves(found.time_s), rtol=2**-24)
    np.testing.assert_allclose(found.time_s, np.arange(128) / RATE, rtol=1e-14)
    assert found.samples.dtype == np.float64
    assert (found.rate_hz, found.frequency, found.trigger_s) == (RATE, 50.0, 0.01)
    assert found.start_ns == START_NS + 14_400 * 10**9
    assert found.source == str(path)


def test_csv(tmp_path):
    found = read_recording(csv(tmp_path / "one.csv"), frequency=50.0)
    assert found.channels == NAMES
    np.testing.assert_array_equal(found.samples, waves(found.time_s))
    assert found.rate_hz == pytest.approx(RATE, rel=1e-12)
    assert (found.frequency, found.start_ns, found.trigger_s) == (50.0, None, None)


def test_a_subset_of_columns_in_any_order_from_any_time(tmp_path):
    header = "\ufeffib_a, time_s ,vb_v"
    path = csv(
        tmp_path / "one.CSV", header=header, rows=["1,10.000,3", "", " 2 ,10.001,-4e2 ", "0,10.002,5", "\x1a"]
    )
    found = read_recording(path)
    assert found.channels == ("vb", "ib")
    np.testing.assert_array_equal(found.samples, [[3, -400, 5], [1, 2, 0]])
    np.testing.assert_allclose(found.time_s, [0, 0.001, 0.002], rtol=0, atol=1e-12)


def test_the_csv_of_a_capture_reads_back(tmp_path):
    capture = records.waveform(3)
    path = tmp_path / "capture.csv"
    path.write_text(export_waveform_csv(capture), encoding="utf-8")
    found = read_recording(path, frequency=50.0)
    values = capture.raw * np.array(capture.scale)[:, np.newaxis]
    np.testing.assert_allclose(found.samples, values, rtol=1e-8)
    assert found.rate_hz == pytest.approx(1600.0, rel=1e-9)


@pytest.mark.parametrize(
    ("unit", "scaling", "ratio", "factor"),
    [
        ("V", "P", (20000, 100), 1.0),
        ("kV", "P", (1, 1), 1e3),
        ("V", "S", (20000, 100), 200.0),
        ("mV", "S", (5, 1), 5e-3),
    ],
)
def test_values_are_primary_volts(tmp_path, unit, scaling, ratio, factor):
    channel = AnalogChannel(
        number=1, name="Ua", unit=unit, scaling=scaling, primary=float(ratio[0]), secondary=float(ratio[1])
    )
    values = waves(np.arange(128) / RATE)[:1]
    found = read_recording(comtrade(tmp_path / "one.cff", values=values, channels=[channel]))
    np.testing.assert_allclose(found.samples, values * factor, rtol=2**-23)


def test_without_a_flag_values_are_taken_as_they_are(tmp_path):
    channel = AnalogChannel(number=1, name="Ua", unit="V", scaling="S", primary=200.0, secondary=1.0)
    path = comtrade(tmp_path / "one.cfg", values=waves(np.arange(128) / RATE)[:1], channels=[channel])
    text = path.read_text()
    path.write_text(text.replace(",2013", ",1991").replace(",200,1,S", "").replace("x,x", ""))
    assert read_recording(path).samples.max() == pytest.approx(325.0)


def test_channels_sampled_one_after_another_are_brought_together(tmp_path):
    time_s = np.arange(256) / 2400.0  # 48 samples to a cycle
    skews = [20.0 + 25.0 * k for k in range(6)]
    values = np.vstack([waves(time_s, skew_s=skew * 1e-6)[k] for k, skew in enumerate(skews)])
    channels = [
        AnalogChannel(number=k + 1, name=name, unit="VA"[k // 3], scaling="P", skew_us=skews[k])
        for k, name in enumerate(NAMES)
    ]
    path = comtrade(tmp_path / "one.cfg", samples=256, rate=2400.0, values=values, channels=channels)
    found = read_recording(path)
    expected = waves(time_s, skew_s=20e-6)
    bound = np.array([[325.0]] * 3 + [[14.1]] * 3)
    error = np.abs(found.samples - expected) / bound
    assert error[:, 4:-4].max() < 5 / 384 * (2 * np.pi / 48) ** 4
    assert error.max() < 1e-4
    assert np.abs(values - expected).max() > 5.0  # what it would have been
    assert found.start_ns == START_NS + 14_400 * 10**9 + 20_000
    far = [replace(channels[0], skew_us=-900.0), *channels[1:]]
    path = comtrade(tmp_path / "far.cfg", samples=256, rate=2400.0, values=values, channels=far)
    assert "more than a sampling interval" in refusal(path)


def test_a_clock_without_an_offset_needs_its_zone(tmp_path):
    path = comtrade(tmp_path / "one.cfg", utc_offset_s=None)
    assert read_recording(path).start_ns is None
    assert read_recording(path, time_zone="America/New_York").start_ns == START_NS + 14_400 * 10**9
    assert "unknown time zone 'Mars/Olympus'" in refusal(path, time_zone="Mars/Olympus")


def test_a_trigger_outside_the_recording_is_none(tmp_path):
    assert read_recording(comtrade(tmp_path / "one.cfg", trigger_local_ns=0)).trigger_s is None


def test_rates_that_change(tmp_path):
    samples = np.concatenate([np.arange(64) / 3200, 63 / 3200 + np.arange(1, 65) / 1600])
    rates = (SampleRate(3200.0, 64), SampleRate(1600.0, 128))
    path = tmp_path / "one.cfg"
    channel = AnalogChannel(number=1, name="Va", unit="V", scaling="P")
    configuration = ComtradeConfiguration(
        revision=2013, analog=(channel,), frequency=50.0, rates=rates, start_local_ns=0,
        data_format=DataFormat.FLOAT32,
    )  # fmt: skip
    values = waves(samples)[:1]
    write_comtrade(ComtradeRecording(configuration, samples, values, np.zeros((0, 128), np.uint8)), path)
    found = read_recording(path)
    assert found.rate_hz is None
    np.testing.assert_allclose(found.samples, waves(found.time_s)[:1], rtol=2**-23, atol=1e-9)


def test_rounded_time_stamps_are_one_rate():
    time_s = np.round(np.arange(500) / 25_600, 6)
    assert sampling_rate(time_s) == pytest.approx(25_600, rel=1e-4)
    time_s[100:] += 10e-6
    assert sampling_rate(time_s) is None


def test_rate_below_8_samples_to_a_cycle(tmp_path):
    path = comtrade(tmp_path / "one.cfg", rate=390.0)
    assert "7.8 samples to a cycle of 50 Hz from sample 1 on; record with at least 400" in refusal(path)
    path = comtrade(tmp_path / "one.cfg", rate=400.0)
    assert read_recording(path).rate_hz == 400.0
    assert "6.67 samples to a cycle of 60 Hz" in refusal(path, frequency=60.0)


def test_kind_of_file(tmp_path):
    assert "unknown kind of recording '.wav'" in refusal(tmp_path / "one.wav")
    assert "cannot be read" in refusal(tmp_path / "one.csv")


NUMBERS = [f"{k / 3200!r},{float(325 * np.cos(np.pi * k / 32))!r},{k - 30}" for k in range(64)]
HEADER = "time_s,va_v,ia_a"


def rows(**changed):
    return [changed.get(f"row{k}", row) for k, row in enumerate(NUMBERS)]


CSV_REFUSED = {
    "NaN": (HEADER, rows(row5=f"{5 / 3200},nan,1"), "one.csv:7: va_v: sample 6 is missing or not a number"),
    "infinity": (HEADER, rows(row5=f"{5 / 3200},1,inf"), "one.csv:7: ia_a: sample 6 is missing"),
    "empty": (HEADER, rows(row5=f"{5 / 3200},,1"), "one.csv:7: va_v: sample 6 is missing"),
    "text": (HEADER, rows(row5=f"{5 / 3200},1,x"), "one.csv:7: ia_a: 'x' at sample 6 is no number"),
    "short row": (HEADER, rows(row63="0.1,2"), "one.csv:65: sample 64 has 2 values, not 3"),
    "all rows short": (HEADER, [row.rpartition(",")[0] for row in NUMBERS], "sample 1 has 2 values"),
    "gap": (HEADER, NUMBERS[:20] + NUMBERS[22:], "one.csv:22: time: a gap of 0.0009375 s after sample 20"),
    "gap at the end": (HEADER, NUMBERS[:60] + NUMBERS[63:], "a gap of 0.00125 s after sample 60"),
    "two gaps": (HEADER, NUMBERS[:20] + NUMBERS[22:23] + NUMBERS[25:], "a gap of 0.0009375 s"),
    "back": (HEADER, [*NUMBERS[:9], NUMBERS[3], *NUMBERS[10:]], "one.csv:11: time: time does not grow"),
    "twice": (HEADER, [*NUMBERS[:9], *NUMBERS[8:]], "time does not grow"),
    "time NaN": (HEADER, rows(row5="nan,1,1"), "one.csv:7: time: the time of sample 6 is no number"),
    "one sample": (HEADER, NUMBERS[:1], "a single sample is no recording"),
    "no sample": (HEADER, [], "holds no sample"),
    "no voltage": ("time_s,ib_a,ia_a", NUMBERS, "one.csv:1: header: no voltage channel"),
    "voltage zero": (HEADER, [f"{k / 3200},0,{k}" for k in range(64)], "every sample of va_v is zero"),
    "wrong unit": ("time_s,va_kv,ia_a", NUMBERS, "is an unknown column; wrong unit: write va in V"),
    "unknown": ("time_s,va_v,ia_amp", NUMBERS, "ia_amp: is an unknown column"),
    "no time": ("t,va_v,ia_a", NUMBERS, "has no column time_s but t, va_v, ia_a"),
    "twice a column": ("time_s,va_v,va_v", NUMBERS, "va_v: is there twice"),
    "slow": (HEADER, [f"{k / 300!r},1,2" for k in range(64)], "6 samples to a cycle"),
}  # fmt: skip


@pytest.mark.parametrize(("header", "lines", "message"), CSV_REFUSED.values(), ids=CSV_REFUSED)
def test_bad_csv(tmp_path, header, lines, message):
    assert message in refusal(csv(tmp_path / "one.csv", header=header, rows=lines), frequency=50.0)


def test_every_channel_with_a_hole_is_named(tmp_path):
    lines = rows(row5=f"{5 / 3200},nan,1", row6=f"{6 / 3200},nan,1", row9=f"{9 / 3200},1,nan")
    text = refusal(csv(tmp_path / "one.csv", header=HEADER, rows=lines))
    assert "one.csv:7: va_v: sample 6 (and 1 more)" in text
    assert "one.csv:11: ia_a: sample 10 is missing" in text


def test_columns_by_choice(tmp_path):
    path = csv(tmp_path / "one.csv", header="time_s,U_feeder_V,note", rows=NUMBERS)
    found = read_recording(path, channels={"vb": "U_feeder_V"})
    assert (found.channels, found.names) == (("vb",), ("U_feeder_V",))
    assert "there is no column 'U_feder_V'; did you mean 'U_feeder_V'?" in refusal(
        path, channels={"va": "U_feder_V"}
    )
    assert "wrong unit in 'note'" in refusal(path, channels={"va": "note"})
    assert "channels.vd: is an unknown channel" in refusal(path, channels={"vd": "note"})


CFG = """\
S,D,1999
1,1A,0D
1,Va,A,,V,0.1,0,0,-32767,32767,1,1,P
50
1
1000,{count}
04/12/2014,07:01:48.813000
04/12/2014,07:01:48.814500
ASCII
1
"""


@pytest.mark.parametrize(
    ("cfg", "values", "message"),
    [
        (CFG, [1, 2, 99999, 99999, 5], "fault.cfg: Va: sample 3 (and 1 more) is missing"),
        (CFG, [1, 2, "", 3, 5], "Va: sample 3 is missing"),
        (CFG, [0] * 5, "no voltage: every sample of Va is zero"),
        (CFG.replace(",V,0.1,", ",V,0,"), [1, 2, 3, 4, 5], "Va: the multiplier a is 0"),
        (CFG.replace("1,1,P", "0,0,S"), [1, 2, 3, 4, 5], "Va: secondary values, but the ratio is 0 to 0"),
        (CFG.replace(",V,0.1", ",bar,0.1"), [1, 2, 3, 4, 5], "Va: wrong unit: va is in 'bar'"),
        (CFG.replace(",V,0.1", ",A,0.1"), [1, 2, 3, 4, 5], "Va: wrong unit: va is in 'A'"),
        (CFG.replace("1\n1000,", "0\n0,"), [1, 2, 3], "a gap of 0.004 s after sample 6"),
    ],
)
def test_bad_comtrade(tmp_path, cfg, values, message):
    if "0\n0," in cfg:
        data = "".join(
            f"{k},{t * 1000},{k}\r\n" for k, t in enumerate([1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14], 1)
        )
        count = 11
    else:
        data = "".join(f"{k},,{value}\r\n" for k, value in enumerate(values, 1))
        count = len(values)
    path = write_pair(tmp_path, cfg.replace("{count}", str(count)), data.encode())
    assert message in refusal(path)


RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
"""Files of others that are not part of the project: no test without them, rather than a skip."""

if (RECORDINGS / "wisp_4.cfg").is_file():

    def test_a_relay_recording_of_voltages_between_phases():
        path = RECORDINGS / "wisp_4.cfg"
        assert "no voltage channel is recognised among I1 [A], I2 [A], I3 [A], U21 [V]" in refusal(path)
        found = read_recording(path, channels={"va": "U21", "ia": "I1"})
        assert (found.rate_hz, found.frequency, found.start_ns) == (600.0, 50.0, None)
        assert found.trigger_s == pytest.approx(0.72)
        assert found.samples.shape == (2, 2400)
        # First sample: -1865 counts of 0.3629015 V less 13.06445 V, 43 counts of 2.836798 A less 102.1247 A.
        first = [-1865 * 0.3629015 - 13.06445, 43 * 2.836798 - 102.1247]
        np.testing.assert_allclose(found.samples[:, 0], first, rtol=1e-12)


if (RECORDINGS / "wisp_5.cfg").is_file():

    def test_a_relay_recording_of_secondary_values():
        found = read_recording(RECORDINGS / "wisp_5.cfg")
        assert found.names == ("Ua", "Ub", "Uc", "Ia", "Ib", "Ic")
        assert (found.rate_hz, found.trigger_s) == (2000.0, None)
        assert found.start_ns == 1_266_874_889_659_551_000  # 2010-02-22T21:41:29.659551Z
        # Second sample, third voltage: -30087 counts of 1e-6 V behind 10000:100.
        assert found.samples[2, 1] == pytest.approx(-30087e-6 * 100, rel=1e-12)
