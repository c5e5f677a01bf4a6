"""How much a referee may be asked about a project's doubtful items."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """``per_day`` pairs of items on ``day``, and up to ``at_once`` of them by one batch."""

    day: int = 0
    per_day: int = 0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """So many pairs of a day's."""

    day: int = 0
    pairs: int = 0


NO_QUOTA = Quota()
NO_GRANT = Grant()
