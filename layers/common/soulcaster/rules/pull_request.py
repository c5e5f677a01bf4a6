"""The words of a pull request. Quoted feedback is made harmless: it pings and closes nothing."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from soulcaster.rules.patch import Patch
from soulcaster.rules.text import plain

_MENTION = re.compile(r"[@\uff20](?=\w)")
_REFERENCE = re.compile(r"(?i)#(?=\d)|(?<![A-Z0-9])gh-(?=\d)")
_ENTITY = re.compile(r"&(?=[#\w])")  # GitHub reads "&#64;" as "@"
# A backslash before a letter and an underscore inside a word are what they look like.
_MARKUP = re.compile(r"[`*\[\]<>|~!]|\\(?![A-Za-z0-9])|(?<!\w)_+|_+(?!\w)")
# GitHub makes a link of an address that follows an underscore or a letter beyond ASCII, too.
_SCHEME = re.compile(r"(?i)(?<![A-Z0-9])(https?|ftp|mailto|javascript|data):")
_WWW = re.compile(r"(?i)(?<![A-Z0-9])www\.")


def neutral(text: str, limit: int) -> str:
    """``text`` on one line that GitHub shows as plain words: no mention, link or reference."""
    line = " ".join(plain(text).split())[:limit].rstrip()
    line = _MARKUP.sub(" ", line)
    line = _SCHEME.sub(r"\1 ", line)
    # A zero-width space: people read the same, GitHub's parser does not see a reference.
    for special in (_MENTION, _REFERENCE, _ENTITY, _WWW):
        line = special.sub("\\g<0>\u200b", line)
    return line


def pull_request_title(job: Mapping[str, Any]) -> str:
    """What was reported, as a title: as it was called when the agent began."""
    return f"Fix: {neutral(str(job.get('title') or 'a reported problem'), 90)}"


def commit_message(job: Mapping[str, Any], patch: Patch) -> str:
    """Title, what the agent says it did, and the job; the same however often it is asked."""
    summary = neutral(patch.summary, 1_000) or "No summary was given."
    return f"{pull_request_title(job)}\n\n{summary}\n\nSoulcaster-Job: {job['id']}\n"


def pull_request_body(
    cluster: Mapping[str, Any],
    job: Mapping[str, Any],
    patch: Patch,
    feedback: Sequence[Mapping[str, Any]],
    size: int,
) -> str:
    """What was wrong, what was changed, and the reports it comes from."""
    lines = [
        "This draft was written by a coding agent. Nobody has read it yet.",
        "",
        "### What was reported",
        "",
        neutral(str(cluster.get("summary") or cluster.get("name") or ""), 600),
        "",
        "### What was changed",
        "",
        neutral(patch.summary, 2_000) or "The agent gave no summary.",
        "",
        *(f"- `{file.path}`{' (deleted)' if file.content is None else ''}" for file in patch.files),
        "",
        f"### Evidence: {size} report{'s' if size != 1 else ''}",
        "",
        *(_evidence(item) for item in feedback),
    ]
    if size > len(feedback):
        lines.append(f"- and {size - len(feedback)} more")
    lines += ["", f"Job `{job['id']}`, attempt {job['attempt']}."]
    return "\n".join(lines) + "\n"


def _evidence(item: Mapping[str, Any]) -> str:
    words = neutral(str(item["title"]), 120)
    where = neutral(str(item["channel"]), 60)
    # In code marks an address is shown and can be copied, but makes no back-reference.
    url = f" `{item['url']}`" if item.get("url") and "`" not in str(item["url"]) else ""
    return f"- {where}: “{words}”{url}"
