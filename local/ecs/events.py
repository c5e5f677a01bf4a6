"""Delivery of task state changes: at least once, in order for each task."""

import asyncio
from typing import Any

import httpx

from local.aws import log
from local.ecs.store import Store

TIMEOUT = 10
PAUSES = (0.2, 0.5, 1, 2, 4)


class Courier:
    """Posts the store's events to ``url``; what fails for some seconds is logged and dropped."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self._rounds: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Deliver what an earlier life of the emulator left."""
        for arn in self._store.tasks_with_events():
            self.call(arn)

    def call(self, arn: str) -> None:
        """See that the events of a task get delivered."""
        if arn not in self._rounds:
            self._rounds[arn] = asyncio.create_task(self._round(arn))

    async def stop(self) -> None:
        for each in self._rounds.values():
            each.cancel()
        await asyncio.gather(*self._rounds.values(), return_exceptions=True)

    async def _round(self, arn: str) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            while found := self._store.next_event(arn):
                number, event = found
                await self._deliver(client, event)
                self._store.drop_event(number)
            # Without a pause since the last look: an event after it starts a new round.
            del self._rounds[arn]

    async def _deliver(self, client: httpx.AsyncClient, event: dict[str, Any]) -> None:
        detail = event["detail"]
        name = f"the event {detail['lastStatus']} of {detail['taskArn']}"
        for pause in (*PAUSES, None):
            try:
                (await client.post(self._url, json=event)).raise_for_status()
            except httpx.HTTPError as error:
                if pause is None:
                    log("ecs", f"{name} is lost: {error!r}")
                    return
                log("ecs", f"{name} was not taken: {error!r}")
                await asyncio.sleep(pause)
            else:
                return
