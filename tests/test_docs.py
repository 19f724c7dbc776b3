"""Documentation that is generated or refers to files stays true."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def test_generated_pages_are_what_the_code_says():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8")
    assert written == generate.scenario_page(), "run: python docs/generate.py"
    written = (ROOT / "docs" / "alarm-cases.md").read_text(encoding="utf-8")
    assert written == generate.alarm_cases_page(written), "run: python docs/generate.py"
    written = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")
    assert written == generate.recording_page(written), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_shipped_scenario_is_mentioned_in_the_documentation():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for scenario in (ROOT / "scenarios").glob("*.yaml"):
        assert scenario.name in text
