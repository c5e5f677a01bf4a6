"""The page of a pull request: what it says, what it changes, and the buttons under it."""

import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response

from local.github import merging, pages, pull
from local.github.auth import Caller
from local.github.call import Call
from local.github.diffs import FileDiff
from local.github.html import Html, badge, card, fill, join, page, when
from local.github.pull import Pull
from local.github.refusal import Refused

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_SHOWN_LINES = 2_000


def show(call: Call) -> Response:
    """The whole page."""
    found = _find(call)
    if found is None:
        return pages.missing(call)
    row, where = found.row, found.where
    author = fill("<strong>{author}</strong>", author=row["author"])
    shown = [
        _top(found),
        card(author, pages.words(row["body"], where)),
        _commits(found),
        _files(found),
        _actions(call, found),
    ]
    title = f"{row['title']} · Pull request #{row['number']}"
    return page(title, pages.crumbs(where), join(shown))


def act(call: Call) -> Response:
    """POST from a button of the page, as the person that the emulator knows."""
    form = {name: values[0] for name, values in parse_qs(call.raw.decode("latin-1")).items()}
    if not hmac.compare_digest(form.get("key", "").encode(), call.forge.form_key.encode()):
        raise Refused(403, "The form is not from this server's page; load the page again.")
    person = Caller("person", call.forge.keys.person_login, repositories=None)
    call = replace(call, caller=person)
    found = _find(call)
    if found is None:
        return pages.missing(call)
    match form.get("do"):
        case "ready":
            pull.make_ready(call, found)
        case "merge":
            merging.merge(call, found)
        case "close" if found.row["state"] == "open":
            pull.set_state(call, found, "closed")
        case "reopen" if found.row["state"] == "closed":
            pull.set_state(call, found, "open")
        case other:
            raise Refused(422, f"'{other}' can't be done to this pull request now")
    return RedirectResponse(call.request.url.path, 303)


def _find(call: Call) -> Pull | None:
    where = pages.find(call)
    if where is None:
        return None
    rows = pull.select(call, where, "number = ?", call.number("number"))
    return pull.of_row(call, where, rows[0]) if rows else None


def _top(found: Pull) -> Html:
    row, commits = found.row, len(found.commits())
    return fill(
        '<h1>{title} <span class="number">#{number}</span></h1><p>{badge} '
        "<strong>{author}</strong> {verb} {commits} into <code>{base}</code> from"
        ' <code>{head}</code> <span class="muted">{when}</span></p>',
        title=row["title"],
        number=row["number"],
        badge=badge(*pages.pull_state(row)),
        author=row["merged_by"] or row["author"],
        verb="merged" if row["merged_at"] else "wants to merge",
        commits="1 commit" if commits == 1 else f"{commits} commits",
        base=row["base"],
        head=row["head"],
        when=when(row["merged_at"] or row["created_at"]),
    )


def _commits(found: Pull) -> Html:
    rows = (pages.commit_row(c.subject, c.sha, c.author, c.date) for c in found.commits())
    return card(Html("Commits"), fill('<ul class="rows">{rows}</ul>', rows=join(rows)))


def _files(found: Pull) -> Html:
    diffs = found.files()
    heading = fill(
        "{count} changed {counts}",
        count="1 file" if len(diffs) == 1 else f"{len(diffs)} files",
        counts=_counts(sum(d.additions for d in diffs), sum(d.deletions for d in diffs)),
    )
    return join([fill('<h2 id="files">{heading}</h2>', heading=heading), *map(_file, diffs)])


def _file(diff: FileDiff) -> Html:
    name = f"{diff.before} → {diff.path}" if diff.status == "renamed" else diff.path
    body = Html('<p class="empty">No text to compare.</p>')
    if diff.patch:
        lines = diff.patch.split("\n")
        rows = join(_lines(lines[:_SHOWN_LINES]))
        left_out = len(lines) - _SHOWN_LINES
        body = fill('<table class="diff">{rows}</table>', rows=rows)
        if left_out > 0:
            more = fill('<p class="empty">{n} more lines are not shown.</p>', n=left_out)
            body = join([body, more])
    return fill(
        '<details class="card file" open><summary class="head"><code>{name}</code>'
        '<span class="muted">{status}</span>{counts}</summary>{body}</details>',
        name=name,
        status=diff.status,
        counts=_counts(diff.additions, diff.deletions),
        body=body,
    )


def _lines(lines: list[str]) -> Iterator[Html]:
    old = new = 0
    for line in lines:
        left = right = ""
        if hunk := _HUNK.match(line):
            old, new, kind = int(hunk[1]), int(hunk[2]), "hunk"
        elif line.startswith("+"):
            right, new, kind = str(new), new + 1, "added"
        elif line.startswith("-"):
            left, old, kind = str(old), old + 1, "removed"
        elif line.startswith("\\"):
            kind = "hunk"
        else:
            left, right, old, new, kind = str(old), str(new), old + 1, new + 1, "same"
        yield fill(
            '<tr class="{kind}"><td class="n">{left}</td><td class="n">{right}</td>'
            '<td class="line">{line}</td></tr>',
            kind=kind,
            left=left,
            right=right,
            line=line or " ",
        )


def _counts(additions: int, deletions: int) -> Html:
    return fill(
        '<span class="counts"><b class="plus">+{plus}</b> <b class="minus">-{minus}</b></span>',
        plus=additions,
        minus=deletions,
    )


def _actions(call: Call, found: Pull) -> Html:
    row = found.row
    if row["merged_at"]:
        said, buttons = "Merged. The branch holds nothing that its base doesn't.", []
    elif row["state"] == "closed":
        said, buttons = "Closed without being merged.", [("reopen", "Reopen", "")]
    elif row["draft"]:
        said = "This is a draft: it can't be merged until somebody has looked at it."
        buttons = [("ready", "Ready for review", "primary"), ("close", "Close", "")]
    elif found.mergeable():
        said = "No conflicts with the base branch."
        buttons = [("merge", "Merge pull request", "primary"), ("close", "Close", "")]
    else:
        said, buttons = "It conflicts with the base branch.", [("close", "Close", "")]
    shown = join(
        fill(
            '<button name="do" value="{do}" class="{kind}">{label}</button>',
            do=do,
            kind=kind,
            label=label,
        )
        for do, label, kind in buttons
    )
    form = fill(
        '<form method="post"><input type="hidden" name="key" value="{key}">'
        "<p>{said}</p><div>{buttons}</div></form>",
        key=call.forge.form_key,
        said=said,
        buttons=shown,
    )
    who = fill("As <strong>{login}</strong>", login=call.forge.keys.person_login)
    return card(who, form, "actions")
