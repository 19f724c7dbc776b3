"""What every test shares: in CI a test that skips because something is absent is a failure."""

import os

import pytest
from hypothesis import settings

from tests import postgres as postgres_server

# How long an example takes depends on what else the machine does; no test asserts it.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {call.excinfo.value}"
    return report


@pytest.fixture(scope="session")
def postgres():
    """A private PostgreSQL server that all tests share; each takes runs of its own."""
    pytest.importorskip("psycopg")
    if reason := postgres_server.missing():
        pytest.skip(reason)
    server = postgres_server.Server()
    yield server
    server.close()
