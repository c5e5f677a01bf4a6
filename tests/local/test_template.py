"""What template.yaml promises, and that the check of it notices when it doesn't."""

import copy
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from scripts import contracts

ROOT = Path(__file__).parents[2]
STATEMENT = ("Properties", "Policies", 0, "Statement")
DISPATCH = ("DispatchFunction", *STATEMENT)
PASSES = (*DISPATCH, 5)  # the statement that lets it pass roles
GONE = object()
EVERY_ROLE = {"Fn::GetAtt": ["DispatchFunctionRole", "Arn"]}


@functools.cache
def _original() -> Any:
    return yaml_parse((ROOT / "template.yaml").read_text())


def template() -> dict[str, Any]:
    """The SAM template, to be broken."""
    found: dict[str, Any] = copy.deepcopy(_original())
    return found


def broken(path: tuple[Any, ...], value: Any) -> list[str]:
    """What the check says when the resource's member at ``path`` has another value."""
    changed = template()
    inner = changed["Resources"]
    for step in path[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return contracts.breaches(contracts.transformed(changed))


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def added(**resources: Mapping[str, Any]) -> list[str]:
    """What the check says of the template with further resources."""
    changed = template()
    changed["Resources"].update(resources)
    return contracts.breaches(contracts.transformed(changed))


def test_s25_the_template_holds_its_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    """No rule is broken, and the command says nothing."""
    assert contracts.breaches(contracts.transformed(template())) == []
    assert contracts.main() == 0
    assert capsys.readouterr().err == ""


def test_the_check_looks_at_everything() -> None:
    """The rules find what they are about: queues, consumers, functions, statements, a task."""
    found = contracts.transformed(template())
    assert len(contracts.of(found, "AWS::SQS::Queue")) >= 8
    assert len(contracts.of(found, "AWS::Lambda::EventSourceMapping")) >= 4
    assert len(contracts.of(found, "AWS::Lambda::Function")) >= 11
    assert len(contracts.of(found, "AWS::ECS::TaskDefinition")) == 1
    assert len(list(contracts.statements(found))) > 15
    assert any("iam:PassRole" in s["Action"] for _, s in contracts.statements(found))


@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        (
            ("FeedbackQueue", "Properties", "VisibilityTimeout"),
            179,
            "FeedbackQueue: visible after 179 s, less than 6 x 30 of StoreFunction",
        ),
        (
            ("FixQueue", "Properties", "VisibilityTimeout"),
            GONE,
            "FixQueue: visible after 30 s, less than 6 x 30 of DispatchFunction",
        ),
        (
            ("ClusterNowFunction", "Properties", "Timeout"),
            301,
            "ClusterQueue: visible after 1800 s, less than 6 x 301 of ClusterNowFunction",
        ),
        (
            (
                *("StoreFunction", "Properties", "Events", "Deliveries", "Properties"),
                "FunctionResponseTypes",
            ),
            GONE,
            "StoreFunctionDeliveries: does not report single failures",
        ),
        (
            ("PublishFunction", "Properties", "Events", "Patches", "Properties", "ScalingConfig"),
            GONE,
            "PublishFunctionPatches: has no MaximumConcurrency",
        ),
        (
            ("PublishQueue", "Properties", "RedrivePolicy"),
            GONE,
            "PublishQueue: has no dead-letter queue",
        ),
        (
            ("FixDeadLetters", "Properties", "MessageRetentionPeriod"),
            345_600,
            "FixDeadLetters: keeps messages for less than two weeks",
        ),
        (("FixDeadLettersAlarm",), GONE, "FixDeadLetters: has no alarm that tells somebody"),
        (
            ("ClusterDeadLettersAlarm", "Properties", "AlarmActions"),
            [],
            "ClusterDeadLetters: has no alarm that tells somebody",
        ),
        (
            ("FeedbackDeadLettersAlarm", "Properties", "Dimensions", 0, "Value"),
            {"Fn::GetAtt": ["FeedbackQueue", "QueueName"]},
            "FeedbackDeadLetters: has no alarm that tells somebody",
        ),
        (
            ("FeedbackDeadLettersAlarm", "Properties", "Threshold"),
            100,
            "FeedbackDeadLetters: has no alarm that tells somebody",
        ),
        (
            (*DISPATCH, 0),
            allow("*", {"Ref": "TicketKey"}),
            "DispatchFunctionRole: allows *",
        ),
        (
            (*DISPATCH, 1, "Action"),
            ["ecs:RunTask", "ecs:*"],
            "DispatchFunctionRole: allows ecs:*",
        ),
        (
            ("StoreFunction", *STATEMENT, 0),
            allow(["sqs:SendMessage", "sqs:GetQueueUrl"], ["*"]),
            "StoreFunctionRole: allows sqs:SendMessage on everything",
        ),
        (
            ("StoreFunction", *STATEMENT, 0),
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            "StoreFunctionRole: allows all but something",
        ),
        (
            ("ApiFunction", "Properties", "Policies"),
            ["arn:aws:iam::aws:policy/AdministratorAccess"],
            "ApiFunctionRole: has the managed policy arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        (
            ("AgentTaskRole", "Properties", "Policies"),
            [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {"Statement": [allow("s3:GetObject", {"Ref": "Bucket"})]},
                }
            ],
            "AgentTaskRole: a task's role has a policy",
        ),
        (
            ("AgentTaskRole", "Properties", "ManagedPolicyArns"),
            ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
            "AgentTaskRole: a task's role has a policy",
        ),
        (
            ("AgentTask", "Properties", "TaskRoleArn"),
            "arn:aws:iam::123456789012:role/admin",
            "AgentTask: has a task role from elsewhere",
        ),
        (
            (*PASSES, "Resource"),
            [EVERY_ROLE],
            "DispatchFunctionRole: passes a role that is no task's",
        ),
        (
            (*PASSES, "Resource"),
            "*",
            "DispatchFunctionRole: passes a role that is no task's",
        ),
        (
            (*PASSES, "Condition"),
            GONE,
            "DispatchFunctionRole: passes roles to other services than tasks",
        ),
        (
            ("LogGroup", "Properties", "RetentionInDays"),
            GONE,
            "LogGroup: keeps logs for ever",
        ),
        (
            ("ReapFunction", "Properties", "LoggingConfig"),
            {"LogGroup": "elsewhere"},
            "ReapFunction: logs to a group without a limit",
        ),
        (
            ("AgentTask", "Properties", "ContainerDefinitions", 0, "LogConfiguration"),
            GONE,
            "AgentTask: logs to a group without a limit",
        ),
    ],
)
def test_s25_a_breach_is_named(path: tuple[Any, ...], value: Any, breach: str) -> None:
    """A template in which one thing is wrong fails for that one, by name."""
    assert breach in broken(path, value)


def test_s25_a_new_queue_needs_its_dead_letters() -> None:
    """What is added later is held to the same rules."""
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    assert added(Notes=queue) == ["Notes: has no dead-letter queue"]


@pytest.mark.parametrize(
    ("kind", "attachment"),
    [
        ("AWS::IAM::Policy", {"Roles": [{"Ref": "AgentTaskRole"}]}),
        ("AWS::IAM::ManagedPolicy", {"Roles": [{"Ref": "AgentTaskRole"}]}),
        ("AWS::IAM::RolePolicy", {"RoleName": {"Ref": "AgentTaskRole"}}),
    ],
)
def test_s25_a_policy_on_its_own_counts_too(kind: str, attachment: dict[str, Any]) -> None:
    """A policy that is attached from outside is noticed, and so are its statements."""
    document = {"Statement": [allow("s3:PutObject", "*")]}
    policy = {
        "Type": kind,
        "Properties": {"PolicyName": "p", "PolicyDocument": document, **attachment},
    }
    assert added(Extra=policy) == [
        "Extra: allows s3:PutObject on everything",
        "Extra: is attached to a task's role",
    ]


def test_the_command_names_each_breach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run on a broken template it fails, one line for each breach."""
    changed = template()
    del changed["Resources"]["LogGroup"]["Properties"]["RetentionInDays"]
    changed["Resources"]["FixQueue"]["Properties"]["VisibilityTimeout"] = 5
    (tmp_path / "template.yaml").write_text(json.dumps(changed))
    monkeypatch.setattr(contracts, "ROOT", tmp_path)
    assert contracts.main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["FixQueue", "LogGroup"]
