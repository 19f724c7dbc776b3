import itertools

import pytest

from tests.recording import records
from twin.recording import RecordingWriter

_numbers = itertools.count(1)


def pytest_generate_tests(metafunc):
    """Run the tests of a module with ``STORES`` against each of them; a test may choose for itself."""
    stores = getattr(metafunc.module, "STORES", None)
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if stores and "store" in metafunc.fixturenames and "store" not in chosen:
        metafunc.parametrize("store", stores)


@pytest.fixture
def store():
    """The store of tests that do not say otherwise."""
    return "sqlite"


@pytest.fixture
def place(store, tmp_path, request):
    """Where a recording of some name goes in the store of this test."""
    if store == "sqlite":
        return lambda name="recording": tmp_path / name
    url = request.getfixturevalue("postgres").url
    test = next(_numbers)
    names = {}
    return lambda name="recording": f"{url}?run=test{test}-{names.setdefault(name, len(names))}"


@pytest.fixture
def create(place):
    """Create recordings that are closed at the end of the test."""
    writers = []

    def make(name="recording", **options):
        settings = {"scenario": records.SCENARIO, "meters": records.METERS, **options}
        writers.append(RecordingWriter.create(place(name), **settings))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()
