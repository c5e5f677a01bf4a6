"""GitHub's Git Data API: blobs, trees, commits and refs, written by the real git."""

from typing import Any

from starlette.responses import JSONResponse, Response

from local.github import shapes
from local.github.call import Call, now_iso, only_fields, parse_iso, text_field
from local.github.git import Git, GitError, Person
from local.github.refusal import Refused, invalid
from local.github.store import Row

_FILE_MODES = {"100644", "100755", "120000"}


def get_ref(call: Call) -> Response:
    """GET /repos/{owner}/{name}/git/ref/{ref}"""
    where = call.repository("contents")
    ref = f"refs/{call.param('ref')}"
    sha = call.forge.git(where).refs(ref).get(ref)
    if sha is None:
        raise Refused(404, "Not Found")
    return JSONResponse(_ref(call, where, ref, sha))


def matching_refs(call: Call) -> Response:
    """GET /repos/{owner}/{name}/git/matching-refs/{ref}: those whose name starts so"""
    where = call.repository("contents")
    found = call.forge.git(where).refs(f"refs/{call.param('ref')}")
    return JSONResponse([_ref(call, where, ref, sha) for ref, sha in found.items()])


def create_ref(call: Call) -> Response:
    """POST /repos/{owner}/{name}/git/refs {"ref": "refs/heads/…", "sha"}"""
    where = call.repository("contents", "write")
    body = call.body()
    only_fields(body, "ref", "sha")
    ref, sha = text_field(body, "ref", required=True) or "", _sha(body)
    git = call.forge.git(where)
    if not ref.startswith("refs/heads/"):
        raise Refused(501, "not emulated: refs other than refs/heads/…")
    if not git.has(sha, "commit"):
        raise Refused(422, "Object does not exist")
    if git.branch(ref.removeprefix("refs/heads/")):
        raise Refused(422, "Reference already exists")
    try:
        git.update_ref(ref, sha)
    except GitError as error:
        if git.branch(ref.removeprefix("refs/heads/")):
            raise Refused(422, "Reference already exists") from error
        raise Refused(422, "Reference cannot be created") from error
    return JSONResponse(_ref(call, where, ref, sha), 201)


def update_ref(call: Call) -> Response:
    """PATCH /repos/{owner}/{name}/git/refs/{ref} {"sha", "force"?}"""
    where = call.repository("contents", "write")
    body = call.body()
    only_fields(body, "sha", "force")
    ref, sha = f"refs/{call.param('ref')}", _sha(body)
    git = call.forge.git(where)
    old = git.refs(ref).get(ref)
    if old is None:
        raise Refused(422, "Reference does not exist")
    if not git.has(sha, "commit"):
        raise Refused(422, "Object does not exist")
    if body.get("force") is not True and not git.is_ancestor(old, sha):
        raise Refused(422, "Update is not a fast forward")
    try:
        git.update_ref(ref, sha, old)
    except GitError as error:
        raise Refused(409, "Reference was updated by somebody else") from error
    return JSONResponse(_ref(call, where, ref, sha))


def compare(call: Call) -> Response:
    """GET /repos/{owner}/{name}/compare/{base}...{head}: how head stands to base, no more"""
    where = call.repository("contents")
    git = call.forge.git(where)
    base, _, head = call.param("basehead").partition("...")
    tip = git.branch(base)
    if tip is None or not git.has(head, "commit"):
        raise Refused(404, "Not Found")
    if tip == head:
        status = "identical"
    elif git.is_ancestor(head, tip):
        status = "behind"
    else:
        status = "ahead" if git.is_ancestor(tip, head) else "diverged"
    return JSONResponse({"status": status})


def commits(call: Call) -> Response:
    """GET /repos/{owner}/{name}/commits: sha (a commit or a branch), per_page; newest first"""
    where = call.repository("contents")
    query = call.request.query_params
    only_fields(dict(query), "sha", "per_page")
    git, start = call.forge.git(where), query.get("sha", where["default_branch"])
    tip = start if git.has(start, "commit") else git.branch(start)
    if tip is None:
        raise Refused(404, "Not Found")
    lines = git.log(tip, limit=call.paging()[0])
    return JSONResponse([_listed(call, where, git, line.sha) for line in lines])


def get_commit(call: Call) -> Response:
    """GET /repos/{owner}/{name}/git/commits/{sha}"""
    where = call.repository("contents")
    git, sha = call.forge.git(where), call.param("sha")
    if not git.has(sha, "commit"):
        raise Refused(404, "Not Found")
    return JSONResponse(_commit(call, where, git, sha))


def create_commit(call: Call) -> Response:
    """POST /repos/{owner}/{name}/git/commits"""
    where = call.repository("contents", "write")
    body = call.body()
    only_fields(body, "message", "tree", "parents", "author", "committer")
    git = call.forge.git(where)
    message = text_field(body, "message", required=True) or ""
    tree = _sha(body, "tree")
    if not git.has(tree, "tree"):
        raise Refused(422, "Tree SHA does not exist")
    given = body.get("parents", [])
    parents = [str(parent) for parent in given] if isinstance(given, list) else [""]
    if not all(git.has(parent, "commit") for parent in parents):
        raise Refused(422, "Parent SHA does not exist or is not a commit object")
    login = call.caller.login
    himself = Person(login, f"{login}@users.noreply.example", now_iso())
    author = _person(body.get("author"), himself)
    committer = _person(body.get("committer"), author)
    try:
        sha = git.commit(tree, parents, message, author, committer)
    except GitError as error:
        raise Refused(422, f"The commit was refused: {error}") from error
    return JSONResponse(_commit(call, where, git, sha), 201)


def create_blob(call: Call) -> Response:
    """POST /repos/{owner}/{name}/git/blobs {"content", "encoding": "utf-8"}"""
    where = call.repository("contents", "write")
    body = call.body()
    only_fields(body, "content", "encoding")
    if body.get("encoding", "utf-8") != "utf-8":
        raise Refused(501, "not emulated: blobs in base64")
    content = text_field(body, "content", limit=40_000_000, required=True) or ""
    sha = call.forge.git(where).write_blob(content.encode())
    return JSONResponse({"sha": sha, "url": _url(call, where, "blobs", sha)}, 201)


def create_tree(call: Call) -> Response:
    """POST /repos/{owner}/{name}/git/trees: files by ``content`` or ``sha``; null deletes"""
    where = call.repository("contents", "write")
    body = call.body()
    only_fields(body, "base_tree", "tree")
    git, base = call.forge.git(where), text_field(body, "base_tree", limit=64)
    if base is not None and not git.has(base, "tree"):
        raise Refused(422, "base_tree is not a valid tree oid")
    wanted = body.get("tree")
    if not isinstance(wanted, list) or not wanted:
        raise Refused(422, "Invalid tree info")
    entries = [_entry(git, base, entry) for entry in wanted]
    try:
        sha = git.write_tree(base, entries)
    except GitError as error:
        raise invalid("Tree", "tree.path contains a malformed path component") from error
    shown = [
        {"path": name, "mode": mode, "type": kind, "sha": entry}
        for mode, kind, entry, name in git.tree(sha)
    ]
    url = _url(call, where, "trees", sha)
    return JSONResponse({"sha": sha, "url": url, "tree": shown, "truncated": False}, 201)


def _entry(git: Git, base: str | None, entry: Any) -> tuple[str, str | None, str]:
    if not isinstance(entry, dict):
        raise Refused(422, "Invalid tree info")
    only_fields(entry, "path", "mode", "type", "sha", "content")
    path = text_field(entry, "path", limit=4096, required=True) or ""
    mode = entry.get("mode")
    if mode not in _FILE_MODES or entry.get("type", "blob") != "blob":
        raise Refused(501, f"not emulated: a tree entry of mode {mode}")
    if not path or "\0" in path:
        raise invalid("Tree", "tree.path contains a malformed path component")
    if "content" in entry and "sha" in entry:
        raise Refused(422, "Must supply either tree.sha or tree.content, not both.")
    if "content" in entry:
        content = text_field(entry, "content", limit=40_000_000, required=True) or ""
        return mode, git.write_blob(content.encode()), path
    if "sha" not in entry:
        raise Refused(422, "Must supply either tree.sha or tree.content.")
    if entry["sha"] is not None and not git.has(str(entry["sha"]), "blob"):
        raise invalid("Tree", f"tree.sha {entry['sha']} is not a valid blob")
    if entry["sha"] is None and not _holds(git, base, path):
        raise Refused(422, "GitRPC::BadObjectState")
    return mode, entry["sha"], path


def _holds(git: Git, base: str | None, path: str) -> bool:
    try:
        return base is not None and git.read_blob(base, path) is not None
    except GitError:
        return False


def _sha(body: dict[str, Any], field: str = "sha") -> str:
    return text_field(body, field, limit=64, required=True) or ""


def _person(given: Any, otherwise: Person) -> Person:
    if given is None:
        return otherwise
    if not isinstance(given, dict):
        raise Refused(422, "Invalid request. 'author' is not an object.")
    name = text_field(given, "name", required=True) or ""
    email = text_field(given, "email", required=True) or ""
    if "\0" in name + email:
        raise Refused(422, "Invalid request. A name or an email holds a NUL.")
    date = text_field(given, "date")
    return Person(name, email, parse_iso(date, "date") if date else now_iso())


def _commit(call: Call, where: Row, git: Git, sha: str) -> dict[str, Any]:
    form = "--format=%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
    found = git.run("log", "-1", form, sha).decode(errors="replace").removesuffix("\n")
    tree, parents, *people, message = found.split("\0", 8)
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": _url(call, where, "commits", sha),
        "author": dict(zip(("name", "email", "date"), people[:3], strict=True)),
        "committer": dict(zip(("name", "email", "date"), people[3:], strict=True)),
        "message": message,
        "tree": {"sha": tree, "url": _url(call, where, "trees", tree)},
        "parents": [{"sha": p, "url": _url(call, where, "commits", p)} for p in parents.split()],
        "verification": {"verified": False, "reason": "unsigned", "signature": None},
    }


def _listed(call: Call, where: Row, git: Git, sha: str) -> dict[str, Any]:
    """A commit as a list of them shows it: what git knows of it is a part."""
    shown = _commit(call, where, git, sha)
    known = {name: shown[name] for name in ("author", "committer", "message", "tree")}
    return {
        "sha": sha,
        "node_id": shown["node_id"],
        "url": f"{shapes.api(call.base, where)}/commits/{sha}",
        "commit": {**known, "url": shown["url"], "comment_count": 0},
        "parents": shown["parents"],
    }


def _ref(call: Call, where: Row, ref: str, sha: str) -> dict[str, Any]:
    return {
        "ref": ref,
        "node_id": f"REF_{ref}",
        "url": f"{shapes.api(call.base, where)}/git/{ref}",
        "object": {"type": "commit", "sha": sha, "url": _url(call, where, "commits", sha)},
    }


def _url(call: Call, where: Row, kind: str, sha: str) -> str:
    return f"{shapes.api(call.base, where)}/git/{kind}/{sha}"
