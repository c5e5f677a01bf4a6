"""A limit to what is read of a request."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000


class BodyLimit:
    """Answers 413 to a request whose body has more than ``MOST_BYTES``; nobody sees more of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through that is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                await _refuse(send)
                return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else {"type": "http.disconnect"}

        await self._app(scope, again, send)


async def _refuse(send: Send) -> None:
    body = json.dumps({"detail": f"body: has more than {MOST_BYTES} bytes"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
