"""Calls about messages: send, receive, hide and delete them, one by one or in batches."""

import re
from collections.abc import Callable

from starlette.requests import Request

from local.aws import Args, AwsError, NotEmulatedError, Result
from local.sqs import message as wire
from local.sqs.account import Account
from local.sqs.errors import invalid, refusal, required, within
from local.sqs.queue import MAX_BYTES, MAX_VISIBILITY, Queue

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class MessageCalls:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.store

    async def send(self, args: Args, _: Request) -> Result:
        queue = self._account.queue(args)
        sent = self._send(queue, wire.parse_letter(args), args)
        self._account.wake(queue)
        return sent

    async def send_batch(self, args: Args, _: Request) -> Result:
        queue = self._account.queue(args)
        entries = _entries(args, "MessageBody", "DelaySeconds", "MessageAttributes")
        letters: dict[str, wire.Letter | AwsError] = {}
        for entry in entries:
            try:
                letters[entry["Id"]] = wire.parse_letter(entry)
            except AwsError as error:
                letters[entry["Id"]] = error
        size = sum(each.size for each in letters.values() if isinstance(each, wire.Letter))
        if size > MAX_BYTES:
            raise refusal(
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than {MAX_BYTES} bytes. "
                f"You have sent {size} bytes.",
            )

        def send(entry: Args) -> Result:
            letter = letters[entry["Id"]]
            if isinstance(letter, AwsError):
                raise letter
            return self._send(queue, letter, entry)

        answer = self._each(entries, send)
        self._account.wake(queue)
        return answer

    def _send(self, queue: Queue, letter: wire.Letter, args: Args) -> Result:
        delay = within(args, "DelaySeconds", queue.setting("DelaySeconds"), 0, 900)
        wire.check_size(letter, queue.setting("MaximumMessageSize"))
        sums = {"MD5OfMessageBody": wire.body_md5(letter.body)}
        if letter.attributes:
            sums["MD5OfMessageAttributes"] = wire.attributes_md5(letter.attributes)
        message_id = self._store.add(queue, letter, self._account.now(), delay * 1000)
        return {"MessageId": message_id} | sums

    async def receive(self, args: Args, request: Request) -> Result:
        queue = self._account.queue(args)
        limit = within(args, "MaxNumberOfMessages", 1, 1, 10)
        default = queue.setting("ReceiveMessageWaitTimeSeconds")
        deadline = self._account.now() + within(args, "WaitTimeSeconds", default, 0, 20) * 1000
        while True:
            # Taken for a client that is gone, a message would be hidden for nothing.
            if await request.is_disconnected():
                return {}
            messages = self._take(self._account.queue(args), args, limit)
            if messages or self._account.now() >= deadline:
                break
            await self._account.arrival(queue, deadline)
        names = args.get("MessageAttributeNames") or []
        system_names = args.get("MessageSystemAttributeNames") or args.get("AttributeNames") or []
        found = [wire.shown(message, names, system_names) for message in messages]
        return {"Messages": found} if found else {}

    def _take(self, queue: Queue, args: Args, limit: int) -> list[wire.Received]:
        now = self._account.now()
        default = queue.setting("VisibilityTimeout")
        hidden = within(args, "VisibilityTimeout", default, 0, MAX_VISIBILITY) * 1000
        dead = self._store.find(queue.redrive.target) if queue.redrive else None
        source = self._account.arn(queue)
        with self._store.transaction():
            self._store.expire(queue, now)
            messages, buried = self._store.take(queue, dead, source, limit, now + hidden, now)
        if dead and buried:
            self._account.wake(dead)
        return messages

    async def delete(self, args: Args, _: Request) -> Result:
        return self._delete(self._account.queue(args), args)

    async def delete_batch(self, args: Args, _: Request) -> Result:
        queue = self._account.queue(args)
        return self._each(_entries(args, "ReceiptHandle"), lambda entry: self._delete(queue, entry))

    def _delete(self, queue: Queue, args: Args) -> Result:
        """As in the service, a stale handle is no error and deletes nothing."""
        handle = required(args, "ReceiptHandle")
        self._store.delete(wire.parse_receipt(handle, queue.id))
        return {}

    async def hide(self, args: Args, _: Request) -> Result:
        return self._hide(self._account.queue(args), args)

    async def hide_batch(self, args: Args, _: Request) -> Result:
        queue = self._account.queue(args)
        entries = _entries(args, "ReceiptHandle", "VisibilityTimeout")
        return self._each(entries, lambda entry: self._hide(queue, entry))

    def _hide(self, queue: Queue, args: Args) -> Result:
        receipt = wire.parse_receipt(required(args, "ReceiptHandle"), queue.id)
        required(args, "VisibilityTimeout")
        hidden = within(args, "VisibilityTimeout", 0, 0, MAX_VISIBILITY) * 1000
        now = self._account.now()
        at = self._store.visible_at(receipt)
        if at is None:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise invalid(args["ReceiptHandle"], "ReceiptHandle", reason)
        if at <= now:
            raise refusal("MessageNotInflight", "The specified message isn't in flight.")
        self._store.hide(receipt, now + hidden)
        self._account.wake(queue)
        return {}

    def _each(self, entries: list[Args], call: Callable[[Args], Result]) -> Result:
        """Answer each entry of a batch on its own, in one transaction."""
        answer: dict[str, list[Result]] = {"Successful": [], "Failed": []}
        with self._store.transaction():
            for entry in entries:
                try:
                    answer["Successful"].append({"Id": entry["Id"]} | call(entry))
                except AwsError as error:
                    code = error.headers["x-amzn-query-error"].partition(";")[0]
                    failed = {"Code": code, "Message": error.message, "SenderFault": True}
                    answer["Failed"].append({"Id": entry["Id"]} | failed)
        return {name: answers for name, answers in answer.items() if answers}


def _entries(args: Args, *known: str) -> list[Args]:
    """The entries of a batch, whose count, ids and parameters are valid."""
    entries: list[Args] = args.get("Entries") or []
    if not entries:
        raise refusal("EmptyBatchRequest", "The request has no entries.")
    if len(entries) > 10:
        raise refusal(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(entries)}.",
        )
    ids = [entry.get("Id", "") for entry in entries]
    if not all(_ENTRY_ID.fullmatch(each) for each in ids):
        raise refusal("InvalidBatchEntryId", "An id has 1 to 80 letters, digits, - and _.")
    if len(set(ids)) < len(ids):
        raise refusal("BatchEntryIdsNotDistinct", f"Ids repeat: {ids}.")
    unknown = {name for entry in entries for name in entry} - {"Id", *known}
    if unknown:
        raise NotEmulatedError(f"a batch entry with {', '.join(sorted(unknown))}")
    return entries
