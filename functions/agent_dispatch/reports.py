"""The bodies of what a task reports; what is not as agreed is a ``BadRequest`` naming the field."""

import json
import math
from typing import Any, get_args

from soulcaster.edges.job_store import Spent
from soulcaster.rules.job import MICRO
from soulcaster.rules.project import Verdict
from soulcaster.use_cases.finish import OUTCOMES, Report

MOST_DOLLARS = 1_000_000
MOST_ENTRIES = 200
MOST_ENTRY_CHARACTERS = 2_000


class BadRequest(Exception):  # noqa: N818 - an answer
    """The task's request is not what was agreed; the message names the field."""


def json_object(text: str) -> dict[str, Any]:
    """The request's body."""
    try:
        body = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("body: is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("body: is not a JSON object")
    return body


def micro(value: object, name: str) -> int:
    """Dollars as micro-dollars; nothing said is nothing."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name}: is not an amount")
    # Not for a number that is none (NaN), either.
    if not 0 <= value <= MOST_DOLLARS:
        raise BadRequest(f"{name}: is not an amount that a job could cost")
    # Up: what is reported is never less than what was spent.
    return math.ceil(value * MICRO - 1e-6)


def spent_in(body: dict[str, Any]) -> Spent:
    """What the attempt has spent so far."""
    given = body.get("spent") or {}
    if not isinstance(given, dict):
        raise BadRequest("spent: is not an object")
    counts = {name: given.get(name) or 0 for name in ("read", "written", "calls")}
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 50:
            raise BadRequest(f"spent.{name}: is not a count")
    return Spent(micro(given.get("dollars"), "spent.dollars"), **counts)


def log_in(body: dict[str, Any]) -> tuple[int, list[str]]:
    """The log's new entries, and which number the first of them has."""
    given = body.get("log") or {"from": 0, "entries": []}
    first, entries = (
        (given.get(n) for n in ("from", "entries"))
        if isinstance(given, dict)
        else (
            None,
            None,
        )
    )
    if isinstance(first, bool) or not isinstance(first, int) or first < 0:
        raise BadRequest("log.from: is not a count")
    if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
        raise BadRequest("log.entries: is not a list of texts")
    if len(entries) > MOST_ENTRIES:
        raise BadRequest(f"log.entries: are more than {MOST_ENTRIES}")
    return first, [each[:MOST_ENTRY_CHARACTERS] for each in entries]


def report_in(body: dict[str, Any]) -> Report:
    """How the attempt ended."""
    outcome = body.get("outcome")
    if outcome not in OUTCOMES:
        raise BadRequest(f"outcome: is none of {', '.join(sorted(OUTCOMES))}")
    names = ("cause", "reason", "summary", "patch_sha256", "proof_sha256", "verdict")
    texts = {name: str(body.get(name) or "") for name in names}
    if texts["verdict"] not in ("", *get_args(Verdict)):
        raise BadRequest("verdict: is none that a proof comes to")
    exact = body.get("exact") is True
    return Report(outcome=str(outcome), spent=spent_in(body), exact=exact, **texts)
