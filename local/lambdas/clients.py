"""The runner's own AWS clients, on the addresses that the functions get."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECTIONS = 64


class Clients:
    """Makes a client of each service, at its address in the platform's environment."""

    def __init__(self, platform: Mapping[str, str], region: str = "us-east-1") -> None:
        self._platform = platform
        self._session = Session(
            aws_access_key_id=platform.get("AWS_ACCESS_KEY_ID", "local"),
            aws_secret_access_key=platform.get("AWS_SECRET_ACCESS_KEY", "local"),
            region_name=region,
        )
        self._config = Config(max_pool_connections=CONNECTIONS, s3={"addressing_style": "path"})

    def endpoint(self, service: str) -> str:
        """A service's address, without a trailing slash; KeyError when none is given."""
        own = self._platform.get(f"AWS_ENDPOINT_URL_{service}")
        return (own or self._platform["AWS_ENDPOINT_URL"]).rstrip("/")

    def sqs(self) -> "SQSClient":
        return self._session.client("sqs", endpoint_url=self.endpoint("SQS"), config=self._config)

    def s3(self) -> "S3Client":
        return self._session.client("s3", endpoint_url=self.endpoint("S3"), config=self._config)

    def secrets_manager(self) -> "SecretsManagerClient":
        return self._session.client(
            "secretsmanager", endpoint_url=self.endpoint("SECRETS_MANAGER"), config=self._config
        )
