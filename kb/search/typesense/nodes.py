"""The nodes of a Typesense cluster: asked in turn, those that do not answer rested, every fault told as one of ours.

Typesense's own client speaks to one node each; which node is asked next is decided here. Its own rotation rests a node
for a fixed time and asks the same one again and again while all are resting, as during an election they are.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from kb.search.port import SearchUnavailable
from kb.search.typesense.address import Address, Node

T = TypeVar("T")

CONNECT = 1.0
"""Seconds in which a node takes up a connection, or it is down."""

READ = 4.0
"""Seconds in which a node answers a question: a page waits for it."""

WRITE = 15.0
"""Seconds in which a cluster takes in what is sent to it at once."""

REST = 10.0
"""Seconds for which a node that let somebody wait in vain is not asked at all; then one request tries whether it does.

Else every thread of the site would wait for it, and nothing would be answered any more that needs no search.
"""

PAUSE = 1.0
"""Seconds for which a node that said no at once, or is not there, is asked after all others."""

OLDEST = (0, 24)
"""The first version of Typesense that has all that is asked of it."""


class Missing(LookupError):
    """A node knows no such collection, alias or document."""


class Refused(ValueError):
    """A node says that what was sent is wrong, which another one would say too: a fault of ours."""


@dataclass
class _Asked:
    """One node as this process knows it."""

    node: Node
    reading: Any
    writing: Any
    rests_until: float = 0.0
    slow: bool = False
    known: bool = False


@dataclass
class _Clients:
    """The connections of one process: none may be shared with another one."""

    process: int
    nodes: list[_Asked]
    connections: list[Any]
    turn: int = 0


class Nodes:
    """All nodes of an address. Safe to use from threads and after a fork. Nothing is opened before it is needed."""

    def __init__(self, address: Address) -> None:
        """Take the client library. Raises SearchUnavailable where it is not installed."""
        try:
            self._http: Any = import_module("httpx")  # only this engine needs the two
            self._configuration: Any = import_module("typesense.configuration").Configuration
            self._calls: Any = import_module("typesense.sync.api_call")
        except ImportError as error:
            raise SearchUnavailable(
                "KB_SEARCH_URL names a Typesense server, and the packages of requirements-scale.txt are not installed."
            ) from error
        self._address = address
        self._clients: _Clients | None = None
        self._lock = threading.Lock()
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request

    def read(self, ask: Callable[[Ask], T]) -> T:
        """What the first node says that answers. Raises SearchUnavailable where none does, Missing, Refused."""
        failures = []
        for node in self.in_turn():
            try:
                return ask(node)
            except SearchUnavailable as failure:
                failures.append(str(failure))
        raise SearchUnavailable("; ".join(failures))

    def write(self, ask: Callable[[Ask], T], patience: float = 0.0) -> T:
        """What the first node says that does it: one that does not lead hands it on to the one that does.

        Only for what may be done twice. Tries again for `patience` seconds, while nodes elect a leader or come up.
        """
        until = time.monotonic() + patience
        while True:
            try:
                return self.read(ask)
            except SearchUnavailable:
                if time.monotonic() >= until:
                    raise
                time.sleep(0.5)

    def in_turn(self) -> list[Ask]:
        """All nodes: first those that are thought to answer, each time beginning with another; then those that rest.

        One that let somebody wait in vain a moment ago says so at once instead of being asked.
        """
        with self._lock:
            clients = self._opened()
            clients.turn += 1
            start = clients.turn % len(clients.nodes)
            now = time.monotonic()
            nodes = clients.nodes[start:] + clients.nodes[:start]
            nodes.sort(key=lambda node: max(node.rests_until, now))  # keeps the order of those that do not rest
            left_alone = [node.slow and node.rests_until > now for node in nodes]
            for node in nodes:
                if node.slow and node.rests_until <= now:
                    node.rests_until = now + REST  # for others: this one tries
        return [Ask(self._http, self._calls, node, left) for node, left in zip(nodes, left_alone, strict=True)]

    def close(self) -> None:
        """Give back the connections; they are opened again when they are needed."""
        with self._lock:
            clients, self._clients = self._clients, None
        if clients is not None and clients.process == os.getpid():
            for each in clients.connections:
                each.close()

    def _opened(self) -> _Clients:
        if self._clients is None or self._clients.process != os.getpid():
            reading, writing = self._connections(READ), self._connections(WRITE)
            nodes = [
                _Asked(node, self._client(node, reading), self._client(node, writing)) for node in self._address.nodes
            ]
            self._clients = _Clients(os.getpid(), nodes, [reading, writing])
        return self._clients

    def _connections(self, seconds: float) -> Any:
        limits = self._http.Limits(max_connections=100, max_keepalive_connections=20)
        timeout = self._http.Timeout(seconds, connect=CONNECT)
        # A proxy of the environment is none between a site and its own servers.
        return self._http.Client(timeout=timeout, limits=limits, verify=self._address.tls, trust_env=False)

    def _client(self, node: Node, connections: Any) -> Any:
        protocol = "https" if self._address.tls else "http"
        known = {"host": node.host, "port": node.port, "protocol": protocol}
        config: Any = {"api_key": self._address.key, "nodes": [known], "num_retries": 0}
        return self._calls.ApiCall(self._configuration(config), connections)


class Ask:
    """One node, to be asked. Raises Missing, Refused, and SearchUnavailable where it does not answer."""

    def __init__(self, http: Any, calls: Any, node: _Asked, left_alone: bool) -> None:
        self._http = http
        self._faults = calls
        self._asked = node
        self._left_alone = left_alone

    def __str__(self) -> str:
        return str(self._asked.node)

    def search(self, searches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The answers to several questions, each as the server words it, faults included."""
        params = {"limit_multi_searches": max(len(searches), 50)}
        found = self._call(
            self._asked.reading.post, "/multi_search", dict[str, Any], params=params, body={"searches": searches}
        )
        results: list[dict[str, Any]] = found["results"]
        return results

    def get(self, path: str) -> Any:
        """What stands at a path."""
        return self._call(self._asked.reading.get, path, dict[str, Any])

    def lines(self, path: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The documents at a path that exports them. All of them are read before the first is given."""
        text = self._call(self._asked.writing.get, path, str, as_json=False, params=dict(params))
        return (json.loads(line) for line in text.split("\n") if line)

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Make what stands at a path be this."""
        self._call(self._asked.writing.put, path, dict[str, Any], body=body)

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Add something to what stands at a path."""
        self._call(self._asked.writing.post, path, dict[str, Any], body=body)

    def delete(self, path: str, params: Mapping[str, str] | None = None) -> None:
        """Take away what stands at a path."""
        self._call(self._asked.writing.delete, path, dict[str, Any], params=dict(params or {}))

    def take_in(self, path: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Put documents in place of those with the same id. Raises Refused where one of them is not taken in."""
        body = "\n".join(json.dumps(each, ensure_ascii=False) for each in documents)
        params = {"action": "upsert"}
        answer = self._call(
            self._asked.writing.post, f"{path}/import", str, as_json=False, params=params, body=body.encode()
        )
        for document, line in zip(documents, answer.split("\n"), strict=True):
            said = json.loads(line)
            if not said.get("success"):
                raise self.refusal(int(said.get("code", 400)), f"document {document['id']}: {said.get('error')}")

    def _call(self, method: Callable[..., Any], path: str, kind: Any, **more: Any) -> Any:
        if self._left_alone:
            raise SearchUnavailable(f"The search server {self} did not answer a moment ago")
        if not self._asked.known:
            self._meet()
        try:
            try:
                answer = method(path, entity_type=kind, **more)
            except (self._http.RemoteProtocolError, self._http.ReadError, self._http.WriteError):
                answer = method(path, entity_type=kind, **more)  # it had closed a connection that rested
        except self._faults.TypesenseClientError as error:
            raise self._told(error) from error
        except self._http.TimeoutException as error:
            raise self._away(REST, f"does not answer ({type(error).__name__})") from error
        except self._http.HTTPError as error:
            raise self._away(PAUSE, f"cannot be reached ({type(error).__name__})") from error
        self._asked.rests_until, self._asked.slow = 0.0, False
        return answer

    def _meet(self) -> None:
        """Look once whether the server is one that can be used."""
        self._asked.known = True
        try:
            version = str(self.get("/debug").get("version", ""))
        except BaseException:
            self._asked.known = False
            raise
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers and numbers < OLDEST:
            self._asked.known = False
            wanted = ".".join(map(str, OLDEST))
            raise self._away(PAUSE, f"has version {version} of Typesense, and {wanted} or newer is needed")

    def _told(self, error: Exception) -> Exception:
        """What a server's no means for whoever asked."""
        status = error.args[0] if error.args and isinstance(error.args[0], int) else 500
        said = str(error.args[-1])[:300] if error.args else ""
        if status == 404:
            return Missing(f"{self} knows of nothing there")
        if status in (401, 403):
            return self._away(PAUSE, "does not accept the key of KB_SEARCH_URL")
        return self.refusal(status, said)

    def refusal(self, status: int, said: str) -> Exception:
        if "out of resource" in said.lower().replace("_", " "):
            return self._away(PAUSE, "takes nothing in: its disk or memory is full")
        if status in (400, 409, 422):
            return Refused(f"{self} refuses: {said}")
        return self._away(PAUSE, f"cannot now: {said} ({status})")

    def _away(self, seconds: float, what: str) -> SearchUnavailable:
        """Let the node rest for so long, and say why."""
        self._asked.rests_until, self._asked.slow = time.monotonic() + seconds, seconds > PAUSE
        return SearchUnavailable(f"The search server {self} {what}")
