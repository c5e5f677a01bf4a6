"""The whole product on real emulators: the template's functions, each call of theirs on a wire."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import batched
from pathlib import Path
from typing import Any

import boto3
import certifi
import httpx

from local import credentials
from local.credentials import Credentials
from local.dashboard import Person
from local.lambdas import Places, Stack, http_event, load, provision, schedules, sqs_event
from local.lambdas import Result as Delivered
from local.lambdas.http_event import Request, Response
from local.lambdas.routes import Router
from local.lambdas.workers import environment
from local.parameters import REGION, Services, dashboard, platform
from local.serve import running
from soulcaster.rules.job import LONGEST_PAUSE_SECONDS
from tests.support import emulators, wire
from tests.support.emulators import Clock, Emulators
from tests.support.instance import Instance, Result
from tests.support.people import ADA
from tests.support.tap import Tap

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:1"
FAILED = Response(500, [], b'{"message": "Internal Server Error"}')


@dataclass(repr=False)
class World:
    """``direct`` reaches the emulators past the wires, for arranging and for looking.

    ``queue_clock`` is what queues take for the time. ``kept`` is for scenarios to remember in.
    """

    folder: Path
    credentials: Credentials
    direct: Emulators
    wires: Emulators
    tap: Tap
    stack: Stack
    platform: Mapping[str, str]
    secrets: Mapping[str, str]
    queue_clock: Clock
    kept: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    _idle: dict[str, Instance] = field(default_factory=dict)
    _cold: bool = False

    def close(self) -> None:
        """End the instances."""
        for instance in self._idle.values():
            instance.end()

    # Functions

    @property
    def log(self) -> Path:
        """What the functions write."""
        return self.folder / "functions.log"

    def instance(self, function: str) -> Instance:
        """A new process of the function with that logical id."""
        found = self.stack.functions[function]
        # There is no runtime API to speak to; the harness calls the handler itself.
        whole = environment(found, self.platform, "none")
        return Instance(found, {**whole, "SSL_CERT_FILE": str(self._authority)}, self.log)

    @cached_property
    def _authority(self) -> Path:
        """One of the authorities that clients trust. Nothing here speaks TLS, and to read all of
        them is most of a cold start.
        """
        end = "-----END CERTIFICATE-----\n"
        one = self.folder / "authority.pem"
        one.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
        return one

    def invoke(
        self, function: str, event: Any, *, instance: Instance | None = None, ahead_ms: int = 0
    ) -> Result:
        """One invocation: by ``instance``, else by the idle one that there may be."""
        if instance is None:
            instance = None if self._cold else self._idle.pop(function, None)
            instance = instance or self.instance(function)
            result = self.invoke(function, event, instance=instance, ahead_ms=ahead_ms)
            if self._cold or not instance.alive:
                instance.end()
            else:
                self._idle[function] = instance
            return result
        self.tap.watch(instance.pid)
        return instance.invoke(event, ahead_ms)

    @contextmanager
    def cold(self) -> Iterator[None]:
        """In this block every invocation is an instance's first, and its last."""
        self._cold = True
        try:
            yield
        finally:
            self._cold = False

    def tick(self, function: str, *, ahead_ms: int = 0) -> Result:
        """What the function's schedule does."""
        return self.invoke(function, self.scheduled(function), ahead_ms=ahead_ms)

    def scheduled(self, function: str) -> Any:
        """A new event of the function's schedule."""
        (schedule,) = [each for each in self.stack.schedules if each.function == function]
        return schedules.event(schedule, self.stack.places, datetime.now(UTC))

    # The public door

    def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        instance: Instance | None = None,
    ) -> Response:
        """A request to the HTTP API; a function that fails is a 500, as at the vendor's."""
        path, _, query = target.partition("?")
        given = {"host": "api.test", **(headers or {})}
        request = Request(method, path, query, given.items(), body, "127.0.0.1")
        found = Router(self.stack.routes).find(method, path)
        assert found is not None, f"no route for {method} {path}"
        route, variables = found
        event = http_event.event(request, route, variables, self.stack.places, "none")
        result = self.invoke(route.function, event, instance=instance)
        return http_event.response(result.payload) if result.error is None else FAILED

    def api(
        self, method: str, target: str, body: Any = None, *, instance: Instance | None = None
    ) -> Response:
        """A request to the product's API by somebody who owns the installation."""
        headers = {"authorization": f"Bearer {self.token()}"}
        raw = b"" if body is None else json.dumps(body).encode()
        if raw:
            headers["content-type"] = "application/json"
        return self.request(method, target, body=raw, headers=headers, instance=instance)

    def token(self, person: Person = ADA) -> str:
        """What the dashboard makes for a person."""
        audience = self.stack.functions["ApiFunction"].environment["API_AUDIENCE"]
        return dashboard(self.credentials).token(person, audience)

    def made(self, method: str, target: str, body: Any = None) -> Any:
        """What the API answers to a request that has to succeed."""
        answer = self.api(method, target, body)
        assert answer.status < 300, answer
        return json.loads(answer.body)

    # Queues

    @cached_property
    def http(self) -> httpx.Client:
        """A client of anything; making one takes as long as ten requests."""
        return httpx.Client()

    @cached_property
    def sqs(self) -> Any:
        """A client of the queues, past the wire."""
        return self._client("sqs", self.direct.sqs)

    @cached_property
    def ecs(self) -> Any:
        """A client of the tasks, past the wire."""
        return self._client("ecs", self.direct.ecs)

    @cached_property
    def s3(self) -> Any:
        """A client of the bucket, past the wire."""
        return self._client("s3", self.direct.s3)

    def _client(self, service: Any, url: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key=self.credentials.aws_secret,
        )

    def send(self, queue: str, *bodies: str) -> None:
        """Put messages on the queue with that logical id."""
        url = self.stack.queues[queue].url
        for part in batched(bodies, 10, strict=False):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(part)]
            self.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def deliver(self, queue: str, *, instance: Instance | None = None) -> "Delivery | None":
        """Give one batch to the queue's consumer; None when the queue is empty.

        All messages are visible: those that an earlier delivery did not get rid of, as the queue's
        visibility timeout has passed, and those that were held back, as that has passed too.
        """
        source = self.stack.queues[queue]
        (mapping,) = [each for each in self.stack.sqs_mappings if each.queue == queue]
        self.queue_clock.ahead += max(source.visibility, LONGEST_PAUSE_SECONDS) + 1
        client = self.sqs
        messages = client.receive_message(
            QueueUrl=source.url,
            MaxNumberOfMessages=mapping.batch_size,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return None
        event = sqs_event.event(messages, source.arn)
        result = self.invoke(mapping.function, event, instance=instance)
        outcome = Delivered(result.payload, result.error, cold=False, init_ms=0, duration_ms=0)
        done = sqs_event.done(messages, outcome, mapping.report_failures)
        if done:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(done)
            ]
            client.delete_message_batch(QueueUrl=source.url, Entries=entries)
        return Delivery(messages, result, [m for m in messages if m not in done])

    def drain(self, queue: str) -> None:
        """Deliver until the queue is empty; every message has to be done with."""
        while delivery := self.deliver(queue):
            assert not delivery.failed, delivery.result


@dataclass(frozen=True)
class Delivery:
    """A batch of messages, what the consumer answered, and what it did not get done."""

    messages: list[Any]
    result: Result
    failed: list[Any]


@contextmanager
def started(folder: Path, model: Path) -> Iterator[World]:
    """The product on emulators of its own, with its state below ``folder``.

    ``model`` is where the encoder's file is kept from one run to the next.
    """
    clock, tap, made = Clock(), Tap(), credentials.load(folder)
    with ExitStack() as stack:
        direct = stack.enter_context(emulators.started(folder, model, made, clock))
        wires = Emulators(
            **{
                name: stack.enter_context(running(wire.app(url, name, tap)))
                for name, url in direct.named().items()
            }
        )
        world = _deployed(folder, made, direct, wires, tap, clock)
        try:
            yield world
        finally:
            world.close()


def _deployed(
    folder: Path, made: Credentials, direct: Emulators, wires: Emulators, tap: Tap, clock: Clock
) -> World:
    """The world after a deployment: queues, the bucket and secrets are there."""
    session = boto3.Session("test", made.aws_secret, region_name=REGION)
    manager = session.client("secretsmanager", endpoint_url=direct.moto)
    # The model is nobody's here: a task only lasts.
    addresses = {**wires.named(), "model": NOWHERE}
    services = Services({})
    arns = {
        name: manager.create_secret(Name=name, SecretString=value)["ARN"]
        for name, value in services.secrets(made).items()
    }
    parameters = services.parameters(addresses.__getitem__, arns, made)
    stack = load(ROOT / "template.yaml", parameters, Places(NOWHERE, wires.sqs))
    provision.queues(stack, session.client("sqs", endpoint_url=wires.sqs))
    for bucket in stack.buckets:
        provision.bucket(bucket, session.client("s3", endpoint_url=direct.s3))
    values = provision.secret_values(stack.secrets, folder / "secrets.json")
    for secret in stack.secrets:
        provision.secret(secret, values[secret.id], manager)
    return World(
        folder=folder,
        credentials=made,
        direct=direct,
        wires=wires,
        tap=tap,
        stack=stack,
        platform=platform(addresses.__getitem__, made),
        secrets=values,
        queue_clock=clock,
    )
