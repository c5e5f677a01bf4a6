"""One request of the engine to the model proxy, from its first line to its answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import httpx

from soulcaster_agent.budget import MOST_ANSWER_TOKENS, GrantError, OverBudgetError
from soulcaster_agent.completion import Answer, BadCallError, Call, parse_call

if TYPE_CHECKING:
    from soulcaster_agent.proxy import ModelProxy

MOST_REQUEST_BYTES = 32_000_000
MOST_ANSWER_BYTES = 32_000_000
# What an engine needs to know of the model's own answer.
PASSED_HEADERS = ("Content-Type", "Retry-After")


class Handler(BaseHTTPRequestHandler):
    """Answers with the model's status and body, or with an error in the protocol's words."""

    server: "ModelProxy"
    protocol_version = "HTTP/1.1"
    timeout = 60
    _has_begun = False

    def do_GET(self) -> None:
        """List the models."""
        if self._is_allowed("/v1/models"):
            self._answer(200, self.server.models())

    def do_POST(self) -> None:
        """Pass a chat completion on."""
        if not self._is_allowed("/v1/chat/completions"):
            return
        raw = self._body()
        if raw is None:
            return
        try:
            call = parse_call(raw, self.server.model.name, MOST_ANSWER_TOKENS)
            read = call.read_estimate
            number, allowed = self.server.reserve(read, call.wanted)
        except BadCallError as error:
            self._refuse(400, "invalid_request", str(error))
        except OverBudgetError as error:
            self.server.conversation.add([], str(error), 402, None)
            self._refuse(402, "over_budget", str(error))
        except GrantError as error:
            # Not the end of the job: an engine that tries again may be lucky.
            self.server.conversation.add([], str(error), 503, None)
            self._refuse(503, "not_granted", str(error))
        else:
            self._complete(call, number, call.limited(allowed))

    def log_message(self, *_: object) -> None:
        """Say nothing: the conversation is recorded elsewhere."""

    def _is_allowed(self, path: str) -> bool:
        # What stays unread of a refused request must not be taken for the next one.
        self.close_connection = True
        if not self.server.knows(self.headers.get("Authorization", ""), self.client_address[1]):
            self._refuse(401, "invalid_api_key", "this address serves one engine only")
        elif self.path != path:
            self._refuse(404, "not_found", "chat completions and the list of models are served")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            self._refuse(411, "length_required", "Content-Length is missing")
        elif int(length) > MOST_REQUEST_BYTES:
            self._refuse(413, "too_large", f"at most {MOST_REQUEST_BYTES} bytes are passed on")
        else:
            self.close_connection = False
            return self.rfile.read(int(length))
        return None

    def _complete(self, call: Call, number: int, body: bytes) -> None:
        """Ask the model and pass its answer on; settles the reservation, however it ends."""
        learnt = Answer(call)
        status = 0
        self._has_begun = False
        try:
            with self.server.ask(body) as answer:
                status = answer.status_code
                if answer.is_success and call.streams:
                    self._pass_events(answer, learnt)
                else:
                    self._pass_whole(answer, learnt)
        except httpx.ConnectError:
            self._unreached(502, "the model's server can't be reached")
            status = 502
        except httpx.HTTPError as error:
            self._unreached(504, f"the model's answer broke off: {type(error).__name__}")
        finally:
            failed = bool(status) and not 200 <= status < 300
            used = None if failed else learnt.used()
            said = "".join(learnt.said)
            # First, so that whoever waits for calls to be settled finds them in the record.
            self.server.conversation.add(call.body["messages"], said, status, used)
            if used is None:
                self.server.meter.release(number)
            else:
                self.server.meter.settle(number, *used, exact=learnt.usage is not None)

    def _pass_whole(self, answer: httpx.Response, learnt: Answer) -> None:
        raw = b""
        for piece in answer.iter_bytes():
            raw += piece
            if len(raw) > MOST_ANSWER_BYTES:
                break
        if answer.is_success:
            learnt.whole(raw)
        else:
            learnt.said.append(self.server.hide(raw[:2_000]).decode(errors="replace"))
        self._answer(answer.status_code, self.server.hide(raw), answer.headers)

    def _pass_events(self, answer: httpx.Response, learnt: Answer) -> None:
        """Pass each line on as it comes; a break of the model's stream breaks the engine's."""
        self._has_begun = True
        self.send_response(answer.status_code)
        self._send_passed(answer.headers)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        skipped = False
        for line in lines(answer):
            shown = learnt.line(line)
            # The empty line after an event belongs to it.
            if shown and not (skipped and not line.strip()):
                self._chunk(self.server.hide(line))
            skipped = not shown
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _unreached(self, status: int, message: str) -> None:
        self.close_connection = True
        if not self._has_begun:
            self._refuse(status, "model_unreachable", message)

    def _refuse(self, status: int, code: str, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        self._answer(status, json.dumps({"error": error}).encode())

    def _answer(self, status: int, body: bytes, headers: httpx.Headers | None = None) -> None:
        self.send_response(status)
        self._send_passed(headers or httpx.Headers({"Content-Type": "application/json"}))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_passed(self, headers: httpx.Headers) -> None:
        for name in PASSED_HEADERS:
            if value := headers.get(name):
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")


def lines(answer: httpx.Response) -> Iterator[bytes]:
    """Yield the lines of an answer, each with its end, as they come."""
    rest = b""
    for piece in answer.iter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest
