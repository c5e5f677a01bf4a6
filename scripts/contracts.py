"""What the deployed template must hold; names each breach and fails when there is one.

Linters read the SAM template; these rules read what CloudFormation will get.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from samtranslator.yaml_helper import yaml_parse  # noqa: E402 - with the next, see there

from local.lambdas.template import transform  # noqa: E402 - the path above is what finds it

type Properties = Mapping[str, Any]
type Template = Mapping[str, Any]

TWO_WEEKS = 14 * 24 * 60 * 60
READS = ("Get", "List", "Describe", "BatchGet")
# What Lambda and Fargate need to run at all: logs, the image, and for consumers their queues.
# SAM attaches the Lambda ones itself.
KNOWN_POLICIES = (
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "service-role/AmazonECSTaskExecutionRolePolicy",
)


def breaches(template: Template) -> list[str]:
    """Every rule that a transformed template breaks, each naming the resource."""
    checks = (consumers, queues, actions, managed_policies, task_roles, pass_role, logs)
    return [found for check in checks for found in check(template)]


def consumers(template: Template) -> Iterator[str]:
    """Consumers report the records that failed, are bounded, and outlive no visibility."""
    queues_, functions = of(template, "AWS::SQS::Queue"), of(template, "AWS::Lambda::Function")
    for name, mapping in of(template, "AWS::Lambda::EventSourceMapping").items():
        queue = target(mapping["EventSourceArn"])
        function = target(mapping["FunctionName"])
        if queue not in queues_ or function not in functions:
            yield f"{name}: reads what this template does not have"
            continue
        visibility = queues_[queue].get("VisibilityTimeout", 30)
        timeout = functions[function].get("Timeout", 3)
        if visibility < 6 * timeout + mapping.get("MaximumBatchingWindowInSeconds", 0):
            yield f"{queue}: visible after {visibility} s, less than 6 x {timeout} of {function}"
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ()):
            yield f"{name}: does not report single failures"
        if "MaximumConcurrency" not in mapping.get("ScalingConfig", {}):
            yield f"{name}: has no MaximumConcurrency"


def queues(template: Template) -> Iterator[str]:
    """Each queue has dead letters that are kept for two weeks and watched by an alarm."""
    all_queues = of(template, "AWS::SQS::Queue")
    dead = {
        name: target(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for name, queue in all_queues.items()
        if "RedrivePolicy" in queue
    }
    for name in all_queues.keys() - dead.keys() - set(dead.values()):
        yield f"{name}: has no dead-letter queue"
    watched = set(_watched(template))
    for name in sorted(set(dead.values())):
        if name not in all_queues:
            yield f"{name}: is no queue of this template"
            continue
        if all_queues[name].get("MessageRetentionPeriod", 0) < TWO_WEEKS:
            yield f"{name}: keeps messages for less than two weeks"
        if name not in watched:
            yield f"{name}: has no alarm that tells somebody"


def _watched(template: Template) -> Iterator[str]:
    for alarm in of(template, "AWS::CloudWatch::Alarm").values():
        metric = (alarm.get("Namespace"), alarm.get("MetricName"))
        raises = alarm.get("ComparisonOperator") == "GreaterThanThreshold"
        if (
            metric == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
            and alarm.get("AlarmActions")
            and raises
            and alarm.get("Threshold") == 0
        ):
            yield from (target(each["Value"]) for each in alarm["Dimensions"])


def actions(template: Template) -> Iterator[str]:
    """No statement allows whatever comes, and none writes to whatever there is."""
    for name, statement in statements(template):
        if statement["Effect"] != "Allow":
            continue
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{name}: allows all but something"
            continue
        everywhere = "*" in listed(statement["Resource"])
        for action in listed(statement["Action"]):
            if "*" in action:
                yield f"{name}: allows {action}"
            elif everywhere and not action.partition(":")[2].startswith(READS):
                yield f"{name}: allows {action} on everything"


def managed_policies(template: Template) -> Iterator[str]:
    """Nobody has a policy that is not written here, but for the three that running needs."""
    for name, role in of(template, "AWS::IAM::Role").items():
        for policy in role.get("ManagedPolicyArns", ()):
            arn = policy.get("Fn::Sub", "") if isinstance(policy, dict) else policy
            if not arn.endswith(KNOWN_POLICIES):
                yield f"{name}: has the managed policy {arn or policy}"


def task_roles(template: Template) -> Iterator[str]:
    """What a task may do in this account is nothing."""
    roles = of(template, "AWS::IAM::Role")
    for task, definition in of(template, "AWS::ECS::TaskDefinition").items():
        role = target(definition["TaskRoleArn"]) if "TaskRoleArn" in definition else None
        if role is None:
            continue
        if role not in roles:
            yield f"{task}: has a task role from elsewhere"
        elif roles[role].get("Policies") or roles[role].get("ManagedPolicyArns"):
            yield f"{role}: a task's role has a policy"
        for name, policy in _attached(template):
            if role in map(target, [*policy.get("Roles", ()), policy.get("RoleName")]):
                yield f"{name}: is attached to a task's role"


def pass_role(template: Template) -> Iterator[str]:
    """Only the roles of tasks are passed on, and only to tasks."""
    tasks = of(template, "AWS::ECS::TaskDefinition").values()
    roles = {
        target(task[key])
        for task in tasks
        for key in ("TaskRoleArn", "ExecutionRoleArn")
        if key in task
    }
    only_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    for name, statement in statements(template):
        if "iam:PassRole" not in listed(statement.get("Action", ())):
            continue
        if {target(each) for each in listed(statement["Resource"])} - roles:
            yield f"{name}: passes a role that is no task's"
        if statement.get("Condition") != only_tasks:
            yield f"{name}: passes roles to other services than tasks"


def logs(template: Template) -> Iterator[str]:
    """Everything logs to a group of this template, and each group forgets."""
    groups = of(template, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name}: keeps logs for ever"
    for name, function in of(template, "AWS::Lambda::Function").items():
        if target(function.get("LoggingConfig", {}).get("LogGroup")) not in groups:
            yield f"{name}: logs to a group without a limit"
    for name, task in of(template, "AWS::ECS::TaskDefinition").items():
        for container in task["ContainerDefinitions"]:
            options = container.get("LogConfiguration", {}).get("Options", {})
            if target(options.get("awslogs-group")) not in groups:
                yield f"{name}: logs to a group without a limit"


def of(template: Template, kind: str) -> dict[str, Any]:
    """Properties of each resource of a type, by logical id."""
    return {
        name: resource.get("Properties") or {}
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def statements(template: Template) -> Iterator[tuple[str, Properties]]:
    """Every statement of an identity's policy, with the name of what holds it."""
    for name, role in of(template, "AWS::IAM::Role").items():
        for policy in role.get("Policies", ()):
            for statement in listed(policy["PolicyDocument"]["Statement"]):
                yield name, statement
    for name, policy in _attached(template):
        for statement in listed(policy["PolicyDocument"]["Statement"]):
            yield name, statement


def _attached(template: Template) -> Iterator[tuple[str, Properties]]:
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        yield from of(template, kind).items()


def target(value: Any) -> str:
    """The logical id that a Ref or a GetAtt points to; the value's own text otherwise."""
    if isinstance(value, dict) and "Ref" in value:
        return str(value["Ref"])
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        found = value["Fn::GetAtt"]
        return str(found[0] if isinstance(found, list) else found.partition(".")[0])
    return str(value)


def listed(value: Any) -> list[Any]:
    """A list as it is, one thing as a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def transformed(template: dict[str, Any]) -> Template:
    """What CloudFormation gets of a SAM template."""
    return transform(template, {}, "us-east-1")


def main() -> int:
    """Check template.yaml; returns the exit status."""
    found = breaches(transformed(yaml_parse((ROOT / "template.yaml").read_text())))
    for breach in found:
        print(breach, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
