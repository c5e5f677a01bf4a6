"""Files of every kind, uploaded by anybody: each ends as an import that tells what became of it."""

import io
import json
import zipfile

import pytest

from soulcaster.edges.clock import now_ms
from soulcaster.rules.imports import MAX_BYTES, MAX_REFUSED
from tests.scenarios.import_cases import (
    IMPORT,
    imports,
    numbers,
    read,
    reported,
    started,
    upload,
)
from tests.support import seeds, state
from tests.support.world import World


@pytest.fixture
def project(world: World) -> None:
    seeds.project(world)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("feedback.csv", "text\na\n")
    return file.getvalue()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no file was uploaded"),
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "the header has no column for a title or a text; it has: a, b"),
        (b"text\n", "the file has no rows"),
        (zipped(), "the file is a zip archive or a spreadsheet; save it as CSV"),
        ("text\na\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"\xe4,text\n", "the file is not UTF-8; save it as UTF-8"),
        (
            b"text\n" + b"x" * MAX_BYTES,
            f"the file has {MAX_BYTES + 5:,} bytes; it may have {MAX_BYTES:,}",
        ),
        (b"text\n" + b"a,b\n" * 10_300, f"more than {MAX_REFUSED} rows were refused"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_a_file_that_is_none_fails_for_a_reason(
    world: World, content: bytes | None, reason: str
) -> None:
    """Once, and for good; people are told what to do."""
    world.s3.delete_object(Bucket=world.stack.buckets[0].name, Key=f"imports/{IMPORT}")
    if content is not None:
        upload(world, content)
    started(world)
    world.drain("ImportQueue")
    found = read(world)
    assert (found["state"], found["reason"], found["stored"]) == ("failed", reason, 0)
    assert imports(world).start(IMPORT, now_ms()).outcome == "ended"


@pytest.mark.usefixtures("project")
def test_huge_and_broken_rows_are_reported_and_the_rest_stored(world: World) -> None:
    """A field of 10 MB, bytes that are no text, NUL, and formulas: row by row."""
    lines = [
        b"title;text",
        b'=1+1;"=HYPERLINK(""http://a.example"")"',
        b'Long;"' + b"x\n" * 5_000_000 + b'"',
        b"Br\xf6ken;It fails",
        b"NUL\x00;It fails",
        b"Last;It fails",
    ]
    upload(world, b"\xef\xbb\xbf" + b"\r\n".join(lines))
    started(world)
    world.drain("ImportQueue")
    assert (read(world)["state"], numbers(world)) == ("done", (5, 2, 2, 3))
    assert [reason for _, reason in reported(world)] == [
        "it has more than 131072 characters",
        "it is not UTF-8",
        "it has a NUL character",
    ]
    titles = {
        json.loads(one["doc"])["title"] if isinstance(one["doc"], str) else one["doc"]["title"]
        for one in state.records(world, "fb").values()
    }
    assert titles == {"=1+1", "Last"}


@pytest.mark.usefixtures("project")
def test_json_lines_are_imported_too(world: World) -> None:
    """Each line an object; what is none is reported."""
    lines = ['{"title": "A", "occurrences": 3}', "nonsense", '{"text": "B", "severity": "info"}']
    upload(world, "\n".join(lines))
    started(world, "jsonl")
    world.drain("ImportQueue")
    assert (read(world)["state"], numbers(world)) == ("done", (3, 2, 2, 1))
    assert reported(world) == [(2, "it is not JSON")]
