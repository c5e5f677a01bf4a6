"""ECS: where the coding agent runs, a Fargate task for each attempt."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Asking again would be answered the same, until somebody changes what was deployed.
_FINAL = frozenset(
    {
        *("AccessDeniedException", "BlockedException", "ClientException"),
        *("ClusterNotFoundException", "InvalidParameterException"),
        *("PlatformTaskDefinitionIncompatibilityException", "PlatformUnknownException"),
        *("UnrecognizedClientException", "UnsupportedFeatureException"),
    }
)


class TaskError(Exception):
    """No task was started, as far as is known; trying again later may help."""


class TaskRefused(TaskError):  # noqa: N818 - an outcome with a name
    """No task was started, and trying again won't help."""


class TaskEnded(TaskError):  # noqa: N818 - an outcome with a name
    """A task of this name was started before, with other settings, and has ended."""


class Tasks:
    """Starts and stops tasks of one definition on one cluster."""

    def __init__(
        self,
        *,
        cluster: str,
        definition: str,
        container: str,
        subnets: list[str],
        security_groups: list[str],
    ) -> None:
        self._cluster = cluster
        self._definition = definition
        self._container = container
        self._network: Any = {
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": security_groups,
                "assignPublicIp": "ENABLED",
            }
        }
        self._ecs = boto3.client(
            "ecs",
            config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}),
        )

    def start(self, token: str, started_by: str, environment: dict[str, str]) -> str:
        """Start the task that ``token`` (1 to 64 characters) names; returns its ARN.

        The same token starts nothing twice; where it was used before a deployment changed the
        definition, the task that it started is the answer. Raises ``TaskError``, and of its kinds
        ``TaskRefused`` and ``TaskEnded``.
        """
        try:
            answer = self._ecs.run_task(
                cluster=self._cluster,
                taskDefinition=self._definition,
                launchType="FARGATE",
                count=1,
                clientToken=token,
                startedBy=started_by,
                networkConfiguration=self._network,
                overrides={
                    "containerOverrides": [
                        {
                            "name": self._container,
                            "environment": [
                                {"name": k, "value": v} for k, v in sorted(environment.items())
                            ],
                        }
                    ]
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConflictException":
                return self._started_before(started_by)
            # Fargate's want of capacity comes as a failure, a throttling or a client's error.
            final = code in _FINAL and "capacity" not in str(error).lower()
            raise (TaskRefused if final else TaskError)(str(error)) from error
        except BotoCoreError as error:
            raise TaskError(str(error)) from error
        # RunTask answers 200 with failures and no task when there is no capacity.
        if not answer["tasks"]:
            reasons = ", ".join(str(f.get("reason")) for f in answer["failures"])
            raise TaskError(f"no task was started: {reasons or 'no reason given'}")
        return answer["tasks"][0]["taskArn"]

    def _started_before(self, started_by: str) -> str:
        try:
            found = self._ecs.list_tasks(cluster=self._cluster, startedBy=started_by)["taskArns"]
        except (BotoCoreError, ClientError) as error:
            raise TaskError(str(error)) from error
        if not found:
            raise TaskEnded(f"the task of {started_by} has ended")
        return found[0]

    def stop(self, task: str, reason: str) -> None:
        """Stop a task; one that has ended or is unknown is fine. Raises ``TaskError``."""
        try:
            self._ecs.stop_task(cluster=self._cluster, task=task, reason=reason[:255])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterException":
                raise TaskError(str(error)) from error
        except BotoCoreError as error:
            raise TaskError(str(error)) from error
