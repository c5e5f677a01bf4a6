"""What sources do while people correct and the machine works."""

from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from soulcaster.edges.redis import Redis
from tests.edges.readings import comment, told, withdrawn
from tests.edges.reference import Reference
from tests.rules.samples import NOW

if TYPE_CHECKING:
    from soulcaster.edges.cluster_store import Claim, Decided


class SourcesSpeak(RuleBasedStateMachine):
    """Comments on items come, and items are deleted. All that is heard is heard at ``NOW``."""

    redis: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.model = Reference()
        self.claim: Claim | None = None
        self.decided: list[Decided] = []
        self.withdrawn: set[str] = set()
        self.comments = 0

    @rule(data=st.data(), number=st.integers(1, 3), gone=st.booleans())
    def say(self, data: st.DataObject, number: int, gone: bool) -> None:
        """Somebody says something about an item, perhaps one that is not there, or unsays it."""
        self.comments += 1
        item = data.draw(st.sampled_from([*sorted(self.model.homes), "fb_larder_none"]))
        author = data.draw(st.sampled_from([None, "ada", "Bob", "grace"]))
        said = comment(
            about=item,
            id=f"c{number}",
            author=author,
            gone=gone,
            version=self.comments,
            at=NOW,
            received_at=NOW,
        )
        told(self.redis, said)

    @precondition(lambda self: len(self.model.homes) > 3)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """An item is deleted, perhaps while the machine looks at it."""
        waiting = {one.id for one in self.decided if self.claim} - self.withdrawn
        item = data.draw(st.sampled_from(sorted({*self.model.homes, *waiting})))
        self.withdrawn.add(item)
        self.model.withdraw(item)
        told(self.redis, withdrawn(item, NOW))
