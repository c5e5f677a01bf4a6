import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import ids
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Settled
from soulcaster.rules.sources import datadog
from tests.rules.samples import NOW, PROJECT, source
from tests.rules.signed import flips, header_values

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests/payloads/datadog").glob("*.json"))
SOURCE = source("datadog", "a-secret-of-ours")


def payload(name: str = "triggered", **more: Any) -> dict[str, Any]:
    body = json.loads((ROOT / f"tests/payloads/datadog/{name}.json").read_text())["body"]
    return {**body, **more}


def read(given_payload: dict[str, Any]) -> Feedback | Settled | str:
    return datadog.normalise(SOURCE, {}, given_payload, NOW)


def alert(given_payload: dict[str, Any]) -> Feedback:
    found = read(given_payload)
    assert isinstance(found, Feedback)
    return found


def verify(given_secret: str, *secrets: str) -> bool:
    return datadog.verify({"x-soulcaster-secret": given_secret}, b"{}", secrets, NOW)


def test_a_documented_alert_is_read() -> None:
    """Every variable that Datadog documents and we use arrives as it was meant."""
    found = alert(payload())
    assert found.title == "Exports queue up"
    assert found.body.splitlines()[0] == "Exports wait for more than five minutes."
    assert "@webhook" not in found.body
    assert (found.channel, found.severity, found.occurrences) == ("Acme", "error", 1)
    assert found.occurrence_id == "7812340000000000001"
    assert found.url == "https://app.datadoghq.com/event/event?id=7812340000000000001"
    assert found.created_at == found.version == 1735637400250
    assert found.open
    assert found.details == {
        "monitor": "160482",
        "scope": ["host:export-1", "service:larder"],
        "tags": ["env:prod", "host:export-1", "monitor", "service:larder"],
        "host": "export-1",
        "priority": "P2",
    }


def test_what_the_docs_give_to_paste_is_what_is_read() -> None:
    """The payload of the documentation has the fields of every payload here, each a variable."""
    page = (ROOT / "docs/sources/datadog.md").read_text()
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    (pasted,) = [block for block in blocks if "transition" in block]
    for path in FILES:
        assert list(json.loads(path.read_text())["body"]) == list(pasted)
    assert all(re.fullmatch(r"\$[A-Z_]+", value) for value in pasted.values())


def test_the_example_of_a_new_kind_is_the_code() -> None:
    """What the documentation shows of this kind is in its file, word for word."""
    page = (ROOT / "docs/sources/new.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert blocks
    code = Path(datadog.__file__).read_text()
    assert all(block in code for block in blocks)


def test_an_alert_and_its_recovery_are_one_item() -> None:
    """Whatever a group of a monitor says is about one item, which its recovery settles."""
    names = ("triggered", "re_triggered", "warn", "re_warn", "no_data", "re_no_data", "renotify")
    (item,) = {alert(payload(name)).external_id for name in names}
    assert {alert(payload(name)).title for name in names} == {"Exports queue up"}
    assert len({alert(payload(name)).occurrence_id for name in names}) == len(names)
    settled = read(payload("recovered"))
    assert isinstance(settled, Settled)
    assert settled.about == ids.feedback_id(PROJECT, SOURCE.id, item) == alert(payload()).id
    assert settled.at == 1735642800250


def test_groups_and_monitors_are_told_apart() -> None:
    """The order of a group's tags doesn't matter; another tag or another monitor does."""
    one = alert(payload(scope="service:larder, host:export-1")).external_id
    assert one == alert(payload()).external_id
    others = [
        alert(payload(scope="host:export-2,service:larder")),
        alert(payload(monitor="160483")),
        alert(payload(scope="")),
    ]
    assert len({one, *(other.external_id for other in others)}) == 4
    assert others[2].external_id == alert(payload(scope="null")).external_id == "monitor:160482"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("[P1] [Triggered on {host:a,env:b}] Disk is full", "Disk is full"),
        ("[Re-Warn] Disk is full", "Disk is full"),
        ("[P5] [No Data] Disk is full", "Disk is full"),
        ("[Triggered] [Memory Alert]", "[Memory Alert]"),
        ("Disk [Triggered] is full", "Disk [Triggered] is full"),
        ("[Triggered]", "It is full."),
        ("null", "It is full."),
    ],
)
def test_a_title_is_what_the_monitor_is_called(title: str, expected: str) -> None:
    """The state before it goes; a monitor without a title is called by what it says."""
    assert alert(payload(title=title, text="It is full.")).title == expected


@pytest.mark.parametrize("title", ["[TEST] [Recovered] Disk", "[P2] [TEST] [Triggered] Disk"])
@pytest.mark.parametrize("transition", ["Triggered", "Recovered"])
def test_a_test_is_not_feedback(title: str, transition: str) -> None:
    """Who tries a monitor's notifications out neither reports nor settles anything."""
    assert isinstance(read(payload(title=title, transition=transition)), str)


@pytest.mark.parametrize("transition", ["", "null", "Null", "Muted", None])
def test_other_transitions_are_none_of_our_business(transition: object) -> None:
    """What is no alert is ignored with a reason, whatever else it says or lacks."""
    found = read({"transition": transition})
    assert isinstance(found, str)
    assert "not feedback" in found


@pytest.mark.parametrize("kind", ["success", "null", "", "critical"])
def test_a_type_that_is_no_severity_is_none(kind: str) -> None:
    """Only Datadog's error, warning and info say how bad it is."""
    assert alert(payload(type=kind)).severity is None


@pytest.mark.parametrize(
    ("name", "more", "field"),
    [
        ("triggered", {"monitor": "null"}, "monitor"),
        ("triggered", {"event": ""}, "event"),
        ("triggered", {"date": "soon"}, "date"),
        ("triggered", {"date": "٣"}, "date"),
        ("triggered", {"date": "9" * 14}, "date"),
        ("triggered", {"title": "", "text": "null"}, "title"),
        ("triggered", {"text": 5}, "text"),
        ("recovered", {"monitor": None}, "monitor"),
        ("recovered", {"date": None}, "date"),
        ("triggered", {"transition": 5}, "transition"),
    ],
)
def test_the_field_at_fault_is_named(name: str, more: dict[str, Any], field: str) -> None:
    """What the pasted payload promises and a delivery lacks is named in its own words."""
    with pytest.raises(Unreadable) as caught:
        read(payload(name, **more))
    assert caught.value.field == field


def test_numbers_may_be_without_quotes() -> None:
    """Whoever pastes $ID, $ALERT_ID and $DATE without quotes gets the same item."""
    plain = payload(monitor=160482, event=7812340000000000001, date=1735637400250)
    assert alert(plain) == alert(payload())


def test_every_secret_is_accepted_and_no_other() -> None:
    """Old and new secret pass while both are known, a retired one does not, nor none at all."""
    assert verify("old", "old", "new")
    assert verify("new", "old", "new")
    assert not verify("old", "new")
    assert not verify("")
    assert not datadog.verify({}, b"{}", ("new",), NOW)


def test_s02_a_flipped_byte_is_refused() -> None:
    """No byte of the secret can be changed."""
    secret = SOURCE.secrets[0]
    assert verify(secret, secret)
    assert not any(verify(other.decode("latin-1"), secret) for other in flips(secret.encode()))


@given(header_values, st.binary(max_size=30))
def test_no_header_makes_verification_fail_otherwise(header: str, body: bytes) -> None:
    """Any header is right or wrong, never an error."""
    given_headers = {"x-soulcaster-secret": header}
    assert datadog.verify(given_headers, body, SOURCE.secrets, NOW) is False


def test_there_is_nothing_to_set() -> None:
    """A setting is named as unknown, and nothing is fetched."""
    assert datadog.configure({}) == {}
    assert not datadog.polled({})
    with pytest.raises(Unreadable, match=r"config\.site"):
        datadog.configure({"site": "eu"})
