"""Commands that bring records in and take them out: init, seed, import, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from kb.cli.opening import bar, ensure_index, follow_up, opened, say, shown
from kb.formats import json
from kb.formats.json import Row
from kb.services import exporting, importing, seeding, snapshot, snapshots, tables, vocabularies
from kb.services.importing import Aim, Importer, Outcome
from kb.services.refusals import Refusal

READS = "An import reads a JSON array or JSON lines, CSV and XLSX."

LARGEST = 2 * 1024**3
"""Bytes that a workbook may have, unpacked, when the operator brings it."""


@click.command()
@click.option("--agree", is_flag=True, help="Every machine is to have this one's key and folder of files from now on.")
def init(agree: bool) -> None:
    """Make what is missing: data folder, key, database, search index. Loads nothing."""
    with opened(make=True, agree=agree) as site:
        ensure_index(site)
        click.echo(f"Ready: {site.config.data_dir}")


@click.command()
def seed() -> None:
    """Load vocabularies, regions and the first practices. Twice does no harm: what people edited stays."""
    with opened(make=True) as site:
        ensure_index(site)
        with site.database.write() as session:
            done = seeding.seed(session, progress=shown("Seeding"))
        follow_up(site)
    click.echo(f"Added {done.added} practices, renewed {done.renewed}, kept {done.kept}.")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--as", "aim", type=click.Choice([aim.value for aim in Aim]), required=True,
    help="What the records become. Published ones keep their id, slug, version and times.",
)  # fmt: skip
@click.option("--owner", metavar="EMAIL", help="The member in whose name drafts and submissions are kept.")
@click.option("--dry-run", is_flag=True, help="Write nothing, only say what would happen.")
@click.option("--all-or-nothing", is_flag=True, help="Take no record if one is refused.")
def import_file(file: Path, aim: str, owner: str | None, dry_run: bool, all_or_nothing: bool) -> None:
    """Take in the records of FILE: a JSON array, JSON lines, a table (CSV) or a workbook (XLSX).

    Every record that is refused is named on standard error, with the reason; the others are taken.
    """
    if owner is None and aim != Aim.PUBLISHED:
        raise click.UsageError(f"--as {aim} needs --owner EMAIL.")
    with opened(make=True) as site:
        importing.prepare(site.database)
        ensure_index(site)
        importer = Importer(site.database, Aim(aim), owner, _name_it, double=_name_it)
        try:
            with bar("Importing", file.stat().st_size * (2 if all_or_nothing and not dry_run else 1)) as moved:
                outcome = importer.run(
                    lambda: _rows(file, Aim(aim), moved), dry_run=dry_run, all_or_nothing=all_or_nothing
                )
        except json.NotJson as error:
            raise click.ClickException(f"{file}: {error} {READS}") from error
        follow_up(site)
    click.echo(_summary(outcome, dry_run, all_or_nothing))
    if outcome.refused or outcome.unfit:
        sys.exit(1)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
def export_file(file: Path) -> None:
    """Write all public records to FILE. Its ending says how: .json, .jsonl, .csv or .xlsx; - is standard output (JSON).

    A file that ends in .zip is a snapshot of everything public: records, versions, vocabularies and files.
    """
    with opened() as site, site.database.read() as session:
        config, progress = site.config, shown("Exporting")
        if str(file) == "-":
            exporting.to_stream(session, sys.stdout.buffer, config.base_url)
            return
        if file.suffix.lower() == ".zip":
            of = snapshot.Site(config.site_name, config.base_url, config.files_dir)
            count = snapshots.to_file(session, vocabularies.load(session), file, of, progress)
        else:
            count = exporting.to_file(session, file, config.base_url, progress)
    click.echo(f"Wrote {count} practices to {file}.")


def _rows(file: Path, aim: Aim, moved: Callable[[int], None]) -> Iterator[Row]:
    with file.open("rb") as opened_file:
        yield from tables.read(opened_file, file.name, aim.needed, moved, largest=LARGEST)


def _name_it(refusal: Refusal) -> None:
    say(str(refusal))


def _summary(outcome: Outcome, dry_run: bool, all_or_nothing: bool) -> str:
    if outcome.unfit:
        return "Nothing was taken: the file as a whole is not fit to be read."
    counts = f"{outcome.added} added, {outcome.kept} here already and kept, {outcome.refused} refused."
    if outcome.examples:
        counts = f"{counts[:-1]}, {outcome.examples} left out as examples."
    if dry_run:
        return f"Nothing was written. It would be: {counts}"
    if all_or_nothing and outcome.refused:
        return f"Nothing was taken: {outcome.refused} refused."
    return counts[:1].upper() + counts[1:]
