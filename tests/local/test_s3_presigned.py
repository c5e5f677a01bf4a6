"""Presigned URLs of the S3 emulator: what they open and what they don't."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local.s3 import app
from local.serve import running
from tests.local.emulated import SECRET_KEY, Clock, options


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def s3(tmp_path: Path, clock: Clock) -> Iterator[Any]:
    with running(app(tmp_path, SECRET_KEY, clock=clock)) as url:
        client = boto3.client("s3", **options(url, signature_version="s3v4"))
        client.create_bucket(Bucket="jobs")
        yield client


def presigned(s3: Any, call: str, key: str = "a b/é+patch.json", **given: Any) -> str:
    parameters = {"Bucket": "jobs", "Key": key, **given}
    url: str = s3.generate_presigned_url(call, Params=parameters, ExpiresIn=60)
    return url


def refused(answer: httpx.Response, message: str) -> bool:
    return answer.status_code == 403 and message in answer.text


def test_url_uploads_and_downloads_without_any_header(s3: Any) -> None:
    """Who holds the URL may do that one thing, with no key of their own."""
    assert httpx.put(presigned(s3, "put_object"), content=b"patch").status_code == 200
    got = httpx.get(presigned(s3, "get_object"))
    assert (got.status_code, got.content) == (200, b"patch")
    assert got.headers["content-type"] == "binary/octet-stream"


def test_url_opens_only_its_own_method_and_key(s3: Any) -> None:
    """A URL for reading does not write, and one for a key does not open another."""
    httpx.put(presigned(s3, "put_object"), content=b"x").raise_for_status()
    reading = presigned(s3, "get_object")
    assert refused(httpx.put(reading, content=b"y"), "SignatureDoesNotMatch")
    assert refused(httpx.get(reading.replace("patch", "other")), "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Algorithm", "x=1&X-Amz-Algorithm"),
        ("us-east-1", "us-east-2"),
    ],
)
def test_tampered_url_is_refused(s3: Any, old: str, new: str) -> None:
    """No part of a URL can be changed by its holder."""
    httpx.put(presigned(s3, "put_object"), content=b"x").raise_for_status()
    answer = httpx.get(presigned(s3, "get_object").replace(old, new))
    assert refused(answer, "SignatureDoesNotMatch")


def test_url_ends_with_its_expiry(s3: Any, clock: Clock) -> None:
    """It works up to its last second and is 403 after it."""
    url = presigned(s3, "put_object")
    clock.ahead = 58
    assert httpx.put(url, content=b"x").status_code == 200
    clock.ahead = 62
    assert refused(httpx.put(url, content=b"x"), "Request has expired")
    clock.ahead = -1_000
    assert refused(httpx.put(url, content=b"x"), "not valid yet")


def test_signed_header_must_come_as_it_was_signed(s3: Any) -> None:
    """A URL that was signed for a content type takes that type only."""
    url = presigned(s3, "put_object", ContentType="application/json")
    assert refused(httpx.put(url, content=b"{}"), "SignatureDoesNotMatch")
    typed = {"content-type": "application/json"}
    assert httpx.put(url, content=b"{}", headers=typed).status_code == 200
    assert httpx.get(presigned(s3, "get_object")).headers["content-type"] == "application/json"


def test_holder_adds_no_header_the_service_acts_on(s3: Any) -> None:
    """An unsigned x-amz- header is refused, as metadata would be anybody's otherwise."""
    answer = httpx.put(presigned(s3, "put_object"), headers={"x-amz-meta-role": "admin"})
    assert refused(answer, "not signed")


def test_url_says_how_the_answer_is_shown(s3: Any) -> None:
    """The signed response-* parameters become headers of the download."""
    httpx.put(presigned(s3, "put_object"), content=b"x").raise_for_status()
    given = {"ResponseContentType": "text/plain", "ResponseContentDisposition": "inline"}
    headers = httpx.get(presigned(s3, "get_object", **given)).headers
    assert (headers["content-type"], headers["content-disposition"]) == ("text/plain", "inline")


def test_old_signature_version_is_named(s3: Any) -> None:
    """What boto3 makes without ``signature_version="s3v4"`` is refused with the remedy."""
    older = boto3.client("s3", **options(s3.meta.endpoint_url))
    url = older.generate_presigned_url("get_object", Params={"Bucket": "jobs", "Key": "k"})
    answer = httpx.get(url)
    assert (answer.status_code, "AWS4-HMAC-SHA256" in answer.text) == (400, True)
