"""The settings: the only reader of the environment, and the one place that refuses unsafe values.

Every setting stands once in `settings.py`, with its default and its meaning; the README's table is tested against it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import secrets
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kb.search.typesense import address
from kb.settings import LANGUAGES, SETTINGS

__all__ = ["LANGUAGES", "SETTINGS", "THREADS", "Config", "SettingError", "host_of", "load"]

THREADS = 4
"""Threads of a web process."""

SHARED = ".shared"
"""The folder, among the uploaded files, of other things that several machines share."""


_HOST_AND_PORT = re.compile(
    r"(?:(?P<name>[A-Za-z0-9_-][A-Za-z0-9._-]{0,252})|\[(?P<number>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?"
)
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*")
"""A host's name or number, without a port."""


class SettingError(Exception):
    """A setting that cannot be used, in one sentence that names it."""


@dataclass(frozen=True)
class Config:
    """What the environment said, checked. Folders are absolute."""

    port: int
    listen: str
    farewell: int
    data_dir: Path
    files_dir: Path
    file_scanner: tuple[str, ...]
    database_url: str = field(repr=False)
    database_pool: int
    database_timeout: int
    search_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str
    trusted_hosts: tuple[str, ...]
    trusted_proxies: int
    site_name: str
    controller: str
    enforcement: str
    styleguide: bool
    languages: tuple[str, ...]
    limits: bool
    workers: int
    mail_url: str = field(repr=False)
    mail_from: str
    open_registration: bool
    second_factor_required: bool
    harvest_local: bool | tuple[str, ...]
    log: str
    slow_ms: int
    metrics_token: str = field(repr=False)

    @property
    def secure(self) -> bool:
        """Whether the public address is https."""
        return self.base_url.startswith("https://")

    @property
    def known_words(self) -> tuple[str, ...]:
        """What anybody knows of this site, and what no password may be made of: its name and host."""
        return (self.site_name, str(urlsplit(self.base_url).hostname))

    def may_harvest_locally(self, host: str) -> bool:
        """Whether practices may be taken over from a host of the local network."""
        allowed = self.harvest_local
        return allowed if isinstance(allowed, bool) else host.lower() in allowed

    @property
    def index_dir(self) -> Path:
        """The folder of the embedded search index."""
        return self.data_dir / "index"

    @property
    def shared_dir(self) -> Path:
        """The folder of what all machines need and is in no table: files that are to be taken in, the snapshot."""
        return self.data_dir if self.database_path is not None else self.files_dir / SHARED

    @property
    def database_path(self) -> Path | None:
        """The SQLite file, or None where another database is used."""
        prefix = "sqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None


def load(environment: Mapping[str, str] | None = None) -> Config:
    """Read and check the settings; makes the data folder and the key where they are missing.

    Raises SettingError with one sentence that names the setting.
    """
    env = os.environ if environment is None else environment
    port = _number(env, "PORT", 8000, 0, 65535)
    data_dir = _folder(env.get("KB_DATA_DIR") or "data", "KB_DATA_DIR")
    base_url = _base_url(env.get("KB_BASE_URL") or f"http://127.0.0.1:{port}")
    return Config(
        port=port,
        farewell=_number(env, "KB_FAREWELL", 0, 0, 60),
        listen=_listen(env.get("KB_LISTEN") or "127.0.0.1"),
        data_dir=data_dir,
        files_dir=Path(env.get("KB_FILES_DIR") or data_dir / "files").expanduser().resolve(),
        file_scanner=_command(env.get("KB_FILE_SCANNER") or "", "KB_FILE_SCANNER"),
        database_url=_database_url(env.get("KB_DATABASE_URL") or f"sqlite:///{data_dir / 'kb.sqlite'}"),
        database_pool=_number(env, "KB_DATABASE_POOL", 12, 2, 200),
        database_timeout=_number(env, "KB_DATABASE_TIMEOUT", 30, 0, 86_400),
        search_url=_search_url(env.get("KB_SEARCH_URL") or "whoosh:"),
        secret_key=_secret_key(env.get("KB_SECRET_KEY"), data_dir),
        base_url=base_url,
        trusted_hosts=_hosts(env.get("KB_TRUSTED_HOSTS"), base_url),
        trusted_proxies=_number(env, "KB_TRUSTED_PROXIES", 0, 0, 10),
        site_name=env.get("KB_SITE_NAME") or "Regional integration practices",
        controller=env.get("KB_CONTROLLER") or "",
        enforcement=env.get("KB_ENFORCEMENT") or "",
        styleguide=_switch(env, "KB_STYLEGUIDE", False),
        languages=_languages(env.get("KB_LANGUAGES") or ",".join(LANGUAGES)),
        limits=_switch(env, "KB_LIMITS", True),
        workers=_number(env, "KB_WORKERS", 2, 1, 64),
        mail_url=_mail_url(env.get("KB_MAIL_URL") or "file:", data_dir),
        mail_from=_mail_from(env.get("KB_MAIL_FROM"), base_url),
        open_registration=_switch(env, "KB_OPEN_REGISTRATION", False),
        second_factor_required=_second_factor(env.get("KB_SECOND_FACTOR") or "optional"),
        harvest_local=_local(env.get("KB_HARVEST_LOCAL") or "off"),
        log=_log(env.get("KB_LOG")),
        slow_ms=_number(env, "KB_SLOW_MS", 500, 0, 600_000),
        metrics_token=_metrics_token(env.get("KB_METRICS_TOKEN") or ""),
    )


def socket_handed_on() -> bool:
    """Whether systemd has handed this process a socket (sd_listen_fds(3)); says so once: no child is to take it."""
    try:
        process, sockets = int(os.environ.pop("LISTEN_PID", "0")), int(os.environ.pop("LISTEN_FDS", "0"))
    except ValueError:  # somebody else's words
        return False
    return process == os.getpid() and sockets > 0


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingError(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def _switch(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name) or ("on" if default else "off")
    if text not in ("on", "off"):
        raise SettingError(f"{name} must be on or off, not {text!r}.")
    return text == "on"


def _listen(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise SettingError(
            f"KB_LISTEN must be the number of an address, such as 127.0.0.1 or 0.0.0.0, not {text!r}."
        ) from error


def _folder(text: str, name: str) -> Path:
    folder = Path(text).expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
    except OSError as error:
        raise SettingError(f"{name} names {folder}, which cannot be used: {error.strerror}.") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise SettingError(f"{name} names {folder}, where this user may not write.")
    return folder


def _command(text: str, name: str) -> tuple[str, ...]:
    """A command and its arguments, as a shell would part them; no shell runs it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SettingError(f"{name} cannot be read: {error}.") from error
    if words and shutil.which(words[0]) is None:
        raise SettingError(f"{name} names {words[0]}, which is no program that can be run here.")
    return tuple(words)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError(f"KB_BASE_URL must be an address such as https://practices.example.eu, not {text!r}.")
    if host_of(parts.netloc) is None:
        raise SettingError(f"KB_BASE_URL must name a host, in ASCII and without a user, not {parts.netloc!r}.")
    if parts.path not in ("", "/"):
        raise SettingError(f"KB_BASE_URL must name the root of a host, without a path, not {text!r}.")
    return f"{parts.scheme}://{parts.netloc}"


def _database_url(text: str) -> str:
    if text.startswith(("sqlite:///", "postgresql+psycopg://")):
        return text
    raise SettingError("KB_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://.")


def _search_url(text: str) -> str:
    """The address as it is, once it can be read. What is wrong is said without the key that it holds."""
    if text != "whoosh:":
        try:
            address.parse(text)
        except ValueError as error:
            raise SettingError(f"KB_SEARCH_URL {error}, where it is not whoosh: alone.") from error
    return text


def _mail_url(text: str, data_dir: Path) -> str:
    """An address of a mail server, or `file://` and the folder for .eml files."""
    parts = urlsplit(text)
    try:
        if parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port or 1) and not parts.query:
            return text
    except ValueError:  # a port that is none
        pass
    if parts.scheme == "file" and not parts.netloc and (not parts.path or parts.path.startswith("/")):
        return f"file://{parts.path or data_dir / 'mail'}"
    raise SettingError("KB_MAIL_URL must be file:, file:///folder, smtp://… or smtps://… with a host.")


def _mail_from(text: str | None, base_url: str) -> str:
    if not text:
        host = str(urlsplit(base_url).hostname)
        return f"noreply@{host}" if not host[-1].isdigit() and ":" not in host else "noreply@localhost"
    name, _, host = text.strip().rpartition("@")
    if not name or not host or any(letter.isspace() or letter in "<>,;" for letter in text.strip()):
        raise SettingError(f"KB_MAIL_FROM must be an address such as practices@example.eu, not {text!r}.")
    return text.strip()


def _second_factor(text: str) -> bool:
    if text not in ("optional", "required"):
        raise SettingError(f"KB_SECOND_FACTOR must be optional or required, not {text!r}.")
    return text == "required"


def host_of(text: str) -> str | None:
    """The host of `host` or `host:port` in one spelling, IPv6 in brackets; None where it is no host.

    Small letters, no dot at the end (it names the same host), and IPv6 in the shortest form.
    """
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or int(found["port"] or 1) > 65535:
        return None
    if found["number"] is None:
        name = found["name"].lower().removesuffix(".")
        return name if name and not name.endswith(".") else None
    try:
        return f"[{ipaddress.IPv6Address(found['number'])}]"
    except ValueError:
        return None


def _hosts(text: str | None, base_url: str) -> tuple[str, ...]:
    """The hosts that are answered; one that begins with a dot stands for all hosts below it."""
    if not text:
        return tuple(dict.fromkeys((str(host_of(urlsplit(base_url).netloc)), "127.0.0.1", "localhost", "[::1]")))
    hosts = []
    for each in filter(None, map(str.strip, text.split(","))):
        host = host_of(each.removeprefix("."))
        if host is None:
            raise SettingError(f"KB_TRUSTED_HOSTS must name hosts such as practices.example.eu, not {each!r}.")
        hosts.append("." * each.startswith(".") + host)
    return tuple(hosts)


def _local(text: str) -> bool | tuple[str, ...]:
    """All hosts, none, or those that are named, in lower case."""
    if text in ("on", "off"):
        return text == "on"
    hosts = tuple(host.strip().lower().strip("[]") for host in text.split(",") if host.strip())
    if not hosts or any(not _HOST.fullmatch(host) for host in hosts):
        raise SettingError(f"KB_HARVEST_LOCAL must be on, off, or host names parted by commas, not {text!r}.")
    return hosts


def _log(text: str | None) -> str:
    text = text or ("text" if sys.stderr.isatty() else "json")
    if text not in ("text", "json"):
        raise SettingError(f"KB_LOG must be text or json, not {text!r}.")
    return text


def _metrics_token(text: str) -> str:
    if text and (len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text):
        raise SettingError("KB_METRICS_TOKEN must have at least 16 characters: letters, digits and signs, no blanks.")
    return text


def _languages(text: str) -> tuple[str, ...]:
    languages = tuple(code.strip() for code in text.split(",") if code.strip())
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        raise SettingError(f"KB_LANGUAGES may name {', '.join(LANGUAGES)}, not {', '.join(unknown) or 'nothing'}.")
    return languages


def _secret_key(text: str | None, data_dir: Path) -> str:
    if text:
        if len(text) < 32:
            raise SettingError("KB_SECRET_KEY must have at least 32 characters.")
        return text
    path = data_dir / "secret.key"
    if not path.exists():
        _make_key(path)
    return _read_key(path)


def _make_key(path: Path) -> None:
    """Write a new key whole beside its place, then link it there: of several workers that start at once, one wins."""
    draft = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise SettingError(f"KB_SECRET_KEY is not set and {path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _read_key(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingError(f"KB_SECRET_KEY: {path} may be read by others; set its mode to 0600.")
        key = path.read_text().strip()
    except OSError as error:
        raise SettingError(f"KB_SECRET_KEY: {path} cannot be read: {error.strerror}.") from error
    if len(key) < 32:
        raise SettingError(f"KB_SECRET_KEY: {path} is damaged; delete it and a new key is made.")
    return key
