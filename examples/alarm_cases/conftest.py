"""What the cases share: the site, and the alarms that watch it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from twin.testing import AlarmWatch, SiteUnderTest

HERE = Path(__file__).parent
Watch = Callable[..., AlarmWatch]


@pytest.fixture(scope="module")
def works(module_twin_site: Callable[[Path], SiteUnderTest]) -> SiteUnderTest:
    """Start the works once for all cases of a file: a start costs more than a case."""
    return module_twin_site(HERE / "scenario.yaml")


@pytest.fixture
def site(works: SiteUnderTest) -> Iterator[SiteUnderTest]:
    """Give a case the works; it ends what it began, and breakers that have opened are closed after it."""
    yield works
    works.unwatch()
    works.ask("incomer", "write_coil", address=0, on=False)
    for number, breaker in enumerate(("Q0", "Q1", "Q2"), start=1):
        if not works.read("incomer", f"di{number}"):
            works.operate(breaker, "close")
    works.step("1 min")


@pytest.fixture
def alarms(site: SiteUnderTest) -> AlarmWatch:
    """Watch the works by its rules; nothing stands at the beginning."""
    watch = site.watch(HERE / "rules.yaml")
    site.step("15 s")
    watch.assert_active()
    return watch


@pytest.fixture
def mistaken(site: SiteUnderTest) -> Watch:
    """Return a function that watches the works by alarms that are wrong.

    Either as ``mistakes.yaml`` has them, or as ``rules.yaml`` with other settings:
    ``mistaken(LOW={"deadband": "0 V"})``.
    """

    def watch(**settings: Mapping[str, object]) -> AlarmWatch:
        if settings:
            return site.watch(HERE / "rules.yaml", settings=settings)
        return site.watch(HERE / "mistakes.yaml")

    return watch
