"""Reads functions, queues, buckets, secrets and task definitions from their properties."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.lambdas.intrinsics import NotSupportedError, as_text
from local.lambdas.references import References
from local.lambdas.stack import Bucket, Function, Queue, Secret, TaskDefinition

FUNCTION = """Code Handler Layers Timeout MemorySize Environment FunctionName DeadLetterConfig
    LoggingConfig ReservedConcurrentExecutions Runtime PackageType
    Role Architectures Tags TracingConfig EphemeralStorage Description VpcConfig KmsKeyArn
    RuntimeManagementConfig SnapStart RecursiveLoop"""
QUEUE_SENT = """VisibilityTimeout MessageRetentionPeriod DelaySeconds MaximumMessageSize
    ReceiveMessageWaitTimeSeconds RedrivePolicy"""
QUEUE_INERT = """QueueName Tags KmsMasterKeyId KmsDataKeyReusePeriodSeconds
    SqsManagedSseEnabled RedriveAllowPolicy"""
BUCKET_EVENTS = ("NotificationConfiguration",)


def only(known: str, name: str, properties: Mapping[str, Any]) -> None:
    """Refuse properties other than those ``known`` (separated by spaces)."""
    if unknown := properties.keys() - known.split():
        raise NotSupportedError(f"{name}: {', '.join(sorted(unknown))} has no local meaning")


def function(
    name: str,
    properties: Mapping[str, Any],
    references: References,
    folder: Path,
    layers: Mapping[str, Path],
    invoke_configs: Sequence[Mapping[str, Any]],
) -> Function:
    only(FUNCTION, name, properties)
    given = references.resolver.resolve(properties)
    if given.get("Code", {}).get("S3Bucket") != "local":
        raise NotSupportedError(f"{name}: CodeUri must be a local folder")
    if not str(given.get("Runtime")).startswith("python"):
        raise NotSupportedError(f"{name}: runtime {given.get('Runtime')}")
    if outside := [layer for layer in given.get("Layers", []) if layer not in layers]:
        raise NotSupportedError(f"{name}: layers from elsewhere: {outside}")
    if given.get("ReservedConcurrentExecutions") == 0:
        raise NotSupportedError(f"{name}: with a reserved concurrency of 0 it never runs")
    code = folder / given["Code"]["S3Key"]
    used = [layers[layer] for layer in given.get("Layers", [])]
    if missing := [str(path) for path in (code, *used) if not path.is_dir()]:
        raise NotSupportedError(f"{name}: no such folder: {', '.join(missing)}")
    own_name = references.value(name, "name")
    config: Mapping[str, Any] = next(
        (c for c in invoke_configs if c.get("FunctionName") == own_name), {}
    )
    on_failure = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if config.get("DestinationConfig", {}).get("OnSuccess"):
        raise NotSupportedError(f"{name}: OnSuccess destination")
    failures_to = on_failure or given.get("DeadLetterConfig", {}).get("TargetArn")
    if failures_to and ":sqs:" not in failures_to:
        raise NotSupportedError(f"{name}: failures to {failures_to}, which is not a queue")
    logging = given.get("LoggingConfig", {})
    log_format = logging.get("LogFormat", "Text")
    return Function(
        id=name,
        name=own_name,
        arn=references.value(name, "arn"),
        handler=given["Handler"],
        code=code,
        layers=tuple(map(content, used)),
        timeout=int(given.get("Timeout", 3)),
        memory=int(given.get("MemorySize", 128)),
        environment=texts(given.get("Environment", {}).get("Variables", {}), references),
        concurrency=given.get("ReservedConcurrentExecutions"),
        log_format=log_format,
        log_level=logging.get("ApplicationLogLevel", "INFO" if log_format == "JSON" else None),
        retries=int(config.get("MaximumRetryAttempts", 2)),
        failures_to=failures_to,
        failure_envelope=on_failure is not None,
    )


def content(layer: Path) -> Path:
    """The folder of a layer that is importable: a built layer keeps it in ``python/``."""
    return layer / "python" if (layer / "python").is_dir() else layer


def texts(variables: Mapping[str, Any], references: References) -> dict[str, str]:
    """Environment variables as a process gets them."""
    return {key: references.local(as_text(value)) for key, value in variables.items()}


def queue(name: str, properties: Mapping[str, Any], references: References) -> Queue:
    only(f"{QUEUE_SENT} {QUEUE_INERT}", name, properties)
    given = references.resolver.resolve(properties)
    return Queue(
        id=name,
        name=references.value(name, "name"),
        url=references.value(name, "url"),
        arn=references.value(name, "arn"),
        attributes={
            key: json.dumps(given[key]) if isinstance(given[key], dict) else as_text(given[key])
            for key in QUEUE_SENT.split()
            if key in given
        },
    )


def bucket(name: str, properties: Mapping[str, Any], references: References) -> Bucket:
    for key in BUCKET_EVENTS:
        if key in properties:
            raise NotSupportedError(f"{name}: {key} has no local meaning")
    return Bucket(id=name, name=references.value(name, "name"))


def secret(name: str, properties: Mapping[str, Any], references: References) -> Secret:
    only("Name Description GenerateSecretString SecretString Tags KmsKeyId", name, properties)
    given = references.resolver.resolve(properties)
    return Secret(
        id=name,
        name=references.value(name, "name"),
        arn=references.value(name, "arn"),
        value=given.get("SecretString"),
        generate=given.get("GenerateSecretString"),
    )


def task(name: str, properties: Mapping[str, Any], references: References) -> TaskDefinition:
    containers = properties.get("ContainerDefinitions", [])
    if len(containers) != 1:
        raise NotSupportedError(f"{name}: {len(containers)} containers instead of one")
    wanted = ("Name", "Image", "Environment")
    given = references.resolver.resolve({key: containers[0].get(key) for key in wanted})
    if containers[0].get("Secrets"):
        raise NotSupportedError(f"{name}: a container's Secrets have no local meaning")
    pairs = {item["Name"]: item["Value"] for item in given["Environment"] or []}
    return TaskDefinition(
        id=name,
        arn=references.value(name, "arn"),
        family=references.value(name, "name"),
        container=given["Name"],
        image=given["Image"],
        environment=texts(pairs, references),
    )
