"""A real mail server for tests, on a port of its own: it takes mail, or refuses it as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import email.policy
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.processes import PATIENCE, free_port


class MailServer:
    """What came in, and how to answer: by recipient, or to everybody."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[EmailMessage] = []
        self.connections = 0
        self.encrypted: list[bool] = []
        self.signed_in: list[bool] = []
        self.answers: dict[str, str] = {}
        """What is said to a recipient instead of 250, by address."""
        self.sender_answer = ""
        self.data_answer = ""
        self.hang_up_on: set[str] = set()
        """Recipients at whose message the connection breaks."""
        self.slowness = 0.0
        """Seconds that it takes to take a message."""
        self._running: Controller | None = None

    @property
    def url(self) -> str:
        """Its address as KB_MAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def ids(self) -> list[str]:
        """The Message-ID of everything that came in."""
        return [str(message["Message-ID"]) for message in self.taken]

    def to(self, address: str) -> list[EmailMessage]:
        """What came in for an address."""
        return [message for message in self.taken if str(message["To"]) == address]

    def start(self, **options: Any) -> None:
        """Begin to listen."""
        self._running = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=PATIENCE, **options)
        self._running.start()

    def stop(self) -> None:
        """Be down."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    # What aiosmtpd calls

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> Any:
        self.connections += session.ssl is None
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hang_up_on & set(envelope.rcpt_tos):
            server.transport.abort()
            return "250 OK"
        if self.data_answer:
            return self.data_answer
        message = BytesParser(policy=email.policy.default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.encrypted.append(session.ssl is not None)
        self.signed_in.append(bool(session.authenticated))
        await asyncio.sleep(self.slowness)
        return "250 OK"


def accept(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let in who says `kb` and `open sesame`."""
    return AuthResult(success=(data.login, data.password) == (b"kb", b"open sesame"), handled=False)


@contextlib.contextmanager
def mail_server(*, tls: ssl.SSLContext | None = None, auth: bool = False, **options: Any) -> Iterator[MailServer]:
    """A running mail server: with `tls` it offers STARTTLS, with `auth` too it wants a name and a password."""
    server = MailServer()
    if auth:
        options |= {"authenticator": accept, "auth_required": True}
    server.start(**options, **({"tls_context": tls} if tls else {}))
    try:
        yield server
    finally:
        server.stop()
