"""Serves an application on a loopback port, beside others in the same process."""

import socket
import threading

import uvicorn
from starlette.applications import Starlette

BACKLOG = 1024
KEEP_ALIVE_SECONDS = 75  # longer than the clients keep theirs


def serve(app: Starlette, port: int) -> None:
    """Serve ``app`` from a thread, for as long as the process lives.

    Connections are accepted from the return on. OSError when the port is taken.
    """
    # asyncio switches Nagle off only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(BACKLOG)
    config = uvicorn.Config(
        app,
        backlog=BACKLOG,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the caller's word for its own address is not taken
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
