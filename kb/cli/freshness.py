"""Commands that keep what is public true: verify-links, remind."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from kb.cli.opening import opened, shown
from kb.services import reminding
from kb.services.fetching import Fetcher, agent
from kb.services.links_checking import ENOUGH, Verifier


@click.command()
@click.option(
    "--days", type=click.IntRange(min=0), default=ENOUGH.days, show_default=True,
    help="Leave alone what was asked within so many days.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Ask all, whenever they were asked last.")
def verify_links(days: int, everything: bool) -> None:
    """Ask whether the web addresses in public practices still answer, and tell owners which no longer do.

    Fit for a weekly timer. Exit status 1 where a link broke.
    """
    with opened() as site:
        fetcher = Fetcher(agent(site.config.site_name, site.config.base_url))
        older_than = None if everything else timedelta(days=days)
        run = Verifier(site.database, fetcher, site.config.base_url, older_than=older_than)
        done = run.run(shown("Asking"))
    click.echo(
        f"{done.checked} links asked, {done.failed} failed, {done.broken} broken since the last run, "
        f"{done.told} owners told."
    )
    if done.broken:
        sys.exit(1)


@click.command()
def remind() -> None:
    """Ask owners whether practices that are due for a look are still correct; tell the editors who did not answer.

    Fit for a daily timer; a running server does so by itself. Twice does no harm.
    """
    with opened() as site, site.database.write() as session:
        done = reminding.remind(session, datetime.now(UTC))
    click.echo(f"Owners asked about {done.owners} practices, editors told of {done.editors}.")
