"""What is written is the standard's, reads back the same, and another reader sees the same values."""

import re
from dataclasses import replace

import comtrade
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.recording import RecordingPathError
from twin.recording.comtrade import (
    AnalogChannel,
    ComtradeConfiguration,
    ComtradeRecording,
    ComtradeWriteError,
    DataFormat,
    DigitalChannel,
    SampleRate,
    read_comtrade,
    write_comtrade,
)
from twin.recording.comtrade.configuration import rate_times

START_NS = 1_565_975_761_362_000_000
"""2019-08-16T17:16:01.362."""
FORMS = [
    (1999, DataFormat.ASCII, ".cfg"),
    (1999, DataFormat.BINARY, ".cfg"),
    *((2013, data_format, suffix) for data_format in DataFormat for suffix in (".cfg", ".cff")),
]
WORDS = st.text(st.characters(codec="ascii", exclude_characters=",", categories=("L", "N", "P")), max_size=12)
FACTORS = st.floats(1e-6, 1e3).map(lambda x: float(f"{x:.6g}")) | st.sampled_from([-0.25, 1.0, -1.0])


@st.composite
def recordings(draw, revision, data_format):
    """Recordings whose values lie on the counts of their format."""
    samples = draw(st.integers(1, 40))
    analog, digital = draw(st.integers(0, 4)), draw(st.integers(0, 35))
    limit = {DataFormat.ASCII: 99_998, DataFormat.BINARY: 32_767}.get(data_format, 2**31 - 1)
    count = st.integers(-limit, limit)
    if data_format is DataFormat.FLOAT32:
        count = st.floats(-1e6, 1e6, width=32)
    counts = np.array(
        draw(st.lists(count, min_size=analog * samples, max_size=analog * samples)), dtype=float
    )
    channels = tuple(
        AnalogChannel(
            number=k + 1,
            name=f"x{k}",
            phase=draw(st.sampled_from(["", "A", "B", "C"])),
            component=draw(WORDS),
            unit=draw(st.sampled_from(["V", "kV", "A"])),
            factor=draw(FACTORS) if data_format is not DataFormat.FLOAT32 else 1.0,
            offset=draw(st.sampled_from([0.0, -12.5, 0.1])) if data_format is not DataFormat.FLOAT32 else 0.0,
            skew_us=draw(st.sampled_from([0.0, 26.0])),
            minimum=float(-limit),
            maximum=float(limit),
            primary=draw(st.sampled_from([1.0, 20000.0])),
            secondary=draw(st.sampled_from([1.0, 100.0])),
            scaling=draw(st.sampled_from("PS")),
        )
        for k in range(analog)
    )
    states = draw(st.lists(st.integers(0, 1), min_size=digital * samples, max_size=digital * samples))
    borders = (
        sorted(draw(st.sets(st.integers(1, samples - 1), max_size=2)) | {samples}) if samples > 1 else [1]
    )
    rates = tuple(SampleRate(draw(st.sampled_from([600.0, 3200.0, 3200.8, 25600.0])), n) for n in borders)
    nanoseconds = revision == 2013 and draw(st.booleans())
    with_rates = draw(st.booleans())
    start = START_NS + draw(st.integers(0, 999)) * (1 if nanoseconds else 1000)
    configuration = ComtradeConfiguration(
        station=draw(WORDS),
        device=draw(WORDS),
        revision=revision,
        stated_revision=str(revision),
        analog=channels,
        digital=tuple(DigitalChannel(number=k + 1, name=f"d{k}", normal_state=k % 2) for k in range(digital)),
        frequency=draw(st.sampled_from([50.0, 60.0, 16.7, None])),
        rates=rates if with_rates else (),
        sample_count=samples,
        start_local_ns=start,
        trigger_local_ns=start + 40_000_000,
        time_unit_s=1e-9 if nanoseconds else 1e-6,
        time_multiplier=draw(st.sampled_from([1.0, 2.5])),
        data_format=data_format,
        utc_offset_s=draw(st.sampled_from([0, -14_400, 19_800, None])) if revision == 2013 else None,
        local_offset_s=draw(st.sampled_from([0, -14_400, -12_600])) if revision == 2013 else None,
        time_quality="B" if revision == 2013 else "0",
    )
    factor = np.array([channel.factor for channel in channels])[:, np.newaxis]
    offset = np.array([channel.offset for channel in channels])[:, np.newaxis]
    times = rate_times(rates, samples)
    if not with_rates:
        tick = configuration.time_unit_s * configuration.time_multiplier
        times = np.rint(times / tick) * tick
    return ComtradeRecording(
        configuration,
        times,
        counts.reshape(analog, samples) * factor + offset,
        np.array(states, dtype=np.uint8).reshape(digital, samples),
    )


@pytest.mark.parametrize(("revision", "data_format", "suffix"), FORMS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_back(tmp_path_factory, revision, data_format, suffix, data):
    recording = data.draw(recordings(revision, data_format))
    path = tmp_path_factory.mktemp("comtrade") / f"one{suffix}"
    files = write_comtrade(recording, path)
    assert files[0] == path
    assert len(files) == (1 if suffix == ".cff" else 2)
    back = read_comtrade(path)
    assert back.configuration == recording.configuration
    np.testing.assert_array_equal(back.digital, recording.digital)
    np.testing.assert_allclose(back.time_s, recording.time_s, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(back.values, recording.values)


def three_phases(data_format, *, revision=2013, samples=128):
    time_s = np.arange(samples) / 3200.0
    angle = 2 * np.pi * (50.0 * time_s + np.array([0.0, -1 / 3, 1 / 3])[:, np.newaxis])
    values = np.vstack([325.0 * np.cos(angle), 14.1 * np.cos(angle - 0.4)])
    float32 = data_format is DataFormat.FLOAT32
    channels = tuple(
        AnalogChannel(
            number=k + 1,
            name=name,
            unit=name[0].upper().replace("I", "A"),
            factor=1.0 if float32 else factor,
            skew_us=float(k),
            primary=20000.0,
            secondary=100.0,
            scaling="P",
        )
        for k, (name, factor) in enumerate(
            zip(("va", "vb", "vc", "ia", "ib", "ic"), [-0.02] * 3 + [0.001] * 3, strict=True)
        )
    )
    configuration = ComtradeConfiguration(
        station="site",
        device="head",
        revision=revision,
        analog=channels,
        digital=tuple(DigitalChannel(number=k + 1, name=f"DI{k + 1}") for k in range(17)),
        frequency=50.0,
        rates=(SampleRate(3200.0, samples),),
        start_local_ns=START_NS,
        trigger_local_ns=START_NS + 20_000_000,
        data_format=data_format,
        utc_offset_s=0 if revision == 2013 else None,
    )
    digital = (np.arange(17)[:, np.newaxis] + np.arange(samples)) % 2
    return ComtradeRecording(configuration, time_s, values, digital.astype(np.uint8))


@pytest.mark.parametrize(("revision", "data_format", "suffix"), FORMS)
def test_another_reader_sees_the_same(tmp_path, revision, data_format, suffix):
    recording = three_phases(data_format, revision=revision)
    path = tmp_path / f"one{suffix}"
    write_comtrade(recording, path)
    other = comtrade.load(str(path), ignore_warnings=True, use_double_precision=True, use_numpy_arrays=True)
    step = np.array([[abs(channel.factor)] for channel in recording.configuration.analog])
    bound = 2**-24 * np.abs(recording.values) if data_format == "FLOAT32" else 0.5000001 * step
    assert (np.abs(np.array(other.analog) - recording.values) <= bound).all()
    np.testing.assert_array_equal(np.array(other.status), recording.digital)
    np.testing.assert_allclose(other.time, recording.time_s, rtol=0, atol=1e-12)
    assert other.rev_year == str(revision)
    assert other.frequency == 50.0
    assert other.start_timestamp.isoformat() == "2019-08-16T17:16:01.362000"
    assert other.trigger_timestamp.isoformat() == "2019-08-16T17:16:01.382000"
    assert [channel.skew for channel in other.cfg.analog_channels] == [0, 1, 2, 3, 4, 5]
    assert {(c.primary, c.secondary, c.pors) for c in other.cfg.analog_channels} == {(20000.0, 100.0, "P")}


def test_another_reader_follows_the_time_stamps(tmp_path):
    recording = three_phases(DataFormat.BINARY)
    recording = replace(recording, configuration=replace(recording.configuration, rates=()))
    write_comtrade(recording, tmp_path / "one.cfg")
    other = comtrade.load(str(tmp_path / "one.cfg"), ignore_warnings=True, use_double_precision=True)
    np.testing.assert_allclose(other.time, recording.time_s, rtol=0, atol=0.5001e-6)


def test_the_text_is_the_standards(tmp_path):
    recording = three_phases(DataFormat.BINARY, samples=2)
    write_comtrade(recording, tmp_path / "ONE.CFG")
    lines = (tmp_path / "ONE.CFG").read_bytes().decode().split("\r\n")
    assert lines[:3] == ["site,head,2013", "23,6A,17D", "1,va,,,V,-0.02,0,0,-32767,32767,20000,100,P"]
    assert lines[8] == "1,DI1,,,0"
    assert lines[25:] == [
        "50", "1", "3200,2", "16/08/2019,17:16:01.362000", "16/08/2019,17:16:01.382000",
        "BINARY", "1", "0,x", "0,0", "",
    ]  # fmt: skip
    assert (tmp_path / "ONE.DAT").stat().st_size == 2 * (8 + 6 * 2 + 2 * 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ONE.CFG", "ONE.DAT"]


def changed(recording, **fields):
    return replace(recording, configuration=replace(recording.configuration, **fields))


def with_channel(recording, **fields):
    first, *others = recording.configuration.analog
    return changed(recording, analog=(replace(first, **fields), *others))


def with_values(recording, value):
    values = recording.values.copy()
    values[0, 5] = value
    return replace(recording, values=values)


BASE = three_phases(DataFormat.BINARY)
REFUSED = {
    "revision": (changed(BASE, revision=1991), "revision 1991 is not written"),
    "format": (changed(BASE, revision=1999, data_format=DataFormat.FLOAT32), "does not know FLOAT32"),
    "nanoseconds in 1999": (changed(BASE, revision=1999, time_unit_s=1e-9), "in microseconds"),
    "no start": (changed(BASE, start_local_ns=None), "the time of the first sample is missing"),
    "comma": (with_channel(BASE, name="v,a"), "'v,a': use printable ASCII without commas"),
    "Latin-1": (changed(BASE, station="Köln"), "use printable ASCII"),
    "too long": (with_channel(BASE, phase="ABC"), "phase 'ABC' is longer than 2"),
    "no name": (with_channel(BASE, name=""), "a channel has no name"),
    "no scaling": (with_channel(BASE, scaling=None), "say whether the values are primary or secondary"),
    "multiplier": (with_channel(BASE, factor=0.0), "va: the multiplier a is 0"),
    "NaN": (with_values(BASE, np.nan), "va: sample 6 is not finite"),
    "range": (with_values(BASE, 655.37), "va: sample 6 is -32768 counts, outside -32767 to 32767"),
    "shapes": (replace(BASE, values=BASE.values[:, :5]), "(6, 5)"),
    "states": (replace(BASE, digital=BASE.digital * 2), "neither 0 nor 1"),
    "rates": (changed(BASE, rates=(SampleRate(3000.0, 128),)), "the time of sample 2 is not"),
    "rate of 0": (changed(BASE, rates=(SampleRate(0.0, 128),)), "a sampling rate is not above zero"),
    "last sample": (changed(BASE, rates=(SampleRate(3200.0, 64),)), "the last rate ends at sample 64"),
    "time stands": (changed(replace(BASE, time_s=BASE.time_s * 0), rates=()), "times do not grow"),
    "coarse stamps": (changed(BASE, rates=(), time_multiplier=1000.0), "two samples fall on one stamp"),
    "stamps": (changed(BASE, time_unit_s=1e-9, time_multiplier=1e-3), "do not fit stamps of 1e-12 s"),
}  # fmt: skip


@pytest.mark.parametrize(("recording", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_standard_has_no_place_for_is_refused(tmp_path, recording, message):
    with pytest.raises(ComtradeWriteError, match=re.escape(message)):
        write_comtrade(recording, tmp_path / "one.cfg")
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_written(tmp_path):
    with pytest.raises(ComtradeWriteError, match=r"name the file \.cfg or \.cff"):
        write_comtrade(BASE, tmp_path / "one.txt")
    with pytest.raises(ComtradeWriteError, match="does not know a combined file"):
        write_comtrade(changed(BASE, revision=1999), tmp_path / "one.cff")
    with pytest.raises(RecordingPathError, match="choose a folder"):
        write_comtrade(BASE, tmp_path / "none" / "one.cff")
