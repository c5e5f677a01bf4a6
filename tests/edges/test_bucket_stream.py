"""Objects of any size, piece by piece."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest

from local import s3
from local.serve import free_port, running
from soulcaster.edges.bucket import PIECE_BYTES, Bucket, BucketError

KEY = "imports/imp_larder_00ff"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with running(s3.app(tmp_path, "a-secret-key")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        boto3.client("s3").create_bucket(Bucket="files")
        yield Bucket("files")


def put(content: bytes) -> None:
    boto3.client("s3").put_object(Bucket="files", Key=KEY, Body=content)


def test_an_object_comes_in_pieces(bucket: Bucket) -> None:
    """All of it, in order, none larger than the memory allows; with its size before."""
    content = bytes(range(256)) * 10_000
    put(content)
    found = bucket.stream(KEY)
    assert found is not None
    assert found.size == len(content)
    pieces = list(found.pieces)
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == PIECE_BYTES


def test_another_object_has_another_tag(bucket: Bucket) -> None:
    """So that somebody who comes back sees that it was replaced."""
    tags = []
    for content in (b"one", b"two", b"two"):
        put(content)
        found = bucket.stream(KEY)
        assert found is not None
        tags.append(found.etag)
    assert tags[0] != tags[1] == tags[2]


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    """That is no error."""
    assert bucket.stream(KEY) is None


class Broken(BaseHTTPRequestHandler):
    """Says that there is more than it sends."""

    def do_GET(self) -> None:
        """Break off."""
        self.send_response(200)
        self.send_header("etag", '"e"')
        self.send_header("content-length", "99")
        self.end_headers()
        self.wfile.write(b"text\nIt is slow\n")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_an_object_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a shorter one."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        found = Bucket("files").stream(KEY)
        assert found is not None
        with pytest.raises(BucketError):
            list(found.pieces)
        server.shutdown()


def test_a_bucket_that_is_down_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not taken for an object that is not there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(BucketError):
        Bucket("files").stream(KEY)
