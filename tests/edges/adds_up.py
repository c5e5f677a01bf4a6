"""Whether all that Redis holds follows from where the items are."""

import json
from collections import Counter
from typing import Any

from tests.edges.reference import Reference
from tests.edges.servers import held


def snapshot(url: str) -> dict[str, Any]:
    """All that Redis holds, by key without the project, in one request."""
    found = {}
    for key, (kind, value) in held(url).items():
        if kind in ("hash", "zset"):
            value = dict(zip(value[::2], value[1::2], strict=True))  # noqa: PLW2901
        found[key.removeprefix("p:larder:")] = set(value) if kind == "set" else value
    return found


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
        reporters = Counter(who for i in items for who in reporters_of(i))
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
        elif cluster in model.vacated:
            assert (cl["status"], "merged_into" in cl, "name" in cl) == ("open", False, False)
        else:
            assert (cl["status"], cl["merged_into"] in model.known) == ("merged", True)
    sizes = {c: str(len(items)) for c, items in shown.items()}
    for suffix in ("", ":open"):
        assert held["cls:size" + suffix] == sizes
        assert held["cls" + suffix] == {c: held[f"cl:{c}"]["last_seen"] for c in shown}
        assert held["cls:impact" + suffix].keys() == shown.keys()
    assert held["counts"]["clusters"] == str(len(shown))


def the_project_is_what_its_items_add_up_to(held: dict[str, Any]) -> None:
    """Counts, days, lists of items and what each item's evidence comes to."""
    items = {
        value["id"]: value for key, value in held.items() if key.startswith("fb:") and "id" in value
    }
    assert held.get("fbs", {}) == {name: item["created"] for name, item in items.items()}
    assert held.get("pending", {}).keys() <= items.keys()
    counted = {
        n: int(c) for n, c in held["counts"].items() if not n.startswith(("job:", "clusters"))
    }
    parts = Counter(f"source:{item['source']}" for item in items.values())
    parts["stored"] = len(items)
    parts["clustered"] = sum("cluster" in item for item in items.values())
    assert counted == +parts
    days: Counter[str] = Counter()
    for name, item in items.items():
        days.update(json.loads(item["days"]))
        assert int(item["reports"]) == sum(json.loads(item["days"]).values())
        evidence = held.get(f"fb:{name}:evidence", {})
        said = [json.loads(one) for one in evidence.values()]
        assert int(item.get("evidence", 0)) == sum(not one["gone"] for one in said)
        reports = [one for one in said if one["reports"] and not one["gone"]]
        assert sum(json.loads(item.get("said", "{}")).values()) == len(reports)
        assert not held.get("withdrawn", set()) & items.keys()
    assert _counts(held.get("days")) == days


def reporters_of(item: dict[str, str]) -> set[str]:
    """Whom an item is reported by."""
    return {item["author"] or item["id"], *json.loads(item.get("others", "[]"))}


def _counts(stored: dict[str, str] | None) -> dict[str, int]:
    return {field: int(count) for field, count in (stored or {}).items()}
