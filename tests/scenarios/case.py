"""What a handler is given to do, and how it is asked again when it did not get it done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.support import seeds
from tests.support.state import State
from tests.support.world import World


def nothing(world: World, done: bool) -> None:
    """No other recovery than the delivery."""
    del world, done


def whole(left: State) -> State:
    """All of the state has to be equal."""
    return left


@dataclass(frozen=True)
class Case:
    """``arrange`` returns the repository to look at, '' for none; ``deliver`` whether it was done.

    ``ends`` is the ``summary`` of what an undisturbed run leaves. ``recover`` is what the design
    has beside another delivery; it is told whether the last one was done. ``view`` is what has
    to be equal in the end.
    """

    name: str
    arrange: Callable[[World], str]
    deliver: Callable[[World], bool]
    ends: Mapping[str, int]
    recover: Callable[[World, bool], None] = nothing
    view: Callable[[State], State] = whole


def summary(left: State) -> dict[str, int]:
    """The counters, and how much there is of everything else."""
    counts: dict[str, str] = left.redis.get(f"p:{seeds.PROJECT}:counts", {})
    resolved = left.redis.get(f"p:{seeds.PROJECT}:cls:resolved", {})
    plans = [value for key, value in left.redis.items() if key.endswith(":plans")]
    queues = {name: len(messages) for name, messages in left.queues.items()}
    others = {
        "vectors": sum(map(len, left.vectors.values())),
        "branches": len(left.branches),
        "pulls": len(left.pulls),
        "tasks": len(left.tasks),
        "resolved": len(resolved),
        "plans": sum(map(len, plans)),
    }
    counted = {name: int(n) for name, n in counts.items()}
    return {name: n for name, n in {**counted, **queues, **others}.items() if n}


def from_queue(queue: str) -> Callable[[World], bool]:
    """The consumer of a queue gets a batch, again for as long as there is one."""

    def deliver(world: World) -> bool:
        delivery = world.deliver(queue)
        return delivery is None or not (delivery.result.error or delivery.failed)

    return deliver
