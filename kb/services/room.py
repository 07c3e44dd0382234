"""Room on the disk: which faults of the system say that there is none, or that nothing may be written now."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from kb.services.errors import N_, Unavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of faults for want of room: a full disk, a share of it that is used up, a limit on files (`ulimit -f`)."""

READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""Numbers of faults where a folder is there and may not be written."""

NO_ROOM = N_("The server has no room for the file just now. Nothing was kept of it: try again later.")
CLOSED = N_("The server cannot keep files just now. Nothing was kept of it: try again later.")


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """Say in a sentence that the disk is full or must not be written: raises Unavailable, and every other OSError."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Unavailable(NO_ROOM) from error
        if error.errno in READ_ONLY:
            raise Unavailable(CLOSED) from error
        raise
