"""An application answered over HTTP from a thread of the test itself, for clients that need a real address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

Answerer = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""A WSGI application."""


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, *_said: Any) -> None:
        pass


def closing(app: Answerer) -> Answerer:
    """An application whose answers are closed even where nobody waited for their end.

    Werkzeug's server leaves an answer open when the client resets the connection: a browser that goes on to the next
    page would leave the test with an open file, and Python with a warning about it.
    """

    def pieces(answer: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from answer
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    return lambda environ, start_response: pieces(app(environ, start_response))


@contextmanager
def answering(app: Answerer, port: int = 0) -> Iterator[str]:
    """Answer for an application at a port, or at any that is free; yields its address."""
    server = make_server("127.0.0.1", port, closing(app), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
