"""The model as the engine sees it: an address on loopback that adds the key and counts.

The engine holds a token that is worth nothing outside this run. What it may ask is one
thing, a chat completion of the job's model; the list of models is answered here.
"""

import contextlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator

import httpx

from soulcaster_agent.budget import Meter, OverBudgetError
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.engine_server import EngineServer
from soulcaster_agent.job import Model
from soulcaster_agent.netns import MACHINE, Network
from soulcaster_agent.proxy_handler import Handler
from soulcaster_agent.redact import HIDDEN, SHORTEST

# How long the model may be silent: the deadline of the job ends what takes longer in all.
TIMEOUT = httpx.Timeout(300, connect=20)
# What a call may take to be settled after its connections were closed.
IDLE_SECONDS = 2
# An engine may send its next call before the last one is settled.
SETTLE_SECONDS = 5


class ModelProxy(EngineServer):
    """Serves the model to one engine, in the engine's network.

    ``on_over_budget`` is called, once, when a call did not fit into the budget;
    ``over_budget`` then says why, in words for people. ``uid`` is whose connections are
    taken.
    """

    def __init__(
        self,
        model: Model,
        meter: Meter,
        conversation: Conversation,
        uid: int,
        on_over_budget: Callable[[], None],
        network: Network = MACHINE,
    ) -> None:
        super().__init__(Handler, uid, network)
        self.model = model
        self.meter = meter
        self.conversation = conversation
        self.over_budget = ""
        self._on_over_budget = on_over_budget
        self._token = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._http = httpx.Client(timeout=TIMEOUT)

    @property
    def given(self) -> Model:
        """Return what the engine is given in the model's place."""
        return Model(f"http://127.0.0.1:{self.port}/v1", self.model.name, self._token)

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        self._http.close()
        self.meter.wait_idle(IDLE_SECONDS)

    def knows(self, authorization: str, peer_port: int) -> bool:
        """Whether a request comes from this run's engine."""
        expected = f"Bearer {self._token}".encode()
        if not hmac.compare_digest(authorization.encode(errors="replace"), expected):
            return False
        return self.is_engine(peer_port)

    def reserve(self, read: int, wanted: int) -> tuple[int, int]:
        """See Meter.reserve; the first refusal ends the run."""
        try:
            return self.meter.reserve(read, wanted, SETTLE_SECONDS)
        except OverBudgetError as error:
            with self._lock:
                first, self.over_budget = not self.over_budget, str(error)
            if first:
                self._on_over_budget()
            raise

    @contextlib.contextmanager
    def ask(self, body: bytes) -> Iterator[httpx.Response]:
        """Send a completion request to the model; the answer is read from what is yielded."""
        headers = {
            "Authorization": f"Bearer {self.model.api_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        url = f"{self.model.base_url.rstrip('/')}/chat/completions"
        with self._http.stream("POST", url, content=body, headers=headers) as answer:
            yield answer

    def hide(self, raw: bytes) -> bytes:
        """Take the key out of what a server may have repeated."""
        key = self.model.api_key.encode()
        return raw.replace(key, HIDDEN.encode()) if len(key) >= SHORTEST else raw

    def models(self) -> bytes:
        """Return the list of models, which is one."""
        entry = {"id": self.model.name, "object": "model", "created": 0, "owned_by": "job"}
        return json.dumps({"object": "list", "data": [entry]}).encode()
