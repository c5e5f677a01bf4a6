"""Calls about queues: create, find, read and change them, and move dead letters back."""

import re
import sqlite3

from starlette.requests import Request

from local.aws import ACCOUNT, Args, Result
from local.sqs import queue as rules
from local.sqs.account import Account
from local.sqs.errors import invalid, refusal, required, within
from local.sqs.queue import Queue

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class QueueCalls:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.store

    async def create(self, args: Args, request: Request) -> Result:
        name, given = required(args, "QueueName"), rules.checked(args.get("Attributes") or {})
        if not _NAME.fullmatch(name):
            raise invalid(name, "QueueName", "1 to 80 letters, digits, - and _ (no FIFO here).")
        queue = self._store.find(name)
        if queue is None:
            self._check_target(given)
            self._store.create(name, given, self._account.now())
        else:
            present = queue.shown(self._account.region)
            for attribute, value in given.items():
                if not rules.same(attribute, present.get(attribute), value):
                    raise refusal(
                        "QueueNameExists",
                        "A queue already exists with the same name and a different value for "
                        f"attribute {attribute}",
                    )
        return {"QueueUrl": _url(request, name)}

    def _check_target(self, attributes: dict[str, str]) -> None:
        policy = attributes.get("RedrivePolicy")
        if policy and self._store.find(rules.parse_redrive(policy).target) is None:
            raise invalid(policy, "RedrivePolicy", "Dead letter target does not exist.")

    async def url(self, args: Args, request: Request) -> Result:
        queue = self._account.named(required(args, "QueueName"))
        return {"QueueUrl": _url(request, queue.name)}

    async def list(self, args: Args, request: Request) -> Result:
        queues = self._store.queues(args.get("QueueNamePrefix") or "")
        return {"QueueUrls": [_url(request, queue.name) for queue in queues]} if queues else {}

    async def attributes(self, args: Args, _: Request) -> Result:
        queue, now = self._account.queue(args), self._account.now()
        wanted = set(args.get("AttributeNames") or ())
        if wanted - rules.READABLE:
            raise refusal("InvalidAttributeName", f"Unknown Attribute {wanted - rules.READABLE}.")
        self._store.expire(queue, now)
        counts = zip(rules.COUNTED, map(str, self._store.counts(queue, now)), strict=True)
        shown = queue.shown(self._account.region) | dict(counts)
        if "All" not in wanted:
            shown = {name: value for name, value in shown.items() if name in wanted}
        return {"Attributes": shown} if shown else {}

    async def set_attributes(self, args: Args, _: Request) -> Result:
        queue, given = self._account.queue(args), rules.checked(required(args, "Attributes"))
        self._check_target(given)
        self._store.change(queue, given, self._account.now())
        self._account.wake(queue)
        return {}

    async def purge(self, args: Args, _: Request) -> Result:
        self._store.purge(self._account.queue(args))
        return {}

    async def start_move(self, args: Args, _: Request) -> Result:
        """Move all visible messages at once; those that name no source queue stay."""
        source, now = self._move_source(args), self._account.now()
        policies = [queue.redrive for queue in self._store.queues()]
        if not any(policy and policy.target == source.name for policy in policies):
            reason = "Source queue must be configured as a Dead Letter Queue."
            raise invalid(args["SourceArn"], "SourceArn", reason)
        chosen = args.get("DestinationArn")
        if chosen and self._store.find(rules.name_in(chosen)) is None:
            raise refusal("ResourceNotFoundException", "The DestinationArn doesn't exist.")
        with self._store.transaction():
            targets = [
                (row, self._store.find(rules.name_in(chosen or origin or "")))
                for row, origin in self._store.waiting_for_move(source, now)
            ]
            moves = [(row, target) for row, target in targets if target]
            self._store.move(moves, now)
            task = self._store.record_move(args["SourceArn"], chosen, len(moves), now)
        for queue in {target.id: target for _, target in moves}.values():
            self._account.wake(queue)
        return {"TaskHandle": f"local-move-{task}"}

    async def list_moves(self, args: Args, _: Request) -> Result:
        self._move_source(args)
        found = self._store.moves(args["SourceArn"], within(args, "MaxResults", 1, 1, 10))
        return {"Results": [_shown_move(row) for row in found]}

    def _move_source(self, args: Args) -> Queue:
        source = self._store.find(rules.name_in(required(args, "SourceArn")))
        if source is None or self._account.arn(source) != args["SourceArn"]:
            raise refusal(
                "ResourceNotFoundException",
                "The resource that you specified for the SourceArn parameter doesn't exist.",
            )
        return source


def _shown_move(row: sqlite3.Row) -> Result:
    destination = {"DestinationArn": row["destination"]} if row["destination"] else {}
    return destination | {
        "Status": "COMPLETED",
        "SourceArn": row["source"],
        "ApproximateNumberOfMessagesMoved": row["moved"],
        "ApproximateNumberOfMessagesToMove": row["moved"],
        "StartedTimestamp": row["started"],
    }


def _url(request: Request, name: str) -> str:
    return f"{request.base_url}{ACCOUNT}/{name}"
