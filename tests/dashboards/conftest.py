"""A browser, a site and its pages, for the tests that drive them."""

from pathlib import Path

import pytest

from dashboards import create_app, serve
from tests.dashboards.synthetic import SyntheticSite, write_recording

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
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
