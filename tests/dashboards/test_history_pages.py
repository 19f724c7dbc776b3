"""Events, waveforms and load profile in a real browser: what is drawn, asked for and downloaded."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.dashboards.browsing import traces, wait_rows, wait_text
from tests.dashboards.synthetic import START_NS
from twin.contracts import NS_PER_SECOND, EventRecord
from twin.recording import Recording

pytestmark = pytest.mark.browser


def test_selecting_an_event_shows_its_waveform(page, url, recording):
    page.goto(url + "events")
    wait_rows(page, "event-grid", 5)
    wait_text(page, '#event-grid [row-index="1"]', "15.0 ms")
    page.click('#event-grid [row-index="1"]')
    wait_text(
        page, "#waveform-note", "shop: captured 2026-10-21 09:00:00.040, reason sag, at the trigger of sag 2."
    )
    page.wait_for_function("() => document.querySelector('#waveform .js-plotly-plot')?.data.length === 12")
    assert [name for name, _ in traces(page, "waveform")][:2] == ["va", "va rms"]
    # The lowest half-cycle RMS drawn is the residual voltage of the capture.
    lowest = page.evaluate(
        """() => Math.min(...document.querySelector('#waveform .js-plotly-plot')
            .data.find((trace) => trace.name === 'va rms').y)"""
    )
    assert lowest == pytest.approx(0.3 * 230.0, rel=1e-3)
    page.get_by_label("b", exact=True).uncheck()
    page.wait_for_function("() => document.querySelector('#waveform .js-plotly-plot').data.length === 8")
    page.get_by_label("half-cycle RMS (dotted)").uncheck()
    page.wait_for_function("() => document.querySelector('#waveform .js-plotly-plot').data.length === 4")
    with page.expect_download() as waiting:
        page.click("#waveform-csv")
    assert waiting.value.suggested_filename == "shop_2_sag.csv"
    table = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text())))
    wave = Recording.open(recording[1]).waveform("shop", 2)
    assert table[0] == ["time_s", "va_v", "vb_v", "vc_v", "ia_a", "ib_a", "ic_a"]
    assert len(table) == 1 + wave.raw.shape[1]
    va = np.array([float(row[1]) for row in table[1:]])
    np.testing.assert_allclose(va, wave.raw[0] * wave.scale[0], rtol=1e-8)
    # A meter without captures says so.
    page.click('#event-grid [row-index="2"]')
    page.wait_for_function(
        "() => document.querySelector('#waveform').textContent.includes('head has no waveform')"
    )


def test_itic_points_and_the_way_back_to_the_event(page, url):
    page.goto(url + "events")
    wait_rows(page, "event-grid", 5)
    page.wait_for_function("() => document.querySelector('#itic .js-plotly-plot')?.data.length === 5")
    found = page.evaluate(
        """() => document.querySelector('#itic .js-plotly-plot').data.slice(2)
            .map((t) => [t.name.split(':')[0], t.customdata, t.x, t.y])"""
    )
    points = {
        (name, key): (x, y) for name, keys, xs, ys in found for key, x, y in zip(keys, xs, ys, strict=True)
    }
    assert points == {
        ("inside", "shop#2"): (0.015, 30.0),
        ("below", "farm#1"): (1.2, 72.0),
        ("below", "shop#1"): (0.08, 55.0),
        ("above", "head#1"): (0.3, 126.0),
    }
    page.locator("#itic .scatterlayer .trace").nth(3).locator("path.point").last.click(force=True)
    wait_text(page, "#waveform-note", "sag 1")


def test_an_event_that_comes_and_ends(page, url, site, recording):
    writer = recording[0]
    page.goto(url + "events")
    wait_rows(page, "event-grid", 5)
    start = START_NS + NS_PER_SECOND
    lasting = EventRecord("farm", 3, "sag", "b", start, start + 40_000_000, None, 120.0, 207.0, 230.0)
    writer.append([lasting])
    writer.flush()
    site.change(event_count=6)
    page.wait_for_timeout(2500)  # the historian is asked every two seconds
    site.advance()
    wait_rows(page, "event-grid", 6)
    wait_text(page, '#event-grid [row-index="0"]', "lasts")
    writer.append([replace(lasting, end_ns=start + 700_000_000)])
    writer.flush()
    page.wait_for_timeout(2500)
    site.advance()
    wait_text(page, '#event-grid [row-index="0"]', "700.0 ms")
    wait_text(page, '#event-grid [row-index="0"]', "below")


def test_load_profile_chart_zoom_and_csv(page, url, recording):
    page.goto(url + "profile")
    page.wait_for_function(
        "() => document.querySelector('#profile-chart .js-plotly-plot')?.data.length === 2"
    )
    assert traces(page, "profile-chart")[0] == ["head: Active import power", 193]
    # The day's demand is marked at its highest interval.
    peak = page.evaluate("() => document.querySelector('#profile-chart .js-plotly-plot').data[1]")
    profile = Recording.open(recording[1]).load_profile("head", channels=["p_imp_wh"])
    highest = profile.values["p_imp_wh"].max() * 4
    assert max(peak["y"]) == pytest.approx(highest)
    page.click("#profile-series")
    page.get_by_role("option", name="Voltage 1 average [V]").click()
    page.wait_for_function("() => document.querySelector('#profile-chart .js-plotly-plot').data.length === 3")
    page.keyboard.press("Escape")
    # Zooming asks the historian again: only what is in sight, and a margin, is sent.
    area = page.locator("#profile-chart .nsewdrag").first.bounding_box()
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.6 * area["width"], middle)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.65 * area["width"], middle, steps=5)
    page.mouse.up()
    chart = "document.querySelector('#profile-chart .js-plotly-plot')"
    page.wait_for_function(f"() => {chart}.data[0].x.length < 30")
    first, last = (
        np.datetime64(end) for end in page.evaluate(f"() => {chart}.layout.xaxis.range.map(String)")
    )
    # A twentieth of what was in sight, which new data did not move.
    assert np.timedelta64(100, "m") < last - first < np.timedelta64(200, "m")
    sent = page.evaluate(f"() => {chart}.data[0].x.length")
    assert abs(sent - 2 * (last - first) / np.timedelta64(15, "m")) <= 3
    page.mouse.dblclick(area["x"] + 0.5 * area["width"], middle)
    page.wait_for_function(f"() => {chart}.data[0].x.length === 193")
    day = "{start_date: '2026-10-21', end_date: '2026-10-21'}"
    page.evaluate(f"() => dash_clientside.set_props('profile-days', {day})")
    page.wait_for_function(f"() => {chart}.data[0].x.length === 97")
    # From midnight to midnight in Berlin.
    ends = page.evaluate(f"() => {chart}.data[0].x").copy()
    assert [np.datetime64(round(ends[at]), "ms").item().isoformat() for at in (0, -1)] == [
        "2026-10-21T00:00:00", "2026-10-22T00:00:00",
    ]  # fmt: skip
    page.evaluate("() => dash_clientside.set_props('profile-days', {start_date: null, end_date: null})")
    page.wait_for_function(f"() => {chart}.data[0].x.length === 193")
    with page.expect_download() as waiting:
        page.click("#profile-csv")
    table = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert len(table) == 192
    powers = [float(row["p_imp_wh_power [W]"]) for row in table]
    np.testing.assert_allclose(powers, profile.values["p_imp_wh"] * 4, rtol=1e-12)
    assert table[0]["end_utc"] == "2026-10-20 00:15:00.000"
    assert table[0]["end_local"] == "2026-10-20 02:15:00.000"
    assert math.isclose(float(table[5]["v1_avg [V]"]), 6351, rel_tol=0.02)
