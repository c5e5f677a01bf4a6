"""One normal form for everything that anybody reports."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal

from soulcaster.rules import ids
from soulcaster.rules.text import embedding_text

Severity = Literal["fatal", "error", "warning", "info"]
# Whose ids are unique at the vendor; those of any other kind are so within one source only.
VENDOR_WIDE: Final = frozenset({"sentry", "github", "reddit"})
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "fatal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person or program reported, in the form everything else works with.

    Times are milliseconds since 1970 in UTC. ``version`` orders the states of one item
    that its source sent over time: whatever order they arrive in, the highest ``(rank,
    version)`` is what is kept. ``text`` is what is embedded: the words without markup and
    without any label of ours, so no language is favoured.
    """

    project: str
    source: str  # the kind: sentry, github, reddit, standard
    source_id: str
    channel: str  # where it was said, in the source's words: a subreddit, a repository, "email"
    external_id: str
    title: str
    body: str
    author: str | None
    url: str | None
    severity: Severity | None
    occurrences: int
    created_at: int
    received_at: int
    version: int
    rank: int = 0  # a richer view of the same thing outranks a newer thin one
    open: bool = True  # false when its source says that it is settled
    open_at: int | None = None  # when that was so, where ``version`` does not tell
    occurrence_id: str | None = None  # counts once, however often it is delivered
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The item's id: the same for every delivery of it."""
        space = self.source if self.source in VENDOR_WIDE else self.source_id
        return ids.feedback_id(self.project, space, self.external_id)

    @property
    def text(self) -> str:
        """What is embedded: title, a blank line and the body, cut."""
        return embedding_text(self.title, self.body)

    @property
    def document(self) -> str:
        """The stored JSON; equal content gives equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @property
    def text_hash(self) -> str:
        """Changes when, and only when, the item must be embedded again."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
