"""The ECS emulator as an application: its calls, and what starts and ends with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from local.aws import Faults, calls_of, json_app
from local.ecs.calls import Ecs
from local.ecs.definitions import Definitions
from local.ecs.events import Courier
from local.ecs.runner import Runner
from local.ecs.store import Store

_RUN = """cluster taskDefinition count launchType capacityProviderStrategy platformVersion
    networkConfiguration overrides startedBy group clientToken tags propagateTags
    enableECSManagedTags"""


def app(
    state: Path,
    definitions: Mapping[str, Any],
    *,
    events: str | None = None,
    grace: float = 10,
    region: str = "us-east-1",
) -> Starlette:
    """The emulator with its tasks in folder ``state``; see ``Definitions`` for their form.

    State changes are posted to ``events``. Tasks end with the application.
    """
    store = Store(state)
    courier = Courier(store, events) if events else None
    runner = Runner(store, courier, state, grace)
    ecs = Ecs(store, runner, Definitions(definitions, region), region)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await runner.start()
        if courier:
            courier.start()
        yield
        await runner.stop()
        if courier:
            await courier.stop()

    calls = calls_of(
        [
            ("RunTask", ecs.run_task, _RUN),
            ("DescribeTasks", ecs.describe_tasks, "cluster tasks include"),
            ("StopTask", ecs.stop_task, "cluster task reason"),
            (
                "ListTasks",
                ecs.list_tasks,
                "cluster family startedBy desiredStatus maxResults nextToken",
            ),
        ]
    )
    faults = Faults("ecs", frozenset(calls), frozenset({"failures", "start"}))
    target = "AmazonEC2ContainerServiceV20141113"
    return json_app("ecs", target, "1.1", calls, faults, lifespan)
