"""Which of a source's feedback a project wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulcaster.rules.feedback import SEVERITIES, Feedback, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Every condition has to hold; an empty one always does.

    One of the words in ``include`` is in title or body, and none of those in ``exclude``; letter
    case is ignored, and a word may be several. The ``severity`` is at least that, where the item
    has one. Its channel is one of ``channels``, and its author none of ``authors``.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    severity: Severity | None = None
    channels: Sequence[str] = ()
    authors: Sequence[str] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Filters":
        """The filters in their stored form."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }
        return cls(**given)

    def against(self, item: Feedback) -> str | None:
        """Why ``item`` is not wanted; None when it is."""
        said = f"{item.title}\n{item.body}".casefold()
        if self.include and not any(word.casefold() in said for word in self.include):
            return "it has none of the words that this source is filtered by"
        if any(word.casefold() in said for word in self.exclude):
            return "it has a word that this source leaves out"
        rank = SEVERITIES.index
        if self.severity and item.severity and rank(item.severity) < rank(self.severity):
            return f"its severity is below {self.severity}"
        if self.channels and item.channel.casefold() not in map(str.casefold, self.channels):
            return f"its channel {item.channel} is not one of this source's"
        if item.author and item.author.casefold() in map(str.casefold, self.authors):
            return f"what {item.author} writes is left out"
        return None
