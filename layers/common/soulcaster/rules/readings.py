"""What a delivery may hold besides feedback itself: what was said about an item, or became of it.

Each names the item by its id. Any of them may come before the item does, more than once and in
any order: what is stored in the end is the same.
"""

from dataclasses import dataclass

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.pull_news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something that was said about an item later: a comment. Times are ms since 1970 in UTC.

    ``id`` is the source's own, unique for the item. ``reports`` says whether its author reports the
    problem too, and so counts beside the item's own author; a maintainer who answers does not. The
    highest ``version`` counts, and ``gone`` is one that was deleted.
    """

    project: str
    about: str
    id: str
    author: str | None
    body: str
    url: str | None
    at: int
    version: int
    received_at: int
    reports: bool = True
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Its source says that an item is settled. Makes no item of what was never reported."""

    project: str
    about: str
    at: int
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """An item was deleted where it came from: nothing of it is kept, and it never comes back."""

    project: str
    about: str
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An item is called ``to`` at its source from now on, and stays the item ``about`` here."""

    project: str
    about: str
    to: str
    received_at: int


type About = Evidence | Settled | Withdrawn | Moved
type Reading = Feedback | About | News
