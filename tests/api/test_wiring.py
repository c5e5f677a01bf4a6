import boto3
import pytest

from soulcaster import wiring
from soulcaster.edges import secrets as edge
from tests.edges.test_secrets import Clock
from tests.local.emulated import options

NAME = "UPSTASH_REDIS_REST_TOKEN_ARN"


def test_an_edge_is_made_once_for_each_credential(
    secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as long as its secret is, and made again soon after that was replaced."""
    clock = Clock()
    monkeypatch.setattr(edge, "time", clock)
    manager = boto3.client("secretsmanager", **options(secrets["AWS_ENDPOINT_URL"]))
    arn = manager.create_secret(Name="rotated", SecretString="old")["ARN"]
    monkeypatch.setenv(NAME, arn)
    first = wiring.redis()
    manager.put_secret_value(SecretId=arn, SecretString="new")
    assert wiring.redis() is first
    clock.now = edge.KEPT_SECONDS
    second = wiring.redis()
    assert second is not first
    assert wiring.redis() is second


def test_queues_are_told_apart() -> None:
    """Each variable has a queue of its own."""
    fix, cluster = wiring.queue("FIX_QUEUE_URL"), wiring.queue("CLUSTER_QUEUE_URL")
    assert fix is not cluster
    assert wiring.queue("FIX_QUEUE_URL") is fix
