import boto3
import pytest
from botocore.exceptions import ClientError

from soulcaster.edges import secrets as edge
from soulcaster.edges.secrets import KEPT_SECONDS, Secrets
from tests.local.emulated import options


class Clock:
    """Time that a test moves by hand, in seconds."""

    now = 0.0

    def monotonic(self) -> float:
        """The time that the test says."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(edge, "time", made)
    return made


@pytest.fixture
def secrets(secrets_url: str, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    monkeypatch.setenv("AWS_ENDPOINT_URL", secrets_url)
    return Secrets()


def test_a_secret_is_kept_and_replaced(secrets_url: str, secrets: Secrets, clock: Clock) -> None:
    """It is read once in five minutes, so a rotation gets through."""
    manager = boto3.client("secretsmanager", **options(secrets_url))
    arn = manager.create_secret(Name="replaced", SecretString="old")["ARN"]
    assert secrets.read(arn) == "old"
    manager.put_secret_value(SecretId=arn, SecretString="new")
    clock.now = KEPT_SECONDS - 1
    assert secrets.read(arn) == "old"
    clock.now = KEPT_SECONDS
    assert secrets.read(arn) == "new"


def test_the_last_value_serves_while_none_is_had(
    secrets_url: str, secrets: Secrets, clock: Clock
) -> None:
    """An outage of Secrets Manager stops nobody who has read a secret before."""
    manager = boto3.client("secretsmanager", **options(secrets_url))
    arn = manager.create_secret(Name="gone", SecretString="value")["ARN"]
    assert secrets.read(arn) == "value"
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    clock.now = 2 * KEPT_SECONDS
    assert secrets.read(arn) == "value"
    with pytest.raises(ClientError):
        Secrets().read(arn)
