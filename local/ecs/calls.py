"""The ECS calls: RunTask with its idempotency, and the calls that follow a task."""

import json
import time

from starlette.requests import Request

from local.aws import ACCOUNT, Args, AwsError, NotEmulatedError, Result
from local.ecs import task as tasks
from local.ecs.definitions import Definition, Definitions
from local.ecs.runner import Runner
from local.ecs.store import Store

MAX_OVERRIDES = 8_192
_FARGATE = {"FARGATE", "FARGATE_SPOT"}
_OVERRIDES = {"containerOverrides"}
_CONTAINER_OVERRIDES = {"name", "environment"}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


class Ecs:
    """One account's Fargate tasks in one region; any cluster's name is taken as there."""

    def __init__(self, store: Store, runner: Runner, definitions: Definitions, region: str) -> None:
        self._store = store
        self._runner = runner
        self._definitions = definitions
        self._prefix = f"arn:aws:ecs:{region}:{ACCOUNT}"

    def _cluster(self, args: Args) -> str:
        name = (args.get("cluster") or "default").rpartition("/")[2]
        return f"{self._prefix}:cluster/{name}"

    def _arn(self, args: Args, task: str) -> str:
        """The ARN of a task given by ARN or id."""
        if task.startswith("arn:"):
            return task
        return f"{self._cluster(args).replace(':cluster/', ':task/')}/{task}"

    async def run_task(self, args: Args, request: Request) -> Result:
        cluster = self._cluster(args)
        definition = self._definitions.find(args.get("taskDefinition") or "")
        _check_run(args, definition)
        fault = request.state.fault
        if "failures" in fault:
            return {"tasks": [], "failures": fault["failures"]}
        token = args.get("clientToken")
        parameters = {name: value for name, value in args.items() if name != "clientToken"}
        if token and (asked := self._store.asked(cluster, token)):
            return self._again(parameters, *asked)
        count = args.get("count") or 1
        created = [tasks.new(definition, args, cluster, time.time()) for _ in range(count)]
        self._store.add(created, definition.family, token, parameters)
        for task in created:
            self._runner.begin(task, definition, fault.get("start"))
        return {"tasks": created, "failures": []}

    def _again(self, parameters: Args, earlier: Args, arns: list[str]) -> Result:
        """What a repeated client token gets: the tasks it already made, or a conflict."""
        if parameters != earlier:
            raise AwsError(
                "ConflictException",
                "The request has the client token of an earlier request with other parameters.",
                details={"resourceIds": arns},
            )
        return {"tasks": [self._store.find(arn) for arn in arns], "failures": []}

    async def describe_tasks(self, args: Args, _: Request) -> Result:
        asked = args.get("tasks") or []
        if not 1 <= len(asked) <= 100:
            raise _invalid("Tasks cannot be empty, nor more than 100.")
        found: list[tasks.Task] = []
        failures = []
        for each in asked:
            arn = self._arn(args, each)
            task = self._store.find(arn)
            if task and task["clusterArn"] == self._cluster(args):
                found.append(task)
            else:
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"tasks": found, "failures": failures}

    async def stop_task(self, args: Args, _: Request) -> Result:
        task = self._store.find(self._arn(args, args.get("task") or ""))
        if task is None or task["clusterArn"] != self._cluster(args):
            raise _invalid("The referenced task was not found.")
        return {"task": self._runner.end(task, args.get("reason") or "Task stopped by user")}

    async def list_tasks(self, args: Args, _: Request) -> Result:
        limit = args.get("maxResults") or 100
        token = args.get("nextToken") or "-1"
        if not 1 <= limit <= 100 or not token.removeprefix("-").isdecimal():
            raise _invalid("maxResults is from 1 to 100, and nextToken comes from an answer.")
        wanted = {
            "cluster": self._cluster(args),
            "desired": args.get("desiredStatus") or "RUNNING",
            "family": args.get("family"),
            "started_by": args.get("startedBy"),
        }
        given = {column: value for column, value in wanted.items() if value}
        found = self._store.numbered(given, int(token), limit + 1)
        answer: Result = {"taskArns": [arn for _, arn in found[:limit]]}
        return answer | ({"nextToken": str(found[limit - 1][0])} if len(found) > limit else {})


def _check_run(args: Args, definition: Definition) -> None:
    """Refuse what Fargate would refuse, and what is not emulated."""
    providers = {each["capacityProvider"] for each in args.get("capacityProviderStrategy") or []}
    if not (providers or {args.get("launchType") or "EC2"}) <= _FARGATE:
        raise NotEmulatedError("RunTask on anything but Fargate")
    network = (args.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if not network.get("subnets"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if not 1 <= (args.get("count") or 1) <= 10:
        raise _invalid("count is from 1 to 10.")
    if len(args.get("clientToken") or "") > 64:
        raise _invalid("clientToken has at most 64 characters.")
    _check_overrides(args.get("overrides") or {}, definition)


def _check_overrides(overrides: Args, definition: Definition) -> None:
    containers = overrides.get("containerOverrides") or []
    unknown = set(overrides) - _OVERRIDES
    unknown |= {name for each in containers for name in each} - _CONTAINER_OVERRIDES
    if unknown:
        raise NotEmulatedError(f"RunTask overriding {', '.join(sorted(unknown))}")
    for each in containers:
        if each.get("name") != definition.container:
            raise _invalid(
                f"Override for container named {each.get('name')} is not a container in the "
                "TaskDefinition."
            )
    if len(json.dumps(overrides)) > MAX_OVERRIDES:
        raise _invalid(f"Container Overrides length must be at most {MAX_OVERRIDES}")
