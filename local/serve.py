"""How every emulator of the local cloud is started, and how it ends.

A part is a Starlette application on loopback in a process of its own. It ends with
the process that started it, however that one died: its standard input is a pipe
whose other end only the parent holds.
"""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette


def free_port() -> int:
    """A loopback port that nothing listens on at the time of asking."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def end_with_parent() -> None:
    """Exit as soon as standard input reaches its end, which is when the parent is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(sys.stdin.fileno(), 4096):
                pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def serve(app: Starlette, port: int) -> None:
    """Serve ``app`` on 127.0.0.1:``port`` until the parent ends or a signal comes."""
    if os.environ.get("SOULCASTER_PARENT"):
        end_with_parent()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


@contextlib.contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Serve ``app`` from a thread, for tests; yields its base address, without a slash."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    started = threading.Event()
    original = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await original(sockets)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    if not started.wait(20):
        raise RuntimeError("the server did not start")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
