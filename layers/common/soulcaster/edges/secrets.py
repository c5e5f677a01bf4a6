"""Secrets Manager."""

import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

KEPT_SECONDS = 300


class Secrets:
    """Reads secrets by ARN and keeps each for five minutes, so that a rotation gets through."""

    def __init__(self) -> None:
        self._client = boto3.client(
            "secretsmanager",
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3}),
        )
        self._kept: dict[str, tuple[float, str]] = {}

    def read(self, arn: str) -> str:
        """The secret's text; what was read last while Secrets Manager fails, else its error."""
        kept = self._kept.get(arn)
        if kept and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        try:
            value = self._client.get_secret_value(SecretId=arn)["SecretString"]
        except (BotoCoreError, ClientError):
            if kept is None:
                raise
            value = kept[1]
        self._kept[arn] = (time.monotonic(), value)
        return value
