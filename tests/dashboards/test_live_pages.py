"""The live pages in a real browser: what an operator sees and clicks."""

from dataclasses import replace

import pytest

from tests.dashboards.browsing import rows, wait_rows, wait_text
from tests.dashboards.synthetic import START_NS, alarm
from twin.contracts import NS_PER_SECOND, SoeRecord

pytestmark = pytest.mark.browser


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
    wait_text(page, "#confirm-yes", "Open cb_shop")
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


def test_trouble_with_serving_is_told_and_taken_back(page, url, site):
    page.goto(url)
    wait_text(page, "#banner-time", "2026")
    assert not page.is_visible("#banner-notice")
    site.change(notice="the process of the endpoints died (signal 9)")
    wait_text(page, "#banner-notice", "⚠ the process of the endpoints died (signal 9)")
    assert page.is_visible("#banner-notice")
    site.change(notice="")
    page.wait_for_selector("#banner-notice", state="hidden")


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


def test_active_alarms_stand_before_those_that_returned(page, url, site):
    page.goto(url + "alarms")
    lasting = alarm("farm", 2, "v1", 5, value=205.0, setpoint=207.0)
    over = replace(alarm("shop", 1, "i1", 3, value=260.0, setpoint=250.0), active=False)
    later = lasting.since_ns + 60 * NS_PER_SECOND
    site.change(alarms=(replace(over, since_ns=later, returned_ns=later + NS_PER_SECOND), lasting))
    wait_rows(page, "alarm-grid", 2)
    assert [row["meter"] for row in rows(page, "alarm-grid")] == ["farm", "shop"]


def test_the_sequence_of_events_fits_a_narrow_screen_and_follows_the_meters_chosen(page, url, site):
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(url + "alarms")
    changes = [
        SoeRecord(meter, "io11", START_NS + k * 1_000_000, "di28", on=bool(k % 2), status=k)
        for k, meter in enumerate(("shop", "farm", "shop"))
    ]
    site.change(soe=tuple(changes))
    wait_rows(page, "soe-grid", 3)
    newest = rows(page, "soe-grid")[0]
    assert (newest["meter"], newest["input"], newest["state"]) == ("shop", "di28", "off")
    for field in ("time", "meter", "input", "state"):
        box = page.locator(f'#soe-grid [row-index="0"] [col-id="{field}"]').bounding_box()
        assert box["x"] + box["width"] <= 420
        assert page.evaluate(
            "(cell) => cell.scrollWidth <= cell.clientWidth",
            page.query_selector(f'#soe-grid [row-index="0"] [col-id="{field}"]'),
        )
    page.click("#alarm-meters")
    page.get_by_role("option", name="farm").click()
    wait_rows(page, "soe-grid", 1)
    assert rows(page, "soe-grid")[0]["meter"] == "farm"


def test_the_alarm_page_fits_its_window(page, url, site):
    page.goto(url + "alarms")
    wait_text(page, "#soe-grid", "No change yet")
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0


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
