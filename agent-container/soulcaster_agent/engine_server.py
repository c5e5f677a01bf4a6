"""What the supervisor serves to the engine, in the engine's network."""

import threading
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self

from soulcaster_agent.netns import MACHINE, Network

# What an engine needs is a few; without a bound it could use up the supervisor's descriptors.
MOST_CONNECTIONS = 64


class EngineServer(ThreadingMixIn, TCPServer):
    """Serves one engine from threads while its block runs; ``uid`` is who the engine is.

    Only accepting is done in the engine's network: connections that a handler opens
    are made in the supervisor's own.
    """

    daemon_threads = True
    # Waiting for a thread that waits for somebody outside would outlast the job.
    block_on_close = False

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], uid: int, network: Network = MACHINE
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = network.listen()
        self.port: int = self.socket.getsockname()[1]
        self._uid = uid
        self._network = network
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._thread = threading.Thread(
            target=self.serve_forever, name=type(self).__name__, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection from a thread; one too many is closed unheard."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def is_engine(self, peer_port: int) -> bool:
        """Whether the connection from this port is the engine's, as far as can be known."""
        return self._network.uid_of(self.port, peer_port) in {self._uid, None}

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a connection that breaks is the engine's own business."""
