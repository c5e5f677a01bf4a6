"""What a patch may hold before anything of it reaches a repository."""

import json
import re
from dataclasses import dataclass
from typing import Any

from soulcaster.rules.text import clean

# What no project's settings go beyond: it is to be read by a person.
MAX_FILES = 200
MAX_BYTES = 1_000_000
MAX_LINES = 10_000

# A line that looks like a credential: GitHub, AWS, Google, OpenAI-like keys and private keys.
_SECRET = re.compile(
    r"gh[pousr]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{16,}|AKIA[0-9A-Z]{16}"
    r"|AIza[0-9A-Za-z_-]{30,}|sk-[A-Za-z0-9_-]{20,}|whsec_[A-Za-z0-9+/]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)

# What runs by itself when it changes, by the first part of its path or by its name.
_AUTOMATION = frozenset(
    {
        *(".github", ".gitlab", ".circleci", ".buildkite", ".woodpecker", ".forgejo", ".gitea"),
        *(".gitlab-ci.yml", ".travis.yml", ".drone.yml", "azure-pipelines.yml", "jenkinsfile"),
        *("bitbucket-pipelines.yml", "appveyor.yml", ".appveyor.yml", ".gitmodules"),
    }
)

# What tells coding agents what to do, wherever in the repository it lies.
_AGENTS = re.compile(
    r"(agents|claude|gemini|qwen|warp|copilot-instructions)(\.local|\.override)?\.md"
    r"|\.(kilo|cline|cursor|claude|codex|gemini|opencode|windsurf|aider)\w*(\..+)?"
    r"|\.roo(modes|rules\S*|ignore)?|\.goose(hints)?|\.continue|\.rules"
    r"|(kilo|opencode)\.jsonc?|\.?mcp\.json"
)

# What no text file holds; half of a surrogate pair can be written in JSON, but not to a file.
_BINARY = re.compile("[\0\ud800-\udfff]")


class PatchRefused(ValueError):  # noqa: N818 - an outcome with a name
    """The patch must not become a pull request; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """The whole new text of one file, or its deletion (``content`` None)."""

    path: str
    mode: str
    content: str | None


@dataclass(frozen=True, slots=True)
class Patch:
    """A change against the commit ``base``."""

    base: str
    summary: str
    files: tuple[ChangedFile, ...]


def holds_credential(text: str) -> bool:
    """Whether a line of ``text`` looks like a credential."""
    return _SECRET.search(text) is not None


def without_credentials(text: str) -> str:
    """``text`` with what looks like a credential taken out."""
    return _SECRET.sub("[removed]", text)


def parse_patch(text: str, *, files_limit: int, bytes_limit: int) -> Patch:
    """The patch that a task uploaded, checked; raises ``PatchRefused``.

    The limits are the project's, of changed files and of bytes in their new texts.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        base, summary = str(raw["base"]), str(raw["summary"])
        files = tuple(_file(entry) for entry in raw["files"])
    except PatchRefused:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PatchRefused("the patch is not in the agreed form") from error
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", base):
        raise PatchRefused("the patch does not name the commit it is based on")
    if not files:
        raise PatchRefused("the patch changes nothing")
    most_files, most_bytes = min(files_limit, MAX_FILES), min(bytes_limit, MAX_BYTES)
    if len(files) > most_files:
        raise PatchRefused(f"it changes {len(files)} files; {most_files} is the limit")
    if sum(len((f.content or "").encode()) for f in files) > most_bytes:
        raise PatchRefused(f"it holds more than {most_bytes} bytes")
    if sum(map(_lines, files)) > MAX_LINES:
        raise PatchRefused(f"its files have more than {MAX_LINES} lines")
    if len({f.path for f in files}) != len(files):
        raise PatchRefused("it changes the same file twice")
    if holds_credential(summary):
        raise PatchRefused("its summary holds what looks like a credential")
    return Patch(base, clean(summary, 4_000), files)


def _lines(file: ChangedFile) -> int:
    return len((file.content or "").splitlines())


def _file(entry: dict[str, Any]) -> ChangedFile:
    path, mode = entry["path"], entry["mode"]
    if not isinstance(path, str) or not isinstance(mode, str):
        raise PatchRefused("a file has no path or no mode")
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(parts) or "\0" in path:
        raise PatchRefused(f"the path {path[:200]!a} leaves the repository")
    # Some file systems ignore what can't be seen in a name, and it could end a quotation.
    if not path.isprintable() or "`" in path:
        raise PatchRefused(f"the path {path[:200]!a} is not plain text")
    lowered = [part.lower() for part in parts]
    if ".git" in lowered or lowered[0] in _AUTOMATION or lowered[-1] in _AUTOMATION:
        raise PatchRefused(f"{path} is not for an agent to change")
    if any(map(_AGENTS.fullmatch, lowered)):
        raise PatchRefused(f"{path} tells agents what to do and is not for one to change")
    if mode not in ("100644", "100755"):
        what = {"120000": "a symbolic link", "160000": "a submodule"}.get(mode, f"of mode {mode}")
        raise PatchRefused(f"{path} is {what}")
    if entry.get("deleted"):
        return ChangedFile(path, mode, None)
    content = entry.get("content")
    if entry.get("binary") or not isinstance(content, str) or _BINARY.search(content):
        raise PatchRefused(f"{path} is binary")
    if holds_credential(content):
        raise PatchRefused(f"{path} holds what looks like a credential")
    return ChangedFile(path, mode, content)
