"""S3 on files: path-style buckets and objects, with signatures that are really verified."""

from local.s3.server import app

__all__ = ["app"]
