"""A queue: its attributes, what each may be, and where its dead letters go."""

import json
from dataclasses import dataclass
from typing import Any

from local.aws import ACCOUNT, NotEmulatedError
from local.sqs.errors import invalid, refusal

MAX_BYTES = 1_048_576
MAX_VISIBILITY = 43_200

_RANGES = {
    "VisibilityTimeout": (0, MAX_VISIBILITY),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1_024, MAX_BYTES),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
}
_DEFAULTS = {
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_BYTES),
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
# Kept and shown, without effect here.
_OPAQUE = {
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
}
_FIFO = {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_DERIVED = ("QueueArn", "CreatedTimestamp", "LastModifiedTimestamp")
READABLE = {"All", "RedrivePolicy", *COUNTED, *_DERIVED, *_RANGES, *_OPAQUE}


@dataclass(frozen=True)
class Redrive:
    """Receives past ``limit`` send a message to the queue named ``target``."""

    target: str
    limit: int


@dataclass(frozen=True)
class Queue:
    """A standard queue; times are in unix seconds."""

    id: int
    name: str
    attributes: dict[str, str]
    created: int
    modified: int

    def setting(self, name: str) -> int:
        """A numeric attribute, set or by default."""
        return int(self.attributes.get(name, _DEFAULTS[name]))

    @property
    def redrive(self) -> Redrive | None:
        policy = self.attributes.get("RedrivePolicy")
        return parse_redrive(policy) if policy else None

    def shown(self, region: str) -> dict[str, str]:
        """All attributes but the counts."""
        return (
            _DEFAULTS
            | self.attributes
            | {
                "QueueArn": arn(region, self.name),
                "CreatedTimestamp": str(self.created),
                "LastModifiedTimestamp": str(self.modified),
            }
        )


def arn(region: str, name: str) -> str:
    return f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"


def name_in(queue_arn: str) -> str:
    return queue_arn.rpartition(":")[2]


def parse_redrive(policy: str) -> Redrive:
    """What a ``RedrivePolicy`` attribute says."""
    try:
        given: dict[str, Any] = json.loads(policy)
        redrive = Redrive(name_in(given["deadLetterTargetArn"]), int(given["maxReceiveCount"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid(
            policy, "RedrivePolicy", "deadLetterTargetArn and maxReceiveCount are needed."
        ) from error
    if not 1 <= redrive.limit <= 1_000:
        raise invalid(policy, "RedrivePolicy", "maxReceiveCount must be from 1 to 1000.")
    return redrive


def checked(attributes: dict[str, str]) -> dict[str, str]:
    """``attributes``, once each is known and in its range."""
    for name, value in attributes.items():
        if name in _FIFO:
            raise NotEmulatedError(f"a FIFO queue ({name})")
        if name in _RANGES:
            least, most = _RANGES[name]
            if not value.isdecimal() or not least <= int(value) <= most:
                raise refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
        elif name == "RedrivePolicy":
            if value:
                parse_redrive(value)
        elif name not in _OPAQUE:
            raise refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
    return attributes


def same(name: str, old: str | None, new: str) -> bool:
    """Whether two values of attribute ``name`` mean the same."""
    if name == "RedrivePolicy" and old and new:
        return parse_redrive(old) == parse_redrive(new)
    return (old or "") == new
