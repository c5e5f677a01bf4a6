"""SQS on SQLite: the standard-queue calls Soulcaster makes, durable across a killed process."""

from local.sqs.server import app

__all__ = ["app"]
