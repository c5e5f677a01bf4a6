"""Makes what a deployment would make: queues, buckets and secrets."""

import json
import secrets
import string
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.lambdas.stack import Bucket, Queue, Secret, Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


class MismatchError(Exception):
    """An emulator names things otherwise than the runner told the functions."""


def queues(stack: Stack, client: "SQSClient") -> None:
    """Create the queues, dead-letter queues first, with the template's present attributes."""
    ordered = sorted(stack.queues.values(), key=lambda queue: "RedrivePolicy" in queue.attributes)
    for queue in ordered:
        _queue(queue, client)


def _queue(queue: Queue, client: "SQSClient") -> None:
    attributes: Any = dict(queue.attributes)
    try:
        url = client.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"]
    except client.exceptions.QueueNameExists:
        url = queue.url
        client.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    if (url, arn) != (queue.url, queue.arn):
        raise MismatchError(f"queue {queue.name} is {url}, {arn}; not {queue.url}, {queue.arn}")


def bucket(wanted: Bucket, client: "S3Client") -> None:
    """Create a bucket, unless it is there."""
    try:
        client.create_bucket(Bucket=wanted.name)
    except client.exceptions.BucketAlreadyOwnedByYou:
        return


def secret_values(wanted: tuple[Secret, ...], file: Path) -> dict[str, str]:
    """A value for each secret that can have one, by logical id.

    What ``file`` holds counts, so a value survives restarts and a person can set one.
    What is generated is added to it; the file is readable by its owner only.
    """
    values: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    for secret in wanted:
        if secret.id in values:
            continue
        if secret.value is not None:
            values[secret.id] = secret.value
        elif secret.generate is not None:
            values[secret.id] = generated(secret.generate)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(values, indent=1))
    fresh.replace(file)
    return values


def secret(wanted: Secret, value: str | None, client: "SecretsManagerClient") -> None:
    """Create a secret, or give it its present value; without one it stays empty."""
    content: Any = {} if value is None else {"SecretString": value}
    try:
        arn = client.create_secret(Name=wanted.name, **content)["ARN"]
    except client.exceptions.ResourceExistsException:
        if value is None:
            return
        arn = client.put_secret_value(SecretId=wanted.name, SecretString=value)["ARN"]
    if not arn.startswith(wanted.arn):
        raise MismatchError(f"secret {wanted.name} is {arn}, not {wanted.arn}")


def generated(spec: Mapping[str, Any]) -> str:
    """A secret as CloudFormation's GenerateSecretString asks for it."""
    kinds = {
        "ExcludeLowercase": string.ascii_lowercase,
        "ExcludeUppercase": string.ascii_uppercase,
        "ExcludeNumbers": string.digits,
        "ExcludePunctuation": string.punctuation,
    }
    barred = set(spec.get("ExcludeCharacters", ""))
    alphabets = [
        [letter for letter in letters if letter not in barred]
        for flag, letters in kinds.items()
        if not spec.get(flag)
    ]
    letters = [letter for alphabet in alphabets for letter in alphabet]
    length = int(spec.get("PasswordLength", 32))
    while True:
        password = "".join(secrets.choice(letters) for _ in range(length))
        if all(not alphabet or set(alphabet) & set(password) for alphabet in alphabets):
            break
    if "GenerateStringKey" not in spec:
        return password
    template: dict[str, Any] = json.loads(spec["SecretStringTemplate"])
    return json.dumps(template | {spec["GenerateStringKey"]: password})
