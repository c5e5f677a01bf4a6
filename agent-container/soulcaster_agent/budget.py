"""What a job may spend on its model, and what it has spent."""

import threading
from dataclasses import dataclass

MILLION = 1_000_000
# The most that one answer is asked for, and the least that is worth asking for.
MOST_ANSWER_TOKENS = 32_000
LEAST_ANSWER_TOKENS = 256


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


class Meter:
    """Reserves before each call and settles after it, for calls from several threads."""

    def __init__(self, budget: Budget, price: Price) -> None:
        self._budget = budget
        self._price = price
        self._lock = threading.Condition()
        self._reserved: dict[int, tuple[int, int]] = {}
        self._spent = Spent()
        self._next = 0

    @property
    def spent(self) -> Spent:
        """Return what all settled calls cost."""
        with self._lock:
            return self._spent

    def reserve(self, read: int, wanted: int) -> tuple[int, int]:
        """Set aside what a call may cost; return its number and how many tokens it may write.

        Raises OverBudgetError when no useful answer fits into what is left.
        """
        with self._lock:
            held_read = self._spent.read + sum(r for r, _ in self._reserved.values())
            held_written = self._spent.written + sum(w for _, w in self._reserved.values())
            tokens = self._budget.tokens - held_read - held_written - read
            dollars = self._budget.dollars - self._price.of(held_read + read, held_written)
            allowed = min(wanted, MOST_ANSWER_TOKENS, tokens)
            if self._price.written:
                allowed = min(allowed, int(dollars * MILLION / self._price.written))
            if dollars < 0 or allowed < min(wanted, LEAST_ANSWER_TOKENS):
                raise OverBudgetError(
                    f"The job reached its budget of ${self._budget.dollars:.2f} and "
                    f"{self._budget.tokens:,} tokens: {self._spent}, and the next call needs more."
                )
            self._next += 1
            self._reserved[self._next] = (read, allowed)
            return self._next, allowed

    def settle(self, number: int, read: int, written: int) -> None:
        """Replace a reservation by what the call did use."""
        with self._lock:
            del self._reserved[number]
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
