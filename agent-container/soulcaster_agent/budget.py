"""What a job may spend on its model, and what it has spent."""

import math
import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

MILLION = 1_000_000
# The most that one answer is asked for, and the least that is worth asking for.
MOST_ANSWER_TOKENS = 32_000
LEAST_ANSWER_TOKENS = 256
# Dollars asked for beyond what the next call needs: fewer questions, and little that is lost
# with a task that dies.
SLICE = 0.25


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens read and written.

    The default is what the dearest models in common use cost, so that a model
    whose price nobody has set ends a job too early and never too late.
    """

    read: float = 5.0
    written: float = 25.0

    def of(self, read: int, written: int) -> float:
        """Return the dollars for so many tokens."""
        return (read * self.read + written * self.written) / MILLION


@dataclass(frozen=True)
class Budget:
    """The most that one attempt may spend; whichever is reached first ends it."""

    dollars: float = 5.0
    tokens: int = 3_000_000


@dataclass(frozen=True)
class Spent:
    """Tokens and dollars of all model calls so far; ``calls`` that were answered."""

    calls: int = 0
    read: int = 0
    written: int = 0
    dollars: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.calls} model calls, {self.read:,} tokens read, "
            f"{self.written:,} written, ${self.dollars:.4f}"
        )


class OverBudgetError(Exception):
    """A call could go past the budget; the text is for people."""


class GrantError(Exception):
    """Whether more of the budget may be spent could not be found out; the text is for people."""


class Meter:
    """Reserves before each call and settles after it, for calls from several threads.

    What is reserved and settled stays within what was granted, which stays within the
    budget, as long as no call turns out to have used more than was reserved for it.
    """

    def __init__(self, budget: Budget, price: Price, granted: float | None = None) -> None:
        self._budget = budget
        self._price = price
        self._granted = budget.dollars if granted is None else min(granted, budget.dollars)
        self._ask: Callable[[float], float] = lambda _: 0.0
        self._turn = threading.Lock()
        self._lock = threading.Condition()
        self._reserved: dict[int, tuple[int, int]] = {}
        self._spent = Spent()
        self._exact = True
        self._next = 0

    @property
    def spent(self) -> Spent:
        """Return what all settled calls cost."""
        with self._lock:
            return self._spent

    @property
    def at_most(self) -> Spent:
        """Return the same with all that the calls under way may cost."""
        with self._lock:
            read, written = self._held()
            return Spent(self._spent.calls, read, written, self._price.of(read, written))

    @property
    def exact(self) -> bool:
        """Whether nothing of what was spent is an estimate."""
        with self._lock:
            return self._exact and not self._reserved

    @property
    def granted(self) -> float:
        """Return the dollars that may be spent without asking."""
        with self._lock:
            return self._granted

    def ask_at(self, ask: Callable[[float], float]) -> None:
        """From now on, ask there for more, one question at a time.

        It is given the dollars wanted in all and returns those that are granted in all;
        it may raise GrantError, which ``reserve`` passes on. Until then nobody grants more.
        """
        self._ask = ask

    def grant(self, dollars: float) -> None:
        """Raise what may be spent, at most to the budget; it is never lowered."""
        with self._lock:
            self._granted = max(self._granted, min(dollars, self._budget.dollars))

    def reserve(self, read: int, wanted: int, patience: float = 0) -> tuple[int, int]:
        """Set aside what a call may cost; return its number and how many tokens it may write.

        Asks for more when less is granted than it needs. Raises OverBudgetError when no
        useful answer fits into what is left, and GrantError. For ``patience`` seconds it waits
        for calls under way, which may not use all that was set aside for them.
        """
        with self._turn:
            with self._lock:
                self._lock.wait_for(lambda: self._has_room(read, wanted), patience)
            wants = self._wants(read, wanted)
            if wants:
                self.grant(self._ask(wants))
            with self._lock:
                allowed = self._allowed(read, wanted, self._granted)
                if not useful(allowed, wanted):
                    raise OverBudgetError(
                        f"The job's budget is ${self._budget.dollars:.2f}, but no more than "
                        f"${self._granted:.2f} of it could be granted, and the next call needs "
                        f"more: {self._spent}. A limit on what jobs may cost together was reached."
                    )
                self._next += 1
                self._reserved[self._next] = (read, allowed)
                return self._next, allowed

    def _wants(self, read: int, wanted: int) -> float:
        """Return the dollars to ask for before such a call, 0 for none.

        Raises OverBudgetError when the whole budget would not do.
        """
        with self._lock:
            allowed = self._allowed(read, wanted, self._budget.dollars)
            if not useful(allowed, wanted):
                raise OverBudgetError(
                    f"The job reached its budget of ${self._budget.dollars:.2f} and "
                    f"{self._budget.tokens:,} tokens: {self._spent}, and the next call needs more."
                )
            held_read, held_written = self._held()
            needed = self._price.of(held_read + read, held_written + allowed)
            if needed <= self._granted:
                return 0.0
            # Whole millionths, upwards: the control plane counts in those.
            wants = math.ceil((needed + SLICE) * MILLION) / MILLION
            return min(wants, self._budget.dollars)

    def _has_room(self, read: int, wanted: int) -> bool:
        """Whether a call fits into the budget, or nothing is under way that could make room."""
        allowed = self._allowed(read, wanted, self._budget.dollars)
        return useful(allowed, wanted) or not self._reserved

    def _allowed(self, read: int, wanted: int, dollars: float) -> int:
        """Return how many tokens a call may write so that all stays within so many dollars.

        -1 when what it reads is too much already.
        """
        held_read, held_written = self._held()
        tokens = self._budget.tokens - held_read - held_written - read
        most = min(wanted, MOST_ANSWER_TOKENS, tokens)
        # Tried out and not divided, for a quotient could have been rounded up.
        written = range(held_written, held_written + most + 1)
        return bisect_right(written, dollars, key=partial(self._price.of, held_read + read)) - 1

    def _held(self) -> tuple[int, int]:
        """Return the tokens read and written that are settled or reserved."""
        return (
            self._spent.read + sum(read for read, _ in self._reserved.values()),
            self._spent.written + sum(written for _, written in self._reserved.values()),
        )

    def settle(self, number: int, read: int, written: int, *, exact: bool = True) -> None:
        """Replace a reservation by what the call did use, as counted or as estimated."""
        with self._lock:
            del self._reserved[number]
            self._exact = self._exact and exact
            done = self._spent
            total_read, total_written = done.read + read, done.written + written
            dollars = self._price.of(total_read, total_written)
            self._spent = Spent(done.calls + 1, total_read, total_written, dollars)
            self._lock.notify_all()

    def release(self, number: int) -> None:
        """Give a reservation back: the call cost nothing."""
        with self._lock:
            del self._reserved[number]
            self._lock.notify_all()

    def wait_idle(self, seconds: float) -> None:
        """Return when no call is under way, or after so many seconds."""
        with self._lock:
            self._lock.wait_for(lambda: not self._reserved, seconds)


def useful(allowed: int, wanted: int) -> bool:
    """Whether an answer of so many tokens is worth asking for."""
    return allowed >= min(wanted, LEAST_ANSWER_TOKENS)
