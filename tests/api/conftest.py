"""A live site answers within a second once its kernels are compiled; on a fresh machine that comes first."""

import pytest

from tests.api.live import NETWORK, QUIET
from tests.sites import write_site
from twin.contracts import Command
from twin.scenario import load_scenario
from twin.simulation import build_site

_DOINGS = (
    Command(
        "test", "site", "inject", {"event": "fault", "name": "A", "bus": "HOME", "type": "slg", "phases": "a"}
    ),
    Command(
        "test",
        "site",
        "inject",
        {"event": "fault", "name": "B", "bus": "SUB", "type": "3ph", "phases": "abc"},
    ),
    Command("test", "site", "inject", {"event": "repair", "of": "A"}),
    Command("test", "site", "inject", {"event": "repair", "of": "B"}),
    Command("test", "SW2", "open"),
    Command("test", "SW2", "close"),
    Command("test", "CAP", "close"),
    Command("test", "AVR", "raise"),
)


@pytest.fixture(scope="package", autouse=True)
def kernels(tmp_path_factory):
    """Have the site do what tests ask for, before any client waits for an answer."""
    folder = tmp_path_factory.mktemp("kernels")
    loaded = load_scenario(write_site(folder, scenario=QUIET, network=NETWORK))
    with build_site(loaded) as site:
        session = site.live(speed=1.0)
        session.open()
        site.record_to(folder / "recording", overwrite=False)
        for number, doing in enumerate(_DOINGS, start=1):
            site.engine.apply(doing)
            session.skip_to(loaded.start_ns + number * 10**9)
        session.stop()
