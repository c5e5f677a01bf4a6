"""The image's definition, as far as it can be checked without building it."""

import fnmatch
import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from local.image import definitions
from local.lambdas.stack import TaskDefinition
from scripts import requirements
from soulcaster_agent.engines import FINDERS
from soulcaster_agent.users import UIDS

ROOT = Path(__file__).parents[2]
CONTEXT = ROOT / "agent-container"


def instructions(name: str) -> list[str]:
    """The arguments of all instructions of a kind, each on one line."""
    text = (CONTEXT / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    start = f"{name} "
    return [each.removeprefix(start) for each in text.splitlines() if each.startswith(start)]


def copied() -> dict[str, str]:
    """What is copied out of the build's folder, each with where it goes."""
    found: dict[str, str] = {}
    for each in instructions("COPY"):
        *sources, target = each.split()
        if not sources[0].startswith("--from="):
            found |= dict.fromkeys(sources, target)
    return found


def is_sent(path: str) -> bool:
    """Whether a file goes to the builder: the last line of .dockerignore that fits decides.

    Of its syntax only what is used here is understood.
    """
    sent = True
    parts = path.split("/")
    for line in (CONTEXT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        assert "/" not in anywhere, "this test doesn't know what that line means"
        where = parts if anywhere != pattern else parts[:1]
        if any(fnmatch.fnmatch(part, anywhere) for part in where):
            sent = line.startswith("!")
    return sent


def test_what_is_copied_is_there_and_sent() -> None:
    """No source of a COPY is missing in the folder or kept from the builder."""
    assert {"soulcaster_agent", "package.json"} <= set(copied())
    for source in copied():
        files = [CONTEXT / source, *(CONTEXT / source).rglob("*.py")]
        assert [str(file) for file in files if not file.exists()] == []
        assert [str(f) for f in files if not is_sent(str(f.relative_to(CONTEXT)))] == []


def test_nothing_else_is_sent() -> None:
    """No environment, cache or secret that lies there goes into a build."""
    found = {path.name for path in CONTEXT.iterdir()} | {".env", ".git", "secret.pem"}
    assert {name for name in found if is_sent(name)} == set(copied())
    assert not is_sent("soulcaster_agent/__pycache__/api.cpython-313.pyc")


def test_the_local_cloud_starts_what_the_image_starts() -> None:
    """The ENTRYPOINT names a module that is there, and a task here is that module."""
    (given,) = instructions("ENTRYPOINT")
    command = json.loads(given)
    task = TaskDefinition("Task", "arn", "family", "agent", "image", {})
    container = definitions(task)["family"]["containers"]["agent"]
    assert command[0] == "python"
    assert container["command"][1:] == command[1:] == ["-m", "soulcaster_agent"]
    assert importlib.util.find_spec("soulcaster_agent.__main__")
    assert copied()["soulcaster_agent"] == "/opt/agent/soulcaster_agent"
    assert "PYTHONPATH=/opt/agent" in shlex.split(instructions("ENV")[0])


def test_base_images_are_pinned_and_the_python_is_ours() -> None:
    """Each base image has a whole version; the last stage has the repository's Python."""
    bases = instructions("FROM")
    for base in bases:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+( AS [a-z]+)?", base)
    minor = (ROOT / ".python-version").read_text().strip()
    assert bases[-1].startswith(f"python:{minor}.")


@pytest.mark.parametrize("path", [requirements.AGENT, requirements.MINI])
def test_what_pip_installs_is_hashed(path: str) -> None:
    """The lists are those that are made from pyproject.toml; pip is told to want the hashes."""
    source = path.removeprefix("agent-container/")
    target = copied()[source]
    (install,) = [each for each in instructions("RUN") if f"--requirement {target}" in each]
    assert {"--require-hashes", "--no-cache-dir"} <= set(shlex.split(install))
    text = (ROOT / path).read_text()
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9-]+==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\S", text, re.MULTILINE)) > 0


def test_versions_of_the_engines_are_exact_and_as_documented() -> None:
    """What is installed is what the documentation speaks of."""
    kilo = json.loads((CONTEXT / "package.json").read_text())["dependencies"]["@kilocode/cli"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    mini = groups["mini_swe_agent"][0].removeprefix("mini-swe-agent==")
    locked = json.loads((CONTEXT / "package-lock.json").read_text())["packages"]
    assert locked["node_modules/@kilocode/cli"]["version"] == kilo
    assert f"mini-swe-agent=={mini} " in (ROOT / requirements.MINI).read_text()
    documented = (ROOT / "docs/engines.md").read_text()
    assert f"Kilo Code {kilo}" in documented
    assert f"mini-swe-agent {mini}" in documented
    adr = next((ROOT / "docs/adr").glob("0004-*.md")).read_text()
    assert f"Kilo Code {kilo}" in adr


def test_the_engines_user_is_made_and_is_the_one_that_tries_them() -> None:
    """Tools that ask who they are find a name, and the build starts every engine as that user."""
    runs = instructions("RUN")
    (made,) = [each for each in runs if "useradd" in each]
    assert f"--uid {UIDS[0]} engine" in made
    (tried,) = [each for each in runs if "setpriv --reuid=engine --regid=engine" in each]
    assert [name for name in FINDERS if name not in tried] == []
    assert runs.index(made) < runs.index(tried)


def test_the_path_holds_the_engines_and_no_other_python() -> None:
    """Each is found by its name; the supervisor's python is the base image's."""
    (path,) = [e for e in shlex.split(instructions("ENV")[0]) if e.startswith("PATH=")]
    assert path == "PATH=/opt/engine/node_modules/.bin:$PATH"
    modules = "--from=engine /engine/node_modules /opt/engine/node_modules"
    assert modules in instructions("COPY")
    link = "ln -s /opt/mini-swe-agent/bin/mini-swe-agent /usr/local/bin/mini-swe-agent"
    assert any(link in " ".join(each.split()) for each in instructions("RUN"))
    assert instructions("USER") == []
