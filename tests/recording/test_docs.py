"""The examples and the table list of docs/recording.md are run and compared."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from tests.recording import records
from twin.contracts import Access, Point

TEXT = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


@pytest.fixture
def run1(create, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = create("run1")
    for number in range(1, 11):
        writer.append(records.batch(number))
    writer.describe_registers(
        "head", [Point("ep_imp", 100, 2, "uint32", "high first", 0.1, "kWh", Access.READ)]
    )
    writer.append([records.register(1), records.register(2)])
    writer.flush()
    return writer


@pytest.mark.parametrize("position", [0, 1, 3])
def test_python_examples_run(run1, position, capsys):
    example = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[position]
    run1.close()
    names = {}
    exec(example, names)
    if position == 0:
        shown = capsys.readouterr().out
        assert "time_s,va_v,vb_v,vc_v,ia_a,ib_a,ic_a" in shown
        assert names["profile"].end_ns.size == 4
    elif position == 3:
        first, second = capsys.readouterr().out.splitlines()
        assert first == f"{records.register(1).time_ns} ep_imp {(1 * 65_536 + 65_534) * 0.1} kWh"
        assert second.startswith(str(records.register(2).time_ns))
    else:
        assert len(names["profile"]) == len(names["events"]) == 10
        highest = [records.interval(n, every_s=records.STEP_S).values["v1_avg"] for n in range(1, 5)]
        assert names["peaks"].highest[0] == max(highest)
        assert str(names["peaks"].day[0].date()) == "2026-03-01"


def test_sql_examples_run(run1):
    queries = re.search(r"```sql\n(.*?)```", TEXT, re.DOTALL)[1].split(";")
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


@pytest.mark.parametrize("store", ["postgresql"])
def test_the_sql_example_for_a_database_runs(create, postgres):
    import psycopg

    writer = create()
    for number in range(1, 11):
        writer.append(records.batch(number))
    writer.close()
    example = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)[1].replace('"today"', f'"{writer.path.run}"')
    with psycopg.connect(postgres.url) as connection:
        path, query = [text for text in example.split(";") if text.strip()]
        connection.execute(path)
        sags = connection.execute(query).fetchall()
    assert [row[1] for row in sags] == [3, 6, 9]
    assert f"{sags[0][3].astimezone(UTC):%Y-%m-%d %H:%M:%S}" == "2026-03-01 05:50:00"


def test_the_list_of_tables_is_the_schema(run1):
    found, table = {}, None
    pattern = r"^\| (?:`(\w+)`)? \| `(\w+)` \| (?:integer|real|text|blob)"
    for name, column in re.findall(pattern, TEXT, re.MULTILINE):
        table = name or table
        found.setdefault(table, []).append(column)
    with closing(sqlite3.connect(run1.path / "recording.sqlite")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables
        }
    columns["load_profile_1"] = columns["load_profile_1"][:3]
    del columns["load_profile_2"]
    assert found == columns
