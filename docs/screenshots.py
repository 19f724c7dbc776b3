"""Take the pictures of the documentation from a live site: ``python docs/screenshots.py``.

Needs Chromium and the ``dev`` extra.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from benchmarks.live_site import LiveSite, scenario_on_free_ports

IMAGES = Path(__file__).with_name("images")
CHROMIUM = "/usr/bin/chromium"


def main() -> None:
    """Write every picture that the pages of the documentation show."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        with LiveSite(scenario_on_free_ports(folder), folder, "--from", "19:50") as site:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            address = site.ready["dashboard"]
            _overview(page, address)
            _events(page, address)
            _plain(page, address + "alarms", "alarms")
            _plain(page, address + "profile", "profile")
            browser.close()


def _overview(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("gridcell", name="customer-55").first.wait_for()
    page.wait_for_timeout(12_000)  # the sparklines need some values
    page.screenshot(path=IMAGES / "overview.png")


def _events(page: Page, address: str) -> None:
    page.goto(address + "events")
    page.get_by_role("gridcell", name=re.compile("customer-44")).first.click()
    page.wait_for_timeout(3_000)
    page.screenshot(path=IMAGES / "events.png")


def _plain(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_timeout(4_000)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
