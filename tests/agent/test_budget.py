"""Nothing is spent beyond what was granted, and nothing granted beyond the budget."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster_agent.budget import (
    LEAST_ANSWER_TOKENS,
    SLICE,
    Budget,
    GrantError,
    Meter,
    OverBudgetError,
    Price,
)

PRICE = Price(read=2, written=10)
prices = st.floats(0, 100, allow_nan=False)
dollars = st.integers(0, 5_000_000).map(lambda micro: micro / 1e6)
readings = st.integers(0, 50_000)
calls = st.tuples(
    st.integers(0, 50_000), st.integers(1, 64_000), st.floats(0, 1), st.integers(0, 3)
)


class Purse:
    """A control plane that grants what is wanted, up to so much in all."""

    def __init__(self, most: float) -> None:
        self.most = most
        self.wanted: list[float] = []

    def ask(self, wants: float) -> float:
        """What a meter asks."""
        self.wanted.append(wants)
        return min(wants, self.most)


def holds(meter: Meter, budget: Budget) -> bool:
    """Whether all that may have been spent is granted, and all that is granted is budget."""
    held = meter.at_most
    fits = held.read + held.written <= budget.tokens
    return fits and held.dollars <= meter.granted <= budget.dollars


@given(
    price=st.builds(Price, prices, prices),
    budget=st.builds(Budget, dollars, st.integers(0, 300_000)),
    granted=dollars,
    most=dollars,
    script=st.lists(calls, max_size=30),
)
def test_no_order_of_calls_goes_past_what_is_granted(
    price: Price, budget: Budget, granted: float, most: float, script: list[tuple[int, ...]]
) -> None:
    """Whatever calls are made, settled and given back, and however little is granted."""
    meter = Meter(budget, price, granted)
    meter.ask_at(Purse(most).ask)
    held: list[tuple[int, int, int]] = []
    for read, wanted, share, then in script:
        try:
            number, allowed = meter.reserve(read, wanted)
        except OverBudgetError:
            continue
        assert min(wanted, LEAST_ANSWER_TOKENS) <= allowed <= wanted
        assert holds(meter, budget)
        held.append((number, read, allowed))
        if then:
            oldest, took, gave = held.pop(0)
            if then == 1:
                meter.release(oldest)
            else:
                meter.settle(oldest, int(took * share), int(gave * share))
        assert holds(meter, budget)


def test_threads_ask_one_after_the_other_and_never_go_past() -> None:
    """Calls at once don't each get the same dollars, and only one of them asks at a time."""
    budget = Budget(dollars=1.0)
    meter = Meter(budget, PRICE, 0.1)
    asking, together, nobody = threading.Lock(), threading.Barrier(8), threading.Event()
    broken: list[str] = []

    def ask(wants: float) -> float:
        if not asking.acquire(blocking=False):
            broken.append("two ask at once")
        nobody.wait(0.001)  # lets the others come
        asking.release()
        return wants

    meter.ask_at(ask)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        together.wait(20)
        for _ in range(40):
            try:
                read = chance.randrange(2_000)
                number, allowed = meter.reserve(read, 4_000)
            except OverBudgetError:
                return
            if not holds(meter, budget):
                broken.append(f"{meter.at_most} of {meter.granted}")
            meter.settle(number, read, chance.randrange(allowed + 1))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert 0.5 < meter.spent.dollars <= meter.granted <= 1.0
    assert meter.exact


def test_it_asks_for_what_is_needed_and_a_slice() -> None:
    """A call that fits asks nothing; one that doesn't asks in all for itself and a bit more."""
    meter, purse = Meter(Budget(dollars=5), PRICE, 0.05), Purse(100)
    meter.ask_at(purse.ask)
    meter.reserve(1_000, 1_000)
    assert purse.wanted == []
    meter.reserve(1_000, 10_000)
    assert purse.wanted == [pytest.approx(0.012 + 0.102 + SLICE)]
    meter.reserve(1_000, 10_000)
    assert len(purse.wanted) == 1


def test_it_asks_for_no_more_than_the_budget() -> None:
    """The slice ends where the budget does, and the whole budget is used before it is over."""
    meter, purse = Meter(Budget(dollars=0.2), PRICE, 0.05), Purse(100)
    meter.ask_at(purse.ask)
    number, _ = meter.reserve(0, 10_000)
    assert purse.wanted == [0.2]
    meter.settle(number, 0, 10_000)
    number, allowed = meter.reserve(0, 32_000)
    assert allowed == 10_000
    meter.settle(number, 0, allowed)
    with pytest.raises(OverBudgetError, match=r"reached its budget of \$0\.20"):
        meter.reserve(0, 10)
    assert len(purse.wanted) == 1


def test_a_smaller_grant_makes_answers_shorter_and_then_ends_it() -> None:
    """What is granted is used up, and the end says that it was the grant and not the budget."""
    meter = Meter(Budget(dollars=5), PRICE, 0.05)
    meter.ask_at(Purse(0.06).ask)
    number, allowed = meter.reserve(0, 32_000)
    assert allowed == 6_000
    meter.settle(number, 0, allowed)
    with pytest.raises(OverBudgetError, match=r"budget is \$5\.00, but no more than \$0\.06"):
        meter.reserve(0, 10)


def test_who_can_not_ask_has_not_reached_the_budget() -> None:
    """The call fails, nothing of it stays reserved, and the next one asks again."""
    meter = Meter(Budget(dollars=5), PRICE, 0.0)

    def unreachable(_wants: float) -> float:
        raise GrantError("nobody there")

    meter.ask_at(unreachable)
    with pytest.raises(GrantError):
        meter.reserve(1_000, 1_000)
    assert meter.at_most.dollars == 0
    meter.ask_at(Purse(100).ask)
    assert meter.reserve(1_000, 1_000)[1] == 1_000


def test_a_grant_is_never_lowered_and_never_above_the_budget() -> None:
    """A late answer to an earlier question takes nothing back."""
    meter = Meter(Budget(dollars=5), PRICE, 1.0)
    meter.grant(0.5)
    assert meter.granted == 1.0
    meter.grant(50)
    assert meter.granted == 5.0


def test_what_is_under_way_counts_as_spent_until_it_is_settled() -> None:
    """What is reported meanwhile is too much rather than too little."""
    meter = Meter(Budget(dollars=5), PRICE)
    number, allowed = meter.reserve(1_000, 1_000)
    assert meter.at_most.dollars == pytest.approx(0.012)
    assert (meter.spent.dollars, meter.exact) == (0, False)
    meter.settle(number, 1_000, allowed // 2)
    assert meter.at_most == meter.spent
    assert meter.exact
    number, _ = meter.reserve(1_000, 1_000)
    meter.settle(number, 1_000, 10, exact=False)
    assert not meter.exact
