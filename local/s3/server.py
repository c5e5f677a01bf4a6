"""The S3 emulator as an application: which requests there are and their answers."""

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.aws import AwsError, Faults, NotEmulatedError, log
from local.s3.body import content
from local.s3.sigv4 import verify
from local.s3.store import Object, Store

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEPT = ("content-type", "content-disposition", "content-encoding", "cache-control")
_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"]
# Which request is which operation: (method, names an object). Another query
# parameter or header of these kinds makes it a request that is not emulated.
_OPERATIONS = {
    ("PUT", False): "CreateBucket",
    ("HEAD", False): "HeadBucket",
    ("GET", False): "ListObjectsV2",
    ("PUT", True): "PutObject",
    ("GET", True): "GetObject",
    ("HEAD", True): "HeadObject",
    ("DELETE", True): "DeleteObject",
}
_LIST_PARAMETERS = {
    "list-type",
    "prefix",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
}
_OVERRIDES = {f"response-{name}": name for name in _KEPT}
_UNKNOWN_HEADERS = {
    "range",
    "if-match",
    "if-none-match",
    "x-amz-copy-source",
    "x-amz-tagging",
    "x-amz-server-side-encryption-customer-key",
}


class S3:
    """All buckets of one account. ``clock`` gives unix seconds."""

    def __init__(
        self, store: Store, secret_key: str, faults: Faults, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._secret_key = secret_key
        self._faults = faults
        self._clock = clock
        self._answers: dict[str, Callable[[Request, str, str, str], Awaitable[Response]]] = {
            "CreateBucket": self._create_bucket,
            "HeadBucket": self._head_bucket,
            "ListObjectsV2": self._list,
            "PutObject": self._put,
            "GetObject": self._get,
            "HeadObject": self._get,
            "DeleteObject": self._delete,
        }

    async def answer(self, request: Request) -> Response:
        """Any request: refused in the vendor's XML, or answered by its operation."""
        bucket, _, key = unquote(request.scope["raw_path"].decode("latin-1"))[1:].partition("/")
        # A client that waits for "100 Continue" sends its body only if somebody reads it;
        # answered without, it would leave the connection in the middle of a request.
        await request.body()
        try:
            payload = verify(request, self._secret_key, self._clock())
            operation = _operation(request, bucket, key)

            async def run() -> Response:
                if operation != "CreateBucket":
                    self._check_bucket(bucket)
                return await self._answers[operation](request, bucket, key, payload)

            return await self._faults.guard(operation, request, run)
        except AwsError as error:
            log("s3", f"{request.method} {bucket}/{key} refused: {error.code}: {error.message}")
            return _refusal(error)

    def _check_bucket(self, bucket: str) -> None:
        if not self._store.exists(bucket):
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404)

    async def _create_bucket(self, request: Request, bucket: str, _: str, payload: str) -> Response:
        await content(request, payload)
        if not _BUCKET_NAME.fullmatch(bucket):
            raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
        self._store.create(bucket)
        return Response(headers={"location": f"/{bucket}"})

    async def _head_bucket(self, _: Request, __: str, ___: str, ____: str) -> Response:
        return Response()

    async def _put(self, request: Request, bucket: str, key: str, payload: str) -> Response:
        data, checksums = await content(request, payload)
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in _KEPT or name.startswith("x-amz-meta-")
        }
        encodings = [
            each.strip() for each in headers.pop("content-encoding", "").split(",") if each.strip()
        ]
        if kept := [each for each in encodings if each != "aws-chunked"]:
            headers["content-encoding"] = ",".join(kept)
        headers.setdefault("content-type", "binary/octet-stream")
        self._store.put(bucket, key, data, etag, headers | checksums, int(self._clock()))
        return Response(headers={"etag": etag, **checksums})

    async def _get(self, request: Request, bucket: str, key: str, _: str) -> Response:
        found = self._store.find(bucket, key)
        if found is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
        with_checksums = request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
        headers = {
            name: value
            for name, value in found.headers.items()
            if with_checksums or not name.startswith("x-amz-checksum-")
        }
        for parameter, name in _OVERRIDES.items():
            if parameter in request.query_params:
                headers[name] = request.query_params[parameter]
        headers["etag"] = found.etag
        headers["last-modified"] = formatdate(found.modified, usegmt=True)
        if request.method == "HEAD":
            return Response(headers=headers | {"content-length": str(found.size)})
        return Response(self._store.read(found), headers=headers)

    async def _delete(self, _: Request, bucket: str, key: str, __: str) -> Response:
        self._store.delete(bucket, key)
        return Response(status_code=204)

    async def _list(self, request: Request, bucket: str, _: str, __: str) -> Response:
        query = request.query_params
        given = query.get("max-keys", "1000")
        if not given.isdecimal():
            raise AwsError("InvalidArgument", "max-keys is not a number")
        limit, prefix = min(int(given), 1000), query.get("prefix", "")
        after = query.get("start-after", "")
        if token := query.get("continuation-token"):
            try:
                after = base64.urlsafe_b64decode(token).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                message = "The continuation token provided is incorrect"
                raise AwsError("InvalidArgument", message) from error
        found = self._store.list(bucket, prefix, after, limit + 1)
        more, found = len(found) > limit, found[:limit]
        fields = {"Name": bucket, "Prefix": prefix, "MaxKeys": limit, "KeyCount": len(found)}
        fields["IsTruncated"] = str(more).lower()
        if more and found:
            fields["NextContinuationToken"] = base64.urlsafe_b64encode(
                found[-1].key.encode()
            ).decode()
        url_encoded = query.get("encoding-type") == "url"
        return _xml(_listing(fields, found, url_encoded=url_encoded))


def _operation(request: Request, bucket: str, key: str) -> str:
    """The operation a request asks for, once nothing in it is more than is emulated."""
    operation = _OPERATIONS.get((request.method, bool(key))) if bucket else None
    if operation is None:
        raise NotEmulatedError(f"{request.method} {request.url.path}")
    known = set()
    if operation == "ListObjectsV2":
        known = _LIST_PARAMETERS
        if request.query_params.get("list-type") != "2":
            raise NotEmulatedError("GET of a bucket other than ListObjectsV2")
    elif operation == "GetObject":
        known = set(_OVERRIDES)
    parameters = {name for name in request.query_params if not name.startswith("X-Amz-")}
    unknown = (parameters - known - {"x-id"}) | (_UNKNOWN_HEADERS & set(request.headers))
    if unknown:
        raise NotEmulatedError(f"{operation} with {', '.join(sorted(unknown))}")
    return operation


def _listing(fields: dict[str, object], found: list[Object], *, url_encoded: bool) -> Element:
    root = Element("ListBucketResult", xmlns=_NAMESPACE)
    for name, value in fields.items():
        SubElement(root, name).text = str(value)
    if url_encoded:
        SubElement(root, "EncodingType").text = "url"
    for each in found:
        entry = SubElement(root, "Contents")
        modified = datetime.fromtimestamp(each.modified, UTC)
        SubElement(entry, "Key").text = quote(each.key) if url_encoded else each.key
        SubElement(entry, "LastModified").text = modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        SubElement(entry, "ETag").text = each.etag
        SubElement(entry, "Size").text = str(each.size)
        SubElement(entry, "StorageClass").text = "STANDARD"
    return root


def _refusal(error: AwsError) -> Response:
    root = Element("Error")
    SubElement(root, "Code").text = error.code
    SubElement(root, "Message").text = error.message
    return _xml(root, status=error.status)


def _xml(root: Element, status: int = 200) -> Response:
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, status_code=status, media_type="application/xml")


def app(state: Path, secret_key: str, *, clock: Callable[[], float] = time.time) -> Starlette:
    """The emulator on the objects in folder ``state``; ``clock`` gives unix seconds."""
    faults = Faults("s3", frozenset(_OPERATIONS.values()))
    s3 = S3(Store(state), secret_key, faults, clock)
    return Starlette(routes=[faults.route(), Route("/{path:path}", s3.answer, methods=_METHODS)])
