"""Pages for people: repositories, their files and README, issues."""

from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

from local.github import comments, pull
from local.github.call import Call
from local.github.git import Git, GitError
from local.github.html import Html, badge, card, fill, join, page, when
from local.github.markdown import render
from local.github.refusal import Refused
from local.github.store import Row

_STYLE = Path(__file__).with_name("style.css")
_SHOWN = 200


def front(call: Call) -> Response:
    """All repositories."""
    rows = call.store.all("SELECT * FROM repositories ORDER BY id")
    items = join(
        fill(
            '<li><a class="strong" href="/{name}">{name}</a><p class="muted">{about}</p></li>',
            name=row["full_name"],
            about=row["description"] or "No description",
        )
        for row in rows
    )
    body = fill('<ul class="rows">{items}</ul>', items=items)
    empty = Html('<p class="empty">No repository yet.</p>')
    return page("Repositories", [], card(Html("Repositories"), body if rows else empty))


def repository(call: Call) -> Response:
    """Pull requests, files, commits and the README of one repository."""
    where = find(call)
    if where is None:
        return missing(call)
    git = call.forge.git(where)
    tip = git.branch(where["default_branch"])
    pulls = pull.select(call, where, "1")[:_SHOWN]
    shown = [
        fill(
            '<h1>{name}</h1><p class="muted">{about}</p>',
            name=where["full_name"],
            about=where["description"] or "No description",
        ),
        tabs(where, "Code"),
        card(Html("Pull requests"), _numbered(where, pulls, "No pull request yet.")),
    ]
    if tip:
        clone = fill(
            "<code>git clone {base}/{name}.git</code>", base=call.base, name=where["full_name"]
        )
        heading = fill(
            "<strong>{branch}</strong> {clone}", branch=where["default_branch"], clone=clone
        )
        shown += [card(heading, _files(git, tip)), _readme(git, tip, where), _commits(git, tip)]
    return page(where["full_name"], crumbs(where), join(shown))


def issue_list(call: Call) -> Response:
    """The newest issues, open ones first."""
    where = find(call)
    if where is None:
        return missing(call)
    rows = call.store.all(
        "SELECT * FROM numbered WHERE repository_id = ? AND NOT is_pull"
        " ORDER BY state DESC, number DESC LIMIT ?",
        where["id"],
        _SHOWN,
    )
    counts = call.store.get(
        "SELECT count(*) AS found, coalesce(sum(state = 'open'), 0) AS open FROM numbered"
        " WHERE repository_id = ? AND NOT is_pull",
        where["id"],
    )
    heading = fill(
        "{open} open, {closed} closed", open=counts["open"], closed=counts["found"] - counts["open"]
    )
    body = card(heading, _numbered(where, rows, "No issue yet."))
    title = fill("<h1>{name}</h1>", name=where["full_name"])
    return page(
        f"Issues · {where['full_name']}", crumbs(where), join([title, tabs(where, "Issues"), body])
    )


def issue(call: Call) -> Response:
    """One issue as its author wrote it, and what was said about it."""
    where = find(call)
    row = where and call.store.one(
        "SELECT * FROM numbered WHERE repository_id = ? AND number = ? AND NOT is_pull",
        where["id"],
        call.number("number"),
    )
    if not where or not row:
        return missing(call)
    kind = ("open", "Open") if row["state"] == "open" else ("merged", "Closed")
    top = fill(
        '<h1>{title} <span class="number">#{number}</span></h1><p>{badge} '
        "<strong>{author}</strong> opened this on {when}</p>",
        title=row["title"],
        number=row["number"],
        badge=badge(*kind),
        author=row["author"],
        when=when(row["created_at"]),
    )
    text = words(row["body"], where)
    title = f"{row['title']} · Issue #{row['number']}"
    author = fill("<strong>{author}</strong>", author=row["author"])
    said = [
        card(
            fill(
                "<strong>{author}</strong> on {when}",
                author=one["author"],
                when=when(one["created_at"]),
            ),
            words(one["body"], where),
        )
        for one in comments.below(call, row)
    ]
    return page(title, crumbs(where), join([top, card(author, text), *said]))


def style(_: Call) -> Response:
    """GET /_local/style.css"""
    return FileResponse(_STYLE, media_type="text/css")


def find(call: Call) -> Row | None:
    """The repository that a page's path names."""
    return call.store.one(
        "SELECT * FROM repositories WHERE full_name = ?",
        f"{call.param('owner')}/{call.param('name')}",
    )


def missing(call: Call) -> HTMLResponse:
    """A page that says so; for a program, the refusal of what isn't emulated."""
    if "text/html" not in call.request.headers.get("accept", ""):
        raise Refused(501, f"not emulated: {call.request.method} {call.request.url.path}")
    empty = Html('<p class="empty">There is no such page.</p>')
    return page("Not found", [], card(Html("Not found"), empty), 404)


def crumbs(where: Row) -> list[tuple[str, str]]:
    return [(where["full_name"], f"/{where['full_name']}")]


def tabs(where: Row, current: str) -> Html:
    home = f"/{where['full_name']}"
    links = join(
        fill(
            '<a class="{kind}" href="{url}">{name}</a>',
            url=url,
            name=name,
            kind="current" if name == current else "",
        )
        for name, url in (("Code", home), ("Issues", f"{home}/issues"))
    )
    return fill("<nav>{links}</nav>", links=links)


def words(text: str | None, where: Row) -> Html:
    """What a person wrote, as Markdown."""
    if not text:
        return Html('<p class="empty">No description provided.</p>')
    return fill('<div class="words">{text}</div>', text=render(text, f"/{where['full_name']}"))


def pull_state(row: Row) -> tuple[str, str]:
    """The badge of a pull request."""
    if row["merged_at"]:
        return "merged", "Merged"
    if row["state"] == "closed":
        return "closed", "Closed"
    return ("draft", "Draft") if row["draft"] else ("open", "Open")


def _numbered(where: Row, rows: list[Row], empty: str) -> Html:
    if not rows:
        return fill('<p class="empty">{empty}</p>', empty=empty)
    items = []
    for row in rows:
        closed = ("merged", "Closed") if row["state"] == "closed" else ("open", "Open")
        kind = pull_state(row) if row["is_pull"] else closed
        items.append(
            fill(
                '<li>{badge} <a class="strong" href="/{repo}/{kind}/{number}">{title}</a>'
                '<p class="muted">#{number} opened on {when} by {author}</p></li>',
                badge=badge(*kind),
                repo=where["full_name"],
                kind="pull" if row["is_pull"] else "issues",
                number=row["number"],
                title=row["title"],
                when=when(row["created_at"]),
                author=row["author"],
            )
        )
    return fill('<ul class="rows">{items}</ul>', items=join(items))


def _files(git: Git, tip: str) -> Html:
    entries = sorted(git.tree(tip), key=lambda entry: (entry[1] != "tree", entry[3]))
    return fill(
        '<ul class="rows files">{items}</ul>',
        items=join(
            fill("<li>{name}{slash}</li>", name=name, slash="/" if kind == "tree" else "")
            for _, kind, _, name in entries
        ),
    )


def _readme(git: Git, tip: str, where: Row) -> Html:
    try:
        text = git.read_blob(tip, "README.md").decode(errors="replace")
    except GitError:
        return Html()
    return card(Html("README.md"), words(text, where))


def _commits(git: Git, tip: str) -> Html:
    items = join(commit_row(c.subject, c.sha, c.author, c.date) for c in git.log(tip, limit=10))
    return card(Html("Latest commits"), fill('<ul class="rows">{items}</ul>', items=items))


def commit_row(subject: str, sha: str, author: str, date: str) -> Html:
    return fill(
        '<li><span class="strong">{subject}</span><code class="sha">{sha}</code>'
        '<p class="muted">{author} on {when}</p></li>',
        subject=subject,
        sha=sha[:7],
        author=author,
        when=when(date),
    )
