"""The table of who may call what."""

import re
from pathlib import Path
from typing import get_args

from soulcaster.rules.access import REQUESTS_PER_MINUTE, ROLES, ROUTES, SCOPES, Caller, Role, Rule
from tests.api.routes_table import routes

PAGE = Path(__file__).parents[2] / "docs/access.md"
OTHERS = {
    "self": "whoever is signed in",
    "installation": "owners of the installation",
}


def test_each_role_can_do_what_the_one_below_can() -> None:
    """An owner everything, a viewer only look."""
    assert set(ROLES) == set(get_args(Role))
    assert frozenset({"read"}) == ROLES["viewer"]
    assert ROLES["viewer"] < ROLES["maintainer"] < ROLES["owner"]
    assert ROLES["owner"] == frozenset(SCOPES)
    assert "admin" not in ROLES["maintainer"]


def test_every_route_needs_something_that_there_is() -> None:
    """No unknown scope, and every scope is needed by some route."""
    needed = {rule.needs for rule in ROUTES.values()}
    assert needed <= {*SCOPES, *OTHERS}
    assert needed >= {"read", "triage", "fix", "admin"}
    assert not {method for method, _ in ROUTES} - {"GET", "POST", "PUT", "PATCH", "DELETE"}


def test_looking_needs_no_more_than_read_where_nothing_is_secret() -> None:
    """And nobody changes anything by what lets them look, but themselves."""
    for (method, path), rule in ROUTES.items():
        if method != "GET":
            assert rule.needs != "read" or path.endswith("/me"), path


def test_who_belongs_to_a_project_is_for_people_alone() -> None:
    """A key says nothing about members, invitations or owners."""
    for (_, path), rule in ROUTES.items():
        if re.search(r"members|invitations|installation", path):
            assert rule.people, path


def test_the_script_is_asked_by_role_and_counts_once() -> None:
    """Those roles that have the scope; a request is one, however many scripts it runs."""
    who = Caller(by="person", id="github:1", name="ada", rule=Rule("triage"), now=5)
    first, second = who.question(), who.question()
    assert first["roles"] == {"owner": True, "maintainer": True}
    assert (first["limit"], second["limit"]) == (REQUESTS_PER_MINUTE, 0)
    assert {**first, "limit": 0} == second


def shown(rule: Rule) -> str:
    """What the page says that a route needs."""
    if rule.needs in OTHERS:
        return OTHERS[rule.needs] + (" or has a key" if not rule.people else "")
    return f"`{rule.needs}`{', people only' if rule.people else ''}"


def table() -> str:
    """The page's table of routes."""
    rows = [
        f"| `{method} {path}` | {shown(ROUTES[method, path])} |"
        for path, method in sorted((path, method) for method, path in ROUTES)
    ]
    return "\n".join(["| route | needs |", "| --- | --- |", *rows])


def test_the_page_has_the_table() -> None:
    """docs/access.md says of each route what it needs; this prints what has to be there."""
    assert table() in PAGE.read_text("utf-8"), f"the table of docs/access.md has to be\n\n{table()}"


def test_every_route_is_in_the_table() -> None:
    """What is not there nobody may call."""
    assert sorted(ROUTES) == routes()
