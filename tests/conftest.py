"""What every test may ask for: data folders that are ready, an app on one, and people signed in.

Making a filled data folder takes seconds, so one of each kind is made for all workers and every test gets a copy.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as examples
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from kb import config as settings
from kb import create_app, db
from kb.config import Config
from kb.db import Database
from kb.search import open_engine
from kb.services import accounts, passwords, seeding, sessions, setup, vocabularies
from kb.services.indexing import Indexer
from kb.services.locks import open_locks
from kb.services.vocabularies import Vocabulary, VocabularyCache
from kb.web import context
from kb.web.accounts import TOKEN
from tests import factories, soaking, stack
from tests.stack import (  # noqa: F401 (hooks are known by being imported)
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

PEOPLE = {"rita": "reader", "alice": "member", "charlie": "member", "bob": "editor", "dora": "admin"}
"""Alice writes, Charlie is an outsider, Bob edits, Dora administers, Rita only reads."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make soak` runs, and on another database or engine what touches neither."""
    soaking.leave_out(config, items)
    stack.leave_out(config, items)


RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
"""0: every run asks the same, so that no change fails for an example that it has nothing to do with."""

examples.register_profile(
    "every run alike",
    derandomize=not (RUNS or soaking.SOAK),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault
)
examples.load_profile("every run alike")


def configure(folder: Path, **env: str) -> Config:
    """Settings for a data folder as the environment would give them."""
    found = stack.environment(folder)
    return settings.load({"KB_DATA_DIR": str(folder), "KB_SECRET_KEY": "k" * 40, "KB_LIMITS": "off", **found, **env})


def make_indexer(config: Config, database: Database) -> Indexer:
    """The indexer of a data folder, outside any app."""
    engine = open_engine(config.search_url, config.index_dir)
    return Indexer(database, engine, VocabularyCache(), open_locks(database, config.data_dir))


class Folders:
    """Data folders that one worker of a run makes and every worker has a copy of."""

    def __init__(self, own: Path) -> None:
        self._own = own / "folders"
        self._made = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made"
        for each in (self._own, self._made):
            each.mkdir(exist_ok=True)

    def copy(self, name: str, make: Callable[[Path], object]) -> Path:
        """This worker's copy of a folder, which `make` fills where no worker has made it yet."""
        made, whole = self._made / name, self._made / f"{name}.whole"
        with (self._made / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                stack.drop(made)  # what a worker left that died over it
                shutil.rmtree(made, ignore_errors=True)
                make(made)
                whole.touch()
        return stack.copy(made, self._own / name)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The data folders that the workers of this run have copies of."""
    return Folders(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def bare_folder(folders: Folders) -> Path:
    """A data folder with the schema, the vocabularies and an empty index. Copy it, never write to it."""
    return _known(folders.copy("bare", lambda folder: _make(folder, seeding.load_vocabularies)))


@pytest.fixture(scope="session")
def seeded_folder(folders: Folders) -> Path:
    """A data folder with the whole seed, indexed. Copy it, never write to it."""
    return _known(folders.copy("seeded", lambda folder: _make(folder, seeding.seed)))


def _make(folder: Path, fill: Callable[[Session], object]) -> None:
    folder.mkdir()
    config = configure(folder)
    with _whole(config) as database:
        setup.migrate(database)
        with database.write() as session:
            fill(session)
        indexer = make_indexer(config, database)
        indexer.ensure()
        indexer.engine.close()


@contextmanager
def _whole(config: Config) -> Iterator[Database]:
    """A database whose one file holds all of it afterwards, so that it can be copied."""
    database = Database(config.database_url)
    try:
        yield database
        stack.flush(database)
    finally:
        database.close()


def _known(folder: Path) -> Path:
    """Have this process remember the vocabularies of a folder as they were loaded into it."""
    with _whole(configure(folder)) as database, database.read() as session:
        generation = vocabularies.generation(session)
        if generation not in factories.LOADED:
            factories.LOADED[generation] = vocabularies.load(session)
    return folder


@pytest.fixture(scope="session")
def vocabulary(bare_folder: Path) -> Vocabulary:
    """The vocabularies of the seed."""
    with _whole(configure(bare_folder)) as database, database.read() as session:
        return factories.vocabulary(session)


@pytest.fixture(scope="session")
def peopled_folder(bare_folder: Path, folders: Folders) -> Path:
    """A bare data folder with PEOPLE. Copy it, never write to it."""
    return folders.copy("peopled", lambda folder: _people(bare_folder, folder))


@pytest.fixture(scope="session")
def town_folder(seeded_folder: Path, folders: Folders) -> Path:
    """A seeded data folder with PEOPLE. Copy it, never write to it."""
    return folders.copy("town", lambda folder: _people(seeded_folder, folder))


def _people(source: Path, folder: Path) -> None:
    config = configure(stack.copy(source, folder))
    with _whole(config) as database, database.write() as session:
        for name, role in PEOPLE.items():
            factories.person(session, f"{name}@example.org", role)


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove what belongs to a test's own data folders and is not in them, when everything else of it has ended."""
    own: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if own is not None:
        stack.drop(own)


@pytest.fixture
def config(bare_folder: Path, tmp_path: Path) -> Config:
    """Settings for a fresh data folder with vocabularies and no practice."""
    return configure(stack.copy(bare_folder, tmp_path / "data"))


@pytest.fixture
def seeded_config(seeded_folder: Path, tmp_path: Path) -> Config:
    """Settings for a fresh data folder with the whole seed."""
    return configure(stack.copy(seeded_folder, tmp_path / "data"))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """The database of a fresh data folder with vocabularies and no practice."""
    database = Database(config.database_url)
    yield database
    database.close()


@pytest.fixture
def seeded_database(seeded_config: Config) -> Iterator[Database]:
    """The database of a fresh data folder with the whole seed."""
    database = Database(seeded_config.database_url)
    yield database
    database.close()


class Compiled(BytecodeCache):
    """Templates that any app of this process has compiled."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._held:
            bucket.bytecode_from_string(self._held[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._held[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


@pytest.fixture(scope="session", autouse=True)
def cheap_work() -> Iterator[None]:
    """Spare this process what is slow on purpose: passwords, and waiting for the disk. No test cuts the power.

    Servers that tests start as processes of their own do all of it.
    """
    make_engine = db._make_engine
    scored = functools.cache(lambda text, known, score=passwords.zxcvbn: score(text, user_inputs=list(known)))

    def quick(url: str, *settings: Any) -> Engine:
        engine = make_engine(url, *settings)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_make_engine", quick)
        patch.setattr(os, "fsync", os.fstat)  # which refuses what is no open file
        patch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(passwords, "zxcvbn", lambda text, user_inputs: scored(text, tuple(user_inputs)))
        yield


@pytest.fixture(scope="session", autouse=True)
def built_rules() -> Iterator[None]:
    """Compile each rule of addresses once, and not for each of the thousand apps of a run."""
    compile_rule = Rule.compile
    held: dict[tuple[Any, ...], dict[str, Any]] = {}

    def compiled(rule: Rule) -> None:
        key = (rule.rule, rule.host, rule.subdomain, repr(rule.defaults), rule.merge_slashes)
        if key not in held:
            compile_rule(rule)
            builders = {"_build": rule._build.__func__, "_build_unknown": rule._build_unknown.__func__}  # type: ignore
            made = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters", "arguments")}
            held[key] = made | builders
        for name, value in held[key].items():
            setattr(rule, name, value.__get__(rule, None) if name.startswith("_build") else value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", compiled)
        yield


class Site:
    """An app on a data folder of its own, with people who can sign in."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.app: Flask = create_app(config)
        self.app.testing = False  # errors are answered as on a real site
        self.app.jinja_env.bytecode_cache = COMPILED
        self.parts = self.app.extensions[context.KEY]
        self.parts.postman.stop()  # mail stays in the outbox until a test delivers it
        self._know_vocabularies()
        self._clients: dict[str, FlaskClient] = {}

    def _know_vocabularies(self) -> None:
        """Spare the app reading what nobody changed since it was loaded into the folder."""
        with self.database.read() as session:
            self.parts.vocabularies._held = factories.LOADED.get(vocabularies.generation(session))

    @property
    def database(self) -> Database:
        """The app's own database."""
        database: Database = self.parts.database
        return database

    def client(self, name: str | None = None) -> FlaskClient:
        """A browser: of someone of PEOPLE, signed in, or of a stranger."""
        if name is None:
            return self.app.test_client()
        if name not in self._clients:
            with self.database.write() as session:  # the form and its password have tests of their own
                opened = sessions.open_session(session, accounts.get(session, f"{name}@example.org"))
            client = self._clients[name] = self.app.test_client()
            with client.session_transaction() as cookie:
                cookie[TOKEN], cookie.permanent = opened, True
        return self._clients[name]

    def forget(self, name: str) -> None:
        """Let someone sign in anew at the next use: this browser is about to be signed out."""
        self._clients.pop(name, None)

    def drain(self) -> None:
        """Bring what waits into the index."""
        self.parts.indexer.drain()

    def close(self) -> None:
        """End the follower, give back files."""
        self.parts.indexer.stop()
        self.parts.engine.close()
        self.parts.database.close()


def token(client: FlaskClient, path: str) -> str:
    """The CSRF token of the first form on a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found, f"no form with a token on {path}"
    return found.group(1)


@pytest.fixture
def site(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """An app without practices, with PEOPLE."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data")))
    yield site
    site.close()


@pytest.fixture
def seeded_site(town_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """An app on the whole seed, with PEOPLE."""
    site = Site(configure(stack.copy(town_folder, tmp_path / "data")))
    yield site
    site.close()


@pytest.fixture(scope="module")
def reading_site(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An app on the whole seed, shared by a module's tests, which only read."""
    site = Site(configure(stack.copy(town_folder, tmp_path_factory.mktemp("reading") / "data")))
    yield site
    site.close()


@pytest.fixture
def reader(reading_site: Site) -> FlaskClient:
    """A stranger's browser on the seed."""
    return reading_site.client()


@pytest.fixture
def write_csrf() -> Callable[[FlaskClient, str], str]:
    """Fetches the CSRF token of a page's first form."""
    return token
