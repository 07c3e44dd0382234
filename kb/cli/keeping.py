"""Commands that keep an installation sound: reindex, check, sweep, backup, restore."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from kb import config as settings
from kb.cli.opening import give_way, opened, rebuild_index, shown
from kb.config import Config
from kb.services import backup, consistency, file_keeping, retention, staging
from kb.services.archive import Manifest
from kb.services.backup import Home
from kb.services.occupancy import using


@click.command()
@click.pass_context
def reindex(context: click.Context) -> None:
    """Build the search index anew beside the live one and swap it in. A server may go on running."""
    give_way(context)
    with opened() as site:
        count = rebuild_index(site)
        site.indexer.drain(wait=60.0)
    click.echo(f"The search index holds {count} practices.")


@click.command()
def check() -> None:
    """Compare the database with itself, the search index and the files. Names every fault; exit status 1 if any."""
    with opened() as site:
        count = 0
        for fault in consistency.faults(site.database, site.engine, site.config.files_dir, shown):
            click.echo(fault)
            count += 1
    click.echo(f"{count} faults." if count else "All is well.")
    if count:
        sys.exit(1)


@click.command()
def sweep() -> None:
    """Remove what has been kept for long enough. A running server does so by itself; both at once do no harm."""
    now = datetime.now(UTC)
    with opened() as site:
        with site.database.write() as session:
            done = retention.sweep(session, now)
        file_keeping.sweep_folder(site.database, site.config.files_dir, now)
        staging.sweep_folder(site.database, site.config.shared_dir, now - staging.GRACE)
    parts = ", ".join(f"{name} {count}" for name, count in asdict(done).items() if count)
    click.echo(f"Removed: {parts}." if parts else "Nothing has been kept for too long.")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def back_up(file: Path) -> None:
    """Write database, uploaded files and key to FILE, with checksums, and read it again. A server may go on running.

    Exit status 1 where uploaded files are missing or damaged: the rest is in FILE all the same.
    """
    config = settings.load()
    with using(config.data_dir):
        manifest = backup.back_up(_home(config), file, shown("Backing up"))
    click.echo(f"Wrote {file}: {_contents(manifest)}.")
    for sha256 in manifest.lacking or ():
        click.echo(f"The uploaded file {sha256} is missing or damaged: it is not in {file}. Run check.")
    if manifest.lacking:
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Only look whether FILE could be restored, all of it.")
def restore(file: Path, only_check: bool) -> None:
    """Put the backup FILE in place of what is there. Refuses a damaged file, and while a server runs.

    What was there is kept in a folder before-restore-… of the data folder. The next start builds the search index.
    With --check nothing is restored and no data folder is needed: for a timer that tries the backups.
    """
    if only_check:
        manifest = backup.check(file, shown("Checking"))
        click.echo(f"{file} is sound: {_contents(manifest)}, made by release {manifest.release}.")
        return
    manifest, former = backup.restore(_home(settings.load()), file, shown("Restoring"))
    click.echo(f"Restored {_contents(manifest)}." + (f" What was there before is in {former}." if former else ""))


def _contents(manifest: Manifest) -> str:
    files = sum(name.startswith("files/") for name in manifest.members)
    lacking = f" ({len(manifest.lacking)} that it names are not in it)" if manifest.lacking else ""
    return f"{manifest.rows.get('practices', 0)} practices, {files} uploaded files{lacking}, as of {manifest.created}"


def _home(config: Config) -> Home:
    if config.database_path is None:
        raise click.ClickException("The database is on a server of its own: back it up with that server's pg_dump.")
    return Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)
