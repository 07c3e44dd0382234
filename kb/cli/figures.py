"""The command `load-figures`: population and shares of foreign citizens from Eurostat's own files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kb.cli.opening import bar, opened, say
from kb.formats import eurostat
from kb.models import RegionMeasure
from kb.services import region_figures
from kb.services.region_figures import Loaded, Read

NAMED = 10
"""Codes that a sentence names; of more it says how many."""

MEASURES = {
    RegionMeasure.POPULATION: "people",
    RegionMeasure.FOREIGN_SHARE: "share of foreign citizens",
}


@click.command("load-figures")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load_figures(files: tuple[Path, ...]) -> None:
    """Load figures of regions from FILES of Eurostat: tab-separated values, packed with gzip or not.

    Taken are tables of population (demo_r_pjanaggr3, demo_r_d2jan, demo_r_pjangrp3) and of citizenship; of each region
    the newest year is kept. Again does no harm. Exit status 1 where a file could not be used; the others are loaded.
    """
    refused = 0
    with opened() as site:
        for file in files:
            try:
                found = _read(file)
            except eurostat.NotEurostat as error:
                say(f"{file.name}: {error}")
                refused += 1
                continue
            with site.database.write() as session:
                done = region_figures.load(session, found, file.name)
            click.echo(_said(file.name, done))
    if refused:
        sys.exit(1)


def _read(file: Path) -> Read:
    with (
        file.open("rb") as raw,
        bar(f"Reading {file.name}", file.stat().st_size) as moved,
        eurostat.opened(raw, moved) as lines,
    ):
        return region_figures.read(eurostat.Table(lines))


def _said(name: str, done: Loaded) -> str:
    text = f"{name}: {MEASURES[done.measure]} of {done.regions} regions, up to {done.last or 'no year'}"
    text += f", {done.kept} of them here already." if done.kept else "."
    if done.unknown:
        many = "one code" if len(done.unknown) == 1 else f"{len(done.unknown)} codes"
        more = ", …" if len(done.unknown) > NAMED else ""
        text += f" Left out: {many} that the list of regions does not hold"
        text += f" ({', '.join(done.unknown[:NAMED])}{more})."
    return text
