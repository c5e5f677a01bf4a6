"""Labelled feedback, each row as the product would have it after its source had sent it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.demo import feedback_file, senders
from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback, Severity
from soulcaster.rules.payload import Unreadable, milliseconds
from soulcaster.rules.source import Source

# When rows without a time of their own were received: always the same, so that runs are too.
RECEIVED = 946_684_800_000
SECRET = "whsec_YmVuY2htYXJr"
# The sample's labels for what is about no problem: two of these have nothing in common.
ALONE = {"noise", "hostile"}

type Signed = tuple[bytes, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled item. Rows with the same ``label`` belong together.

    ``source``, ``channel``, ``title``, ``created_at`` (ms) and ``severity`` are those of the
    ``Feedback`` that the source's normaliser makes; ``text`` is what production embeds.
    ``kind`` is the file's word for the set, '' when it has none.
    """

    id: str
    label: str
    source: str
    channel: str
    kind: str
    title: str
    text: str
    created_at: int
    severity: Severity | None = None


def load(file: Path) -> list[Row]:
    """The rows of a JSON Lines file (gzipped or not), in its order.

    Raises ``OSError``, and ``ValueError`` naming the row that has no label or that the
    product would refuse.
    """
    return [_row(row, file) for row in feedback_file.read(file)]


def _row(row: Mapping[str, Any], file: Path) -> Row:
    where = f"{file}: row {row['id']!r}"
    label = _label(row)
    if label is None:
        raise ValueError(f"{where} has no label")
    try:
        item = feedback(row)
    except Unreadable as error:
        raise ValueError(f"{where} would be refused: {error}") from error
    return Row(
        id=str(row["id"]),
        label=label,
        source=item.source,
        channel=item.channel,
        kind=str(row.get("kind") or ""),
        title=item.title,
        text=item.text,
        created_at=item.created_at,
        severity=item.severity,
    )


def _label(row: Mapping[str, Any]) -> str | None:
    if row.get("label") is not None:
        return str(row["label"])
    bug = row.get("bug")
    return f"{bug}:{row['id']}" if bug in ALONE else bug


def feedback(row: Mapping[str, Any]) -> Feedback:
    """The row after it came in by its source's own way; by Standard Webhooks if it has none.

    Raises ``Unreadable``.
    """
    name = row.get("source")
    kind = name if name == "reddit" or name in senders.SENT else "standard"
    body, headers = _reddit(row) if kind == "reddit" else _sent(row, kind)
    source = Source(id=f"src_benchmark_{kind}", project="benchmark", kind=kind, name=kind)
    found = delivery.read(
        Delivery(
            project=source.project,
            source_id=source.id,
            source=source,
            headers=headers,
            body=body,
            received_at=RECEIVED,
        ),
        source,
    )
    if isinstance(found, str) or not isinstance(found[0], Feedback):
        raise Unreadable("source", str(found))
    return found[0]


def _sent(row: Mapping[str, Any], kind: str) -> Signed:
    # GitHub's issues always have a time.
    at = row.get("created_at") or ("2000-01-01T00:00:00Z" if kind == "github" else None)
    return senders.SENT[kind]({**row, "created_at": at}, SECRET)


def _reddit(row: Mapping[str, Any]) -> Signed:
    at = row.get("created_at")
    submission = {
        "id": str(row["id"]).removeprefix("t3_"),
        "subreddit": (row.get("extra") or {}).get("subreddit", "larder"),
        "title": senders.title(row),
        "selftext": row.get("text"),
        "author": row.get("author"),
        "created_utc": (milliseconds(at, "created_at") if at else RECEIVED) / 1000,
        "edited": False,
    }
    return json.dumps(submission).encode(), {}
