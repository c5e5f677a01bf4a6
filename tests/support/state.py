"""Everything that is stored anywhere, in a form that two runs can be compared in; and its end."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from tests.support.people import ADA
from tests.support.world import World

# Every key with its type and its whole value.
_DUMP = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local value
  if kind == 'string' then value = redis.call('GET', key)
  elseif kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  else value = redis.call('LRANGE', key, 0, -1) end
  found[#found + 1] = { key, kind, value }
end
return found
"""
# Who works at the moment, what the index may not show yet, and how often somebody asked: none is a
# result.
_PASSING = re.compile(r"p:[^:]+:(lease|fence|recent|recent:vectors)|sys:rate:.+")
_SCORED_BY_CLOCK = re.compile(r"sys:(jobs|looks|waiting)|p:[^:]+:(pending|jobs|waiting|cls:ranked)")
_OF_A_DAY = re.compile(r"(p:[^:]+:(?:spend|intake):)[0-9-]+")
# Who asks for a fix gets an id that nothing determines.
_RANDOM_JOB = re.compile(r"job_[a-z0-9-]+_[0-9a-f]{20}")
_CLOCK_FIELDS = {
    "aud": {"at"},
    "job": {"created", "updated", "deadline", "task", "claimed_at", "pr_version", "day"},
    "cl": {"created", "ranked_at", "resolved_at"},
    "fb": {"received", "heard", "first_heard", "top_at", "event_at", "said_at"},
    # What it counts are deliveries, each time that one comes.
    "source": {"deliveries", "last_delivery"},
}


@dataclass(frozen=True)
class State:
    """``queues`` holds the different messages of each queue: duplicates are allowed for."""

    redis: dict[str, Any]
    vectors: dict[str, list[str]]
    queues: dict[str, list[str]]
    branches: dict[str, str]
    pulls: list[dict[str, Any]]
    tasks: list[str]


def redis(world: World, *command: str | int) -> Any:
    """The answer to one Redis command, past the wire."""
    headers = {"authorization": f"Bearer {world.credentials.redis}"}
    answer = world.http.post(world.direct.redis, json=list(command), headers=headers).json()
    assert "error" not in answer, answer
    return answer["result"]


def clear(world: World) -> None:
    """Forget everything but the deployment and what GitHub and Reddit hold."""
    redis(world, "FLUSHALL")
    redis(
        world, "HSET", "sys:owners", ADA.id, json.dumps({"name": ADA.login})
    )  # whom world.api speaks for
    _vector(world, "/reset?all")
    for queue in world.stack.queues.values():
        world.sqs.purge_queue(QueueUrl=queue.url)
    for task in _tasks(world):
        world.ecs.stop_task(cluster=_cluster(world), task=task["taskArn"])


def snapshot(world: World, repository: str = "") -> State:
    """What is stored now, without clock times; of GitHub only ``repository``, if one is given."""
    branches, pulls = _github(world, repository) if repository else ({}, [])
    state = State(
        redis=stored(world),
        vectors=_vectors(world),
        queues=_queues(world),
        branches=branches,
        pulls=pulls,
        tasks=sorted(task["startedBy"] for task in _tasks(world)),
    )
    text = _RANDOM_JOB.sub("job_random", json.dumps(asdict(state)))
    return State(**json.loads(text.replace(repository, "the/repository") if repository else text))


def stored(world: World) -> dict[str, Any]:
    """Everything in Redis by key, without clock times; a project's days are numbered from 1."""
    found, days = {}, dict[str, int]()
    for key, kind, value in sorted(redis(world, "EVAL", _DUMP, 0)):
        if spend := _OF_A_DAY.fullmatch(key):
            days[spend[1]] = days.get(spend[1], 0) + 1
            found[f"{spend[1]}{days[spend[1]]}"] = _value(key, kind, value)
        elif not _PASSING.fullmatch(key):
            found[key] = _value(key, kind, value)
    return found


def records(world: World, kind: str) -> dict[str, dict[str, Any]]:
    """The stored records of a kind (fb, cl, job) by id."""
    return {
        value["id"]: value
        for key, value in stored(world).items()
        if key.split(":")[2:3] == [kind] and isinstance(value, dict) and "id" in value
    }


def counts(world: World, project: str) -> dict[str, str]:
    """A project's counters."""
    found: dict[str, str] = stored(world)[f"p:{project}:counts"]
    return found


def _value(key: str, kind: str, value: Any) -> Any:
    match kind:
        case "string" | "list":
            return json.loads(value) if kind == "string" else [_entry(each) for each in value]
        case "set":
            return sorted(value)
        case "hash":
            fields = dict(zip(value[::2], value[1::2], strict=True))
            return _fields(key, fields)
        case _:
            scores = dict(zip(value[::2], value[1::2], strict=True))
            return sorted(scores) if _SCORED_BY_CLOCK.fullmatch(key) else scores


def _entry(text: str) -> Any:
    """An entry of a list: an id, or a line of a job's history."""
    if not text.startswith("{"):
        return text
    return {name: value for name, value in json.loads(text).items() if name != "at"}


def _fields(key: str, fields: dict[str, str]) -> dict[str, Any]:
    if key.endswith((":cursors", ":events")):
        return dict.fromkeys(fields, "a time")
    if key.endswith(":evidence"):
        return {n: {**json.loads(value), "received": "a time"} for n, value in fields.items()}
    if key.endswith(":look"):
        return {n: value for n, value in fields.items() if n not in ("looked_at", "asked_by")}
    if key.endswith(":counts"):
        return {name: value for name, value in fields.items() if value != "0"}
    kind = key.split(":")[2] if key.count(":") >= 2 else ""
    kept: dict[str, Any] = {n: v for n, v in fields.items() if n not in _CLOCK_FIELDS.get(kind, ())}
    for name in ("doc", "head"):
        if name in kept:
            kept[name] = json.loads(kept[name])
            del kept[name]["received_at"]
    return kept


def _vector(world: World, path: str, body: Any = None) -> Any:
    headers = {"authorization": f"Bearer {world.credentials.vector}"}
    answer = world.http.post(world.direct.vector + path, json=body, headers=headers)
    return answer.raise_for_status().json()["result"]


def _vectors(world: World) -> dict[str, list[str]]:
    """The ids in each namespace that has any."""
    found = {}
    for namespace in _vector(world, "/list-namespaces"):
        path = f"/range/{namespace}" if namespace else "/range"
        page = _vector(world, path, {"cursor": "0", "limit": 1000})
        assert not page["nextCursor"], "more than a page of vectors"
        if page["vectors"]:
            found[namespace] = sorted(each["id"] for each in page["vectors"])
    return found


def _queues(world: World) -> dict[str, list[str]]:
    """The different bodies in each queue; looking is no receive, so nothing is buried by it."""
    with closing(sqlite3.connect(world.folder / "sqs/sqs.sqlite3")) as database:
        rows = database.execute(
            "SELECT DISTINCT name, body FROM messages JOIN queues ON queues.id = messages.queue"
            " ORDER BY name, body"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for name, body in rows:
        found.setdefault(name, []).append(body)
    return found


def github(world: World, method: str, path: str, **given: Any) -> Any:
    """GitHub's answer to a person, past the wire."""
    headers = {"authorization": f"Bearer {world.credentials.person}"}
    answer = world.http.request(method, world.direct.github + path, headers=headers, **given)
    return answer.raise_for_status().json()


def _github(world: World, repository: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    refs = github(world, "GET", f"/repos/{repository}/git/matching-refs/heads/")
    pulls = github(world, "GET", f"/repos/{repository}/pulls", params={"state": "all"})
    shown = ("number", "title", "body", "draft", "state")
    return (
        {ref["ref"]: ref["object"]["sha"] for ref in refs},
        [
            {name: pull[name] for name in shown} | {"head": pull["head"]["ref"]}
            for pull in sorted(pulls, key=lambda pull: int(pull["number"]))
        ],
    )


def _cluster(world: World) -> str:
    return world.stack.functions["DispatchFunction"].environment["ECS_CLUSTER"]


def _tasks(world: World) -> list[Any]:
    """The tasks that run or are wanted to."""
    arns = world.ecs.list_tasks(cluster=_cluster(world))["taskArns"]
    if not arns:
        return []
    found: list[Any] = world.ecs.describe_tasks(cluster=_cluster(world), tasks=arns)["tasks"]
    return found
