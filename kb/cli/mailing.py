"""The command `send-mail`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from kb.cli.opening import opened
from kb.config import Config
from kb.services.postman import Delivered


@click.command()
@click.option("--limit", type=click.IntRange(min=1), help="Send at most so many.")
@click.pass_obj
def send_mail(make_app: Callable[[Config], Any], limit: int | None) -> None:
    """Send the mail that is due. A running server does so by itself; both at once do no harm.

    Exit status 1 where an attempt failed: what failed is tried again later, administrators see why.
    """
    with opened() as site:
        parts = make_app(site.config).extensions["kb"]
        try:
            done = parts.postman.deliver(limit)
            parts.postman.sweep()
        finally:
            parts.engine.close()
            parts.database.close()
    click.echo(_said(done))
    if done.failed:
        sys.exit(1)


def _said(done: Delivered) -> str:
    failed = f" {done.failed} could not be sent." if done.failed else ""
    return f"{done.sent} sent.{failed} {done.waiting} waiting."
