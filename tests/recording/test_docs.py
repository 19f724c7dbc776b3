"""The examples and the table list of docs/recording.md are run and compared."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.recording import records

TEXT = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


@pytest.fixture
def run1(create, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = create("run1")
    for number in range(1, 11):
        writer.append(records.batch(number))
    writer.flush()
    return writer


@pytest.mark.parametrize("position", [0, 1])
def test_python_examples_run(run1, position, capsys):
    example = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[position]
    run1.close()
    names = {}
    exec(example, names)
    if position == 0:
        shown = capsys.readouterr().out
        assert "time_s,va_v,vb_v,vc_v,ia_a,ib_a,ic_a" in shown
        assert names["profile"].end_ns.size == 4
    else:
        assert len(names["profile"]) == len(names["events"]) == 10
        highest = [records.interval(n, every_s=records.STEP_S).values["v1_avg"] for n in range(1, 5)]
        assert names["peaks"].highest[0] == max(highest)
        assert str(names["peaks"].day[0].date()) == "2026-03-01"


def test_sql_examples_run(run1):
    queries = "".join(re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)).split(";")
    with closing(sqlite3.connect("file:run1/recording.sqlite?mode=ro", uri=True)) as connection:
        answers = [connection.execute(query).fetchall() for query in queries if query.strip()]
    sags, causes, active, latest = answers
    assert [row[1] for row in sags] == [3, 6, 9]
    assert sags[0][3:] == ("2026-03-01 05:50:00", records.event(3).extreme, 100.0)
    assert causes[0][1] == 1
    # The latest alarms of the three channels are numbers 8, 9 and 10; the even ones are active.
    assert [(row[1], row[3]) for row in active] == [
        (2, records.alarm(10).time_ns),
        (3, records.alarm(8).time_ns),
    ]
    last = records.interval(10, every_s=records.STEP_S)
    assert latest == [("head", last.end_ns, last.values["v1_avg"])]


def test_the_list_of_tables_is_the_schema(run1):
    listed = dict(re.findall(r"^\| `(\w+)` \| (`.*`)", TEXT, re.MULTILINE))
    with closing(sqlite3.connect(run1.path / "recording.sqlite")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables
        }
    columns["load_profile_1"] = columns["load_profile_1"][:3]
    del columns["load_profile_2"]
    named = {table: re.findall(r"`(\w+)`", text) for table, text in listed.items()}
    named["load_profile_1"] = named["load_profile_1"][:3]
    assert named == columns
