"""How many lists a process sends at once: each keeps a thread as long as its reader takes, and pages need some too."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response
from flask_babel import gettext

from kb.config import THREADS
from kb.web import context

AT_ONCE = max(1, THREADS - 2)

RUNNING = "exports_running"

_free = threading.Semaphore(AT_ONCE)


def bounded(response: Response) -> Response:
    """The same answer, which is to be streamed; 503 and when to come again where as many as may be are on their way.

    Its place is free again when the last byte was made, or as soon as the reader is gone.
    """
    if not _free.acquire(blocking=False):
        response.close()
        return later(gettext("Many lists are being sent just now. Try again in a minute."))
    counts = context.parts().counts
    counts.change(RUNNING, 1)

    def free() -> None:
        _free.release()
        counts.change(RUNNING, -1)

    release = weakref.finalize(response, free)  # once, however often it is called; at the latest when it is lost
    pieces: Any = response.response
    response.response = _until_end(pieces, release)
    response.call_on_close(release)
    if hasattr(pieces, "close"):
        response.call_on_close(pieces.close)
    return response


def later(sentence: str) -> Response:
    """Answer that something cannot be had now, but soon."""
    headers = {"Retry-After": "60", "Cache-Control": "no-store"}
    return Response(f"{sentence}\n", 503, headers, content_type="text/plain; charset=utf-8")


def _until_end(pieces: Iterable[bytes], release: Callable[[], object]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        release()
