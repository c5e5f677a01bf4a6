"""The first owner of an installation, and one who comes when the first has gone."""

import json
import time

import pytest
from starlette.testclient import TestClient

from local.dashboard import Person
from scripts.soulcaster import main
from soulcaster.rules import api_key
from tests.api.conftest import signed_in
from tests.edges.servers import command, everything
from tests.support.people import ADA, BOB, EVE, PEPPER, give_installation


def link(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """The lines that the command prints."""
    assert main(["owner-link", *options]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.splitlines()


def token(capsys: pytest.CaptureFixture[str]) -> str:
    """A fresh text."""
    return link(capsys, "--dashboard", "https://d.example")[-1].partition("#token=")[2]


def claimed(person: Person, text: str) -> int:
    """The status that the person's try has."""
    answer = signed_in(person).post("/installation/owner", json={"token": text})
    if answer.status_code != 204:
        assert answer.json() == {"detail": "there is no such link"}
    return answer.status_code


def test_the_first_one_with_the_link_owns_the_installation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once: nobody after them does, and they can do what owners do."""
    ada = signed_in(ADA)
    body = {"id": "larder", "name": "Larder"}
    assert ada.post("/projects", json=body).status_code == 403
    assert ada.get("/me").json()["claimed"] is False
    text = token(capsys)
    assert claimed(ADA, text) == 204
    assert [claimed(person, text) for person in (ADA, BOB)] == [404, 404]
    me = ada.get("/me").json()
    assert (me["owner"], me["claimed"]) == (True, True)
    assert signed_in(BOB).get("/me").json()["owner"] is False
    assert ada.post("/projects", json=body).status_code == 201
    (change,) = ada.get("/installation/audit").json()["items"]
    assert (change["who"], change["on"]) == (ADA.id, ADA.id)
    assert change["what"] == "became owner of the installation"
    assert signed_in(BOB).get("/installation/audit").status_code == 403


def test_the_text_is_not_kept(capsys: pytest.CaptureFixture[str], redis_url: str) -> None:
    """Redis has its HMAC under the pepper until it is used."""
    text = token(capsys)
    held = everything(redis_url)
    assert held["sys:owner-token"]["mac"] == api_key.mac(PEPPER, text)
    assert text.split("_")[1][: api_key.SECRET_CHARS] not in json.dumps(held)
    assert 0 < command(redis_url, "PTTL", "sys:owner-token") <= 2 * 86_400_000
    assert claimed(ADA, text) == 204
    assert "sys:owner-token" not in everything(redis_url)


def test_a_new_link_replaces_the_old_one(
    capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    """Only the last one is good, for a day."""
    first, second = token(capsys), token(capsys)
    expires = int(command(redis_url, "HGET", "sys:owner-token", "expires"))
    assert 86_390_000 < expires - time.time() * 1000 <= 86_400_000
    assert claimed(ADA, first) == 404
    command(redis_url, "HSET", "sys:owner-token", "expires", int(time.time() * 1000))
    assert claimed(ADA, second) == 404
    assert claimed(ADA, token(capsys)) == 204


@pytest.mark.parametrize("text", ["", "x", "sco_", api_key.new_owner_token()])
def test_what_was_never_offered_makes_nobody_an_owner(text: str, redis_url: str) -> None:
    """Also while nothing is offered at all."""
    assert claimed(EVE, text) == 404
    assert "sys:owners" not in everything(redis_url)


def test_who_is_an_owner_stays_one(capsys: pytest.CaptureFixture[str], api: TestClient) -> None:
    """The link is used up, and nothing else happens."""
    assert claimed(ADA, token(capsys)) == 204
    assert api.get("/me").json()["owner"] is True
    assert api.get("/installation/audit").json()["items"] == []


def test_the_command_says_who_owns_it_already(
    capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    """When the one owner has gone, another link makes another; both are owners then."""
    assert not any("already" in line for line in link(capsys))
    give_installation(redis_url, BOB)
    give_installation(redis_url, ADA)
    lines = link(capsys, "--dashboard", "https://d.example/")
    assert lines[0] == "The installation has owners already: ada, bob."
    assert lines[-1].startswith("https://d.example/welcome#token=sco_")
    assert claimed(EVE, lines[-1].partition("#token=")[2]) == 204
    assert set(everything(redis_url)["sys:owners"]) == {ADA.id, BOB.id, EVE.id}


def test_without_an_address_the_text_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do with it; the setting is the address where there is one."""
    lines = link(capsys)
    assert lines[-1].startswith("Open the dashboard's page /welcome#token=")
    assert claimed(ADA, lines[-2]) == 204
    monkeypatch.setenv("DASHBOARD_URL", "https://set.example")
    assert link(capsys)[-1].startswith("https://set.example/welcome#token=sco_")


def test_an_owner_is_removed_and_the_last_one_stays(redis_url: str) -> None:
    """By another one, at once, and it is in the log; what they are in projects stays."""
    give_installation(redis_url, ADA)
    give_installation(redis_url, BOB)
    ada, bob = signed_in(ADA), signed_in(BOB)
    assert bob.post("/projects", json={"id": "larder", "name": "Larder"}).status_code == 201
    assert {owner["id"] for owner in ada.get("/installation/owners").json()} == {ADA.id, BOB.id}
    assert ada.delete(f"/installation/owners/{EVE.id}").status_code == 404
    assert ada.delete(f"/installation/owners/{BOB.id}").status_code == 204
    assert bob.get("/installation/owners").status_code == 403
    assert bob.get("/projects/larder").status_code == 200
    assert ada.delete(f"/installation/owners/{ADA.id}").status_code == 409
    (change,) = ada.get("/installation/audit").json()["items"]
    assert (change["what"], change["on"]) == ("removed owner of the installation", BOB.id)
