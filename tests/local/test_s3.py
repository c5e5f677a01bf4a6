"""The S3 emulator, asked through boto3."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, FlexibleChecksumError

from local.s3 import app
from local.serve import running
from tests.local.emulated import SECRET_KEY, options, process

KEYS = ["jobs/1/patch.json", "a b+c&d=é/🙂?#%41", "../../etc/passwd", "/root", ".", "x" * 1024]


def client(url: str) -> Any:
    return boto3.client("s3", **options(url, s3={"addressing_style": "path"}))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(app(tmp_path / "state", SECRET_KEY)) as url:
        yield url


@pytest.fixture
def s3(url: str) -> Any:
    client(url).create_bucket(Bucket="jobs")
    return client(url)


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str | None, int | None]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("key", KEYS)
def test_object_comes_back_whole(s3: Any, key: str) -> None:
    """Bytes, type, metadata and checksum are those of the object that was put, for any key."""
    body = bytes(range(256)) * 100
    put = s3.put_object(
        Bucket="jobs", Key=key, Body=body, ContentType="text/x-log", Metadata={"job": "j1"}
    )
    got = s3.get_object(Bucket="jobs", Key=key)
    assert got["Body"].read() == body
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert (got["ContentType"], got["Metadata"]) == ("text/x-log", {"job": "j1"})
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]
    head = s3.head_object(Bucket="jobs", Key=key)
    assert (head["ContentLength"], head["Metadata"]) == (len(body), {"job": "j1"})


def test_no_key_leaves_the_state_folder(s3: Any, tmp_path: Path) -> None:
    """Whatever a key looks like, nothing is written outside the emulator's folder."""
    for key in KEYS:
        s3.put_object(Bucket="jobs", Key=key, Body=b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_put_replaces_and_delete_removes(s3: Any, tmp_path: Path) -> None:
    """A key has its latest content, then none, and no file is left behind."""
    for body in (b"old", b"new"):
        s3.put_object(Bucket="jobs", Key="k", Body=body)
    assert s3.get_object(Bucket="jobs", Key="k")["Body"].read() == b"new"
    assert len(list((tmp_path / "state" / "objects").iterdir())) == 1
    for _ in range(2):
        s3.delete_object(Bucket="jobs", Key="k")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="jobs", Key="k")
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket="jobs", Key="k")
    assert code(caught) == ("404", 404)
    assert list((tmp_path / "state" / "objects").iterdir()) == []


def test_list_is_in_order_by_prefix_and_in_pages(s3: Any) -> None:
    """Every key with the prefix comes once, in byte order, however small the pages."""
    keys = sorted(f"jobs/{i}/é &<{i % 3}" for i in range(25))
    for key in [*keys, "jobs", "jobz/1"]:
        s3.put_object(Bucket="jobs", Key=key, Body=b"xyz")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="jobs", Prefix="jobs/", PaginationConfig={"PageSize": 10}
    )
    found = [each for page in pages for each in page["Contents"]]
    assert [each["Key"] for each in found] == keys
    assert {each["Size"] for each in found} == {3}
    assert s3.list_objects_v2(Bucket="jobs", Prefix="none")["KeyCount"] == 0


def test_buckets_must_exist_and_may_be_created_twice(s3: Any) -> None:
    """An unknown bucket is 404 on every call, and creating a known one changes nothing."""
    s3.put_object(Bucket="jobs", Key="k", Body=b"x")
    s3.create_bucket(Bucket="jobs")
    s3.head_bucket(Bucket="jobs")
    assert s3.list_objects_v2(Bucket="jobs")["KeyCount"] == 1
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="none", Key="k", Body=b"x")
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="none")
    assert code(caught) == ("404", 404)


def test_request_signed_with_another_key_is_refused(url: str, s3: Any) -> None:
    """Only the known secret key opens anything; no signature is no access."""
    stranger = boto3.client("s3", **options(url) | {"aws_secret_access_key": "another"})
    with pytest.raises(ClientError) as caught:
        stranger.put_object(Bucket="jobs", Key="k", Body=b"x")
    assert code(caught) == ("SignatureDoesNotMatch", 403)
    answer = httpx.get(f"{url}/jobs/k")
    assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)


def chunked(url: str, body: bytes, trailer: str) -> httpx.Response:
    """PUT as SDKs do over TLS: unsigned chunks, and the checksum in a trailer."""
    content = b"5\r\n" + body[:5] + b"\r\n" + f"{len(body) - 5:x}\r\n".encode() + body[5:]
    content += f"\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()
    headers = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": str(len(body)),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    request = AWSRequest("PUT", f"{url}/jobs/k", headers=headers, data=content)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials("an-access-key", SECRET_KEY), "s3", "us-east-1").add_auth(request)
    sent = request.prepare()
    return httpx.put(sent.url, headers=dict(sent.headers), content=content)


def test_chunked_upload_is_unpacked_and_its_trailer_checked(url: str, s3: Any) -> None:
    """The object is the data without its framing; a wrong checksum stores nothing."""
    assert chunked(url, b"hello, chunks", "AAAAAA==").status_code == 400
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="jobs", Key="k")
    assert chunked(url, b"hello, chunks", "7lHRTg==").status_code == 200
    got = s3.get_object(Bucket="jobs", Key="k")
    assert got["Body"].read() == b"hello, chunks"
    assert "ContentEncoding" not in got


def test_corrupted_object_is_noticed_by_the_client(s3: Any, tmp_path: Path) -> None:
    """The checksum of the upload goes back with the download, where boto3 verifies it."""
    s3.put_object(Bucket="jobs", Key="k", Body=b"good")
    (file,) = (tmp_path / "state" / "objects").iterdir()
    file.write_bytes(b"evil")
    with pytest.raises(FlexibleChecksumError):
        s3.get_object(Bucket="jobs", Key="k")["Body"].read()


def test_what_is_not_emulated_is_refused_by_name(s3: Any) -> None:
    """Calls, parameters and headers beyond the emulated ones are a 501 that names them."""
    s3.put_object(Bucket="jobs", Key="k", Body=b"x")
    for call, given, named in [
        (s3.copy_object, {"Key": "c", "CopySource": "jobs/k"}, "x-amz-copy-source"),
        (s3.get_object, {"Key": "k", "Range": "bytes=0-1"}, "range"),
        (s3.get_object_tagging, {"Key": "k"}, "tagging"),
        (s3.list_objects, {}, "ListObjectsV2"),
        (s3.delete_bucket, {}, "DELETE /jobs"),
    ]:
        with pytest.raises(ClientError, match=named) as caught:
            call(Bucket="jobs", **given)
        assert code(caught) == ("NotImplemented", 501)


def test_planned_fault_fails_one_call(url: str, s3: Any) -> None:
    """A store that is down for one request works at the next."""
    plan = {"PutObject": {"error": "SlowDown", "message": "Reduce your request rate."}}
    httpx.post(f"{url}/_local/faults", json=plan).raise_for_status()
    with pytest.raises(ClientError, match="SlowDown"):
        s3.put_object(Bucket="jobs", Key="k", Body=b"x")
    s3.put_object(Bucket="jobs", Key="k", Body=b"x")


def test_objects_survive_a_killed_process(tmp_path: Path) -> None:
    """What was accepted is there after kill -9."""
    arguments = ("--state", str(tmp_path), "--secret-key", SECRET_KEY)
    with process("local.s3", *arguments) as (url, emulator):
        client(url).create_bucket(Bucket="jobs")
        client(url).put_object(Bucket="jobs", Key="k", Body=b"kept")
        emulator.kill()
        emulator.wait()
    with process("local.s3", *arguments) as (url, _):
        assert client(url).get_object(Bucket="jobs", Key="k")["Body"].read() == b"kept"
