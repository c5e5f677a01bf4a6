"""The Gemini API's embeddings and naming, answered by a small encoder on this machine.

``POST /v1beta/models/all-minilm-l6-v2:batchEmbedContents`` gives real sentence embeddings.
``POST /v1beta/models/extractive-local:generateContent`` is no language model: asked for a name or a
plan it quotes the most central of the ``<item>`` elements in the prompt, and its ``modelVersion``
says so, as does the plan. Asked which
``<pair>`` elements are about the same it says nothing of any, as it can't tell.
"""

import argparse
import asyncio
import hmac
import html
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local import extract, extract_plan
from local.embedder import Embedder
from local.minilm import WIDTH
from local.serve import serve

EMBEDDING_MODEL = "all-minilm-l6-v2"
NAMING_MODEL = "extractive-local"
TEXTS_PER_CALL = 100
# Calls take turns after so many texts, so that a short one never waits for a whole long one.
TEXTS_PER_TURN = 20
ITEM = re.compile(r'<item n="\d+">(.*?)</item>', re.DOTALL)


class Refused(Exception):  # noqa: N818 - it is an answer
    """An answer other than success, in the API's words."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Gone(Exception):  # noqa: N818 - nobody waits for an answer
    """The client has hung up."""


def app(embedder: Embedder, key: str) -> Starlette:
    """The API for clients that hold ``key``; all of them share one thread for the encoder."""
    encoder = ThreadPoolExecutor(1, "encoder")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        encoder.shutdown(cancel_futures=True)

    async def embed(request: Request, texts: list[str]) -> NDArray[np.float32]:
        parts = []
        for turn in batched(texts, TEXTS_PER_TURN, strict=False):
            if await request.is_disconnected():
                raise Gone
            loop = asyncio.get_running_loop()
            parts.append(await loop.run_in_executor(encoder, embedder.embed, list(turn)))
        return np.concatenate(parts)

    async def call(request: Request) -> Response:
        _check_key(request, key)
        model, _, method = request.path_params["call"].partition(":")
        body = await _object(request)
        match method:
            case "batchEmbedContents":
                _check_model(model, EMBEDDING_MODEL, method)
                vectors = await embed(request, _texts(model, body))
                return JSONResponse({"embeddings": [{"values": row} for row in vectors.tolist()]})
            case "generateContent":
                _check_model(model, NAMING_MODEL, method)
                wanted = _wanted(body)
                if wanted == {"n", "same"}:
                    return JSONResponse(_generated(body, []))
                quote = _extract(wanted)
                loop = asyncio.get_running_loop()
                items = _items(body)
                quoted = await loop.run_in_executor(encoder, quote, items, embedder.embed)
                return JSONResponse(_generated(body, quoted))
        raise Refused(501, "UNIMPLEMENTED", f"{method} is not emulated")

    async def other(request: Request) -> Response:
        raise Refused(501, "UNIMPLEMENTED", f"{request.method} {request.url.path} is not emulated")

    return Starlette(
        routes=[
            Route("/v1beta/models/{call}", call, methods=["POST"]),
            Route("/{path:path}", other, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ],
        exception_handlers={Refused: _refusal, Gone: lambda *_: Response(status_code=499)},
        lifespan=lifespan,
    )


def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    print(f"gemini: refused: {error.code} {error}", file=sys.stderr)
    return JSONResponse(
        {"error": {"code": error.code, "message": str(error), "status": error.status}}, error.code
    )


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", message)


def _check_key(request: Request, key: str) -> None:
    given = request.headers.get("x-goog-api-key")
    if given is None:
        raise Refused(
            403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers: send an API key."
        )
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise _invalid("API key not valid. Please pass a valid API key.")


def _check_model(model: str, known: str, method: str) -> None:
    if model != known:
        raise Refused(
            404,
            "NOT_FOUND",
            f"models/{model} is not found for API version v1beta, or is not supported for "
            f"{method}: the local one is {known}.",
        )


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _invalid("Invalid JSON payload received.")
    return body


def _check_fields(value: Any, emulated: set[str]) -> None:
    if not isinstance(value, dict):
        raise _invalid("Invalid value: an object was expected")
    unknown = sorted(value.keys() - emulated)
    if unknown:
        raise Refused(501, "UNIMPLEMENTED", f"{', '.join(unknown)}: not emulated")


def _texts(model: str, body: Mapping[str, Any]) -> list[str]:
    _check_fields(body, {"requests"})
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise _invalid("* BatchEmbedContentsRequest.requests: must not be empty")
    if len(requests) > TEXTS_PER_CALL:
        raise _invalid(
            "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch"
        )
    texts = []
    for number, one in enumerate(requests):
        place = f"* BatchEmbedContentsRequest.requests[{number}]"
        _check_fields(one, {"model", "content", "outputDimensionality"})
        if one.get("model") != f"models/{model}":
            raise _invalid(f"{place}.model: must be models/{model}")
        if one.get("outputDimensionality", WIDTH) != WIDTH:
            raise _invalid(f"{place}.output_dimensionality: {model} gives {WIDTH}")
        text = _text(one.get("content"), place)
        if not text:
            raise _invalid(f"{place}.content: contains an empty Part")
        texts.append(text)
    return texts


def _text(content: Any, place: str) -> str:
    """The text of a Content, which is ``{"parts": [{"text": …}]}``."""
    try:
        text = "".join(part["text"] for part in content["parts"])
        text.encode()
    except (KeyError, TypeError, UnicodeEncodeError) as error:
        raise _invalid(f"{place}.content: no parts of text in it") from error
    return text


def _wanted(body: Mapping[str, Any]) -> set[str]:
    """The fields of the JSON object, or of each in a list, that is asked for."""
    _check_fields(body, {"contents", "systemInstruction", "generationConfig"})
    config = body.get("generationConfig", {})
    _check_fields(config, {"responseMimeType", "responseSchema"})
    schema = config.get("responseSchema", {})
    if config.get("responseMimeType") != "application/json" or not isinstance(schema, dict):
        raise Refused(501, "UNIMPLEMENTED", "only answers in JSON are emulated")
    return set(schema.get("items", schema).get("properties", {}))


def _extract(wanted: set[str]) -> Callable[[list[str], extract.Embed], Mapping[str, Any]]:
    """What answers with the fields that are wanted."""
    if wanted == extract_plan.FIELDS:
        return extract_plan.plan
    if wanted == {"name", "summary"}:
        return _named
    raise Refused(501, "UNIMPLEMENTED", "only a JSON name and summary, or a plan, are emulated")


def _named(items: list[str], embed: extract.Embed) -> dict[str, str]:
    name, summary = extract.describe(items, embed)
    return {"name": name, "summary": summary}


def _items(body: Mapping[str, Any]) -> list[str]:
    prompt = "".join(_text(content, "contents") for content in body.get("contents", []))
    items = [html.unescape(item) for item in ITEM.findall(prompt)]
    if not items:
        raise Refused(501, "UNIMPLEMENTED", "a prompt without <item> elements is not emulated")
    return items


def _generated(body: Mapping[str, Any], content: Any) -> dict[str, Any]:
    answer = json.dumps(content)
    # As a rule four characters are a token.
    read, written = len(json.dumps(body["contents"])) // 4, len(answer) // 4
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": answer}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": read,
            "candidatesTokenCount": written,
            "totalTokenCount": read + written,
        },
        "modelVersion": NAMING_MODEL,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="where the model's file is kept")
    parser.add_argument("--key", required=True, help="the API key that clients must send")
    given = parser.parse_args()
    serve(app(Embedder(given.state), given.key), given.port)


if __name__ == "__main__":
    main()
