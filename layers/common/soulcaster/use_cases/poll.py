"""Fetch what sources do not send by themselves, and put it on the feedback queue."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from soulcaster.edges.github import GitHub, GitHubError
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.edges.reddit import Reddit, RedditError
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source

log = logging.getLogger(__name__)

# A submission may show up late in a listing, when a moderator lets it through.
REDDIT_OVERLAP_MS = 60 * 60 * 1000
# Two clocks are involved, GitHub's and ours.
GITHUB_OVERLAP_MS = 5 * 60 * 1000
FIRST_LOOK_BACK_MS = 90 * 24 * 60 * 60 * 1000


def poll(
    *,
    projects: ProjectStore,
    queue: Queue,
    github: Callable[[], GitHub],
    reddit: Callable[[], Reddit],
    now: int,
    time_left: Callable[[], bool],
) -> dict[str, int]:
    """Fetch the polled sources, those longest unread first; returns how many items each gave.

    Stops beginning new ones when ``time_left`` says no. A source that fails is logged and
    does not stop the others; its cursor stays, so the next run fetches the same again. What is
    fetched twice is the same feedback.
    """
    counts: dict[str, int] = {}
    polled = projects.polled()
    for source, cursor, project in sorted(polled, key=lambda entry: int(entry[1] or 0)):
        if not time_left():
            log.warning("no time for all sources", extra={"left": len(polled) - len(counts)})
            break
        since = int(cursor) if cursor else now - FIRST_LOOK_BACK_MS
        try:
            if source.kind == "reddit":
                counts[source.id] = _reddit(source, since, reddit(), queue, now)
            else:
                counts[source.id] = _github(source, project, since, github(), queue, now)
        except (GitHubError, RedditError, QueueError):
            log.exception("not polled", extra={"source": source.id})
            continue
        # The moment before the fetch began: what changes meanwhile is seen next time.
        projects.save_cursors([(source, str(now))])
    return counts


def _reddit(source: Source, since: int, reddit: Reddit, queue: Queue, now: int) -> int:
    count = 0
    for subreddit in source.config["subreddits"]:
        try:
            submissions = reddit.new_submissions(subreddit, limit=100)
        except RedditError as error:
            if error.retryable:
                raise
            # It may have gone private for good: the others must not wait for it.
            log.exception("not polled", extra={"source": source.id, "subreddit": subreddit})
            continue
        found = [
            one
            for one in submissions
            if float(one["created_utc"]) * 1000 >= since - REDDIT_OVERLAP_MS
        ]
        _enqueue(source, {}, found, queue, now)
        count += len(found)
    return count


def _github(
    source: Source, project: Project, since: int, github: GitHub, queue: Queue, now: int
) -> int:
    repository = source.config.get("repository") or project.repository
    token = github.installation_token(repository, {"issues": "read", "metadata": "read"})
    moment = datetime.fromtimestamp((since - GITHUB_OVERLAP_MS) / 1000, UTC)
    count = 0
    for issues in github.issues_since(token, repository, moment.strftime("%Y-%m-%dT%H:%M:%SZ")):
        # The webhook's own form, so that there is one way to read an issue.
        payloads = [
            {
                "action": "closed" if issue.get("state") == "closed" else "opened",
                "issue": issue,
                "repository": {"full_name": repository},
            }
            for issue in issues
        ]
        _enqueue(source, {"x-github-event": "issues"}, payloads, queue, now)
        count += len(payloads)
    return count


def _enqueue(
    source: Source,
    headers: dict[str, str],
    payloads: Sequence[dict[str, Any]],
    queue: Queue,
    now: int,
) -> None:
    queue.send_all(list(_messages(source, headers, payloads, now)))


def _messages(
    source: Source, headers: dict[str, str], payloads: Sequence[dict[str, Any]], now: int
) -> Iterable[str]:
    for payload in payloads:
        yield Delivery(
            project=source.project,
            source_id=source.id,
            source=source,
            headers=headers,
            body=json.dumps(payload).encode(),
            received_at=now,
        ).message()
