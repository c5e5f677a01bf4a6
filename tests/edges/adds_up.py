"""Whether all that Redis holds follows from where the items are."""

import json
from collections import Counter
from typing import Any

from tests.edges.reference import Reference
from tests.edges.servers import command

_DUMP = """
local read = { string = 'GET', hash = 'HGETALL', set = 'SMEMBERS' }
local held = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local type = redis.call('TYPE', key).ok
  if type == 'zset' then
    held[key] = { type, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') }
  elseif type == 'list' then
    held[key] = { type, redis.call('LRANGE', key, 0, -1) }
  else
    held[key] = { type, redis.call(read[type], key) }
  end
end
return cjson.encode(held)
"""


def snapshot(url: str) -> dict[str, Any]:
    """All that Redis holds, by key without the project, in one request."""
    held = {}
    for key, (kind, value) in json.loads(command(url, "EVAL", _DUMP, 0)).items():
        if kind in ("hash", "zset"):
            value = dict(zip(value[::2], value[1::2], strict=True))  # noqa: PLW2901
        held[key.removeprefix("p:larder:")] = set(value) if kind == "set" else value
    return held


def settled(held: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without the records of corrections, without clusters that stay behind empty, and
    without the words in clusters' names.
    """
    gone = {
        key
        for key, value in held.items()
        if key.startswith(("cor", "wc:"))
        or (key.startswith("cl:") and "status" in value and f"{key}:items" not in held)
    }
    return {key: value for key, value in held.items() if key not in gone}


def items_are_where_the_corrections_say(held: dict[str, Any], model: Reference) -> None:
    """Items, what holds them, and what was learned."""
    for item, home in model.homes.items():
        fb = held[f"fb:{item}"]
        assert (fb["home"], fb["cluster"]) == (home, model.where(item))
        assert [int(n) for n in fb.get("pins", "").split(",") if n] == model.pins(item)
    live = {m.number: m.pins for m in model.made if m.live}
    assert {n: held.get(f"cor:{n}:items", set()) for n in live} == live
    taught: Counter[str] = Counter()
    for field, count in held.get("taught", {}).items():
        taught[field.rpartition(":")[2]] += int(count)
    expected = ["merge" if m.verb == "merge" else "apart" for m in model.made if m.live]
    assert taught == Counter(expected)


def clusters_are_what_their_items_add_up_to(held: dict[str, Any], model: Reference) -> None:
    """Counts, days, reporters, jobs, status and the lists of clusters."""
    shown = model.shown()
    for cluster in model.known:
        cl = held[f"cl:{cluster}"]
        items = [held[f"fb:{i}"] for i in shown.get(cluster, ())]
        created = {i["id"]: i["created"] for i in items}
        assert held.get(f"cl:{cluster}:items", {}) == created
        points = {i["id"]: i["created"] for i in items if "rides" not in i}
        assert held.get(f"cl:{cluster}:points", {}) == points
        assert held.get(f"cl:{cluster}:jobs", []) == model.jobs_of(cluster)
        counted = {k: int(v) for k, v in cl.items() if k.startswith(("source:", "severity:"))}
        parts = [f"source:{i['source']}" for i in items]
        parts += [f"severity:{i['severity']}" for i in items if i["severity"]]
        assert counted == Counter(parts)
        reporters = Counter(i["author"] or i["id"] for i in items)
        assert _counts(held.get(f"cl:{cluster}:reporters")) == reporters
        days: Counter[str] = Counter()
        for i in items:
            days.update(json.loads(i["days"]))
        assert _counts(held.get(f"cl:{cluster}:days")) == days
        if items:
            seen = sorted(created.values(), key=int)
            assert (cl["first_seen"], cl["last_seen"]) == (seen[0], seen[-1])
            assert cl["status"] == "open"
            assert not {"merged_into", "merged_by"} & cl.keys()
        else:
            assert (cl["status"], cl["merged_into"] in model.known) == ("merged", True)
    sizes = {c: str(len(items)) for c, items in shown.items()}
    for suffix in ("", ":open"):
        assert held["cls:size" + suffix] == sizes
        assert held["cls" + suffix] == {c: held[f"cl:{c}"]["last_seen"] for c in shown}
        assert held["cls:impact" + suffix].keys() == shown.keys()
    assert held["counts"]["clusters"] == str(len(shown))


def _counts(stored: dict[str, str] | None) -> dict[str, int]:
    return {field: int(count) for field, count in (stored or {}).items()}
