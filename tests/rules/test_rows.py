"""Rows of files: what is one, where it begins, and what is no file of rows at all."""

import csv
import gzip
import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.records import MAX_CHARS
from soulcaster.rules.rows import Format, Row, Unusable, rows


def read(text: str | bytes, form: Format = "csv", *, piece: int = 7, skip: int = 0) -> list[Row]:
    """The rows of a file that arrives in small pieces, which cut through everything."""
    raw = text.encode() if isinstance(text, str) else text
    pieces = (raw[start : start + piece] for start in range(0, len(raw), piece))
    return list(rows(pieces, form, skip))


def data(text: str | bytes, form: Format = "csv") -> list[dict[str, Any]]:
    """What the rows say, none of them refused."""
    found = read(text, form)
    assert not [row.refused for row in found if row.refused]
    return [row.data for row in found]


def reasons(text: str | bytes, form: Format = "csv") -> list[tuple[int, str]]:
    """The line and the reason of each refused row."""
    return [(row.line, row.refused) for row in read(text, form) if row.refused]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_write_is_read(delimiter: str, ending: str, mark: str) -> None:
    """With any of the delimiters and line ends, with or without a byte order mark."""
    text = mark + ending.join(("id,title,text", '7,"No, undo","He said ""no"""', "8,Grüße 🙂,"))
    text = text.replace(",", delimiter)
    assert data(text) == [
        {"id": "7", "title": f"No{delimiter} undo", "text": 'He said "no"'},
        {"id": "8", "title": "Grüße 🙂"},
    ]


def test_a_row_over_several_lines_is_at_its_first() -> None:
    """Lines within quotes belong to the row; blank ones between rows are none."""
    text = 'title,text\n\nA,"one\n\ntwo"\n\n"B",three\n'
    found = read(text)
    assert [(row.line, row.data["title"]) for row in found] == [(3, "A"), (7, "B")]
    assert found[0].data["text"] == "one\n\ntwo"


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Subject,BODY,Date", {"title", "text", "created_at"}),
        (" Title ,Created-At,updated at", {"title", "created_at", "updated_at"}),
        ("description,body,text", {"description", "body", "text"}),
        ("description,body,x", {"text", "body 2", "x"}),
        ("text,text,", {"text", "text 2", " 3"}),
    ],
)
def test_columns_are_known_by_other_names(header: str, names: set[str]) -> None:
    """In any letter case; our own name goes first, and no column is lost."""
    (row,) = data(f"{header}\na,b,c\n")
    assert set(row) == names


def test_cells_become_what_json_has() -> None:
    """Numbers, moments, truth and levels; what is no such thing stays for the field to refuse."""
    header = "text,occurrences,created_at,resolved,severity,id"
    assert data(f"{header}\na,3,1735639200,Yes,ERROR,007\nb,many,2024-12-31,x,bad,\n") == [
        {
            "text": "a",
            "occurrences": 3,
            "created_at": 1735639200.0,
            "resolved": True,
            "severity": "error",
            "id": "007",
        },
        {
            "text": "b",
            "occurrences": "many",
            "created_at": "2024-12-31",
            "resolved": "x",
            "severity": "bad",
        },
    ]


def test_formulas_are_text() -> None:
    """What a spreadsheet would run is kept letter by letter."""
    (row,) = data('text\n"=HYPERLINK(""http://a.example"",""x"")"\n')
    assert row == {"text": '=HYPERLINK("http://a.example","x")'}


def test_json_lines_are_objects() -> None:
    """Values keep their types, null is nothing, and keys are known by other names as well."""
    text = '{"Body": "a", "occurrences": 2, "author": null}\n\n{"text": "b", "extra": {"n": [1]}}\n'
    assert data(text, "jsonl") == [
        {"text": "a", "occurrences": 2},
        {"text": "b", "extra": {"n": [1]}},
    ]


def test_a_bad_row_does_not_spoil_the_next() -> None:
    """Each is refused at its line, for a reason that people understand."""
    text = b"title,text\nA,b\nC\nD,e,f\nG,\x00\nH,\xe9\nI,j\n"
    assert reasons(text) == [
        (3, "it has 1 cells and the header 2"),
        (4, "it has 3 cells and the header 2"),
        (5, "it has a NUL character"),
        (6, "it is not UTF-8"),
    ]
    assert [row.data["title"] for row in read(text) if not row.refused] == ["A", "I"]
    lines = b'{"text": "a"}\n{"text": \n["a"]\n"a"\n' + b"[" * 100_000 + b"\n\xff\n"
    assert reasons(lines, "jsonl") == [
        (2, "it is not JSON"),
        (3, "it is not a JSON object"),
        (4, "it is not a JSON object"),
        (5, "it is not JSON"),
        (6, "it is not UTF-8"),
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_row_of_megabytes_is_refused_and_not_held(form: Format) -> None:
    """Neither is it kept in memory nor does what comes after it get lost."""
    long = "x" * 10_000_000
    text = {
        "csv": f'text\nA\n"{long[:5_000_000]}\n{long[5_000_000:]}"\nB\n',
        "jsonl": f'{{"text": "A"}}\n{{"text": "{long}"}}\n{{"text": "B"}}\n',
    }[form]
    raw = text.encode()
    found = list(rows((raw[i : i + 100_000] for i in range(0, len(raw), 100_000)), form))
    assert [row.data.get("text") for row in found] == ["A", None, "B"]
    assert found[1].refused == f"it has more than {MAX_CHARS} characters"
    assert len(found[1].text) <= MAX_CHARS


def test_a_quote_that_is_not_closed_takes_nothing_apart() -> None:
    """What follows it can't be told from the row, so none of it is stored as another."""
    text = 'title,text\nA,b\nC,"d\nE,f\nG,h\n'
    assert reasons(text) == [(3, "a quote is opened in it and never closed")]
    assert [row.data.get("title") for row in read(text)] == ["A", None]


def test_a_quote_within_a_cell_is_a_quote() -> None:
    """Only one that a cell begins with opens it, as spreadsheets have it."""
    assert data('title,text\n5" disk,6" disk\nA,b\n') == [
        {"title": '5" disk', "text": '6" disk'},
        {"title": "A", "text": "b"},
    ]


def zipped() -> bytes:
    """A spreadsheet, or any other archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("feedback.csv", "text\na\n")
    return file.getvalue()


@pytest.mark.parametrize("piece", [1, 1_000])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"text,title\n", "the file has no rows"),
        (b"text,title\n\n\n", "the file has no rows"),
        (b"a,b\n1,2\n", "the header has no column for a title or a text; it has: a, b"),
        (b"\xc4\xdf,text\n1,2\n", "the file is not UTF-8; save it as UTF-8"),
        ("text\na\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (zipped(), "the file is a zip archive or a spreadsheet; save it as CSV"),
        (gzip.compress(b"text\na\n"), "the file is compressed; unpack it first"),
        (b"%PDF-1.7\n", "the file is a PDF; save it as CSV"),
        (b'text,"title\na,b\n', "the first line is no header: a quote is opened in it and never"),
        (b"x" * 1_000_000, "the first line is too long for a header"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, reason: str, piece: int) -> None:
    """The whole file is refused, with a reason that tells what to do."""
    with pytest.raises(Unusable) as caught:
        read(content, piece=piece)
    assert str(caught.value).startswith(reason)


def test_no_json_lines_are_no_rows() -> None:
    """Neither are an archive's."""
    with pytest.raises(Unusable):
        read(b"\n\n", "jsonl")
    with pytest.raises(Unusable):
        read(zipped(), "jsonl")


def test_rows_that_were_read_are_skipped() -> None:
    """To go on after so many gives the same as to read all; even when none are left."""
    text = 'title\nA\n"B\nb"\n\n"C"\nD,\n'
    every = read(text)
    assert len(every) == 4
    for skip in range(5):
        assert read(text, skip=skip) == every[skip:]


cell = st.text(st.sampled_from('a",;\t\né🙂\x00'), max_size=6)


@given(
    st.lists(st.lists(cell, min_size=2, max_size=3), max_size=5),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 9),
)
def test_what_csv_writes_is_read_row_by_row(
    table: list[list[str]], quoting: Any, piece: int
) -> None:
    """Each row that a writer of CSV has written is one here, at its line, as it was written."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, lineterminator="\n")
    writer.writerow(["text", "title"])
    expected = []
    for cells in table:
        line = file.getvalue().count("\n") + 1
        written = file.tell()
        writer.writerow(cells)
        if file.getvalue()[written:].strip():
            expected.append((line, cells))
    if not expected:
        return
    found = read(file.getvalue(), piece=piece)
    assert [row.line for row in found] == [line for line, _ in expected]
    for row, (_, cells) in zip(found, expected, strict=True):
        assert bool(row.refused) == (len(cells) != 2 or any("\x00" in each for each in cells))
        if not row.refused:
            given = dict(zip(("text", "title"), map(str.strip, cells), strict=True))
            assert row.data == {name: value for name, value in given.items() if value}


@given(st.binary(max_size=200), st.sampled_from(["csv", "jsonl"]), st.integers(1, 50))
@example(b'text\n"', "csv", 1)
@example(b'text\n"a"b"\n"c', "csv", 3)
@example(b"text\n\xf0\x9f", "csv", 2)
@example(b'{"text": 1e999}\n{"a": "\\ud800"}', "jsonl", 5)
def test_any_bytes_are_rows_or_unusable(raw: bytes, form: Format, piece: int) -> None:
    """Nothing else comes of a file, and its rows do not depend on how it arrives."""
    outcomes = []
    for size in (piece, 1_000):
        try:
            outcomes.append(
                [(row.line, row.data, row.refused) for row in read(raw, form, piece=size)]
            )
        except Unusable as error:
            outcomes.append(str(error))  # type: ignore[arg-type]
    assert json.dumps(outcomes[0]) == json.dumps(outcomes[1])
