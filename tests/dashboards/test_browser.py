"""The pages in a real browser: what an operator sees, clicks and downloads."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboards import create_app, serve
from tests.dashboards.synthetic import START_NS, SyntheticSite, alarm, write_recording
from twin.contracts import NS_PER_SECOND, EventRecord
from twin.recording import Recording

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def site():
    return SyntheticSite()


@pytest.fixture
def recording(tmp_path):
    with write_recording(tmp_path / "recording") as writer:
        yield writer, tmp_path / "recording"


@pytest.fixture
def url(site, recording):
    handle = serve(create_app(site, recording[1], site.submit), port=0)
    yield handle.url
    handle.stop()


@pytest.fixture
def page(chromium, url):
    """A page on which no error may be reported and nothing may be fetched from elsewhere."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page.set_default_timeout(15_000)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    local = (url, "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(local) else complaints.append(asked.url))
    yield page
    page.close()
    assert complaints == []


def rows(page, grid):
    """All rows of a table: those outside the window are not in the document."""
    return page.evaluate(
        """async (grid) => {
            const api = await dash_ag_grid.getApiAsync(grid);
            const found = [];
            api.forEachNodeAfterFilterAndSort((node) => found.push(node.data));
            return found;
        }""",
        grid,
    )


def wait_rows(page, grid, count):
    page.wait_for_function(
        """([grid, count]) => {
            try { return dash_ag_grid.getApi(grid).getDisplayedRowCount() === count; }
            catch { return false; }  // not there yet
        }""",
        arg=[grid, count],
    )


def wait_text(page, selector, text):
    page.wait_for_function(
        "([selector, text]) => (document.querySelector(selector)?.textContent || '').includes(text)",
        arg=[selector, text],
    )


def traces(page, chart):
    """Name and number of points of what a chart draws."""
    page.wait_for_selector(f"#{chart} .main-svg")
    return page.evaluate(
        """(chart) => document.querySelector(`#${chart} .js-plotly-plot`)
            .data.map((trace) => [trace.name, trace.x.length])""",
        chart,
    )


def test_overview_lives(page, url, site):
    page.goto(url)
    wait_text(page, "#banner-title", "Village feeder")
    wait_text(page, "#banner-time", "Wed 21 Oct 2026 09:30:01 CEST")
    wait_text(page, '#diagram [data-meter="shop"] .meter-p', "kW")
    wait_rows(page, "meter-grid", 3)
    before = {row["name"]: row["p"] for row in rows(page, "meter-grid")}
    shown = page.text_content('#diagram [data-meter="shop"] .meter-p')
    site.advance(12.0)
    wait_text(page, "#banner-time", "09:30:13")
    after = {row["name"]: row["p"] for row in rows(page, "meter-grid")}
    expected = {meter.name: float(f"{meter.p:.5g}") for meter in site.latest().meters}
    assert after == expected
    assert all(after[name] != before[name] for name in before)
    assert page.text_content('#diagram [data-meter="shop"] .meter-p') != shown
    voltage = float(f"{sum(site.latest().meters[1].v) / 3:.4g}")
    assert page.text_content('#diagram [data-meter="shop"] .meter-v') == f"{voltage:.1f} V"
    # Bars carry their normal band.
    assert page.locator("#meter-grid .track .band").count() >= 18


def test_a_switch_is_operated_after_a_question(page, url, site):
    page.goto(url)
    page.click('#diagram [data-switch="cb_shop"]')
    wait_text(page, "#confirm-text", "Open switch cb_shop at bus bus3?")
    page.click("#confirm-no")
    page.wait_for_selector("#confirm", state="hidden")
    assert site.commands == []
    page.focus('#diagram [data-switch="cb_shop"]')
    page.keyboard.press("Enter")
    page.wait_for_selector("#confirm-yes", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#confirm", state="hidden")
    page.click('#diagram [data-switch="cb_shop"]')
    page.click("#confirm-yes")
    wait_text(page, "#command-answer", "Done: cb_shop is open.")
    assert [(c.source, c.target, c.verb) for c in site.commands] == [("dashboard", "cb_shop", "open")]
    page.wait_for_selector('#diagram [data-switch="cb_shop"].open')
    site.advance()
    wait_text(page, '#diagram [data-meter="shop"] .meter-p', "0 W")
    page.click('#diagram [data-switch="cap1"]')
    wait_text(page, "#confirm-text", "Close capacitor switch cap1 at bus bus2?")
    page.click("#confirm-yes")
    wait_text(page, "#command-answer", "cap1 is closed")
    assert site.commands[-1].verb == "close"


def test_time_is_paused_resumed_and_sped_up(page, url, site):
    page.goto(url)
    page.click("#pause")
    wait_text(page, "#banner-state", "paused")
    assert page.is_disabled("#pause")
    page.click("#resume")
    wait_text(page, "#banner-state", "running")
    page.get_by_role("button", name="60×", exact=True).click()
    wait_text(page, "#banner-speed", "60×")
    page.fill("#speed", "2.5")
    page.click("#set-speed")
    wait_text(page, "#banner-speed", "2.5×")
    page.fill("#speed", "5000")
    page.click("#set-speed")
    wait_text(page, "#command-answer", "speed must be at most 1000")
    verbs = [(command.verb, dict(command.arguments)) for command in site.commands]
    assert verbs == [
        ("pause", {}), ("resume", {}), ("set_speed", {"speed": 60.0}), ("set_speed", {"speed": 2.5}),
        ("set_speed", {"speed": 5000.0}),
    ]  # fmt: skip


def test_a_silent_simulation_is_told(page, url, site):
    page.goto(url)
    wait_text(page, "#banner-time", "2026")
    page.wait_for_function("() => !document.querySelector('#banner-stale').classList.contains('hidden')")
    assert "has not answered for" in page.text_content("#banner-stale")
    site.advance()
    page.wait_for_selector("#banner-stale", state="hidden")


def test_a_late_simulation_is_told(page, url, site):
    site.change(lateness_s=3.25)
    page.goto(url)
    wait_text(page, "#banner-late", "3.2 s behind")


def test_alarms_appear_return_and_are_filtered(page, url, site):
    page.goto(url + "alarms")
    wait_text(page, "#alarm-grid", "No alarm yet")
    current = alarm("shop", 1, "i1", 3, value=260.0, setpoint=250.0)
    site.change(alarms=(alarm("farm", 2, "v1", 5, value=205.0, setpoint=207.0), current))
    wait_rows(page, "alarm-grid", 2)
    found = rows(page, "alarm-grid")
    assert [(row["meter"], row["priority"], row["state"]) for row in found] == [
        ("farm", "M", "active"), ("shop", "H", "active"),
    ]  # fmt: skip
    assert page.text_content('#alarm-grid [row-index="1"] .alarm-mark') == "■ H"
    assert "priority-H" in page.get_attribute('#alarm-grid [row-index="1"] .alarm-mark', "class")
    wait_text(page, '#alarm-grid .ag-center-cols-container [row-index="1"]', "260.0 A")
    assert page.text_content("#count-H") == "1"
    returned = replace(current, active=False, returned_ns=START_NS + 60 * NS_PER_SECOND)
    site.change(alarms=(alarm("farm", 2, "v1", 5, value=205.0, setpoint=207.0), returned))
    wait_text(page, "#count-H", "0")
    wait_text(page, '#alarm-grid .ag-center-cols-container [row-index="1"]', "2026-10-21 09:31:00.000")
    # No colour for what is no longer abnormal.
    assert "priority-H" not in page.get_attribute('#alarm-grid [row-index="1"] .alarm-mark', "class")
    page.get_by_label("active", exact=True).check()
    wait_rows(page, "alarm-grid", 1)
    assert rows(page, "alarm-grid")[0]["meter"] == "farm"
    page.get_by_label("all", exact=True).check()
    page.click("#alarm-meters")
    page.get_by_role("option", name="shop").click()
    wait_rows(page, "alarm-grid", 1)
    assert rows(page, "alarm-grid")[0]["meter"] == "shop"


def test_a_meter_in_an_event_is_marked(page, url, site):
    page.goto(url)
    wait_text(page, '#meter-grid .ag-pinned-left-cols-container [row-index="1"]', "shop")
    meters = site.latest().meters
    site.change(meters=(meters[0], replace(meters[1], in_event="sag"), meters[2]))
    wait_text(page, '#meter-grid .ag-pinned-left-cols-container [row-index="1"]', "shop ▼ sag")
    site.change(meters=meters)
    page.wait_for_selector("#meter-grid .event-mark", state="detached")


def test_diagram_marks_the_meter_in_alarm(page, url, site):
    page.goto(url)
    page.wait_for_selector('#diagram [data-meter="shop"]:not([class*="priority"])')
    site.change(alarms=(alarm("shop", 1, "i1", 3, value=260.0, setpoint=250.0),))
    page.wait_for_selector('#diagram [data-meter="shop"].priority-H')
    assert page.text_content('#diagram [data-meter="shop"] .meter-alarm') == "■ H"


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


def test_pages_before_the_first_frame_wait_for_it(page, url, site):
    frame, site._frame = site.latest(), None
    page.goto(url)
    wait_text(page, "#waiting", "Waiting for the simulation's first picture")
    site._frame = frame
    wait_text(page, "#banner-title", "Village feeder")
    page.wait_for_selector("#diagram svg")


def test_an_unknown_address_leads_back(page, url):
    page.goto(url + "nowhere")
    wait_text(page, "#page", "There is no page at this address")
    page.click("#page a")
    page.wait_for_selector("#diagram svg")
    page.get_by_role("link", name="Alarms", exact=True).click()
    page.wait_for_selector("#alarm-grid")
    page.get_by_role("link", name="Overview", exact=True).click()
    wait_text(page, '#diagram [data-meter="shop"] .meter-p', "kW")


@pytest.mark.parametrize("path", ["", "alarms", "profile", "events"])
def test_no_page_scrolls_sideways_on_a_narrow_window(page, url, site, path):
    site.change(alarms=(alarm("farm", 2, "thd_v1", 5, value=0.09, setpoint=0.08),))
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(url + path)
    wait_text(page, "#count-L", "1")
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    off = page.evaluate(
        """() => [...document.querySelectorAll('.panel, .banner, .nav, button, .dash-dropdown')]
            .filter((e) => e.getBoundingClientRect().right > 420.5).map((e) => e.className || e.id)"""
    )
    assert off == []
