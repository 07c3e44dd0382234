"""A web server for tests, on this machine: it answers as each test tells it, well or badly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request: its method, its path, its headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]


Answer = Callable[[Asked], "bytes | Iterator[bytes]"]


def reply(status: int = 200, body: bytes = b"", **headers: object) -> bytes:
    """A plain answer; headers with _ for -."""
    lines = [f"HTTP/1.1 {status} Said", "Connection: close"]
    if "content_length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


@dataclass
class Server:
    """What was asked, and where it listens."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        """An address of this server."""
        return f"{scheme}://{host}:{self.port}{path}"


@contextlib.contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers every request with what `answer` says, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1])
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(60)
            talking = tls.wrap_socket(connection, server_side=True) if tls else connection
            with contextlib.suppress(OSError), talking:
                asked = _read(talking)
                if asked is None:
                    return
                server.asked.append(asked)
                said = answer(asked)
                for part in (said,) if isinstance(said, bytes) else said:
                    if ended.is_set():
                        return
                    talking.sendall(part)

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=60)


def _read(connection: socket.socket) -> Asked | None:
    text = b""
    while b"\r\n\r\n" not in text:
        part = connection.recv(4096)
        if not part:
            return None
        text += part
    first, *lines = text.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    headers = dict(line.split(": ", 1) for line in lines)
    return Asked(method, path, {name.lower(): value for name, value in headers.items()})
