"""The command `harvest`: practices of another installation become drafts here."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import click

from kb.cli.opening import ensure_index, follow_up, opened, say
from kb.services import importing, occupancy, vocabularies
from kb.services.fetching import Fetcher, agent
from kb.services.harvest_reading import LIMITS, Remote, base_of
from kb.services.harvesting import Harvest, Outcome


@click.command()
@click.argument("url")
@click.option("--owner", metavar="EMAIL", help="The member in whose name drafts are made; the last one's without it.")
def harvest(url: str, owner: str | None) -> None:
    """Take the public practices of the installation at URL over as drafts; again brings what changed there.

    Nothing becomes public by it, and nothing here is deleted. Each record that is refused is named on standard error,
    with the reason. Fit for a daily timer. Exit status 1 where one was refused.
    """
    with opened(make=True) as site, occupancy.harvesting(site.locks):
        importing.prepare(site.database)
        ensure_index(site)
        base = base_of(url)
        host = urlsplit(base).hostname or ""
        local = (host,) if site.config.may_harvest_locally(host) else ()
        fetcher = Fetcher(agent(site.config.site_name, site.config.base_url), LIMITS, local=local)
        with site.database.read() as session:
            vocabulary = vocabularies.load(session)
        run = Harvest(site.database, Remote(base, fetcher), vocabulary, site.config.base_url, owner, say)
        done = run.run()
        follow_up(site)
    click.echo(_said(done))
    if done.refused:
        sys.exit(1)


def _said(done: Outcome) -> str:
    return (
        f"Drafts of {done.owner}: {done.added} new, {done.updated} updated, {done.waiting} wait for a decision, "
        f"{done.gone} gone there, {done.kept} unchanged, {done.here} here by themselves, {done.refused} refused."
    )
