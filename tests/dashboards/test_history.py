"""Pages read the same from a directory and from a database, while it is written and before it exists."""

import numpy as np

from dashboards.history import History
from tests.dashboards.synthetic import write_recording


def test_a_database_shows_what_a_directory_shows(tmp_path, postgres):
    place = f"{postgres.url}?run=pages"
    embedded, history = History(tmp_path / "recording"), History(place)
    assert history.events() == history.meters() == []
    assert history.load_profile("head", ("v1_avg",)) is None
    with write_recording(tmp_path / "recording"), write_recording(place):
        assert len(history.meters()) > 1
        assert history.meters() == embedded.meters()
        rows = history.event_rows("Europe/London", 2**62)
        assert len(rows) > 1
        assert rows == embedded.event_rows("Europe/London", 2**62)
        assert history.captures() == embedded.captures()
        capture = history.captures()[0]
        found, twin = (one.capture(capture.meter, capture.number) for one in (history, embedded))
        np.testing.assert_array_equal(found.raw, twin.raw)
        channels = history.channels("head")
        assert channels == embedded.channels("head")
        first, second = (one.load_profile("head", channels) for one in (history, embedded))
        np.testing.assert_array_equal(first.end_ns, second.end_ns)
        for channel in channels:
            np.testing.assert_array_equal(first.values[channel], second.values[channel])
