"""Local values for what ``Ref`` and ``Fn::GetAtt`` name: parameters and resources."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.lambdas.intrinsics import NotSupportedError, NoValue, Resolver
from local.lambdas.stack import Places


@dataclass(frozen=True)
class Kind:
    """How a resource type is named.

    ``name`` is its naming property, ``arn`` a service and a pattern, ``ref`` what Ref
    gives and ``attributes`` what each Fn::GetAtt gives, in the words of References.value.
    """

    name: str
    arn: tuple[str, str]
    ref: str = "name"
    attributes: Mapping[str, str] = field(default_factory=lambda: {"Arn": "arn"})


KINDS = {
    "AWS::Lambda::Function": Kind("FunctionName", ("lambda", "function:{}")),
    "AWS::SQS::Queue": Kind(
        "QueueName", ("sqs", "{}"), "url", {"Arn": "arn", "QueueName": "name", "QueueUrl": "url"}
    ),
    "AWS::S3::Bucket": Kind("BucketName", ("s3", "{}")),
    "AWS::SecretsManager::Secret": Kind(
        "Name", ("secretsmanager", "secret:{}"), "arn", {"Id": "arn"}
    ),
    "AWS::ECS::Cluster": Kind("ClusterName", ("ecs", "cluster/{}")),
    "AWS::ECS::TaskDefinition": Kind(
        "Family", ("ecs", "task-definition/{}:1"), "arn", {"TaskDefinitionArn": "arn"}
    ),
    "AWS::ECR::Repository": Kind(
        "RepositoryName", ("ecr", "repository/{}"), "name", {"Arn": "arn", "RepositoryUri": "image"}
    ),
    "AWS::ApiGatewayV2::Api": Kind("", ("apigateway", "/apis/{}"), "id", {"ApiEndpoint": "api"}),
    "AWS::Events::Rule": Kind("Name", ("events", "rule/{}")),
    "AWS::Scheduler::Schedule": Kind("Name", ("scheduler", "schedule/default/{}")),
    "AWS::Lambda::LayerVersion": Kind("", ("lambda", "layer:{}:1"), "id", {}),
    "AWS::Lambda::EventSourceMapping": Kind("", ("lambda", "event-source-mapping:{}"), "id", {}),
    "AWS::Lambda::EventInvokeConfig": Kind("", ("lambda", "{}"), "id", {}),
    "AWS::IAM::Role": Kind("RoleName", ("iam", "role/{}")),
    "AWS::Logs::LogGroup": Kind("LogGroupName", ("logs", "log-group:{}:*")),
    "AWS::SNS::Topic": Kind("TopicName", ("sns", "{}"), "arn", {"TopicArn": "arn"}),
    "AWS::KMS::Key": Kind("", ("kms", "key/{}"), "id"),
    "AWS::EC2::SecurityGroup": Kind("", ("ec2", "{}"), "id", {"GroupId": "id"}),
    "AWS::EC2::Subnet": Kind("", ("ec2", "{}"), "id", {"SubnetId": "id"}),
    "AWS::EC2::VPC": Kind("", ("ec2", "{}"), "id", {"VpcId": "id"}),
}
# Real in AWS, without an effect on a laptop: permissions, networks, alarms.
INERT = re.compile(
    r"AWS::(IAM|Logs|CloudWatch|SNS|EC2|ECR|KMS|Budgets|XRay|ResourceGroups)::|"
    r"AWS::Lambda::Permission$|AWS::SQS::QueuePolicy$|AWS::S3::BucketPolicy$|"
    r"AWS::ApiGatewayV2::Stage$|AWS::Scheduler::ScheduleGroup$|"
    r"AWS::SecretsManager::ResourcePolicy$"
)


class References:
    """What the names of one transformed template mean here."""

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], places: Places
    ) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        self._places = places
        self._pseudo = {
            "AWS::AccountId": places.account,
            "AWS::Partition": "aws",
            "AWS::Region": places.region,
            "AWS::StackName": places.stack_name,
            "AWS::StackId": places.arn("cloudformation", f"stack/{places.stack_name}/local"),
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._parameters = checked_parameters(template.get("Parameters") or {}, parameters)
        for name, resource in self._resources.items():
            kind = resource["Type"]
            if kind not in KINDS and not INERT.match(kind):
                raise NotSupportedError(f"{name}: {kind} does not run locally")
        self.resolver = Resolver(self.ref, self.attribute, template.get("Conditions") or {})

    def ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        kind = KINDS.get(self._resource(name)["Type"])
        return self.value(name, kind.ref if kind else "id")

    def attribute(self, name: str, attribute: str) -> str:
        type_ = self._resource(name)["Type"]
        kind = KINDS.get(type_)
        if kind is None or attribute not in kind.attributes:
            raise NotSupportedError(f"{name}.{attribute}: attribute of {type_} has no local value")
        return self.value(name, kind.attributes[attribute])

    def local(self, text: str) -> str:
        """``text`` with the HTTP API's vendor address replaced by the one that answers here."""
        host = rf"https://\w+\.execute-api\.{self._places.region}\.amazonaws\.com"
        return re.sub(host, lambda _: self._places.api_url, text)

    def value(self, name: str, what: str) -> str:
        """One of a resource's values: ``id``, ``name``, ``arn``, ``url``, ``api``, ``image``."""
        resource, places = self._resource(name), self._places
        kind = KINDS.get(resource["Type"])
        if kind is None:
            return name
        default = name.lower() if resource["Type"] == "AWS::S3::Bucket" else name
        given = self.resolver.resolve(resource.get("Properties", {}).get(kind.name, default))
        own = default if given is NoValue else str(given)
        service, pattern = kind.arn
        values = {
            "id": name,
            "name": own,
            "arn": places.arn(service, pattern.format(own)),
            "url": f"{places.sqs_url}/{places.account}/{own}",
            "api": places.api_url,
            "image": f"{places.account}.dkr.ecr.{places.region}.amazonaws.com/{own}",
        }
        return values[what]

    def _resource(self, name: str) -> Mapping[str, Any]:
        if name not in self._resources:
            raise NotSupportedError(f"nothing in the template is called {name!r}")
        found: Mapping[str, Any] = self._resources[name]
        return found


def checked_parameters(
    declared: Mapping[str, Any], given: Mapping[str, str]
) -> dict[str, str | list[str]]:
    """A value for each declared parameter; refuses one that is missing, unknown or not allowed."""
    if unknown := given.keys() - declared.keys():
        raise NotSupportedError(f"parameters not in the template: {', '.join(sorted(unknown))}")
    values: dict[str, str | list[str]] = {}
    for name, declaration in declared.items():
        if declaration["Type"].startswith("AWS::SSM::") and name not in given:
            raise NotSupportedError(f"parameter {name} is read from SSM: give it a value")
        if name not in given and "Default" not in declaration:
            raise NotSupportedError(f"parameter {name} has no value")
        value = str(given.get(name, declaration.get("Default")))
        if value not in map(str, declaration.get("AllowedValues", [value])):
            raise NotSupportedError(f"parameter {name}: {value!r} is not an allowed value")
        if not re.fullmatch(declaration.get("AllowedPattern", "(?s:.*)"), value):
            pattern = declaration["AllowedPattern"]
            raise NotSupportedError(f"parameter {name}: {value!r} does not match {pattern}")
        is_list = declaration["Type"].startswith(("List<", "CommaDelimitedList"))
        values[name] = [item.strip() for item in value.split(",")] if is_list else value
    return values
