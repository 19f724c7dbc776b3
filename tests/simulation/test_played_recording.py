"""A recording as a site: a meter lives through it, and steadily before and after."""

import math

import numpy as np
import pytest

from twin.contracts import BadInputError
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

SCENARIO = """\
version: 1
title: A replayed sag
start: 2026-01-15 06:00
duration: 30 s
recording:
  file: sag.csv
  at: 06:00:10.003
  voltage: 230 V
meters:
  - name: one
    profile: kw320q
    accuracy: ideal
    registers: {sag_threshold_percent: 90, sag_half_cycles: 4, swell_threshold_percent: 110}
"""


def write(folder, *, text=SCENARIO, rate=6400, seconds=1.2):
    t = np.arange(round(rate * seconds)) / rate
    rows = [t]
    for size, lag in ((230.0, 0.0), (4.0, 60.0)):
        turns = [50 * t - k / 3 for k in range(3)]
        rows += [size * math.sqrt(2) * np.cos(2 * np.pi * turn - math.radians(lag)) for turn in turns]
    rows[2] = rows[2] * np.where((t >= 0.5) & (t < 0.7), 0.5, 1.0)
    # From the middle on the load is half of what it was.
    for k in (4, 5, 6):
        rows[k] = rows[k] * np.where(t >= 0.8, 0.5, 1.0)
    head = "time_s,va_v,vb_v,vc_v,ia_a,ib_a,ic_a"
    np.savetxt(
        folder / "sag.csv", np.column_stack(rows), fmt="%.12g", delimiter=",", header=head, comments=""
    )
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def test_a_meter_lives_through_the_recording(tmp_path):
    scenario = load_scenario(write(tmp_path))
    at_ns = scenario.start_ns + 10_003_000_000
    with build_site(scenario) as site:
        site.begin()
        site.record_to(tmp_path / "recording", overwrite=False)
        engine = site.engine
        engine.advance_to(scenario.start_ns + 9 * 10**9)
        shown = engine.fleet.decode(0, engine.fleet.words(0))
        assert [shown[name] for name in ("v1", "v2", "v3")] == pytest.approx([230.0] * 3, rel=1e-6)
        assert shown["p_sum"] == pytest.approx(3 * 230 * 4 * 0.5, rel=1e-6)
        assert shown["frequency"] == pytest.approx(50.0, abs=1e-6)
        engine.advance_to(scenario.end_ns)
        shown = engine.fleet.decode(0, engine.fleet.words(0))
        assert shown["p_sum"] == pytest.approx(3 * 230 * 2 * 0.5, rel=1e-6)
        assert engine.fleet.energies(0)["ep_imp"] == pytest.approx(
            230 * 4 * 0.5 / 3600 * (3 * (10.003 + 0.8 + 0.5 * (30 - 10.803)) - 0.5 * 0.2), rel=1e-5
        )
    recording = Recording.open(tmp_path / "recording")
    (event,) = recording.events(meter="one")
    assert (event.type, event.phases) == ("sag", "b")
    assert event.extreme == pytest.approx(115.0, rel=1e-4)
    assert (event.start_ns - at_ns) * 1e-9 == pytest.approx(0.51, abs=0.012)
    assert (event.end_ns - event.start_ns) * 1e-9 == pytest.approx(0.2, abs=0.02)
    told = {entry.kind: entry.time_ns for entry in recording.truth() if entry.kind.startswith("recording")}
    assert told == {"recording_begins": at_ns, "recording_ends": at_ns + 1_200_000_000}


def test_a_recording_may_begin_with_the_scenario_and_tells_its_nominal_voltage(tmp_path):
    text = SCENARIO.replace("06:00:10.003", "06:00").replace("  voltage: 230 V\n", "")
    scenario = load_scenario(write(tmp_path, text=text))
    assert scenario.network.buses[0].u_rated == pytest.approx(230 * math.sqrt(3))
    with build_site(scenario) as site:
        site.begin()
        site.engine.advance_to(scenario.start_ns + 20 * 10**9)
        shown = site.engine.fleet.decode(0, site.engine.fleet.words(0))
        assert shown["p_sum"] == pytest.approx(3 * 230 * 2 * 0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("file: sag.csv", "file: dip.csv", "recording.file", "is not there"),
        ("at: 06:00:10.003", "at: 25:00", "recording.at", "is no time"),
        ("at: 06:00:10.003", "at: 07:00", "recording.at", "outside the scenario's time"),
        ("voltage: 230 V", "channels: {vx: va}", "recording.channels", "no channel 'vx'"),
        ("voltage: 230 V", "frequency: 55 Hz", "recording.frequency", "no nominal frequency"),
        ("file: sag.csv", "file: site.yaml", "recording.file", "unknown kind of recording"),
        ("recording:", "network: x.yaml\nrecording:", "recording", "exclude each other"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(tmp_path, old, new, field, said):
    with pytest.raises(BadInputError) as raised:
        load_scenario(write(tmp_path, text=SCENARIO.replace(old, new)))
    (finding,) = raised.value.findings
    assert finding.field == field
    assert said in finding.what
    assert finding.where.line is not None
