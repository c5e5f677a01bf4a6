from pathlib import Path
from typing import Any

import pytest

from local.lambdas import Places, Stack, load
from local.lambdas.event_pattern import matches
from tests.local.lambdas_support import function, http, project

PLACES = Places(api_url="http://127.0.0.1:8000", sqs_url="http://127.0.0.1:9324")
QUEUE_URL = "http://127.0.0.1:9324/123456789012"


def stack_of(
    folder: Path,
    resources: dict[str, Any],
    parameters: dict[str, str] | None = None,
    **sections: Any,
) -> Stack:
    return load(project(folder, resources, **sections), parameters or {}, PLACES)


def environment(
    folder: Path, value: Any, resources: dict[str, Any] | None = None, **sections: Any
) -> Any:
    """What one environment variable of a function becomes."""
    variables = {"Environment": {"Variables": {"VALUE": value}}}
    resources = {"F": function(folder, "f", "", **variables), **(resources or {})}
    stack = stack_of(folder, resources, **sections)
    return stack.functions["F"].environment.get("VALUE")


RESOURCES = {
    "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {}},
    "Logs": {"Type": "AWS::S3::Bucket"},
    "Key": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "app/key"}},
    "Cluster": {"Type": "AWS::ECS::Cluster"},
    "Subnet": {"Type": "AWS::EC2::Subnet"},
    "Group": {"Type": "AWS::EC2::SecurityGroup"},
    "Api": {"Type": "AWS::Serverless::HttpApi"},
    "Task": {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": "fix",
            "ContainerDefinitions": [
                {
                    "Name": "agent",
                    "Image": "agent:1",
                    "Environment": [{"Name": "API", "Value": {"Fn::GetAtt": "Api.ApiEndpoint"}}],
                }
            ],
        },
    },
}
PARAMETERS = {
    "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
    "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
}
CONDITIONS = {
    "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
    "Dev": {"Fn::Not": [{"Condition": "Prod"}]},
    "Both": {"Fn::And": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
    "Either": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "5"),
        (True, "true"),
        ({"Ref": "Jobs"}, f"{QUEUE_URL}/Jobs"),
        ({"Fn::GetAtt": ["Jobs", "Arn"]}, "arn:aws:sqs:us-east-1:123456789012:Jobs"),
        ({"Ref": "Logs"}, "logs"),
        ({"Fn::GetAtt": "Logs.Arn"}, "arn:aws:s3:::logs"),
        ({"Ref": "Key"}, "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/key"),
        ({"Ref": "Cluster"}, "Cluster"),
        ({"Fn::GetAtt": "Cluster.Arn"}, "arn:aws:ecs:us-east-1:123456789012:cluster/Cluster"),
        ({"Ref": "Task"}, "arn:aws:ecs:us-east-1:123456789012:task-definition/fix:1"),
        ({"Fn::Join": [",", [{"Ref": "Subnet"}, {"Fn::GetAtt": "Group.GroupId"}]]}, "Subnet,Group"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::Sub": "${Stage}-${Jobs.QueueName}-${!left}"}, "dev-Jobs-${left}"),
        ({"Fn::Sub": ["${A}/${Stage}", {"A": {"Ref": "Logs"}}]}, "logs/dev"),
        ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"),
        ({"Fn::Select": ["1", {"Ref": "Names"}]}, "b"),
        ({"Fn::If": ["Prod", "p", {"Fn::If": ["Either", "e", "n"]}]}, "e"),
        ({"Fn::If": ["Both", "both", {"Ref": "AWS::NoValue"}]}, None),
        (
            {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/x"},
            "http://127.0.0.1:8000/x",
        ),
    ],
)
def test_environment_values_become_local(tmp_path: Path, value: Any, expected: Any) -> None:
    """Every intrinsic in use resolves to what a function can reach from this machine."""
    sections = {"Parameters": PARAMETERS, "Conditions": CONDITIONS}
    assert environment(tmp_path, value, RESOURCES, **sections) == expected


def test_a_given_parameter_replaces_the_default(tmp_path: Path) -> None:
    """Parameters count as given, and a resource whose condition is false is not there."""
    stack = stack_of(
        tmp_path,
        {
            "F": function(tmp_path, "f", "", FunctionName={"Fn::Sub": "f-${Stage}"}),
            "Q": {"Type": "AWS::SQS::Queue", "Condition": "Dev"},
        },
        {"Stage": "prod"},
        Parameters=PARAMETERS,
        Conditions=CONDITIONS,
    )
    assert stack.functions["F"].arn == "arn:aws:lambda:us-east-1:123456789012:function:f-prod"
    assert stack.queues == {}


def test_functions_keep_their_folders_and_limits(tmp_path: Path) -> None:
    """Code and layer folders, globals and reserved concurrency arrive as written."""
    (tmp_path / "built" / "python").mkdir(parents=True)
    (tmp_path / "layers" / "common").mkdir(parents=True)
    layer = {"Type": "AWS::Serverless::LayerVersion"}
    stack = stack_of(
        tmp_path,
        {
            "Plain": layer | {"Properties": {"ContentUri": "layers/common"}},
            "Built": layer | {"Properties": {"ContentUri": "./built/"}},
            "F": function(
                tmp_path,
                "f",
                "",
                Layers=[{"Ref": "Plain"}, {"Ref": "Built"}],
                MemorySize=512,
                ReservedConcurrentExecutions=3,
                LoggingConfig={"LogFormat": "JSON"},
            ),
        },
    )
    made = stack.functions["F"]
    assert made.code == tmp_path / "functions/f"
    assert made.layers == (tmp_path / "layers/common", tmp_path / "built/python")
    assert (made.handler, made.timeout, made.memory) == ("app.handler", 20, 512)
    assert (made.concurrency, made.retries) == (3, 2)
    assert (made.log_format, made.log_level) == ("JSON", "INFO")


def test_events_become_what_invokes_a_function(tmp_path: Path) -> None:
    """Routes, SQS mappings, both kinds of schedule and event rules are read."""
    queue = {"Fn::GetAtt": ["Jobs", "Arn"]}
    events = {
        "Route": http("POST", "/jobs/{id}"),
        "Any": http("ANY", "/{proxy+}"),
        "Queue": {
            "Type": "SQS",
            "Properties": {
                "Queue": queue,
                "BatchSize": 20,
                "MaximumBatchingWindowInSeconds": 2,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 3},
            },
        },
        "Old": {
            "Type": "Schedule",
            "Properties": {"Schedule": "rate(1 minute)", "Input": '{"a":1}'},
        },
        "New": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(2 hours)"}},
        "Off": {
            "Type": "ScheduleV2",
            "Properties": {"ScheduleExpression": "rate(2 hours)", "State": "DISABLED"},
        },
        "Rule": {
            "Type": "EventBridgeRule",
            "Properties": {
                "Pattern": {
                    "source": ["aws.ecs"],
                    "detail": {"clusterArn": [{"Fn::GetAtt": "Cluster.Arn"}]},
                }
            },
        },
    }
    dead = {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 1209600}}
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": "Dead.Arn"}, "maxReceiveCount": 3}
    jobs = {"VisibilityTimeout": 120, "RedrivePolicy": redrive, "SqsManagedSseEnabled": True}
    stack = stack_of(
        tmp_path,
        {
            "Dead": dead,
            "Cluster": RESOURCES["Cluster"],
            "Jobs": {"Type": "AWS::SQS::Queue", "Properties": jobs},
            "F": function(
                tmp_path,
                "f",
                "",
                Events=events,
                EventInvokeConfig={
                    "MaximumRetryAttempts": 1,
                    "DestinationConfig": {
                        "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": "Dead.Arn"}}
                    },
                },
            ),
        },
    )
    assert {route.key for route in stack.routes} == {"POST /jobs/{id}", "ANY /{proxy+}"}
    (mapping,) = stack.sqs_mappings
    assert (mapping.queue, mapping.function, mapping.batch_size) == ("Jobs", "F", 20)
    assert (mapping.window, mapping.report_failures, mapping.concurrency) == (2, True, 3)
    assert {(s.source, s.period, str(s.input)) for s in stack.schedules} == {
        ("aws.events", 60, "{'a': 1}"),
        ("aws.scheduler", 7200, "None"),
    }
    (rule,) = stack.rules
    assert rule.functions == ("F",)
    assert rule.pattern["detail"] == {
        "clusterArn": ["arn:aws:ecs:us-east-1:123456789012:cluster/Cluster"]
    }
    assert stack.queues["Jobs"].attributes == {
        "VisibilityTimeout": "120",
        "RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:Dead", '
        '"maxReceiveCount": 3}',
    }
    assert stack.queues["Dead"].retention == 1209600
    made = stack.functions["F"]
    assert (made.retries, made.failure_envelope) == (1, True)
    assert made.failures_to == stack.queues["Dead"].arn


def test_a_task_definition_has_its_container(tmp_path: Path) -> None:
    """Family, container, image and environment of an ECS task are read."""
    stack = stack_of(tmp_path, {"F": function(tmp_path, "f", ""), **RESOURCES})
    (task,) = stack.tasks
    assert (task.family, task.container, task.image) == ("fix", "agent", "agent:1")
    assert task.environment == {"API": "http://127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ({"source": ["a", "b"]}, True),
        ({"source": ["a"]}, False),
        ({"detail": {"state": ["STOPPED"], "group": [{"prefix": "fix:"}]}}, True),
        ({"detail": {"state": [{"prefix": "RUN"}]}}, False),
        ({"detail": {"absent": ["x"]}}, False),
        ({"resources": ["r2"]}, True),
        ({"detail": {"exit": [0]}}, True),
        ({"detail": {"exit": [False]}}, False),
    ],
)
def test_event_patterns_match_as_the_bus_does(pattern: Any, hit: Any) -> None:
    """Every field of the pattern must have one of its values in the event."""
    event = {
        "source": "b",
        "resources": ["r1", "r2"],
        "detail": {"state": "STOPPED", "group": "fix:1", "exit": 0},
    }
    assert matches(pattern, event) is hit
