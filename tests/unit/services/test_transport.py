"""Handing mail over: to a folder, and to real mail servers that take it, refuse it, or are not there."""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
import trustme

from kb.services import transport
from kb.services.transport import POLICY, Deferred, FolderTransport, HungUp, Refused, Unreachable, open_transport
from tests.mailserver import MailServer, mail_server


def message(to: str = "alice@example.org", number: int = 1, **headers: str) -> EmailMessage:
    made = EmailMessage(POLICY)
    made["Message-ID"] = f"<{number:032x}@example.org>"
    made["From"] = Address("Practices", addr_spec="noreply@example.org")
    made["To"] = Address(addr_spec=to)
    made["Subject"] = "Grüße"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content("Hello\n")
    return made


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Somebody who signs certificates."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a server needs to offer encryption in the name of localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


# A folder


def test_a_folder_keeps_a_file_for_each_message_named_by_its_id(tmp_path: Path) -> None:
    sending = open_transport(f"file://{tmp_path / 'mail'}")
    sending.send(message(number=1))
    sending.send(message(number=2))
    names = sorted(path.name for path in (tmp_path / "mail").iterdir())
    assert names == [f"{number:032x}@example.org.eml" for number in (1, 2)]


def test_a_message_sent_twice_is_in_the_folder_once(tmp_path: Path) -> None:
    sending = open_transport(f"file://{tmp_path}")
    sending.send(message())
    sending.send(message())
    assert len(list(tmp_path.iterdir())) == 1


def test_old_messages_leave_the_folder(tmp_path: Path) -> None:
    folder = FolderTransport(tmp_path)
    for name, age in (("old", timedelta(days=31)), ("new", timedelta(days=29))):
        path = tmp_path / f"{name}.eml"
        path.write_text("a link that opens an account")
        written = (datetime.now(UTC) - age).timestamp()
        os.utime(path, (written, written))
    (tmp_path / "notes.txt").write_text("the operator's own")
    assert folder.sweep(datetime.now(UTC) - timedelta(days=30)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.eml", "notes.txt"]


def test_only_the_operator_can_read_the_folder(tmp_path: Path) -> None:
    open_transport(f"file://{tmp_path / 'mail'}").send(message())
    [file] = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_holds_the_whole_message(tmp_path: Path) -> None:
    open_transport(f"file://{tmp_path}").send(message())
    [file] = tmp_path.iterdir()
    read = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert (read["Subject"], read["To"]) == ("Grüße", "alice@example.org")


def test_a_message_id_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    made = message()
    made.replace_header("Message-ID", "<../../evil@example.org>")
    open_transport(f"file://{tmp_path / 'mail'}").send(made)
    assert [path.name for path in tmp_path.iterdir()] == ["mail"]


def test_a_folder_that_cannot_be_made_is_no_fault_of_the_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unreachable):
        open_transport(f"file://{tmp_path / 'file' / 'mail'}").send(message())


# A server


def test_a_server_gets_all_of_a_batch_over_one_connection(server: MailServer) -> None:
    sending = open_transport(server.url)
    for number in range(3):
        sending.send(message(number=number))
    sending.close()
    assert (len(server.taken), server.connections) == (3, 1)


def test_long_headers_arrive_as_they_were_written(server: MailServer) -> None:
    address = f"<https://practices.example.eu/unsubscribe/{'x' * 80}>"
    sending = open_transport(server.url)
    sending.send(message(List_Unsubscribe=address))
    sending.close()
    assert server.taken[0]["List-Unsubscribe"] == address


def test_a_refused_recipient_concerns_one_message_and_the_next_goes_out(server: MailServer) -> None:
    server.answers["gone@example.org"] = "550 5.1.1 gone@example.org has left"
    sending = open_transport(server.url)
    with pytest.raises(Refused) as refused:
        sending.send(message("gone@example.org"))
    sending.send(message())
    sending.close()
    assert str(refused.value) == "The mail server refused the recipient. (550)"  # the server's words hold an address
    assert len(server.taken) == 1


def test_a_server_that_asks_to_wait_is_asked_again_later(server: MailServer) -> None:
    server.answers["alice@example.org"] = "451 4.7.1 greylisted, come back"
    sending = open_transport(server.url)
    with pytest.raises(Deferred):
        sending.send(message())
    sending.close()


def test_a_server_may_refuse_a_message_when_it_has_read_it(server: MailServer) -> None:
    server.data_answer = "554 5.6.0 no"
    sending = open_transport(server.url)
    with pytest.raises(Refused, match="554"):
        sending.send(message())
    sending.close()


def test_a_sender_that_the_server_does_not_take_concerns_all_messages(server: MailServer) -> None:
    server.sender_answer = "553 5.7.1 not yours"
    sending = open_transport(server.url)
    with pytest.raises(Unreachable, match="553"):
        sending.send(message())
    sending.close()


def test_a_server_that_is_down_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        open_transport(MailServer().url).send(message())


def test_a_server_that_hangs_up_is_connected_anew_for_the_next_message(server: MailServer) -> None:
    server.hang_up_on = {"alice@example.org"}
    sending = open_transport(server.url)
    with pytest.raises(HungUp):
        sending.send(message())
    sending.send(message("bob@example.org"))
    sending.close()
    assert len(server.taken) == 1


@pytest.mark.parametrize("able", [True, False])
def test_an_address_in_letters_beyond_ascii_needs_a_server_that_knows_them(able: bool) -> None:
    made = message()
    made.replace_header("To", Address(username="jürgen", domain="example.org"))
    with mail_server(enable_SMTPUTF8=able) as server:
        sending = open_transport(server.url)
        with contextlib.nullcontext() if able else pytest.raises(Refused):
            sending.send(made)
        sending.send(message())
        sending.close()
        assert len(server.taken) == 1 + able


# Encryption and passwords


def test_a_server_that_can_encrypt_is_spoken_to_encrypted(tls: ssl.SSLContext) -> None:
    with mail_server(tls=tls) as server:
        sending = open_transport(server.url)
        sending.send(message())
        sending.close()
        assert server.encrypted == [True]


def test_name_and_password_are_given_encrypted(tls: ssl.SSLContext) -> None:
    with mail_server(tls=tls, auth=True) as server:
        sending = open_transport(f"smtp://kb:open%20sesame@127.0.0.1:{server.port}")
        sending.send(message())
        sending.close()
        assert (server.encrypted, server.signed_in) == ([True], [True])


def test_a_wrong_password_concerns_all_messages_and_is_not_repeated(tls: ssl.SSLContext) -> None:
    with mail_server(tls=tls, auth=True) as server, pytest.raises(Unreachable) as refused:
        open_transport(f"smtp://kb:wrong-secret@127.0.0.1:{server.port}").send(message())
    assert "535" in str(refused.value) and "wrong-secret" not in str(refused.value)


def test_a_password_does_not_travel_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_is_here", lambda host: False)  # as if the server were elsewhere
    with mail_server() as server:
        with pytest.raises(Unreachable, match="no encryption"):
            open_transport(f"smtp://kb:open%20sesame@127.0.0.1:{server.port}").send(message())
        assert server.taken == []


def test_a_certificate_that_nobody_knows_is_not_trusted_elsewhere(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_is_here", lambda host: False)
    with mail_server(tls=tls) as server, pytest.raises(Unreachable, match="encryption"):
        open_transport(server.url).send(message())


def test_a_certificate_of_a_known_authority_is_trusted(
    tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(transport, "_is_here", lambda host: False)
    with mail_server(tls=tls) as server:
        sending = open_transport(server.url)
        sending.send(message())
        sending.close()
        assert server.encrypted == [True]


def test_smtps_is_encrypted_from_the_first_word(tls: ssl.SSLContext) -> None:
    with mail_server(ssl_context=tls) as server:
        sending = open_transport(f"smtps://127.0.0.1:{server.port}")
        sending.send(message())
        sending.close()
        assert len(server.taken) == 1
