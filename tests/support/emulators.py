"""The real emulators, each in a thread of its own, with the credentials they let in."""

import functools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.server import ThreadedMotoServer

from local import ecs, gemini, reddit, redis_rest, s3, sqs, vector
from local.cloud import DIMENSIONS
from local.embedder import Embedder
from local.github.app import app as github
from local.github.auth import Keys
from local.reddit_posts import Posts
from local.serve import running

REDIS_TOKEN, VECTOR_TOKEN, GEMINI_KEY = "redis-token", "vector-token", "gemini-key"
AWS_SECRET, PERSON_TOKEN, MODEL_KEY = "aws-secret", "a-person's-token", "model-key"
REDDIT_APP = {"client_id": "reddit-id", "client_secret": "reddit-secret"}
APP_ID = "77"
# What a task of the template's definition runs here; it says nothing and lasts.
TASK = {"soulcaster-agent": {"containers": {"agent": {"command": ["sleep", "infinity"]}}}}


@dataclass(frozen=True)
class Emulators:
    """The address of each, without a slash. ``secrets`` is Secrets Manager."""

    redis: str
    vector: str
    gemini: str
    sqs: str
    s3: str
    ecs: str
    github: str
    reddit: str
    secrets: str

    def named(self) -> dict[str, str]:
        """Address by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Clock:
    """Time that a test moves by hand, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        """The present, as far ahead as the test says."""
        return time.time() + self.ahead


@functools.cache
def key_pair() -> tuple[str, str]:
    """The GitHub App's private key and its public one, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@contextmanager
def started(folder: Path, model: Path, queue_clock: Clock) -> Iterator[Emulators]:
    """All of them, with their state below ``folder``; ``model`` keeps the encoder's file.

    Queues tell the time by ``queue_clock``.
    """
    keys = Keys(APP_ID, "soulcaster", 501, key_pair()[1], PERSON_TOKEN, "maintainer")
    posts = Posts(folder / "reddit")
    with ExitStack() as stack:
        yield Emulators(
            redis=stack.enter_context(redis_rest.started(folder, REDIS_TOKEN)),
            vector=stack.enter_context(running(vector.app(folder, VECTOR_TOKEN, DIMENSIONS))),
            gemini=stack.enter_context(running(gemini.app(Embedder(model), GEMINI_KEY))),
            sqs=stack.enter_context(running(sqs.app(folder / "sqs", clock=queue_clock))),
            s3=stack.enter_context(running(s3.app(folder / "s3", AWS_SECRET))),
            ecs=stack.enter_context(running(ecs.app(folder / "ecs", TASK, grace=0.2))),
            github=stack.enter_context(running(github(folder / "github", keys))),
            reddit=stack.enter_context(running(reddit.app(posts, *REDDIT_APP.values()))),
            secrets=stack.enter_context(_secrets_manager()),
        )


@contextmanager
def _secrets_manager() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
