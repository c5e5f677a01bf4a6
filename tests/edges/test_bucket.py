from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from local import s3
from local.serve import free_port, running
from soulcaster.edges import bucket as edge
from soulcaster.edges.bucket import Bucket, BucketError, TooLarge

KEY = "jobs/job_larder_00ff/1/patch"


class Clock:
    """Time that a test moves by hand, in seconds."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time that the test says."""
        return self.now


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running(s3.app(tmp_path, "a-secret-key")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        boto3.client("s3").create_bucket(Bucket="patches")
        yield url


@pytest.fixture
def bucket(url: str) -> Bucket:
    return Bucket("patches")


def test_what_was_uploaded_is_read(bucket: Bucket) -> None:
    """A task without credentials uploads to the address, and we read what it sent."""
    reply = httpx.put(bucket.upload_url(KEY, 60), content=b'{"files": []}')
    assert reply.status_code == 200
    assert bucket.read(KEY) == b'{"files": []}'


def test_an_address_is_for_one_object(bucket: Bucket) -> None:
    """It takes a PUT of its own key; not of another, not a GET, and not with a changed date."""
    address = bucket.upload_url(KEY, 60)
    for changed in (
        address.replace("/1/patch", "/2/patch"),
        address.replace("patches", "others"),
        address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
    ):
        assert changed != address
        assert httpx.put(changed, content=b"x").status_code == 403
    assert httpx.get(address).status_code == 403
    assert bucket.read(KEY) is None


def test_an_address_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its seconds it takes nothing any more."""
    clock = Clock()
    with running(s3.app(tmp_path, "a-secret-key", clock=clock)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        address = Bucket("patches").upload_url(KEY, 60)
        clock.now = 4_000_000_000
        assert httpx.put(address, content=b"x").status_code == 403


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    """A missing object is an answer, a missing bucket an error."""
    assert bucket.read(KEY) is None
    with pytest.raises(BucketError, match="NoSuchBucket"):
        Bucket("others").read(KEY)


def test_a_large_object_is_not_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a task uploads is bounded before it is in memory."""
    monkeypatch.setattr(edge, "MAX_OBJECT_BYTES", 10)
    httpx.put(bucket.upload_url(KEY, 60), content=b"x" * 10)
    assert bucket.read(KEY) == b"x" * 10
    httpx.put(bucket.upload_url(KEY, 60), content=b"x" * 11)
    with pytest.raises(TooLarge, match="11 bytes"):
        bucket.read(KEY)


def test_a_bucket_that_fails_is_an_error(url: str, bucket: Bucket) -> None:
    """A 5xx that stays, a refusal and silence are never "not there"."""
    fault = {"GetObject": {"status": 503, "times": 2}}
    httpx.post(f"{url}/_local/faults", json=fault).raise_for_status()
    with pytest.raises(BucketError):
        bucket.read(KEY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it holds the right one
        with pytest.raises(BucketError, match="SignatureDoesNotMatch"):
            Bucket("patches").read(KEY)
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
        with pytest.raises(BucketError, match="Could not connect"):
            Bucket("patches").read(KEY)
