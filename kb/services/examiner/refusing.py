"""Why a file is refused: a word that the other side has a sentence for, and the figures in it."""

from __future__ import annotations


class Refused(Exception):
    """A file that is not taken. `code` is one of kb/services/examining.py's SENTENCES."""

    def __init__(self, code: str, **values: int) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
