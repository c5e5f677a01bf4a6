"""Fetch what sources do not send by themselves, and put it on the feedback queue."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from soulcaster.edges.github import GitHub, GitHubError
from soulcaster.edges.queues import Queue, QueueError
from soulcaster.edges.reddit import PAGE, Reddit, RedditError, Sort
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.payload import milliseconds
from soulcaster.rules.project import Project
from soulcaster.rules.quota import over
from soulcaster.rules.source import Source
from soulcaster.rules.sources.reddit import TYPE_HEADER, has_keyword

log = logging.getLogger(__name__)

# A submission may show up late in a listing, when a moderator lets it through.
REDDIT_OVERLAP_MS = 60 * 60 * 1000
# Two clocks are involved, GitHub's and ours.
GITHUB_OVERLAP_MS = 5 * 60 * 1000
# Then it is remembered how far was read: a first look at a busy repository takes longer than the
# function may run, and would begin anew each time.
GITHUB_STEP_MS = 24 * 60 * 60 * 1000
FIRST_LOOK_BACK_MS = 90 * 24 * 60 * 60 * 1000
# How often the listings that are not by time are read: they hold the same for hours.
RANKED_EVERY_MS = 60 * 60 * 1000
# What GitHub says of an issue that is not in this repository any more.
_NOT_HERE = (301, 404, 410)

type Payload = dict[str, Any]


def poll(
    *,
    sources: SourceStore,
    queue: Queue,
    github: Callable[[], GitHub],
    reddit: Callable[[], Reddit],
    now: int,
    time_left: Callable[[], bool],
) -> dict[str, int]:
    """Fetch the polled sources, those longest untried first; returns how many deliveries each gave.

    Begins no new one, and no further step of one, when ``time_left`` says no. A source that fails
    is logged, noted at the source and does not stop the others, and so is one whose project has
    used up a quota; its cursor stays, so the next run fetches the same again. What is fetched twice
    is the same feedback.
    """
    counts: dict[str, int] = {}
    polled = sources.polled(now)
    # By the last try: those that keep failing must not use up every run before the others' turn.
    for one in sorted(polled, key=lambda one: max(int(one.cursor or 0), one.troubled_at)):
        if not time_left():
            log.warning("no time for all sources", extra={"left": len(polled) - len(counts)})
            break
        source, project = one.source, one.project
        if no_room := over(one.standing, now):
            sources.polled_note(source, now, no_room.why)
            continue
        since = int(one.cursor) if one.cursor else now - FIRST_LOOK_BACK_MS
        trouble = None
        try:
            if source.kind == "reddit":
                counts[source.id], trouble = _reddit(source, since, reddit(), queue, now)
                # The moment before the fetch began: what changes meanwhile is seen next time.
                sources.save_cursors([(source, str(now))])
            else:
                for count, until in _github(source, project, since, github(), queue, now):
                    counts[source.id] = counts.get(source.id, 0) + count
                    sources.save_cursors([(source, str(until))])
                    if not time_left():
                        break
        except (GitHubError, RedditError, QueueError) as error:
            log.exception("not polled", extra={"source": source.id})
            sources.polled_note(source, now, str(error))
            continue
        if trouble:
            sources.polled_note(source, now, trouble)
    return counts


def _reddit(
    source: Source, since: int, reddit: Reddit, queue: Queue, now: int
) -> tuple[int, str | None]:
    """How many deliveries its subreddits gave, and which of them could not be read for good.

    Raises ``RedditError`` when that is all of them: perhaps we are refused, and no subreddit.
    """
    count, troubles = 0, []
    for subreddit in source.config["subreddits"]:
        try:
            count += _subreddit(source, subreddit, since, reddit, queue, now)
        except RedditError as error:
            if error.retryable:
                raise
            # It may have gone private for good: the others must not wait for it.
            log.exception("not polled", extra={"source": source.id, "subreddit": subreddit})
            troubles.append(f"r/{subreddit}: {error}")
            if len(troubles) == len(source.config["subreddits"]):
                raise
    return count, "; ".join(troubles) or None


def _subreddit(
    source: Source, subreddit: str, since: int, reddit: Reddit, queue: Queue, now: int
) -> int:
    listed: dict[str, Payload] = {}
    wanted: dict[str, Payload] = {}
    for sort in _due_sorts(source, since, now):
        oldest = since - REDDIT_OVERLAP_MS if sort == "new" else now - FIRST_LOOK_BACK_MS
        found = {one["fullname"]: one for one in reddit.submissions(subreddit, sort, PAGE)}
        listed |= found
        wanted |= {name: one for name, one in found.items() if _created(one) >= oldest}
    submissions = [one for one in wanted.values() if has_keyword(source.config, one)]
    _enqueue(source, {}, submissions, queue, now)
    if not source.config.get("comments", True):
        return len(submissions)
    comments = [
        one
        for one in reddit.new_comments(subreddit, PAGE)
        if _created(one) >= since - REDDIT_OVERLAP_MS
    ]
    missing = sorted({one["link_id"] for one in comments} - listed.keys())
    if missing:
        listed |= {one["fullname"]: one for one in reddit.named(missing)}
    # With the submission that it is on, which may be older than the source is.
    payloads = [
        {**one, "submission": listed[one["link_id"]]}
        for one in comments
        if one["link_id"] in listed and _is_about(source, listed[one["link_id"]], now)
    ]
    _enqueue(source, {TYPE_HEADER: "comment"}, payloads, queue, now)
    return len(submissions) + len(payloads)


def _due_sorts(source: Source, since: int, now: int) -> list[Sort]:
    """The listings to read now: the newest at every look, the others once an hour."""
    sorts = cast("list[Sort]", source.config.get("sorts") or ["new"])
    if since // RANKED_EVERY_MS != now // RANKED_EVERY_MS:
        return sorts
    return [sort for sort in sorts if sort == "new"]


def _is_about(source: Source, submission: Payload, now: int) -> bool:
    recent = _created(submission) >= now - FIRST_LOOK_BACK_MS
    return recent and has_keyword(source.config, submission)


def _created(one: Payload) -> float:
    return float(one["created_utc"]) * 1000


def _github(
    source: Source, project: Project, since: int, github: GitHub, queue: Queue, now: int
) -> Iterator[tuple[int, int]]:
    """Reads on to ``now``, the oldest first, in steps of about a day where much has happened.

    Of each step: how many deliveries it gave, and until when there is nothing left to fetch.
    """
    repository = source.config.get("repository") or project.repository
    if not repository:
        raise GitHubError(404, "no repository is set, neither at the source nor in its project")
    try:
        token = github.installation_token(repository, {"issues": "read", "metadata": "read"})
    except GitHubError as error:
        if error.status != 404:
            raise
        why = f"the App is not installed on {repository}, or there is no such repository"
        raise GitHubError(404, why) from error
    while True:
        count, since = _github_step(source, repository, token, since, github, queue, now)
        yield count, since
        if since >= now:
            return


def _github_step(
    source: Source, repository: str, token: str, since: int, github: GitHub, queue: Queue, now: int
) -> tuple[int, int]:
    moment = datetime.fromtimestamp((since - GITHUB_OVERLAP_MS) / 1000, UTC)
    updated_since, enough = moment.strftime("%Y-%m-%dT%H:%M:%SZ"), since + GITHUB_STEP_MS
    # Both in the webhook's own form, so that there is one way to read them.
    whole = {"repository": {"full_name": repository}}
    commented: dict[int, Payload | None] = {}

    def put_issues(issues: Sequence[Payload]) -> int:
        commented.update({one["number"]: one for one in issues if one.get("comments")})
        payloads = [
            {
                "action": "closed" if issue.get("state") == "closed" else "opened",
                "issue": issue,
                **whole,
            }
            for issue in issues
        ]
        _enqueue(source, {"x-github-event": "issues"}, payloads, queue, now)
        return len(payloads)

    def put_comments(comments: Sequence[Payload]) -> int:
        payloads = []
        for comment in comments:
            number = _issue_number(comment)
            if number is None:
                continue
            if number not in commented:
                commented[number] = _issue(github, token, repository, number)
            if issue := commented[number]:
                edited = comment["updated_at"] != comment["created_at"]
                action = "edited" if edited else "created"
                payloads.append({"action": action, "issue": issue, "comment": comment, **whole})
        _enqueue(source, {"x-github-event": "issue_comment"}, payloads, queue, now)
        return len(payloads)

    issues = github.issues_since(token, repository, updated_since)
    count, read = _walk(issues, put_issues, enough, now)
    comments = github.comments_since(token, repository, updated_since)
    more, heard = _walk(comments, put_comments, enough, now)
    return count + more, min(read, heard)


def _walk(
    pages: Iterable[list[Payload]],
    put: Callable[[list[Payload]], int],
    enough: int,
    now: int,
) -> tuple[int, int]:
    """Pages until one goes beyond ``enough`` (ms): how much was put, and until when that is all."""
    count = last = 0
    for page in pages:
        if last > enough:
            return count, min(last, now)
        count += put(page)
        last = milliseconds(page[-1]["updated_at"], "updated_at") if page else last
    return count, now


def _issue_number(comment: Payload) -> int | None:
    """The number of the issue that it is on; None for a comment on a pull request."""
    number = str(comment.get("issue_url")).rpartition("/")[2]
    on_pull = "/pull/" in str(comment.get("html_url"))
    return int(number) if number.isdecimal() and not on_pull else None


def _issue(github: GitHub, token: str, repository: str, number: int) -> Payload | None:
    """The issue of a comment that was changed when its issue was not; None once it is gone."""
    try:
        return github.issue(token, repository, number)
    except GitHubError as error:
        if error.status not in _NOT_HERE:
            raise
        return None


def _enqueue(
    source: Source,
    headers: Mapping[str, str],
    payloads: Sequence[Payload],
    queue: Queue,
    now: int,
) -> None:
    queue.send_all(list(_messages(source, headers, payloads, now)))


def _messages(
    source: Source, headers: Mapping[str, str], payloads: Sequence[Payload], now: int
) -> Iterable[str]:
    for payload in payloads:
        yield Delivery(
            project=source.project,
            source_id=source.id,
            source=source,
            headers=dict(headers),
            body=json.dumps(payload).encode(),
            received_at=now,
        ).message()
