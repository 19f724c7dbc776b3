"""YAML reading: the core schema, places of values, and what cannot be read."""

import pytest

from twin.contracts import BadInputError, Mark
from twin.documents import read_yaml


def write(tmp_path, text):
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_of_a_scenario_stay_words(tmp_path):
    document = read_yaml(write(tmp_path, "a: no\nb: 18:30\nc: on\nd: 012\ne: 2026-01-15\nf: 1_000\n"))
    assert document.data == {"a": "no", "b": "18:30", "c": "on", "d": 12, "e": "2026-01-15", "f": "1_000"}


def test_core_schema_scalars(tmp_path):
    document = read_yaml(write(tmp_path, "[true, false, null, ~, 7, -7, 1.5, 1e3, '7', \"true\"]"))
    assert document.data == [True, False, None, None, 7, -7, 1.5, 1000.0, "7", "true"]


def test_places_of_values_and_of_what_is_missing(tmp_path):
    path = write(tmp_path, "meters:\n  - name: head\n    ct: 200:5\n")
    document = read_yaml(path)
    assert document.mark(("meters", 0, "ct")) == Mark(str(path), 3, 5)
    assert document.mark(("meters", 0, "pt")).line == 2
    assert document.mark(("nothing",)).line == 1


def test_a_repeated_key_is_found(tmp_path):
    with pytest.raises(BadInputError, match=r"site.yaml:3: a: 'a' stands twice \(first in line 1\)"):
        read_yaml(write(tmp_path, "a: 1\nb: 2\na: 3\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [1, 2", "is not valid YAML"), (b"\xff\xfe\x00", "is not UTF-8 text")],
)
def test_unreadable_files(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        read_yaml(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"nowhere.yaml: cannot be read .*; check the path"):
        read_yaml(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &self\n  b: *self\n",
        "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 1}]\n" for n in range(9)),
    ],
)
def test_aliases_cannot_make_it_endless(tmp_path, text):
    with pytest.raises(BadInputError, match="nested too deeply or too large; write it without aliases"):
        read_yaml(write(tmp_path, text))
