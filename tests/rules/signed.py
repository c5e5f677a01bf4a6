"""Requests as their senders sign them, and the ways to spoil one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from tests.rules.samples import NOW

HEX_SECRET = "a-client-secret-of-sentry"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes make a good key").decode()

# Header values and JSON that nobody documented.
header_values = st.text(max_size=40) | st.sampled_from(["sha256=", "v1,", "0", "1e9", "issue"])
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def hex_hmac(body: bytes, secret: str = HEX_SECRET) -> str:
    """HMAC-SHA256 in hex, as Sentry and GitHub make it."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_headers(
    body: bytes, at_ms: int = NOW, secret: str = STANDARD_SECRET
) -> dict[str, str]:
    """The headers of Standard Webhooks, signed by its own reference library."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return {
        "webhook-id": "msg_2u4",
        "webhook-timestamp": str(at_ms // 1000),
        "webhook-signature": Webhook(secret).sign("msg_2u4", moment, body.decode()),
    }


def flips(text: bytes) -> Iterator[bytes]:
    """``text`` with each of its bytes changed in turn, once by one bit and once by all."""
    for place in range(len(text)):
        for mask in (1, 255):
            yield text[:place] + bytes([text[place] ^ mask]) + text[place + 1 :]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside of a JSON value."""
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def replaced(payload: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of ``payload`` whose value at ``path`` is another."""
    copy = json.loads(json.dumps(payload))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy
