"""What a template may not ask of the local runner."""

from pathlib import Path
from typing import Any

import pytest

from local.lambdas import Places, load
from local.lambdas.intrinsics import NotSupportedError
from tests.local.lambdas_support import function, project

RESOURCES = {
    "Jobs": {"Type": "AWS::SQS::Queue"},
    "Logs": {"Type": "AWS::S3::Bucket"},
}
PARAMETERS = {
    "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
    "Names": {"Type": "CommaDelimitedList", "Default": "a, b", "AllowedPattern": "[a-z, ]+"},
}


def scheduled(expression: str) -> dict[str, Any]:
    return {"S": {"Type": "Schedule", "Properties": {"Schedule": expression}}}


def ruled(pattern: dict[str, Any]) -> dict[str, Any]:
    return {"R": {"Type": "EventBridgeRule", "Properties": {"Pattern": pattern}}}


def polled(**properties: Any) -> dict[str, Any]:
    return {"Q": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": "Jobs.Arn"}, **properties}}}


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"Events": scheduled("cron(0 8 * * ? *)")}, "only rate"),
        ({"Events": ruled({"source": [{"anything-but": "x"}]})}, "anything-but"),
        ({"Events": ruled({"$or": [{"source": ["a"]}]})}, "or"),
        ({"Events": polled(BatchSize=11)}, "MaximumBatchingWindowInSeconds"),
        ({"Events": polled(FilterCriteria={"Filters": [{"Pattern": "{}"}]})}, "FilterCriteria"),
        ({"CodeUri": "s3://bucket/key"}, "local folder"),
        ({"CodeUri": {"Bucket": "b", "Key": "k"}}, "local folder"),
        ({"Runtime": "nodejs22.x"}, "runtime"),
        ({"Layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"]}, "elsewhere"),
        ({"CodeUri": "functions/other"}, "no such folder"),
        ({"AutoPublishAlias": "live"}, "AWS::Lambda::"),
        ({"FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/a"}]}, "FileSystemConfigs"),
        ({"Environment": {"Variables": {"A": {"Fn::ImportValue": "x"}}}}, "ImportValue"),
        ({"Environment": {"Variables": {"A": {"Fn::GetAtt": "Logs.WebsiteURL"}}}}, "WebsiteURL"),
        ({"Environment": {"Variables": {"A": {"Ref": "Nobody"}}}}, "Nobody"),
        ({"Environment": {"Variables": {"A": "{{resolve:ssm:x}}"}}}, "resolve"),
    ],
)
def test_what_can_only_be_guessed_is_refused(
    tmp_path: Path, properties: Any, complaint: Any
) -> None:
    """A function that needs what the runner lacks stops the start and names the reason."""
    resources = {**RESOURCES, "F": function(tmp_path, "f", "", **properties)}
    with pytest.raises(NotSupportedError, match=complaint):
        load(project(tmp_path, resources), {}, Places())


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        (
            {"Type": "AWS::Serverless::HttpApi", "Properties": {"CorsConfiguration": True}},
            "x-amazon-apigateway-cors",
        ),
        ({"Type": "AWS::DynamoDB::Table"}, "AWS::DynamoDB::Table does not run locally"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}, "FifoQueue"),
        (
            {"Type": "AWS::Serverless::HttpApi", "Properties": {"StageName": "prod"}},
            "stage other than",
        ),
    ],
)
def test_resources_that_do_not_run_here_are_refused(
    tmp_path: Path, resource: Any, complaint: Any
) -> None:
    """A resource with an effect that the runner lacks stops the start."""
    with pytest.raises(NotSupportedError, match=complaint):
        load(project(tmp_path, {"X": resource}), {}, Places())


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"Stage": "test"}, "allowed"),
        ({"Names": "a-b"}, "match"),
        ({"Other": "x"}, "Other"),
        ({}, "Needed"),
    ],
)
def test_wrong_parameters_are_refused(tmp_path: Path, given: Any, complaint: Any) -> None:
    """A parameter that is missing, unknown or not allowed is named."""
    needed = {"Needed": {"Type": "String"}} if not given else {}
    template = project(tmp_path, RESOURCES, Parameters=PARAMETERS | needed)
    with pytest.raises(NotSupportedError, match=complaint):
        load(template, given, Places())
