"""A meter's capture as COMTRADE: what another reader finds in the file is what the meter captured."""

import math
from dataclasses import replace

import comtrade
import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import MeterInfo, WaveformRecord
from twin.meters.bank import MeterBank
from twin.recording import RecordingError, RecordingPathError
from twin.recording.comtrade import ComtradeWriteError, DataFormat, read_comtrade
from twin.recording.comtrade_export import TransformerRatios, capture_name, export_comtrade
from twin.recording.sampled_recording import read_recording

METER = MeterInfo("m", "kw320q", "line LINE1 at 1, Köln", 277.0, 100.0)
TRIGGER_NS = 1_565_975_761_362_345_678
"""2019-08-16T13:16:01.362345678-04:00, the example of the KW320 manual 5.1.7.4.6 with a finer second."""
NEW_YORK = "America/New_York"
RATIOS = TransformerRatios(voltage=(2300.0, 230.0), current=(200.0, 5.0))
FORMS = [
    (revision, data_format)
    for revision in (1999, 2013)
    for data_format in DataFormat
    if revision == 2013 or data_format in {DataFormat.ASCII, DataFormat.BINARY}
]


def capture(**changed):
    """A capture of 20 cycles at 59.97 Hz behind 2300:230 and 200:5, each channel with its own size."""
    angle = 2 * np.pi * np.arange(1280) / 64
    raw = np.array([[20_000 - 3_000 * k] * np.cos(angle - k) for k in range(6)]).round().astype(np.int16)
    record = WaveformRecord(
        meter="m",
        number=7,
        reason="sag",
        trigger_ns=TRIGGER_NS,
        trigger_index=640,
        sample_interval_s=1 / (64 * 59.97),
        channels=("va", "vb", "vc", "ia", "ib", "ic"),
        raw=raw,
        scale=(10 / 37.59105,) * 3 + (40 / 1683.153,) * 3,
    )
    return replace(record, **changed)


def load(path):
    return comtrade.load(str(path), ignore_warnings=True, use_double_precision=True, use_numpy_arrays=True)


@pytest.mark.parametrize(("revision", "data_format"), FORMS)
@pytest.mark.parametrize("scaling", ["P", "S"])
def test_another_reader_finds_the_capture(tmp_path, revision, data_format, scaling):
    record = capture()
    path, dat = export_comtrade(
        record, tmp_path, meter=METER, time_zone=NEW_YORK, phases="abc", ratios=RATIOS,
        scaling=scaling, revision=revision, data_format=data_format,
    )  # fmt: skip
    assert path.name == "2019-08-16T13-16-01.362-0400_Vabc_VOLTAGE_SAG.cfg"
    assert dat.name == "2019-08-16T13-16-01.362-0400_Vabc_VOLTAGE_SAG.dat"
    other = load(path)
    # KW320 manual 4.6: secondary value = count / 37.59105 and, for 5 A transformers, / 1683.153.
    per_count = np.array([1 / 37.59105] * 3 + [1 / 1683.153] * 3)
    if scaling == "P":
        per_count *= [10.0] * 3 + [40.0] * 3
    np.testing.assert_allclose(np.array(other.analog), record.raw * per_count[:, np.newaxis], rtol=1e-12)
    np.testing.assert_allclose(other.time, np.arange(1280) / (64 * 59.97), rtol=1e-12)
    assert other.analog_channel_ids == ["Va", "Vb", "Vc", "Ia", "Ib", "Ic"]
    assert other.analog_phases == ["A", "B", "C", "A", "B", "C"]
    described = [(c.uu, c.primary, c.secondary, c.pors) for c in other.cfg.analog_channels]
    assert described == [("V", 2300, 230, scaling)] * 3 + [("A", 200, 5, scaling)] * 3
    assert (other.station_name, other.rec_dev_id) == ("line LINE1 at 1; K?ln", "m")
    assert (other.rev_year, other.frequency) == (str(revision), 60.0)
    assert other.trigger_timestamp.isoformat() == "2019-08-16T13:16:01.362345"
    before = other.trigger_timestamp - other.start_timestamp
    assert before.total_seconds() == pytest.approx(640 / (64 * 59.97), abs=1.1e-6)
    if revision == 2013:
        assert (other.cfg._time_code, other.cfg._local_code) == ("-4", "-4")


def test_the_counts_themselves_are_in_the_file(tmp_path):
    record = capture()
    _, dat = export_comtrade(record, tmp_path, meter=METER, time_zone="UTC", ratios=RATIOS, scaling="S")
    rows = np.frombuffer(dat.read_bytes(), [("n", "<u4"), ("t", "<u4"), ("raw", "<i2", 6)])
    np.testing.assert_array_equal(rows["raw"].T, record.raw)
    np.testing.assert_array_equal(rows["n"], np.arange(1, 1281))
    np.testing.assert_array_equal(rows["t"], np.rint(np.arange(1280) * 1e9 / (64 * 59.97)))


@pytest.mark.parametrize("scaling", ["P", "S"])
@pytest.mark.parametrize("suffix", [".cfg", ".cff"])
def test_it_reads_back_as_primary_values(tmp_path, scaling, suffix):
    record = capture()
    path = tmp_path / f"capture{suffix}"
    export_comtrade(record, path, meter=METER, time_zone=NEW_YORK, ratios=RATIOS, scaling=scaling)
    found = read_recording(path)
    assert found.channels == record.channels
    values = record.raw * np.array(record.scale)[:, np.newaxis]
    np.testing.assert_allclose(found.samples, values, rtol=1e-12)
    assert found.rate_hz == pytest.approx(64 * 59.97, rel=1e-15)
    assert found.trigger_s == pytest.approx(640 / (64 * 59.97), abs=1e-9)
    assert found.start_ns == TRIGGER_NS - round(640 / (64 * 59.97) * 1e9)


@pytest.mark.parametrize("revision", [1999, 2013])
def test_a_sample_at_the_limit_is_not_a_missing_one(tmp_path, revision):
    raw = capture().raw.copy()
    raw[2, 5] = -32768
    record = capture(raw=raw)
    path = export_comtrade(record, tmp_path, meter=METER, time_zone="UTC", revision=revision)[0]
    found = read_comtrade(path)
    assert found.configuration.data_format == {1999: "ASCII", 2013: "BINARY32"}[revision]
    assert found.values[2, 5] == -32768 * record.scale[2]
    assert load(path).analog[2][5] == -32768 * record.scale[2]


@pytest.mark.parametrize(
    ("reason", "phases", "name"),
    [
        ("sag", "abc", "2019-08-16T13-16-01.362-0400_Vabc_VOLTAGE_SAG"),
        ("sag", "c", "2019-08-16T13-16-01.362-0400_Vc_VOLTAGE_SAG"),
        ("sag", "", "2019-08-16T13-16-01.362-0400_VOLTAGE_SAG"),
        ("swell", "a", "2019-08-16T13-16-01.362-0400_Va_VOLTAGE_SWELL"),
        ("over_current", "b", "2019-08-16T13-16-01.362-0400_Ib_OVER_CURRENT"),
        ("manual", "", "2019-08-16T13-16-01.362-0400_MANUAL"),
        ("di", "", "2019-08-16T13-16-01.362-0400_DI"),
    ],
)
def test_names_of_the_manual(reason, phases, name):
    assert capture_name(capture(reason=reason), time_zone=NEW_YORK, phases=phases) == name


@pytest.mark.parametrize(
    ("zone", "month_ns", "stamp"),
    [
        ("Asia/Kolkata", 0, "2019-08-16T22-46-01.362+0530"),
        ("UTC", 0, "2019-08-16T17-16-01.362+0000"),
        (NEW_YORK, 120 * 86_400 * SECOND, "2019-12-14T12-16-01.362-0500"),
    ],
)
def test_the_zone_and_its_summer_time(zone, month_ns, stamp):
    assert capture_name(
        capture(reason="manual", trigger_ns=TRIGGER_NS + month_ns), time_zone=zone
    ).startswith(stamp)


def test_half_an_hour_of_offset_is_kept(tmp_path):
    path = export_comtrade(capture(), tmp_path, meter=METER, time_zone="Asia/Kolkata")[0]
    assert path.read_text().endswith("+5h30,+5h30\n0,0\n")
    assert read_comtrade(path).configuration.trigger_utc_ns == TRIGGER_NS


def test_a_sag_as_a_meter_captures_it(tmp_path):
    settings = replace(SETTINGS, sag_waveform=True, sag_half_cycles=4, pt1=2300, pt2=230, ct1=200, ct2=5)
    bank, feed = MeterBank([settings], start_ns=T0), Feed(orders=(1.0,), theta=0.4)
    good = phasors()
    good[:3] *= 10.0
    good[3:] *= 40.0
    bad = good.copy()
    bad[1] *= 0.5
    for part, duration_s in ((good, 0.333), (bad, 0.1), (good, 1.0)):
        feed.add(part)
        records = feed.run(bank, round(duration_s * SECOND))
    (record,) = [one for one in records if isinstance(one, WaveformRecord)]
    meter = replace(METER, name=record.meter)
    path = export_comtrade(
        record, tmp_path, meter=meter, time_zone="UTC", phases=bank.capture_causes(0)[0], ratios=RATIOS
    )[0]
    assert path.stem.endswith("+0000_Vb_VOLTAGE_SAG")
    other = load(path)
    # The site's own voltage of phase b, a count of 10 / 37.59105 V apart, before and within the sag.
    time_s = record.trigger_ns / 1e9 - T0 / 1e9 - 0.333 + other.time - 640 / 3200
    angle = 0.4 + 2 * math.pi * 50 * (time_s + 0.333)
    whole = math.sqrt(2) * np.abs(good[1, 0]) * np.cos(angle + np.angle(good[1, 0]))
    expected = np.where((time_s < 0) | (time_s > 0.1), whole, whole / 2)
    near = np.minimum(np.abs(time_s), np.abs(time_s - 0.1)) > 1e-6
    assert near.sum() > 1270
    assert np.abs(np.array(other.analog[1]) - expected)[near].max() < 0.6 * 10 / 37.59105


def test_what_cannot_be_exported(tmp_path):
    with pytest.raises(RecordingError, match="of meter 'm', not of 'x'"):
        export_comtrade(capture(), tmp_path, meter=replace(METER, name="x"), time_zone="UTC")
    with pytest.raises(RecordingError, match="unknown reason 'noise'"):
        export_comtrade(capture(reason="noise"), tmp_path, meter=METER, time_zone="UTC")
    with pytest.raises(RecordingError, match="unknown time zone 'Mars/Olympus'"):
        export_comtrade(capture(), tmp_path, meter=METER, time_zone="Mars/Olympus")
    with pytest.raises(RecordingPathError, match="is no folder"):
        export_comtrade(capture(), tmp_path / "none", meter=METER, time_zone="UTC")
    with pytest.raises(ComtradeWriteError, match="does not know FLOAT32"):
        export_comtrade(
            capture(), tmp_path, meter=METER, time_zone="UTC", revision=1999, data_format=DataFormat.FLOAT32
        )
    assert list(tmp_path.iterdir()) == []
