"""The body of a PUT: unpacked from ``aws-chunked`` and compared with its checksums."""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Callable, Iterator, Mapping

from starlette.requests import Request

from local.aws import AwsError, NotEmulatedError
from local.s3.sigv4 import UNSIGNED

_CHUNKED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "x-amz-checksum-crc32": lambda data: zlib.crc32(data).to_bytes(4),
    "x-amz-checksum-sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda data: hashlib.sha256(data).digest(),
    "content-md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
}


async def content(request: Request, payload: str) -> tuple[bytes, dict[str, str]]:
    """The object's bytes and its ``x-amz-checksum-*`` headers, all of them verified.

    ``payload`` is the hash that the request's signature vouches for.
    """
    data = await request.body()
    given: dict[str, str] = dict(request.headers)
    if payload == _CHUNKED:
        data, trailers = _unpacked(data)
        given |= trailers
        if str(len(data)) != request.headers.get("x-amz-decoded-content-length"):
            raise AwsError("IncompleteBody", "The body has another length than was announced.")
    elif payload.startswith("STREAMING-"):
        raise NotEmulatedError(f"the payload signing {payload}")
    elif payload != UNSIGNED and not hmac.compare_digest(hashlib.sha256(data).hexdigest(), payload):
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    return data, _verified(data, given)


def _verified(data: bytes, given: Mapping[str, str]) -> dict[str, str]:
    checksums = {
        name: value
        for name, value in given.items()
        if name.startswith("x-amz-checksum-") or name == "content-md5"
    }
    for name, value in checksums.items():
        if name not in _DIGESTS:
            raise NotEmulatedError(name)
        if base64.b64encode(_DIGESTS[name](data)).decode() != value:
            raise AwsError("BadDigest", f"The {name} you specified did not match the content.")
    return {name: value for name, value in checksums.items() if name != "content-md5"}


def _unpacked(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The data and the trailing headers of an ``aws-chunked`` body with unsigned chunks."""
    try:
        *chunks, trailers = _chunks(body)
    except ValueError as error:
        raise AwsError("IncompleteBody", "The body is not well-formed aws-chunked.") from error
    pairs = (line.partition(":") for line in trailers.decode("latin-1").split("\r\n") if line)
    return b"".join(chunks), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _chunks(body: bytes) -> Iterator[bytes]:
    """The data of each chunk, then whatever follows the empty one; ValueError if malformed."""
    at = 0
    while True:
        start = body.index(b"\r\n", at) + 2
        size = int(body[at : start - 2], 16)
        if size == 0:
            yield body[start:]
            return
        at = start + size + 2
        if body[at - 2 : at] != b"\r\n":
            raise ValueError(size)
        yield body[start : at - 2]
