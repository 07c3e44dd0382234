"""What Gunicorn has to say goes where all else goes, in the same form."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):
    """Gunicorn's log without a handler of its own. Its messages about a request lose the address (`kb/logs.py`)."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.error_log.propagate = True


OPTIONS = {"logger_class": ServerLog, "errorlog": None, "accesslog": None}
"""Settings of Gunicorn that go with it."""
