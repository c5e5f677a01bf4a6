"""Every event that a vendor documents, as it sends it: what becomes of each.

A folder of tests/payloads is called after its kind. A file in it has the address of the vendor's
documentation (``source``), the ``headers`` but for the signature, the ``body``, and what it
``becomes``: one of ``NAMES``, several of them in a list, or "ignored".
"""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import delivery
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.pull_news import CheckNews, PullNews
from soulcaster.rules.readings import Evidence, Moved, Reading, Settled, Withdrawn
from tests.rules.samples import NOW, PROJECT, source
from tests.rules.signed import json_values, places, replaced

ROOT = Path(__file__).parents[1] / "payloads"
FILES = sorted(ROOT.glob("*/*.json"))
FOLDERS = sorted({path.parent.name for path in FILES})
WEBHOOKS = sorted(name for name, kind in KINDS.items() if kind.SIGNING != "none")
NAMES = {
    Feedback: "feedback",
    Settled: "settled",
    Evidence: "evidence",
    Withdrawn: "withdrawn",
    Moved: "moved",
    PullNews: "news",
    CheckNews: "news",
}

every_file = pytest.mark.parametrize(
    "path", FILES, ids=[f"{path.parent.name}/{path.stem}" for path in FILES]
)


def content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read(kind: str, headers: dict[str, str], body: Any) -> tuple[Reading, ...] | str:
    """What a source of that kind, without filters and settings, reads in a delivery."""
    origin = source(kind)
    arrived = Delivery(
        project=PROJECT,
        source_id=origin.id,
        source=origin,
        headers=delivery.kept(headers),
        body=json.dumps(body).encode(),
        received_at=NOW,
    )
    return delivery.read(arrived, origin)


@every_file
def test_what_becomes_of_every_event(path: Path) -> None:
    """Each documented event becomes what its file says, in the source's own project."""
    given_file = content(path)
    found = read(path.parent.name, given_file["headers"], given_file["body"])
    became = ["ignored"] if isinstance(found, str) else [NAMES[type(one)] for one in found]
    expected = given_file["becomes"]
    assert became == (expected if isinstance(expected, list) else [expected]), found
    if not isinstance(found, str):
        assert {(one.project, one.received_at) for one in found} == {(PROJECT, NOW)}


@every_file
def test_every_file_says_where_it_is_from(path: Path) -> None:
    """A payload names its documentation and carries no signature: whoever sends it makes one."""
    given_file = content(path)
    assert set(given_file) == {"source", "headers", "body", "becomes"}
    assert given_file["source"].startswith("https://")
    assert not [name for name in given_file["headers"] if "signature" in name.lower()]
    assert not [name for name in given_file["headers"] if "secret" in name.lower()]


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_every_kind_knows_what_is_none_of_its_business(kind: str) -> None:
    """Every kind that takes webhooks has one that makes something, and one that is ignored."""
    became = [content(path)["becomes"] for path in FILES if path.parent.name == kind]
    assert "ignored" in became
    assert any(one != "ignored" for one in became)


def test_every_folder_is_a_kind() -> None:
    """No payload is left over from a kind that there is no more."""
    assert set(FOLDERS) <= set(KINDS)


@pytest.mark.parametrize("kind", FOLDERS)
@given(data=st.data(), value=json_values)
def test_any_payload_is_read_or_unreadable(kind: str, data: st.DataObject, value: Any) -> None:
    """With any value in any place, what is read can be stored, or the place is named."""
    files = [path for path in FILES if path.parent.name == kind]
    given_file = content(data.draw(st.sampled_from(files)))
    body = given_file["body"]
    path = data.draw(st.sampled_from(list(places(body))))
    with suppress(Unreadable):
        found = read(kind, given_file["headers"], replaced(body, path, value))
        for one in found if not isinstance(found, str) else ():
            assert json.dumps(asdict(one), ensure_ascii=False).encode()
            if isinstance(one, Feedback):
                assert one.text
