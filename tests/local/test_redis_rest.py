"""The emulated Upstash Redis, as its official client sees it."""

import base64
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from local import redis_rest

TOKEN = "a-token"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_rest.started(tmp_path_factory.mktemp("state"), TOKEN) as url:
        yield url


@pytest.fixture(params=["base64", None])
def redis(url: str, request: pytest.FixtureRequest) -> Iterator[Redis]:
    """The client, with encoded and with plain answers, on an empty database."""
    with Redis(url, TOKEN, rest_encoding=request.param, rest_retries=0) as client:
        client.flushdb()
        yield client


def post(url: str, body: object, path: str = "/", **headers: str) -> httpx.Response:
    return httpx.post(url + path, json=body, headers=AUTHORISED | headers)


@pytest.mark.parametrize(
    "value", ["", "OK", "plain", "zażółć gęślą 🦊\r\n\x00", '{"a": [1, "é"]}', "x" * 300_000]
)
def test_text_comes_back_as_it_was_sent(redis: Redis, value: str) -> None:
    """A stored text is returned unchanged, whatever is in it."""
    redis.set(f"key {value[:20]}", value)
    assert redis.get(f"key {value[:20]}") == value


def test_numbers_are_stored_as_written(url: str, redis: Redis) -> None:
    """Redis receives a number with the digits the client wrote, however large or precise."""
    body = b'["MSET", "a", 12345678901234567890123, "b", 0.10, "c", -1e30]'
    assert httpx.post(url, content=body, headers=AUTHORISED).json() == {"result": "OK"}
    assert redis.mget("a", "b", "c") == ["12345678901234567890123", "0.10", "-1e30"]


def test_every_kind_of_reply_is_understood(redis: Redis) -> None:
    """Integers, nothing, lists, nested lists and statuses arrive as the client expects them."""
    assert redis.get("missing") is None
    assert redis.incrby("n", 5) == 5
    assert redis.rpush("l", "a", "b") == 2
    assert redis.lrange("l", 0, -1) == ["a", "b"]
    assert redis.hset("h", values={"x": "1", "y": "ü"}) == 2
    assert redis.hgetall("h") == {"x": "1", "y": "ü"}
    assert redis.type("h") == "hash"
    redis.xadd("s", "1-1", {"f": "v"})
    assert redis.execute(["XRANGE", "s", "-", "+"]) == [["1-1", ["f", "v"]]]
    assert redis.ping() == "PONG"


def test_bytes_that_are_no_text_survive_in_base64(url: str, redis: Redis) -> None:
    """Encoded answers carry any bytes; plain ones replace what is no UTF-8."""
    redis.setbit("bits", 0, 1)
    encoded = post(url, ["GET", "bits"], **{"Upstash-Encoding": "base64"}).json()["result"]
    assert base64.b64decode(encoded) == b"\x80"
    assert post(url, ["GET", "bits"]).json() == {"result": "\ufffd"}


def test_scripts_run_by_text_and_by_digest(redis: Redis) -> None:
    """EVAL and EVALSHA pass keys and arguments and return nested values."""
    script = "redis.call('SET', KEYS[1], ARGV[1]); return {1, 'ż', {redis.call('GET', KEYS[1])}}"
    assert redis.eval(script, keys=["k"], args=["v"]) == [1, "ż", ["v"]]
    assert redis.evalsha(redis.script_load(script), keys=["k"], args=["w"]) == [1, "ż", ["w"]]


def test_errors_keep_their_prefix(redis: Redis) -> None:
    """Callers can tell errors apart by their first word."""
    with pytest.raises(UpstashError, match=r"^NOSCRIPT "):
        redis.evalsha("0" * 40)
    redis.set("text", "x")
    with pytest.raises(UpstashError, match=r"^WRONGTYPE "):
        redis.lpush("text", "y")
    with pytest.raises(UpstashError, match=r"^MINE happened"):
        redis.eval("return redis.error_reply('MINE happened')")


def test_a_failing_command_is_a_bad_request(url: str) -> None:
    """One failing command is answered with 400."""
    assert post(url, ["GET"]).status_code == 400
    assert post(url, ["NOSUCH"]).json()["error"].startswith("ERR unknown command")


def test_a_pipeline_answers_each_command(url: str, redis: Redis) -> None:
    """A failure in a pipeline spoils neither the commands before it nor those after it."""
    pipeline = redis.pipeline()
    pipeline.set("a", "ä")
    pipeline.incr("n")
    pipeline.get("a")
    assert pipeline.exec() == [True, 1, "ä"]
    response = post(url, [["SET", "a", "1"], ["LPUSH", "a", "2"], ["INCR", "a"]], "/pipeline")
    assert response.status_code == 200
    first, failed, last = response.json()
    assert (first, last) == ({"result": "OK"}, {"result": 2})
    assert failed["error"].startswith("WRONGTYPE")


def test_a_long_pipeline_comes_back_whole(redis: Redis) -> None:
    """Replies that arrive in many pieces are put together."""
    pipeline = redis.pipeline()
    for number in range(2000):
        pipeline.hset("h", str(number), "v" * 500)
    assert pipeline.exec() == [1] * 2000
    assert redis.hgetall("h") == {str(number): "v" * 500 for number in range(2000)}


def test_a_transaction_runs_whole_or_not_at_all(url: str, redis: Redis) -> None:
    """A command that can't be queued discards the transaction; one that fails does not."""
    transaction = redis.multi()
    transaction.incr("n")
    transaction.incr("n")
    assert transaction.exec() == [1, 2]
    discarded = post(url, [["INCR", "n"], ["NOSUCH"]], "/multi-exec")
    assert discarded.status_code == 400
    assert discarded.json()["error"].startswith("EXECABORT")
    assert redis.get("n") == "2"
    ran = post(url, [["INCR", "n"], ["LPUSH", "n", "x"], ["INCR", "n"]], "/multi-exec").json()
    assert [ran[0], ran[2]] == [{"result": 3}, {"result": 4}]
    assert ran[1]["error"].startswith("WRONGTYPE")


def test_transactions_do_not_interleave(url: str) -> None:
    """Transactions of clients that share the connection behind stay whole."""
    pairs: list[Any] = []

    def together(client: Redis) -> Any:
        with client.multi() as transaction:
            transaction.incr("shared")
            transaction.incr("shared")
            return transaction.exec()

    def count() -> None:
        with Redis(url, TOKEN, rest_retries=0) as client:
            pairs.extend(together(client) for _ in range(50))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pairs) == [[n, n + 1] for n in range(1, 400, 2)]


@pytest.mark.parametrize(
    "command",
    [
        ["BLPOP", "a", 0],
        ["subscribe", "a"],
        ["MONITOR"],
        ["MULTI"],
        ["WATCH", "a"],
        ["SELECT", 1],
        ["SHUTDOWN"],
        ["CONFIG", "SET", "appendonly", "no"],
        ["XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "a", "$"],
    ],
)
def test_what_would_disturb_others_is_refused(url: str, command: list[str]) -> None:
    """Commands that wait, or change the shared connection or server, run nowhere."""
    for body, path in [(command, "/"), ([["SET", "ran", 1], command], "/pipeline")]:
        response = post(url, body, path)
        assert response.status_code == 400
        assert "Command is not available" in response.json()["error"]
    assert post(url, ["GET", "ran"]).json() == {"result": None}


def test_reading_a_stream_without_waiting_is_served(redis: Redis) -> None:
    """XREAD is refused only with BLOCK, and a key may well be called so."""
    redis.xadd("BLOCK", "1-1", {"f": "v"})
    read = redis.execute(["XREAD", "STREAMS", "BLOCK", "0"])
    assert read == [["BLOCK", [["1-1", ["f", "v"]]]]]


def test_another_token_is_let_in_nowhere(url: str) -> None:
    """A missing or wrong token is 401 in the vendor's words."""
    with pytest.raises(UpstashError, match="WRONGPASS"):
        Redis(url, "another", rest_retries=0).get("a")
    assert httpx.post(url + "/pipeline", json=[["GET", "a"]]).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}", b"[]", b"[[]]", b'["GET", null]', b'["\\ud800"]']
)
def test_a_malformed_request_is_refused(url: str, body: bytes) -> None:
    """What is no command is answered with 400 and an error, at either endpoint."""
    for path in ["/", "/pipeline", "/multi-exec"]:
        response = httpx.post(url + path, content=body, headers=AUTHORISED)
        assert response.status_code == 400
        assert response.json()["error"].startswith("ERR ")


def test_what_is_not_emulated_says_so(url: str) -> None:
    """The vendor's other endpoints are 501 and named."""
    for path in ["/get/a", "/monitor", "/subscribe/a"]:
        response = httpx.get(url + path, headers=AUTHORISED)
        assert response.status_code == 501
        assert path in response.json()["error"]
