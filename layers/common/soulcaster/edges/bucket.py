"""S3: patches and logs of jobs, and files to import."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from botocore.response import StreamingBody

MAX_OBJECT_BYTES = 5_000_000
PIECE_BYTES = 1_000_000


class BucketError(Exception):
    """The bucket did not answer, or refused."""


class TooLarge(Exception):  # noqa: N818 - names what is
    """The object is larger than anything of ours; asking again won't help."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An object of ``size`` bytes to be read once; ``etag`` is another when it was replaced.

    ``pieces`` raises ``BucketError``.
    """

    size: int
    etag: str
    pieces: Iterator[bytes]


class Bucket:
    """One bucket."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._s3 = boto3.client(
            "s3",
            config=Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"total_max_attempts": 2},
                signature_version="s3v4",
                s3={"addressing_style": "path"},
            ),
        )

    def upload_url(self, key: str, seconds: int) -> str:
        """An address that takes PUTs of ``key`` for so many seconds."""
        return self._s3.generate_presigned_url(
            "put_object", Params={"Bucket": self._name, "Key": key}, ExpiresIn=seconds
        )

    def download_url(self, key: str, seconds: int) -> str:
        """An address that ``key`` can be read from for so many seconds; 404 if it is not there."""
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._name, "Key": key}, ExpiresIn=seconds
        )

    def read(self, key: str) -> bytes | None:
        """An object of at most 5 MB, or None for none; raises ``BucketError`` and ``TooLarge``."""
        found = self.stream(key)
        if found is None:
            return None
        if found.size > MAX_OBJECT_BYTES:
            raise TooLarge(f"{found.size} bytes")
        return b"".join(found.pieces)

    def stream(self, key: str) -> Stream | None:
        """An object of any size, or None for none; raises ``BucketError``."""
        try:
            answer = self._s3.get_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise BucketError(str(error)) from error
        except BotoCoreError as error:
            raise BucketError(str(error)) from error
        return Stream(answer["ContentLength"], answer["ETag"], _pieces(answer["Body"]))


def _pieces(body: "StreamingBody") -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(PIECE_BYTES)
    except BotoCoreError as error:
        raise BucketError(str(error)) from error
    finally:
        body.close()
