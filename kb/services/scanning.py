"""The hook for a virus scanner: a command of the operator's that looks at each uploaded file before anything else does.

The command gets the file's path as its last argument. Exit status 0 says that the file is clean, 1 that it is not;
anything else, and taking too long, that nothing is known: then the file is not taken either.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kb.services.errors import N_, Invalid, Problem, Unavailable

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that the scanner may take."""

INFECTED = N_(
    "The virus scanner found something harmful in “%(name)s”, so it is not taken. Have the computer that it comes from "
    "looked at, and tell the editors if you think that this is wrong."
)
SILENT = N_("The virus scanner does not answer, so no file can be taken now. Nothing was kept: try again later.")


def scan(command: Sequence[str], path: Path, name: str) -> None:
    """Ask the scanner about a file; with an empty command nobody is asked. Raises Invalid on `file`, Unavailable."""
    if not command:
        return
    try:
        done = subprocess.run(  # noqa: S603 (the operator's own command, no shell)
            [*command, str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("the virus scanner could not be asked: %s", error)
        raise Unavailable(SILENT) from error
    if done.returncode == 1:
        raise Invalid([Problem.of("file", INFECTED, name=name)])
    if done.returncode != 0:
        log.error("the virus scanner ended with status %d: %s", done.returncode, done.stderr[-2000:])
        raise Unavailable(SILENT)
