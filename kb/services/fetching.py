"""Fetching an address that a person typed: the one place from which this site goes out into the web.

Whoever may type an address must not be able to make the site knock at doors inside its own network, hang, or fill its
memory. So: http and https only, the web's usual ports, public addresses only, looked at after each name was resolved
and again at each redirect, and the connection goes to the very address that was looked at (a name may resolve to
another one a moment later), while certificate and server name stay those of the name. Time and size are counted in
all, not from byte to byte. Nothing is sent along but who asks: no cookie, no password, no referrer.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import certifi
import httpcore

from kb.services.errors import N_, ServiceError

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports on which the web is; at any other something else may listen."""

REDIRECTS = (301, 302, 303, 307, 308)

NOT_AN_ADDRESS = N_("This is no web address.")
NOT_PUBLIC = N_("This address is not open to the public.")
NOT_FOUND = N_("There is no server of this name.")
NO_ANSWER = N_("The server did not answer in time.")
NO_CONNECTION = N_("No connection to the server could be made.")
BAD_CERTIFICATE = N_("The certificate of the server is not valid.")
NOT_HTTP = N_("The server did not answer as a web server does.")
ROUND_AND_ROUND = N_("The server sends from one address to the next without end.")
TOO_BIG = N_("What the server sends is too big.")

# Of IPv6 only what is given out to be reached from everywhere, without ways to wrap an IPv4 address in it.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_WRAPPED_V6 = tuple(map(ipaddress.ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_AS_IT_IS = "/%:=&?~+!$,;'()*@[]|"
"""Signs of a path or query that are sent as they were typed."""

Resolve = Callable[[str, int], Sequence[str]]


class Unfetchable(ServiceError):
    """An address that cannot be, or may not be, fetched; the message says why."""


@dataclass(frozen=True)
class Limits:
    """How much one fetch may take: seconds in all, seconds for any one step, bytes of the unpacked body, redirects."""

    seconds: float = 20.0
    step: float = 10.0
    size: int = 5_000_000
    redirects: int = 5


@dataclass(frozen=True)
class Fetched:
    """An answer: the address that gave it after all redirects, its status, its headers in lower case, its body."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes = b""


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses that a name stands for. Raises OSError. The system's resolver sets the time that this may take."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody may reach."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast and not ip.is_reserved
    return ip in _PUBLIC_V6 and ip.is_global and not any(ip in network for network in _WRAPPED_V6)


def asked_to_wait(answer: Fetched, now: datetime) -> float:
    """For how many seconds a server asks to be left alone; 0 where it does not."""
    if answer.status not in (429, 503):
        return 0.0
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), 10**9))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def agent(site_name: str, base_url: str) -> str:
    """How the site calls itself to others, with the address at which to complain."""
    name = site_name.encode("ascii", "ignore").decode("ascii")
    return f"RegionalPractices/1.0 ({re.sub(r'[^ -~]|[()]', '', name).strip()}; +{base_url}/about)"


class Fetcher:
    """Fetches addresses; safe to use from several threads.

    `agent` is who asks. `resolve` finds the addresses of a name, `tls` how certificates are judged. `local` are hosts
    that the operator lets this site reach in its own network, at any port. `loopback` is for tests alone: then this
    machine may be fetched from, at any port.
    """

    def __init__(
        self,
        agent: str,
        limits: Limits | None = None,
        *,
        resolve: Resolve = resolved,
        tls: ssl.SSLContext | None = None,
        local: Collection[str] = (),
        loopback: bool = False,
    ) -> None:
        encodings = "gzip, deflate, identity;q=0.5"
        self._headers = [("User-Agent", agent), ("Accept", "*/*"), ("Accept-Encoding", encodings)]
        self._limits = limits or Limits()
        self._resolve = resolve
        self._tls = tls or ssl.create_default_context(cafile=certifi.where())
        self._local = frozenset(host.lower() for host in local)
        self._loopback = loopback

    def fetch(self, url: str, method: str = "GET", *, body: bool = True) -> Fetched:
        """What an address answers, whatever the status. Without `body` the connection ends after the headers.

        Raises Unfetchable.
        """
        deadline = _Deadline(self._limits)
        for _ in range(self._limits.redirects + 1):
            answer = self._once(self._allowed(url), method, body, deadline)
            target = answer.headers.get("location")
            if answer.status not in REDIRECTS or not target:
                return answer
            url = _joined(answer.url, target)
        raise Unfetchable(ROUND_AND_ROUND)

    def _allowed(self, url: str) -> str:
        """The address as it is sent. Raises Unfetchable for one that is none, or leads past the web."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port or (443 if parts.scheme == "https" else 80)
            host = _ascii(parts.hostname or "")
        except ValueError:
            raise Unfetchable(NOT_AN_ADDRESS) from None
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
            raise Unfetchable(NOT_AN_ADDRESS)
        if port not in PORTS and not (self._loopback or host.lower() in self._local):
            raise Unfetchable(NOT_PUBLIC)
        return _sent(parts, host)

    def _once(self, url: str, method: str, body: bool, deadline: _Deadline) -> Fetched:
        """One request, its redirect not followed."""
        backend = _Pinned(self._addresses, deadline)
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self._limits.step)
        with (
            _in_a_sentence(),
            httpcore.ConnectionPool(self._tls, max_connections=1, network_backend=backend) as pool,
            pool.stream(method, url, headers=self._headers, extensions={"timeout": waits}) as response,
        ):
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1", "replace") for name, value in response.headers
            }
            wanted = body and method != "HEAD" and response.status not in REDIRECTS
            content = self._unpacked(response.iter_stream(), headers.get("content-encoding", "")) if wanted else b""
            return Fetched(url, response.status, headers, content)

    def _unpacked(self, chunks: Iterable[bytes], encoding: str) -> bytes:
        """The body, unpacked as it comes, so that a small parcel cannot hold a mountain."""
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Unfetchable(NOT_HTTP)
        unpacker = zlib.decompressobj(47) if encoding not in ("", "identity") else None
        content = bytearray()
        for chunk in chunks:
            room = self._limits.size - len(content) + 1
            content += unpacker.decompress(chunk, room) if unpacker else chunk[:room]
            if len(content) > self._limits.size:
                raise Unfetchable(TOO_BIG)
        return bytes(content)

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name, if it has no other than public ones. Raises Unfetchable."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise Unfetchable(NOT_FOUND) from None
        if not found:
            raise Unfetchable(NOT_FOUND)
        if host.lower() in self._local:
            return found
        if not all(is_public(each) or (self._loopback and each in ("127.0.0.1", "::1")) for each in found):
            raise Unfetchable(NOT_PUBLIC)
        return found


class _Deadline:
    """The time that a fetch has in all, redirects included."""

    def __init__(self, limits: Limits) -> None:
        self._end = time.monotonic() + limits.seconds
        self._step = limits.step

    def left(self, timeout: float | None = None) -> float:
        """Seconds that the next step may take. Raises Unfetchable where there are none."""
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise Unfetchable(NO_ANSWER)
        return min(rest, self._step if timeout is None else timeout)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses that were looked at, and to no other."""

    def __init__(self, addresses: Resolve, deadline: _Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a name that takes one."""
        trouble: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, self._deadline.left(timeout), None, socket_options)
                return _Timed(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble or Unfetchable(NOT_FOUND)


class _Timed(httpcore.NetworkStream):
    """A connection on which every step counts against the time of the whole."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, with whoever holds a certificate of the name."""
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise Unfetchable(BAD_CERTIFICATE) from None
            raise
        return _Timed(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Say what goes wrong on the way as Unfetchable."""
    try:
        yield
    except httpcore.TimeoutException:
        raise Unfetchable(NO_ANSWER) from None
    except (httpcore.NetworkError, OSError):
        raise Unfetchable(NO_CONNECTION) from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, zlib.error, ValueError):
        raise Unfetchable(NOT_HTTP) from None


def _joined(base: str, target: str) -> str:
    """Where a redirect leads. What headers hold beyond ASCII is UTF-8 read as Latin-1. Raises Unfetchable."""
    try:
        return urljoin(base, target.encode("latin-1").decode("utf-8", "replace"))
    except ValueError:
        raise Unfetchable(NOT_AN_ADDRESS) from None


def _ascii(host: str) -> str:
    """A name as DNS has it. Raises ValueError."""
    name = host if host.isascii() else host.encode("idna").decode("ascii")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError(host)
    return name


def _sent(parts: SplitResult, host: str) -> str:
    """The address in the signs that go over the wire, without its fragment."""
    place = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    query = f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else ""
    return f"{parts.scheme}://{place}{port}{quote(parts.path, safe=_AS_IT_IS) or '/'}{query}"
