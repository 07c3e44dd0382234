"""The address of a collection on a Typesense cluster, as the setting KB_SEARCH_URL says it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

PORT = 8108
"""Where a node listens unless its port is named."""

COLLECTION = "practices"
"""The collection where the address names none."""

_NODE = re.compile(r"(?P<host>[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Node(NamedTuple):
    """One machine of a cluster; the host in brackets where it is an IPv6 number."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Address:
    """Which nodes hold which collection, and the key that opens it."""

    nodes: tuple[Node, ...]
    collection: str
    tls: bool
    key: str = field(repr=False)


def parse(url: str) -> Address:
    """Read `typesense://KEY@HOST:PORT,HOST:PORT/COLLECTION`; `typesenses` in place of `typesense` is https.

    Signs of the key that mean something in an address are written %XX. Raises ValueError with what is wrong, as the end
    of a sentence that never holds the key.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in ("typesense", "typesenses") or not separator:
        raise ValueError("must begin with typesense:// or typesenses://")
    authority, _, path = rest.rpartition("@")[2].partition("/")
    key = unquote(rest.rpartition("@")[0])
    if not key:
        raise ValueError(
            "must have the key of the search server before an @, as in typesense://KEY@host:8108/practices"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("must have a key of letters, digits and signs, without blanks")
    if not _COLLECTION.fullmatch(path or COLLECTION):
        raise ValueError("must end with the name of a collection: at most 64 letters, digits, - and _")
    return Address(tuple(map(_node, authority.split(","))), path or COLLECTION, scheme == "typesenses", key)


def _node(text: str) -> Node:
    found = _NODE.fullmatch(text)
    if found is None:
        raise ValueError(f"must name hosts such as search1.example.eu:8108, parted by commas, not {text!r}")
    port = int(found["port"] or PORT)
    if not 1 <= port <= 65535:
        raise ValueError(f"must name ports from 1 to 65535, not {port}")
    return Node(found["host"], port)
