"""What can be seen and done from outside of the product: ECS's calls, and what Redis holds."""

from datetime import UTC, datetime
from typing import Any

import httpx

from local.cloud import Cloud
from local.parameters import REGION

CLUSTER = "AgentCluster"  # as the template calls it
# Sets and sorted sets that hold a job while it holds something up.
HOLDING = (
    ("SCARD", "sys:slots", "slots of the installation"),
    ("ZCARD", "sys:jobs", "jobs for the reaper"),
    ("ZCARD", "sys:waiting", "projects that wait for a slot"),
)


class Outside:
    """An operator's look at ECS and Redis. Every method may raise ``httpx.HTTPError``."""

    def __init__(self, cloud: Cloud) -> None:
        self._client = httpx.Client(timeout=30, trust_env=False)
        self._ecs_url, self._redis_url = cloud.addresses.ecs, cloud.addresses.redis
        self._token = cloud.credentials.redis

    def stop_task(self, job: str, attempt: int) -> bool:
        """Stop the attempt's task as an operator would; False when it has none that runs."""
        found: list[str] = self._ecs("ListTasks", startedBy=f"{job}/{attempt}")["taskArns"]
        for task in found:
            self._ecs("StopTask", task=task, reason="Stopped by an operator")
        return bool(found)

    def tasks_left(self) -> list[str]:
        """Tasks that have not stopped."""
        listed = [
            arn
            for wanted in ("RUNNING", "STOPPED")
            for arn in self._ecs("ListTasks", desiredStatus=wanted)["taskArns"]
        ]
        if not listed:
            return []
        tasks = self._ecs("DescribeTasks", tasks=listed)["tasks"]
        return [task["taskArn"] for task in tasks if task["lastStatus"] != "STOPPED"]

    def held(self, projects: list[str]) -> list[str]:
        """What is still held in Redis: slots, places in a line, dollars that are set aside."""
        found = [f"{what}: {n}" for call, key, what in HOLDING if (n := self._redis(call, key))]
        today = datetime.now(UTC).date().isoformat()
        for project in projects:
            if count := self._redis("SCARD", f"p:{project}:slots"):
                found.append(f"{project}: slots: {count}")
            dollars = self._redis("HGET", f"p:{project}:spend:{today}", "reserved")
            if int(dollars or 0):
                found.append(f"{project}: set aside: {dollars} µ$")
        return found

    def _ecs(self, call: str, **given: Any) -> dict[str, Any]:
        scope = f"local/20000101/{REGION}/ecs/aws4_request"
        answer = self._client.post(
            self._ecs_url,
            headers={
                "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{call}",
                "authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
            },
            json={"cluster": CLUSTER, **given},
        )
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def _redis(self, *command: str) -> Any:
        headers = {"authorization": f"Bearer {self._token}"}
        answer = self._client.post(self._redis_url, headers=headers, json=command)
        return answer.raise_for_status().json()["result"]
