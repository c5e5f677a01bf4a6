import json
from importlib.resources import files

import pytest

from local.serve import free_port
from soulcaster.edges import redis as edge
from soulcaster.edges import scripts
from soulcaster.edges.redis import Redis, RedisError, Stale, Unreached, record
from tests.edges.servers import HANG, TOKEN, answer, command, scripted


def test_a_script_is_one_request() -> None:
    """Running a script costs one request, with the script's own text and its arguments."""
    with scripted([answer(b'{"result": [1, "YQ=="]}')]) as server:
        assert Redis(server.url, TOKEN).run("stats", "larder", 5, 1.5) == [1, "a"]
    (request,) = server.requests
    verb, text, keys, *args = json.loads(request.partition(b"\r\n\r\n")[2])
    assert (verb, keys, args) == ("EVAL", 0, ["larder", "5", "1.5"])
    assert "A project's counters" in text


def test_every_script_is_valid(redis: Redis) -> None:
    """Redis can parse each script: without arguments it fails in the script, not before it."""
    found = [path.name for path in files("soulcaster.edges.lua").iterdir()]
    scripts = [name.removesuffix(".lua") for name in found if name.endswith(".lua")]
    assert len(scripts) > 15
    for name in scripts:
        try:
            redis.run(name)
        except RedisError as error:
            assert "on @user_script" in str(error)  # noqa: PT017 - some need no arguments


def test_a_library_stands_in_its_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each where it is first wanted, with what it wants before it; a script without stays."""
    texts = {
        "a.lua": "--#include one\n--#include two\nreturn one() + two()\n",
        "lib/one.lua": "local function one() return 1 end\n",
        "lib/two.lua": "--#include one\nlocal function two() return one() + 1 end\n",
        "b.lua": "-- says --#include one\nreturn 1\n",
    }
    monkeypatch.setattr(scripts, "_text", texts.__getitem__)
    monkeypatch.setattr(scripts, "source", scripts.source.__wrapped__)
    one, two = texts["lib/one.lua"], texts["lib/two.lua"].partition("\n")[2]
    assert edge._source("a", False) == f"local caller\n{one}{two}return one() + two()\n"
    assert edge._source("b", False) == "local caller\n" + texts["b.lua"]


def test_a_script_error_is_named(redis: Redis) -> None:
    """What the server says is kept, and the script is named."""
    with pytest.raises(RedisError, match=r"store_batch: .*NOPROJECT nobody") as caught:
        redis.run("store_batch", "nobody", "[]")
    assert not isinstance(caught.value, Stale | Unreached)


def test_a_lost_lease_is_stale(redis: Redis) -> None:
    """An error that begins with STALE is an outcome of its own."""
    with pytest.raises(Stale, match="the lease on larder was lost"):
        redis.run("cluster_commit", "larder", "owner", "1", 0, "[]", "[]", "[]", 0)


def test_a_wrong_token_is_an_error(redis_url: str) -> None:
    """What the server refuses is no empty answer."""
    with pytest.raises(RedisError, match="WRONGPASS"):
        Redis(redis_url, "wrong").run("stats", "larder")


def test_a_refused_connection_is_an_error() -> None:
    """Where nobody listens, that is said at once, once."""
    with pytest.raises(Unreached, match="ConnectError"):
        Redis(f"http://127.0.0.1:{free_port()}", TOKEN).run("stats", "larder")


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"<html>busy</html>", kind="text/html"),
        answer(b"<html>busy</html>", "502 Bad Gateway"),
        answer(b"{}"),
        answer(b"[]"),
        answer(b"null"),
        answer(b"5"),
        answer(b""),
        answer(b'{"error": "ERR busy"}', "400 Bad Request"),
        answer(b'{"result": 1}')[:-3],
        b"HTTP/9.9 huh\r\n\r\n",
    ],
)
def test_no_other_answer_is_taken_for_one(raw: bytes) -> None:
    """A proxy's page or half an answer is an error, and nothing is tried again by itself."""
    with scripted([raw], [answer(b'{"result": 1}')]) as server, pytest.raises(RedisError):
        Redis(server.url, TOKEN).run("stats", "larder")
    assert len(server.requests) == 1


def test_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stalled server is given up after the time limit, and not asked again."""
    monkeypatch.setattr(edge, "TIMEOUT_SECONDS", 0.2)
    with scripted([HANG], [HANG]) as server, pytest.raises(Unreached, match="ReadTimeout"):
        Redis(server.url, TOKEN).run("stats", "larder")
    assert len(server.requests) == 1


def test_the_time_limit_is_the_promised_one() -> None:
    """Connecting, sending, waiting and getting a connection all have the same short limit."""
    limits = Redis("http://127.0.0.1:1", TOKEN)._client._http._client.timeout.as_dict()
    assert set(limits.values()) == {2.0}


def test_text_that_cannot_be_sent_is_an_error(redis_url: str) -> None:
    """An argument that UTF-8 can't carry writes nothing."""
    with pytest.raises(RedisError, match="UnicodeEncodeError"):
        Redis(redis_url, TOKEN).run("project_put", "p", "\ud800", "new")
    assert command(redis_url, "EXISTS", "p:p:project") == 0


def test_a_flat_hash_becomes_a_record() -> None:
    """Fields and values in turn become a mapping; half a pair is a mistake."""
    assert record(["a", "1", "b", "2"]) == {"a": "1", "b": "2"}
    assert record([]) == {}
    with pytest.raises(ValueError, match="shorter"):
        record(["a"])
