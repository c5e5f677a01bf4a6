"""The command, as people run it: in a process of its own."""

import argparse
import fcntl
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.parts import ROOT
from local.serve import running
from scripts import surroundings
from scripts.soulcaster import COMMANDS, parser
from soulcaster.rules.grouping.background import is_calibrated
from tests.loop.clouds import started
from tests.support import seeds, state
from tests.support.world import World

PAGE = (ROOT / "docs/commands.md").read_text("utf-8")


def run(
    *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What it prints and its exit status, with nothing of our own environment."""
    return subprocess.run(
        [ROOT / "soulcaster", *map(str, arguments)],
        cwd=ROOT.parent,
        env={"PATH": os.environ["PATH"], **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def options(command: str) -> list[str]:
    """What may be said to it, but for what argparse adds."""
    (commands,) = (one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    actions = commands.choices[command]._actions
    return [name for one in actions for name in one.option_strings if name[:2] == "--"][1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_subcommand_is_documented(command: str) -> None:
    """Each has a chapter that names all of its options, and the README names it."""
    (chapter,) = re.findall(rf"^## {command}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    shared = PAGE.partition("\n## ")[0]
    for option in options(command):
        assert f"`{option}" in chapter + shared, option
    assert f"./soulcaster {command}" in chapter
    assert f"`./soulcaster {command}" in (ROOT / "README.md").read_text("utf-8")


def test_nothing_else_is_documented() -> None:
    """Every chapter is about a subcommand that there is."""
    assert set(re.findall(r"^## ([\w-]+)$", PAGE, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_says_what_it_does(command: str) -> None:
    """To whoever asks for it, on the standard output."""
    done = run(*filter(None, [command]), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in options(command) if command else COMMANDS:
        assert word in done.stdout
    if command:
        assert COMMANDS[command].ABOUT[:20] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        ((), 2, "the following arguments are required: COMMAND"),
        (("dance",), 2, "invalid choice: 'dance'"),
        (("reindex",), 2, "one of the arguments PROJECT --all is required"),
        (("reindex", "larder", "--all"), 2, "not allowed with argument"),
        (("calibrate",), 1, "EMBEDDING_MODEL is not set"),
        (("reindex", "larder"), 1, "UPSTASH_REDIS_REST_URL is not set"),
        (("owner-link",), 1, "You must specify a region"),
        (("redrive", "X"), 1, "You must specify a region"),
        (("calibrate", "--local", "--state", "/nowhere"), 1, "no local cloud is running in"),
        (("redrive", "X", "--local", "--state", "/nowhere"), 1, "make up starts one"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], status: int, line: str) -> None:
    """No trace, and an exit status that tells a script."""
    done = run(*arguments, environment={"AWS_CONFIG_FILE": "/dev/null"})
    assert (done.returncode, done.stdout) == (status, "")
    told = [one for one in done.stderr.splitlines() if not one.startswith(("usage:", " "))]
    assert len(told) == 1
    assert line in told[0]
    assert told[0].startswith("soulcaster")


def test_without_its_environment_it_says_how_to_make_one(tmp_path: Path) -> None:
    """A fresh clone has no .venv."""
    copy = tmp_path / "soulcaster"
    copy.write_bytes((ROOT / "soulcaster").read_bytes())
    done = subprocess.run(["sh", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "soulcaster: run make setup first\n")


# In the place of an account


@pytest.fixture
def settings(world: World) -> dict[str, str]:
    """The variables of the function that clusters."""
    return {**world.stack.functions["ClusterFunction"].environment, **world.platform}


@pytest.fixture
def gemini() -> Iterator[tuple[str, list[int]]]:
    """An address that embeds in 24 dimensions, and how many texts it was sent in each call."""
    calls: list[int] = []

    async def embed(request: Request) -> Response:
        count = len((await request.json())["requests"])
        calls.append(count)
        rows = np.random.default_rng(len(calls)).normal(size=(count, 24)) + 0.3
        return JSONResponse({"embeddings": [{"values": row} for row in rows.tolist()]})

    app = Starlette(routes=[Route("/{path:path}", embed, methods=["POST"])])
    with running(app) as url:
        yield url, calls


def test_calibrate_stores_what_it_measured(
    world: World, settings: dict[str, str], gemini: tuple[str, list[int]]
) -> None:
    """In Redis, in calls of a hundred texts; it prints what changed."""
    url, calls = gemini
    model = {"EMBEDDING_MODEL": "new/model", "EMBEDDING_DIMENSIONS": "24"}
    settings |= {**model, "GOOGLE_GEMINI_BASE_URL": url}
    first, second = (run("calibrate", "--store", environment=settings) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    once = calls[: len(calls) // 2]
    assert once * 2 == calls
    assert once[:-1] == [100] * (len(once) - 1)
    kept = state.redis(world, "GET", "sys:model:new-model-24")
    assert is_calibrated("new/model", 24, kept)
    assert "new-model-24, from what it was to what it is:" in first.stdout
    assert "kept in Redis" in first.stdout
    rows = [line.split() for line in first.stdout.splitlines()]
    (error,) = (row for row in rows if row[:1] == ["error"])
    assert error[1:3] == ["0.000", "→"]
    assert float(error[3]) > 0
    # The second time it starts from what the first has found.
    (again,) = (one.split() for one in second.stdout.splitlines() if one.startswith("error"))
    assert again[1] == error[3]


def test_calibrate_refuses_what_gemini_refuses(
    settings: dict[str, str], gemini: tuple[str, list[int]]
) -> None:
    """Vectors of another width than the setting, say; nothing is kept."""
    url, _ = gemini
    settings |= {"EMBEDDING_DIMENSIONS": "23", "GOOGLE_GEMINI_BASE_URL": url}
    done = run("calibrate", "--store", environment=settings)
    assert done.returncode == 1
    assert done.stderr == "soulcaster calibrate: Gemini: a vector of 24 dimensions, not 23\n"


def test_reindex_fills_an_empty_index(world: World, settings: dict[str, str]) -> None:
    """One project or all of them; --only-missing embeds what is not there."""
    seeds.project(world)
    seeds.cluster(world, ["The import loses the last line", "Dark mode can't be read"])
    state.redis(world, "DEL", "p:larder:recent", "p:larder:recent:vectors")
    done = run("reindex", seeds.PROJECT, environment=settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "larder: 2 items, 2 of them embedded\n"
    again = run("reindex", "--all", "--only-missing", environment=settings)
    assert again.stdout == "larder: 2 items, 0 of them embedded\n"


def test_reindex_does_nothing_when_a_project_is_misspelt(
    world: World, settings: dict[str, str]
) -> None:
    """Not even those that are there."""
    seeds.project(world)
    seeds.feedback(world, ["The import loses the last line"])
    done = run("reindex", seeds.PROJECT, "ladder", environment=settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "soulcaster reindex: there is no project 'ladder'\n"


def test_redrive_is_the_same_as_that_of_make(world: World, settings: dict[str, str]) -> None:
    """It sends dead letters back, and refuses what is not one queue of them."""
    world.send("FeedbackQueue", "poison")
    while world.deliver("FeedbackQueue"):
        pass
    done = run("redrive", "FeedbackDeadLetters", environment=settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert state.snapshot(world).queues == {"FeedbackQueue": ["poison"]}
    done = run("redrive", "DeadLetters", environment=settings)
    assert done.returncode == 1
    assert done.stderr.startswith("soulcaster redrive: 'DeadLetters' means ")


def test_an_owner_link_makes_an_owner(world: World) -> None:
    """With the variables of the function that serves the API; what is kept is under its pepper."""
    settings = {**world.stack.functions["ApiFunction"].environment, **world.platform}
    state.redis(world, "DEL", "sys:owners")
    done = run("owner-link", "--dashboard", "https://d.example", environment=settings)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout.strip().partition("https://d.example/welcome#token=")[2]
    assert world.api("POST", "/installation/owner", {"token": text[:-1]}).status == 404
    assert world.made("GET", "/me")["owner"] is False
    assert world.api("POST", "/installation/owner", {"token": text}).status == 204
    assert world.made("GET", "/me")["owner"] is True


# In the local cloud


@pytest.fixture
def _restored() -> Iterator[None]:
    """The environment as it was."""
    kept = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.mark.usefixtures("_restored")
def test_the_local_clouds_settings_replace_all_others(tmp_path: Path) -> None:
    """All variables of the function, and none of somebody's account."""
    os.environ.update({"AWS_PROFILE": "work", "GEMINI_API_KEY": "mine", "HTTPS_PROXY": "there"})
    secrets = ("UpstashRedisTokenArn", "UpstashVectorTokenArn", "GeminiApiKeyArn")
    parameters = {
        "UpstashRedisRestUrl": "http://127.0.0.1:1",
        "UpstashVectorRestUrl": "http://127.0.0.1:2",
        "AgentImage": "agent-container/Dockerfile",
        **{name: f"arn:{name}" for name in (*secrets, "GitHubAppArn", "RedditAppArn")},
        "ModelApiKeyArn": "arn:model",
    }
    files: dict[str, Any] = {
        "parameters": parameters,
        "ports": {"api": 3, "sqs": 4},
        "platform": {"AWS_ENDPOINT_URL": "http://127.0.0.1:5", "AWS_REGION": "us-east-1"},
    }
    with pytest.raises(surroundings.NotRunning):
        surroundings.enter(tmp_path)
    with (tmp_path / "lock").open("a+") as lock:
        with pytest.raises(surroundings.NotRunning):
            surroundings.enter(tmp_path)  # nobody holds it
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(surroundings.NotRunning, match="has not started yet"):
            surroundings.enter(tmp_path)
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        surroundings.enter(tmp_path)
    assert os.environ["GEMINI_API_KEY_ARN"] == "arn:GeminiApiKeyArn"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5"
    assert os.environ["AWS_CONFIG_FILE"] == os.devnull
    assert not {"AWS_PROFILE", "GEMINI_API_KEY", "HTTPS_PROXY"} & set(os.environ)


def test_local_is_the_cloud_that_runs(tmp_path: Path) -> None:
    """Every project of it; before it runs there is nothing to do."""
    with started("local", tmp_path / "state") as cloud:
        cloud.until_up()
        done = run("reindex", "--all", "--local", "--state", cloud.folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        done = run("owner-link", "--local", "--state", cloud.folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\nsco_" in done.stdout
        done = run("reindex", "larder", "--local", "--state", cloud.folder)
        assert done.stderr == "soulcaster reindex: there is no project 'larder'\n"
