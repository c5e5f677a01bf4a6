"""From ``template.yaml`` to a Stack: the SAM transform, then every value made local."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.lambdas import events, resources
from local.lambdas.intrinsics import NotSupportedError
from local.lambdas.references import References
from local.lambdas.stack import Places, Stack

# The transform takes code from S3 only; the key carries the local folder through it.
FOLDER = "s3://local/"
SOURCES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}


def load(template: Path, parameters: Mapping[str, str], places: Places) -> Stack:
    """The stack that ``template`` describes with these parameters.

    Code folders are taken relative to the template's own. Raises NotSupportedError
    for whatever the local runner could only guess, naming the resource.
    """
    transformed = transform(yaml_parse(template.read_text()), parameters, places.region)
    references = References(transformed, parameters, places)
    found: dict[str, dict[str, Any]] = {}
    for name, resource in transformed["Resources"].items():
        condition = resource.get("Condition")
        if condition is None or references.resolver.holds(condition):
            found.setdefault(resource["Type"], {})[name] = resource.get("Properties") or {}
    return _stack(found, references, places, template.parent.resolve())


def transform(
    template: dict[str, Any], parameters: Mapping[str, str], region: str
) -> dict[str, Any]:
    """The CloudFormation template of a SAM template; code stays ``s3://local/<folder>``."""
    sections = [(f"Globals.{key}", value) for key, value in template.get("Globals", {}).items()]
    for where, properties in [
        *sections,
        *((name, r.get("Properties") or {}) for name, r in template["Resources"].items()),
    ]:
        for source in SOURCES.values():
            if source in properties:
                if not isinstance(properties[source], str) or "://" in properties[source]:
                    raise NotSupportedError(f"{where}: {source} must be a local folder")
                properties[source] = FOLDER + properties[source].removeprefix("./")
    # It asks its session for the region alone; a real one would read a person's AWS profile.
    session: Any = SimpleNamespace(region_name=region)
    translator = Translator({}, Parser(), boto_session=session)
    try:
        translated = translator.translate(template, dict(parameters), get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        raise NotSupportedError("; ".join(cause.message for cause in error.causes)) from error
    # The translator's dictionaries and strings are its own kinds; plain ones from here on.
    transformed: dict[str, Any] = json.loads(json.dumps(translated))
    return transformed


def _stack(
    found: Mapping[str, Mapping[str, Any]], references: References, places: Places, folder: Path
) -> Stack:
    def of(kind: str) -> Mapping[str, Any]:
        return found.get(kind, {})

    resolve = references.resolver.resolve
    layers = {
        name: folder / resolve(properties["Content"])["S3Key"]
        for name, properties in of("AWS::Lambda::LayerVersion").items()
    }
    invoke_configs = [resolve(p) for p in of("AWS::Lambda::EventInvokeConfig").values()]
    functions = {
        name: resources.function(name, properties, references, folder, layers, invoke_configs)
        for name, properties in of("AWS::Lambda::Function").items()
    }
    queues = {
        name: resources.queue(name, properties, references)
        for name, properties in of("AWS::SQS::Queue").items()
    }
    apis = of("AWS::ApiGatewayV2::Api")
    if len(apis) > 1:
        raise NotSupportedError(f"more than one HTTP API: {', '.join(apis)}")
    for name, properties in of("AWS::ApiGatewayV2::Stage").items():
        if resolve(properties.get("StageName")) != "$default":
            raise NotSupportedError(f"{name}: an HTTP API stage other than $default")
    rules = [
        (name, events.target_functions(name, properties, references, functions), properties)
        for name, properties in of("AWS::Events::Rule").items()
        if resolve(properties.get("State", "ENABLED")) == "ENABLED"
    ]
    return Stack(
        places=places,
        functions=functions,
        routes=tuple(
            route
            for name, properties in apis.items()
            for route in events.routes(name, properties, references, functions)
        ),
        sqs_mappings=tuple(
            events.sqs_mapping(name, resolve(properties), functions, queues)
            for name, properties in of("AWS::Lambda::EventSourceMapping").items()
            if resolve(properties.get("Enabled", True)) is True
        ),
        schedules=(
            *(
                schedule
                for name, targets, properties in rules
                if "ScheduleExpression" in properties
                for schedule in events.rule_schedules(name, targets, properties, references)
            ),
            *(
                events.schedule(name, properties, references, functions)
                for name, properties in of("AWS::Scheduler::Schedule").items()
                if resolve(properties.get("State", "ENABLED")) == "ENABLED"
            ),
        ),
        rules=tuple(
            events.rule(name, targets, properties, references)
            for name, targets, properties in rules
            if "EventPattern" in properties
        ),
        queues=queues,
        buckets=tuple(
            resources.bucket(name, properties, references)
            for name, properties in of("AWS::S3::Bucket").items()
        ),
        secrets=tuple(
            resources.secret(name, properties, references)
            for name, properties in of("AWS::SecretsManager::Secret").items()
        ),
        tasks=tuple(
            resources.task(name, properties, references)
            for name, properties in of("AWS::ECS::TaskDefinition").items()
        ),
    )
