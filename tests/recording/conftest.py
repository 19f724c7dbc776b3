import pytest

from tests.recording import records
from twin.recording import RecordingWriter


@pytest.fixture
def create(tmp_path):
    """Create recordings that are closed at the end of the test."""
    writers = []

    def make(name="recording", **options):
        settings = {"scenario": records.SCENARIO, "meters": records.METERS, **options}
        writers.append(RecordingWriter.create(tmp_path / name, **settings))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()
