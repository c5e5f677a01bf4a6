"""The whole record of a job: addresses that give what its attempts uploaded, and nothing else."""

from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from soulcaster import wiring
from soulcaster.edges.redis import Redis
from soulcaster.rules.job import OBJECTS, object_key
from soulcaster.rules.project import Project
from tests.api.fixing import asked, lost, reach
from tests.api.test_following import FOREIGN
from tests.edges.clusters import clustered
from tests.rules.samples import feedback


@pytest.fixture
def job(redis: Redis, larder: Project) -> str:
    return asked(redis, clustered(redis, feedback(), name="Export"))


def uploaded(job: str, attempt: int, name: str) -> bytes:
    """Upload as a task does, to an address that the claim gives it; returns what."""
    content = f"{name} of {attempt} of {job}\n".encode()
    address = wiring.bucket().upload_url(object_key(job, attempt, name), 60)
    httpx.put(address, content=content).raise_for_status()
    return content


def record(api: TestClient, job: str) -> Any:
    answer = api.get(f"/jobs/{job}/record")
    assert answer.status_code == 200
    return answer.json()


def test_the_record_is_all_that_was_uploaded(api: TestClient, redis: Redis, job: str) -> None:
    """The job as it is shown, and of each attempt every object byte for byte, without a key."""
    reach(redis, job, "running")
    lost(redis, job, 1)
    reach(redis, job, "publishing", attempt=2)
    sent = {(n, name): uploaded(job, n, name) for n in (1, 2) for name in OBJECTS}
    found = record(api, job)
    assert found["job"] == api.get(f"/jobs/{job}").json()
    assert [each["attempt"] for each in found["attempts"]] == [1, 2]
    for each in found["attempts"]:
        assert set(each["files"]) == set(OBJECTS)
        for name, address in each["files"].items():
            got = httpx.get(address)
            assert (got.status_code, got.content) == (200, sent[each["attempt"], name])


def test_what_was_not_uploaded_is_not_there(api: TestClient, job: str) -> None:
    """Of a job that has just been asked for there is nothing yet, and no address says otherwise."""
    (attempt,) = record(api, job)["attempts"]
    for address in attempt["files"].values():
        assert httpx.get(address).status_code in (403, 404)


def test_an_address_opens_nothing_else(api: TestClient, redis: Redis, job: str) -> None:
    """Not another object, attempt or job, not for longer, not without its signature, and
    nothing can be written or deleted with it.
    """
    reach(redis, job, "running")
    lost(redis, job, 1)
    other = f"{job[:-1]}{'0' if job[-1] != '0' else '1'}"
    for attempt in (1, 2):
        uploaded(job, attempt, "patch")
        uploaded(job, attempt, "log")
    uploaded(other, 1, "patch")
    address = record(api, job)["attempts"][0]["files"]["patch"]
    assert "X-Amz-Expires=900&" in address
    for old, new in (
        ("/1/patch", "/1/log"),
        ("/1/patch", "/2/patch"),
        (job, other),
        ("X-Amz-Expires=900", "X-Amz-Expires=9000"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Signature=", "X-Amz-Other="),
        (address[address.index("?") :], ""),
    ):
        changed = address.replace(old, new)
        assert changed != address
        answer = httpx.get(changed)
        assert answer.is_client_error, new
        assert b" of " not in answer.content
    assert httpx.put(address, content=b"x").status_code == 403
    assert httpx.delete(address).status_code == 403
    assert httpx.get(address).content == f"patch of 1 of {job}\n".encode()


@pytest.mark.parametrize("wanted", FOREIGN)
def test_what_is_not_there_has_no_record(api: TestClient, job: str, wanted: str) -> None:
    """404 and no address, for what is not there and for what is no job."""
    answer = api.get(f"/jobs/{wanted}/record")
    assert answer.status_code == 404
    assert "X-Amz" not in answer.text
