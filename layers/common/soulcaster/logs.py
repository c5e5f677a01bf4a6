"""Structured logs."""

from aws_lambda_powertools import Logger


def logger() -> Logger:
    """The logger of everything below ``soulcaster``, as JSON lines on standard output."""
    return Logger(service="soulcaster")
