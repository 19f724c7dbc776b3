"""Paths to single keys of scenario and network files."""

import pytest

from twin.sweeps.errors import PathError
from twin.sweeps.paths import Named, locate, parse_path, replaced

DATA = {
    "seed": 1,
    "events": [
        {"event": "fault", "name": "F1", "bus": "B", "evolves": [{"after": "1 s"}]},
        {"event": "switch"},
    ],
    "meters": [{"name": "head", "sag": None, "at": {"loads": ["H1", "H2"]}}, {"name": "3"}],
}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed", ("seed",)),
        ("events[0].bus", ("events", 0, "bus")),
        ("events[F1].evolves[0].after", ("events", 0, "evolves", 0, "after")),
        ("meters[head].at.loads[1]", ("meters", 0, "at", "loads", 1)),
        ('meters["3"].ct', ("meters", 1, "ct")),
        # Not written, but the schema may know it: a section that is absent or null becomes one.
        ("meters[head].sag.threshold", ("meters", 0, "sag", "threshold")),
        ("dashboard.port", ("dashboard", "port")),
        ("meters[head].registers[demand method]", ("meters", 0, "registers", "demand method")),
    ],
)
def test_where_paths_lead(text, place):
    if "registers" in text:
        data = replaced(DATA, ("meters", 0, "registers"), {})
        # An empty section is a section: it can take a key.
        assert locate(data, parse_path(text)[1]) == place
    else:
        assert locate(DATA, parse_path(text)[1]) == place


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is no path"),
        ("events[0", "is no path"),
        ("[0].bus", "is no path"),
        ("events..bus", "is no path"),
        ("events[2].bus", "there is no entry 2; the list has 2, counted from 0"),
        ("events[F2].bus", "there is no entry 'F2'; did you mean 'F1'?"),
        ("events.bus", "'bus' is looked for in a list; say in which entry, as in [F1].bus"),
        ("event[0].bus", "there is no list to take entry 0 of; leave '[0]' out"),
        ("events", "leads to a list; go on to a single value in it"),
        ("meters[head].at", "leads to a section; go on to a single value in it"),
        ("seed.value", "'value' is looked for in 1; that is a single value, end the path there"),
    ],
)
def test_paths_that_lead_nowhere(text, what):
    with pytest.raises(PathError) as caught:
        locate(DATA, parse_path(text)[1])
    assert what in str(caught.value)


def test_what_stands_under_network_is_in_the_network_file():
    assert parse_path("network.lines[L 3].length_m") == (True, ("lines", Named("L 3"), "length_m"))
    assert parse_path("network") == (False, ("network",))  # the name of the file


def test_replacing_leaves_the_document_alone_and_shares_the_rest():
    changed = replaced(DATA, ("events", 0, "evolves", 0, "after"), "2 s")
    assert changed["events"][0]["evolves"] == [{"after": "2 s"}]
    assert DATA["events"][0]["evolves"] == [{"after": "1 s"}]
    assert changed["meters"] is DATA["meters"]
    assert changed["events"][1] is DATA["events"][1]
    assert replaced(DATA, ("meters", 0, "sag", "threshold"), "80 %")["meters"][0]["sag"] == {
        "threshold": "80 %"
    }
