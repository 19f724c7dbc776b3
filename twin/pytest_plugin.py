"""The pytest plugin: the fixture ``twin_site``. Every test session loads it, so it imports nothing heavy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from twin.testing import SiteUnderTest


@pytest.fixture
def twin_site(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Callable[..., SiteUnderTest]]":
    """Return a function that starts a scenario: ``site = twin_site("scenario.yaml")``.

    Each site has ports of its own and a recording in a temporary directory; all are stopped after the test.
    """
    yield from _starter(tmp_path_factory)


@pytest.fixture(scope="module")
def module_twin_site(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Callable[..., SiteUnderTest]]":
    """Return the same function as ``twin_site``; its sites last for all tests of a module."""
    yield from _starter(tmp_path_factory)


def _starter(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Callable[..., SiteUnderTest]]":
    from twin.testing import SiteUnderTest  # noqa: PLC0415  numba takes its time

    with ExitStack() as sites:

        def start(scenario: Path | str) -> SiteUnderTest:
            recording = tmp_path_factory.mktemp("twin") / "recording"
            return sites.enter_context(SiteUnderTest(scenario, recording=recording))

        yield start
