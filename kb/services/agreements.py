"""What all machines of an installation have to have alike: the key that signs, and the folder of files.

A machine with another key would sign everybody out at every second request; one on which the shared folder is not
mounted would keep uploads where nobody else finds them. The first machine to start notes in the database what it has,
and one that has something else does not start. Where the database is SQLite there is one machine: nothing to agree on.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from sqlalchemy.orm import Session

from kb.config import Config, SettingError
from kb.db import Database
from kb.models import Agreement
from kb.services.exporting import sync_folder

KEY, FOLDER = "secret-key", "files-folder"

MARK = "installation"
"""The name of the file, in the shared folder, that says which installation's it is."""

_SAY_SO = "or say “init --agree” on one machine if all of them are to have this one from now on."


def agree(config: Config, database: Database, *, anew: bool = False) -> None:
    """Compare this machine's settings with those that the installation has, and note them where none are.

    With `anew` those of this machine hold from now on. Raises SettingError.
    """
    if database.engine.dialect.name != "postgresql":
        return
    with database.read() as session:
        noted = {name: _noted(session, name) for name in (KEY, FOLDER)}
    if anew or None in noted.values():
        with database.write() as session:  # of several machines that start at once one is the first
            noted = {
                KEY: _note(session, KEY, fingerprint(config.secret_key), anew),
                FOLDER: _note(session, FOLDER, _mark(config.shared_dir) or _make_mark(config.shared_dir), anew),
            }
    if not hmac.compare_digest(str(noted[KEY]), fingerprint(config.secret_key)):
        raise SettingError(f"KB_SECRET_KEY is not the one of this installation: set the one of the others, {_SAY_SO}")
    if noted[FOLDER] != _mark(config.shared_dir):
        raise SettingError(
            f"KB_FILES_DIR names {config.files_dir}, which is not the folder that the machines of this installation "
            f"share: mount that there, {_SAY_SO}"
        )


def fingerprint(key: str) -> str:
    """What is kept of a key: enough to tell it from another, and nothing that signs."""
    return hmac.digest(key.encode(), b"which key signs here", "sha256").hex()[:32]


def _noted(session: Session, name: str) -> str | None:
    row = session.get(Agreement, name)
    return None if row is None else row.value


def _note(session: Session, name: str, value: str, anew: bool) -> str:
    """Note a value unless there is one, or `anew`; returns the one that holds."""
    row = session.get(Agreement, name)
    if row is None:
        session.add(Agreement(name=name, value=value))
        return value
    if anew:
        row.value = value
    return row.value


def _mark(shared: Path) -> str | None:
    try:
        return (shared / MARK).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def _make_mark(shared: Path) -> str:
    """Mark a folder; it is there whole or not at all. Raises SettingError."""
    word, draft = secrets.token_hex(16), shared / f".{MARK}-{secrets.token_hex(4)}"
    try:
        shared.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(word)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(shared / MARK)
        sync_folder(shared)
    except OSError as error:
        raise SettingError(f"KB_FILES_DIR names a folder that cannot be written: {error.strerror}.") from error
    return word
