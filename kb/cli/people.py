"""Commands about people: user add, role, disable, delete, link, token."""

from __future__ import annotations

import sys

import click

from kb.cli.opening import opened
from kb.models import Role
from kb.services import accounts, leaving, links

ROLES = click.Choice([role.value for role in (Role.READER, Role.MEMBER, Role.EDITOR, Role.ADMIN)])


@click.group()
def user() -> None:
    """Make and change accounts."""


@user.command()
@click.argument("email")
@click.option("--role", type=ROLES, required=True, help="What the person may do.")
@click.option("--name", default="", help="The person's name.")
@click.option("--region", metavar="CODE", help="The code of the region that the person speaks for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def add(email: str, role: str, name: str, region: str | None, password_stdin: bool) -> None:
    """Add an account for EMAIL: active, the address confirmed."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened(make=True) as site, site.database.write() as session:
        known = site.config.known_words
        added = accounts.add_user(session, email, role, name, region, password, known=known)
        click.echo(f"Added {added.email} as {added.role}.")
    if password is None:
        click.echo(f"A link to sign in: python -m kb user link {added.email}")


@user.command()
@click.argument("email")
@click.argument("role", type=ROLES)
def role(email: str, role: str) -> None:
    """Give EMAIL another ROLE."""
    with opened() as site, site.database.write() as session:
        changed = accounts.set_role(session, email, role)
        click.echo(f"{changed.email} is {changed.role} now.")


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Shut EMAIL out at once. What the person wrote stays."""
    with opened() as site, site.database.write() as session:
        click.echo(f"{accounts.disable(session, email).email} is disabled.")


@user.command()
@click.argument("email")
@click.confirmation_option(prompt="The name, the address and unshared drafts go for ever. Delete the account?")
def delete(email: str) -> None:
    """Delete the account of EMAIL as its person could: what they contributed stays, without the name."""
    with opened() as site, site.database.write() as session:
        person = accounts.get(session, email)
        leaving.leave(session, person)
        click.echo(f"The account of {email} is deleted.")


@user.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a link that signs EMAIL in once, within 24 hours: the way back for who lost password or second factor."""
    with opened() as site, site.database.write() as session:
        address = links.sign_in_link(session, email, site.config.base_url)
        secured = accounts.get(session, email).totp_secret is not None
    click.echo(address)
    if secured:
        click.echo("Using it also switches the person's second factor off.", err=True)


@user.command()
@click.argument("email")
def token(email: str) -> None:
    """Print a new token with which EMAIL may submit through the API. It cannot be shown again."""
    with opened() as site, site.database.write() as session:
        new = accounts.new_token(session, email)
    click.echo(new)
