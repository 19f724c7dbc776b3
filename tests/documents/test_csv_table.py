"""Tables as CSV: what cannot be read is told with its file, line and mend."""

import pytest

from twin.contracts import BadInputError
from twin.documents import csv_rows, read_csv_text


def test_rows_by_name_with_their_lines(tmp_path):
    """A mark of the byte order, as spreadsheets write it, belongs to no name."""
    file = tmp_path / "table.csv"
    file.write_bytes('\ufeffa,b\r\n1,"x\r\ny"\r\n2,z\r\n'.encode())
    reader = csv_rows(read_csv_text(file, mend="-"), str(file), needed=("b", "a"), mend="-")
    assert [(row["a"], row["b"], reader.line_num) for row in reader] == [("1", "x\ny", 3), ("2", "z", 4)]


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read (No such file or directory); mend it"),
     (b"\xff\xfe", "cannot be read (it is not UTF-8 text); mend it")],
)  # fmt: skip
def test_a_file_that_cannot_be_read(tmp_path, content, told):
    file = tmp_path / "table.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInputError) as error:
        read_csv_text(file, mend="mend it")
    assert str(error.value) == f"{file}: {told}"


@pytest.mark.parametrize(("text", "missing"), [("", "a, b, c"), ("b,x\n", "a, c")])
def test_columns_that_are_missing(text, missing):
    with pytest.raises(BadInputError) as error:
        csv_rows(text, "table.csv", needed=("a", "b", "c"), mend="give a, b and c")
    assert str(error.value) == f"table.csv:1: has no column {missing}; give a, b and c"
