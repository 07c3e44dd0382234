"""The command that moves a base to another database."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from kb.cli.opening import bar, opened, parts, rebuild_index, shown
from kb.config import Config
from kb.db import Database
from kb.services import moving, moving_files, staging
from kb.services.errors import Conflict
from kb.services.locks import FileLocks, open_locks
from kb.services.moving import Done
from kb.services.moving_faults import Fault
from kb.services.occupancy import alone

KINDS = ("sqlite:///", "postgresql+psycopg://")


class Address(click.ParamType):
    """The address of a database, as KB_DATABASE_URL takes it."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is none, as wrongly asked."""
        try:
            named = bool(make_url(value).database)
        except ArgumentError:
            named = False
        if not named or not value.startswith(KINDS):
            self.fail("it must begin with postgresql+psycopg:// or sqlite:/// and name a database.", param, ctx)
        return value


@click.command()
@click.argument("to_url", type=Address())
@click.option("--dry-run", is_flag=True, help="Only look whether it could be moved. A server may go on running.")
@click.option(
    "--files",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy the uploaded files to this folder, too, each checked by its hash.",
)
@click.option("--reindex", is_flag=True, help="Build the search index of the moved base afterwards.")
def move(to_url: str, dry_run: bool, files: Path | None, reindex: bool) -> None:
    """Move the base to the empty database at TO_URL: from SQLite to PostgreSQL, or back.

    All that the target would not take is named before anything is written: exit status 1, and nothing was moved. Then
    every table is copied and compared, row by row, by a checksum. The base itself stays as it is; its servers are to
    be stopped. Killed half-way, run it again.
    """
    with opened() as site:  # brings the schema to this release's
        config = site.config
        place = _place(site.database)
        if dry_run:
            with _database(to_url) as target:
                sums = moving.check(site.database, target, place, _tell, bar)
            click.echo(f"{sum(each.rows for each in sums.values()):,} rows of {len(sums)} tables can be moved.")
            return
    with _database(config.database_url) as source, _database(to_url) as target, _to_themselves(source, target, config):
        done = moving.move(source, target, place, _tell, bar)
        click.echo(_said(done))
        lacking = _copy_files(source, config, files) if files else []
    new = replace(config, database_url=to_url, files_dir=files.resolve() if files else config.files_dir)
    moving_files.take_along(staging.folder(config.shared_dir), staging.folder(new.shared_dir))
    if reindex:
        with parts(new) as moved:
            click.echo(f"The search index holds {rebuild_index(moved)} practices.")
    click.echo(_next(to_url, files, reindex))
    if lacking:
        sys.exit(1)


@contextlib.contextmanager
def _database(url: str) -> Iterator[Database]:
    try:
        database = Database(url)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed: install requirements-scale.txt.") from error
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _to_themselves(source: Database, target: Database, config: Config) -> Iterator[None]:
    """Have both to oneself: nobody writes what would not arrive, and nobody serves from half a base."""
    if _place(source) == _place(target):
        raise Conflict("The base is in this database already: name another.")
    locks = open_locks(source, config.data_dir)
    folder = Path(target.engine.url.database or "").resolve().parent
    others = open_locks(target, folder)
    with alone(locks), contextlib.ExitStack() as held:
        if not (isinstance(locks, FileLocks) and isinstance(others, FileLocks) and folder == config.data_dir):
            held.enter_context(alone(others))
        yield


def _place(database: Database) -> str:
    """Where a database is, as its target notes it: without the password, and a file by its whole path."""
    url = database.engine.url
    if url.get_backend_name() == "sqlite":
        url = url.set(database=str(Path(url.database or "").resolve()))
    return url.set(password=None).render_as_string()


def _tell(fault: Fault) -> None:
    click.echo(str(fault))


def _said(done: Done) -> str:
    equal = f"{done.rows:,} rows of {len(done.sums)} tables are the same in both, by number and checksum."
    if done.already:
        return f"The base is there already: {equal}"
    again = f" {done.found} tables were there from a move that was broken off." if done.found else ""
    return f"Moved: {equal}{again}"


def _copy_files(source: Database, config: Config, folder: Path) -> list[str]:
    """Copy the uploaded files; returns those that could not be."""
    copied = moving_files.copy(source, config.files_dir, folder, shown("Copying files"))
    click.echo(f"Copied {copied.copied} uploaded files to {folder}; {copied.held} were there.")
    for sha256 in copied.lacking:
        click.echo(f"The uploaded file {sha256} is missing or damaged: it is not in {folder}. Run check.")
    return copied.lacking


def _next(to_url: str, files: Path | None, reindex: bool) -> str:
    """What is left to be done, in words."""
    settings = [f"KB_DATABASE_URL={make_url(to_url).render_as_string()}"]
    settings += [f"KB_FILES_DIR={files.resolve()}"] if files else []
    index = "" if reindex else " and run reindex"
    return (
        f"Now set {' and '.join(settings)}{index}. Put away the database that it came from: nothing new comes into it."
    )
