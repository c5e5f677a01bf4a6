"""How each kind of webhook is signed, what its true payloads are, and how one is sent."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.lambdas import http_event
from local.lambdas.http_event import Request
from local.lambdas.routes import Router
from soulcaster.edges.clock import now_ms
from soulcaster.rules import ids
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from tests.support import seeds, state
from tests.support.instance import Instance
from tests.support.world import ROOT, World

PROJECT = "larder"
REPOSITORY = "acme/larder"
PAYLOADS = ROOT / "tests/payloads"
JSON = {"content-type": "application/json"}
# Every kind that can be posted to; whoever adds one says below how it is signed.
WEBHOOKS = [name for name, kind in KINDS.items() if kind.SIGNING != "none"]
MESSAGE_ID = "msg_2u4"


@dataclass(frozen=True)
class Scheme:
    """``sign(secret, body, timestamp)`` returns headers; ``header`` has the signature.

    ``covers`` are the other headers that it signs, ``body`` whether it signs that.
    """

    header: str
    sign: Callable[[str, bytes, int], dict[str, str]]
    body: bool = True
    covers: tuple[str, ...] = ()


def _digest(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


def _sentry(secret: str, body: bytes, at: int) -> dict[str, str]:
    del at
    return {"sentry-hook-signature": _digest(secret.encode(), body).hex()}


def _github(secret: str, body: bytes, at: int) -> dict[str, str]:
    del at
    return {"x-hub-signature-256": f"sha256={_digest(secret.encode(), body).hex()}"}


def _standard(secret: str, body: bytes, at: int) -> dict[str, str]:
    signed = f"{MESSAGE_ID}.{at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(_digest(key, signed)).decode()}",
    }


def _datadog(secret: str, body: bytes, at: int) -> dict[str, str]:
    del body, at
    return {"x-soulcaster-secret": secret}


SCHEMES: Mapping[str, Scheme] = {
    "sentry": Scheme("sentry-hook-signature", _sentry),
    "github": Scheme("x-hub-signature-256", _github),
    "standard": Scheme("webhook-signature", _standard, covers=("webhook-id", "webhook-timestamp")),
    "datadog": Scheme("x-soulcaster-secret", _datadog, body=False),
}


@dataclass(frozen=True)
class Payload:
    """A true payload: what its vendor sends, unsigned, and what becomes of it."""

    kind: str
    name: str
    headers: Mapping[str, str]
    body: Any
    becomes: tuple[str, ...]

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body).encode()


def payloads(kind: str | None = None) -> list[Payload]:
    """All true payloads, or those of a kind."""
    found = []
    for file in sorted(PAYLOADS.glob(f"{kind or '*'}/*.json")):
        read = json.loads(file.read_text("utf-8"))
        headers = {name.lower(): value for name, value in read["headers"].items()}
        becomes = [read["becomes"]] if isinstance(read["becomes"], str) else read["becomes"]
        found.append(Payload(file.parent.name, file.stem, headers, read["body"], tuple(becomes)))
    return found


def one(kind: str, becomes: str) -> Payload:
    """A true payload of a kind that becomes that and nothing else."""
    return next(found for found in payloads(kind) if found.becomes == (becomes,))


def secret(kind: str, number: int = 1) -> str:
    """A secret that a source of the kind may have; the first is that of every scenario's source."""
    if number == 1 and kind in seeds.SECRETS:
        return seeds.SECRETS[kind]  # a warm receiver may remember it from another test
    key = hashlib.sha256(f"{kind} {number}".encode())
    if kind == "standard":
        return "whsec_" + base64.b64encode(key.digest()).decode()
    return key.hexdigest()


def signed(
    payload: Payload, *, body: bytes | None = None, at: int | None = None, number: int = 1
) -> dict[str, str]:
    """The headers that ``payload`` comes with, signed at ``at`` (s, else now) with a secret.

    ``body`` is what is signed in place of its own.
    """
    raw = payload.raw if body is None else body
    given = (secret(payload.kind, number), raw, now_ms() // 1000 if at is None else at)
    return {**JSON, **payload.headers, **SCHEMES[payload.kind].sign(*given)}


def source(kind: str, **fields: Any) -> Source:
    """The project's source of a kind, with its first secret unless ``fields`` say otherwise."""
    given = {"id": ids.source_id(PROJECT, kind), "project": PROJECT, "kind": kind, "name": kind}
    secrets = (secret(kind),) if kind in SCHEMES else ()
    config = {"repository": REPOSITORY} if kind == "github" else {}
    return Source(**{**given, "secrets": secrets, "config": config, **fields})


def put(world: World, *sources: Source, **settings: Any) -> None:
    """Store the project with ``settings``, and these sources; else one of every webhook kind."""
    project = Project(id=PROJECT, name="Larder", repository=REPOSITORY, **settings)
    state.redis(world, "SET", f"p:{PROJECT}:project", project.to_json())
    state.redis(world, "SADD", "sys:projects", PROJECT)
    for each in sources or map(source, WEBHOOKS):
        state.redis(world, "HSET", f"p:{PROJECT}:sources", each.id, each.to_json())


@dataclass(frozen=True)
class Answer:
    """What a sender gets to see."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


def event(world: World, kind: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """What the receiver gets of a request to the project's source of a kind."""
    path = f"/webhooks/{PROJECT}/{ids.source_id(PROJECT, kind)}"
    given = {"host": "api.test", **headers}
    found = Router(world.stack.routes).find("POST", path)
    assert found is not None
    route, variables = found
    request = Request("POST", path, "", given.items(), body, "127.0.0.1")
    return http_event.event(request, route, variables, world.stack.places, "none")


def answered(payload: Any) -> Answer:
    """What a sender gets to see of what the receiver returns."""
    made = http_event.response(payload)
    return Answer(made.status, json.loads(made.body), dict(made.headers))


def post(
    world: World,
    kind: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    instance: Instance | None = None,
    ahead_ms: int = 0,
) -> Answer:
    """Send to the project's source of a kind, by a receiver whose clock is so far ahead."""
    given = event(world, kind, body, headers)
    result = world.invoke("ReceiveFunction", given, instance=instance, ahead_ms=ahead_ms)
    assert result.error is None, result
    return answered(result.payload)


def queued(world: World) -> list[str]:
    """The different messages on the feedback queue."""
    return state._queues(world).get(world.stack.queues["FeedbackQueue"].name, [])
