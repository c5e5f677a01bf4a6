"""A stored job as the API shows it."""

from collections.abc import Mapping
from typing import Any, Final

from soulcaster.rules.job import ENDS, MICRO

LISTED: Final = (
    *("id", "cluster", "state", "attempt", "created", "updated", "asked_by", "reason", "cause"),
    *("repository", "base", "summary", "verdict", "plan", "engine", "model", "deadline"),
    *("budget", "charged", "granted", "spent", "cost", "cost_exact", "read", "written", "calls"),
    *("pr_url", "pr_number", "pr_state", "pr_draft", "pr_checks", "started_with"),
)


def job_view(stored: Mapping[str, Any]) -> dict[str, Any]:
    """``stored`` has the fields of ``LISTED``, as far as they are set."""
    number, deadline = stored.get("pr_number"), stored.get("deadline")
    return {
        "id": stored["id"],
        "cluster": stored["cluster"],
        "state": stored["state"],
        "attempt": int(stored["attempt"]),
        "reason": stored.get("reason") or "",
        "cause": stored.get("cause") or None,
        "summary": stored.get("summary") or "",
        "repository": stored.get("repository") or "",
        "base": stored.get("base") or "",
        "verdict": stored.get("verdict") or None,
        "plan": _number(stored, "plan") or None,
        "engine": stored.get("engine") or None,
        "model": stored.get("model") or None,
        "cost": _cost(stored),
        "asked_by": stored["asked_by"],
        "created_at": int(stored["created"]),
        "updated_at": int(stored["updated"]),
        "deadline": int(deadline) if deadline else None,
        "reports_at_start": _number(stored, "started_with"),
        "pull_request": {
            "number": int(number),
            "url": stored["pr_url"],
            "state": stored.get("pr_state") or "open",
            "draft": (stored.get("pr_draft") or "1") == "1",
            "checks": stored.get("pr_checks") or None,
        }
        if number
        else None,
    }


def _cost(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Dollars: of an ended job what it cost, of a live one what it has cost so far."""
    ended = stored["state"] in ENDS
    micro = _number(stored, "cost" if ended else "spent")
    micro += 0 if ended else _number(stored, "charged")
    return {
        "dollars": micro / MICRO,
        "exact": ended and stored.get("cost_exact") == "1",
        "budget": _number(stored, "budget") / MICRO,
        "tokens_read": _number(stored, "read"),
        "tokens_written": _number(stored, "written"),
        "model_calls": _number(stored, "calls"),
    }


def _number(stored: Mapping[str, Any], field: str) -> int:
    return int(stored.get(field) or 0)
