"""The tests' own server."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.processes import PATIENCE
from tests.serving import answering


def test_an_answer_is_closed_where_the_client_hangs_up_at_its_end() -> None:
    gone, closed = threading.Event(), threading.Event()

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            yield b"whole"
            gone.wait(PATIENCE)

        def close(self) -> None:
            closed.set()

    def app(_environ: dict[str, Any], start_response: Any) -> Answer:
        start_response("200 OK", [("Content-Length", "5")])
        return Answer()

    with answering(app) as url:
        client = socket.create_connection(("127.0.0.1", urlsplit(url).port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hang up without a farewell
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        client.recv(10)
        client.close()
        gone.set()
        assert closed.wait(PATIENCE)
