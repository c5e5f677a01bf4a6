"""Whether all that Redis holds about jobs follows from the jobs."""

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

from soulcaster.rules.job import ENDS, HOLDS_SLOT

Stored = dict[str, str]


def jobs_in(held: dict[str, Any]) -> dict[str, Stored]:
    """The jobs of a snapshot, by id."""
    found = {key: value for key, value in held.items() if key.startswith("job:")}
    return {value["id"]: value for value in found.values() if "state" in value}


def slots_add_up(held: dict[str, Any], at_once: int) -> None:
    """A job has a slot while a task of its may be alive; who waits for one is queued."""
    jobs = jobs_in(held)
    holding = {job for job, stored in jobs.items() if stored["state"] in HOLDS_SLOT}
    queued = {job for job, stored in jobs.items() if stored["state"] == "queued"}
    assert held.get("slots", set()) == held.get("sys:slots", set()) == holding
    assert len(holding) <= at_once
    assert set(held.get("waiting", {})) <= queued
    assert set(held.get("sys:waiting", {})) == ({"larder"} if held.get("waiting") else set())


def lists_add_up(held: dict[str, Any]) -> None:
    """The reaper watches every live job, its cluster names it, and the counters agree."""
    jobs = jobs_in(held)
    live = {job for job, stored in jobs.items() if stored["state"] not in ENDS}
    assert set(held.get("sys:jobs", {})) == live
    named = {value["job"] for value in held.values() if isinstance(value, dict) and "job" in value}
    assert named == live
    assert len({jobs[job]["cluster"] for job in live}) == len(live)
    counts = {
        name.removeprefix("job:"): int(count)
        for name, count in held["counts"].items()
        if name.startswith("job:") and count != "0"
    }
    assert counts == Counter(stored["state"] for stored in jobs.values())


def pulls_add_up(held: dict[str, Any], branches: Collection[str]) -> None:
    """A job that says so has a pull request of its own, and no other job that has ended has one,
    unless publishing it was given up. ``branches`` are those that have one.
    """
    jobs = jobs_in(held)
    opened = [job for job, stored in jobs.items() if stored["state"] == "pr_open"]
    assert sorted(held.get("pulls", {}).values()) == sorted(opened)
    assert {_branch(job) for job in opened} <= set(branches)
    for job, stored in jobs.items():
        if _branch(job) in branches:
            gave_up = (stored["state"], stored.get("cause")) == ("failed", "stuck")
            assert gave_up or stored["state"] in ("publishing", "pr_open")


def _branch(job: str) -> str:
    return f"soulcaster/{job.rpartition('_')[2]}"


def money_adds_up(held: dict[str, Any]) -> None:
    """Of each day: what live jobs may cost is set aside, what ended ones cost is spent. None costs
    more than its budget.
    """
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for stored in jobs_in(held).values():
        day = expected[f"spend:{stored['day']}"]
        day["jobs"] += 1
        allowed = int(stored.get("charged", "0")) + int(stored.get("granted", "0"))
        assert allowed <= int(stored["budget"])
        if stored["state"] in ENDS:
            day["spent"] += int(stored["cost"])
            assert int(stored["cost"]) <= allowed
        else:
            day["reserved"] += int(stored["budget"])
    found = {
        key: {name: int(amount) for name, amount in value.items() if amount != "0"}
        for key, value in held.items()
        if key.startswith("spend:")
    }
    assert found == {key: dict(+day) for key, day in expected.items()}
