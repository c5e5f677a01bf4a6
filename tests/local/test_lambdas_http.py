"""The local HTTP API, asked over a socket, in front of real handlers."""

import base64
import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import serve
from local.lambdas import Runner, http_api
from tests.local.lambdas_support import function, http, running

FASTAPI = """
    from urllib.parse import parse_qs
    from fastapi import FastAPI, Request, Response
    from mangum import Mangum

    app = FastAPI()

    @app.post("/items/{name}")
    async def item(name: str, request: Request):
        return {
            "name": name,
            "query": request.query_params.multi_items(),
            "header": request.headers.getlist("x-many"),
            "cookies": request.cookies,
            "body": (await request.body()).hex(),
            "ip": request.client.host,
        }

    @app.post("/form")
    async def form(request: Request, needed: int = 0):
        return parse_qs((await request.body()).decode())

    @app.get("/cookies")
    def cookies(response: Response):
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return {}

    @app.get("/zip")
    def zipped():
        import gzip
        return Response(gzip.compress(b"zipped"), headers={"content-encoding": "gzip"})

    @app.get("/break")
    def broken():
        raise LookupError("secret")

    handler = Mangum(app, lifespan="off")
"""
ANSWER = """
    import json, time
    def handler(event, context):
        body = event.get("body") or "null"
        what = json.loads(body)
        match what:
            case "raise":
                raise LookupError("secret")
            case "hang":
                time.sleep(3600)
            case "event":
                return {"statusCode": 200, "body": json.dumps(event)}
        return what
"""


@contextmanager
def served(runner: Runner, **options: Any) -> Iterator[httpx.Client]:
    executor = ThreadPoolExecutor(8)
    with (
        serve.running(http_api.app(runner, executor, **options)) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client
        runner.close()
        executor.shutdown()


@pytest.fixture(scope="module")
def fastapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("fastapi")
    made = function(folder, "f", FASTAPI, Events={"All": http("ANY", "/{proxy+}")})
    with running(folder, {"F": made}) as runner, served(runner) as client:
        yield client


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("api")
    events = {"Post": http("POST", "/answer"), "Path": http("ANY", "/things/{id}/{rest+}")}
    made = function(folder, "f", ANSWER, Events=events)
    with running(folder, {"F": made}) as runner, served(runner) as client:
        yield client


def test_a_request_reaches_fastapi_whole(fastapi: httpx.Client) -> None:
    """Path, query, repeated headers, cookies and binary body arrive as they were sent."""
    seen = fastapi.post(
        "/items/a%20b%C3%BC?q=1&q=2&empty=&sp=x%26y",
        headers=[("x-many", "1"), ("x-many", "2"), ("cookie", "a=1; b=2")],
        content=b"\x00\xff",
    ).json()
    assert seen == {
        "name": "a bü",
        "query": [["q", "1"], ["q", "2"], ["empty", ""], ["sp", "x&y"]],
        "header": ["1,2"],
        "cookies": {"a": "1", "b": "2"},
        "body": "00ff",
        "ip": "127.0.0.1",
    }


def test_a_form_reaches_fastapi(fastapi: httpx.Client) -> None:
    """A form, which API Gateway sends as base64, is read as text again."""
    assert fastapi.post("/form", data={"text": "grüße & co"}).json() == {"text": ["grüße & co"]}


def test_every_cookie_is_set(fastapi: httpx.Client) -> None:
    """Each cookie of the answer has a header of its own."""
    answer = fastapi.get("/cookies")
    assert [cookie.split(";")[0] for cookie in answer.headers.get_list("set-cookie")] == [
        "a=1",
        "b=2",
    ]


def test_a_binary_answer_comes_back_as_bytes(fastapi: httpx.Client) -> None:
    """A compressed body leaves the function as base64 and the API as bytes."""
    with fastapi.stream("GET", "/zip") as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == b"zipped"


def test_fastapis_own_errors_pass(fastapi: httpx.Client) -> None:
    """What the application answers is not replaced by the API's own answers."""
    assert fastapi.get("/nowhere").json() == {"detail": "Not Found"}
    assert fastapi.post("/form?needed=x").status_code == 422
    broken = fastapi.get("/break")
    assert (broken.status_code, broken.text) == (500, "Internal Server Error")


def test_the_event_is_payload_format_2(api: httpx.Client) -> None:
    """Every field of the event has the name and the shape of API Gateway's."""
    answer = api.post(
        "/things/a%2Fb/c/d?x=1&x=%202",
        headers={"X-Sent": "Yes", "Content-Type": "application/json; charset=utf-8"},
        content='"event"',
    )
    event = answer.json()
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /things/{id}/{rest+}",
        "rawPath": "/things/a/b/c/d",
        "rawQueryString": "x=1&x=%202",
        "queryStringParameters": {"x": "1, 2"},
        "pathParameters": {"id": "a/b", "rest": "c/d"},
        "body": '"event"',
        "isBase64Encoded": False,
    }
    assert headers["x-sent"] == "Yes"
    assert headers["content-length"] == "7"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert context.pop("http") == {
        "method": "POST",
        "path": "/things/a/b/c/d",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": headers["user-agent"],
    }
    assert context.keys() == {
        "accountId",
        "apiId",
        "domainName",
        "domainPrefix",
        "requestId",
        "routeKey",
        "stage",
        "time",
        "timeEpoch",
    }
    assert answer.headers["apigw-requestid"] == context["requestId"]


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("text/plain", False),
        ("application/xml; charset=utf-8", False),
        ("application/x-www-form-urlencoded", True),
        ("application/problem+json", True),
        (None, True),
    ],
)
def test_only_known_text_is_not_base64(
    tmp_path: Path, content_type: str | None, *, encoded: bool
) -> None:
    """A body is text for the media types that the service takes for text, else base64."""
    source = "import json\ndef handler(event, context): return json.dumps(event)"
    made = function(tmp_path, "f", source, Events={"A": http("POST", "/")})
    headers = {"content-type": content_type} if content_type else {}
    with running(tmp_path, {"F": made}) as runner, served(runner) as client:
        event = client.post("/", content=b"b\xc3\xbc", headers=headers).json()
    assert event["isBase64Encoded"] is encoded
    expected = base64.b64encode("bü".encode()).decode() if encoded else "bü"
    assert event["body"] == expected


@pytest.mark.parametrize(
    ("returned", "status", "content_type", "text"),
    [
        ('{"a": 1}', 200, "application/json", '{"a": 1}'),
        ('"plain"', 200, "application/json", "plain"),
        ("[1]", 200, "application/json", "[1]"),
        ('{"statusCode": 201}', 201, "text/plain;charset=UTF-8", ""),
        ('{"statusCode": "202", "body": "x"}', 202, "text/plain;charset=UTF-8", "x"),
        ('{"statusCode": 200, "headers": {"Content-Type": "a/b"}}', 200, "a/b", ""),
        ('{"statusCode": 200, "body": "eA==", "isBase64Encoded": true}', 200, None, "x"),
    ],
)
def test_an_answer_is_shaped_as_the_gateway_does(
    api: httpx.Client, returned: str, status: int, content_type: str | None, text: str
) -> None:
    """A response object is taken as it is; any other value is a 200 with JSON."""
    answer = api.post("/answer", content=returned, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.text) == (status, text)
    assert content_type in {None, answer.headers["content-type"]}


@pytest.mark.parametrize(
    "returned",
    [
        '"raise"',
        '{"statusCode": 200, "body": {"not": "text"}}',
        '{"statusCode": "many"}',
        '{"statusCode": 99}',
        '{"statusCode": 200, "headers": ["a"]}',
        '{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
    ],
)
def test_a_failed_function_is_a_500(api: httpx.Client, returned: str) -> None:
    """Neither an exception nor a malformed answer shows anything of the function."""
    answer = api.post("/answer", content=returned, headers={"content-type": "application/json"})
    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}


def test_what_no_route_takes_is_a_404(api: httpx.Client) -> None:
    """A path or a method that the template lacks is not found."""
    for answer in (api.get("/answer"), api.post("/answer/"), api.get("/")):
        assert answer.status_code == 404
        assert answer.json() == {"message": "Not Found"}


def test_a_body_above_the_limit_is_a_413(api: httpx.Client) -> None:
    """10 MB is the gateway's limit and about 6 MB Lambda's; both say too large."""
    for size in (7, 11):
        answer = api.post("/answer", content=b"x" * size * 1024 * 1024)
        assert answer.status_code == 413


def test_a_slow_function_is_a_503(tmp_path: Path) -> None:
    """Past the integration timeout the caller is told, and the function goes on."""
    made = function(tmp_path, "f", ANSWER, Timeout=900, Events={"A": http("POST", "/")})
    with (
        running(tmp_path, {"F": made}) as runner,
        served(runner, integration_seconds=0.05) as client,
    ):
        answer = client.post("/", json="hang")
        assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
        assert runner.instances() == {"F": (0, 1)}
