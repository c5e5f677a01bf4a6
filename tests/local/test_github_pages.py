"""The pages of the emulated GitHub that people look at."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.github.markdown import render
from soulcaster.rules.patch import ChangedFile, Patch
from soulcaster.rules.proof import Proof, Run
from soulcaster.rules.pull_request import Evidence, pull_request_body
from tests.local.github_support import REPO, WRITE, World, change, publish, started

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running:
        yield running


def see(world: World, path: str, status: int = 200) -> str:
    """A page as a browser gets it."""
    answer = httpx.get(world.url + path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_the_pull_request_page(world: World) -> None:
    """It shows state, words, commits and the change itself."""
    world.local_issue(user="ada", title="Count the shelves")
    publish(world, world.edge.installation_token(REPO, WRITE))
    page = see(world, f"/{REPO}/pull/2")
    for shown in (
        '<span class="badge draft">Draft</span>',
        "Count the shelves",
        f'<a href="/{REPO}/issues/1"',
        '<td class="line">-    return 2</td>',
        '<td class="line">+    return 3</td>',
        "Ready for review",
    ):
        assert shown in page


def test_hostile_text_is_shown_not_run(world: World) -> None:
    """Titles, bodies, names, paths and file contents are escaped on every page."""
    world.local_issue(
        user=HOSTILE[:39], title=HOSTILE, body=f"{HOSTILE}\n\n[x](javascript:alert(3))"
    )
    token = world.edge.installation_token(REPO, WRITE)
    publish(
        world, token, change("<b>.py", HOSTILE), change("README.md", f"# {HOSTILE}\n<summary>x")
    )
    world.edge.ensure_branch(token, REPO, "<i>", world.base_sha(token))
    world.person.patch(f"/repos/{REPO}/pulls/2", json={"title": HOSTILE, "body": HOSTILE})
    world.person.post("/_local/pulls/ready", json={"repo": REPO, "number": 2})
    world.person.put(f"/repos/{REPO}/pulls/2/merge")
    for path in ("", "/issues", "/issues/1", "/pull/2"):
        page = see(world, f"/{REPO}{path}")
        assert "alert(" in page
        assert not re.search(r"<script|<img|<b>\.py|href=\"javascript", page)


def test_a_person_merges_by_the_buttons(world: World) -> None:
    """The buttons make it ready and merge it; without the page's own key nothing happens."""
    publish(world, world.edge.installation_token(REPO, WRITE))
    address = f"{world.url}/{REPO}/pull/1"
    assert httpx.post(address, data={"do": "ready", "key": "guessed"}).status_code == 403
    found = re.search(r'name="key" value="([^"]+)"', see(world, f"/{REPO}/pull/1"))
    assert found
    for action in ("ready", "merge"):
        done = httpx.post(address, data={"do": action, "key": found[1]})
        assert done.status_code == 303
    assert "badge merged" in see(world, f"/{REPO}/pull/1")
    assert world.person.get(f"/repos/{REPO}/pulls/1").json()["merged_by"]["login"] == "maintainer"


def test_lists_and_what_is_missing(world: World) -> None:
    """The front page leads to the repository; an unknown page is a page that says so."""
    world.local_issue(user="ada", title="One")
    assert f'href="/{REPO}"' in see(world, "/")
    page = see(world, f"/{REPO}")
    assert "larder.py" in page
    assert "Keeps food." in page
    assert "1 open, 0 closed" in see(world, f"/{REPO}/issues")
    for path in ("/acme/none", f"/{REPO}/issues/9", f"/{REPO}/pull/1"):
        assert "no such page" in see(world, path, 404)


def test_markdown() -> None:
    """The forms that pull requests use come out as markup."""
    text = (
        "## What\nA **bold** `a < b` [link](https://example.com/?a=1&b=2).\nSee #7.\n\n"
        "- [x] done\n- [ ] not\n\n1. one\n\n> said\n\n```text\n<raw> #7\n```\n\n"
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n<details>\n<summary>Log</summary>\n\ninside\n"
    )
    page = render(text, "/acme/larder")
    assert page == (
        "<h4>What</h4><p>A <strong>bold</strong> <code>a &lt; b</code> "
        '<a href="https://example.com/?a=1&amp;b=2" rel="nofollow noopener">link</a>.<br>'
        'See <a href="/acme/larder/issues/7" rel="nofollow noopener">#7</a>.</p>'
        "<ul><li>☑ done</li><li>☐ not</li></ul><ol><li>one</li></ol>"
        "<blockquote>said</blockquote><pre><code>&lt;raw&gt; #7</code></pre>"
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
        "<details><summary>Log</summary><p>inside</p></details>"
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["[", "`", "**", "https://", "> ", "- ", "<details>\n", "|", "#1", "1. [x] ", "# "]
)
def test_markdown_of_any_length_ends(piece: str) -> None:
    """The longest body GitHub takes, made of one piece, can't stop the server."""
    assert render(piece * (65_536 // len(piece)), "/acme/larder")


def test_a_proof_folds_its_logs() -> None:
    """The body of our own pull requests: what is folded is markup, what is in a log is text."""
    log = "````\n</details><summary>x</summary> @octocat #1"
    said = pull_request_body(
        {"id": "job_larder_1", "attempt": "1"},
        "acme/larder",
        "It lost a row.",
        Patch("4f2a" * 10, "Counted.", (ChangedFile("a.py", "100644", "x"),)),
        Proof("tests_pass", "pytest", "", (), (Run("patch", "pytest", 0, 1.0, log),)),
        Evidence([], 1, 0),
    )
    page = render(said, "/acme/larder")
    assert page.count("<details>") == page.count("</details>") == 1
    assert "<summary>With the change: status 0, 1.0 s</summary>" in page
    inside = page.partition("<pre><code>")[2].partition("</code></pre>")[0]
    assert inside == "````\n&lt;/details&gt;&lt;summary&gt;x&lt;/summary&gt; @octocat #1"
    assert page.index("<details>") < page.index("<pre>") < page.index("</details>")
