"""Commands that send mail: send-mail, send-alerts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from kb.cli.opening import ensure_index, follow_up, opened, say
from kb.config import Config
from kb.services.alerts import Alerts
from kb.services.postman import Delivered


@click.command()
@click.option("--limit", type=click.IntRange(min=1), help="Send at most so many.")
@click.pass_obj
def send_mail(make_app: Callable[[Config], Any], limit: int | None) -> None:
    """Send the mail that is due. A running server does so by itself; both at once do no harm.

    Exit status 1 where an attempt failed: what failed is tried again later, administrators see why.
    """
    with opened() as site, _app(make_app, site.config) as parts:
        done = parts.postman.deliver(limit)
        parts.postman.sweep()
    _end(done)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Ask all, whenever they were asked last.")
@click.pass_obj
def send_alerts(make_app: Callable[[Config], Any], everything: bool) -> None:
    """Mail people what is new in the searches that they keep: daily or weekly, as each wants.

    Fit for an hourly timer; a running server does so by itself. Twice does no harm. Exit status 1 where an attempt to
    send failed.
    """
    with opened() as site, _app(make_app, site.config) as parts:
        say(ensure_index(site))
        follow_up(site)
        told = Alerts(parts.database, parts.engine, parts.vocabularies).run(datetime.now(UTC), everything=everything)
        done = parts.postman.deliver()
    mails = "1 mail" if told.mails == 1 else f"{told.mails} mails"
    click.echo(f"{told.practices} new or changed, told in {mails}.")
    _end(done)


@contextlib.contextmanager
def _app(make_app: Callable[[Config], Any], config: Config) -> Iterator[Any]:
    """The parts of the app: its pages' words are what mail is made of."""
    parts = make_app(config).extensions["kb"]
    try:
        yield parts
    finally:
        parts.engine.close()
        parts.database.close()


def _end(done: Delivered) -> None:
    click.echo(_said(done))
    if done.failed:
        sys.exit(1)


def _said(done: Delivered) -> str:
    failed = f" {done.failed} could not be sent." if done.failed else ""
    return f"{done.sent} sent.{failed} {done.waiting} waiting."
