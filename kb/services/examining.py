"""Whether an uploaded file is what it should be: asked of a process of its own, answered in plain sentences."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.services import room
from kb.services.errors import N_, Invalid, Problem

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that the look into one file may take."""

SENTENCES = {
    "no-picture": N_(
        "“%(name)s” is not a JPEG, PNG or WebP picture, whatever its name says. Save it as one of these three in a "
        "program for pictures, then choose it again."
    ),
    "damaged-picture": N_(
        "The picture “%(name)s” is damaged or incomplete. Open it in a program for pictures, save it anew, then choose "
        "it again."
    ),
    "too-many-dots": N_(
        "The picture “%(name)s” is too large: %(width)d by %(height)d dots, and the limit is %(most)d million in all. "
        "Make it smaller, then choose it again."
    ),
    "moving-picture": N_("“%(name)s” is a moving picture. Save one still picture of it, then choose that."),
    "no-document": N_(
        "“%(name)s” is not a PDF, Word (DOCX) or OpenDocument (ODT) file, whatever its name says. Save it as one of "
        "these three, then choose it again."
    ),
    "damaged-document": N_(
        "The document “%(name)s” is damaged or incomplete. Open it, save it anew, then choose it again."
    ),
    "password": N_("“%(name)s” is protected with a password. Save it without one, then choose it again."),
    "two-kinds": N_(
        "“%(name)s” is two files in one, which is not taken. Save the document anew, then choose it again."
    ),
    "too-much": N_(
        "“%(name)s” holds far more than its size says, which can harm a computer, so it is not taken. Save the "
        "document as PDF, then choose that."
    ),
    "macros": N_(
        "“%(name)s” holds a program (a macro), so it is not taken. Save it without macros, or as PDF, then choose that."
    ),
    "outside-template": N_(
        "“%(name)s” fetches a template from the internet when it is opened, so it is not taken. Save it as PDF, then "
        "choose that."
    ),
    "pdf-script": N_("“%(name)s” holds a script, so it is not taken. Print it into a new PDF, then choose that."),
    "pdf-launch": N_("“%(name)s” starts a program, so it is not taken. Print it into a new PDF, then choose that."),
    "pdf-files": N_(
        "“%(name)s” carries other files, so it is not taken. Print it into a new PDF, then choose that, and upload "
        "the other files one by one."
    ),
    "too-slow": N_(
        "It took too long to look into “%(name)s”. Save it in a simpler form or in several parts, then choose it again."
    ),
}
"""What is said for each reason that kb/services/examiner/ gives."""

_START = "import sys; sys.path.append(sys.argv[1]); from examiner.main import main; main()"

# A picture takes up to some hundred megabytes while it is decoded: one at a time in a web process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Found:
    """What a file is; `width` and `height` in dots for an image, which was written anew."""

    media_type: str
    width: int | None = None
    height: int | None = None


def look_into(source: Path, target: Path, kind: str, name: str) -> Found:
    """Find out what a file is; an `image` is written anew to `target`, an `attachment` stays as it is.

    `name` is what to call it to its uploader. Raises Invalid with a sentence on `file`, Unavailable for a full disk.
    """
    with _one_at_a_time:
        said = _asked(kind, source, target)
    if "errno" in said:
        with room.needed():
            raise OSError(said["errno"], os.strerror(said["errno"]))
    if "refused" in said:
        raise refusal(said["refused"], name=name, **said["values"])
    return Found(**said)


def refusal(code: str, **values: Any) -> Invalid:
    """The refusal of a file, on the field `file`."""
    return Invalid([Problem.of("file", SENTENCES[code], **values)])


def _asked(kind: str, source: Path, target: Path) -> dict[str, Any]:
    """What the process says of a file; one that takes too long or dies of it is an answer too."""
    services = Path(__file__).parent
    command = [sys.executable, "-I", "-c", _START, str(services), kind, str(source), str(target)]
    try:
        done = subprocess.run(  # noqa: S603 (our own program, no shell)
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False, env={}
        )
    except subprocess.TimeoutExpired:
        return {"refused": "too-slow", "values": {}}
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        log.warning("looking into a file ended with status %d: %s", done.returncode, done.stderr[-2000:])
        return {"refused": "too-slow", "values": {}}
    return said
