"""The commands: `python -m kb COMMAND`. Each reads the settings, calls a service, and says what came of it.

Exit status 0: done. 1: refused, or something was found wrong. 2: wrongly asked.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from kb.cli import content, figures, freshness, harvesting, keeping, mailing, moving, people, serving
from kb.config import SettingError
from kb.search.port import NoSearch
from kb.services.errors import ServiceError

__all__ = ["main"]


class Commands(click.Group):
    """A group whose commands end with a sentence, never with a stack trace, where something is refused."""

    def invoke(self, ctx: click.Context) -> Any:
        with _in_a_sentence():
            return super().invoke(ctx)


@contextlib.contextmanager
def _in_a_sentence() -> Iterator[None]:
    try:
        yield
    except (SettingError, ServiceError) as error:
        raise click.ClickException(str(error)) from error
    except NoSearch as error:
        raise click.ClickException(f"{error}.") from error
    except DBAPIError as error:
        raise click.ClickException(f"The database could not be used: {error.orig}.") from error
    except sqlite3.Error as error:  # of a backup, which copies the file as it is
        raise click.ClickException(f"The database could not be used: {error}.") from error
    except BrokenPipeError:  # whoever read the output has gone; click knows what to do
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'The system'}: {error.strerror or error}.") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """A knowledge base of what regions have tried to make integration work.

    Settings are environment variables; the README lists them. KB_DATA_DIR names the folder that holds everything.
    """


for command in (
    serving.run, content.init, content.seed, content.import_file, content.export_file, keeping.reindex, keeping.check,
    keeping.sweep, keeping.back_up, keeping.restore, moving.move, people.user, mailing.send_mail, mailing.send_alerts,
    figures.load_figures, freshness.verify_links, freshness.remind, harvesting.harvest,
):  # fmt: skip
    main.add_command(command)
