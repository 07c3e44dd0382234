"""The process: takes limits upon itself, looks into one file, and says on standard output what it found, as JSON."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from . import packed, pdfs, pictures
from .refusing import Refused

MEMORY = 1024**3
"""Bytes of address space: a picture of the most dots there may be takes a third of it."""

SECONDS = 30
"""Of the processor's time."""

WRITTEN = 64 * 1024**2
"""Bytes of the file that is written."""


def main() -> None:
    """`KIND SOURCE TARGET`: KIND is image or attachment; TARGET is written for an image only."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kind, source, target = sys.argv[-3:]
    try:
        said = found(kind, Path(source), Path(target))
    except Refused as refused:
        said = {"refused": refused.code, "values": refused.values}
    except MemoryError:
        said = {"refused": "too-much", "values": {}}
    except OSError as error:  # the disk, not the file
        said = {"errno": error.errno}
    print(json.dumps(said))


def found(kind: str, source: Path, target: Path) -> dict[str, Any]:
    """What a file is. Raises Refused, OSError."""
    if kind == "image":
        media_type, width, height = pictures.rewrite(source, target)
        return {"media_type": media_type, "width": width, "height": height}
    with source.open("rb") as file:
        head = file.read(4)
    if head == b"%PDF":
        return {"media_type": pdfs.check(source)}
    if head == b"PK\3\4":
        return {"media_type": packed.check(source)}
    raise Refused("no-document")
