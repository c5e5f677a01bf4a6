"""The real emulators, each in a thread of its own, with the credentials they let in."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, fields
from pathlib import Path

from moto.server import ThreadedMotoServer
from starlette.applications import Starlette

from local import ecs, gemini, reddit, redis_rest, s3, sqs, vector
from local.credentials import Credentials
from local.embedder import Embedder
from local.github.app import app as github
from local.github.auth import Keys
from local.parameters import DIMENSIONS
from local.reddit_posts import Posts
from local.serve import running

# What a task of the template's definition runs here; it says nothing and lasts.
TASK = {"soulcaster-agent": {"containers": {"agent": {"command": ["sleep", "infinity"]}}}}


@dataclass(frozen=True)
class Emulators:
    """The address of each, without a slash; ``moto`` is Secrets Manager."""

    redis: str
    vector: str
    gemini: str
    sqs: str
    s3: str
    ecs: str
    github: str
    reddit: str
    moto: str

    def named(self) -> dict[str, str]:
        """Address by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Clock:
    """Time that a test moves by hand, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        """The present, as far ahead as the test says."""
        return time.time() + self.ahead


@contextmanager
def started(
    folder: Path, model: Path, made: Credentials, queue_clock: Clock
) -> Iterator[Emulators]:
    """All of them, with their state below ``folder``, letting in what has been ``made``.

    ``model`` keeps the encoder's file. Queues tell the time by ``queue_clock``.
    """
    public = (folder / "github-app.pub.pem").read_text()
    keys = Keys("1", "soulcaster", 1, public, made.person, "maintainer")
    posts = Posts(folder / "reddit")
    with ExitStack() as stack:

        def run(app: Starlette) -> str:
            return stack.enter_context(running(app))

        yield Emulators(
            redis=stack.enter_context(redis_rest.started(folder, made.redis)),
            vector=run(vector.app(folder, made.vector, DIMENSIONS)),
            gemini=run(gemini.app(Embedder(model), made.gemini)),
            sqs=run(sqs.app(folder / "sqs", clock=queue_clock)),
            s3=run(s3.app(folder / "s3", made.aws_secret)),
            ecs=run(ecs.app(folder / "ecs", TASK, grace=0.2)),
            github=run(github(folder / "github", keys)),
            reddit=run(reddit.app(posts, made.reddit_id, made.reddit_secret)),
            moto=stack.enter_context(_secrets_manager()),
        )


@contextmanager
def _secrets_manager() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0)
    with redirect_stdout(sys.stderr):  # where it says that it starts
        server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
