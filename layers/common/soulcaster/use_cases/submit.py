"""Take in one item that a person typed, or that a script reports."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from soulcaster.edges.intake import Intake
from soulcaster.edges.queues import Queue
from soulcaster.rules import built_in, delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.quota import Over, over
from soulcaster.rules.reported import SENDER


class Off(Exception):  # noqa: N818 - an answer
    """The project takes nothing in by this source."""


class Full(Exception):  # noqa: N818 - an answer
    """There is no room for now; ``over`` says why, and when to ask again."""

    def __init__(self, found: Over) -> None:
        super().__init__(found.why)
        self.over = found


class Ignored(Exception):  # noqa: N818 - an answer
    """The source's filters keep it out; the message tells why."""


def submit(
    project: str,
    kind: Literal["form", "api"],
    item: Mapping[str, Any],
    sender: str,
    *,
    intake: Intake,
    queue: Queue,
    now: int,
) -> str | None:
    """Put an item on the queue that webhooks' go by; returns its feedback id, None without project.

    One round trip and one message. ``item`` is as ``soulcaster.rules.reported`` has it; without an
    id it gets one. ``sender`` is the id of a person or a key. Raises ``Off``, ``Full``, ``Ignored``
    and ``Unreadable``, and then nothing is queued; ``RedisError`` and ``QueueError``.
    """
    door = intake.look(built_in.source(project, kind), now)
    if door is None:
        return None
    if not door.source.enabled:
        raise Off(f"the source {door.source.id} is switched off")
    given = {"id": secrets.token_hex(16), **item}
    accepted = Delivery(
        project=project,
        source_id=door.source.id,
        source=door.source,
        headers={SENDER: sender},
        body=json.dumps(given).encode(),
        received_at=now,
    )
    found = delivery.read(accepted, door.source)
    if full := over(door.standing, now):
        raise Full(full)
    if isinstance(found, str):
        raise Ignored(found)
    (reading,) = found
    if not isinstance(reading, Feedback):
        raise TypeError(f"{kind} gives feedback only")
    queue.send(accepted.message())
    return reading.id
