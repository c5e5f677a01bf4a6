"""Repositories: what the API says about one, and making one from a folder."""

import re
import shutil
import uuid
from pathlib import Path

from starlette.responses import JSONResponse, Response

from local.github import shapes
from local.github.call import Call, now_iso, only_fields, text_field
from local.github.git import Git, Person
from local.github.refusal import Refused, invalid
from local.github.store import Row

_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
# Always the same, so that a repository made twice from the same files has the same commit.
_FIRST_COMMIT = Person("Maintainers", "maintainers@example.com", "2026-01-05T09:00:00+00:00")
_BRANCH = "main"
# What running the folder's own tests leaves behind must not change its first commit.
_EXCLUDED = "__pycache__/\n*.pyc\n.pytest_cache/\nnode_modules/\n"


def get(call: Call) -> Response:
    """GET /repos/{owner}/{name}"""
    return JSONResponse(shapes.repository(call.base, call.repository()))


def create(call: Call) -> Response:
    """POST /_local/repositories {"full_name", "path", "description"?, "installed"?}

    One commit with the folder's files on ``main``. 201, or 200 if it's there already.
    """
    require_person(call)
    body = call.body()
    only_fields(body, "full_name", "path", "description", "installed")
    full_name = text_field(body, "full_name", required=True) or ""
    folder = Path(text_field(body, "path", required=True) or "")
    if not _FULL_NAME.fullmatch(full_name) or full_name.endswith(".git"):
        raise invalid("Repository", "full_name is not owner/name", field="full_name")
    if not folder.is_absolute() or not folder.is_dir():
        raise invalid("Repository", "path is not a folder's absolute path", field="path")
    with call.store.transaction():
        found = named(call, full_name)
        if found:
            return JSONResponse(shapes.repository(call.base, found))
        _make(call.forge.folder / "repos" / f"{full_name}.git", folder)
        call.store.write(
            "INSERT INTO repositories (full_name, description, default_branch, installed,"
            " created_at) VALUES (?, ?, ?, ?, ?)",
            full_name,
            text_field(body, "description") or "",
            _BRANCH,
            body.get("installed", True) is True,
            now_iso(),
        )
        made = call.store.get("SELECT * FROM repositories WHERE full_name = ?", full_name)
    return JSONResponse(shapes.repository(call.base, made), 201)


def local_repository(call: Call) -> Row:
    """The repository that a local-only request names in ``repo``."""
    require_person(call)
    found = named(call, text_field(call.body(), "repo", required=True) or "")
    if found is None:
        raise Refused(404, "Not Found")
    return found


def require_person(call: Call) -> None:
    if call.caller.kind != "person":
        raise Refused(401, "Requires authentication")


def named(call: Call, full_name: str) -> Row | None:
    """The repository of that name, for who may see all of them."""
    return call.store.one("SELECT * FROM repositories WHERE full_name = ?", full_name)


def _make(path: Path, folder: Path) -> None:
    """Complete at ``path`` or not there at all, whenever the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Git(path.parent / f"{uuid.uuid4()}.making")
    try:
        scratch.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={_BRANCH}")
        for setting in ("gc.auto=0", "receive.autogc=false", "http.receivepack=true"):
            scratch.run("config", *setting.split("="))
        (scratch.path / "info").mkdir()
        (scratch.path / "info" / "exclude").write_text(_EXCLUDED)
        tree = scratch.snapshot(folder)
        commit = scratch.commit(tree, [], "Initial import\n", _FIRST_COMMIT, _FIRST_COMMIT)
        scratch.update_ref(f"refs/heads/{_BRANCH}", commit)
        # Left over from a process that was killed before it recorded the repository.
        shutil.rmtree(path, ignore_errors=True)
        scratch.path.rename(path)
    finally:
        shutil.rmtree(scratch.path, ignore_errors=True)
