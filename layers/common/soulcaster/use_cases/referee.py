"""Have a model judge the decisions that the grouping rule is in doubt about: so many a day."""

import logging
from collections.abc import Mapping, Sequence

from soulcaster.edges.gemini import PAIRS_PER_PROMPT, Gemini, GeminiError
from soulcaster.rules.grouping.assign import Assignment
from soulcaster.rules.referee import NO_GRANT, Grant, Quota

log = logging.getLogger(__name__)

DAY_MS = 86_400_000


class Referee:
    """What one batch may ask, and has asked.

    ``per_day`` pairs of a project may be judged in a day, none if that is 0, up to 20 in a batch.
    """

    def __init__(self, gemini: Gemini, per_day: int, now: int) -> None:
        self._gemini = gemini
        self._asked = 0
        self.quota = Quota(now // DAY_MS, per_day, PAIRS_PER_PROMPT)
        self.granted = NO_GRANT

    @property
    def unasked(self) -> Grant:
        """What of the grant is not used."""
        return Grant(self.granted.day, self.granted.pairs - self._asked)

    def verdicts(
        self, assigned: Sequence[Assignment], texts: Mapping[str, str]
    ) -> dict[tuple[str, str], bool]:
        """Whether (item, other item) are about the same, of those that are doubtful.

        The most doubtful ones when not all may be asked about, in one call at most. ``texts``: what
        items say; one without a text is not asked about. Without an answer that makes sense
        there are no verdicts.
        """
        doubtful = sorted(
            (one for one in assigned if one.id in texts and one.doubtful in texts),
            key=lambda one: (abs(one.score - one.bar), one.id),
        )[: self.unasked.pairs]
        if not doubtful:
            return {}
        self._asked += len(doubtful)
        pairs = [(one.id, one.doubtful) for one in doubtful]
        try:
            found = self._gemini.judge([(texts[one], texts[other]) for one, other in pairs])
        except GeminiError:
            # The rule's own decision is good enough.
            log.exception("not judged")
            return {}
        log.info("judged", extra={"pairs": len(pairs), "verdicts": len(found)})
        return {pairs[place]: same for place, same in found.items()}
