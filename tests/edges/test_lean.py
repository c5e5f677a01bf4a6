import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from local import sqs
from local.serve import free_port, running
from soulcaster.edges.lean import AwsJson, Connection, LeanError, LeanRedis, sign
from tests.edges.servers import HANG, TOKEN, answer, command, scripted

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def botocores(url: str, headers: dict[str, str], body: bytes, token: str | None) -> dict[str, str]:
    """The headers that botocore signs for the same request."""
    request = AWSRequest("POST", url, headers=headers, data=body)
    SigV4Auth(Credentials(KEY, SECRET, token), "sqs", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(st.binary(max_size=200), st.sampled_from([None, "a/session+token=="]))
def test_signatures_are_botocores(body: bytes, token: str | None) -> None:
    """For any body, with and without a session token, the signature is the vendor's own."""
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": "sqs.eu-central-1.amazonaws.com",
        "x-amz-target": "AmazonSQS.SendMessage",
    }
    given_headers = {**headers, **({"x-amz-security-token": token} if token else {})}
    theirs = botocores("https://sqs.eu-central-1.amazonaws.com/", headers, body, token)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        ours = sign(given_headers, body, "sqs", "eu-central-1", theirs["x-amz-date"])
    assert ours["authorization"] == theirs["authorization"]


def test_a_message_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent through it comes out of the queue whole."""
    with running(sqs.app(tmp_path)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        client = boto3.client("sqs")
        queue = client.create_queue(QueueName="q")["QueueUrl"]
        lean = AwsJson("sqs", "AmazonSQS", "1.0", 5)
        for body in ("héllo 🙂", "x" * 900_000):
            lean.call("SendMessage", {"QueueUrl": queue, "MessageBody": body})
            (message,) = client.receive_message(QueueUrl=queue)["Messages"]
            assert message["Body"] == body
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        with pytest.raises(LeanError, match=r"SendMessage: 400 .*QueueDoesNotExist"):
            lean.call("SendMessage", {"QueueUrl": queue + "x", "MessageBody": "b"})


def test_a_secret_is_read(secrets_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads what boto3 has written, and one that is not there is an error."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", secrets_url)
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="lean", SecretString="töken")["ARN"]
    lean = AwsJson("secretsmanager", "secretsmanager", "1.1", 5)
    assert lean.call("GetSecretValue", {"SecretId": arn})["SecretString"] == "töken"
    with pytest.raises(LeanError, match="ResourceNotFoundException"):
        lean.call("GetSecretValue", {"SecretId": arn + "x"})


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({}, "sqs.us-east-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://a.example:1"}, "a.example:1"),
        (
            {"AWS_ENDPOINT_URL": "http://a.example", "AWS_ENDPOINT_URL_SQS": "http://b.example"},
            "b.example",
        ),
    ],
)
def test_addresses_are_botocores(
    variables: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's own address goes before the general one, and both before AWS."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert AwsJson("sqs", "AmazonSQS", "1.0", 1)._connection.host == host
    assert boto3.client("sqs").meta.endpoint_url.endswith(host)


def test_a_session_token_is_sent_and_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's credentials are temporary: without their token AWS knows nobody."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    with scripted([answer(b"{}")]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        AwsJson("sqs", "AmazonSQS", "1.0", 5).call("SendMessage", {})
    head = server.requests[0].lower()
    assert b"x-amz-security-token: session" in head
    assert b"x-amz-date;x-amz-security-token;x-amz-target" in head


LOOK = ("receive_look", "larder", "src_larder_gh", "2025-01-01", 7, 5, 0, 0)


def test_a_script_is_run(redis_url: str) -> None:
    """Text and numbers come back as they are stored, in one request."""
    assert LeanRedis(redis_url, TOKEN, 5).run(*LOOK) == ["", 7, 5, 0, 0]
    command(redis_url, "HSET", "p:larder:sources", "src_larder_gh", "wört")
    assert LeanRedis(redis_url, TOKEN, 5).run(*LOOK) == ["wört", 7, 5, 0, 0]


def test_a_refusal_of_redis_is_an_error(redis_url: str) -> None:
    """A wrong token or a wrong kind of key is never "no such source"."""
    command(redis_url, "SET", "p:larder:sources", "x")
    with pytest.raises(LeanError, match="401"):
        LeanRedis(redis_url, "wrong", 5).run(*LOOK)
    with pytest.raises(LeanError, match="WRONGTYPE"):
        LeanRedis(redis_url, TOKEN, 5).run(*LOOK)


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"<html>busy</html>", kind="text/html"),
        answer(b"[1]"),
        answer(b"null"),
        answer(b"5"),
        answer(b"{}"),
        answer(b'{"error": "ERR"}'),
        answer(b'{"result": "x"}', "503 Service Unavailable"),
        answer(b'{"result": "x"}')[:-3],
        b"HTTP/9.9 huh\r\n\r\n",
        b"\x16\x03\x01garbage",
    ],
)
def test_no_other_answer_is_taken_for_one(raw: bytes) -> None:
    """A proxy's page, half an answer or no HTTP at all is an error, whatever it says."""
    with scripted([raw]) as server, pytest.raises(LeanError):
        LeanRedis(server.url, TOKEN, 5).run(*LOOK)
    assert len(server.requests) == 1


def test_aws_answers_with_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 200 that holds no JSON object is an error too."""
    for body in (b"<html/>", b"[]", b""):
        with scripted([answer(body)]) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            lean = AwsJson("sqs", "AmazonSQS", "1.0", 5)
            with pytest.raises(LeanError):
                lean.call("SendMessage", {})


def test_a_refused_connection_is_an_error() -> None:
    """Where nobody listens, that is said at once."""
    with pytest.raises(LeanError, match="Refused"):
        Connection(f"http://127.0.0.1:{free_port()}", 5).post({}, b"")


def test_silence_is_an_error() -> None:
    """A server that takes the request and says nothing is given up, and not asked again."""
    with scripted([HANG], [answer(b"{}")]) as server, pytest.raises(LeanError, match="imed"):
        Connection(server.url, 0.2).post({}, b"{}")
    assert len(server.requests) == 1


def posted(connection: Connection, value: Any) -> Any:
    status, body = connection.post({"content-type": "application/json"}, json.dumps(value).encode())
    assert status == 200
    return json.loads(body)


def test_a_connection_is_kept() -> None:
    """The second call costs no second handshake."""
    with scripted([answer(b"1"), answer(b"2")]) as server:
        connection = Connection(server.url, 5)
        assert [posted(connection, n) for n in "ab"] == [1, 2]
    assert server.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    """The server may close an idle connection at any time: the call is made once more."""
    with scripted([answer(b"1")], [answer(b"2"), answer(b"3")]) as server:
        connection = Connection(server.url, 5)
        assert [posted(connection, n) for n in "abc"] == [1, 2, 3]
    assert [request[-3:] for request in server.requests] == [b'"a"', b'"b"', b'"c"']


def test_once_more_is_not_for_ever() -> None:
    """When the new connection is closed without an answer too, that is an error."""
    with scripted([answer(b"1")]) as server:
        connection = Connection(server.url, 5)
        posted(connection, "a")
        with pytest.raises(LeanError):
            connection.post({}, b"b")
    assert server.connections == 2


def test_a_first_connection_that_is_closed_is_an_error() -> None:
    """On a fresh connection the server has seen the request: it's not sent twice."""
    with scripted([]) as server, pytest.raises(LeanError):
        Connection(server.url, 5).post({}, b"{}")
    assert server.connections == 1


def test_after_an_error_it_works_again() -> None:
    """A failed call leaves nothing behind that the next one would read."""
    with scripted([answer(b"12345")[:-3]], [answer(b"2")]) as server:
        connection = Connection(server.url, 5)
        with pytest.raises(LeanError):
            connection.post({}, b"a")
        assert posted(connection, "b") == 2
