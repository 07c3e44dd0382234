"""Where mail goes: a folder of .eml files, or a mail server. Knows nothing of the outbox.

What goes wrong is told apart by what it means for the next message: `Refused` and `Deferred` concern one message,
`Unreachable` all of them. Their sentences hold no address: a server's own words often do, so only its number is kept.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from kb.services.errors import N_

TIMEOUT = 10.0
"""Seconds that a mail server may take for each answer."""

VERBATIM = ("message-id", "list-unsubscribe")
"""Headers of one long word, which the library would encode where it cannot break them."""


class Trouble(Exception):
    """A message did not go out, with a sentence for the administrator and the server's number, if it gave one."""

    def __init__(self, sentence: str, code: int | None = None) -> None:
        super().__init__(f"{sentence} ({code})" if code else sentence)


class Refused(Trouble):
    """The server will not take this message, now or later."""


class Deferred(Trouble):
    """The server did not take this message now."""


class HungUp(Deferred):
    """The connection broke in the middle of a message. Whether the server has taken it, nobody knows."""


class Unreachable(Trouble):
    """No message can go out at present: the server does not answer, or does not let us in."""


class Transport(Protocol):
    """What a message is given to."""

    def send(self, message: EmailMessage) -> None:
        """Hand one message over. Raises Refused, Deferred, Unreachable."""

    def close(self) -> None:
        """End the connection that the messages of a batch shared."""


class _Policy(EmailPolicy):
    """Line ends and line lengths of SMTP; headers that are one long word stay as they are."""

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if name.lower() in VERBATIM else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if name.lower() in VERBATIM else super().fold_binary(name, value)


POLICY = _Policy(max_line_length=SMTP.max_line_length, linesep=SMTP.linesep)
"""What a message is to be made with: `EmailMessage(POLICY)`."""


def open_transport(mail_url: str) -> Transport:
    """The transport that a checked `KB_MAIL_URL` names. Nothing is connected or made before the first message."""
    parts = urlsplit(mail_url)
    return FolderTransport(Path(unquote(parts.path))) if parts.scheme == "file" else ServerTransport(parts)


class FolderTransport:
    """Keeps every message as a file in a folder, named by its Message-ID: sent twice, it is there once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write one message whole, readable to this user alone. Raises Unreachable."""
        path = self.folder / f"{re.sub(r'[^A-Za-z0-9@.-]', '_', str(message['Message-ID']).strip('<>'))}.eml"
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message.as_bytes(policy=message.policy.clone(linesep="\n")))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):  # half a message would lie there with somebody's address in it
                draft.unlink()
            raise Unreachable(N_("The folder for mail cannot be written.")) from error

    def sweep(self, before: datetime) -> int:
        """Remove messages written before a moment: they hold addresses, and links that open accounts; says how many."""
        removed = 0
        for path in filter(_is_message, self.folder.glob("*")):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def close(self) -> None:
        """Nothing stays open."""


class ServerTransport:
    """Gives messages to a mail server, all of a batch over one connection, encrypted wherever the server can."""

    def __init__(self, parts: SplitResult, timeout: float = TIMEOUT) -> None:
        self._host = str(parts.hostname)
        self._implicit = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._implicit else 25 if _is_here(self._host) else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = timeout
        self._server: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Hand one message over, connecting first where need be. Raises Refused, Deferred, Unreachable."""
        server = self._server or self._connect()
        self._server = server
        to, sender = (message[name].addresses[0].addr_spec for name in ("To", "From"))
        try:
            server.send_message(message, from_addr=sender, to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()))[0]
            raise self._answered(code, N_("The mail server refused the recipient.")) from None
        except smtplib.SMTPSenderRefused as refused:
            raise Unreachable(N_("The mail server does not take mail from this sender."), refused.smtp_code) from None
        except smtplib.SMTPResponseException as refused:
            raise self._answered(refused.smtp_code, N_("The mail server refused the message.")) from None
        except (smtplib.SMTPNotSupportedError, ValueError):  # letters in the address that this server does not know
            raise Refused(N_("The mail server cannot be told this address.")) from None
        except OSError:  # among these the library counts a lost connection
            self._drop()
            raise HungUp(N_("The mail server hung up in the middle.")) from None

    def close(self) -> None:
        """Take leave of the server."""
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.quit()
        self._drop()

    def _answered(self, code: int, for_good: str) -> Trouble:
        """What an answer to one message means: 5xx is for good, 421 ends the connection, the rest is for now."""
        if code == 421:
            self._drop()
            return HungUp(N_("The mail server is closing."), code)
        return Refused(for_good, code) if code >= 500 else Deferred(N_("The mail server asks us to wait."), code)

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    def _connect(self) -> smtplib.SMTP:
        try:
            server = self._greet()
            try:
                self._enter(server)
            except BaseException:
                server.close()
                raise
        except smtplib.SMTPAuthenticationError as error:
            raise Unreachable(N_("The mail server did not accept the name and password."), error.smtp_code) from None
        except smtplib.SMTPResponseException as error:
            raise Unreachable(N_("The mail server turned us away."), error.smtp_code) from None
        except ssl.SSLError:
            raise Unreachable(N_("The encryption of the mail server cannot be trusted.")) from None
        except OSError:  # among these the library counts its own errors
            raise Unreachable(N_("The mail server cannot be reached.")) from None
        return server

    def _greet(self) -> smtplib.SMTP:
        if self._implicit:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=_trusting(self._host))
        return smtplib.SMTP(self._host, self._port, timeout=self._timeout)

    def _enter(self, server: smtplib.SMTP) -> None:
        """Encrypt where the server can, and sign in where a name is set: never in the clear over a network."""
        server.ehlo_or_helo_if_needed()
        secure = self._implicit
        if not secure and server.has_extn("starttls"):
            server.starttls(context=_trusting(self._host))
            server.ehlo()
            secure = True
        if not self._user:
            return
        if not secure and not _is_here(self._host):
            raise Unreachable(N_("The mail server offers no encryption, so the password was not sent."))
        if not server.has_extn("auth"):
            raise Unreachable(N_("The mail server asks for no password, but one is set."))
        server.login(self._user, self._password)


def _is_message(path: Path) -> bool:
    """Whether a file of the folder is a message, or what a process was writing of one when it was killed."""
    return path.suffix == ".eml" or ("@" in path.name and path.suffix[1:].isdecimal())


def _trusting(host: str) -> ssl.SSLContext:
    """Certificates are checked, but for a server on this machine, which rarely has one in its own name."""
    context = ssl.create_default_context()
    if _is_here(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
