"""Reads what invokes a function: routes, queues, schedules and EventBridge rules."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.lambdas.event_pattern import check
from local.lambdas.intrinsics import NotSupportedError
from local.lambdas.references import References
from local.lambdas.resources import only
from local.lambdas.stack import Function, Queue, Route, Rule, Schedule, SqsMapping

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
OPERATION = f"{INTEGRATION} responses parameters"

type Functions = Mapping[str, Function]


def routes(
    name: str, properties: Mapping[str, Any], references: References, functions: Functions
) -> Iterator[Route]:
    """The routes of an HTTP API, from the OpenAPI document that the transform writes."""
    only("Body Tags Description Name FailOnWarnings", name, properties)
    only("info openapi paths tags", name, properties.get("Body", {}))
    for path, operations in properties.get("Body", {}).get("paths", {}).items():
        for method, operation in operations.items():
            where = f"{name}: {method} {path}"
            only(OPERATION, where, operation)
            integration = references.resolver.resolve(operation[INTEGRATION])
            only("httpMethod payloadFormatVersion type uri", where, integration)
            if integration.get("payloadFormatVersion") != "2.0":
                raise NotSupportedError(f"{where}: payload format other than 2.0")
            arn = integration["uri"].split("/functions/")[-1].removesuffix("/invocations")
            verb = "ANY" if method == ANY_METHOD else method.upper()
            yield Route(verb, path, by_arn(where, arn, functions))


def by_arn(where: str, arn: str, functions: Functions) -> str:
    """The logical id of the function with that ARN, or name."""
    for function in functions.values():
        if arn in {function.arn, function.name}:
            return function.id
    raise NotSupportedError(f"{where}: target {arn} is not a function of the template")


def sqs_mapping(
    name: str, given: Mapping[str, Any], functions: Functions, queues: Mapping[str, Queue]
) -> SqsMapping:
    """An event source mapping; refuses any source but a queue of the template."""
    only(
        """EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds Enabled
        FunctionResponseTypes ScalingConfig Tags""",
        name,
        given,
    )
    source = given["EventSourceArn"]
    found = [queue.id for queue in queues.values() if queue.arn == source]
    if not found:
        raise NotSupportedError(f"{name}: {source} is not a queue of the template")
    window = int(given.get("MaximumBatchingWindowInSeconds", 0))
    size = int(given.get("BatchSize", 10))
    if size > 10 and window < 1:
        raise NotSupportedError(f"{name}: a batch above 10 needs MaximumBatchingWindowInSeconds")
    return SqsMapping(
        id=name,
        queue=found[0],
        function=by_arn(name, given["FunctionName"], functions),
        batch_size=size,
        window=window,
        report_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
        concurrency=given.get("ScalingConfig", {}).get("MaximumConcurrency"),
    )


def period(where: str, expression: str) -> int:
    """Seconds between two firings of a ``rate(...)``; refuses every other expression."""
    match = RATE.fullmatch(expression)
    if not match:
        raise NotSupportedError(f"{where}: schedule {expression!r}; only rate(...) runs locally")
    return int(match[1]) * SECONDS[match[2]]


def target_functions(
    name: str, properties: Mapping[str, Any], references: References, functions: Functions
) -> tuple[str, ...]:
    only("Description EventPattern Name ScheduleExpression State Targets Tags", name, properties)
    for target in properties["Targets"]:
        only("Arn Id Input RetryPolicy DeadLetterConfig", f"{name}: target", target)
    arns = [references.resolver.resolve(target["Arn"]) for target in properties["Targets"]]
    return tuple(by_arn(name, arn, functions) for arn in arns)


def payload(where: str, text: str | None) -> Any:
    """A target's constant input, or None."""
    if text is not None and "<aws.scheduler." in text:
        raise NotSupportedError(f"{where}: scheduler context attributes in Input")
    return None if text is None else json.loads(text)


def rule_schedules(
    name: str, targets: tuple[str, ...], properties: Mapping[str, Any], references: References
) -> Iterator[Schedule]:
    for function, target in zip(targets, properties["Targets"], strict=True):
        yield Schedule(
            id=name,
            arn=references.value(name, "arn"),
            source="aws.events",
            period=period(name, references.resolver.resolve(properties["ScheduleExpression"])),
            function=function,
            input=payload(name, references.resolver.resolve(target.get("Input"))),
        )


def schedule(
    name: str, properties: Mapping[str, Any], references: References, functions: Functions
) -> Schedule:
    only(
        "Description FlexibleTimeWindow GroupName Name ScheduleExpression State Target "
        "ScheduleExpressionTimezone KmsKeyArn",
        name,
        properties,
    )
    only("Arn RoleArn Input RetryPolicy DeadLetterConfig", name, properties["Target"])
    target = references.resolver.resolve(properties["Target"])
    return Schedule(
        id=name,
        arn=references.value(name, "arn"),
        source="aws.scheduler",
        period=period(name, references.resolver.resolve(properties["ScheduleExpression"])),
        function=by_arn(name, target["Arn"], functions),
        input=payload(name, target.get("Input")),
    )


def rule(
    name: str, targets: tuple[str, ...], properties: Mapping[str, Any], references: References
) -> Rule:
    """An event rule; its pattern is one that the local bus can match."""
    if any("Input" in target for target in properties["Targets"]):
        raise NotSupportedError(f"{name}: Input on an event pattern's target")
    pattern = references.resolver.resolve(properties["EventPattern"])
    check(name, pattern)
    return Rule(name, references.value(name, "arn"), pattern, targets)
