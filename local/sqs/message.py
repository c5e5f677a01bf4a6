"""A message on its way in and out: what may be in it, its size and its checksums."""

import base64
import binascii
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from local.sqs.errors import invalid, refusal, required

# What XML 1.0 allows, which is what the service takes.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

type Attributes = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Letter:
    """A message before it has a place in a queue."""

    body: str
    attributes: Attributes

    @property
    def size(self) -> int:
        """Bytes that count towards the limits: the body, and attributes with names and types."""
        parts = [self.body]
        for name, value in self.attributes.items():
            parts += [name, value["DataType"], value.get("StringValue", "")]
        binary = sum(len(_binary(value)) for value in self.attributes.values())
        return sum(len(part.encode()) for part in parts) + binary


@dataclass(frozen=True)
class Received:
    """A message as one receive got it; times are in unix milliseconds."""

    id: str
    receipt: str
    letter: Letter
    sent: int
    first_received: int
    received: int
    source: str | None


@dataclass(frozen=True)
class Receipt:
    """Which receive of which message a receipt handle stands for."""

    queue: int
    row: int
    nonce: str

    def __str__(self) -> str:
        plain = json.dumps([self.queue, self.row, self.nonce])
        return base64.urlsafe_b64encode(plain.encode()).decode()


def new_receipt(queue: int, row: int) -> Receipt:
    return Receipt(queue, row, secrets.token_urlsafe(12))


def parse_receipt(handle: str, queue: int) -> Receipt:
    """The receipt behind ``handle``, which must come from the queue with id ``queue``."""
    try:
        receipt = Receipt(*json.loads(base64.urlsafe_b64decode(handle)))
    except (ValueError, TypeError):
        receipt = None
    if receipt is None or receipt.queue != queue:
        raise refusal(
            "ReceiptHandleIsInvalid",
            f'The input receipt handle "{handle}" is not a valid receipt handle.',
        )
    return receipt


def parse_letter(args: dict[str, Any]) -> Letter:
    """The message in the arguments of a send."""
    attributes = args.get("MessageAttributes") or {}
    for name, value in attributes.items():
        _check_attribute(name, value)
    letter = Letter(required(args, "MessageBody"), attributes)
    if _FORBIDDEN.search(letter.body):
        raise refusal("InvalidMessageContents", "The message has characters that XML 1.0 forbids.")
    return letter


def check_size(letter: Letter, limit: int) -> None:
    """Refuse a message of more than ``limit`` bytes."""
    if letter.size > limit:
        raise refusal(
            "InvalidParameterValueException",
            "One or more parameters are invalid. "
            f"Reason: Message must be shorter than {limit} bytes.",
        )


def _check_attribute(name: str, value: dict[str, str]) -> None:
    kind = value.get("DataType", "").partition(".")[0]
    key = "BinaryValue" if kind == "Binary" else "StringValue"
    if kind not in ("String", "Number", "Binary") or not value.get(key):
        raise invalid(value, f"MessageAttributes.{name}", f"A {kind or 'typed'} value is needed.")
    try:
        _binary(value)
    except binascii.Error as error:
        raise invalid(value, f"MessageAttributes.{name}", "Not base64.") from error


def _binary(value: dict[str, str]) -> bytes:
    return base64.b64decode(value.get("BinaryValue", ""))


def body_md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Attributes) -> str:
    """The digest that SDKs recompute: each part prefixed by its length, in the names' order."""
    digest = hashlib.md5(usedforsecurity=False)
    for name, value in sorted(attributes.items()):
        for text in (name, value["DataType"]):
            digest.update(len(text.encode()).to_bytes(4) + text.encode())
        if "BinaryValue" in value:
            kind, content = b"\x02", _binary(value)
        else:
            kind, content = b"\x01", value["StringValue"].encode()
        digest.update(kind + len(content).to_bytes(4) + content)
    return digest.hexdigest()


def chosen(attributes: Attributes, wanted: list[str]) -> Attributes:
    """The attributes named by ``wanted``: names, ``prefix.*``, ``.*`` or ``All``."""
    if {"All", ".*"} & set(wanted):
        return attributes
    prefixes = tuple(name[:-2] for name in wanted if name.endswith(".*"))
    return {
        name: value
        for name, value in attributes.items()
        if name in wanted or (prefixes and name.startswith(prefixes))
    }


def shown(message: Received, names: list[str], system_names: list[str]) -> dict[str, Any]:
    """A message as ReceiveMessage answers it, with the attributes that were asked for."""
    system = {
        "SenderId": "local",
        "SentTimestamp": str(message.sent),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(message.first_received),
    }
    if message.source:
        system["DeadLetterQueueSourceArn"] = message.source
    if "All" not in system_names:
        system = {name: value for name, value in system.items() if name in system_names}
    attributes = chosen(message.letter.attributes, names)
    answer = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": body_md5(message.letter.body),
        "Body": message.letter.body,
    }
    checksum = {"MD5OfMessageAttributes": attributes_md5(attributes)} if attributes else {}
    optional = {"Attributes": system, "MessageAttributes": attributes}
    return answer | checksum | {name: value for name, value in optional.items() if value}
